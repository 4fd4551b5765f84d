package agent_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/google/uuid"

	"parvis/kiosk/agent"
	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// application does the errands that are the application's, with what became
// of them given by the test.
func (b *borne) application(is link.AppState, answer func(e store.Errand) (state link.OutcomeState, why, fileType string, file []byte)) {
	b.t.Helper()
	hush := b.alive(is)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ctx := context.Background()
		for {
			e, ok, err := b.store.BeginErrand(ctx, true)
			if err != nil {
				b.t.Error(err)
				return
			}
			if ok {
				state, why, fileType, file := answer(e)
				if state == "" {
					continue // it never ends this one
				}
				if err := b.store.EndErrand(ctx, e.ID, string(state), why, fileType, file); err != nil {
					b.t.Error(err)
					return
				}
			}
			select {
			case <-time.After(20 * time.Millisecond):
			case <-stop:
				return
			}
		}
	}()
	b.t.Cleanup(func() { close(stop); <-stopped; hush() })
}

func TestCommands(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	b.unit = &unit{state: "active"}
	picture := bytes.Repeat([]byte("\x89PNG"), 50_000)
	var prints atomic.Int64
	b.application(link.AppIdle, func(e store.Errand) (link.OutcomeState, string, string, []byte) {
		switch link.CommandKind(e.Kind) {
		case link.Screenshot:
			return link.Done, "", "image/png", picture
		case link.TestPrint:
			prints.Add(1)
			return link.Failed, "Plus de papier.", "", nil
		case link.SetVolume:
			if e.Args != `{"level":3}` {
				return link.Failed, "args " + e.Args, "", nil
			}
		}
		return link.Done, "", "", nil
	})
	b.options = func(o *agent.Options) {
		o.Logs = func(_ context.Context, last time.Duration, most int) ([]byte, error) {
			if last != time.Hour || most != 1<<20 {
				return nil, errors.New("not the last hour, not a megabyte")
			}
			return []byte("une ligne\nla dernière\n"), nil
		}
	}
	b.begin()
	for _, c := range []struct {
		kind  link.CommandKind
		args  link.Args
		state link.OutcomeState
		why   string
	}{
		{link.RestartApp, link.Args{}, link.Done, ""},
		{link.TestPrint, link.Args{}, link.Failed, "Plus de papier."},
		{link.SetVolume, link.Args{Level: 3}, link.Done, ""},
		{link.SetVolume, link.Args{Level: 9}, link.Refused, "Le volume va de 1 à 8."},
		{link.ShowMessage, link.Args{Text: "Fermé lundi"}, link.Done, ""},
		{link.ShowMessage, link.Args{Text: strings.Repeat("a", 201)}, link.Refused, "Le message est trop long, ou n’est pas une seule ligne de texte."},
		{link.OutOfService, link.Args{}, link.Done, ""},
		{link.Screenshot, link.Args{}, link.Done, ""},
		{link.FetchLogs, link.Args{}, link.Done, ""},
		{"dance", link.Args{}, link.Refused, "Commande inconnue de cette version de la borne."},
		{"Ça, jamais !", link.Args{}, link.Refused, "Commande inconnue de cette version de la borne."},
	} {
		began := time.Now()
		o := b.outcome(b.hub.tell(c.kind, c.args))
		if o.State != c.state || o.Why != c.why {
			t.Errorf("%s: %s %q", c.kind, o.State, o.Why)
		}
		if took := time.Since(began); took > 8*time.Second {
			t.Errorf("%s took %v", c.kind, took)
		}
		switch c.kind {
		case link.Screenshot:
			if o.FileType != "image/png" || !bytes.Equal(o.File, picture) {
				t.Errorf("picture of %d bytes, %s", len(o.File), o.FileType)
			}
		case link.FetchLogs:
			if o.FileType != "text/plain" || string(o.File) != "une ligne\nla dernière\n" {
				t.Errorf("logs %s %q", o.FileType, o.File)
			}
		case link.OutOfService:
			if out, err := b.store.OutOfService(context.Background()); err != nil || !out {
				t.Errorf("out of service: %v %v", out, err)
			}
		}
	}
	if b.unit.restarts != 1 || prints.Load() != 1 {
		t.Errorf("%d restarts, %d prints", b.unit.restarts, prints.Load())
	}
	b.eventually("the errands to be forgotten", func() bool {
		all, err := b.store.Errands(context.Background())
		return err == nil && len(all) == 0
	})
}

// TestCommandIsDoneOnce has the hub lose outcomes and repeat a command.
func TestCommandIsDoneOnce(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	b.unit = &unit{state: "active"}
	b.alive(link.AppIdle)
	var lost atomic.Int64
	b.hub.refuse = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/outcome") || lost.Add(1) > 2 {
			return false
		}
		problem(w, link.Problem{Type: link.ProblemInternal, Status: 500})
		return true
	}
	b.begin()
	id := b.hub.tell(link.RestartApp, link.Args{})
	if o := b.outcome(id); o.State != link.Done {
		t.Errorf("outcome %+v", o)
	}
	b.eventually("the errand to be forgotten", func() bool {
		all, err := b.store.Errands(context.Background())
		return err == nil && len(all) == 0
	})
	// The hub says it once more.
	b.hub.mu.Lock()
	b.hub.commands = append(b.hub.commands, link.Command{ID: id, Kind: link.RestartApp, Expires: time.Now().Add(time.Minute).UnixMilli()})
	close(b.hub.wake)
	b.hub.wake = make(chan struct{})
	b.hub.mu.Unlock()
	marker := b.hub.tell(link.OutOfService, link.Args{})
	b.outcome(marker)
	if b.unit.restarts != 1 {
		t.Errorf("restarted %d times", b.unit.restarts)
	}
}

// TestRestartWaitsForTheVisit restarts a machine that somebody uses.
func TestRestartWaitsForTheVisit(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	restarts := func() int { b.mu.Lock(); defer b.mu.Unlock(); return b.reboots }
	leaves := b.alive(link.AppServing)
	b.begin()
	b.hub.tell(link.RestartMachine, link.Args{})
	// Later than the restart, were it not to wait, a command is done.
	b.outcome(b.hub.tell(link.OutOfService, link.Args{}))
	b.outcome(b.hub.tell(link.BackInService, link.Args{}))
	if n := restarts(); n != 0 {
		t.Fatalf("restarted %d times amid a visit", n)
	}
	leaves()
	b.alive(link.AppIdle)
	b.eventually("the restart", func() bool { return restarts() == 1 })
}

// TestApplicationTakesLeave restarts an application that somebody uses: systemd
// would cut them off without a word.
func TestApplicationTakesLeave(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	b.unit = &unit{state: "active"}
	b.application(link.AppServing, func(e store.Errand) (link.OutcomeState, string, string, []byte) {
		if e.Kind != string(link.RestartApp) {
			return link.Failed, "", "", nil
		}
		return link.Done, "", "", nil
	})
	b.begin()
	if o := b.outcome(b.hub.tell(link.RestartApp, link.Args{})); o.State != link.Done || b.unit.count() != 0 {
		t.Errorf("outcome %+v, restarted %d times by systemd", o, b.unit.count())
	}
}

// TestRepeatingHubIsNotAskedEndlessly has a hub that answers a held request at
// once, with a command that the borne is still busy with.
func TestRepeatingHubIsNotAskedEndlessly(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	var asked atomic.Int64
	b.hub.refuse = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == link.Prefix+"/commands" {
			asked.Add(1)
		}
		return false
	}
	b.application(link.AppIdle, func(e store.Errand) (link.OutcomeState, string, string, []byte) { return "", "", "", nil })
	b.begin()
	b.hub.tell(link.TestPrint, link.Args{})
	b.eventually("the errand", func() bool {
		all, err := b.store.Errands(context.Background())
		return err == nil && len(all) == 1
	})
	time.Sleep(5 * time.Second)
	if n := asked.Load(); n > 6 {
		t.Errorf("asked %d times in five seconds", n)
	}
}

func TestApplicationIsDead(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	b.unit = &unit{state: "failed"}
	b.begin()
	print, out := b.hub.tell(link.TestPrint, link.Args{}), b.hub.tell(link.OutOfService, link.Args{})
	if o := b.outcome(out); o.State != link.Done {
		t.Errorf("out of service: %+v", o)
	}
	if o := b.outcome(print); o.State != link.Failed || o.Why != "L’application de la borne est arrêtée." {
		t.Errorf("test print: %+v", o)
	}
}

func TestCommandTooLate(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	b.unit = &unit{state: "active"}
	id := uuid.Must(uuid.NewV7())
	b.hub.commands = []link.Command{{ID: id, Kind: link.RestartApp, Expires: time.Now().Add(-time.Second).UnixMilli()}}
	b.begin()
	if o := b.outcome(id); o.State != link.Refused || !strings.HasPrefix(o.Why, "Trop tard") {
		t.Errorf("outcome %+v", o)
	}
	if b.unit.restarts != 0 {
		t.Error("restarted all the same")
	}
}

func TestRestartMachine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		boot  string
		state link.OutcomeState
	}{"the machine restarts": {"boot-2", link.Done}, "only the agent does": {"boot-1", link.Failed}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBorne(t, newHub(t))
			b.begin()
			id := b.hub.tell(link.RestartMachine, link.Args{})
			b.eventually("the restart", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return b.reboots == 1 })
			b.end()
			b.machine.BootID = c.boot
			b.begin()
			if o := b.outcome(id); o.State != c.state {
				t.Errorf("outcome %+v", o)
			}
			if b.reboots != 1 {
				t.Errorf("%d restarts", b.reboots)
			}
		})
	}
	t.Run("refused by the system", func(t *testing.T) {
		t.Parallel()
		b := newBorne(t, newHub(t))
		b.options = func(o *agent.Options) {
			o.Reboot = func(context.Context) error { return errors.New("polkit\n\x1b[31mrefuse\x00") }
		}
		b.begin()
		if o := b.outcome(b.hub.tell(link.RestartMachine, link.Args{})); o.State != link.Failed || !strings.Contains(o.Why, "polkit [31mrefuse") || strings.ContainsFunc(o.Why, unicode.IsControl) {
			t.Errorf("outcome %+v", o)
		}
	})
}

// TestInterrupted begins with what an agent that died has left.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	ctx := context.Background()
	ids := map[link.CommandKind]uuid.UUID{}
	for _, kind := range []link.CommandKind{link.RestartApp, link.FetchLogs, link.OutOfService} {
		ids[kind] = uuid.Must(uuid.NewV7())
		e := store.Errand{ID: ids[kind], Kind: string(kind), Args: "{}", Created: b.now(), Began: true}
		if _, err := b.store.AddErrand(ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	b.unit = &unit{state: "active"}
	b.begin()
	for _, kind := range []link.CommandKind{link.RestartApp, link.FetchLogs} {
		if o := b.outcome(ids[kind]); o.State != link.Failed || !strings.HasPrefix(o.Why, "Interrompue") {
			t.Errorf("%s: %+v", kind, o)
		}
	}
	if o := b.outcome(ids[link.OutOfService]); o.State != link.Done {
		t.Errorf("out of service: %+v", o)
	}
	if b.unit.restarts != 0 {
		t.Error("the application was restarted again")
	}
}
