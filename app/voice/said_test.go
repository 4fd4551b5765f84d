package voice_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parvis/app/voice"
)

func TestSaidIsToldAtTheEnd(t *testing.T) {
	for _, spec := range []string{"espeak", "off", "log:" + filepath.Join(t.TempDir(), "voice.log")} {
		t.Run(spec, func(t *testing.T) {
			soundFile(t)
			v, err := voice.Open(spec, func(err error) { t.Error(err) })
			if err != nil {
				t.Fatal(err)
			}
			defer v.Close()
			said := make(chan struct{})
			v.Say("fr", "Bonjour", func() { close(said) })
			select {
			case <-said:
			case <-time.After(patience):
				t.Fatal("the end was not told")
			}
		})
	}
}

func TestSaidIsNotToldWhenCut(t *testing.T) {
	hear := blockedSound(t)
	v := voice.NewEspeak(func(err error) { t.Error(err) })
	told := make(chan string, 10)
	endless := strings.Repeat("Encore. ", 200)
	v.Say("fr", endless, func() { told <- "cut by new speech" })
	hear()
	v.Say("fr", endless, func() { told <- "cut by Stop" })
	hear()
	v.Stop()
	waitFor(t, "silence", func() bool { return len(children(t, os.Getpid())) == 0 })
	v.Say("fr", endless, func() { told <- "cut by Close" })
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if len(told) > 0 {
		t.Errorf("told the end of speech that was %s", <-told)
	}
}
