package sim_test

import (
	"errors"
	"strings"
	"testing"

	"parvis/device/sim"
)

func newCustom() *desk {
	d := newDesk()
	d.SetModel(sim.CustomVKP80)
	return d
}

func TestCustomTellsEverythingAtOnce(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(*desk)
		want string
	}{
		{"all is well", func(*desk) {}, "\x00\x00\x00\x00"},
		{"paper near its end", func(d *desk) { d.SetPaper(sim.PaperLow) }, "\x04\x00\x00\x00"},
		{"no paper", func(d *desk) { d.SetPaper(sim.PaperOut) }, "\x05\x00\x00\x00"},
		{"cover open", func(d *desk) { d.SetCover(true) }, "\x00\x03\x00\x00"},
		{"waiting for the cover", func(d *desk) { d.SetCover(true); d.Receive([]byte("a\n")) }, "\x00\x07\x00\x00"},
		{"too hot", func(d *desk) { d.SetFault(sim.FaultHot) }, "\x00\x00\x01\x00"},
		{"jam", func(d *desk) { d.SetFault(sim.FaultJam) }, "\x00\x00\x40\x00"},
		{"cutter", func(d *desk) { d.SetFault(sim.FaultCutter) }, "\x00\x00\x00\x01"},
		{"beyond repair", func(d *desk) { d.SetFault(sim.FaultFatal) }, "\x00\x00\x00\x04"},
		{"a ticket in the mouth", func(d *desk) { d.Receive([]byte("a\n" + cut)) }, "\x20\x00\x00\x00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newCustom()
			tt.make(d)
			// What waits in the buffer counts; the question itself is
			// answered before it gets there.
			d.answers.Reset()
			d.Hear([]byte("\x10\x04\x14"))
			got := d.answers.String()
			if len(got) != 6 || got[:2] != "\x10\x0f" {
				t.Fatalf("answer %q", got)
			}
			want := []byte(tt.want)
			want[1] |= 0x04 // the question itself waits to be passed over
			if got[2:] != string(want) {
				t.Errorf("answer % X, want % X", got[2:], want)
			}
		})
	}
}

func TestMouth(t *testing.T) {
	one := "un\n" + cut
	for _, tt := range []struct {
		name  string
		do    func(*desk)
		want  sim.Mouth
		wire  byte
		print int
	}{
		{"nothing printed", func(*desk) {}, sim.MouthEmpty, 0, 0},
		{"printed", func(d *desk) { d.Receive([]byte(one)) }, sim.MouthPresent, 0x20, 1},
		{"cut with ESC i", func(d *desk) { d.Receive([]byte("un\n\x1bd\x08\x1bi")) }, sim.MouthPresent, 0x20, 1},
		{"presented", func(d *desk) { d.Receive([]byte(one + "\x1de\x03\x0c")) }, sim.MouthPresent, 0x20, 1},
		{"ejected", func(d *desk) { d.Receive([]byte(one + "\x1de\x05")) }, sim.MouthEjected, 0, 1},
		{"retracted", func(d *desk) { d.Receive([]byte(one + "\x1de\x02")) }, sim.MouthRetracted, 0, 1},
		{"taken", func(d *desk) { d.Receive([]byte(one)); _ = d.Take() }, sim.MouthTaken, 0, 1},
		{"taken before it is ejected", func(d *desk) { d.Receive([]byte(one)); _ = d.Take(); d.Receive([]byte("\x1de\x05")) }, sim.MouthTaken, 0, 1},
		{"the next ticket pushes it out", func(d *desk) { d.Receive([]byte(one + "deux\n")) }, sim.MouthEjected, 0, 1},
		{"and hangs there itself", func(d *desk) { d.Receive([]byte(one + "deux\n" + cut)) }, sim.MouthPresent, 0x20, 2},
		{"nothing to eject", func(d *desk) { d.Receive([]byte("\x1de\x05\x1de\x02")) }, sim.MouthEmpty, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newCustom()
			tt.do(d)
			if got := d.Mouth(); got != tt.want {
				t.Errorf("mouth %q, want %q", got, tt.want)
			}
			if got := d.say("\x10\x04\x14"); len(got) != 6 || got[2] != tt.wire {
				t.Errorf("answer %q, want paper byte %X", got, tt.wire)
			}
			if len(d.tickets) != tt.print {
				t.Errorf("%d tickets, want %d", len(d.tickets), tt.print)
			}
			if got := d.String(); !strings.Contains(got, " mouth="+string(tt.want)+" ") || !strings.HasSuffix(got, "unknown=0") {
				t.Errorf("status %q", got)
			}
		})
	}
}

func TestNothingToTake(t *testing.T) {
	d := newCustom()
	if err := d.Take(); !errors.Is(err, sim.ErrMouthEmpty) {
		t.Errorf("Take = %v", err)
	}
	d.Receive([]byte("un\n" + cut))
	if err := d.Take(); err != nil {
		t.Errorf("Take = %v", err)
	}
	if err := d.Take(); !errors.Is(err, sim.ErrMouthEmpty) {
		t.Errorf("the second Take = %v", err)
	}
}

// On a printer without a presenter GS e is one more unknown command.
func TestNoPresenter(t *testing.T) {
	d := newDesk()
	d.Receive([]byte("un\n" + cut + "\x1de\x05"))
	if got := d.Mouth(); got != sim.MouthEmpty {
		t.Errorf("mouth %q", got)
	}
	if got := d.Unknown()["1D 65 'e'"]; got != 1 {
		t.Errorf("unknown %v", d.Unknown())
	}
}

func TestNames(t *testing.T) {
	for model, want := range map[sim.Model]string{
		sim.Epson: "_EPSON\x00_TM-T88V\x00", sim.CustomVKP80: "_CUSTOM\x00_VKP80II\x00", sim.StarESCPOS: "_Star\x00_mC-Print3\x00",
	} {
		d := newDesk()
		d.SetModel(model)
		if got := d.say("\x1dIB\x1dIC"); got != want {
			t.Errorf("%s answers %q, want %q", model, got, want)
		}
	}
}
