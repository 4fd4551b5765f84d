package a4_test

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"parvis/device/printer"
	"parvis/device/printer/a4"
)

func TestTextIsInOrder(t *testing.T) {
	t.Parallel()
	pages := text(t, render(t, demarche()))
	if len(pages) != 2 {
		t.Fatalf("%d pages, want 2", len(pages))
	}
	all := strings.Join(pages, "\n")
	for _, want := range []string{
		"Mairie de quartier", "Samedi 21 novembre · 14 h 30", "Carte d’identité, passeport", "À apporter",
		"1 photo d’identité", "De moins de 6 mois, aux normes officielles", "L’autre carte d’identité ou le passeport",
		"Passeport : 86 € en timbres fiscaux", "Délai", "Où aller", "• Dans une mairie équipée", "1/2",
		"Téléphone : 01 99 00 00 00", "Pré-demande sur ants.gouv.fr", "Visez ce code", "rendezvouspasseport.ants.gouv.fr",
		"« À vérifier » : cela a pu changer.", "Source : service-public.gouv.fr, F21089", "Service gratuit.", "2/2",
	} {
		_, rest, found := strings.Cut(all, want)
		if !found {
			t.Fatalf("%q is missing, or stands before what it should follow, in\n%s", want, strings.Join(pages, "\n"))
		}
		all = rest
	}
}

func TestOnePageHasNoNumber(t *testing.T) {
	t.Parallel()
	pages := text(t, render(t, place()))
	if len(pages) != 1 || strings.Contains(pages[0], "1/1") {
		t.Errorf("%d pages: %q", len(pages), pages)
	}
}

// Whatever stands above, what belongs together is on one page.
func TestTogetherOnOnePage(t *testing.T) {
	t.Parallel()
	belong := [][]string{
		{"À apporter", "1 photo d’identité", "De moins de 6 mois"},
		{"L’acte de naissance", "elle-même", "Demandez-le", "Nantes"},
		{"Prix", "Carte d’identité : gratuit"},
		{"Délai", "Quelques semaines"},
		{"Où aller", "Dans une mairie équipée", "Demandez à l’accueil"},
		{"Médiathèque du centre", "3 rue des Fontaines", "00000 Ville-Exemple", "À 7 minutes", "01 99 00 00 00", "Aujourd’hui"},
		{"Pré-demande sur ants.gouv.fr", "Visez ce code avec votre téléphone."},
		{"« À vérifier »", "F21089", "F1342", "15 novembre 2026", "Service gratuit."},
	}
	breaks := map[int]bool{}
	for lines := 0; lines < 40; lines += 2 {
		doc := demarche()
		doc.Blocks = slices.Insert(doc.Blocks, 5, slices.Repeat([]printer.Block{printer.Text{Text: "Une ligne de plus."}}, lines)...)
		pages := text(t, render(t, doc))
		breaks[len(pages)] = true
		for _, group := range belong {
			on := slices.IndexFunc(pages, func(p string) bool { return strings.Contains(p, group[0]) })
			if on < 0 {
				t.Fatalf("%d lines above: %q is nowhere", lines, group[0])
			}
			for _, s := range group[1:] {
				if !strings.Contains(pages[on], s) {
					t.Errorf("%d lines above: %q is not on the page of %q:\n%s", lines, s, group[0], pages[on])
				}
			}
		}
	}
	if !breaks[2] || !breaks[3] {
		t.Errorf("pages seen: %v; the test moves nothing across pages", breaks)
	}
}

func TestPlacesAreNotSplit(t *testing.T) {
	t.Parallel()
	for n := 4; n <= 16; n++ {
		for i, page := range text(t, render(t, places(n))) {
			names, ends := strings.Count(page, "Espace numérique"), strings.Count(page, "(fin ")
			if names == 0 || names != ends {
				t.Errorf("%d places, page %d: %d names and %d last lines:\n%s", n, i+1, names, ends, page)
			}
		}
	}
}

// A paragraph that a page has no room for goes on overleaf, never with a single
// line on either page.
func TestLongText(t *testing.T) {
	t.Parallel()
	splits := 0
	for above := 24; above <= 60; above++ {
		doc := lines(20)
		for range above {
			doc.Blocks = slices.Insert(doc.Blocks, 0, printer.Block(printer.Text{Text: "Au-dessus."}))
		}
		all := 0
		for i, p := range text(t, render(t, doc)) {
			on := strings.Count(p, "Une ligne")
			if all += on; on == 1 {
				t.Errorf("%d lines above: page %d holds a single line", above, i+1)
			}
			if on > 0 && on < 20 {
				splits++
			}
		}
		if all != 20 {
			t.Errorf("%d lines above: %d lines came out of 20", above, all)
		}
	}
	if splits == 0 {
		t.Error("no paragraph was split: the test tries nothing")
	}
}

// lines is one paragraph of n lines.
func lines(n int) printer.Document {
	return printer.Document{Lang: "fr", Blocks: []printer.Block{printer.Text{Text: strings.TrimSuffix(strings.Repeat("Une ligne qui passe le milieu de la page.\n", n), "\n")}}}
}

func TestNothingOutsideTheMarginsOrOverlapping(t *testing.T) {
	t.Parallel()
	wide := place()
	wide.Blocks = append(wide.Blocks, printer.Text{Text: strings.Repeat("sans-espace", 30)}, printer.Text{Text: strings.Repeat("W", 300), Bold: true, Centred: true},
		printer.Code{Text: "UNE-TRES-LONGUE-REFERENCE-0123456789"}, printer.Heading{Level: 1, Text: strings.Repeat("Титул ", 20)},
		printer.QR{Data: "https://example.org/" + strings.Repeat("x", 900)})
	for name, doc := range map[string]printer.Document{"demarche": demarche(), "place": place(), "places": places(9), "arabic": arabic(), "wide": wide, "full": lines(150)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pdf := render(t, doc)
			for i, img := range pictures(t, pdf) {
				inside := frame(img)
				ink := 0
				for y := img.Rect.Min.Y; y < img.Rect.Max.Y; y++ {
					for x := img.Rect.Min.X; x < img.Rect.Max.X; x++ {
						dark := img.GrayAt(x, y).Y < 200
						in := x >= inside.Min.X && x < inside.Max.X && y >= inside.Min.Y && y < inside.Max.Y
						if dark && !in {
							t.Fatalf("page %d: ink at %d,%d, outside %v", i+1, x, y, inside)
						}
						if dark {
							ink++
						}
					}
				}
				if ink < 1000 {
					t.Errorf("page %d is nearly white", i+1)
				}
			}
			words := boxes(t, pdf)
			for i, a := range words {
				for _, b := range words[i+1:] {
					if a.page == b.page && a.overlaps(b) {
						t.Errorf("%q at %v lies over %q at %v", a.text, a, b.text, b)
					}
				}
			}
		})
	}
}

func TestQRCodeIsReadFromThePaper(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"https://ants.gouv.fr", "https://service-public.gouv.fr/particuliers/vosdroits/F1342?lieu=" + strings.Repeat("centre-", 30)} {
		doc := place()
		for i, b := range doc.Blocks {
			if _, ok := b.(printer.QR); ok {
				doc.Blocks[i] = printer.QR{Data: data}
			}
		}
		if got := decode(t, render(t, doc)); got != data {
			t.Errorf("read %q, want %q", got, data)
		}
	}
}

func TestCheckboxesStandWhereLinesBegin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lang, text string
		right      bool
	}{{"fr", "Une photo", false}, {"ar", "صورة شخصية", true}, {"fa", "عکس", true}, {"he", "תמונה", true}, {"en", "A photo", false}} {
		img := pictures(t, render(t, printer.Document{Lang: c.lang, Blocks: []printer.Block{printer.Checkbox{Text: c.text}}}))[0]
		left, right := 0, 0
		for y := range img.Rect.Max.Y {
			for x := range img.Rect.Max.X {
				if img.GrayAt(x, y).Y < 200 && x < img.Rect.Max.X/2 {
					left++
				} else if img.GrayAt(x, y).Y < 200 {
					right++
				}
			}
		}
		if c.right && (left > 0 || right == 0) || !c.right && (right > 0 || left == 0) {
			t.Errorf("%s: %d dark points at the left, %d at the right", c.lang, left, right)
		}
	}
}

// The letters of Arabic are joined: four letters make one shape.
func TestArabicIsJoined(t *testing.T) {
	t.Parallel()
	shapes := func(s string) int {
		return components(pictures(t, render(t, printer.Document{Lang: "ar", Blocks: []printer.Block{printer.Heading{Level: 1, Text: s}}}))[0])
	}
	if got := shapes("محمد"); got != 1 {
		t.Errorf("a joined word has %d shapes, want 1", got)
	}
	if got := shapes("م ح م د"); got != 4 {
		t.Errorf("four letters apart have %d shapes, want 4", got)
	}
}

func TestNumbersStayInOrderInArabic(t *testing.T) {
	t.Parallel()
	pdf := render(t, arabic())
	all := strings.Join(text(t, pdf), "\n")
	for _, want := range []string{"A042", "042-B", "01 99 00 00 42", "14:30", "3 rue des Fontaines (bâtiment B).", "service-public.gouv.fr, F21089", "Mairie de quartier"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in\n%s", want, all)
		}
	}
	doc := printer.Document{Lang: "ar", Blocks: []printer.Block{printer.Text{Text: "واحد 111 اثنان 222 ثلاثة 333A أربعة"}}}
	at := map[string]float64{}
	for _, w := range boxes(t, render(t, doc)) {
		at[w.text] = w.right
	}
	if !(at["111"] > at["222"] && at["222"] > at["333A"] && at["333A"] > 0) {
		t.Errorf("111, 222 and 333A end at %v, %v and %v, want them from right to left", at["111"], at["222"], at["333A"])
	}
}

func TestSameDocumentSameBytes(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]printer.Document{"fr": demarche(), "ar": arabic()} {
		first := render(t, doc)
		for range 4 {
			if !bytes.Equal(first, render(t, doc)) {
				t.Fatalf("%s: two pictures of one document differ", name)
			}
		}
		if n := len(first) / len(text(t, first)); n > 200_000 {
			t.Errorf("%s: %d bytes a page", name, n)
		}
	}
}

func TestBadDocuments(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		blocks []printer.Block
		want   string
	}{
		"nothing":       {nil, "nothing to print"},
		"white":         {[]printer.Block{printer.Space{Lines: 3}, printer.Cut{}, printer.Text{}}, "nothing to print"},
		"empty QR":      {[]printer.Block{printer.Text{Text: "a"}, printer.QR{}}, "block 2: a QR code without data"},
		"endless QR":    {[]printer.Block{printer.QR{Data: strings.Repeat("x", 5000)}}, "block 1: a QR code of 5000 bytes"},
		"empty code":    {[]printer.Block{printer.Code{}}, "block 1: an empty code"},
		"unknown block": {[]printer.Block{nil}, "block 1: unknown block <nil>"},
	} {
		pdf, err := a4.Render(printer.Document{Lang: "fr", Blocks: c.blocks})
		if err == nil || !strings.Contains(err.Error(), c.want) || pdf != nil {
			t.Errorf("%s: %d bytes and error %v, want %q", name, len(pdf), err, c.want)
		}
	}
}

// Whatever a place's summary or a fiche holds can be set.
func FuzzRender(f *testing.F) {
	for _, s := range []string{"", "Bonjour.", "deux\nlignes\r\n", "tab\tici", "مرحبا 042A Pass numérique 42", "é́́", "\x00\xff", "\u202e\u202d\u2066", "🙂", "Україна", "(\\)", "AVAT To", "ffi"} {
		f.Add(s, "fr")
		f.Add(s, "ar")
	}
	f.Fuzz(func(t *testing.T, s, lang string) {
		if len(s) > 2000 || len(lang) > 20 {
			return
		}
		pdf, err := a4.Render(printer.Document{Lang: lang, Blocks: []printer.Block{
			printer.Text{Text: "a"}, printer.Heading{Text: s}, printer.Text{Text: s, Centred: true}, printer.Bullet{Text: s}, printer.Checkbox{Text: s, Detail: s},
		}})
		if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF-")) {
			t.Errorf("%q in %q: %v", s, lang, err)
		}
	})
}

func BenchmarkRender(b *testing.B) {
	for name, doc := range map[string]printer.Document{"fr": demarche(), "ar": arabic()} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := a4.Render(doc); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// word is a word on the paper, in points from the upper left corner.
type word struct {
	page                     int
	text                     string
	left, top, right, bottom float64
}

// overlaps tells whether two words lie one over the other. Their boxes reach
// from the highest to the lowest sign of the font, so that those of two lines
// may touch.
func (w word) overlaps(o word) bool {
	const slack = 2.5
	return w.left < o.right-0.5 && o.left < w.right-0.5 && w.top+slack < o.bottom && o.top+slack < w.bottom
}

var bbox = regexp.MustCompile(`<word xMin="([0-9.-]+)" yMin="([0-9.-]+)" xMax="([0-9.-]+)" yMax="([0-9.-]+)">([^<]*)</word>|<page `)

// boxes finds the words of a PDF.
func boxes(t *testing.T, pdf []byte) []word {
	t.Helper()
	var words []word
	page := 0
	for _, m := range bbox.FindAllStringSubmatch(string(tool(t, "poppler-utils", pdf, "pdftotext", "-bbox", "-", "-")), -1) {
		if m[5] == "" {
			page++
			continue
		}
		var n [4]float64
		for i := range n {
			n[i], _ = strconv.ParseFloat(m[i+1], 64) // the pattern has seen to it
		}
		words = append(words, word{page, m[5], n[0], n[1], n[2], n[3]})
	}
	if len(words) == 0 {
		t.Fatal("no words")
	}
	return words
}

func (w word) String() string {
	return fmt.Sprintf("(%.0f, %.0f)-(%.0f, %.0f)", w.left, w.top, w.right, w.bottom)
}
