package escpos

import (
	"bytes"
	"testing"

	"parvis/device"
)

func sorted(custom bool, said string) inbox {
	in := inbox{custom: custom}
	for _, c := range []byte(said) {
		in.take(c)
	}
	return in
}

func TestInboxSortsWhatAnEpsonSays(t *testing.T) {
	for _, tt := range []struct {
		name, said  string
		realtime    string
		done, autos int
		auto        [4]byte
	}{
		{"a reply to DLE EOT", "\x12", "\x12", 0, 0, [4]byte{}},
		{"a reply to GS r", "\x00", "", 1, 0, [4]byte{}},
		{"an automatic status", "\x38\x08\x0f\x00", "", 0, 1, [4]byte{0x38, 8, 15}},
		{"two of them", "\x38\x00\x00\x00\x10\x00\x03\x00", "", 0, 2, [4]byte{0x10, 0, 3}},
		{"one and a reply to GS r", "\x10\x00\x00\x00\x0f", "", 1, 1, [4]byte{0x10}},
		{"one with XON and XOFF in it", "\x10\x11\x00\x13\x00\x00", "", 0, 1, [4]byte{0x10}},
		{"one with a reply in it", "\x10\x00\x16\x03\x00", "\x16", 0, 1, [4]byte{0x10, 0, 3}},
		{"one amid another", "\x10\x00\x18\x00\x0f\x00", "", 0, 1, [4]byte{0x18, 0, 15}},
		{"noise", "\xff\x80\x93\x11\x13", "", 0, 0, [4]byte{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := sorted(false, tt.said)
			if string(in.realtime) != tt.realtime || in.done != tt.done || in.autos != tt.autos || in.auto != tt.auto {
				t.Errorf("%q sorted to %+v", tt.said, in)
			}
		})
	}
}

func TestInboxSortsWhatACustomSays(t *testing.T) {
	for _, tt := range []struct {
		name, said string
		full       []full
		done       int
	}{
		{"an answer", "\x10\x0f\x20\x00\x00\x00", []full{{0x20}}, 0},
		{"an answer of what looks like others", "\x10\x0f\x10\x0f\x12\x00", []full{{0x10, 0x0f, 0x12}}, 0},
		{"two", "\x10\x0f\x00\x00\x00\x00\x10\x0f\x01\x00\x00\x00", []full{{}, {1}}, 0},
		{"one and a reply to GS r", "\x10\x0f\x00\x00\x00\x00\x00", []full{{}}, 1},
		{"one after noise", "\xff\x10\x10\x0f\x00\x02\x00\x00", []full{{0, 2}}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := sorted(true, tt.said)
			if len(in.full) != len(tt.full) || in.done != tt.done {
				t.Fatalf("%q sorted to %+v", tt.said, in)
			}
			for i := range in.full {
				if in.full[i] != tt.full[i] {
					t.Errorf("answer %d is % x, want % x", i+1, in.full[i], tt.full[i])
				}
			}
		})
	}
}

// What comes after silence is no rest of what came before it.
func TestInboxForgetsWhatWasCutShort(t *testing.T) {
	for custom, said := range map[bool]string{false: "\x10\x00", true: "\x10\x0f\x00"} {
		in := sorted(custom, said)
		in.cutShort()
		in.take(0)
		if in.done != 1 || in.autos != 0 || len(in.full) != 0 {
			t.Errorf("custom %t: %+v", custom, in)
		}
	}
}

func TestAutomaticStatus(t *testing.T) {
	for _, tt := range []struct {
		name  string
		bytes [4]byte
		want  device.Status
	}{
		{"fine", [4]byte{0x10}, device.Status{State: device.Online, Paper: device.PaperFull}},
		{"paper ends", [4]byte{0x10, 0, 0x03}, device.Status{State: device.Online, Paper: device.PaperLow, Fault: device.PaperEnds}},
		{"no paper", [4]byte{0x18, 0, 0x0F}, device.Status{State: device.UserError, Paper: device.PaperOut, Fault: device.NoPaper}},
		{"cover open, and so no paper seen", [4]byte{0x38, 0, 0x0C}, device.Status{State: device.UserError, Paper: device.PaperOut, Fault: device.CoverOpen}},
		{"cutter", [4]byte{0x18, 0x08}, device.Status{State: device.UserError, Paper: device.PaperFull, Fault: device.Jam}},
		{"broken", [4]byte{0x18, 0x20}, device.Status{State: device.HardwareError, Paper: device.PaperFull, Fault: device.Hardware}},
		{"hot", [4]byte{0x18, 0x40}, device.Status{State: device.HardwareError, Paper: device.PaperFull, Fault: device.Overheated}},
		{"fed by the button", [4]byte{0x58}, device.Status{State: device.Busy, Paper: device.PaperFull}},
		{"offline without a reason", [4]byte{0x18}, device.Status{State: device.HardwareError, Paper: device.PaperFull, Fault: device.Hardware}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := automatic(tt.bytes).status(); got != tt.want {
				t.Errorf("% x is %+v, want %+v", tt.bytes, got, tt.want)
			}
		})
	}
}

func TestFullStatus(t *testing.T) {
	for _, tt := range []struct {
		name  string
		bytes full
		paper device.Paper
		fault device.Fault
		ready bool
	}{
		{"fine", full{}, device.PaperFull, device.None, true},
		{"motor on, spooling", full{0, 0x0C}, device.PaperFull, device.None, true},
		{"paper ends", full{0x04}, device.PaperLow, device.PaperEnds, true},
		{"no paper", full{0x05}, device.PaperOut, device.NoPaper, false},
		{"ticket in the mouth", full{0x20}, device.PaperFull, device.None, true},
		{"paper ends behind a ticket", full{0x24}, device.PaperLow, device.PaperEnds, true},
		{"no paper behind a ticket", full{0x25}, device.PaperOut, device.NoPaper, false},
		{"head up", full{0, 0x01}, device.PaperFull, device.CoverOpen, false},
		{"cover open without paper", full{0x05, 0x03}, device.PaperOut, device.CoverOpen, false},
		{"cutter's cover open", full{0, 0, 0, 0x02}, device.PaperFull, device.CoverOpen, false},
		{"jam", full{0, 0, 0x40}, device.PaperJammed, device.Jam, false},
		{"hot", full{0, 0, 0x01}, device.PaperFull, device.Overheated, false},
		{"power", full{0, 0, 0x08}, device.PaperFull, device.Hardware, false},
		{"cutter", full{0, 0, 0, 0x01}, device.PaperFull, device.Jam, false},
		{"memory", full{0, 0, 0, 0x04}, device.PaperFull, device.Hardware, false},
		{"fed by a key", full{0, 0x20}, device.PaperFull, device.None, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.bytes.status()
			if got.Paper != tt.paper || got.Fault != tt.fault || got.Ready() != tt.ready {
				t.Errorf("% x is %+v, want %s, %s, ready %t", tt.bytes, got, tt.paper, tt.fault, tt.ready)
			}
		})
	}
}

// Whatever came before, and in whatever pieces, an answer is understood.
func FuzzInbox(f *testing.F) {
	f.Add([]byte("\x12\x10\x00\x03\x00\x00"), false)
	f.Add([]byte("\x10\x0f\x10\x0f\x10"), true)
	f.Add([]byte("\x10\x10\x11\x13\xff\x00"), true)
	f.Fuzz(func(t *testing.T, noise []byte, custom bool) {
		in := sorted(custom, string(noise))
		if n := len(in.realtime) + in.done + 4*in.autos + 6*len(in.full); n > len(noise) {
			t.Errorf("%d bytes of answers in %d bytes", n, len(noise))
		}
		if custom {
			// An answer of six bytes may have begun; three more end any.
			for _, c := range bytes.Repeat([]byte("\x10\x0f\x01\x02\x03\x04"), 3) {
				in.take(c)
			}
			if last := in.full[len(in.full)-1]; len(in.frame) == 0 && last != (full{1, 2, 3, 4}) {
				t.Errorf("understood % x", last)
			}
			_ = in.full[0].status()
			return
		}
		before := len(in.realtime)
		in.take(0x16)
		if len(in.realtime) != before+1 {
			t.Error("a reply to DLE EOT was not heard")
		}
		for _, c := range []byte{0x18, 0x08, 0x0F, 0x00} {
			in.take(c)
		}
		if in.auto != [4]byte{0x18, 0x08, 0x0F, 0x00} {
			t.Errorf("understood % x", in.auto)
		}
		if s := automatic(in.auto).status(); s.Fault != device.NoPaper {
			t.Errorf("status %+v", s)
		}
	})
}

func TestMouth(t *testing.T) {
	var m mouth
	see := func(held bool, want device.Media) {
		t.Helper()
		if got := m.see(held, m.since); got != want {
			t.Errorf("media %s, want %s", got, want)
		}
	}
	see(false, device.MediaNotPresent)
	see(true, device.MediaPresent)
	see(true, device.MediaPresent)
	see(false, device.MediaTaken)
	see(false, device.MediaTaken)
	see(true, device.MediaPresent)
	m.next = Presenter{Then: Retract}.end()
	see(true, device.MediaPresent)
	see(false, device.MediaRetracted)
	see(true, device.MediaPresent) // the next is taken again
	see(false, device.MediaTaken)
	see(true, device.MediaPresent)
	m.next = Presenter{Then: Eject}.end()
	see(false, device.MediaNotPresent)
}
