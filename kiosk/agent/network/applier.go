package network

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// Applier is root's half. Only settings with which the hub was reached outlast
// the machine's stop: what it is killed amid is as if it had not begun.
type Applier struct {
	// Wanted reads what the borne should have by now.
	Wanted func() (Settings, error)
	// Word reads what the agent says by now.
	Word func() (Word, error)
	Kept string // file that outlasts the machine's stop
	// State is the folder of Status, Systemd that of the files for systemd; neither
	// outlasts the machine's stop.
	State   string
	Systemd string
	// Within is how long the hub may take to be reached with other settings.
	Within time.Duration
	// Command runs a program of systemd's and gives what it prints.
	Command func(ctx context.Context, name string, args ...string) ([]byte, error)
	Now     func() time.Time
	Log     *slog.Logger
}

// lookEvery is how often it is seen whether the hub was reached, and whether
// other settings are wanted by now.
const lookEvery = time.Second

// Run has the machine go by what is wanted. It returns once that is sure: the hub
// was reached with it, or what was before is back.
func (a *Applier) Run(ctx context.Context) error {
	for {
		again, err := a.step(ctx)
		if err != nil || !again {
			return err
		}
	}
}

// step follows the settings that are wanted now, and tells whether it may be
// others by the end.
func (a *Applier) step(ctx context.Context) (again bool, err error) {
	kept, err := a.kept()
	if err != nil {
		return false, err
	}
	status, err := ReadStatus(a.State)
	if err != nil {
		return false, err
	}
	wanted, err := a.Wanted()
	if err != nil {
		return false, err
	}
	id, back := wanted.ID(), kept.ID()
	if id == back {
		done, err := a.putBack(ctx, kept)
		if err != nil {
			return false, err
		}
		return false, a.tell(Status{Wanted: id, InForce: id, Failure: done.why})
	}
	if status.Refused == id {
		return false, nil
	}
	done, err := a.put(ctx, wanted)
	if err != nil || !done.taken {
		_, failed := a.putBack(context.WithoutCancel(ctx), kept)
		if err := errors.Join(err, failed); err != nil {
			return false, err
		}
		a.Log.Error("réseau non réglé", "pourquoi", done.why)
		return false, a.tell(Status{Wanted: id, InForce: back, Failure: done.why})
	}
	word, err := a.Word()
	if err != nil {
		a.Log.Warn("mot de l’agent illisible", "erreur", err)
		word.Enrolled = true // on the safe side
	}
	if word.Enrolled {
		a.Log.Info("réseau à l’essai", "adresse", wanted, "avant", kept)
		trial := id + "-" + rand.Text() // what was said of an earlier one does not count
		if err := a.tell(Status{Wanted: id, InForce: id, Trial: trial, Failure: done.why}); err != nil {
			return false, errors.Join(err, a.Restore(ctx))
		}
		switch end, err := a.watch(ctx, id, trial); {
		case err != nil:
			_, failed := a.putBack(context.WithoutCancel(ctx), kept)
			return false, errors.Join(err, failed)
		case end == other:
			return true, nil
		case end == late:
			return false, a.goBack(ctx, wanted, kept)
		}
	}
	if err := a.keep(wanted); err != nil {
		return false, err
	}
	a.Log.Info("réseau réglé", "adresse", wanted)
	return true, a.tell(Status{Wanted: id, InForce: id, Failure: done.why})
}

// goBack puts what was before in force again, as the hub was not reached.
func (a *Applier) goBack(ctx context.Context, wanted, kept Settings) error {
	a.Log.Warn("hub non joint : réseau d’avant remis", "adresse", wanted, "avant", kept)
	done, err := a.putBack(ctx, kept)
	if err != nil {
		return err
	}
	why := fmt.Sprintf("réseau (%s) : le hub n’a pas été joint en %v ; les réglages d’avant (%s) sont remis", wanted, minutes(a.Within), kept)
	if done.why != "" {
		why += ". " + done.why
	}
	return a.tell(Status{Wanted: wanted.ID(), InForce: kept.ID(), Refused: wanted.ID(), Failure: why})
}

func minutes(d time.Duration) string {
	if d < time.Minute {
		return d.String()
	}
	return fmt.Sprintf("%d minutes", int(d.Minutes()))
}

// ending is how a trial ends.
type ending int

const (
	reached ending = iota
	other          // other settings are wanted
	late
)

// watch waits until the hub has been reached with a trial of the settings with
// this ID, or won't be.
func (a *Applier) watch(ctx context.Context, id, trial string) (ending, error) {
	began := a.Now()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for a.Now().Sub(began) < a.Within {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return late, ctx.Err()
		}
		if word, err := a.Word(); err == nil && word.Reached == trial {
			return reached, nil
		}
		if wanted, err := a.Wanted(); err == nil && wanted.ID() != id {
			return other, nil
		}
	}
	return late, nil
}

// Restore has the machine go by the settings that were kept: before systemd begins
// with the network, and after a trial that was broken off. It waits for nothing.
func (a *Applier) Restore(ctx context.Context) error {
	kept, err := a.kept()
	if err != nil {
		return err
	}
	status, err := ReadStatus(a.State)
	if err != nil {
		return err
	}
	changed, err := a.write(kept)
	if err != nil {
		return err
	}
	if changed == (changes{}) && status.Trial == "" && status.InForce != "" {
		return nil
	}
	if err := a.renew(ctx, changed, false); err != nil {
		return err
	}
	return a.tell(Status{InForce: kept.ID()})
}

// kept are the settings with which the hub was last reached. A file that is
// damaged holds none.
func (a *Applier) kept() (s Settings, err error) {
	data, err := os.ReadFile(a.Kept)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(data, &s); err != nil {
		a.Log.Error("réglages gardés illisibles", "fichier", a.Kept, "erreur", err)
		return Settings{}, nil
	}
	return s, nil
}

func (a *Applier) keep(s Settings) error {
	if s.IsZero() {
		if err := os.Remove(a.Kept); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return replace(a.Kept, data, 0o644)
}

func (a *Applier) tell(s Status) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(a.State, 0o755); err != nil {
		return err
	}
	return replace(filepath.Join(a.State, StatusFile), data, 0o644)
}
