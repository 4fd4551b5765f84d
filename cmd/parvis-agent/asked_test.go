package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parvis/kiosk/store"
	"parvis/provisioning/enrol"
)

// A borne without an identity is enrolled by what is typed at its glass, or by
// what lies on a stick.
func TestAsked(t *testing.T) {
	t.Parallel()
	h, dir, stick := newHub(t), t.TempDir(), t.TempDir()
	hubFile := filepath.Join(t.TempDir(), "hub")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	said, ended := &says{}, make(chan error, 1)
	go func() {
		run := &runCmd{Data: dir, HubFile: hubFile}
		ended <- run.Run(&runtime{ctx: ctx, stdout: said, stderr: said, now: time.Now})
	}()
	eventually(t, "a word about the missing identity", func() bool { return strings.Contains(said.String(), "pas enrôlée") })
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	ask := func(line string) (answer string) {
		t.Helper()
		for key, value := range map[string]string{store.EnrolAnswer: "", store.EnrolAsked: line} {
			if err := st.SetSetting(t.Context(), key, value); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "an answer", func() bool {
			answer, err = st.Setting(t.Context(), store.EnrolAnswer)
			return err == nil && answer != ""
		})
		eventually(t, "the question to go", func() bool {
			left, err := st.Setting(t.Context(), store.EnrolAsked)
			return err == nil && left == ""
		})
		return answer
	}
	code := h.code("MN-01")
	for line, want := range map[string]string{
		"0123":                                "code d’enrôlement incorrect",
		code:                                  "il manque l’adresse du hub",
		code + "@" + "127.0.0.1:1":            "le hub ne répond pas",
		newHub(t).code("X") + "@" + h.address: "n’est pas le hub qui a donné le code",
	} {
		if answer := ask(line); !strings.Contains(answer, want) || strings.Contains(answer, code[6:11]) {
			t.Errorf("%d signs: %q, want %q", len(line), answer, want)
		}
	}

	// A stick without the file, with nonsense in it, and with the code, which
	// waits for the address that IT has put onto the borne.
	if _, err := command(&stickCmd{Mount: stick, Data: dir}, time.Now()); err == nil || !strings.Contains(err.Error(), enrol.InvitationFile) {
		t.Errorf("an empty stick: %v", err)
	}
	file := filepath.Join(stick, enrol.InvitationFile)
	for text, good := range map[string]bool{"bonjour": false, "\ufeff" + code + "\r\n": true} {
		if err := os.WriteFile(hubFile, []byte(h.address+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := command(&stickCmd{Mount: stick, Data: dir}, time.Now()); (err == nil) != good {
			t.Errorf("%d bytes: %v\n%s", len(text), err, out)
		}
	}
	eventually(t, "a report", func() bool { return h.reported("MN-01") })
	if answer, err := st.Setting(t.Context(), store.EnrolAnswer); err != nil || answer != store.EnrolDone {
		t.Errorf("the answer is %q, %v", answer, err)
	}
	if site, err := st.Setting(t.Context(), store.HubSite); err != nil || site != "Mairie de Neudorf" {
		t.Errorf("the site is %q, %v", site, err)
	}
	// The next stick is for contents.
	if _, err := command(&stickCmd{Mount: stick, Data: dir}, time.Now()); err == nil || !strings.Contains(err.Error(), "contenus") {
		t.Errorf("a stick for a borne that is enrolled: %v", err)
	}
	if strings.Contains(said.String(), code[6:11]) {
		t.Error("the log repeats the code")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
