package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
)

// command is one that expires a minute after it was given.
func command(t testing.TB, borne string, kind link.CommandKind, created time.Time) store.Command {
	return store.Command{Command: link.Command{ID: newID(t), Kind: kind, Expires: created.Add(time.Minute).UnixMilli()},
		Borne: borne, By: "anne", Created: created}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		one, two := open(), open()
		mustEnrol(t, one, "MN-01", "MN-02")
		message := command(t, "MN-01", link.ShowMessage, noon)
		message.Args = link.Args{Text: "Fermé à 16 h 30 « ce soir »", Minutes: 30}
		must(t, one.PutCommand(ctx, message))
		restart := command(t, "MN-01", link.RestartApp, noon.Add(time.Second))
		must(t, one.PutCommand(ctx, restart))
		if err := one.PutCommand(ctx, restart); !errors.Is(err, store.ErrExists) {
			t.Errorf("the same command twice: %v", err)
		}

		// Told to hub 1, taken at hub 2; and again, as the answer may be lost.
		for range 2 {
			taken, err := two.TakeCommands(ctx, "MN-01", noon.Add(2*time.Second))
			must(t, err)
			if len(taken) != 2 || taken[0].ID != message.ID || taken[1].ID != restart.ID {
				t.Fatalf("taken: %+v", taken)
			}
			if got := taken[0]; got.Args != message.Args || got.Kind != link.ShowMessage || got.Expires != message.Expires ||
				got.State != store.Sent || !got.Sent.Equal(noon.Add(2*time.Second)) || got.By != "anne" {
				t.Errorf("taken: %+v", got)
			}
		}
		if taken, err := one.TakeCommands(ctx, "MN-02", noon); err != nil || len(taken) != 0 {
			t.Errorf("another borne gets %v, %v", taken, err)
		}

		end := func(id uuid.UUID, o link.Outcome) error {
			return two.EndCommand(ctx, "MN-01", id, o, noon.Add(3*time.Second))
		}
		must(t, end(restart.ID, link.Outcome{State: link.Refused, Why: "Une personne s’en sert."}))
		must(t, end(restart.ID, link.Outcome{State: link.Done, File: []byte("x"), FileType: "text/plain"}))
		commands, err := one.Commands(ctx, "MN-01", 10)
		must(t, err)
		if len(commands) != 2 || commands[0].ID != restart.ID {
			t.Fatalf("commands: %+v", commands)
		}
		if got := commands[0]; got.State != store.Refused || got.Why != "Une personne s’en sert." || got.HasFile || !got.Ended.Equal(noon.Add(3*time.Second)) {
			t.Errorf("the first outcome does not stand: %+v", got)
		}
		if last, err := one.Commands(ctx, "MN-01", 1); err != nil || len(last) != 1 {
			t.Errorf("the last one: %v, %v", last, err)
		}
		if taken, err := one.TakeCommands(ctx, "MN-01", noon); err != nil || len(taken) != 1 || taken[0].ID != message.ID {
			t.Errorf("still to do: %v, %v", taken, err)
		}
		if err := two.EndCommand(ctx, "MN-02", message.ID, link.Outcome{State: link.Done}, noon); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another borne ends it: %v", err)
		}
		if err := end(newID(t), link.Outcome{State: link.Done}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an unknown command: %v", err)
		}
		if end(message.ID, link.Outcome{State: "perhaps"}) == nil {
			t.Error("an outcome that isn't one")
		}

		if err := one.PutCommand(ctx, command(t, "MN-99", link.RestartApp, noon)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("for an unknown borne: %v", err)
		}
		must(t, one.Revoke(ctx, "MN-02", noon))
		if err := one.PutCommand(ctx, command(t, "MN-02", link.RestartApp, noon)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("for a revoked borne: %v", err)
		}
	})
}

func TestExpireCommands(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		mustEnrol(t, s, "MN-01")
		sent := command(t, "MN-01", link.Update, noon)
		must(t, s.PutCommand(ctx, sent))
		_, err := s.TakeCommands(ctx, "MN-01", noon)
		must(t, err)
		waiting := command(t, "MN-01", link.RestartApp, noon)
		must(t, s.PutCommand(ctx, waiting))
		wantStates := func(now time.Duration, want string) {
			t.Helper()
			must(t, s.ExpireCommands(ctx, noon.Add(now)))
			commands, err := s.Commands(ctx, "MN-01", 10)
			must(t, err)
			var states []string
			for _, c := range commands {
				states = append(states, string(c.State))
				if (c.State == store.Expired) != (c.Why != "" && !c.Ended.IsZero()) {
					t.Errorf("%+v", c)
				}
			}
			if got := strings.Join(states, " "); got != want {
				t.Errorf("after %v: %s, want %s", now, got, want)
			}
		}
		wantStates(59*time.Second, "waiting sent")
		if taken, err := s.TakeCommands(ctx, "MN-01", noon.Add(time.Minute)); err != nil || len(taken) != 0 {
			t.Errorf("expired and taken: %v, %v", taken, err)
		}
		wantStates(time.Minute, "expired sent")
		wantStates(10*time.Minute, "expired sent") // it may still be at it
		wantStates(11*time.Minute, "expired expired")

		// A borne that was without network says later what it did: that is the truth.
		must(t, s.EndCommand(ctx, "MN-01", sent.ID, link.Outcome{State: link.Done}, noon.Add(time.Hour)))
		must(t, s.EndCommand(ctx, "MN-01", sent.ID, link.Outcome{State: link.Failed}, noon.Add(time.Hour)))
		commands, err := s.Commands(ctx, "MN-01", 10)
		must(t, err)
		if commands[1].State != store.Done || commands[1].Why != "" {
			t.Errorf("told late: %+v", commands[1])
		}
	})
}

func TestCommandFiles(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		mustEnrol(t, s, "MN-01", "MN-02")
		if _, err := s.LastScreenshot(ctx, "MN-01"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("no screenshot yet: %v", err)
		}
		file := func(borne string, kind link.CommandKind, n int, data []byte) uuid.UUID {
			t.Helper()
			c := command(t, borne, kind, noon)
			must(t, s.PutCommand(ctx, c))
			must(t, s.EndCommand(ctx, borne, c.ID, link.Outcome{State: link.Done, FileType: "image/png", File: data}, noon.Add(time.Duration(n)*time.Minute)))
			return c.ID
		}
		big := bytes.Repeat([]byte{0, 1, 254}, link.MaxFile/3)
		first := file("MN-01", link.Screenshot, 1, []byte("first"))
		second := file("MN-01", link.Screenshot, 2, big)
		logs := file("MN-01", link.FetchLogs, 3, []byte("logs"))
		other := file("MN-02", link.Screenshot, 1, []byte("other"))

		last, err := s.LastScreenshot(ctx, "MN-01")
		must(t, err)
		if last.ID != second || !last.HasFile {
			t.Errorf("last screenshot: %+v", last)
		}
		fileType, data, err := s.CommandFile(ctx, "MN-01", second)
		must(t, err)
		if fileType != "image/png" || !bytes.Equal(data, big) {
			t.Errorf("file: %s, %d bytes", fileType, len(data))
		}
		if _, _, err := s.CommandFile(ctx, "MN-02", second); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another borne's file: %v", err)
		}

		must(t, s.DropFiles(ctx, noon.Add(150*time.Second)))
		wantFiles := func(when string, want ...uuid.UUID) {
			t.Helper()
			var got []string
			for _, id := range []uuid.UUID{first, second, logs} {
				if _, _, err := s.CommandFile(ctx, "MN-01", id); err == nil {
					got = append(got, id.String())
				} else if !errors.Is(err, store.ErrNotFound) {
					t.Fatal(err)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: files %v, want %v", when, got, want)
			}
		}
		wantFiles("older than the logs", second, logs)
		must(t, s.DropFiles(ctx, noon.Add(time.Hour)))
		wantFiles("all", second)
		if _, _, err := s.CommandFile(ctx, "MN-02", other); err != nil {
			t.Errorf("the other borne's only screenshot: %v", err)
		}
		if commands, err := s.Commands(ctx, "MN-01", 10); err != nil || len(commands) != 3 {
			t.Errorf("the commands themselves stay: %v, %v", commands, err)
		}

		c := command(t, "MN-01", link.FetchLogs, noon)
		must(t, s.PutCommand(ctx, c))
		if s.EndCommand(ctx, "MN-01", c.ID, link.Outcome{State: link.Done, File: make([]byte, link.MaxFile+1)}, noon) == nil {
			t.Error("a file over link.MaxFile was taken")
		}
	})
}

func TestCallbacks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		one, two := open(), open()
		c := store.Callback{ID: newID(t), Borne: "MN-01", Code: "A042", Created: noon, Received: noon, Data: []byte{0, 1, 2}}
		if fresh, err := one.PutCallback(ctx, c); err != nil || !fresh {
			t.Errorf("the first time: %v, %v", fresh, err)
		}
		again := c
		again.Data = []byte("other")
		if fresh, err := two.PutCallback(ctx, again); err != nil || fresh {
			t.Errorf("the second time: %v, %v", fresh, err)
		}
		other := store.Callback{ID: newID(t), Borne: "MN-02", Code: "A042", Created: noon, Received: noon, Data: []byte{3}}
		if fresh, err := two.PutCallback(ctx, other); err != nil || !fresh {
			t.Errorf("another borne's: %v, %v", fresh, err)
		}
		if n, err := one.CountCallbacks(ctx); err != nil || n != 2 {
			t.Errorf("%d requests, %v", n, err)
		}
		for borne, want := range map[string][]uuid.UUID{"MN-01": {c.ID}, "MN-02": {other.ID}, "": {c.ID, other.ID}, "MN-99": nil} {
			if got, err := two.CallbackIDs(ctx, borne); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("requests of %q: %v, %v; want %v", borne, got, err, want)
			}
		}
		if _, err := one.PutCallback(ctx, store.Callback{Borne: "MN-01", Data: []byte{1}}); err == nil {
			t.Error("a request without ID")
		}
	})
}
