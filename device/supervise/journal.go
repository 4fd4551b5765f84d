package supervise

import (
	"context"
	"log/slog"
	"time"

	"parvis/device"
)

// A device that is lost more often than lossesNoted times within lossesWithin
// is unstable: its losses are only counted, until it has been calm for
// calmAfter.
const (
	lossesNoted  = 5
	lossesWithin = time.Minute
	calmAfter    = time.Minute
	calmGlance   = 10 * time.Second
)

// journal decides what of a device's comings and goings is logged. IT reads
// it, hence French.
type journal struct {
	lostAt   time.Time   // zero while the device is there
	losses   []time.Time // the last ones, lossesNoted at most
	unstable bool
	unnoted  int       // losses while unstable
	changed  time.Time // the last loss or return
}

// note logs that a device is lost, or back.
func (j *journal) note(log *slog.Logger, now time.Time, s device.Status) {
	wasLost := !j.lostAt.IsZero()
	switch {
	case lost(s) && !wasLost:
		j.lostAt, j.changed = now, now
		j.noteLoss(log, now, s)
	case s.Ready() && wasLost:
		away := now.Sub(j.lostAt)
		j.lostAt, j.changed = time.Time{}, now
		if !j.unstable {
			log.Info("appareil de nouveau prêt", "absence", away.Round(time.Millisecond))
		}
	}
}

func (j *journal) noteLoss(log *slog.Logger, now time.Time, s device.Status) {
	if j.unstable {
		j.unnoted++
		return
	}
	if len(j.losses) == lossesNoted {
		if now.Sub(j.losses[0]) < lossesWithin {
			j.unstable, j.unnoted = true, 1
			log.Warn("appareil instable : ses coupures ne sont plus notées une à une", "défaut", s.Fault.Info().Title, "cause", s.Cause)
			return
		}
		j.losses = j.losses[1:]
	}
	j.losses = append(j.losses, now)
	log.Warn("appareil indisponible", "défaut", s.Fault.Info().Title, "cause", s.Cause)
}

// settle logs that an unstable device has become calm, and how it is.
func (j *journal) settle(log *slog.Logger, now time.Time, s device.Status) {
	if !j.unstable || now.Sub(j.changed) < calmAfter {
		return
	}
	log.Info("appareil de nouveau stable", "prêt", s.Ready(), "défaut", s.Fault.Info().Title, "coupures", j.unnoted)
	j.unstable, j.unnoted, j.losses = false, 0, nil
}

// calm looks from time to time whether unstable devices have become calm.
type calm struct{ *Board }

func (calm) String() string { return "journal" }

// Serve implements suture.Service.
func (c calm) Serve(ctx context.Context) error {
	t := time.NewTicker(calmGlance)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-t.C:
			for _, w := range c.watched {
				w.telling.Lock()
				w.journal.settle(c.log.With("appareil", w.Name), now, w.entry().Status)
				w.telling.Unlock()
			}
		}
	}
}
