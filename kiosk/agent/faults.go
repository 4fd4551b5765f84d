package agent

import (
	"context"
	"time"

	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// When the borne as a whole is at fault.
const (
	diskLow    = 10 // percent free
	tooHot     = 85 // °C
	clockOff   = 2 * time.Minute
	outboxLate = 15 * time.Minute
	// After the network was away the outbox needs a moment to empty itself.
	outboxGrace = time.Minute
)

// faultTimes remember since when each fault of the borne lasts, in seconds
// since 1970 by the hub's time.
type faultTimes map[string]int64

// faultsOf are the faults of the borne as a whole, in the order of package link.
func (a *Agent) faultsOf(ctx context.Context, s sight, temp int, waiting []store.Sealed) ([]link.Fault, error) {
	refused, err := a.contentRefused(ctx)
	if err != nil {
		return nil, err
	}
	late := len(waiting) > 0 && a.o.Now().Sub(waiting[0].Created) > outboxLate && a.line.upFor() > outboxGrace
	lasts := map[string]bool{
		link.FaultDisk:       a.disk < diskLow,
		link.FaultHot:        temp > tooHot,
		link.FaultClock:      a.clock.skew().Abs() > clockOff,
		link.FaultAppStopped: s.app == link.AppStopped,
		link.FaultAppFrozen:  s.app == link.AppFrozen,
		link.FaultOutbox:     late,
		link.FaultContent:    refused,
	}
	if a.faults == nil {
		a.faults = make(faultTimes)
	}
	now := a.clock.now().Unix()
	var all []link.Fault
	for _, info := range link.Faults() {
		if !lasts[info.Fault] {
			delete(a.faults, info.Fault)
			continue
		}
		if a.faults[info.Fault] == 0 {
			a.faults[info.Fault] = now
		}
		all = append(all, link.Fault{Fault: info.Fault, Since: a.faults[info.Fault]})
	}
	return all, nil
}

// contentRefused reports whether the borne doesn't show the last content that it
// was to show: the agent would not take it, or the application does not.
func (a *Agent) contentRefused(ctx context.Context) (bool, error) {
	f, err := a.failure(ctx, link.KindPack)
	if err != nil || f.Version != "" {
		return err == nil, err
	}
	r, err := a.o.Store.Refusal(ctx, store.ContentRefused)
	return r.Version != "", err
}
