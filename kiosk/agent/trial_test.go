package agent

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parvis/kiosk/agent/machine"
	"parvis/kiosk/agent/shelf"
	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// player plays the application behind the borne's database: it lives, restarts
// when it is asked to, and goes by what is in place. What a profile says is what
// it does.
type player struct {
	t     testing.TB
	st    *store.Store
	shelf shelf.Shelf

	mu      sync.Mutex
	state   link.AppState
	deaf    bool      // it does no errands
	down    bool      // it doesn't run, and nobody starts it
	pid     int       // of the run; 0: none
	started time.Time // of the run
	seen    time.Time // it last drew
	uses    string    // the version that it goes by
	starts  int
	report  func() // nil: the hub is out of reach
}

func (p *player) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// says is what the profile of a version makes the application do.
func (p *player) says(version string) string {
	data, err := os.ReadFile(p.shelf.Path(version))
	if err != nil {
		return ""
	}
	return string(data)
}

func (p *player) current() string {
	current, err := p.shelf.Version(shelf.Current)
	if err != nil {
		p.t.Error(err)
	}
	return current
}

// start starts the application anew.
func (p *player) start() {
	p.starts++
	p.pid, p.started, p.seen, p.uses = 1000+p.starts, time.Now(), time.Now(), ""
	ctx := context.Background()
	current := p.current()
	var refused store.Refusal
	switch said := p.says(current); {
	case current == "":
	case strings.Contains(said, "unreadable"):
		refused = store.Refusal{Version: current, Since: time.Now().UTC(), Why: "ligne 3 : illisible"}
		var err error
		if p.uses, err = p.shelf.Version(shelf.Previous); err != nil {
			p.t.Error(err)
		}
	case strings.Contains(said, "crash"):
		p.pid = 0
	default:
		p.uses = current
	}
	if err := p.st.SetRefusal(ctx, store.ProfileRefused, refused); err != nil {
		p.t.Error(err)
	}
}

// tick is a second of the application's life.
func (p *player) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.report != nil && !strings.Contains(p.says(p.current()), "cut off") {
		p.report()
	}
	if p.down {
		return
	}
	age := time.Since(p.started)
	said := p.says(p.uses)
	if p.pid == 0 || strings.Contains(said, "short") && age > 6*time.Second {
		p.start() // as systemd would
	}
	if p.pid == 0 {
		return
	}
	if !strings.Contains(said, "freeze") || age < 5*time.Second {
		p.seen = time.Now()
	}
	state := p.state
	if strings.Contains(said, "starting") {
		state = link.AppStarting
	}
	ctx := context.Background()
	err := p.st.SetAlive(ctx, store.Alive{State: string(state), Version: "1.4.0", Profile: p.uses, PID: p.pid, Started: p.started, Seen: p.seen})
	if err != nil {
		p.t.Error(err)
	}
	if p.deaf || p.state == link.AppServing {
		return
	}
	e, ok, err := p.st.BeginErrand(ctx, true)
	if err != nil || !ok {
		return
	}
	end := link.Done
	current, _ := p.shelf.Version(shelf.Current)
	if strings.Contains(p.says(current), "bad") {
		end = link.Failed
	}
	if err := p.st.EndErrand(ctx, e.ID, string(end), "profil:3: site.nom: il manque", "", nil); err != nil {
		p.t.Error(err)
	}
	if end == link.Done {
		p.start()
	}
}

func (p *player) live(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		p.tick()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// restarts is systemd, for which the application is a service.
type restarts struct{ p *player }

func (r restarts) State(context.Context) (string, error) {
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	if r.p.down || r.p.pid == 0 {
		return "activating", nil
	}
	return "active", nil
}

func (r restarts) Restart(context.Context) error {
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	r.p.down = false
	r.p.start()
	return nil
}

// stage is a borne without a network, on which something is put to the trial.
type stage struct {
	t   *testing.T
	dir string
	st  *store.Store
	app *player
	a   *Agent
}

// newStage opens a borne that goes by the profile "old".
func newStage(t *testing.T, dir string) *stage {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, dir: dir, st: st}
	sh := shelf.Shelf{Dir: filepath.Join(dir, "profile"), Ending: ".toml"}
	s.app = &player{t: t, st: st, shelf: sh, state: link.AppIdle}
	s.born()
	if err := sh.Make(); err != nil {
		t.Fatal(err)
	}
	if current, err := sh.Version(shelf.Current); err != nil || current != "" {
		return s
	}
	s.write("old", "good")
	if err := sh.Point(shelf.Current, "old"); err != nil {
		t.Fatal(err)
	}
	return s
}

// born begins a life of the agent.
func (s *stage) born() {
	client, err := link.NewClient(link.ClientOptions{Hub: "hub.invalid", TLS: &tls.Config{}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.a = New(Options{Store: s.st, Client: client, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now,
		Profiles: filepath.Join(s.dir, "profile"), Content: filepath.Join(s.dir, "content"),
		Machine: func() (machine.Facts, error) { return machine.Facts{Disk: 60}, nil }})
	s.app.set(func() { s.app.report = s.a.line.up })
}

func (s *stage) write(version, says string) {
	s.t.Helper()
	if err := writeNew(s.app.shelf.Path(version), []byte(says)); err != nil {
		s.t.Fatal(err)
	}
}

// change is a profile on its way into use.
func (s *stage) change(version, says string) change {
	return change{kind: link.KindProfile, version: version, name: version, bring: func(context.Context) error {
		return writeNew(s.app.shelf.Path(version), []byte(says))
	}}
}

func (s *stage) links() (current, previous string) {
	s.t.Helper()
	current, err := s.app.shelf.Version(shelf.Current)
	if err != nil {
		s.t.Fatal(err)
	}
	if previous, err = s.app.shelf.Version(shelf.Previous); err != nil {
		s.t.Fatal(err)
	}
	return current, previous
}

// settled wants no trial to be under way, and these links.
func (s *stage) settled(current, previous string) {
	s.t.Helper()
	if t, err := s.a.trial(context.Background()); err != nil || t.Kind != "" {
		s.t.Errorf("a trial is under way: %+v, %v", t, err)
	}
	if c, p := s.links(); c != current || p != previous {
		s.t.Errorf("current %q, previous %q; want %q, %q", c, p, current, previous)
	}
}

func TestTrial(t *testing.T) {
	for _, tt := range []struct {
		name   string
		says   string // the new profile
		before func(*stage)
		err    error
		why    string
		within time.Duration // by when it must be sure
		after  time.Duration // and not sooner
		shows  string        // what the application goes by in the end
		starts int           // of the application, until then
	}{
		{name: "good", says: "good", within: 20 * time.Second, after: 8 * time.Second, shows: "new", starts: 1},
		{name: "refused by the application before it leaves", says: "bad", err: ErrUnfit, why: "site.nom", within: 5 * time.Second, shows: "old"},
		{name: "refused when it has started", says: "unreadable", err: ErrUnfit, why: "ligne 3", within: 10 * time.Second, shows: "old", starts: 1},
		{name: "it never comes up", says: "crash", err: ErrUnfit, why: "n’a pas démarré", within: 3 * time.Minute, after: time.Minute, shows: "old"},
		{name: "it never comes up, under systemd", says: "crash", before: (*stage).underSystemd, err: ErrUnfit, why: "n’a pas démarré", within: 4 * time.Minute, shows: "old"},
		{name: "its screen freezes", says: "freeze", err: ErrUnfit, why: "signe de vie", within: 3 * time.Minute, shows: "old"},
		{name: "it ends again and again", says: "short", err: ErrUnfit, why: "redémarre", within: 3 * time.Minute, shows: "old"},
		{name: "it stays in the state starting", says: "starting", err: ErrUnfit, why: "starting", within: 3 * time.Minute, shows: "old"},
		{name: "somebody is there for half an hour", says: "good", before: func(s *stage) {
			s.app.state = link.AppServing
			time.AfterFunc(30*time.Minute, func() { s.app.set(func() { s.app.state = link.AppIdle }) })
		}, within: 30*time.Minute + 20*time.Second, after: 30 * time.Minute, shows: "new", starts: 1},
		{name: "it is put out of service", says: "good", before: func(s *stage) { s.app.state = link.AppOutOfService },
			within: 20 * time.Second, shows: "new", starts: 1},
		{name: "it does nothing that it is asked to", says: "good", before: func(s *stage) { s.app.deaf = true },
			err: errNoApp, within: 3 * time.Minute, shows: "old"},
		{name: "it does nothing, and systemd restarts it", says: "good", before: func(s *stage) { s.app.deaf = true; s.underSystemd() },
			within: 2 * time.Minute, shows: "new", starts: 1},
		{name: "it has long been down", says: "good", before: func(s *stage) { s.app.down = true }, err: errNoApp, within: 3 * time.Minute, shows: "old"},
		{name: "it has long been down, and systemd brings it up", says: "good", before: func(s *stage) { s.app.down = true; s.underSystemd() },
			within: 2 * time.Minute, shows: "new", starts: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, dir)
				defer s.st.Close()
				ctx, cancel := context.WithCancel(t.Context())
				var playing sync.WaitGroup
				defer playing.Wait()
				defer cancel()
				s.app.start()
				s.app.tick()
				if tt.before != nil {
					tt.before(s)
					s.app.tick()
				}
				if s.app.down {
					time.Sleep(time.Minute) // what it says of itself has grown old
				}
				playing.Go(func() { s.app.live(ctx) })
				starts, began := s.app.starts, time.Now()
				changed, err := s.a.adopt(ctx, ctx, s.change("new", tt.says))
				took := time.Since(began)
				if !errors.Is(err, tt.err) || tt.err == nil && err != nil || tt.err == nil && !changed {
					t.Fatalf("after %v: changed %t, %v", took, changed, err)
				}
				if took > tt.within || took < tt.after {
					t.Errorf("it took %v", took)
				}
				f, ferr := s.a.failure(ctx, link.KindProfile)
				if ferr != nil || (f.Version != "") != errors.Is(tt.err, ErrUnfit) || !strings.Contains(f.Why, tt.why) {
					t.Errorf("failure %+v, %v", f, ferr)
				}
				if tt.shows == "new" {
					s.settled("new", "old")
				} else {
					s.settled("old", "old")
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				s.app.set(func() {
					if s.app.uses != tt.shows && !s.app.down && !s.app.deaf {
						t.Errorf("in the end it goes by %q", s.app.uses)
					}
					if did := s.app.starts - starts; tt.starts > 0 && did != tt.starts {
						t.Errorf("%d starts", did)
					}
				})
				if _, err := s.a.adopt(ctx, ctx, s.change("new", "good")); errors.Is(tt.err, ErrUnfit) != errors.Is(err, ErrUnfit) {
					t.Errorf("wanted once more: %v", err)
				}
			})
		})
	}
}

// underSystemd has the application looked after by systemd.
func (s *stage) underSystemd() {
	s.a.o.Unit = restarts{s.app}
	s.a.senses.unit = restarts{s.app}
}

// The hub changes its mind while somebody stands at the borne: what was about
// to come goes, and what was there before stays what to go back to.
func TestTrialIsGivenUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, dir)
		defer s.st.Close()
		ctx, cancel := context.WithCancel(t.Context())
		var playing sync.WaitGroup
		defer playing.Wait()
		defer cancel()
		s.app.start()
		s.app.state = link.AppServing
		s.app.tick()
		playing.Go(func() { s.app.live(ctx) })
		wish, change := context.WithCancelCause(ctx)
		time.AfterFunc(10*time.Minute, func() { change(errOther) })
		if _, err := s.a.adopt(ctx, wish, s.change("new", "good")); !errors.Is(err, errOther) {
			t.Fatal(err)
		}
		s.settled("old", "old")
		time.AfterFunc(time.Minute, func() { s.app.set(func() { s.app.state = link.AppIdle }) })
		if _, err := s.a.adopt(ctx, ctx, s.change("newer", "good")); err != nil {
			t.Fatal(err)
		}
		s.settled("newer", "old")
		if f, err := s.a.failure(ctx, link.KindProfile); err != nil || f.Version != "" {
			t.Errorf("failure %+v, %v", f, err)
		}
	})
}

// An application that started just before the switch goes by what was before,
// which says nothing of what came after.
func TestTrialOfOneThatHadStarted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, dir)
		defer s.st.Close()
		ctx, cancel := context.WithCancel(t.Context())
		var playing sync.WaitGroup
		defer playing.Wait()
		defer cancel()
		s.app.start()
		s.app.tick()
		c := s.change("new", "good")
		bring := c.bring
		c.bring = func(ctx context.Context) error {
			// It restarts by itself now, and tells of it only after the switch.
			s.app.start()
			time.AfterFunc(100*time.Millisecond, func() { playing.Go(func() { s.app.live(ctx) }) })
			return bring(ctx)
		}
		if _, err := s.a.adopt(ctx, ctx, c); err != nil {
			t.Fatal(err)
		}
		s.settled("new", "old")
	})
}

// A borne that stops again and again amid a trial goes back.
func TestTrialStopsTheBorne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, dir)
		defer s.st.Close()
		s.app.start()
		s.app.tick()
		life := func(do func(ctx context.Context) error) error {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			s.born()
			s.app.start() // the machine has started
			s.app.tick()
			return do(ctx)
		}
		err := life(func(ctx context.Context) error {
			_, err := s.a.adopt(ctx, ctx, s.change("new", "good"))
			return err
		})
		resume := func(ctx context.Context) error { return s.a.resume(ctx) }
		for range mostTries - 1 {
			if err == nil || errors.Is(err, ErrUnfit) {
				t.Fatal(err)
			}
			if current, _ := s.links(); current != "new" {
				t.Fatalf("current %q", current)
			}
			err = life(resume)
		}
		if err := life(resume); !errors.Is(err, ErrUnfit) || !strings.Contains(err.Error(), "3 fois") {
			t.Fatal(err)
		}
		s.settled("old", "old")
	})
}

// A profile with which the hub is not reached goes back by itself, without being
// refused: it may have been the hub's outage. It is tried again, not at once.
func TestTrialCutsOff(t *testing.T) {
	for _, killed := range []bool{false, true} {
		t.Run(map[bool]string{true: "killed on the way back"}[killed], func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, dir)
				defer s.st.Close()
				ctx, cancel := context.WithCancel(t.Context())
				var playing sync.WaitGroup
				defer playing.Wait()
				defer cancel()
				s.app.start()
				s.app.tick()
				playing.Go(func() { s.app.live(ctx) })
				began := time.Now()
				changed, err := s.a.adopt(ctx, ctx, s.change("new", "cut off"))
				if took := time.Since(began); !errors.Is(err, errCutOff) || errors.Is(err, ErrUnfit) || took < hubWithin || took > hubWithin+time.Minute {
					t.Fatalf("after %v: changed %t, %v", took, changed, err)
				}
				if killed { // before the application knew
					if err := s.a.keepTrial(ctx, trial{Kind: link.KindProfile, Version: "new", Name: "new", Good: "old", CutOff: true}); err != nil {
						t.Fatal(err)
					}
					s.app.set(func() {
						if err := s.app.shelf.Point(shelf.Current, "new"); err != nil {
							t.Error(err)
						}
						s.app.start()
					})
					s.born()
					if err := s.a.resume(ctx); !errors.Is(err, errCutOff) {
						t.Fatal(err)
					}
				}
				s.settled("old", "old")
				time.Sleep(time.Minute)
				s.app.set(func() {
					if s.app.uses != "old" {
						t.Errorf("it goes by %q", s.app.uses)
					}
				})
				if f, err := s.a.failure(ctx, link.KindProfile); err != nil || f.Version != "" {
					t.Errorf("refused: %+v, %v", f, err)
				}
				if changed, err := s.a.adopt(ctx, ctx, s.change("new", "good")); changed || !errors.Is(err, errCutOff) {
					t.Errorf("tried again at once: %t, %v", changed, err)
				}
				time.Sleep(hubAgain)
				if changed, err := s.a.adopt(ctx, ctx, s.change("new", "good")); !changed || err != nil {
					t.Errorf("tried again later: %t, %v", changed, err)
				}
				s.settled("new", "old")
			})
		})
	}
}
