package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parvis/app/journey"
	"parvis/app/voice"
	"parvis/device/hotplug"
	"parvis/device/reader"
	"parvis/kiosk/store"
	"parvis/provisioning/profile"
)

// bench is the hardware of a profile, with a log for a voice.
type bench struct {
	*hardware
	st  *store.Store
	log string
}

func newBench(t *testing.T, sound profile.Sound) *bench {
	t.Helper()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	log := filepath.Join(t.TempDir(), "voice.log")
	v, err := voice.NewLog(log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	desk := newClerk(st, time.Now)
	t.Cleanup(desk.close)
	h, err := newHardware(&profile.Profile{Sound: sound}, desk, v)
	if err != nil {
		t.Fatal(err)
	}
	h.hands = hands{seen: func(reader.Event) {}, changed: func() {}, moved: func() {}}
	return &bench{hardware: h, st: st, log: log}
}

// heard says something for all to hear and something private, and returns where
// each came out; "nowhere" where it did not.
func (b *bench) heard(t *testing.T) (open, private string) {
	t.Helper()
	if err := os.Truncate(b.log, 0); err != nil {
		t.Fatal(err)
	}
	b.voice.Say("fr", "bonjour", nil)
	b.voice.SayPrivate("fr", "secret", nil)
	said, err := os.ReadFile(b.log)
	if err != nil {
		t.Fatal(err)
	}
	open, private = "nowhere", "nowhere"
	for line := range strings.Lines(string(said)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		switch {
		case f[1] == "bonjour":
			open = strings.Join(f[2:], "")
		case f[1] == "secret":
			private = strings.Join(f[2:], "")
		}
	}
	return open, private
}

// Where words come out, by the profile and by what is plugged in.
func TestWhereSpeechIsHeard(t *testing.T) {
	for name, tt := range map[string]struct {
		sound         profile.Sound
		in            bool
		open, private string
	}{
		"loudspeaker":                      {profile.Sound{Output: "haut-parleur", Speaker: "salle"}, false, "salle", "nowhere"},
		"loudspeaker, headset plugged in":  {profile.Sound{Output: "haut-parleur", Speaker: "salle", Headset: "casque", Jack: "/dev/none"}, true, "casque", "casque"},
		"loudspeaker, headset pulled out":  {profile.Sound{Output: "haut-parleur", Speaker: "salle", Headset: "casque", Jack: "/dev/none"}, false, "salle", "nowhere"},
		"handset":                          {profile.Sound{Output: "casque", Headset: "combine"}, false, "combine", "combine"},
		"headset with a switch":            {profile.Sound{Output: "casque", Headset: "casque", Jack: "/dev/none"}, true, "casque", "casque"},
		"headset with a switch, not there": {profile.Sound{Output: "casque", Headset: "casque", Jack: "/dev/none"}, false, "casque", "nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, tt.sound)
			if tt.in || tt.sound.Jack != "" {
				b.wear(tt.in)
			}
			open, private := b.heard(t)
			if open != tt.open || private != tt.private {
				t.Errorf("heard in %q, private words in %q; want %q and %q", open, private, tt.open, tt.private)
			}
			if b.private() != (tt.private != "nowhere") {
				t.Errorf("pages take the speech for private: %t", b.private())
			}
		})
	}
}

// What comes after the clerk has gone is lost, and harms nobody.
func TestClerkWritesAllAndThenNothing(t *testing.T) {
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	c := newClerk(st, func() time.Time { return now })
	for range 40 {
		c.count("visit", 1)
	}
	c.countDevice("imprimante", "pages", 3)
	c.close()
	c.count("visit", 1)
	counts, err := st.Counts(t.Context(), now, now)
	if err != nil || len(counts) != 1 || counts[0].N != 40 {
		t.Errorf("counts %v, %v", counts, err)
	}
	devices, err := st.DeviceCounts(t.Context(), now, now)
	if err != nil || len(devices) != 1 || devices[0].N != 3 || devices[0].Key != "pages" {
		t.Errorf("counts of devices %v, %v", devices, err)
	}
}

// Staff at the borne, and a command beside it, put it out of service.
func TestServiceIsHeardOf(t *testing.T) {
	b := newBench(t, profile.Sound{})
	changed := make(chan struct{}, 1)
	b.hands.changed = func() { changed <- struct{}{} }
	var s journey.Staff
	if err := b.staff(t.Context(), &s, b.st, &profile.Profile{Sound: profile.Sound{Volume: 3}}, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := s.SetOutOfService(true); err != nil || !s.OutOfService() {
		t.Errorf("put out of service: %t, %v", s.OutOfService(), err)
	}
	if err := b.st.SetOutOfService(context.Background(), false); err != nil {
		t.Fatal(err)
	}
	b.hearService()
	<-changed
	if s.OutOfService() {
		t.Error("the command's word was not heard")
	}
	if s.Volume() != 2 {
		t.Errorf("visits begin at step %d", s.Volume())
	}
}

func TestOnlyWhatMayBeADeviceWakes(t *testing.T) {
	for e, want := range map[hotplug.Event]bool{
		{}:                                   true,
		{Action: "add", Subsystem: "tty"}:    true,
		{Action: "bind", Subsystem: "usb"}:   true,
		{Action: "remove", Subsystem: "tty"}: false,
		{Action: "change", Subsystem: "drm"}: false,
	} {
		if got := concerns(e); got != want {
			t.Errorf("%+v concerns devices: %t", e, got)
		}
	}
}
