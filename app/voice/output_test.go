package voice_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"parvis/app/voice"
)

// outputs makes two outputs that play into files, one for all to hear and one
// for the resident alone. The system's usual output fails.
func outputs(t *testing.T) (room, headset voice.Output, roomFile, headsetFile string) {
	t.Helper()
	dir := t.TempDir()
	roomFile, headsetFile = filepath.Join(dir, "room.raw"), filepath.Join(dir, "headset.raw")
	const pcm = "pcm.%s { type file slave.pcm \"null\" file %q format \"raw\" }\n"
	alsa(t, fmt.Sprintf(pcm, "salle", roomFile)+fmt.Sprintf(pcm, "casque", headsetFile))
	return voice.Output{Device: "salle"}, voice.Output{Device: "casque", Private: true}, roomFile, headsetFile
}

func mustSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// sayAll says text to its end.
func sayAll(t *testing.T, say func(lang, text string, said func())) {
	t.Helper()
	said := make(chan struct{})
	say("fr", "Bonjour, touchez l’écran.", func() { close(said) })
	select {
	case <-said:
	case <-time.After(patience):
		t.Fatal("not said")
	}
}

func TestPrivateSpeechGoesToTheHeadsetAlone(t *testing.T) {
	room, headset, roomFile, headsetFile := outputs(t)
	v := voice.NewEspeak(func(err error) { t.Error(err) })
	defer v.Close()

	v.SetOutput(headset)
	sayAll(t, v.SayPrivate)
	if mustSize(t, headsetFile) == 0 || size(roomFile) > 0 {
		t.Fatalf("the headset heard %d bytes, the room %d", size(headsetFile), size(roomFile))
	}
	atHeadset := mustSize(t, headsetFile)

	v.SetOutput(room)
	v.SayPrivate("fr", "Votre numéro est le 06 12 34 56 78.", func() { t.Error("said for all to hear") })
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if n := size(roomFile); n > 0 { // speech starts within 20 ms
			t.Fatalf("the room heard %d bytes of what is private", n)
		}
	}
	sayAll(t, v.Say)
	if size(roomFile) != atHeadset || mustSize(t, headsetFile) != atHeadset {
		t.Errorf("the room heard %d bytes of what had %d, the headset %d more", size(roomFile), atHeadset, mustSize(t, headsetFile)-atHeadset)
	}
}

// A headset pulled out amid a private sentence.
func TestNothingMoreIsHeardAfterSetOutput(t *testing.T) {
	room, headset, roomFile, headsetFile := outputs(t)
	v := voice.NewEspeak(func(err error) { t.Error(err) })
	defer v.Close()
	const tries = 20
	slowest := time.Duration(0)
	for i := range tries {
		v.SetOutput(headset)
		_ = os.Remove(headsetFile) // not there the first time
		v.SayPrivate("fr", strings.Repeat("Voici votre secret. ", 200), func() { t.Error("said to its end") })
		if i%4 != 3 { // else it is cut while it starts
			waitFor(t, "some sound", func() bool { return size(headsetFile) > int64(i)*20000 })
		}
		start := time.Now()
		v.SetOutput(room)
		after := size(headsetFile)
		slowest = max(slowest, time.Since(start))
		if err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil); !errors.Is(err, unix.ECHILD) {
			t.Fatalf("SetOutput returned while programs were running: %v, %v", err, children(t, os.Getpid()))
		}
		if i%4 == 0 {
			sayAll(t, v.Say)
		}
		if got := size(headsetFile); got != after {
			t.Fatalf("%d more bytes reached the headset", got-after)
		}
	}
	t.Logf("silent within %v", slowest)
	if slowest > 500*time.Millisecond {
		t.Errorf("SetOutput took up to %v", slowest)
	}
	if one := mustSize(t, roomFile) / (tries / 4); one > 22050*2*5 {
		t.Errorf("the room heard %d bytes for each short sentence", one)
	}
}

func TestSameOutputCutsNothing(t *testing.T) {
	_, headset, _, headsetFile := outputs(t)
	v := voice.NewEspeak(func(err error) { t.Error(err) })
	defer v.Close()
	v.SetOutput(headset)
	said := make(chan struct{})
	v.SayPrivate("fr", strings.Repeat("Bonjour. ", 50), func() { close(said) })
	waitFor(t, "some sound", func() bool { return size(headsetFile) > 0 })
	v.SetOutput(headset)
	select {
	case <-said:
	case <-time.After(patience):
		t.Fatal("cut")
	}
}

func TestOutputThatIsNotThere(t *testing.T) {
	outputs(t)
	told := make(chan error, 10)
	v := voice.NewEspeak(func(err error) { told <- err })
	defer v.Close()
	v.SetOutput(voice.Output{Device: "cuisine"})
	v.Say("fr", "Bonjour", nil)
	select {
	case err := <-told:
		if !strings.Contains(err.Error(), "aplay") || strings.Contains(err.Error(), "Bonjour") {
			t.Errorf("error %q should name aplay and not the text", err)
		}
	case <-time.After(patience):
		t.Fatal("the fault was not told")
	}
}
