package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"parvis/e2e/xdrive"
)

// TestSpeechIsCut lets the borne speak through programs that stand in for
// espeak-ng and aplay and never come to the end of a sentence: each key cuts
// what is being said, and says its own.
func TestSpeechIsCut(t *testing.T) {
	dir := t.TempDir()
	// Both run under the number of their shell, so that a kill ends all of it.
	script(t, dir, "espeak-ng", `text=$(cat); echo "$$ $text" >> `+dir+`/said; exec sleep 600`)
	script(t, dir, "aplay", `exec sleep 600`)
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning, "PARVIS_VOICE=espeak", "PATH=" + dir + ":" + os.Getenv("PATH")}})
	for n, step := range []struct{ key, said string }{
		{"F1", "Lecture à voix haute activée."},
		{"Down", "Français"},
		{"Down", "Facile à lire"},
		{"space", "Facile à lire"},
		{"Up", "Français"},
		{"Return", "Bonjour. Que voulez-vous faire"},
		{"KP_Add", "Volume 4 sur 8"},
		{"F2", "Taille du texte 2 sur 3"},
		{"Home", "Bonjour. Que voulez-vous faire"},
	} {
		b.Key(step.key)
		var said []string
		b.Wait(fmt.Sprintf("%q after %s", step.said, step.key), func() bool {
			said = lines(t, filepath.Join(dir, "said"))
			return len(said) == n+1
		})
		pid, text, _ := strings.Cut(said[n], " ")
		if !strings.Contains(text, step.said) {
			t.Errorf("after %s the voice says %q, want %q", step.key, text, step.said)
		}
		if !speaks(t, pid) {
			t.Errorf("%q was cut by nothing", text)
		}
		if n > 0 {
			before, text, _ := strings.Cut(said[n-1], " ")
			b.Wait(fmt.Sprintf("%q to be cut by %s", text, step.key), func() bool { return !speaks(t, before) })
		}
	}
	pid, _, _ := strings.Cut(lines(t, filepath.Join(dir, "said"))[8], " ")
	b.Key("F1") // says that speech is off, in place of the page
	b.Wait("the page to be cut", func() bool { return !speaks(t, pid) })
}

func script(t *testing.T, dir, name, body string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
}

// lines are the whole lines of a file, which may not be there yet.
func lines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	all := strings.Split(string(text), "\n")
	return all[:len(all)-1]
}

// speaks reports whether the process is there.
func speaks(t *testing.T, pid string) bool {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	return syscall.Kill(n, 0) == nil
}
