package sim_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parvis/device/sim"
	"parvis/device/transport"
)

// mustWire hangs a device on a cable and opens its other end.
func mustWire(t *testing.T, d sim.Device) (*sim.Cable, *transport.SerialLine) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "reader")
	cable := sim.NewCable(path, d)
	if err := cable.Plug(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cable.Close(); err != nil {
			t.Error(err)
		}
	})
	return cable, mustOpen(t, path)
}

func mustOpen(t *testing.T, path string) *transport.SerialLine {
	t.Helper()
	line, err := transport.OpenSerial(path, 9600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { line.Close() })
	return line
}

// heard reads at least n bytes, or what comes within the time.
func heard(t *testing.T, line *transport.SerialLine, n int, within time.Duration) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	var all []byte
	for buf := make([]byte, 4096); len(all) < n; {
		got, err := line.Read(ctx, buf)
		all = append(all, buf[:got]...)
		if errors.Is(err, context.DeadlineExceeded) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return string(all)
}

// The good frames of published RDM6300 readers.
const (
	frameA = "\x02100086F44426\x03"
	frameB = "\x02010063E9AE25\x03"
)

func newRFID(t *testing.T, m sim.RFIDModel) (*sim.RFID, *sim.Cable, *transport.SerialLine) {
	t.Helper()
	r := sim.NewRFID(m)
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	cable, line := mustWire(t, r)
	return r, cable, line
}

func TestRDM6300SaysACardForAsLongAsItLiesThere(t *testing.T) {
	t.Parallel()
	r, _, line := newRFID(t, sim.RDM6300)
	mustOrder(t, r, "card 0008844356")
	if got, want := heard(t, line, 4*len(frameA), 5*time.Second), strings.Repeat(frameA, 4); got != want {
		t.Errorf("heard %q, want %q", got, want)
	}
	mustOrder(t, r, "remove")
	heard(t, line, 100*len(frameA), 50*time.Millisecond) // what was said before
	if got := heard(t, line, 1, 200*time.Millisecond); got != "" {
		t.Errorf("heard %q after the card was taken away", got)
	}
	mustOrder(t, r, "card 0x010063E9AE")
	if got := heard(t, line, len(frameB), 5*time.Second); got != frameB {
		t.Errorf("heard %q, want %q", got, frameB)
	}
}

func TestID12LASaysACardOnce(t *testing.T) {
	t.Parallel()
	r, cable, line := newRFID(t, sim.ID12LA)
	mustOrder(t, r, "card 0008844356")
	const want = "\x02100086F44426\r\n\x03"
	if got := heard(t, line, 2*len(want), 300*time.Millisecond); got != want {
		t.Errorf("heard %q, want %q", got, want)
	}
	line.Close()
	mustOrder(t, sim.Wired{Device: r, Line: cable}, "unplug")
	mustOrder(t, sim.Wired{Device: r, Line: cable}, "plug")
	if status, err := r.Do("status"); err != nil || status != "card=true" {
		t.Errorf("status %q, %v", status, err)
	}
}

func TestWhatGoesWrongWithTags(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		order string
		has   []string
		least int
	}{
		{"two 0008844356 0x010063E9AE", []string{frameA, frameB, "\x02100086F44425\x03", "\x02010060086F44426\x03"}, 5 * 14},
		{"half 0008844356", []string{"\x02100086"}, 7},
		{"noise", []string{"\x00\xff\x02"}, 10},
		{"flood", []string{strings.Repeat("0", 64<<10)}, 64 << 10},
	} {
		t.Run(tt.order, func(t *testing.T) {
			t.Parallel()
			r, _, line := newRFID(t, sim.RDM6300)
			go func() { _, _ = r.Do(tt.order) }() // a flood must be read as it comes
			got := heard(t, line, tt.least+20, 700*time.Millisecond)
			if len(got) < tt.least {
				t.Errorf("heard but %d bytes", len(got))
			}
			for _, want := range tt.has {
				if !strings.Contains(got, want) {
					t.Errorf("heard %.100q, without %.40q", got, want)
				}
			}
		})
	}
}

func TestRFIDRefuses(t *testing.T) {
	t.Parallel()
	r := sim.NewRFID(sim.RDM6300)
	for _, order := range []string{"", "card", "card x", "card 99999999999", "card 0x12", "card 1 2", "two 1", "half", "remove 1", "dance"} {
		if _, err := r.Do(order); err == nil {
			t.Errorf("%q was obeyed", order)
		}
	}
}

func TestScanner(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ prefix, suffix, order, want string }{
		{"", "\r", "scan PN-2026 0001", "PN-2026 0001\r"},
		{"\x02", "\r\n", "scan été", "\x02été\r\n"},
		{"", "\r", "scan-raw 41 0d 00ff", "A\r\x00\xff"},
		{"", "\r", "noise", "\x00\xff\x1b[A\x7f\x80\x01\r"},
		{"", "\r", "long", strings.Repeat("0123456789", 800) + "\r"},
		{"", "\r", "flood", strings.Repeat("0", 64<<10)},
	} {
		t.Run(tt.order, func(t *testing.T) {
			t.Parallel()
			s := sim.NewScanner(tt.prefix, tt.suffix)
			_, line := mustWire(t, s)
			go func() { _, _ = s.Do(tt.order) }() // a flood must be read as it comes
			if got := heard(t, line, len(tt.want), 5*time.Second); got != tt.want {
				t.Errorf("heard %.100q, want %.100q", got, tt.want)
			}
		})
	}
	for _, order := range []string{"", "scan", "scan-raw xy", "dance"} {
		if _, err := sim.NewScanner("", "").Do(order); err == nil {
			t.Errorf("%q was obeyed", order)
		}
	}
}

func TestBenchKnowsDevicesByName(t *testing.T) {
	t.Parallel()
	r := sim.NewRFID(sim.RDM6300)
	t.Cleanup(func() { r.Close() })
	cable := sim.NewCable(filepath.Join(t.TempDir(), "rfid"), r)
	b := sim.Bench{"rfid": sim.Wired{Device: r, Line: cable}, "scanner": sim.NewScanner("", "\r")}
	for order, want := range map[string]string{
		"rfid unplug":      sim.ErrUnplugged.Error(),
		"rfid dance":       "unknown order",
		"scanner scan ABC": "",
		"kettle boil":      `unknown device "kettle": say rfid, scanner`,
		"":                 "unknown device",
	} {
		answer, err := b.Do(order)
		if want == "" && (err != nil || answer != "ok") || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %q, %v, want %q", order, answer, err, want)
		}
	}
}
