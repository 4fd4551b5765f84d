package audio_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parvis/device"
	"parvis/device/audio"
)

// alsa puts a configuration in place of the machine's.
func alsa(t *testing.T, config string) {
	t.Helper()
	for _, program := range []string{"aplay", "amixer"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%v: install the Debian package alsa-utils", err)
		}
	}
	path := filepath.Join(t.TempDir(), "asound.conf")
	if err := os.WriteFile(path, []byte("pcm.null { type null }\n"+config+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ALSA_CONFIG_PATH", path)
}

// standIn puts a script in the place of one of ALSA's programs, for what needs
// a real sound card.
func standIn(t *testing.T, program, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, program), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

func TestCheck(t *testing.T) {
	file := fmt.Sprintf("type file slave.pcm null format raw file %q", filepath.Join(t.TempDir(), "out.raw"))
	tests := []struct {
		name    string
		machine func(t *testing.T)
		outputs []string
		state   device.State
		fault   device.Fault
		cause   string
	}{
		{"works", func(t *testing.T) { alsa(t, "pcm.!default { "+file+" }") }, nil, device.Online, device.None, ""},
		{"both work", func(t *testing.T) { alsa(t, "pcm.casque { "+file+" }\npcm.salle { "+file+" }") },
			[]string{"casque", "salle"}, device.Online, device.None, ""},
		{"one is not there", func(t *testing.T) { alsa(t, "pcm.casque { "+file+" }") },
			[]string{"casque", "salle"}, device.NoDevice, device.NoSound, "output salle"},
		{"no card", func(t *testing.T) { alsa(t, "pcm.!default { type hw card 31 }") },
			nil, device.NoDevice, device.NoSound, "output default"},
		{"in use", func(t *testing.T) {
			standIn(t, "aplay", "echo 'audio open error: Device or resource busy' >&2; exit 1")
		},
			nil, device.Busy, device.None, ""},
		{"broken", func(t *testing.T) { standIn(t, "aplay", "echo 'unable to install hw params' >&2; exit 1") },
			nil, device.HardwareError, device.Hardware, "unable to install hw params"},
		{"no aplay", func(t *testing.T) { t.Setenv("PATH", t.TempDir()) },
			nil, device.HardwareError, device.Hardware, "install the Debian package alsa-utils"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.machine(t)
			got := audio.Check(t.Context(), tt.outputs...)
			if got.State != tt.state || got.Fault != tt.fault || !strings.Contains(got.Cause, tt.cause) || tt.cause == "" && got.Cause != "" {
				t.Errorf("Check = %+v", got)
			}
		})
	}
}

func TestMixer(t *testing.T) {
	t.Run("asks amixer", func(t *testing.T) {
		asked := filepath.Join(t.TempDir(), "asked")
		standIn(t, "amixer", `echo "$@" >>`+asked)
		for _, m := range []audio.Mixer{
			{Device: "default", Control: "Master", Percent: 60},
			{Device: "hw:1", Control: "PCM", Percent: 250},
			{Device: "default", Percent: 60}, // nothing to set
		} {
			if err := m.Reset(t.Context()); err != nil {
				t.Error(err)
			}
		}
		got, err := os.ReadFile(asked)
		if want := "-q -D default sset Master 60%\n-q -D hw:1 sset PCM 100%\n"; err != nil || string(got) != want {
			t.Errorf("asked %q, %v; want %q", got, err, want)
		}
	})
	t.Run("no card", func(t *testing.T) {
		alsa(t, "ctl.!default { type hw card 31 }")
		err := audio.Mixer{Device: "default", Control: "Master", Percent: 60}.Reset(t.Context())
		if err == nil || !strings.Contains(err.Error(), "amixer") || !strings.Contains(err.Error(), "No such") || strings.Contains(err.Error(), "\n") {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("given up", func(t *testing.T) {
		standIn(t, "amixer", "exec sleep 60")
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		start := time.Now()
		if err := (audio.Mixer{Device: "default", Control: "Master"}).Reset(ctx); err == nil {
			t.Error("no error")
		}
		if d := time.Since(start); d > patience {
			t.Errorf("it took %v", d)
		}
	})
}

// one is what the kernel says of one card.
const one = " 0 [PCH            ]: HDA-Intel - HDA Intel PCH\n                      HDA Intel PCH at 0xdf240000 irq 129\n"

// The safe level is set each time a card comes, and only then.
func TestCardComesAndGoes(t *testing.T) {
	list, asked := filepath.Join(t.TempDir(), "cards"), filepath.Join(t.TempDir(), "asked")
	standIn(t, "amixer", "echo asked >>"+asked)
	standIn(t, "aplay", "exit 0")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var got []device.State
		ended := make(chan error, 1)
		go func() {
			ended <- audio.NewCardOf(list, audio.Mixer{Device: "default", Control: "Master", Percent: 60}).
				Serve(ctx, func(s device.Status) {
					if len(got) == 0 || got[len(got)-1] != s.State {
						got = append(got, s.State)
					}
				})
		}()
		for _, cards := range []string{"--- no soundcards ---\n", one, "--- no soundcards ---\n", one} {
			if err := os.WriteFile(list, []byte(cards), 0o600); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Serve = %v", err)
		}
		if want := []device.State{device.NoDevice, device.Online, device.NoDevice, device.Online}; !slices.Equal(got, want) {
			t.Errorf("states = %v, want %v", got, want)
		}
	})
	times, err := os.ReadFile(asked)
	if err != nil || string(times) != "asked\nasked\n" {
		t.Errorf("amixer was asked %q, %v; want twice", times, err)
	}
}

func TestCard(t *testing.T) {
	tests := []struct {
		name, list, amixer string
		want               device.State
	}{
		{"there", one, "", device.Online},
		{"none", "--- no soundcards ---\n", "", device.NoDevice},
		{"not even a driver", "", "", device.NoDevice},
		{"without that control", one, "echo \"amixer: Unable to find simple control 'Master',0\" >&2; exit 1", device.HardwareError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list, asked := filepath.Join(t.TempDir(), "cards"), filepath.Join(t.TempDir(), "asked")
			if tt.list != "" {
				if err := os.WriteFile(list, []byte(tt.list), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			standIn(t, "amixer", "echo asked >>"+asked+"\n"+tt.amixer)
			standIn(t, "aplay", "exit 0")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var got []device.Status
			err := audio.NewCardOf(list, audio.Mixer{Device: "default", Control: "Master", Percent: 60}).
				Serve(ctx, func(s device.Status) {
					got = append(got, s)
					cancel()
				})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Serve = %v", err)
			}
			if len(got) != 1 || got[0].State != tt.want || (got[0].Cause == "") != (tt.want == device.Online) {
				t.Errorf("reported %+v, want %s", got, tt.want)
			}
			_, missing := os.Stat(asked)
			if present := tt.list == one; present == errors.Is(missing, os.ErrNotExist) {
				t.Errorf("amixer was asked: %v, with a card: %t", missing, present)
			}
		})
	}
}

// two is one and another card, which the profile does not name.
const two = one + " 1 [HDMI           ]: HDA-Intel - HDA Intel HDMI\n                      HDA Intel HDMI at 0xdf244000 irq 130\n"

// A card that is there is no use where the outputs of the profile are not. They
// are looked at when the cards have changed, and while there is no sound.
func TestCardWithoutTheOutputsOfTheProfile(t *testing.T) {
	dir := t.TempDir()
	list, gone, opened := filepath.Join(dir, "cards"), filepath.Join(dir, "gone"), filepath.Join(dir, "opened")
	standIn(t, "aplay", `echo "$3" >>`+opened+`; if [ "$3" = casque ] && [ -e `+gone+` ]; then echo "audio open error: No such file or directory" >&2; exit 1; fi`)
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	looks := func() int {
		b, err := os.ReadFile(opened)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(b), "salle\n")
	}
	write(list, one)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var now atomic.Pointer[device.Status]
		ended := make(chan error, 1)
		go func() {
			ended <- audio.NewCardOf(list, audio.Mixer{}, "salle", "casque").Serve(ctx, func(s device.Status) { now.Store(&s) })
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		if n, got := looks(), now.Load(); got.State != device.Online || n != 1 {
			t.Errorf("status %+v after %d looks", got, n)
		}
		write(gone, "")
		write(list, two)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := now.Load(); got.Fault != device.NoSound || !strings.Contains(got.Cause, "output casque") {
			t.Errorf("without the headset's output: %+v", got)
		}
		if err := os.Remove(gone); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := now.Load(); got.State != device.Online || got.Fault != device.None {
			t.Errorf("with it again: %+v", got)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Serve = %v", err)
		}
	})
}
