package serialrfid_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parvis/device/reader"
	"parvis/device/reader/internal/line/linetest"
	"parvis/device/reader/serialrfid"
	"parvis/device/sim"
	"parvis/device/transport"
)

// On a real line, with a simulated reader: what it says after each order.
func TestSimulatedReaders(t *testing.T) {
	const rest = 1200 * time.Millisecond // longer than the reader's own patience
	type step struct {
		order string
		want  string
		still time.Duration // for which no more is said
	}
	for name, tc := range map[string]struct {
		model sim.RFIDModel
		steps []step
	}{
		"RDM6300": {sim.RDM6300, []step{
			{"card 0008844356", "+100086F444 online/present", rest},
			{"remove", "- online/not_present", 0},
			{"card 0x010063E9AE", "+010063E9AE online/present", 0}}},
		"ID-12LA": {sim.ID12LA, []step{
			{"card 0x010063E9AE", "+010063E9AE online/present - online", 0},
			{"card 0x010063E9AE", "+010063E9AE online/present - online", 0}}},
		"faults": {sim.RDM6300, []step{
			{"half 0008844356", "", 100 * time.Millisecond},
			{"noise", "", 0},
			{"flood", "", 100 * time.Millisecond},
			{"card 0008844356", "+100086F444 online/present", 0},
			{"noise", "", 0},
			{"flood", "", rest},
			{"half 0008844356", "- online/not_present", 0},
			{"card 0008844356", "+100086F444 online/present", 0}}},
		"two cards": {sim.RDM6300, []step{
			{"two 0x100086F444 0x010063E9AE", "+100086F444 online/present +several", rest},
			{"remove", "-several online/not_present", 0}}},
		"cards exchanged": {sim.RDM6300, []step{
			{"card 0x100086F444", "+100086F444 online/present", 0},
			{"card 0x010063E9AE", "- +010063E9AE", rest}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dev := sim.NewRFID(tc.model)
			path := filepath.Join(t.TempDir(), "rfid")
			cable := sim.NewCable(path, dev)
			if err := cable.Plug(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := errors.Join(dev.Close(), cable.Close()); err != nil {
					t.Error(err)
				}
			})
			ctx, cancel := context.WithCancel(t.Context())
			var said linetest.Record
			served := make(chan error, 1)
			go func() {
				served <- serialrfid.New(transport.Serial(path, 9600)).Serve(ctx, said.Report, said.Seen)
			}()
			wait(t, &said, "starting online")
			for _, s := range tc.steps {
				if _, err := dev.Do(s.order); err != nil {
					t.Fatal(err)
				}
				wait(t, &said, s.want)
				time.Sleep(s.still)
				if more := said.Take(); more != "" {
					t.Errorf("after %q and %q, the reader said %q", s.order, s.want, more)
				}
			}
			cancel()
			if err := <-served; !errors.Is(err, context.Canceled) {
				t.Errorf("Serve = %v", err)
			}
		})
	}
}

// wait waits until a reader has said what is wanted.
func wait(t *testing.T, said *linetest.Record, want string) {
	t.Helper()
	got := ""
	for until := time.Now().Add(3 * time.Second); got != want && time.Now().Before(until); time.Sleep(time.Millisecond) {
		got = strings.TrimSpace(got + " " + said.Take())
	}
	if got != want {
		t.Fatalf("the reader said\n%s\nwant\n%s", got, want)
	}
}

func TestPluggedInAHundredTimes(t *testing.T) {
	dev := sim.NewRFID(sim.ID12LA)
	linetest.PlugAHundredTimes(t, func(open transport.Opener) reader.Reader { return serialrfid.New(open) },
		dev, func() {
			if _, err := dev.Do("card 0x100086F444"); err != nil {
				t.Error(err)
			}
		}, func(e reader.Event) bool { return e.Present && e.Number == a })
}
