package voice_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"parvis/app/voice"
)

// A test waits this long for what should take milliseconds on an idle machine.
const patience = time.Minute

func TestEspeakSpeaks(t *testing.T) {
	out := soundFile(t)
	v := voice.NewEspeak(func(err error) { t.Error(err) })
	defer v.Close()
	v.Say("fr", "Bonjour, touchez l’écran.", nil)
	waitFor(t, "speech to end", func() bool { return size(out) > 0 && len(children(t, os.Getpid())) == 0 })
	if seconds := float64(size(out)) / 2 / 22050; seconds < 1 {
		t.Errorf("%.1f s of sound for a sentence", seconds)
	}
}

func TestEspeakVolumeRange(t *testing.T) {
	loudness := func(step int) float64 {
		out := soundFile(t)
		v := voice.NewEspeak(func(err error) { t.Error(err) })
		defer v.Close()
		v.SetVolume(step)
		v.Say("fr", "Bienvenue à la mairie. Que voulez-vous faire ?", nil)
		waitFor(t, "speech to end", func() bool { return size(out) > 0 && len(children(t, os.Getpid())) == 0 })
		return rms(t, out)
	}
	low, usual, high := loudness(voice.MinVolume), loudness(voice.DefaultVolume), loudness(voice.MaxVolume)
	if got := high - low; got < 18 {
		t.Errorf("range %.1f dB, want 18 at least (EN 301 549 8.2.1.1)", got)
	}
	if got := loudness(voice.DefaultVolume+4) - usual; got < 11.5 || got > 12.5 {
		t.Errorf("the fourth step over the usual one is at %+.1f dB, want +12 (EN 301 549 8.2.1.2)", got)
	}
	if got := loudness(voice.MaxVolume + 5); math.Abs(got-high) > 0.1 {
		t.Errorf("a step over the last one is %+.1f dB from it", got-high)
	}
}

func TestEspeakStops(t *testing.T) {
	const secret = "Zéphyrine"
	hear := blockedSound(t)
	before := runtime.NumGoroutine()
	v := voice.NewEspeak(func(err error) { t.Error(err) })
	v.Say("fr", strings.Repeat("Bonjour "+secret+". ", 50), nil)
	hear()

	t.Run("nothing private in an argument list", func(t *testing.T) {
		speaking := children(t, os.Getpid())
		if len(speaking) == 0 {
			t.Fatal("nothing is speaking")
		}
		for _, pid := range speaking {
			for _, open := range []string{"cmdline", "environ"} {
				if b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, open)); bytes.Contains(b, []byte(secret)) {
					t.Errorf("the text stands in /proc/%d/%s", pid, open)
				}
			}
		}
	})
	t.Run("new speech cuts the old, at once", func(t *testing.T) {
		old := children(t, os.Getpid())
		start := time.Now()
		v.Say("fr", strings.Repeat("Encore. ", 200), nil)
		if d := time.Since(start); d > 20*time.Millisecond {
			t.Errorf("Say took %v", d)
		}
		waitFor(t, "the old speech to end", func() bool { return !meet(old, children(t, os.Getpid())) })
		hear()
	})
	t.Run("Stop kills within 100 ms", func(t *testing.T) {
		start := time.Now()
		v.Stop()
		waitFor(t, "silence", func() bool { return len(children(t, os.Getpid())) == 0 })
		if d := time.Since(start); d > 100*time.Millisecond {
			t.Errorf("silence after %v", d)
		}
	})
	t.Run("Stop right after Say", func(t *testing.T) {
		for range 50 {
			v.Say("fr", strings.Repeat("Encore. ", 200), nil)
			v.Stop()
		}
		waitFor(t, "silence", func() bool { return len(children(t, os.Getpid())) == 0 })
	})
	t.Run("Close leaves nothing", func(t *testing.T) {
		v.Say("fr", strings.Repeat("Encore. ", 200), nil)
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
		if left := children(t, os.Getpid()); len(left) > 0 {
			t.Errorf("processes left, perhaps as zombies: %v", left)
		}
		v.Say("fr", "Trop tard", nil)
		v.Stop()
		if left := children(t, os.Getpid()); len(left) > 0 {
			t.Errorf("it speaks after Close: %v", left)
		}
	})
	waitFor(t, "goroutines to end", func() bool { return runtime.NumGoroutine() <= before })
}

// Speech must not outlive a killed application.
func TestEspeakDiesWithItsProgram(t *testing.T) {
	if os.Getenv("PARVIS_TEST_SPEAK") != "" {
		voice.NewEspeak(nil).Say("fr", strings.Repeat("Encore. ", 200), nil)
		select {}
	}
	hear := blockedSound(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	app := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestEspeakDiesWithItsProgram$")
	app.Env = append(os.Environ(), "PARVIS_TEST_SPEAK=1")
	if err := app.Start(); err != nil {
		t.Fatal(err)
	}
	hear()
	speaking := children(t, app.Process.Pid)
	if len(speaking) == 0 {
		t.Fatal("nothing is speaking")
	}
	app.Process.Kill()
	app.Wait()
	waitFor(t, "speech to end", func() bool { return !slices.ContainsFunc(speaking, alive) })
}

func TestEspeakTellsItsFaults(t *testing.T) {
	tests := []struct {
		name, want string
		machine    func(t *testing.T)
	}{
		{"no aplay", "aplay", func(t *testing.T) { t.Setenv("PATH", t.TempDir()) }},
		{"no espeak-ng", "espeak-ng", func(t *testing.T) {
			soundFile(t)
			aplay, err := exec.LookPath("aplay")
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if err := os.Symlink(aplay, filepath.Join(dir, "aplay")); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", dir)
		}},
		{"no sound card", "aplay", func(t *testing.T) { alsa(t, "pcm.!default { type hw card 31 }") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.machine(t)
			told := make(chan error, 10)
			v := voice.NewEspeak(func(err error) { told <- err })
			defer v.Close()
			v.Say("fr", "Bonjour", nil)
			select {
			case err := <-told:
				if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "Bonjour") {
					t.Errorf("error %q should name %s and not the text", err, tt.want)
				}
			case <-time.After(patience):
				t.Fatal("the fault was not told")
			}
		})
	}
}

func TestEspeakTellsAFaultOnce(t *testing.T) {
	dir := t.TempDir()
	tries := filepath.Join(dir, "tries")
	broken := "#!/bin/sh\necho try >>" + tries + "\necho 'audio open error: No such device' >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(dir, "aplay"), []byte(broken), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	told := make(chan error, 10)
	v := voice.NewEspeak(func(err error) { told <- err })
	for n := range 3 {
		v.Say("fr", "Bonjour", nil)
		waitFor(t, "a try to end", func() bool {
			return size(tries) >= int64(len("try\n")*(n+1)) && len(children(t, os.Getpid())) == 0
		})
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	if len(told) != 1 {
		t.Errorf("the fault was told %d times in 3 tries, want once", len(told))
	}
}

// soundFile makes aplay play into a file, whose path it returns.
func soundFile(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.raw")
	alsa(t, fmt.Sprintf(`pcm.!default { type file slave.pcm "null" file %q format "raw" }`, out))
	return out
}

// blockedSound makes aplay play into a pipe that takes in only a moment of
// sound, so that speech lasts until it is cut. hear waits for some sound.
func blockedSound(t *testing.T) (hear func()) {
	t.Helper()
	pipe := filepath.Join(t.TempDir(), "out.fifo")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	// Open for both, so that neither end waits for the other.
	f, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	alsa(t, fmt.Sprintf(`pcm.!default { type file slave.pcm "null" file %q format "raw" }`, pipe))
	return func() {
		t.Helper()
		f.SetReadDeadline(time.Now().Add(patience))
		// More than the pipe can hold of an utterance before.
		if _, err := readFull(f, make([]byte, 200_000)); err != nil {
			t.Fatalf("no sound: %v", err)
		}
	}
}

func readFull(f *os.File, b []byte) (int, error) {
	n := 0
	for n < len(b) {
		k, err := f.Read(b[n:])
		if n += k; err != nil {
			return n, err
		}
	}
	return n, nil
}

func alsa(t *testing.T, config string) {
	t.Helper()
	for _, program := range []string{"espeak-ng", "aplay"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%v: run packaging/install-build-deps.sh", err)
		}
	}
	path := filepath.Join(t.TempDir(), "asound.conf")
	if err := os.WriteFile(path, []byte("pcm.null { type null }\nctl.null { type null }\n"+config+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ALSA_CONFIG_PATH", path)
}

// children lists the processes that parent started and has not reaped.
func children(t *testing.T, parent int) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, stat := range stats {
		b, err := os.ReadFile(stat)
		if err != nil {
			continue // it has just ended
		}
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:])) // state, parent …
		if fields[1] == strconv.Itoa(parent) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// alive reports whether the process runs; a zombie doesn't.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))[0] != "Z"
}

func meet(a, b []int) bool {
	return slices.ContainsFunc(a, func(pid int) bool { return slices.Contains(b, pid) })
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// rms is the loudness in decibels of 16-bit samples.
func rms(t *testing.T, path string) float64 {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	samples := make([]int16, len(b)/2)
	if err := binary.Read(bytes.NewReader(b), binary.LittleEndian, samples); err != nil {
		t.Fatal(err)
	}
	var sum float64
	for _, s := range samples {
		sum += float64(s) * float64(s)
	}
	return 10 * math.Log10(sum/float64(len(samples)))
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatal(errors.New("waited in vain for " + what))
		}
		time.Sleep(2 * time.Millisecond)
	}
}
