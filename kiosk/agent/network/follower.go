package network

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/dbus"
)

// Follower is the agent's half. It is safe for concurrent use.
type Follower struct {
	// Dir is the borne's folder, State that of Status.
	Dir   string
	State string
	// Settings reads what the borne should have by now.
	Settings func() (Settings, error)
	// Start starts root's half; through systemd where nil.
	Start func(ctx context.Context) error

	mu     sync.Mutex
	word   Word
	failed string // why root's half could not be asked
}

const (
	answerWithin = 45 * time.Second
	answerEvery  = 250 * time.Millisecond
	askEvery     = 5 * time.Second
)

// Follow has the machine's network go by the settings, and returns when it does,
// or when it is known that it won't: Failure says why.
func (f *Follower) Follow(ctx context.Context) error {
	want, err := f.Settings()
	if err != nil {
		return err
	}
	err = f.follow(ctx, want)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = ""
	if err != nil && !want.IsZero() {
		f.failed = fmt.Sprintf("réseau (%s) : %v", want, err)
	}
	return err
}

func (f *Follower) follow(ctx context.Context, want Settings) error {
	id, deadline, asked := want.ID(), time.Now().Add(answerWithin), time.Time{}
	for {
		status, err := ReadStatus(f.State)
		if err != nil {
			return err
		}
		if status.Wanted == id || status == (Status{}) && want.IsZero() {
			return nil
		}
		if time.Since(asked) > askEvery { // one that is about to end does not hear it
			asked = time.Now()
			if err := f.start(ctx); err != nil {
				return err
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s n’a pas répondu : « journalctl -u %s »", Service, Service)
		}
		select {
		case <-time.After(answerEvery):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *Follower) start(ctx context.Context) error {
	if f.Start != nil {
		return f.Start(ctx)
	}
	conn, err := dbus.NewSystemConnectionContext(ctx)
	if err != nil {
		return fmt.Errorf("D-Bus : %w", err)
	}
	defer conn.Close()
	if _, err := conn.StartUnitContext(ctx, Service, "replace", nil); err != nil {
		return fmt.Errorf("lancer %s : %w", Service, err)
	}
	return nil
}

// Trial is the settings that wait for the hub to be reached with them; empty
// where there are none.
func (f *Follower) Trial() string {
	status, err := ReadStatus(f.State)
	if err != nil {
		return ""
	}
	return status.Trial
}

// Reached tells that the hub has taken a report that was begun amid a trial.
func (f *Follower) Reached(trial string) error {
	return f.say(func(w *Word) { w.Enrolled, w.Reached = true, trial })
}

// Enrolled tells whether there is a hub to be reached.
func (f *Follower) Enrolled(is bool) error {
	return f.say(func(w *Word) { w.Enrolled = is })
}

func (f *Follower) say(change func(*Word)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	word := f.word
	change(&word)
	data, err := json.Marshal(word)
	if err != nil {
		return err
	}
	if err := WriteAgents(f.Dir, wordFile, data); err != nil {
		return err
	}
	f.word = word
	return nil
}

// WriteAgents writes a file that ReadAgents reads, into the folder of the borne.
func WriteAgents(dir, path string, data []byte) error {
	path = filepath.Join(dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return replace(path, data, 0o640) // the group's: root's half has no right over files
}

// CutOff reports whether the settings were taken back as the hub was not reached.
func (f *Follower) CutOff() bool {
	want, err := f.Settings()
	if err != nil {
		return false
	}
	status, err := ReadStatus(f.State)
	return err == nil && status.Refused == want.ID()
}

// Failure is what of the settings the machine has not taken, in French, or empty.
func (f *Follower) Failure() string {
	status, err := ReadStatus(f.State)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.failed != "":
		return f.failed
	case err != nil:
		return "réseau : " + err.Error()
	}
	return status.Failure
}
