package hid_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/holoplot/go-evdev"

	"parvis/device/reader/hid"
	"parvis/device/reader/scanner"
)

// keys makes the events of keys pressed one after the other, named as the
// kernel has them without KEY_. What is joined by + is held down together.
func keys(t testing.TB, names string) (events []evdev.InputEvent) {
	t.Helper()
	press := func(code evdev.EvCode, value int32) {
		events = append(events,
			evdev.InputEvent{Type: evdev.EV_MSC, Code: evdev.MSC_SCAN, Value: 0x70000},
			evdev.InputEvent{Type: evdev.EV_KEY, Code: code, Value: value},
			evdev.InputEvent{Type: evdev.EV_SYN, Code: evdev.SYN_REPORT})
	}
	for _, chord := range strings.Fields(names) {
		var held []evdev.EvCode
		for _, name := range strings.Split(chord, "+") {
			code, ok := evdev.KEYFromString["KEY_"+name]
			if !ok {
				t.Fatalf("no key %s", name)
			}
			press(code, 1)
			held = append(held, code)
		}
		for i := len(held) - 1; i >= 0; i-- {
			press(held[i], 0)
		}
	}
	return events
}

func TestDecoder(t *testing.T) {
	for name, tc := range map[string]struct {
		layout hid.Layout
		keys   string
		want   string
	}{
		"letters":                      {hid.QWERTY, "A B Z LEFTSHIFT+A RIGHTSHIFT+B M", "abzABm"},
		"letters, AZERTY":              {hid.AZERTY, "Q B W LEFTSHIFT+Q RIGHTSHIFT+B SEMICOLON", "abzABm"},
		"digits":                       {hid.QWERTY, "0 1 2 9", "0129"},
		"digits, AZERTY":               {hid.AZERTY, "LEFTSHIFT+0 LEFTSHIFT+1 LEFTSHIFT+2 LEFTSHIFT+9", "0129"},
		"signs, AZERTY":                {hid.AZERTY, "1 2 3 4 5 6 7 8 9 0 MINUS EQUAL GRAVE", "&é\"'(-è_çà)=²"},
		"address":                      {hid.QWERTY, "H LEFTSHIFT+SEMICOLON SLASH SLASH A DOT F LEFTSHIFT+SLASH X EQUAL 1 LEFTSHIFT+7", "h://a.f?x=1&"},
		"address, AZERTY":              {hid.AZERTY, "H DOT LEFTSHIFT+DOT LEFTSHIFT+DOT Q LEFTSHIFT+COMMA F LEFTSHIFT+M X EQUAL LEFTSHIFT+1 1", "h://a.f?x=1&"},
		"third signs, AZERTY":          {hid.AZERTY, "RIGHTALT+0 RIGHTALT+3 RIGHTALT+E RIGHTALT+8 RIGHTALT+MINUS RIGHTALT+RIGHTBRACE 102ND LEFTSHIFT+102ND", `@#€\]¤<>`},
		"waiting accents, AZERTY":      {hid.AZERTY, "LEFTBRACE E LEFTSHIFT+LEFTBRACE I RIGHTALT+2 N RIGHTALT+7 Q", "êïñà"},
		"accents that stand alone":     {hid.AZERTY, "LEFTBRACE SPACE LEFTBRACE X RIGHTALT+2 SPACE LEFTBRACE LEFTBRACE", "^^x~^^"},
		"accents, QWERTY":              {hid.QWERTY, "LEFTSHIFT+6 E GRAVE LEFTSHIFT+GRAVE", "^e`~"},
		"keypad":                       {hid.AZERTY, "KP0 KP1 LEFTSHIFT+KP9 KPDOT KPSLASH KPMINUS", "019./-"},
		"ends":                         {hid.AZERTY, "A ENTER B KPENTER C TAB", "q\rb\rc\t"},
		"what types nothing":           {hid.AZERTY, "F1 CAPSLOCK ESC UP LEFTCTRL+RIGHTBRACE LEFTALT+KP1 LEFTMETA+L RIGHTALT+Q A", "q"},
		"shift let go before the next": {hid.QWERTY, "LEFTSHIFT+A A RIGHTALT+B B", "Aab"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := tc.layout.Check(); err != nil {
				t.Fatal(err)
			}
			d := hid.NewDecoder(tc.layout)
			got := ""
			for _, e := range keys(t, tc.keys) {
				typed, whole := d.Take(e)
				if !whole {
					t.Error("events are said to be lost")
				}
				got += typed
			}
			if got != tc.want {
				t.Errorf("typed %q, want %q", got, tc.want)
			}
		})
	}
}

func TestDecoderHoldsNoKeyTwice(t *testing.T) {
	d := hid.NewDecoder(hid.QWERTY)
	got := ""
	for _, value := range []int32{1, 2, 2, 2, 0} {
		typed, _ := d.Take(evdev.InputEvent{Type: evdev.EV_KEY, Code: evdev.KEY_A, Value: value})
		got += typed
	}
	if got != "a" {
		t.Errorf("typed %q", got)
	}
}

// When the kernel has lost events, the code in hand is lost, and so is what
// was held down: the release may have been among them.
func TestDecoderAfterLostEvents(t *testing.T) {
	d := hid.NewDecoder(hid.QWERTY)
	take := func(typ evdev.EvType, code evdev.EvCode, value int32) (string, bool) {
		return d.Take(evdev.InputEvent{Type: typ, Code: code, Value: value})
	}
	take(evdev.EV_KEY, evdev.KEY_LEFTSHIFT, 1)
	if _, whole := take(evdev.EV_SYN, evdev.SYN_DROPPED, 0); whole {
		t.Error("nothing is said to be lost")
	}
	if typed, _ := take(evdev.EV_KEY, evdev.KEY_B, 1); typed != "" {
		t.Errorf("typed %q before the next report", typed)
	}
	take(evdev.EV_SYN, evdev.SYN_REPORT, 0)
	if typed, whole := take(evdev.EV_KEY, evdev.KEY_A, 1); typed != "a" || !whole {
		t.Errorf("typed %q, whole %t", typed, whole)
	}
}

func TestCheck(t *testing.T) {
	good := hid.Options{Path: "/dev/input/by-id/x", Layout: hid.AZERTY}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, tc := range map[string]struct {
		spoil func(*hid.Options)
		want  string
	}{
		"no device":       {func(o *hid.Options) { o.Path = "" }, "donnez son port"},
		"layout":          {func(o *hid.Options) { o.Layout = "bepo" }, "bepo"},
		"no layout":       {func(o *hid.Options) { o.Layout = "" }, "azerty"},
		"medium":          {func(o *hid.Options) { o.Medium = "contact" }, "contact"},
		"a format's flaw": {func(o *hid.Options) { o.Format.MaxLength = -1 }, "longueur"},
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			tc.spoil(&o)
			if err := o.Check(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Check = %v, want one about %q", err, tc.want)
			}
		})
	}
}

// FuzzDecoder reads any bytes as the kernel's events.
func FuzzDecoder(f *testing.F) {
	for _, names := range []string{"A LEFTSHIFT+1 ENTER", "LEFTBRACE E RIGHTALT+2 SPACE KPENTER"} {
		var b bytes.Buffer
		if err := binary.Write(&b, binary.LittleEndian, keys(f, names)); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes(), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, azerty bool) {
		layout := hid.QWERTY
		if azerty {
			layout = hid.AZERTY
		}
		d := hid.NewDecoder(layout)
		codes := scanner.NewAssembler(scanner.Format{}, func(text string) {
			if text == "" || !utf8.ValidString(text) {
				t.Errorf("code %q", text)
			}
		})
		now := time.Unix(0, 0)
		events := 0
		for r := bytes.NewReader(b); ; events++ {
			var e evdev.InputEvent
			if binary.Read(r, binary.LittleEndian, &e) != nil {
				break
			}
			typed, _ := d.Take(e)
			if !utf8.ValidString(typed) || utf8.RuneCountInString(typed) > 2 {
				t.Errorf("one key typed %q", typed)
			}
			codes.Hear(now, []byte(typed))
			now = now.Add(time.Millisecond)
			codes.Tick(now)
		}
		if codes.Dropped() > 6*events {
			t.Errorf("%d bytes dropped of %d events", codes.Dropped(), events)
		}
	})
}
