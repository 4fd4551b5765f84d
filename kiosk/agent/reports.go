package agent

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"parvis/kiosk/agent/machine"
	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

const (
	// A change is told at once, but not more often than this.
	soonest = 2 * time.Second
	// While counts wait, and there were too many for one report.
	catchUp = 5 * time.Second
	// A borne that is shut out tries as seldom as this.
	refusedEvery = 10 * time.Minute
	keepContact  = time.Minute
)

// reporting tells the hub how the borne is: every link.Every, in a phase of its
// own, and soon after a change.
func (a *Agent) reporting(ctx context.Context) {
	back := newBackoff()
	back.Reset()
	next := time.Now()
	phase := next.Add(rand.N(link.Every))
	for ctx.Err() == nil {
		a.pulse.beat("report", 2*refusedEvery)
		a.awaitReport(ctx, next)
		if ctx.Err() != nil {
			return
		}
		began, wiring := time.Now(), a.rewired()
		more, err := a.reportOnce(ctx)
		if err == nil || problemOf(err) != nil {
			a.reached(ctx, wiring)
		}
		switch p := problemOf(err); {
		case ctx.Err() != nil:
			return
		case err == nil:
			back.Reset()
			a.line.up()
			next = nextTurn(phase, began)
			if more {
				next = began.Add(catchUp)
			}
		case p != nil && p.Type == link.ProblemRevoked:
			a.shutOut(ctx, p)
			next = time.Now().Add(refusedEvery + scatter(time.Minute))
		case p != nil && !standing(p):
			// The hub is there: what else there is to tell may get through.
			a.line.up()
			if a.refused.first("rapport") {
				a.log.Error("le hub refuse le rapport", "problème", p.Type, "erreur", p)
			}
			next = time.Now().Add(max(p.RetryAfter, back.NextBackOff()))
		default:
			a.line.down(err)
			a.o.Client.Reconnect()
			next = time.Now().Add(back.NextBackOff())
		}
	}
}

// rewired tells which change of the machine's network waits for the hub to be
// reached with it. It is reached by no line that was there before.
func (a *Agent) rewired() (trial string) {
	if a.o.Network == nil {
		return ""
	}
	trial = a.o.Network.Trial()
	if trial != "" && trial != a.wiring {
		a.o.Client.Reconnect()
	}
	a.wiring = trial
	return trial
}

// reached tells root's half that the hub has answered amid a trial of the network.
func (a *Agent) reached(ctx context.Context, trial string) {
	if trial != "" {
		a.trouble(ctx, "réseau à l’essai, non confirmé", a.o.Network.Reached(trial))
	}
}

// nextTurn is the next time of the phase, but not right after the last report.
func nextTurn(phase, last time.Time) time.Time {
	next := phase
	if !last.Before(phase) {
		next = phase.Add(last.Sub(phase).Truncate(link.Every) + link.Every)
	}
	if soon := last.Add(soonest); next.Before(soon) {
		return soon
	}
	return next
}

// awaitReport waits for the next report's time. While the hub is within reach,
// a change brings it forward; and doubt whether it is brings it to some moment
// soon, which differs from borne to borne: all may have lost the same hub.
func (a *Agent) awaitReport(ctx context.Context, next time.Time) {
	earliest := time.Now().Add(soonest)
	for ctx.Err() == nil {
		wait := time.Until(next)
		if wait <= 0 {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-a.report:
			if a.line.is(lineUp) && earliest.Before(next) {
				next = earliest
			}
		case <-a.line.doubt:
			if soon := time.Now().Add(scatter(spread)); soon.Before(next) {
				next = soon
			}
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// reportOnce makes a report and has the hub take it, mending what keeps the hub
// from it. more says that counts are left over.
func (a *Agent) reportOnce(ctx context.Context) (more bool, err error) {
	counts, err := a.o.Store.UnsentCounts(ctx, mostCounts)
	a.trouble(ctx, "comptages", err)
	err = a.send(ctx, counts)
	if p := problemOf(err); p != nil && p.Type == link.ProblemExpired {
		if err := a.renew(ctx); err != nil {
			return false, expired(err)
		}
		err = a.send(ctx, counts)
	}
	if p := problemOf(err); p != nil && p.Type == link.ProblemInvalid && len(counts) > 0 {
		// Better a hub that sees the borne without its counts than none.
		if a.refused.first("comptages refusés") {
			a.log.Error("le hub refuse les comptages", "erreur", p)
		}
		counts = nil
		err = a.send(ctx, nil)
	}
	if err != nil {
		return false, err
	}
	a.trouble(ctx, "comptages envoyés", a.o.Store.MarkSent(ctx, counts))
	a.taken(ctx)
	return len(counts) == mostCounts, nil
}

// expired is why a certificate that is too old could not be renewed: either the
// borne is shut out, or it is as good as offline.
func expired(err error) error {
	if p := problemOf(err); p != nil && p.Type == link.ProblemRevoked {
		return p
	}
	return fmt.Errorf("certificat périmé, non renouvelé : %v", err) // no longer a problem of this report
}

// send sends one report. A wrong clock is mended once.
func (a *Agent) send(ctx context.Context, counts []store.DayCount) error {
	err := a.sendNow(ctx, counts)
	if p := problemOf(err); p != nil && p.Type == link.ProblemClock && p.Now > 0 {
		a.clock.learn(p.Now)
		err = a.sendNow(ctx, counts)
	}
	return err
}

func (a *Agent) sendNow(ctx context.Context, counts []store.DayCount) error {
	r := a.make(ctx, counts)
	answer, err := a.o.Client.Report(ctx, r)
	if p := problemOf(err); p != nil && p.Type == link.ProblemReplayed {
		return nil // the hub has it: its answer was lost
	}
	if err != nil {
		return err
	}
	a.clock.learn(answer.Now)
	if a.pursuit.hear(answer.Tag) {
		a.wanted.ring()
	}
	return nil
}

// make makes a report. What cannot be found out is left out: a report that says
// less is better than none.
func (a *Agent) make(ctx context.Context, counts []store.DayCount) link.Report {
	a.seq++
	seen, err := a.senses.look(ctx)
	a.trouble(ctx, "base de la borne", err)
	waiting, err := a.o.Store.Outbox(ctx)
	a.trouble(ctx, "demandes en attente", err)
	m, err := a.o.Machine()
	a.trouble(ctx, "état de la machine", err)
	if m.Disk != machine.Unknown {
		a.disk = m.Disk
	}
	if a.disk < diskLow {
		a.room.ring()
	}
	faults, err := a.faultsOf(ctx, seen, m.Temp, waiting)
	a.trouble(ctx, "réglages de la borne", err)
	failures, err := a.failures(ctx)
	a.trouble(ctx, "réglages de la borne", err)
	return link.Report{
		Run: a.run, Seq: a.seq, At: a.clock.now().UnixMilli(), Skew: int64(a.clock.skew() / time.Second),
		Version: a.o.Version, Content: seen.content, Profile: seen.profile, Tag: a.pursuit.dealtWith(), Uptime: int64(m.Uptime / time.Second), App: seen.app,
		Devices: seen.devices, Disk: a.disk, Temp: m.Temp, Load: min(max(m.Load, 0), 100), Faults: faults,
		Counts: a.toldCounts(counts), Waiting: len(waiting), Failures: failures,
	}
}

// taken notes that the hub has taken a report.
func (a *Agent) taken(ctx context.Context) {
	a.refused.forget("rapport")
	if time.Since(a.kept) > keepContact {
		at := a.o.Now().Format(time.RFC3339)
		err := errors.Join(a.o.Store.SetSetting(ctx, store.HubContact, at), a.o.Store.SetSetting(ctx, store.HubRefused, ""))
		a.trouble(ctx, "dernier contact", err)
		a.kept = time.Now()
	}
	from, to := a.o.Identity.Certificate()
	if left := to.Sub(a.clock.now()); left >= to.Sub(from)/3 {
		return
	}
	if err := a.renew(ctx); err != nil && ctx.Err() == nil && a.refused.first("certificat") {
		a.log.Warn("certificat non renouvelé : nouvel essai à chaque rapport", "erreur", err)
	}
}

// renew gets the next certificate and goes on with it.
func (a *Agent) renew(ctx context.Context) error {
	if err := a.o.Identity.Renew(ctx, a.o.Client.Renew); err != nil {
		return err
	}
	a.refused.forget("certificat")
	a.log.Info("certificat renouvelé")
	a.o.Client.Reconnect()
	return nil
}

// shutOut notes that the hub no longer knows the borne. Residents don't notice.
func (a *Agent) shutOut(ctx context.Context, p *link.Problem) {
	a.line.refuse(p)
	a.trouble(ctx, "refus du hub", a.o.Store.SetSetting(ctx, store.HubRefused, p.Type))
	a.kept = time.Time{}
}
