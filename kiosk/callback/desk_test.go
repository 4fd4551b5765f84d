package callback_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"filippo.io/age"

	"parvis/kiosk/callback"
	"parvis/kiosk/store"
)

func MustOpen(tb testing.TB, dir string) *store.Store {
	tb.Helper()
	s, err := store.Open(dir)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

func MustOutbox(tb testing.TB, s *store.Store) []store.Sealed {
	tb.Helper()
	all, err := s.Outbox(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

func TestSend(t *testing.T) {
	ctx := context.Background()
	id := MustIdentity(t)
	dir := t.TempDir()
	s := MustOpen(t, dir)
	desk := callback.Desk{Store: s, Recipients: []age.Recipient{id.Recipient()}, OnlyHub: id.Recipient().String()}
	r := request()
	if code, err := desk.Send(ctx, r); err != nil || code != r.Code {
		t.Fatalf("code %s, %v", code, err)
	}

	t.Run("complete for the hub", func(t *testing.T) {
		all := MustOutbox(t, s)
		if len(all) != 1 || all[0].ID != r.ID || all[0].Code != r.Code || !all[0].Created.Equal(r.Created) || all[0].OnlyFor != desk.OnlyHub {
			t.Fatalf("outbox: %v", all)
		}
		got, err := callback.Unseal(all[0].Data, id)
		if err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("not what was sent (%v)", err)
		}
	})
	t.Run("nothing open on the disk", func(t *testing.T) {
		if !inFolder(t, dir, r.Code) {
			t.Fatal("the search doesn't see what is there")
		}
		for _, secret := range []string{
			phone, phone[1:], phone[3:], "0" + phone[3:], // +33612345652, 33…, 612345652, 0612345652
			"06 12 34 56 52", "6 12 34 56 52", "06.12.34.56.52", "06-12-34-56-52",
			"06\u00a012\u00a034\u00a056\u00a052", "12345652", "2 34 56 52",
			name, "apolline", "APOLLINE", r.Topic,
		} {
			if inFolder(t, dir, secret) {
				t.Errorf("%q lies in the borne's folder", secret)
			}
		}
	})
	t.Run("again", func(t *testing.T) {
		if code, err := desk.Send(ctx, r); err != nil || code != r.Code {
			t.Errorf("code %s, %v", code, err)
		}
		if n := len(MustOutbox(t, s)); n != 1 {
			t.Errorf("%d in the outbox", n)
		}
	})
	t.Run("a code in use", func(t *testing.T) {
		other := request()
		other.Code = r.Code
		code, err := desk.Send(ctx, other)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := callback.CheckCode(code); err != nil || code == r.Code {
			t.Errorf("code %s after %s, %v", code, r.Code, err)
		}
		all := MustOutbox(t, s)
		if len(all) != 2 {
			t.Fatalf("%d in the outbox", len(all))
		}
		for _, sealed := range all {
			got, err := callback.Unseal(sealed.Data, id)
			if err != nil || got.Code != sealed.Code {
				t.Errorf("code %s outside, %s inside (%v)", sealed.Code, got.Code, err)
			}
		}
	})
	t.Run("FieldError", func(t *testing.T) {
		bad := request()
		bad.Consent = false
		var field *callback.FieldError
		if _, err := desk.Send(ctx, bad); !errors.As(err, &field) || field.Field != "consent" {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("ErrNoKey", func(t *testing.T) {
		other := request()
		if _, err := (&callback.Desk{Store: s}).Send(ctx, other); !errors.Is(err, callback.ErrNoKey) {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("ErrNotKept", func(t *testing.T) {
		tx, err := MustOpen(t, dir).DB().BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		other := request()
		_, err = desk.Send(ctx, other)
		if !errors.Is(err, callback.ErrNotKept) || !errors.Is(err, store.ErrLocked) {
			t.Errorf("err = %v", err)
		}
	})
	if n := len(MustOutbox(t, s)); n != 2 {
		t.Errorf("%d in the outbox after the failures", n)
	}
}

// inFolder says whether any file under dir holds the text.
func inFolder(t *testing.T, dir, text string) bool {
	t.Helper()
	found := false
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		all, err := os.ReadFile(path)
		found = found || bytes.Contains(all, []byte(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Sealing and storing one request on a real disk, fsync included.
func BenchmarkSend(b *testing.B) {
	desk := callback.Desk{
		Store:      MustOpen(b, b.TempDir()),
		Recipients: []age.Recipient{MustIdentity(b).Recipient(), MustIdentity(b).Recipient()},
	}
	for b.Loop() {
		if _, err := desk.Send(context.Background(), request()); err != nil {
			b.Fatal(err)
		}
	}
}
