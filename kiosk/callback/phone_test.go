package callback_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"parvis/kiosk/callback"
)

func TestCheckPhone(t *testing.T) {
	tests := []struct {
		name, typed, e164, display string
		problem                    callback.PhoneProblem
		mobile                     bool
	}{
		{"nothing", "", "", "", callback.TooShort, false},
		{"first digit", "0", "", "0", callback.TooShort, false},
		{"while typing", "0612345", "", "06 12 34 5", callback.TooShort, false},
		{"one digit missing", "061234565", "", "06 12 34 56 5", callback.TooShort, false},
		{"mobile", "0612345652", "+33612345652", "06 12 34 56 52", "", true},
		{"mobile in 07", "0752345652", "+33752345652", "07 52 34 56 52", "", true},
		{"with dots", "06.12.34.56.52", "+33612345652", "06 12 34 56 52", "", true},
		{"with no-break spaces", "06\u00a012\u00a034 56-52", "+33612345652", "06 12 34 56 52", "", true},
		{"one digit more", "06123456522", "", "06 12 34 56 52 2", callback.TooLong, false},
		{"Paris", "0142345652", "+33142345652", "01 42 34 56 52", "", false},
		{"Marseille", "0491345652", "+33491345652", "04 91 34 56 52", "", false},
		{"box", "0972345652", "+33972345652", "09 72 34 56 52", "", false},
		{"nobody’s", "0700000000", "", "07 00 00 00 00", callback.Impossible, false},

		{"+ only", "+", "", "+", callback.TooShort, false},
		{"+3", "+3", "", "+3", callback.TooShort, false},
		{"+33 partial", "+33612", "", "+33 6 12", callback.TooShort, false},
		{"+33", "+33 6 12 34 56 52", "+33612345652", "+33 6 12 34 56 52", "", true},
		{"+33 (0)", "+33 (0)6 12 34 56 52", "+33612345652", "+33 06 12 34 56 52", "", true},
		{"00 only", "00", "", "00", callback.TooShort, false},
		{"0033", "0033612345652", "+33612345652", "00 33 6 12 34 56 52", "", true},
		{"0033 partial", "00336123", "", "00 33 6 12 3", callback.TooShort, false},
		{"+33 too long", "+336123456522", "", "+33 6 12 34 56 52 2", callback.TooLong, false},
		{"+33 for Réunion", "+33692123456", "+262692123456", "+33 6 92 12 34 56", "", true},

		{"Réunion mobile", "0692123456", "+262692123456", "06 92 12 34 56", "", true},
		{"Réunion landline", "0262123456", "+262262123456", "02 62 12 34 56", "", false},
		{"Réunion, second area", "0263123456", "+262263123456", "02 63 12 34 56", "", false},
		{"Mayotte mobile", "0639123456", "", "06 39 12 34 56", callback.Impossible, false},
		{"Mayotte mobile in use", "0639691234", "+262639691234", "06 39 69 12 34", "", true},
		{"Mayotte landline", "0269611234", "+262269611234", "02 69 61 12 34", "", false},
		{"+262", "+262 692 12 34 56", "+262692123456", "+262 692 12 34 56", "", true},
		{"Guadeloupe mobile", "0690351234", "+590690351234", "06 90 35 12 34", "", true},
		{"Guadeloupe landline", "0590821234", "+590590821234", "05 90 82 12 34", "", false},
		{"+590", "+590690351234", "+590690351234", "+590 690 35 12 34", "", true},
		{"Guyane mobile", "0694201234", "+594694201234", "06 94 20 12 34", "", true},
		{"+594", "+594694201234", "+594694201234", "+594 694 20 12 34", "", true},
		{"Martinique mobile", "0696201234", "+596696201234", "06 96 20 12 34", "", true},
		{"+596", "+596696201234", "+596696201234", "+596 696 20 12 34", "", true},
		{"Saint-Pierre", "0508412345", "+508412345", "05 08 41 23 45", "", false},
		{"+508", "+508412345", "+508412345", "+508 41 23 45", "", false},
		{"Nouméa", "+687751234", "+687751234", "+687 75 12 34", "", true},
		{"Papeete", "+68987123456", "+68987123456", "+689 87 12 34 56", "", true},
		{"Wallis", "+681721234", "+681721234", "+681 72 12 34", "", false},
		{"+687 partial", "+68775", "", "+687 75", callback.TooShort, false},
		{"+26 may become Réunion", "+26", "", "+26", callback.TooShort, false},

		{"Belgium", "+32470123456", "", "+32 47 01 23 45 6", callback.NotFrench, false},
		{"abroad at once", "+4", "", "+4", callback.NotFrench, false},
		{"0041", "0041791234567", "", "00 41 79 12 34 56 7", callback.NotFrench, false},

		{"ambulance", "15", "", "15", callback.Emergency, false},
		{"112", "112", "", "112", callback.Emergency, false},
		{"114", "114", "", "114", callback.Emergency, false},
		{"France services", "3646", "", "3646", callback.Short, false},
		{"118", "118218", "", "118218", callback.Short, false},
		{"free number", "0800123456", "", "08 00 12 34 56", callback.Premium, false},
		{"premium", "0892123456", "", "08 92 12 34 56", callback.Premium, false},
		{"premium abroad spelling", "+33892123456", "", "+33 8 92 12 34 56", callback.Premium, false},
		{"zero forgotten", "612345652", "", "61 23 45 65 2", callback.NoZero, false},
		{"zero forgotten, first digit", "6", "", "6", callback.NoZero, false},
		{"letters", "06 12 AB", "", "06 12", callback.Impossible, false},
		{"plus in the middle", "06+12", "", "06 12", callback.Impossible, false},
		{"very long", strings.Repeat("06", 500), "", "06 06 06 06 06 06 06 06 06 06", callback.TooLong, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := callback.Phone{
				E164: tt.e164, Display: tt.display, Valid: tt.problem == "", Mobile: tt.mobile, Problem: tt.problem,
			}
			if got := callback.CheckPhone(tt.typed); got != want {
				t.Errorf("CheckPhone(%q)\n got %+v\nwant %+v", tt.typed, got, want)
			}
		})
	}
}

// Whatever is displayed can be taken for typed: the view may feed it back.
func FuzzPhone(f *testing.F) {
	for _, s := range []string{"", "0", "06 12 34 56 52", "+33(0)612345652", "0033", "+262692", "15", "3646", "+", "00", "٠٦", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		p := callback.CheckPhone(typed)
		if p.Valid != (p.Problem == "") || p.Valid != (p.E164 != "") || p.Mobile && !p.Valid {
			t.Fatalf("%q: %+v contradicts itself", typed, p)
		}
		if !utf8.ValidString(p.Display) || strings.TrimSpace(p.Display) != p.Display {
			t.Fatalf("%q: display %q", typed, p.Display)
		}
		again := callback.CheckPhone(p.Display)
		if p.Valid && again != p {
			t.Fatalf("%q: %+v, its display gives %+v", typed, p, again)
		}
		if p.Valid && callback.CheckPhone(p.E164).E164 != p.E164 {
			t.Fatalf("%q: %s isn't read back", typed, p.E164)
		}
		if m := callback.Mask(p.Display); utf8.RuneCountInString(m) != utf8.RuneCountInString(p.Display) {
			t.Fatalf("%q masked as %q", p.Display, m)
		} else if p.Valid && m == p.Display {
			t.Fatalf("%q isn't masked", m)
		}
	})
}

func TestMask(t *testing.T) {
	tests := []struct{ display, want string }{
		{"06 12 34 56 52", "06 •• •• •• 52"},
		{"+33 6 12 34 56 52", "+33 • •• •• •• 52"},
		{"00 33 6 12 34 56 52", "00 33 • •• •• •• 52"},
		{"+262 692 12 34 56", "+262 ••• •• •• 56"},
		{"+687 75 12 34", "+687 •• •• 34"},
		{"06 12 34 5", "06 •• •• •"},
		{"06 12", "06 ••"},
		{"06", "06"},
		{"00", "00"},
		{"", ""},
	}
	for _, tt := range tests {
		if got := callback.Mask(tt.display); got != tt.want {
			t.Errorf("Mask(%q) = %q, want %q", tt.display, got, tt.want)
		}
	}
}
