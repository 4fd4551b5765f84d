package voice_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parvis/app/voice"
)

func TestLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "voice.log")
	v, err := voice.Open("log:"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	v.SetVolume(voice.MaxVolume)
	v.Say("fr", "Bonjour", nil)
	v.Stop()
	if got := read(t, path); got != "fr\tBonjour\n" {
		t.Fatalf("before the next utterance the log holds %q", got)
	}
	v.Say("en", "one\ntwo\\three", nil)
	v.Say("falc", "à 14 h 30", nil)
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	v.Say("fr", "trop tard", nil)
	want := "fr\tBonjour\nen\tone.\\ntwo\\\\three\nfalc\tà 14 heures 30\n"
	if got := read(t, path); got != want {
		t.Errorf("log\n got %q\nwant %q", got, want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}

	again, err := voice.NewLog(path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	again.Say("fr", "encore", nil)
	if got := read(t, path); got != want+"fr\tencore\n" {
		t.Errorf("a second voice on the same file leaves %q", got)
	}
}

func TestLogOfOutputs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "voice.log")
	v, err := voice.NewLog(path)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	v.SayPrivate("fr", "à personne", func() { t.Error("said") })
	v.SetOutput(voice.Output{Device: "casque", Private: true})
	v.SayPrivate("fr", "à vous seul", nil)
	v.Say("fr", "aussi", nil)
	v.SetOutput(voice.Output{Device: "salle"})
	v.SayPrivate("fr", "à personne", func() { t.Error("said") })
	v.Say("fr", "à tous", nil)
	v.SetOutput(voice.Output{})
	v.Say("fr", "à tous", nil)
	want := "fr\tà vous seul\tcasque\nfr\taussi\tcasque\nfr\tà tous\tsalle\nfr\tà tous\n"
	if got := read(t, path); got != want {
		t.Errorf("log\n got %q\nwant %q", got, want)
	}
}

func TestOpen(t *testing.T) {
	t.Run("a folder that isn't there", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "no", "voice.log")
		if _, err := voice.Open("log:"+path, nil); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v doesn't name %s", err, path)
		}
	})
	t.Run("an unknown voice", func(t *testing.T) {
		if _, err := voice.Open("parrot", nil); err == nil || !strings.Contains(err.Error(), "parrot") {
			t.Errorf("error %v doesn't name parrot", err)
		}
	})
	t.Run("off", func(t *testing.T) {
		v, err := voice.Open("off", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := v.(voice.Off); !ok {
			t.Errorf("got %T", v)
		}
	})
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
