package sim_test

import (
	"bytes"
	"fmt"
	"image"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parvis/device/sim"
)

// desk is a printer without a cable: its answers are collected.
type desk struct {
	*sim.Thermal
	answers bytes.Buffer
	tickets []sim.Ticket
}

func newDesk() *desk {
	d := &desk{}
	d.Thermal = sim.NewThermal(func(t sim.Ticket) { d.tickets = append(d.tickets, t) })
	d.Connect(&d.answers)
	return d
}

// say sends s and returns what the printer answers to it.
func (d *desk) say(s string) string {
	d.answers.Reset()
	d.Receive([]byte(s))
	return d.answers.String()
}

const cut = "\x1dVB\x00"

func (d *desk) mustCut(t *testing.T, s string) sim.Ticket {
	t.Helper()
	d.tickets = nil
	d.Receive([]byte(s + cut))
	if len(d.tickets) != 1 {
		t.Fatalf("%d tickets", len(d.tickets))
	}
	return d.tickets[0]
}

func TestTranscript(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain lines", "\x1b@Bonjour\nvous\n", "Bonjour\nvous\n"},
		{"an empty line", "a\n\nb\n", "a\n\nb\n"},
		{"CP1252", "\x1bt\x10l\x92\xe9t\xe9 \x97 25 \x80 \x9c \xab\xbb\n", "l’été — 25 € œ «»\n"},
		{"CP437 where no page is set", "\x1b@\x82t\x82\n", "été\n"},
		{"French signs for brackets", "\x1bR\x01[ ]\x1bR\x00[ ]\n", "° §[ ]\n"},
		{"checkboxes", "[ ] 1 photo\n", "[ ] 1 photo\n"},
		{"centred", "\x1ba\x01abcd\n\x1ba\x00e\n", strings.Repeat(" ", 22) + "abcd\ne\n"},
		{"right", "\x1ba\x02abcd\n", strings.Repeat(" ", 44) + "abcd\n"},
		{"alignment waits for a new line", "a\x1ba\x01b\nc\n", "ab\nc\n"},
		{"a line that is too long", strings.Repeat("x", 50) + "\n", strings.Repeat("x", 48) + "\nxx\n"},
		{"a line twice as wide", "\x1d!\x10" + strings.Repeat("x", 26) + "\n", strings.Repeat("x", 24) + "\nxx\n"},
		{"ESC ! twice as wide", "\x1b!\x20" + strings.Repeat("x", 26) + "\n", strings.Repeat("x", 24) + "\nxx\n"},
		{"a code", "\x1ba\x01\x1d!\x22K7Q 4M2\n", "CODE: K7Q 4M2\n"},
		{"ESC @ throws the line away", "old\x1b@new\n", "new\n"},
		{"ESC d prints and feeds", "a\x1bd\x02b\n", "a\n\n\nb\n"},
		{"ESC J prints and feeds", "a\x1bJ\x40b\n", "a\nb\n"},
		{"a solid rule", "\x1dv0\x00\x48\x00\x02\x00" + strings.Repeat("\xff", 144), strings.Repeat("─", 48) + "\n"},
		{"a dashed rule", "\x1dv0\x00\x48\x00\x01\x00" + strings.Repeat("\xff\x00", 36), strings.TrimRight(strings.Repeat("- ", 24), " ") + "\n"},
		{"a picture", "\x1dv0\x00\x02\x00\x10\x00" + strings.Repeat("\xff", 32), "[image]\n"},
		{"a stored picture", "\x1d8L\x0e\x00\x00\x00\x30\x70\x30\x01\x01\x31\x0f\x00\x02\x00\xff\xff\xff\xffa\n\x1d(L\x02\x00\x30\x32b\n", "a\n[image]\nb\n"},
		{"a QR code", "\x1d(k\x08\x00\x31\x50\x30https\x1d(k\x03\x00\x31\x51\x30", "QR: https\n"},
		{"a question amid the text", "a\x10\x04\x01b\n", "ab\n"},
		{"an unknown command", "a\n\x1bz\nb\n", "a\nUNKNOWN: 1B 7A 'z'\n\nb\n"},
		{"a drawer that is not there", "a\n\x1bp\x00\x19\x19b\n", "a\nb\n"},
		{"from a place on the line", "a\x1b$\x78\x00b\n", "a         b\n"},
		{"so much further on", "a\x1b\\\x0c\x00b\n", "a b\n"},
		{"never back", "abc\x1b$\x00\x00d\n", "abcd\n"},
		{"a table's line", "\x1bt\x01\x95\x95\n", "──\n"},
		{"an unknown command that tells its length", "\x1d(A\x02\x00\x00\x02b\n", "UNKNOWN: 1D 28 41 '('\nb\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk()
			if got := d.mustCut(t, tt.in).Text; got != tt.want {
				t.Errorf("got\n%q, want\n%q", got, tt.want)
			}
		})
	}
	// However the bytes come, the paper is the same.
	for _, tt := range tests {
		t.Run(tt.name+", byte by byte", func(t *testing.T) {
			d := newDesk()
			for _, c := range []byte(tt.in) {
				d.Receive([]byte{c})
			}
			if got := d.mustCut(t, "").Text; got != tt.want {
				t.Errorf("got\n%q, want\n%q", got, tt.want)
			}
		})
	}
}

func TestUnknownCommandsAreCounted(t *testing.T) {
	d := newDesk()
	d.Receive([]byte("\x1bz\x1bz\x01\x1bp\x00\x19\x19"))
	if got := fmt.Sprint(d.Unknown()); got != "map[01:1 1B 7A 'z':2 drawer:1]" {
		t.Errorf("unknown commands %s", got)
	}
	if got := d.String(); !strings.Contains(got, "unknown=4") {
		t.Errorf("status %q", got)
	}
}

func TestAnswers(t *testing.T) {
	nothing := func(*desk) {}
	low := func(d *desk) { d.SetPaper(sim.PaperLow) }
	out := func(d *desk) { d.SetPaper(sim.PaperOut) }
	open := func(d *desk) { d.SetCover(true) }
	stuck := func(d *desk) { d.SetFault(sim.FaultCutter) }
	broken := func(d *desk) { d.SetFault(sim.FaultFatal) }
	hot := func(d *desk) { d.SetFault(sim.FaultHot) }
	silent := func(d *desk) { d.SetSilent(true) }
	tests := []struct {
		name string
		make func(*desk)
		ask  string
		want string
	}{
		{"online", nothing, "\x10\x04\x01", "\x12"},
		{"no cause", nothing, "\x10\x04\x02", "\x12"},
		{"no error", nothing, "\x10\x04\x03", "\x12"},
		{"paper", nothing, "\x10\x04\x04", "\x12"},
		{"paper near its end", low, "\x10\x04\x04", "\x1e"},
		{"near its end is online", low, "\x10\x04\x01", "\x12"},
		{"no paper", out, "\x10\x04\x04", "\x7e"},
		{"no paper is offline", out, "\x10\x04\x01", "\x1a"},
		{"stopped at the paper's end", out, "\x10\x04\x02", "\x32"},
		{"cover open", open, "\x10\x04\x02", "\x16"},
		{"cover open is offline", open, "\x10\x04\x01", "\x1a"},
		{"cutter", stuck, "\x10\x04\x03", "\x1a"},
		{"an error is the cause", stuck, "\x10\x04\x02", "\x52"},
		{"beyond repair", broken, "\x10\x04\x03", "\x32"},
		{"too hot", hot, "\x10\x04\x03", "\x52"},
		{"silent", silent, "\x10\x04\x01", ""},
		{"no such question", nothing, "\x10\x04\x09", ""},
		{"sensor", nothing, "\x1dr\x01", "\x00"},
		{"sensor near its end", low, "\x1dr\x01", "\x03"},
		{"sensor without paper stays unanswered", out, "\x1dr\x01", ""},
		{"a question inside a picture is answered all the same", nothing, "\x1dv0\x00\x01\x00\x03\x00\x10\x04\x01", "\x12"},
		{"automatic status", nothing, "\x1da\xff", "\x10\x00\x00\x00"},
		{"automatic status asked for when too hot", hot, "\x1da\xff", ""},
		{"no more automatic status", nothing, "\x1da\x00", ""},
		{"model", nothing, "\x1dI\x01", "\x20"},
		{"maker", nothing, "\x1dIB", "_EPSON\x00"},
		{"name", nothing, "\x1dIC", "_TM-T88V\x00"},
		{"only Custom knows this question", nothing, "\x10\x04\x14", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk()
			tt.make(d)
			if got := d.say(tt.ask); got != tt.want {
				t.Errorf("answer %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAutomaticStatusTellsEachChange(t *testing.T) {
	d := newDesk()
	d.say("\x1da\xff")
	for _, step := range []struct {
		name string
		do   func()
		want string
	}{
		{"cover open", func() { d.SetCover(true) }, "\x38\x00\x00\x00"},
		{"cover closed", func() { d.SetCover(false) }, "\x10\x00\x00\x00"},
		{"paper low", func() { d.SetPaper(sim.PaperLow) }, "\x10\x00\x03\x00"},
		{"still low", func() { d.SetPaper(sim.PaperLow) }, ""},
		{"no paper", func() { d.SetPaper(sim.PaperOut) }, "\x18\x00\x0f\x00"},
		{"paper", func() { d.SetPaper(sim.PaperIn) }, "\x10\x00\x00\x00"},
		{"cutter", func() { d.SetFault(sim.FaultCutter) }, "\x18\x08\x00\x00"},
	} {
		d.answers.Reset()
		step.do()
		if got := d.answers.String(); got != step.want {
			t.Errorf("%s: %q, want %q", step.name, got, step.want)
		}
	}
}

// GS a tells by its bits of which changes to be told; ESC @ forgets it.
func TestAutomaticStatusOfWhatWasAskedFor(t *testing.T) {
	changes := []func(*desk){
		func(d *desk) { d.SetPaper(sim.PaperLow) },
		func(d *desk) { d.SetCover(true) },
		func(d *desk) { d.SetCover(false); d.answers.Reset(); d.SetFault(sim.FaultCutter) },
	}
	for _, tt := range []struct {
		name, ask string
		want      [3]string
	}{
		{"nothing", "\x1da\x00", [3]string{"", "", ""}},
		{"all", "\x1da\xff", [3]string{"\x10\x00\x03\x00", "\x38\x00\x03\x00", "\x18\x08\x03\x00"}},
		{"online", "\x1da\x02", [3]string{"", "\x38\x00\x03\x00", "\x18\x08\x03\x00"}},
		{"errors", "\x1da\x04", [3]string{"", "", "\x18\x08\x03\x00"}},
		{"paper", "\x1da\x08", [3]string{"\x10\x00\x03\x00", "", ""}},
		{"forgotten", "\x1da\xff\x1b@", [3]string{"", "", ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk()
			d.say(tt.ask)
			for i, change := range changes {
				d.answers.Reset()
				change(d)
				if got := d.answers.String(); got != tt.want[i] {
					t.Errorf("change %d: %q, want %q", i, got, tt.want[i])
				}
			}
		})
	}
}

func TestPaperEndsAmidAPicture(t *testing.T) {
	d := newDesk()
	d.say("\x1da\xff")
	d.After(20, func() { d.SetPaper(sim.PaperOut) })
	rows := strings.Repeat("\xff", 72*40)
	if got := d.say("\x1dv0\x00\x48\x00\x28\x00" + rows + cut + "\x1dr\x01"); got != "\x18\x00\x0f\x00" {
		t.Errorf("answer %q, want the automatic status and nothing more", got)
	}
	if got := d.String(); !strings.Contains(got, fmt.Sprintf("waiting=%d ", 20*72+4+3)) {
		t.Errorf("status %q", got)
	}
	d.answers.Reset()
	d.SetPaper(sim.PaperIn)
	if got := d.answers.String(); got != "\x10\x00\x00\x00\x00" {
		t.Errorf("answer %q", got)
	}
	if len(d.tickets) != 1 || !ink(d.tickets[0].Image(), image.Rect(0, 96+39, 576, 96+40)) {
		t.Errorf("%d tickets, or not printed to its end", len(d.tickets))
	}
}

func TestClearingAfterAnError(t *testing.T) {
	d := newDesk()
	d.SetFault(sim.FaultCutter)
	d.Receive([]byte("old\n" + cut + "\x10\x05\x02"))
	if got := d.say("\x10\x04\x03"); got != "\x1a" {
		t.Errorf("answer %q while the error is still there", got)
	}
	d.SetFault(sim.FaultNone)
	if got := d.mustCut(t, "new\n").Text; got != "new\n" {
		t.Errorf("ticket %q", got)
	}
}

func TestPrintsAtItsSpeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.SetSpeed(200)
		start := time.Now()
		d.Receive([]byte("\x1b3\x20" + strings.Repeat("Bonjour\n", 50) + "\x1dr\x01")) // 50 × 4 mm
		if got := time.Since(start); got < 990*time.Millisecond || got > 1010*time.Millisecond {
			t.Errorf("200 mm took %v, want 1 s", got)
		}
		if d.answers.String() != "\x00" {
			t.Errorf("answer %q", d.answers.String())
		}
	})
}

func TestAnswersWhileItPrints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.SetSpeed(200)
		var printing sync.WaitGroup
		defer printing.Wait()
		printing.Go(func() { d.Receive([]byte(strings.Repeat("Bonjour\n", 50))) })
		time.Sleep(300 * time.Millisecond)
		d.Hear([]byte("\x10\x04\x01"))
		if got := d.answers.String(); got != "\x12" {
			t.Errorf("answer %q", got)
		}
		if got := d.String(); strings.Contains(got, "waiting=3 ") {
			t.Errorf("it had printed everything: %s", got)
		}
	})
}

func TestStopsAndGoesOn(t *testing.T) {
	for name, stop := range map[string]struct{ make, mend func(*desk) }{
		"paper":  {func(d *desk) { d.SetPaper(sim.PaperOut) }, func(d *desk) { d.SetPaper(sim.PaperIn) }},
		"cover":  {func(d *desk) { d.SetCover(true) }, func(d *desk) { d.SetCover(false) }},
		"cutter": {func(d *desk) { d.SetFault(sim.FaultCutter) }, func(d *desk) { d.SetFault(sim.FaultNone) }},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk()
			d.After(40, func() { stop.make(d) })
			if got := d.say("one\ntwo\nthree\n" + cut + "\x1dr\x01"); got != "" || len(d.tickets) != 0 {
				t.Fatalf("answer %q and %d tickets while stopped", got, len(d.tickets))
			}
			stop.mend(d)
			if len(d.tickets) != 1 || d.tickets[0].Text != "one\ntwo\nthree\n" {
				t.Errorf("tickets %v", d.tickets)
			}
			if got := d.answers.String(); got != "\x00" {
				t.Errorf("answer %q after going on", got)
			}
		})
	}
}

// Cutting without feeding cuts above what the head has just printed.
func TestCutterStandsAboveTheHead(t *testing.T) {
	d := newDesk()
	d.Receive([]byte("first\n\n\nlast\n\x1dV\x01"))
	if len(d.tickets) != 1 {
		t.Fatalf("%d tickets", len(d.tickets))
	}
	if got := d.tickets[0].Text; !strings.HasPrefix(got, "first\n") || strings.Contains(got, "last") {
		t.Errorf("the ticket is %q", got)
	}
	if got := d.mustCut(t, "").Text; !strings.Contains(got, "last") {
		t.Errorf("the rest is %q", got)
	}
}

// ink tells whether any dot in r is dark.
func ink(img *image.Gray, r image.Rectangle) bool {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if img.GrayAt(x, y).Y < 128 {
				return true
			}
		}
	}
	return false
}

func TestImage(t *testing.T) {
	const top = 96 // the white between cutter and head
	d := newDesk()
	img := d.mustCut(t, "\x1b@\x1b3\x22H\n\x1ba\x01H\n\x1ba\x00\x1d!\x11H\n").Image()
	if img.Rect.Dx() != 576 || img.Rect.Dy() != top+34+34+48 {
		t.Fatalf("size %v", img.Rect)
	}
	for name, want := range map[string]struct {
		r   image.Rectangle
		ink bool
	}{
		"white above":          {image.Rect(0, 0, 576, top), false},
		"a letter at the left": {image.Rect(0, top, 12, top+24), true},
		"and no further":       {image.Rect(12, top, 576, top+34), false},
		"a letter amid":        {image.Rect(282, top+34, 294, top+58), true},
		"nothing left of it":   {image.Rect(0, top+34, 282, top+68), false},
		"the second column":    {image.Rect(12, top+68, 24, top+116), true},
		"no more of it":        {image.Rect(24, top+68, 576, top+116), false},
	} {
		if got := ink(img, want.r); got != want.ink {
			t.Errorf("%s: ink in %v: %t", name, want.r, got)
		}
	}
}

func TestBoldIsDarker(t *testing.T) {
	weight := func(s string) (n int) {
		for _, v := range newDesk().mustCut(t, s).Image().Pix {
			n += 255 - int(v)
		}
		return n
	}
	if plain, bold := weight("Bonjour\n"), weight("\x1bE\x01Bonjour\n"); bold < plain*11/10 {
		t.Errorf("bold has %d of ink, plain %d", bold, plain)
	}
}

func TestQRCodeCanBeRead(t *testing.T) {
	for _, data := range []string{"https://example.org/", "https://www.service-public.gouv.fr/particuliers/vosdroits/F21089?a=b&c=d", strings.Repeat("0123456789abcdef", 30)} {
		t.Run(fmt.Sprint(len(data)), func(t *testing.T) {
			d := newDesk()
			n := len(data) + 3
			ticket := d.mustCut(t, "Un texte\n\x1ba\x01\x1bJ\x20\x1d(k\x03\x00\x31\x43\x05\x1d(k\x03\x00\x31\x45\x31\x1d(k"+
				string([]byte{byte(n), byte(n >> 8)})+"\x31\x50\x30"+data+"\x1d(k\x03\x00\x31\x51\x30\x1bJ\x20")
			if got := mustZbar(t, ticket); got != data {
				t.Errorf("zbarimg read %q, want %q", got, data)
			}
		})
	}
}

func FuzzThermal(f *testing.F) {
	f.Add([]byte("\x1b@\x1bt\x10Bonjour\n\x1dVB\x00"))
	f.Add([]byte("\x1d(k\x04\x00\x31\x50\x30a\x1d(k\x03\x00\x31\x43\xff\x1d(k\x03\x00\x31\x51\x30\x1dV\x00"))
	f.Add([]byte("\x1dv0\x03\x02\x00\x01\x00\xff\xff\x10\x04\x02\x1b!\xff\x1d!\xffabc\x1bd\xff\x1dVA\x09"))
	f.Add([]byte("\x10\x04\x14\x1de\x05\x1de\x03\x0c\x1bi\x1dIB\x1b$\x10\x00a\x1b\\\xff\xff\x1c(A\x02\x00\x00\x02\x10\x05\x02"))
	f.Add([]byte("\x1d8L\x0c\x00\x00\x00\x30\x70\x30\x02\x01\x31\x08\x00\x02\x00\xff\xff\x1d(L\x02\x00\x30\x32\x1b{\x00\x1dVA\x09"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := newDesk()
		d.SetModel(sim.CustomVKP80)
		d.Receive(b)
		d.Receive(make([]byte, 1<<12)) // the rest of whatever was begun
		if got := d.say("\x10\x04\x01"); got != "\x12" {
			t.Errorf("answer %q afterwards", got)
		}
		for _, k := range d.tickets {
			if k.Image().Rect.Dx() != 576 {
				t.Error("a ticket of another width")
			}
		}
	})
}
