package upgrade

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"parvis/kiosk/agent/health"
	"parvis/kiosk/link"
)

// The services that a borne consists of.
const (
	application = "parvis.service"
	agentUnit   = "parvis-agent.service"
)

// Times are how long a borne is watched.
type Times struct {
	Healthy time.Duration // without a break, to be trusted
	Within  time.Duration // from the start of a fresh version on
	Before  time.Duration // with the version before, to be told ill
}

// grade is how badly off a borne is.
type grade int

const (
	well      grade = iota
	odd             // the application is in a state in which it doesn't serve
	mute            // its screen gives no sign of life
	down            // it doesn't run, or not for long
	agentDown       // the agent doesn't, so that nobody could bring anything better
	dead            // the machine itself stops
)

// illness is what a borne suffers from.
type illness struct {
	grade grade
	why   error // nil: it is well
}

const lookEvery = 500 * time.Millisecond

// restart starts the borne's services again, with what is installed now. How
// they come up is seen by who watches.
func (r *Replacer) restart(ctx context.Context) error {
	if err := r.systemctl(ctx, "daemon-reload"); err != nil {
		return err
	}
	return r.systemctl(ctx, "restart", "--no-block", application, agentUnit)
}

func (r *Replacer) systemctl(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "systemctl", args...)
	cmd.Env = quietly()
	_, err := output(cmd)
	return err
}

// health watches, for so long at most, until the borne has been well for long
// enough; otherwise it tells of the worst of its last while. Signs of life up to
// since don't count. The error is that of ctx only.
func (r *Replacer) health(ctx context.Context, since time.Time, within time.Duration) (illness, error) {
	began := r.Now()
	var steady time.Time // since when the borne is well
	var was string
	ill := illness{mute, errors.New("pas encore observée")}
	var seen [dead + 1]time.Time // when each grade was last
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for r.Now().Sub(began) < within {
		var processes string
		processes, ill = r.look(ctx, since)
		now := r.Now()
		seen[ill.grade] = now
		switch {
		case ill.why != nil:
			was = ""
		case processes != was: // other ones have taken their place
			if was != "" {
				seen[down] = now
			}
			was, steady = processes, now
		case now.Sub(steady) >= r.Times.Healthy:
			return illness{}, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ill, ctx.Err()
		}
	}
	if ill.why == nil {
		ill.why = errors.New("les programmes de la borne redémarrent sans cesse")
	}
	worst := ill.grade
	for g, at := range seen {
		if !at.IsZero() && r.Now().Sub(at) <= r.Times.Healthy {
			worst = max(worst, grade(g))
		}
	}
	return illness{max(worst, odd), fmt.Errorf("pas en état %v après : %w", within, ill.why)}, nil
}

// settled reports whether the borne is well, and has been up for long enough
// not to be restarting all the time.
func (r *Replacer) settled(ctx context.Context) bool {
	_, ill := r.look(ctx, time.Time{})
	alive, err := r.Alive(ctx)
	return ill.why == nil && err == nil && r.Now().Sub(alive.Started) >= r.Times.Before
}

// look tells which processes the borne runs by, and what is wrong with it.
func (r *Replacer) look(ctx context.Context, since time.Time) (processes string, ill illness) {
	for _, unit := range []struct {
		name  string
		grade grade
	}{{agentUnit, agentDown}, {application, down}} {
		out, err := exec.CommandContext(ctx, "systemctl", "show", "--property=ActiveState,MainPID", unit.name).Output()
		if err != nil {
			return "", illness{unit.grade, fmt.Errorf("systemctl show %s : %w", unit.name, err)}
		}
		if !strings.Contains(string(out), "ActiveState=active\n") {
			return "", illness{unit.grade, fmt.Errorf("%s ne tourne pas", unit.name)}
		}
		processes += string(out)
	}
	alive, err := r.Alive(ctx)
	if err != nil {
		return "", illness{mute, fmt.Errorf("l’état de l’application est illisible : %w", err)}
	}
	switch {
	case !alive.Seen.After(since):
		return "", illness{mute, errors.New("l’écran n’a pas donné signe de vie depuis la relance")}
	case r.Now().Sub(alive.Seen) > health.Fresh:
		return "", illness{mute, errors.New("l’écran ne donne plus signe de vie")}
	case !health.Well(link.AppState(alive.State)):
		return "", illness{odd, fmt.Errorf("l’application est dans l’état « %s »", alive.State)}
	}
	return processes, illness{}
}
