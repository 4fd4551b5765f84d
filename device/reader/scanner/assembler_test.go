package scanner_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"parvis/device/reader/scanner"
)

// assemble feeds each piece a second and a half after the one before.
func assemble(f scanner.Format, pieces ...string) (codes []string, dropped int) {
	a := scanner.NewAssembler(f, func(text string) { codes = append(codes, text) })
	now := time.Unix(0, 0)
	for _, p := range pieces {
		a.Hear(now, []byte(p))
		for end := now.Add(1500 * time.Millisecond); now.Before(end); now = now.Add(25 * time.Millisecond) {
			a.Tick(now)
		}
	}
	return codes, a.Dropped()
}

func TestAssembler(t *testing.T) {
	long := strings.Repeat("x", 513)
	stxetx := scanner.Format{Prefix: "\x02", Suffix: "\x03"}
	for name, tc := range map[string]struct {
		format  scanner.Format
		in      []string
		want    []string
		dropped int
	}{
		"CR":                      {in: []string{"ABC\r"}, want: []string{"ABC"}},
		"CR LF":                   {in: []string{"ABC\r\nDEF\r\n"}, want: []string{"ABC", "DEF"}},
		"LF":                      {format: scanner.Format{Suffix: "\n"}, in: []string{"ABC\r\nDEF\n"}, want: []string{"ABC", "DEF"}},
		"CR LF as the suffix":     {format: scanner.Format{Suffix: "\r\n"}, in: []string{"A\rBC\r\n"}, want: []string{"ABC"}},
		"tabulator":               {format: scanner.Format{Suffix: "\t"}, in: []string{"ABC\t"}, want: []string{"ABC"}},
		"STX and ETX":             {format: stxetx, in: []string{"\x02ABC\x03\x02DEF\x03"}, want: []string{"ABC", "DEF"}},
		"no STX":                  {format: stxetx, in: []string{"ABC\x03\x02DEF\x03"}, want: []string{"DEF"}, dropped: 4},
		"AIM mark":                {format: scanner.Format{Prefix: "]Q3"}, in: []string{"]Q3ABC\r\n]Q3DEF\r"}, want: []string{"ABC", "DEF"}},
		"in pieces":               {in: []string{"", "AB"}, dropped: 2},
		"half a code, then one":   {in: []string{"AB", "CDE\r"}, want: []string{"CDE"}, dropped: 2},
		"no suffix":               {format: scanner.Format{NoSuffix: true}, in: []string{"ABC", "DEF"}, want: []string{"ABC", "DEF"}},
		"CR LF without need":      {format: scanner.Format{NoSuffix: true}, in: []string{"ABC\r\n"}, want: []string{"ABC"}},
		"empty":                   {in: []string{"\r\r\n\r"}},
		"only control characters": {in: []string{"\x1d\x00\r"}, dropped: 3},
		"group separators":        {in: []string{"01034\x1d10ABC\r"}, want: []string{"0103410ABC"}},
		"terminal escapes":        {in: []string{"A\x1b[2JB\x7f\u0085\r"}, want: []string{"A[2JB"}},
		"marks of direction":      {in: []string{"\ufeffAB\u202eCD\u200b\r"}, want: []string{"ABCD"}},
		"UTF-8":                   {in: []string{"École à 12 €\r"}, want: []string{"École à 12 €"}},
		"Latin-1":                 {in: []string{"\xc9cole\r\n\xe0 12 \x80\r\n"}, want: []string{"École", "à 12 €"}},
		"noise":                   {in: []string{"\xff\x00\x81A\r", "DEF\r"}, want: []string{"DEF"}, dropped: 5},
		"the longest":             {in: []string{long[1:] + "\r"}, want: []string{long[1:]}},
		"too long":                {in: []string{long + "\r", "DEF\r"}, want: []string{"DEF"}, dropped: 514},
		"far too long":            {in: []string{strings.Repeat(long, 20) + "\rDEF\r"}, want: []string{"DEF"}, dropped: 20*513 + 1},
		"endless, then a code":    {in: []string{strings.Repeat(long, 20), "DEF\r"}, want: []string{"DEF"}, dropped: 20 * 513},
		"lengths in letters":      {format: scanner.Format{MinLength: 3, MaxLength: 3}, in: []string{"éé\ré€à\rabcd\r"}, want: []string{"é€à"}, dropped: 10},
		"shown again at once":     {in: []string{"ABC\rABC\rABC\r"}, want: []string{"ABC"}},
		"held before it":          {in: []string{"ABC\r", "ABC\r", "ABC\r"}, want: []string{"ABC"}},
		"shown again later":       {in: []string{"ABC\r", "", "ABC\r"}, want: []string{"ABC", "ABC"}},
		"in turn":                 {in: []string{"ABC\rDEF\rABC\r"}, want: []string{"ABC", "DEF", "ABC"}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := tc.format.Check(); err != nil {
				t.Fatal(err)
			}
			codes, dropped := assemble(tc.format, tc.in...)
			if !slices.Equal(codes, tc.want) || dropped != tc.dropped {
				t.Errorf("codes %q and %d bytes dropped, want %q and %d", codes, dropped, tc.want, tc.dropped)
			}
		})
	}
}

func TestFormatCheck(t *testing.T) {
	for name, tc := range map[string]struct {
		format scanner.Format
		want   string // part of the error
	}{
		"both":         {scanner.Format{Suffix: "\r", NoSuffix: true}, "suffixe"},
		"negative":     {scanner.Format{MinLength: -1}, "minimale"},
		"none fits":    {scanner.Format{MinLength: 9, MaxLength: 8}, "maximale 8"},
		"no such code": {scanner.Format{MaxLength: 8000}, "7089"},
		"line prefix":  {scanner.Format{Prefix: "\nA"}, "préfixe"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := tc.format.Check(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Check = %v, want one about %q", err, tc.want)
			}
		})
	}
}

func FuzzAssembler(f *testing.F) {
	f.Add([]byte("ABC\r\nDEF\r"), "", "\r", false, 0)
	f.Add([]byte("\x02A\x1dB\x03\x02\x03"), "\x02", "\x03", false, 4)
	f.Add([]byte("\xff\xe9\x81\u202e"), "]Q3", "", true, 2)
	f.Add([]byte("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r"), "", "\r\n", false, 1)
	f.Fuzz(func(t *testing.T, b []byte, prefix, suffix string, noSuffix bool, most int) {
		format := scanner.Format{Prefix: prefix, Suffix: suffix, NoSuffix: noSuffix, MaxLength: most}
		if format.Check() != nil {
			return
		}
		var codes []string
		a := scanner.NewAssembler(format, func(s string) { codes = append(codes, s) })
		now := time.Unix(0, 0)
		for _, piece := range slices.Collect(slices.Chunk(b, 7)) {
			a.Hear(now, piece)
			now = now.Add(20 * time.Millisecond)
			if next := a.Tick(now); !next.IsZero() && !next.After(now) {
				t.Fatalf("asked at %v to be called at %v", now, next)
			}
		}
		if a.Tick(now.Add(time.Minute)); a.Dropped() > len(b) {
			t.Errorf("%d bytes dropped of %d", a.Dropped(), len(b))
		}
		if most == 0 {
			most = 512
		}
		for _, c := range codes {
			n := utf8.RuneCountInString(c)
			if n == 0 || n > most || !utf8.ValidString(c) || strings.ContainsFunc(c, unicode.IsControl) {
				t.Errorf("code %q", c)
			}
		}
	})
}
