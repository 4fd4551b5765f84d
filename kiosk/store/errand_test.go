package store_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"parvis/kiosk/store"
)

func TestErrand(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := MustOpen(t, dir)
	first, second, agents := errand("message"), errand("screenshot"), errand("logs")
	first.Args, first.Expires = `{"text":"Bonjour"}`, time.Time{}
	agents.ForApp = false
	for _, e := range []store.Errand{agents, first, second} {
		MustAdd(t, s, e)
	}

	t.Run("heard twice", func(t *testing.T) {
		again := first
		again.Args = `{"text":"Bonsoir"}`
		if fresh, err := s.AddErrand(ctx, again); err != nil || fresh {
			t.Errorf("fresh %t, %v", fresh, err)
		}
	})
	t.Run("in the order they came", func(t *testing.T) {
		// As another program sees them.
		if got := errands(t, MustOpen(t, dir)); !reflect.DeepEqual(got, []store.Errand{agents, first, second}) {
			t.Errorf("errands %+v", got)
		}
	})
	t.Run("begun once, each by its own", func(t *testing.T) {
		for _, want := range []store.Errand{first, second} {
			want.Began = true
			if got, ok, err := s.BeginErrand(ctx, true); err != nil || !ok || !reflect.DeepEqual(got, want) {
				t.Errorf("began %+v, %t, %v", got, ok, err)
			}
		}
		if got, ok, err := s.BeginErrand(ctx, true); ok || err != nil {
			t.Errorf("and again %+v, %v", got, err)
		}
		if got, ok, err := s.BeginErrand(ctx, false); err != nil || !ok || got.ID != agents.ID {
			t.Errorf("the agent begins %+v, %t, %v", got, ok, err)
		}
	})
	t.Run("the first end stands", func(t *testing.T) {
		if err := s.EndErrand(ctx, second.ID, "done", "", "image/png", []byte("PNG")); err != nil {
			t.Fatal(err)
		}
		if err := s.EndErrand(ctx, second.ID, "failed", "trop tard", "", nil); err != nil {
			t.Fatal(err)
		}
		want := second
		want.Began, want.State, want.FileType, want.File = true, "done", "image/png", []byte("PNG")
		if got := errands(t, s)[2]; !reflect.DeepEqual(got, want) {
			t.Errorf("errand %+v", got)
		}
	})
	t.Run("unknown", func(t *testing.T) {
		if err := s.EndErrand(ctx, uuid.New(), "done", "", "", nil); err != nil {
			t.Error(err)
		}
		if err := s.ForgetErrand(ctx, uuid.New(), time.Now()); err != nil {
			t.Error(err)
		}
	})
	t.Run("ended before it was begun", func(t *testing.T) {
		e := errand("volume")
		MustAdd(t, s, e)
		if err := s.EndErrand(ctx, e.ID, "refused", strings.Repeat("é", 400), "", nil); err != nil {
			t.Fatal(err)
		}
		if got, ok, err := s.BeginErrand(ctx, true); ok || err != nil {
			t.Errorf("begun: %+v, %v", got, err)
		}
		if got := errands(t, s)[3].Why; got != strings.Repeat("é", 300) {
			t.Errorf("why has %d letters", len([]rune(got)))
		}
	})
	t.Run("forgotten", func(t *testing.T) {
		at := time.Now()
		if err := s.ForgetErrand(ctx, second.ID, at); err != nil {
			t.Fatal(err)
		}
		for _, e := range errands(t, s) {
			if e.ID == second.ID {
				t.Error("it is still listed")
			}
		}
		if fresh, err := s.AddErrand(ctx, second); err != nil || fresh {
			t.Errorf("heard again: fresh %t, %v", fresh, err)
		}
		if got, ok, err := s.BeginErrand(ctx, true); ok || err != nil {
			t.Errorf("begun again: %+v, %v", got, err)
		}
		if err := s.ForgetErrand(ctx, first.ID, at.Add(32*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if fresh, err := s.AddErrand(ctx, second); err != nil || !fresh {
			t.Errorf("after a month: fresh %t, %v", fresh, err)
		}
	})
}

func TestErrandRefuses(t *testing.T) {
	ctx := context.Background()
	s := MustOpen(t, t.TempDir())
	for name, mend := range map[string]func(*store.Errand){
		"no identifier": func(e *store.Errand) { e.ID = uuid.Nil },
		"no kind":       func(e *store.Errand) { e.Kind = "" },
		"odd kind":      func(e *store.Errand) { e.Kind = "Rends-moi ça" },
		"long args":     func(e *store.Errand) { e.Args = strings.Repeat(" ", 5000) },
		"no text":       func(e *store.Errand) { e.Args = "\xff" },
		"odd state":     func(e *store.Errand) { e.State = "fini !" },
		"huge file":     func(e *store.Errand) { e.State, e.File = "done", make([]byte, 4<<20+1) },
	} {
		e := errand("message")
		mend(&e)
		if _, err := s.AddErrand(ctx, e); !errors.Is(err, store.ErrErrand) {
			t.Errorf("%s: %v", name, err)
		}
	}
	e := errand("screenshot")
	MustAdd(t, s, e)
	if err := s.EndErrand(ctx, e.ID, "", "", "", nil); !errors.Is(err, store.ErrErrand) {
		t.Errorf("ended in no way: %v", err)
	}
	if err := s.EndErrand(ctx, e.ID, "done", "", "image/png", make([]byte, 4<<20+1)); !errors.Is(err, store.ErrErrand) {
		t.Errorf("a huge file: %v", err)
	}
	if err := s.EndErrand(ctx, e.ID, "done", "", "image/png", make([]byte, 4<<20)); err != nil {
		t.Errorf("a large file: %v", err)
	}
}

// Looking for errands waits for nobody; beginning one waits its turn.
func TestBeginErrandLocked(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s, other := MustOpen(t, dir), MustOpen(t, dir)
	lock := func() (unlock func()) {
		tx, err := other.DB().BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		return func() { tx.Rollback() }
	}
	unlock := lock()
	began := time.Now()
	if _, ok, err := s.BeginErrand(ctx, true); ok || err != nil || time.Since(began) > time.Second {
		t.Errorf("with nothing to do: %t, %v after %v", ok, err, time.Since(began))
	}
	unlock()
	e := errand("screenshot")
	MustAdd(t, s, e)
	unlock = lock()
	if _, _, err := s.BeginErrand(ctx, true); !errors.Is(err, store.ErrLocked) {
		t.Errorf("err = %v, want ErrLocked", err)
	}
	unlock()
	if got, ok, err := s.BeginErrand(ctx, true); err != nil || !ok || got.ID != e.ID {
		t.Errorf("after the lock: %+v, %t, %v", got, ok, err)
	}
}

func TestChanges(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s, other := MustOpen(t, dir), MustOpen(t, dir)
	c, err := s.Changes(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	want := func(what string, want bool) {
		t.Helper()
		if got, err := c.Any(ctx); err != nil || got != want {
			t.Errorf("%s: %t, %v", what, got, err)
		}
	}
	want("at first", true)
	want("nothing new", false)
	MustAdd(t, other, errand("volume"))
	want("another program has written", true)
	want("nothing since", false)
	if err := s.SetSetting(ctx, "volume", "3"); err != nil {
		t.Fatal(err)
	}
	want("this program has written", true)
	errands(t, other)
	want("somebody has read", false)
}

func TestAlive(t *testing.T) {
	ctx := context.Background()
	s := MustOpen(t, t.TempDir())
	if a, err := s.Alive(ctx); err != nil || a != (store.Alive{}) {
		t.Errorf("before the application ever ran: %+v, %v", a, err)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	a := store.Alive{State: "idle", Version: "1.4.0", Content: "2026-11-24", Profile: "9c01d35e77a2", PID: 4711, Started: now.Add(-time.Hour), Seen: now}
	for range 2 {
		if err := s.SetAlive(ctx, a); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Alive(ctx); err != nil || got != a {
			t.Errorf("alive %+v, %v; want %+v", got, err, a)
		}
		a.State, a.Content = "out_of_service", ""
	}
	a.State = "Je vais bien"
	if err := s.SetAlive(ctx, a); !errors.Is(err, store.ErrAlive) {
		t.Errorf("an odd state: %v", err)
	}
	a.State, a.Version = "idle", strings.Repeat("1", 101)
	if err := s.SetAlive(ctx, a); !errors.Is(err, store.ErrAlive) {
		t.Errorf("an endless version: %v", err)
	}
}

func TestMessage(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := MustOpen(t, dir)
	until := time.Now().UTC().Truncate(time.Millisecond)
	for _, m := range []store.Message{
		{}, {Text: "La mairie ferme à 16 h."}, {Text: strings.Repeat("é", 200), Until: until}, {},
	} {
		if err := s.SetMessage(ctx, m); err != nil {
			t.Fatal(err)
		}
		if got, err := MustOpen(t, dir).Message(ctx); err != nil || got != m {
			t.Errorf("message %+v, %v; want %+v", got, err, m)
		}
	}
	for _, text := range []string{strings.Repeat("é", 201), "\xff"} {
		if err := s.SetMessage(ctx, store.Message{Text: text}); !errors.Is(err, store.ErrMessage) {
			t.Errorf("%.10q: %v", text, err)
		}
	}
}

func TestUnsentCounts(t *testing.T) {
	ctx := context.Background()
	s := MustOpen(t, t.TempDir())
	day := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	unsent := func(limit int) []store.DayCount {
		t.Helper()
		all, err := s.UnsentCounts(ctx, limit)
		must(err)
		return all
	}
	must(s.Count(ctx, day.AddDate(0, 0, 1), "visit", 1))
	must(s.Count(ctx, day, "visit", 2))
	must(s.CountDevice(ctx, day, "imprimante", "pages", 3))
	must(s.CountDevice(ctx, day, "lecteur-1", "reads", 4))
	want := []store.DayCount{
		{Day: "2026-11-21", Key: "device.imprimante.pages", N: 3},
		{Day: "2026-11-21", Key: "device.lecteur-1.reads", N: 4},
		{Day: "2026-11-21", Key: "visit", N: 2},
		{Day: "2026-11-22", Key: "visit", N: 1},
	}
	if got := unsent(100); !reflect.DeepEqual(got, want) {
		t.Fatalf("unsent %v", got)
	}
	taken := unsent(3)
	if !reflect.DeepEqual(taken, want[:3]) {
		t.Errorf("the oldest three are %v", taken)
	}
	must(s.Count(ctx, day, "visit", 5)) // while the hub takes them
	must(s.MarkSent(ctx, taken))
	must(s.MarkSent(ctx, nil))
	if got := unsent(100); !reflect.DeepEqual(got, []store.DayCount{{Day: "2026-11-21", Key: "visit", N: 7}, want[3]}) {
		t.Errorf("then unsent are %v", got)
	}
	must(s.MarkSent(ctx, []store.DayCount{{Day: "2026-11-21", Key: "visit", N: 7}}))
	must(s.MarkSent(ctx, taken)) // an answer that comes late
	if got := unsent(100); !reflect.DeepEqual(got, want[3:]) {
		t.Errorf("after a late answer unsent are %v", got)
	}

	must(s.Count(ctx, day, "language.fr", 1)) // not taken
	must(s.DropCounts(ctx, day.AddDate(0, 0, 1), false))
	kept, err := s.Counts(ctx, day, day.AddDate(0, 0, 9))
	must(err)
	if !reflect.DeepEqual(kept, []store.DayCount{{Day: "2026-11-21", Key: "language.fr", N: 1}, want[3]}) {
		t.Errorf("kept %v", kept)
	}
	devices, err := s.DeviceCounts(ctx, day, day)
	must(err)
	if len(devices) != 0 {
		t.Errorf("of devices kept %v", devices)
	}
	must(s.DropCounts(ctx, day.AddDate(0, 0, 1), true))
	if got := unsent(100); !reflect.DeepEqual(got, want[3:]) {
		t.Errorf("after all were dropped unsent are %v", got)
	}
}

// A hub gone mad gives command after command.
func TestErrandsAreBounded(t *testing.T) {
	ctx := context.Background()
	s := MustOpen(t, t.TempDir())
	first := errand("screenshot")
	MustAdd(t, s, first)
	for range 199 {
		MustAdd(t, s, errand("screenshot"))
	}
	if fresh, err := s.AddErrand(ctx, errand("screenshot")); fresh || !errors.Is(err, store.ErrManyErrands) {
		t.Errorf("one too many: fresh %t, %v", fresh, err)
	}
	if fresh, err := s.AddErrand(ctx, first); fresh || err != nil {
		t.Errorf("one that is there: fresh %t, %v", fresh, err)
	}
	if err := s.ForgetErrand(ctx, first.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	MustAdd(t, s, errand("screenshot"))

	// Thousands have been done.
	_, err := s.DB().Exec(`WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
		INSERT INTO errand (id, kind, args, created, expires, for_app, began, state, why, file_type, forgotten)
		SELECT 'old' || i, '', '', 0, 0, 0, 1, 'done', '', '', ? FROM n`, time.Now().UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	open := errands(t, s)
	if err := s.ForgetErrand(ctx, open[0].ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	var forgotten int
	if err := s.DB().QueryRow(`SELECT count(*) FROM errand WHERE forgotten IS NOT NULL`).Scan(&forgotten); err != nil {
		t.Fatal(err)
	}
	if forgotten != 5000 {
		t.Errorf("%d that are done are known", forgotten)
	}
	if n := len(errands(t, s)); n != len(open)-1 {
		t.Errorf("%d errands are open, not %d", n, len(open)-1)
	}
}
