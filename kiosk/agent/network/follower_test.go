package network

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The agent's half asks until root's half has dealt with what is wanted now.
func TestFollow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t)
		b := &borne{}
		a := m.applier(b)
		asked := 0
		f := &Follower{Dir: t.TempDir(), State: a.State, Settings: a.Wanted, Start: func(ctx context.Context) error {
			if asked++; asked == 1 {
				return nil // root's half was about to end, and heard nothing
			}
			go a.Run(ctx)
			return nil
		}}
		a.Word = func() (Word, error) { return ReadWord(f.Dir, uint32(os.Geteuid())) }
		if err := f.Follow(t.Context()); err != nil || asked != 0 {
			t.Errorf("root's half is asked for nothing: %d, %v", asked, err)
		}
		b.change(func() { b.wanted = parse(t, "192.0.2.10/24", "", nil, nil) })
		if err := f.Enrolled(true); err != nil {
			t.Fatal(err)
		}
		if err := f.Follow(t.Context()); err != nil || asked != 2 {
			t.Errorf("asked %d times, %v", asked, err)
		}
		if !strings.HasPrefix(f.Trial(), b.wanted.ID()+"-") || f.CutOff() || f.Failure() != "" {
			t.Errorf("trial %q, cut off %t, %q", f.Trial(), f.CutOff(), f.Failure())
		}
		if err := f.Reached(f.Trial()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		m.want("192.0.2.10/24", "192.0.2.10/24", Status{Wanted: b.wanted.ID(), InForce: b.wanted.ID()})

		b.change(func() { b.wanted = parse(t, "198.51.100.9/24", "", nil, nil) })
		if err := f.Follow(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Minute)
		synctest.Wait()
		if !f.CutOff() || f.Trial() != "" || !strings.Contains(f.Failure(), "le hub n’a pas été joint") {
			t.Errorf("trial %q, cut off %t, %q", f.Trial(), f.CutOff(), f.Failure())
		}
	})
}

// A machine without root's half says so, where there is something to do.
func TestFollowWithoutRoot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		want := parse(t, "192.0.2.10/24", "", nil, nil)
		none := errors.New("Unit parvis-reseau.service not found.")
		f := &Follower{Dir: t.TempDir(), State: t.TempDir(), Settings: func() (Settings, error) { return want, nil }, Start: func(context.Context) error { return none }}
		if err := f.Follow(t.Context()); !errors.Is(err, none) || f.Failure() != "réseau (192.0.2.10/24) : "+none.Error() {
			t.Errorf("%v, %q", err, f.Failure())
		}
		none = nil
		began := time.Now()
		if err := f.Follow(t.Context()); err == nil || !strings.Contains(f.Failure(), "n’a pas répondu") || time.Since(began) > time.Minute {
			t.Errorf("%v, %q after %v", err, f.Failure(), time.Since(began))
		}
		want = Settings{}
		if err := f.Follow(t.Context()); err != nil || f.Failure() != "" {
			t.Errorf("%v, %q", err, f.Failure())
		}
	})
}
