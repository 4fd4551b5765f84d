package escpos_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/skip2/go-qrcode"

	"parvis/device/printer"
	"parvis/device/printer/escpos"
)

// The measures of the default model.
const dots, columns = 576, 48

// start is what every ticket begins with: ESC @, ESC t 16, ESC R 0, ESC 3 34.
const start = "\x1b@\x1bt\x10\x1bR\x00\x1b3\x22"

// rule is the commands of a line across the paper made of the given 16 dots.
func rule(dots string) string {
	return "\x1bJ\x10" + "\x1dv0\x00\x48\x00\x03\x00" + strings.Repeat(dots, 36*3) + "\x1bJ\x10"
}

func TestEncode(t *testing.T) {
	tests := []struct {
		name   string
		blocks []printer.Block
		want   string // after start
	}{
		{"nothing", nil, ""},
		{"text", []printer.Block{printer.Text{Text: "Bonjour"}}, "Bonjour\n"},
		{"bold, then plain again",
			[]printer.Block{printer.Text{Text: "A", Bold: true}, printer.Text{Text: "B"}},
			"\x1bE\x01A\n\x1bE\x00B\n"},
		{"centred, and left again at the end",
			[]printer.Block{printer.Text{Text: "A", Centred: true}},
			"\x1ba\x01A\n\x1ba\x00"},
		{"two blocks of one style say it once",
			[]printer.Block{printer.Text{Text: "A", Bold: true}, printer.Text{Text: "B", Bold: true}},
			"\x1bE\x01A\nB\n\x1bE\x00"},
		{"heading 1 is bold and twice the size",
			[]printer.Block{printer.Heading{Level: 1, Text: "Titre"}},
			"\x1bE\x01\x1d!\x11Titre\n\x1bJ\x08\x1bE\x00\x1d!\x00"},
		{"heading 2 is twice the size",
			[]printer.Block{printer.Heading{Level: 2, Text: "Titre", Centred: true}},
			"\x1ba\x01\x1d!\x11Titre\n\x1bJ\x08\x1ba\x00\x1d!\x00"},
		{"heading 3 is bold",
			[]printer.Block{printer.Heading{Level: 3, Text: "Titre"}, printer.Cut{}},
			"\x1bE\x01Titre\n\x1bE\x00\x1dVB\x28"},
		{"checkbox with a detail",
			[]printer.Block{printer.Checkbox{Text: "1 photo", Detail: "récente"}},
			"[ ] 1 photo\n    r\xe9cente\n"},
		{"checkbox over two lines",
			[]printer.Block{printer.Checkbox{Text: strings.Repeat("abcdefgh ", 6)}},
			"[ ] abcdefgh abcdefgh abcdefgh abcdefgh abcdefgh\n    abcdefgh\n"},
		{"bullet", []printer.Block{printer.Bullet{Text: "un", Detail: "deux"}}, "\x95 un\n  deux\n"},
		{"solid rule", []printer.Block{printer.Rule{}}, rule("\xff\xff")},
		{"dashed rule", []printer.Block{printer.Rule{Dashed: true}}, rule("\xff\xc0")},
		{"space", []printer.Block{printer.Space{Lines: 2}}, "\x1bd\x02"},
		{"much space", []printer.Block{printer.Space{Lines: 300}}, "\x1bd\xff\x1bd\x2d"},
		{"no space", []printer.Block{printer.Space{}}, ""},
		{"cut", []printer.Block{printer.Cut{}}, "\x1dVB\x28"},
		{"code at three times the size",
			[]printer.Block{printer.Code{Text: "K7Q\u00a04M2"}},
			"\x1ba\x01\x1bE\x01\x1d!\x22K7Q 4M2\n\x1ba\x00\x1bE\x00\x1d!\x00"},
		{"a longer code at twice the size",
			[]printer.Block{printer.Code{Text: "ABCDEFGHJKLMNPQRST"}},
			"\x1ba\x01\x1bE\x01\x1d!\x11ABCDEFGHJKLMNPQRST\n\x1ba\x00\x1bE\x00\x1d!\x00"},
		{"QR: model 2, size, level M, data, print",
			[]printer.Block{printer.QR{Data: "https://example.org/a"}}, // version 2, 25 modules, 8 dots each
			"\x1ba\x01\x1bJ\x20" +
				"\x1d(k\x04\x00\x31\x41\x32\x00" +
				"\x1d(k\x03\x00\x31\x43\x08" +
				"\x1d(k\x03\x00\x31\x45\x31" +
				"\x1d(k\x18\x00\x31\x50\x30https://example.org/a" +
				"\x1d(k\x03\x00\x31\x51\x30" +
				"\x1bJ\x20\x1ba\x00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := escpos.Encode(printer.Document{Blocks: tt.blocks})
			if err != nil {
				t.Fatal(err)
			}
			if want := start + tt.want; string(got) != want {
				t.Errorf("got\n%q, want\n%q", got, want)
			}
		})
	}
}

func TestEncodeSpellsText(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"French letters", "œuvre, Île, çà, Ÿ", "\x9cuvre, \xcele, \xe7\xe0, \x9f\n"},
		{"French signs", "l’été — 25 € – « oui » · …", "l\x92\xe9t\xe9 \x97 25 \x80 \x96 \xab oui \xbb \xb7 \x85\n"},
		{"no-break spaces are printed plain", "14\u00a0h\u202f30", "14 h 30\n"},
		{"letters in two parts", "e\u0301te\u0301", "\xe9t\xe9\n"},
		{"signs made of others", "№ 3, ﬁn, ½", "No 3, fin, \xbd\n"},
		{"signs the page lacks", "a → b ≥ c", "a -> b >= c\n"},
		{"no-break hyphen", "rendez\u2011vous", "rendez-vous\n"},
		{"emoji", "ok 👍", "ok ?\n"},
		{"commands in the text", "a\x1b@b\x1dV\x00\x10\x04\x01c\u0085", "a@bVc\n"},
		{"invisible signs", "a\u200bb\u00adc\u200e", "abc\n"},
		{"a tab", "a\tb", "a b\n"},
		{"two lines", "a\nb", "a\nb\n"},
		{"no text", "", "\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := escpos.Encode(printer.Document{Blocks: []printer.Block{printer.Text{Text: tt.text}}})
			if err != nil {
				t.Fatal(err)
			}
			if want := start + tt.want; string(got) != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestEncodeWraps(t *testing.T) {
	tests := []struct {
		name  string
		block printer.Block
		want  []string
	}{
		{"at the last space that fits",
			printer.Text{Text: "Un justificatif de domicile de moins de trois mois"},
			[]string{"Un justificatif de domicile de moins de trois", "mois"}},
		{"not one column too early",
			printer.Text{Text: strings.Repeat("a", 23) + " " + strings.Repeat("b", 24)},
			[]string{strings.Repeat("a", 23) + " " + strings.Repeat("b", 24)}},
		{"nor too late",
			printer.Text{Text: strings.Repeat("a", 24) + " " + strings.Repeat("b", 24)},
			[]string{strings.Repeat("a", 24), strings.Repeat("b", 24)}},
		{"at 24 columns when twice the size",
			printer.Heading{Level: 1, Text: "Carte d’identité, passeport"},
			[]string{"Carte d\x92identit\xe9,", "passeport"}},
		{"not at a no-break space",
			printer.Text{Text: strings.Repeat("a", 43) + " 14\u00a0h\u00a030"},
			[]string{strings.Repeat("a", 43), "14 h 30"}},
		{"a long address after a slash",
			printer.Text{Text: "https://www.service-public.gouv.fr/particuliers/vosdroits/F21089"},
			[]string{"https://www.service-public.gouv.fr/particuliers/", "vosdroits/F21089"}},
		{"a long word where it must",
			printer.Text{Text: strings.Repeat("x", 100)},
			[]string{strings.Repeat("x", 48), strings.Repeat("x", 48), "xxxx"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := escpos.Encode(printer.Document{Blocks: []printer.Block{tt.block}})
			if err != nil {
				t.Fatal(err)
			}
			for _, style := range []string{start, "\x1bE\x01", "\x1bE\x00", "\x1d!\x11", "\x1d!\x00", "\x1bJ\x08"} {
				b = bytes.ReplaceAll(b, []byte(style), nil)
			}
			got := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
			if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", tt.want) {
				t.Errorf("lines %q, want %q", got, tt.want)
			}
		})
	}
}

// The table of capacities decides how large the modules may be; a wrong one
// would print codes that run off the paper.
func TestEncodeFitsQRCodesToThePaper(t *testing.T) {
	for _, n := range []int{1, 14, 15, 26, 27, 62, 84, 106, 107, 152, 213, 450, 666, 1059, 1452, 2331} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			data := strings.Repeat("a", n)
			b, err := escpos.Encode(printer.Document{Blocks: []printer.Block{printer.QR{Data: data}}})
			if err != nil {
				t.Fatal(err)
			}
			at := bytes.Index(b, []byte("\x1d(k\x03\x00\x31\x43"))
			size := int(b[at+7])
			code, err := qrcode.New(data, qrcode.Medium)
			if err != nil {
				t.Fatal(err)
			}
			modules := 17 + 4*code.VersionNumber
			if width := (modules + 8) * size; width > dots {
				t.Errorf("%d modules of %d dots need %d dots with their quiet zone", modules, size, width)
			}
			if size < 3 || size > 8 {
				t.Errorf("modules of %d dots", size)
			}
			if width := modules * size; n <= 213 && (width < 160 || width > 300) {
				t.Errorf("a code of %d bytes is %d dots wide", n, width)
			}
			if !bytes.Contains(b, append([]byte{0x1d, '(', 'k', byte(n + 3), byte((n + 3) >> 8), 0x31, 0x50, 0x30}, data...)) {
				t.Error("the data is not there with its length")
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, block := range map[string]printer.Block{
		"an empty QR code":       printer.QR{},
		"too much for a QR code": printer.QR{Data: strings.Repeat("a", 2332)},
		"an empty code":          printer.Code{},
		"a code without letters": printer.Code{Text: "\x1b"},
		"too long a code":        printer.Code{Text: strings.Repeat("A", 49)},
		"no block":               nil,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := escpos.Encode(printer.Document{Blocks: []printer.Block{printer.Rule{}, block}})
			if err == nil || !strings.Contains(err.Error(), "block 2") {
				t.Errorf("error = %v, want one that names block 2", err)
			}
		})
	}
}
