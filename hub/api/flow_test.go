package api_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"parvis/hub/store"
	"parvis/kiosk/link"
)

func newID(t testing.TB) uuid.UUID {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// command puts a command for a borne, as the console does.
func (h *hub) command(borne string, kind link.CommandKind) uuid.UUID {
	h.t.Helper()
	now := h.clock.now()
	c := store.Command{Command: link.Command{ID: newID(h.t), Kind: kind, Expires: now.Add(time.Hour).UnixMilli()},
		Borne: borne, By: "somebody", Created: now}
	if err := h.store.PutCommand(h.t.Context(), c); err != nil {
		h.t.Fatal(err)
	}
	return c.ID
}

// A borne's life: enrolment, a report, a command and its outcome, a request to
// be called back, the next certificate.
func TestLife(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		b := h.enrol("MN-01")
		if b.self.Site() != "Mairie de Neudorf" || b.self.Recipient() == "" {
			t.Errorf("site %q, recipient %q", b.self.Site(), b.self.Recipient())
		}
		sent := b.report(h.clock.now())
		answer, err := b.Report(t.Context(), sent)
		if err != nil {
			t.Fatal(err)
		}
		if d := time.UnixMilli(answer.Now).Sub(h.clock.now()).Abs(); d > 10*time.Second {
			t.Errorf("the hub's time is %v off", d)
		}
		there, err := h.store.Borne(t.Context(), "MN-01")
		if err != nil {
			t.Fatal(err)
		}
		if there.State.App != link.AppIdle || there.Address != "127.0.0.1" || there.Used != b.self.Serial() || len(there.State.Devices) != 2 {
			t.Errorf("stored: %+v", there)
		}

		id := h.command("MN-01", link.TestPrint)
		heard, err := b.Commands(t.Context(), time.Minute)
		if err != nil || len(heard.Commands) != 1 || heard.Commands[0].ID != id || heard.Commands[0].Kind != link.TestPrint {
			t.Fatalf("heard %+v, %v", heard, err)
		}
		file := bytes.Repeat([]byte("x"), 100_000)
		err = b.PutOutcome(t.Context(), id, link.Outcome{State: link.Done, FileType: "image/png", File: file})
		if err != nil {
			t.Fatal(err)
		}
		kind, got, err := h.store.CommandFile(t.Context(), "MN-01", id)
		if err != nil || kind != "image/png" || !bytes.Equal(got, file) {
			t.Errorf("file: %s, %d bytes, %v", kind, len(got), err)
		}
		if heard, err := b.Commands(t.Context(), 0); err != nil || len(heard.Commands) != 0 {
			t.Errorf("after the outcome: %+v, %v", heard, err)
		}

		request := newID(t)
		cb := link.Callback{Code: "ABC123", Created: h.clock.now().UnixMilli(), Data: []byte("sealed")}
		for _, want := range []bool{true, false, false} {
			fresh, err := b.PutCallback(t.Context(), request, cb)
			if err != nil || fresh != want {
				t.Fatalf("fresh %v, %v, want %v", fresh, err, want)
			}
		}
		if n, err := h.store.CountCallbacks(t.Context()); err != nil || n != 1 {
			t.Errorf("%d requests, %v", n, err)
		}

		before := b.self.Serial()
		if err := b.self.Renew(t.Context(), b.Renew); err != nil {
			t.Fatal(err)
		}
		b.connect(h)
		b.mustReport(h)
		if there, err = h.store.Borne(t.Context(), "MN-01"); err != nil || there.Used == before || there.Used != b.self.Serial() || !there.Cloned.IsZero() {
			t.Errorf("after renewal: used %s, cloned %v, %v", there.Used, there.Cloned, err)
		}
	})
}

func TestReplayedReport(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		b := h.enrol("MN-01")
		r := b.report(h.clock.now())
		if _, err := b.Report(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		r.Disk = 3
		_, err := b.Report(t.Context(), r)
		wantProblem(t, err, link.ProblemReplayed)
		there, err := h.store.Borne(t.Context(), "MN-01")
		if err != nil || there.State.Disk != 71 {
			t.Errorf("disk %d, %v", there.State.Disk, err)
		}
	})
}

func TestUnknownCommand(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		one, two := h.enrol("MN-01"), h.enrol("MN-02")
		id := h.command(one.id, link.RestartApp)
		wantProblem(t, two.PutOutcome(t.Context(), id, link.Outcome{State: link.Done}), link.ProblemUnknown)
		if heard, err := two.Commands(t.Context(), 0); err != nil || len(heard.Commands) != 0 {
			t.Errorf("another borne's command: %+v, %v", heard, err)
		}
		_, _, err := h.store.CommandFile(t.Context(), one.id, id)
		if !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
	})
}
