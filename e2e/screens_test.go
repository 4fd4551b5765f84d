package e2e

import (
	"cmp"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/draw"

	"parvis/e2e/fleet"
	"parvis/e2e/xdrive"
)

// TestScreens draws every page in every look into the folder named by
// PARVIS_SCREENS: make screens.
func TestScreens(t *testing.T) {
	dir := os.Getenv("PARVIS_SCREENS")
	if dir == "" {
		t.Skip("PARVIS_SCREENS names no folder: run make screens")
	}
	for _, look := range []struct {
		name, size string
		keys       []string // pressed on the home page
		lang       string
	}{
		{name: "portrait", size: "1080x1920"},
		{name: "portrait-large", size: "1080x1920", keys: []string{"F2", "F2"}},
		{name: "portrait-contrast", size: "1080x1920", keys: []string{"F3"}},
		{name: "portrait-falc", size: "1080x1920", lang: "falc"},
		{name: "portrait-arabic", size: "1080x1920", lang: "ar"},
		{name: "portrait-low", size: "1080x1920", keys: []string{"low"}},
		{name: "landscape", size: "1920x1080"},
		{name: "landscape-large", size: "1920x1080", keys: []string{"F2", "F2"}},
		{name: "landscape-contrast", size: "1920x1080", keys: []string{"F3"}},
	} {
		t.Run(look.name, func(t *testing.T) {
			out := filepath.Join(dir, look.name)
			if err := os.MkdirAll(out, 0o755); err != nil {
				t.Fatal(err)
			}
			a := &album{t: t, dir: out, keys: look.keys, lang: look.lang}
			profile := profileFor(t, look.lang)
			a.b = xdrive.StartBorne(t, xdrive.Options{Profile: profile, Size: look.size, Env: []string{xdrive.Morning}, Also: []string{"card", "office"}})
			a.pages()
			a.b = xdrive.StartBorne(t, xdrive.Options{Profile: profile, Size: look.size, Env: []string{xdrive.Morning + " x8"}})
			a.open()
			a.b.WaitPage("timeout")
			a.shot("timeout")
			a.b = xdrive.StartBorne(t, xdrive.Options{Size: look.size, Profile: "-", Places: "-", Bare: true, Env: []string{xdrive.Morning}})
			fleet.Strange(t, filepath.Join(a.b.Dir, "run/data"))
			a.b.WaitPage("maintenance.enrol")
			a.shot("first-boot")
		})
	}
}

// profileFor is a site that speaks a language: the demo's own, or else one beside it.
func profileFor(t *testing.T, lang string) string {
	t.Helper()
	demo, err := os.ReadFile("../packaging/demo.toml")
	must(t, err)
	if lang == "" || strings.Contains(string(demo), `"`+lang+`"`) {
		return ""
	}
	path := filepath.Join(t.TempDir(), "profil.toml")
	must(t, os.WriteFile(path, []byte(strings.Replace(string(demo), `langues = ["fr", `, `langues = ["fr", "`+lang+`", `, 1)), 0o600))
	return path
}

// album takes pictures of one look.
type album struct {
	t    *testing.T
	b    *xdrive.Borne
	dir  string
	keys []string
	lang string
}

func (a *album) open() {
	first := "start"
	if a.lang != "" {
		first = "lang:" + a.lang
	}
	tap(a.b, first)
	for _, k := range a.keys {
		if k == "low" {
			tap(a.b, "nav.language", "low", "nav.home")
			continue
		}
		a.b.Key(k)
		a.b.WaitDrawn()
	}
}

func (a *album) find(ids ...string) { find(a.b, ids...) }

func (a *album) pages() {
	b := a.b
	a.shot("attract")
	a.open()
	a.shot("home")
	a.find("demarches")
	a.shot("demarches")
	a.find("themes")
	a.shot("demarche-themes")
	tap(b, "nav.back")
	a.find("search")
	write(b, "cart")
	a.shot("demarche-search")
	tap(b, "nav.back")
	a.find("demarche:carte-identite-passeport")
	a.shot("demarche-question")
	a.find("answer:carte", "answer:adulte", "answer:premiere", "answer:oui")
	a.all("demarche-result")
	a.find("online")
	a.shot("demarche-online")
	tap(b, "nav.back")
	a.find("where")
	a.shot("demarche-where")
	tap(b, "nav.back")
	a.find("sources")
	a.shot("demarche-sources")
	tap(b, "nav.home")
	a.find("help")
	a.shot("help-need")
	a.find("need:demarches")
	a.shot("places")
	a.find("filters")
	a.shot("places-filters")
	a.find("group:care")
	a.shot("places-filter")
	tap(b, "nav.back", "nav.back")
	a.find("place:demo-02")
	a.all("place")
	a.find("phone")
	a.shot("place-phone")
	tap(b, "nav.home")
	a.find("help", "need:ordinateur", "wifi")
	a.shot("wifi")
	tap(b, "nav.home")
	a.find("help", "search")
	write(b, "medi")
	a.shot("places-search")
	tap(b, "nav.home")
	a.find("level")
	a.shot("level-question")
	for a.b.Page().Page == "level.question" {
		for _, target := range b.Page().Targets {
			if len(target.ID) > 7 && target.ID[:7] == "answer:" {
				tap(b, target.ID)
				break
			}
		}
	}
	a.all("level-result")
	tap(b, "nav.home")
	a.find("card")
	a.all("card")
	tap(b, "nav.language")
	a.all("language")
	tap(b, "nav.person")
	a.shot("person")
	tap(b, "nav.home")
	a.find("callback")
	a.shot("callback-topic")
	a.find("topic:social_sante")
	write(b, "0612345")
	a.shot("callback-phone")
	write(b, "678")
	a.find("continue", "slot:1")
	a.shot("callback-when")
	a.find("continue")
	write(b, "L")
	write(b, "ea")
	a.shot("callback-name")
	a.find("continue")
	a.all("callback-review")
	tap(b, "consent")
	a.shot("callback-agreed")
	tap(b, "send")
	b.WaitPage("callback.done")
	a.shot("callback-done")
	a.find("print")
	a.shot("print-choose")
	b.Printer("after 150 paper out")
	a.find("on:ticket")
	b.WaitPage("print.failed")
	a.shot("print-failed")
	a.find("back", "print")
	b.Wait("a page that knows there is no paper", func() bool { return b.Target("on:ticket").Disabled })
	tap(b, "on:ticket")
	a.shot("print-no-paper")
	b.Printer("paper in")
	tap(b, "nav.back")
	a.find("leave", "face:some", "missing:internet")
	a.shot("leaving")
	tap(b, "nav.home")
	a.cards()
	a.staff()
}

// cards shows one card after the other.
func (a *album) cards() {
	for _, c := range []struct{ order, page, name string }{
		{"rfid card city", "card.city", "card-city"},
		{"scanner scan ABCD12345678", "card.pass", "card-pass"},
		{"card insert vitale", "card.vitale", "card-vitale"},
		{"rfid card unknown", "card.unknown", "card-unknown"},
		{"rfid card mediator", "card.mediator", "card-mediator"},
	} {
		show(a.t, a.b, c.order, c.page)
		device(a.t, a.b, "rfid remove")
		a.shot(c.name)
		if c.page == "card.vitale" {
			device(a.t, a.b, "card remove")
		}
	}
	tap(a.b, "continue")
	a.shot("accompanied")
}

// staff shows the pages that a staff badge and its code open.
func (a *album) staff() {
	b := a.b
	show(a.t, b, staffCard, "maintenance.pin")
	device(a.t, b, "rfid remove")
	write(b, "24")
	a.shot("maintenance-pin")
	write(b, "68")
	tap(b, "enter")
	b.Wait("the page for staff", func() bool { return b.Page().Page == "maintenance" })
	a.shot("maintenance")
	a.find("devices")
	a.all("maintenance-devices")
	tap(b, "nav.back")
	a.find("faults")
	b.WaitPage("maintenance.faults")
	a.shot("maintenance-faults")
	tap(b, "nav.back")
	a.find("sound")
	a.shot("maintenance-sound")
	tap(b, "nav.back")
	a.find("out")
	wantPage(a.t, finish(b), "maintenance")
	a.find("leaving.finish")
	b.WaitPage("closed")
	a.shot("closed")
}

// all takes every screen of a page.
func (a *album) all(name string) {
	a.shot(name)
	for n := 2; a.b.Page().Screen < a.b.Page().Screens; n++ {
		tap(a.b, "pager.next")
		a.shot(name + "-" + string(rune('0'+n)))
	}
}

// shot keeps a small picture, in few colours.
func (a *album) shot(name string) {
	a.t.Helper()
	full := filepath.Join(a.t.TempDir(), "full.png")
	a.b.Screenshot(full)
	f, err := os.Open(full)
	if err != nil {
		a.t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		a.t.Fatal(err)
	}
	size := img.Bounds().Size().Div(3)
	small := image.NewRGBA(image.Rectangle{Max: size})
	draw.CatmullRom.Scale(small, small.Bounds(), img, img.Bounds(), draw.Src, nil)
	pal := image.NewPaletted(small.Bounds(), commonColours(small))
	draw.Draw(pal, pal.Bounds(), small, image.Point{}, draw.Src)
	out, err := os.Create(filepath.Join(a.dir, name+".png"))
	if err != nil {
		a.t.Fatal(err)
	}
	defer out.Close()
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(out, pal); err != nil {
		a.t.Fatal(err)
	}
}

// commonColours is a palette of the most frequent colours of a picture, one of
// each group of colours that look alike.
func commonColours(img *image.RGBA) color.Palette {
	type group struct {
		colour color.RGBA
		n      int
	}
	groups := map[[3]byte]*group{}
	for i := 0; i < len(img.Pix); i += 4 {
		p := img.Pix[i : i+3]
		key := [3]byte{p[0] >> 3, p[1] >> 3, p[2] >> 3}
		if groups[key] == nil {
			groups[key] = &group{colour: color.RGBA{p[0], p[1], p[2], 255}}
		}
		groups[key].n++
	}
	list := slices.SortedFunc(maps.Values(groups), func(a, b *group) int {
		return cmp.Or(b.n-a.n, cmp.Compare(a.colour.R, b.colour.R), cmp.Compare(a.colour.G, b.colour.G), cmp.Compare(a.colour.B, b.colour.B))
	})
	var pal color.Palette
	for _, g := range list[:min(len(list), 96)] {
		pal = append(pal, g.colour)
	}
	return pal
}
