package escpos

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"parvis/device/printer"
	"parvis/device/sim"
)

// everything has each kind of block, in letters of any printer and in others.
var everything = printer.Document{Lang: "ar", Blocks: []printer.Block{
	printer.Heading{Level: 1, Text: "Titre", Centred: true}, printer.Heading{Level: 2, Text: "عنوان"}, printer.Heading{Level: 3, Text: "Назва", Centred: true},
	printer.Text{Text: "à Paris\nمرحبا", Bold: true}, printer.Text{Text: "01 99"}, printer.Text{},
	printer.Checkbox{Text: "صورة", Detail: "Photo"}, printer.Checkbox{Text: "Photo"}, printer.Bullet{Text: "نقطة"}, printer.Bullet{Text: "a", Detail: "ł"},
	printer.Rule{}, printer.Rule{Dashed: true}, printer.Space{Lines: 1}, printer.QR{Data: "https://example.org/"}, printer.Code{Text: "A042"}, printer.Cut{},
}}

func load(t testing.TB, name string) Model {
	t.Helper()
	m, err := LoadModel(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// printed is what a simulated printer makes of a document, up to its last cut.
func printed(t testing.TB, m Model, doc printer.Document) sim.Ticket {
	t.Helper()
	b, err := NewEncoder(m).Encode(doc)
	if err != nil {
		t.Fatal(err)
	}
	var tickets []sim.Ticket
	thermal := sim.NewThermal(func(k sim.Ticket) { tickets = append(tickets, k) })
	if m.presents() {
		thermal.SetModel(sim.CustomVKP80)
	}
	thermal.Receive(b)
	if unknown := thermal.Unknown(); len(unknown) > 0 {
		t.Errorf("the printer did not know %v", unknown)
	}
	if len(tickets) == 0 {
		t.Fatal("nothing was cut off")
	}
	return tickets[len(tickets)-1]
}

// extent is the smallest rectangle that holds all ink in r.
func extent(img *image.Gray, r image.Rectangle) image.Rectangle {
	ink := image.Rectangle{}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if img.GrayAt(x, y).Y < 0x80 {
				ink = ink.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return ink
}

// ink is where a block by itself leaves any.
func ink(t *testing.T, lang string, b printer.Block) image.Rectangle {
	t.Helper()
	img := printed(t, load(t, Default), printer.Document{Lang: lang, Blocks: []printer.Block{b, printer.Cut{}}}).Image()
	return extent(img, img.Rect)
}

func TestEveryModelPrintsEverything(t *testing.T) {
	for _, name := range Models() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := load(t, name)
			img := printed(t, m, everything).Image()
			if got := extent(img, img.Rect); got.Dx() < m.Dots*9/10 {
				t.Errorf("ink is %d of %d dots wide", got.Dx(), m.Dots)
			}
		})
	}
}

func TestLettersOfAnyScriptAreDrawn(t *testing.T) {
	e := NewEncoder(load(t, Default))
	for name, text := range map[string]string{
		"Arabic": "مرحبا", "Cyrillic": "Привіт", "Greek": "Αθήνα", "a Pole": "Łódź à Paris", "a Hungarian": "Erdő", "a Czech": "Dvořák", "Arabic digits": "٤٢",
	} {
		for _, block := range []printer.Block{printer.Text{Text: text}, printer.Heading{Level: 1, Text: text}, printer.Bullet{Text: "Ici", Detail: text}, printer.Checkbox{Text: text}} {
			b, err := e.Encode(printer.Document{Blocks: []printer.Block{block}})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(b, []byte("\x1dv0")) {
				t.Errorf("%s in %T is not drawn", name, block)
			}
			if bytes.ContainsAny(b[len("\x1b@\x1bt\x10\x1bR\x00\x1b3\x22"):bytes.Index(b, []byte("\x1dv0"))], "?abcdefghijklmnopqrstuvwxyz") {
				t.Errorf("%s in %T is written in part: %q", name, block, b)
			}
		}
	}
}

func TestRightToLeftStandsAtTheRight(t *testing.T) {
	const paper, margin = 576, 16
	for name, b := range map[string]printer.Block{
		"Arabic text":            printer.Text{Text: "مرحبا"},
		"an Arabic heading":      printer.Heading{Level: 1, Text: "مرحبا"},
		"French in between":      printer.Text{Text: "Mairie"},
		"a telephone number":     printer.Text{Text: "01 99 00 00 00"},
		"a checkbox":             printer.Checkbox{Text: "صورة"},
		"a checkbox in French":   printer.Checkbox{Text: "Photo"},
		"a bullet":               printer.Bullet{Text: "نقطة"},
		"a long one, two lines":  printer.Bullet{Text: strings.Repeat("نقطة ", 12)},
		"a checkbox's long text": printer.Checkbox{Text: strings.Repeat("صورة ", 12), Detail: "تفصيل"},
	} {
		got := ink(t, "ar", b)
		if got.Max.X < paper-margin || got.Min.X < 4 && got.Dx() < paper/2 {
			t.Errorf("%s has its ink at %v", name, got)
		}
	}
	if got := ink(t, "fr", printer.Checkbox{Text: "صورة"}); got.Min.X > margin {
		t.Errorf("a French list has its mark at %v", got)
	}
	if got := ink(t, "ar", printer.Heading{Level: 2, Text: "مرحبا", Centred: true}); max(got.Min.X-(paper-got.Max.X), (paper-got.Max.X)-got.Min.X) > 8 {
		t.Errorf("a centred heading stands at %v", got)
	}
}

// The text of a right-to-left point is wholly left of its mark, on every line.
func TestRightToLeftIndent(t *testing.T) {
	img := printed(t, load(t, Default), printer.Document{Lang: "ar", Blocks: []printer.Block{
		printer.Checkbox{Text: strings.Repeat("صورة ", 14), Detail: "تفصيل"}, printer.Cut{}}}).Image()
	mark := extent(img, image.Rect(576-48, 0, 576, img.Rect.Dy()))
	if mark.Dx() != 24 || mark.Dy() != 24 {
		t.Errorf("besides the box of 24 dots there is ink: %v", mark)
	}
	text := extent(img, image.Rect(0, 0, 576-48, img.Rect.Dy()))
	if text.Max.X < 576-48-8 || text.Dy() < 3*25 {
		t.Errorf("three lines of text stand at %v", text)
	}
}

// A number within Arabic keeps the order of its signs: one naive way of
// printing turned "A042" into "240A".
func TestNumbersKeepTheirOrder(t *testing.T) {
	e := NewEncoder(load(t, Default))
	w := &writer{Encoder: e, rtl: true}
	drawn := func(text string) *picture {
		d := w.drawing(bodySize, 0)
		d.add(0, right, text)
		return d.paint()
	}
	for _, number := range []string{"A042", "K7Q", "14:30", "2026"} {
		alone, wrong := cropped(drawn(number)), cropped(drawn(reversed(number)))
		line := drawn("الرقم " + number + " هنا")
		if !contains(line, alone) {
			t.Errorf("%s is not in its line", number)
		}
		if contains(line, wrong) {
			t.Errorf("%s is in its line as %s", number, reversed(number))
		}
	}
}

func reversed(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

func (p *picture) black(x, y int) bool { return p.bits[y*p.across+x/8]&(0x80>>(x%8)) != 0 }

// cropped is the ink of p alone.
func cropped(p *picture) [][]bool {
	box := image.Rectangle{}
	for y := range p.height() {
		for x := range p.across * 8 {
			if p.black(x, y) {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	out := make([][]bool, box.Dy())
	for y := range out {
		out[y] = make([]bool, box.Dx())
		for x := range out[y] {
			out[y][x] = p.black(box.Min.X+x, box.Min.Y+y)
		}
	}
	return out
}

// contains tells whether some part of p is just so, white as well as black.
func contains(p *picture, part [][]bool) bool {
	for top := range p.height() - len(part) + 1 {
		for left := range p.across*8 - len(part[0]) + 1 {
			if same(p, part, left, top) {
				return true
			}
		}
	}
	return false
}

func same(p *picture, part [][]bool, left, top int) bool {
	for y, row := range part {
		for x, black := range row {
			if p.black(left+x, top+y) != black {
				return false
			}
		}
	}
	return true
}

func TestBandsAreShort(t *testing.T) {
	w := &writer{Encoder: NewEncoder(load(t, Default)), now: normal}
	p := newPicture(576, 500)
	p.fill(8, 0, 8, 500)
	w.picture(p, left)
	rows := 0
	for b := w.data; len(b) > 0; {
		if !bytes.HasPrefix(b, []byte("\x1dv0\x00\x02\x00")) {
			t.Fatalf("no picture two bytes across: %q", b[:8])
		}
		n := int(b[6]) | int(b[7])<<8
		if n > bandRows {
			t.Errorf("a band of %d rows", n)
		}
		rows += n
		b = b[8+2*n:]
	}
	if rows != 500 || w.longest != 8+2*bandRows {
		t.Errorf("%d rows, the longest command of %d bytes", rows, w.longest)
	}
}

func TestDrawnQRCodeCanBeRead(t *testing.T) {
	zbarimg, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Fatal("zbarimg is not installed (Debian package zbar-tools)")
	}
	for _, name := range []string{"star-escpos", "custom-vkp80"} {
		for _, data := range []string{"https://example.org/", strings.Repeat("0123456789abcdef", 30)} {
			img := printed(t, load(t, name), printer.Document{Blocks: []printer.Block{printer.Text{Text: "مرحبا"}, printer.QR{Data: data}, printer.Cut{}}}).Image()
			path := filepath.Join(t.TempDir(), "ticket.png")
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(png.Encode(f, img), f.Close()); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), zbarimg, "--quiet", "--raw", "--nodbus", path).Output()
			if err != nil || strings.TrimRight(string(out), "\n") != data {
				t.Errorf("%s: zbarimg read %q, %v", name, out, err)
			}
		}
	}
}

// A picture comes out as it is, whatever white is left out of it.
func FuzzPicture(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 0, 0x80}, byte(2), byte(0))
	f.Add(bytes.Repeat([]byte{0, 0, 0, 0, 0, 0xFF, 0, 0}, 30), byte(3), byte(1))
	f.Fuzz(func(t *testing.T, bits []byte, across, side byte) {
		if across == 0 || across > 72 || len(bits) > 72*200 {
			return
		}
		m := load(t, Default)
		full := newPicture(m.Dots, len(bits)/int(across)+1)
		for i, b := range bits {
			full.bits[i/int(across)*full.across+i%int(across)] = b
		}
		full.fill(0, full.height()-1, m.Dots, 1)
		w := &writer{Encoder: NewEncoder(m), job: job{data: []byte("\x1b@")}, now: normal}
		w.picture(full, side%3)
		w.cut()
		var got *image.Gray
		thermal := sim.NewThermal(func(k sim.Ticket) { got = k.Image() })
		thermal.Receive(w.data)
		if got == nil {
			t.Fatal("nothing came out")
		}
		last := extent(got, image.Rect(0, got.Rect.Dy()-cutMargin-1, m.Dots, got.Rect.Dy())).Max.Y
		for y := range full.height() {
			for x := range m.Dots {
				if black := got.GrayAt(x, last-full.height()+y).Y < 0x80; black != full.black(x, y) {
					t.Fatalf("dot %d of row %d is black: %t", x, y, black)
				}
			}
		}
	})
}

// No text can hold a command, and none is lost on the way.
func FuzzEncode(f *testing.F) {
	f.Add("Pièce d’identité \x1b@", "fr")
	f.Add("e\u0301\u0301\x10\x04\x01 \xff", "ar")
	f.Add("مرحبا A042\n\u202e(1)", "ar")
	f.Add("👍 Łódź", "pl")
	models := Models()
	f.Fuzz(func(t *testing.T, text, lang string) {
		if len(text) > 200 {
			return
		}
		m := load(t, models[len(text)%len(models)])
		b, err := NewEncoder(m).Encode(printer.Document{Lang: lang, Blocks: []printer.Block{
			printer.Heading{Level: 1, Text: text}, printer.Text{Text: text, Centred: true}, printer.Checkbox{Text: text, Detail: text}, printer.Bullet{Text: text}, printer.Text{Text: "FIN"}, printer.Cut{}}})
		if err != nil {
			t.Fatal(err)
		}
		var tickets []string
		thermal := sim.NewThermal(func(k sim.Ticket) { tickets = append(tickets, k.Text) })
		if m.presents() {
			thermal.SetModel(sim.CustomVKP80)
		}
		thermal.Receive(b)
		if unknown := thermal.Unknown(); len(unknown) > 0 {
			t.Errorf("the printer did not know %v", unknown)
		}
		if len(tickets) != 1 || !strings.HasSuffix(strings.TrimSpace(tickets[0]), "FIN") {
			t.Errorf("tickets %q", tickets)
		}
	})
}
