package pcsc_test

import (
	"strings"
	"testing"

	"github.com/ebfe/scard"

	"parvis/device/reader/internal/line/linetest"
	"parvis/device/reader/pcsc"
)

// slots reads a moment: each word is a reader's name in one letter and its
// card, by a digit that counts what came and went. After it, ! is a mute card
// and * one that another program holds.
func slots(t *testing.T, moment string) (all []pcsc.Slot) {
	t.Helper()
	for word := range strings.FieldsSeq(moment) {
		s := pcsc.Slot{Name: word[:1], State: scard.StateEmpty}
		if len(word) > 1 {
			s.State = scard.StatePresent | scard.StateFlag(word[1]-'0')<<16
			s.ATR = unhex(t, vitale)
		}
		if strings.HasSuffix(word, "!") {
			s.State |= scard.StateMute
			s.ATR = nil
		}
		if strings.HasSuffix(word, "*") {
			s.State |= scard.StateInuse
		}
		all = append(all, s)
	}
	return all
}

// Each fault before, amid and after a card: what is said of it, and of the card
// after it.
func TestFaults(t *testing.T) {
	const start = "online/not_present"
	for name, tc := range map[string]struct {
		moments string // one after the other, with commas
		want    string
	}{
		"a card":                    {"a, a1, a1, a", start + " + online/present - online/not_present"},
		"held by another":           {"a, a1, a1*, a1, a", start + " + online/present - online/not_present"},
		"mute before":               {"a, a1!, a, a3", start + " online/jammed online/not_present + online/present"},
		"mute amid":                 {"a, a1, a1!, a", start + " + online/present - online/jammed online/not_present"},
		"mute after":                {"a, a1, a, a3!, a, a5", start + " + online/present - online/not_present online/jammed online/not_present + online/present"},
		"exchanged unseen":          {"a, a1, a3, a", start + " + online/present - + - online/not_present"},
		"two before":                {"a b, a1 b1, a1 b, a b", start + " +several online/present -several + - online/not_present"},
		"two amid":                  {"a b, a1 b, a1 b1, a b1, a b", start + " + online/present +several -several + - online/not_present"},
		"two after":                 {"a b, a1 b, a b, a3 b1, a b", start + " + online/present - online/not_present +several online/present -several online/not_present"},
		"both gone at once":         {"a b, a1 b1, a b", start + " +several online/present -several online/not_present"},
		"one of two exchanged":      {"a b, a1 b1, a3 b1, a3 b", start + " +several online/present -several +"},
		"from one to the other":     {"a b, a1 b, a b1", start + " + online/present - +"},
		"one, and a mute one":       {"a b, a1 b, a1 b1!, a1 b", start + " + online/present online/jammed online/present"},
		"reader unplugged before":   {", a, a1", "no_device//unplugged online/not_present + online/present"},
		"reader unplugged amid":     {"a, a1, , a, a3", start + " + online/present - no_device//unplugged online/not_present + online/present"},
		"reader unplugged after":    {"a, a1, a, , a", start + " + online/present - online/not_present no_device//unplugged online/not_present"},
		"another reader plugged in": {"a, a1, a1 b, a1 b1", start + " + online/present +several"},
	} {
		t.Run(name, func(t *testing.T) {
			var said linetest.Record
			w := pcsc.NewWatch(said.Report, said.Seen)
			for moment := range strings.SplitSeq(tc.moments, ",") {
				if err := w.See(slots(t, moment)...); err != nil {
					t.Fatal(err)
				}
			}
			if got := said.Take(); got != tc.want {
				t.Errorf("the reader said\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}
