package serialrfid_test

import (
	"bytes"
	"strings"
	"testing"

	"parvis/device/reader/serialrfid"
)

// Cards seen on real readers. The checksum of the last is wrong.
const (
	first  = "100086F44426"
	second = "010063E9AE25"
	broken = "07008FAABBEA"
)

func frame(digits string) string { return "\x02" + digits + "\x03" }

func decode(b []byte) (all []serialrfid.Frame, dropped int) {
	var d serialrfid.Decoder
	for _, c := range b {
		if f, ok := d.Take(c); ok {
			all = append(all, f)
		}
	}
	return all, d.Dropped()
}

func TestDecoder(t *testing.T) {
	for name, tc := range map[string]struct {
		in      string
		want    string // numbers; those told once in brackets
		dropped int
	}{
		"one card":                  {frame(first), "100086F444", 0},
		"two cards":                 {frame(first) + frame(second), "100086F444 010063E9AE", 0},
		"lower case":                {frame(strings.ToLower(first)), "100086F444", 0},
		"the ID-12LA's ending":      {"\x02" + first + "\r\n\x03", "[100086F444]", 0},
		"a wrong checksum":          {frame(broken), "", 14},
		"a wrong digit":             {frame("100086F44427") + frame(first), "100086F444", 14},
		"half a frame, then a card": {frame(first)[:7] + frame(second), "010063E9AE", 7},
		"the other half":            {frame(first)[7:] + frame(second), "010063E9AE", 7},
		"a digit too few":           {frame(first[1:]) + frame(second), "010063E9AE", 13},
		"a digit too many":          {frame("0"+first) + frame(second), "010063E9AE", 15},
		"half an ID-12LA ending":    {"\x02" + first + "\r\x03" + frame(second), "010063E9AE", 15},
		"noise about a card":        {"\xff\x00\x03" + frame(first) + "12", "100086F444", 5},
		"a frame in a frame":        {"\x02100" + frame(first) + "86F44426\x03", "100086F444", 13},
		"an end alone":              {"\x03", "", 1},
		"a start alone":             {"\x02", "", 0},
		"nothing":                   {"", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			all, dropped := decode([]byte(tc.in))
			var got []string
			for _, f := range all {
				if f.Once {
					f.Number = "[" + f.Number + "]"
				}
				got = append(got, f.Number)
			}
			if s := strings.Join(got, " "); s != tc.want || dropped != tc.dropped {
				t.Errorf("got %q and %d bytes dropped, want %q and %d", s, dropped, tc.want, tc.dropped)
			}
		})
	}
}

func TestDecoderForgetsHalfAFrame(t *testing.T) {
	var d serialrfid.Decoder
	take := func(s string) (ok bool) {
		for _, c := range []byte(s) {
			_, ok = d.Take(c)
		}
		return ok
	}
	take(frame(first)[:9])
	d.Reset()
	if take(frame(first)[9:]) {
		t.Error("two halves made a card across a Reset")
	}
	if !take(frame(first)) {
		t.Error("a whole frame made none")
	}
}

func FuzzDecoder(f *testing.F) {
	for _, s := range []string{frame(first), frame(broken), "\x02" + second + "\r\n\x03", frame(first)[:9] + frame(second), "\x02\x02\x03"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		all, dropped := decode(b)
		kept := 0
		for _, f := range all {
			kept += 14
			if f.Once {
				kept += 2
			}
			if len(f.Number) != 10 || strings.Trim(f.Number, "0123456789ABCDEF") != "" {
				t.Errorf("a number of another form: %q", f.Number)
			}
			if !bytes.Contains(bytes.ToUpper(b), []byte("\x02"+f.Number)) {
				t.Errorf("%q was never sent", f.Number)
			}
		}
		// What is neither kept nor dropped is a frame that has not ended.
		if rest := len(b) - kept - dropped; rest < 0 || rest > 15 {
			t.Errorf("%d bytes in, %d kept, %d dropped", len(b), kept, dropped)
		}
		// Whatever came before, a whole frame is heard.
		if more, _ := decode(append(bytes.Clone(b), frame(first)...)); len(more) != len(all)+1 {
			t.Errorf("%d frames, and %d with one more", len(all), len(more))
		}
	})
}
