package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parvis/kiosk/agent"
	"parvis/kiosk/agent/shelf"
	"parvis/kiosk/hours"
	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// The borne's program is changed when the house is closed for a while by the
// profile in use, and at night where that isn't told.
func TestClosed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(path, opening string) {
		t.Helper()
		text := "[site]\nid = \"demo\"\nnom = \"Mairie\"\nouverture = \"" + opening + "\"\n"
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	p := &program{cmd: &runCmd{Data: dir, Profile: filepath.Join(dir, "profil.toml")}}
	monday := func(hour, minute int) time.Time {
		return time.Date(2026, 11, 23, hour, minute, 0, 0, hours.Paris).UTC()
	}
	check := func(name string, at time.Time, want bool) {
		t.Helper()
		if got := p.closed(at); got != want {
			t.Errorf("%s: closed %t", name, got)
		}
	}
	check("no profile, by day", monday(12, 0), false)
	check("no profile, at night", monday(23, 30), true)
	check("no profile, in the morning", monday(5, 1), false)
	write(p.cmd.Profile, "Mo-Fr 08:30-12:00,14:00-18:00")
	check("open", monday(11, 59), false)
	check("closed for lunch", monday(12, 1), true)
	check("soon open again", monday(13, 31), false)
	check("in the evening", monday(18, 1), true)
	s := shelf.Shelf{Dir: filepath.Join(dir, profileFolder), Ending: ".toml"}
	write(s.Path("9c01d35e77a2"), "Mo-Su 00:00-24:00")
	if err := s.Point(shelf.Current, "9c01d35e77a2"); err != nil {
		t.Fatal(err)
	}
	check("the hub's profile, open day and night", monday(3, 0), false)
	write(s.Path("9c01d35e77a2"), "")
	check("the hub's profile doesn't say", monday(20, 0), false)
}

// The application judges profiles: what it says of one is why it is refused;
// where it can't be asked, nothing is said of the profile.
func TestCheckProfile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	app := func(script string) string {
		t.Helper()
		path := filepath.Join(dir, "parvis")
		if err := os.WriteFile(path+".new", []byte("#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := filepath.Join(dir, ".part.toml")
	for _, tt := range []struct {
		name, script string
		unfit        bool
		why          string
	}{
		{"good", `test "$1 $2" = "profile check" && cat "$3" > /dev/null`, false, ""},
		{"unfit", `echo "parvis: $3:3: site.nom: il manque" >&2; exit 1`, true, "profil:3: site.nom"},
		{"it crashes", `echo "panic: index out of range" >&2; exit 2`, true, "panic"},
		{"an older program", `exit 80`, false, "80"},
	} {
		if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		p := &program{cmd: &runCmd{App: app(tt.script)}}
		err := p.checkProfile(t.Context(), file)
		if errors.Is(err, agent.ErrUnfit) != tt.unfit || (err == nil) != (tt.why == "") || err != nil && !strings.Contains(err.Error(), tt.why) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err != nil && strings.Contains(err.Error(), dir+"/.part") {
			t.Errorf("%s: it names a file that nobody knows: %v", tt.name, err)
		}
	}
	p := &program{cmd: &runCmd{App: filepath.Join(dir, "none")}}
	if err := p.checkProfile(t.Context(), file); errors.Is(err, agent.ErrUnfit) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without an application: %v", err)
	}
}

// status says what the hub wants, what there is, and what was refused.
func TestStatusOfWanted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	ctx := t.Context()
	sum := strings.Repeat("9c01d35e", 8)
	put := func(key string, v any) {
		t.Helper()
		text, err := json.Marshal(v)
		if err == nil {
			err = st.SetSetting(ctx, key, string(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	says := func(want ...string) {
		t.Helper()
		out, err := command(&statusCmd{Data: dir}, time.Now())
		if err != nil && !errors.Is(err, errWrong) {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("no %q in\n%s", w, out)
			}
		}
	}
	says("celui de la borne", "ceux du programme", "pas encore démarré")
	now := time.Now()
	if err := st.SetAlive(ctx, store.Alive{State: "idle", Version: "1.4.0", Content: "v1", PID: 1, Started: now, Seen: now}); err != nil {
		t.Fatal(err)
	}
	put(agent.WantedSetting, link.Wanted{Tag: "t2", Profile: &link.File{SHA256: sum, Size: 10}, Pack: "v2", Software: "1.4.0"})
	put(agent.FailureSetting(link.KindProfile), link.Failure{Kind: link.KindProfile, Version: sum, Why: "site.nom: il manque"})
	says("v1 ; le hub veut v2", "celui de la borne ; le hub veut 9c01d35e9c01", "1.4.0\n", "y travaille", "Profil 9c01d35e9c01 : ", "site.nom")
	out, _ := command(&statusCmd{Data: dir, JSON: true}, time.Now())
	var got status
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.Wanted.Pack != "v2" || got.Has.Pack != "v1" || got.Settled || len(got.Failures) != 1 {
		t.Errorf("%v in %s", err, out)
	}
	if err := st.SetSetting(ctx, agent.TagSetting, "t2"); err != nil {
		t.Fatal(err)
	}
	if out, _ := command(&statusCmd{Data: dir}, time.Now()); strings.Contains(out, "y travaille") {
		t.Errorf("settled, and yet at work:\n%s", out)
	}
}

func TestStickOfAStranger(t *testing.T) {
	t.Parallel()
	_, err := command(&stickCmd{Mount: t.TempDir(), Data: t.TempDir()}, time.Now())
	if err == nil || !strings.Contains(err.Error(), "pas enrôlée") {
		t.Errorf("a borne without an identity: %v", err)
	}
}
