package command_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/alecthomas/kong"

	"parvis/cmd/parvis/internal/command"
	"parvis/kiosk/callback"
	"parvis/kiosk/store"
)

// runCallback runs "parvis callback ARGS".
func runCallback(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	var root struct {
		Callback command.Callback `cmd:""`
	}
	parser, err := kong.New(&root)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.Parse(append([]string{"callback"}, args...))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = parsed.Run(&command.Runtime{Ctx: context.Background(), Stdout: &out, Stderr: &out, Now: time.Now})
	return out.String(), err
}

func TestCallbackList(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()

	if out, err := runCallback(t, "list", "--data", dir); err != nil || !strings.Contains(out, "Aucune demande") {
		t.Errorf("empty: %q, %v", out, err)
	}
	if out, err := runCallback(t, "list", "--data", dir, "--json"); err != nil || out != "" {
		t.Errorf("empty: %q, %v", out, err)
	}

	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	desk := callback.Desk{Store: s, Recipients: []age.Recipient{id.Recipient()}}
	r := callback.New(time.Date(2026, 11, 21, 10, 42, 0, 0, time.UTC))
	r.Topic, r.Phone, r.FirstName, r.Lang, r.Site = "logement", "+33612345652", "Apolline", "fr", "mairie"
	r.Slots, r.Consent = []callback.Slot{{}}, true
	if _, err := desk.Send(context.Background(), r); err != nil {
		t.Fatal(err)
	}

	text, err := runCallback(t, "list", "--data", dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{callback.FormatCode(r.Code), "21/11/2026 11 h 42", r.ID.String()} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing from:\n%s", want, text)
		}
	}
	lines, err := runCallback(t, "list", "--data", dir, "--json")
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Code, ID, Created string
		Bytes             int
	}
	if err := json.Unmarshal([]byte(lines), &got); err != nil {
		t.Fatal(err)
	}
	if got.Code != r.Code || got.ID != r.ID.String() || got.Created != "2026-11-21T11:42:00+01:00" || got.Bytes < 2048 {
		t.Errorf("got %+v", got)
	}
	for _, secret := range []string{"612345652", "Apolline", "logement"} {
		if strings.Contains(text+lines, secret) {
			t.Errorf("%s is shown", secret)
		}
	}
}

func TestCallbackListElsewhere(t *testing.T) {
	dir := t.TempDir()
	if _, err := runCallback(t, "list", "--data", dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("err = %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left %v, %v", entries, err)
	}
	if err := os.WriteFile(filepath.Join(dir, store.FileName), []byte(strings.Repeat("photo ", 999)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := runCallback(t, "list", "--data", dir); err == nil || !strings.Contains(err.Error(), "abîmée") {
		t.Errorf("err = %v", err)
	}
}
