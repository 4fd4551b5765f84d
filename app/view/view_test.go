package view_test

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"parvis/app/journey/journeytest"
	"parvis/app/page"
	"parvis/app/session"
	"parvis/app/theme"
	"parvis/app/view"
	"parvis/kiosk/visit"
)

var update = flag.Bool("update", false, "draw the golden pictures anew")

var (
	portrait  = theme.Screen{Width: 1080, Height: 1920, WidthMM: 398, FloorMM: 700}
	landscape = theme.Screen{Width: 1920, Height: 1080, WidthMM: 708, FloorMM: 800}
)

// glass is a glass in a window without a screen.
type glass struct {
	*view.Glass
	window  fyne.Window
	drawn   view.Drawn
	touched []string
}

func newGlass(t testing.TB, b *journeytest.Borne, s theme.Screen) *glass {
	t.Helper()
	test.NewTempApp(t)
	g := &glass{}
	g.Glass = view.NewGlass(s, b.Texts, func(id string) { g.touched = append(g.touched, id) }, func(d view.Drawn) { g.drawn = d })
	g.window = test.NewTempWindow(t, g.Glass)
	g.window.SetPadded(false)
	g.window.Resize(fyne.NewSize(s.Width, s.Height))
	return g
}

func (g *glass) target(t testing.TB, id string) view.Target {
	t.Helper()
	for _, x := range g.drawn.Targets {
		if x.ID == id {
			return x
		}
	}
	t.Fatalf("page %s has no %s", g.drawn.Page, id)
	return view.Target{}
}

func at(x, y int) *desktop.MouseEvent {
	return &desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(float32(x), float32(y))}}
}

func (g *glass) tap(t testing.TB, id string) {
	t.Helper()
	x := g.target(t, id)
	g.MouseDown(at(x.X+x.W/2, x.Y+x.H/2))
	g.MouseUp(at(x.X+x.W/2, x.Y+x.H/2))
}

// looks are the ways to draw that each language is measured in.
var looks = map[string][]session.Frame{
	"fr":   {{}, {TextStep: 1}, {TextStep: 2}, {Low: true}},
	"falc": {{TextStep: 2}},
	"en":   {{TextStep: 2}},
}

// Every choice of every page, in every look, lies on some screen of it, at
// least 20 mm large, 4 mm from its neighbours, and within the glass; in the
// low layout between the floor's reach and 1,220 mm (EN 301 549, 8.3.2).
func TestEveryTargetCanBeTouched(t *testing.T) {
	b := journeytest.New(t)
	for _, screen := range []theme.Screen{portrait, landscape} {
		g := newGlass(t, b, screen)
		for _, lang := range []string{"fr", "falc", "en"} {
			for _, scene := range b.Scenes(t, lang) {
				p := b.Page(t.Context(), scene.Visit)
				for _, look := range looks[lang] {
					look.Page, look.Focus, look.Fresh = p, -1, true
					checkLook(t, g, look, screen, lang+" "+scene.Name)
				}
			}
		}
	}
}

func checkLook(t *testing.T, g *glass, f session.Frame, s theme.Screen, name string) {
	t.Helper()
	g.Draw(f)
	seen := map[string]bool{}
	for n := 1; ; n++ {
		where := name
		if f.Low {
			where += " (low)"
		}
		where += map[int]string{0: "", 1: " (1.25)", 2: " (1.5)"}[f.TextStep]
		checkTargets(t, g.drawn, f, s, where)
		for _, x := range g.drawn.Targets {
			seen[x.ID] = true
		}
		if n >= g.drawn.Screens {
			break
		}
		g.tap(t, "pager.next")
		if g.drawn.Screen != n+1 {
			t.Fatalf("%s: the arrow leads from screen %d to %d", where, n, g.drawn.Screen)
		}
	}
	for _, part := range f.Page.Reading() {
		if part.Choice != nil && !seen[part.Choice.ID] {
			t.Errorf("%s: %s is on no screen", name, part.Choice.ID)
		}
	}
}

func checkTargets(t *testing.T, d view.Drawn, f session.Frame, s theme.Screen, name string) {
	t.Helper()
	mm := func(px int) float64 { return float64(px) * float64(s.MMPerPixel()) }
	rect := func(x view.Target) image.Rectangle { return image.Rect(x.X, x.Y, x.X+x.W, x.Y+x.H) }
	const slack = 0.45 // a pixel is 0.37 mm
	choices := 0
	for i, x := range d.Targets {
		if x.Kind == "choice" && !strings.HasPrefix(x.ID, "nav.") && !strings.HasPrefix(x.ID, "pager.") {
			choices++
		}
		if mm(x.W) < 20-slack || mm(x.H) < 20-slack {
			t.Errorf("%s: %s is %.1f × %.1f mm", name, x.ID, mm(x.W), mm(x.H))
		}
		if !rect(x).In(image.Rect(0, 0, int(s.Width), int(s.Height))) {
			t.Errorf("%s: %s lies beyond the glass: %v", name, x.ID, rect(x))
		}
		if f.Low && f.Page.Layout != page.Attract {
			if high := float64(s.FloorMM) + mm(int(s.Height)-x.Y); high > 1220+slack && s.Height > s.Width {
				t.Errorf("%s: %s is %.0f mm above the floor", name, x.ID, high)
			}
		}
		if x.ID == "start" {
			continue // the whole attract page is one target, with the languages on it
		}
		for _, y := range d.Targets[:i] {
			if y.ID == "start" {
				continue
			}
			if gap := distance(rect(x), rect(y)); gap*float64(s.MMPerPixel()) < 4-slack {
				t.Errorf("%s: %s and %s are %.1f mm apart", name, x.ID, y.ID, gap*float64(s.MMPerPixel()))
			}
		}
	}
}

// distance is the gap between two rectangles in pixels; negative when they overlap.
func distance(a, b image.Rectangle) float64 {
	if a.Overlaps(b) {
		return -1
	}
	dx := max(b.Min.X-a.Max.X, a.Min.X-b.Max.X, 0)
	dy := max(b.Min.Y-a.Max.Y, a.Min.Y-b.Max.Y, 0)
	return math.Hypot(float64(dx), float64(dy))
}

// An action happens on release, a shaking hand still hits, and sliding off
// cancels (EN 301 549, 11.2.5.2).
func TestFinger(t *testing.T) {
	b := journeytest.New(t)
	scenes := b.Scenes(t, "fr")
	home := session.Frame{Page: b.Page(t.Context(), scenes[1].Visit), Focus: -1, Fresh: true}
	for _, tc := range []struct {
		name     string
		dx, dy   int
		redraw   bool
		want     string
		anywhere bool
	}{
		{name: "straight", want: "demarches"},
		{name: "trembling", dx: 15, dy: -12, want: "demarches"},
		{name: "just over the edge", dx: 250, want: "demarches"},
		{name: "slid off", dx: 600, want: ""},
		{name: "page drawn again meanwhile", redraw: true, want: "demarches"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := newGlass(t, b, portrait)
			g.Draw(home)
			x := g.target(t, "demarches")
			g.MouseDown(at(x.X+x.W/2, x.Y+x.H/2))
			if len(g.touched) > 0 {
				t.Fatalf("%v happened before the release", g.touched)
			}
			if tc.redraw {
				again := home
				again.Fresh = false
				g.Draw(again)
			}
			g.MouseUp(at(x.X+x.W/2+tc.dx, x.Y+x.H/2+tc.dy))
			if len(g.touched) != 1 || g.touched[0] != tc.want {
				t.Errorf("touched %q, want %q", g.touched, tc.want)
			}
		})
	}
}

// A press shows at once, and goes when the finger does.
func TestPressedLook(t *testing.T) {
	b := journeytest.New(t)
	g := newGlass(t, b, portrait)
	g.Draw(session.Frame{Page: b.Page(t.Context(), b.Scenes(t, "fr")[1].Visit), Focus: -1, Fresh: true})
	x := g.target(t, "demarches")
	before := g.picture()
	g.MouseDown(at(x.X+x.W/2, x.Y+x.H/2))
	if same(before, g.picture()) {
		t.Error("pressing changes nothing on the glass")
	}
	g.MouseUp(at(x.X+x.W+300, x.Y))
	if !same(before, g.picture()) {
		t.Error("the pressed look stays after the finger has gone")
	}
}

// The part with the focus is framed, on the screen where it is.
func TestFocusTurnsToItsScreen(t *testing.T) {
	b := journeytest.New(t)
	g := newGlass(t, b, portrait)
	for _, scene := range b.Scenes(t, "fr") {
		p := b.Page(t.Context(), scene.Visit)
		if p.Name != "places" {
			continue
		}
		for i, part := range p.Reading() {
			if part.Choice == nil {
				continue
			}
			g.Draw(session.Frame{Page: p, Focus: i})
			g.target(t, part.Choice.ID)
		}
	}
}

func (g *glass) picture() image.Image { return g.window.Canvas().Capture() }

func same(a, b image.Image) bool {
	return bytes.Equal(a.(*image.NRGBA).Pix, b.(*image.NRGBA).Pix)
}

// The Arabic home page: mirrored, its sentences in the right order, with Latin
// words inside them. Compared with a golden picture.
func TestArabicHome(t *testing.T) {
	b := journeytest.New(t)
	v := b.Scenes(t, "fr")[1].Visit
	v.Lang = "ar"
	g := newGlass(t, b, portrait)
	p := b.Page(t.Context(), v)
	g.Draw(session.Frame{Page: p, Focus: -1, Fresh: true})
	// What stands on the left in French stands on the right in Arabic.
	demarches, help, back := g.target(t, "demarches"), g.target(t, "help"), g.target(t, "nav.back")
	if demarches.X <= help.X {
		t.Errorf("the first tile stands at %d, left of the second at %d", demarches.X, help.X)
	}
	if back.X < int(portrait.Width)/2 {
		t.Errorf("back stands on the left, at %d", back.X)
	}
	golden(t, "home-ar.png", g.picture())
}

// Keys keep their order on an Arabic page, and a number typed on them its own:
// field and keys are drawn as on a French one, though what stands around them is
// mirrored.
func TestArabicKeys(t *testing.T) {
	b := journeytest.New(t)
	var v *visit.Visit
	for _, scene := range b.Scenes(t, "fr") {
		if strings.HasPrefix(scene.Name, "callback.phone ") && string(scene.Visit.Draft.Phone) == "061234" {
			v = scene.Visit
		}
	}
	if v == nil {
		t.Fatal("no scene has a number half typed")
	}
	g := newGlass(t, b, portrait)
	draw := func(lang string) (picture image.Image, keys int) {
		v.Lang = lang
		g.Draw(session.Frame{Page: b.Page(t.Context(), v), Focus: -1, Fresh: true})
		one, two := g.target(t, "key:1"), g.target(t, "key:2")
		if one.X >= two.X {
			t.Errorf("%s: key 1 stands at %d, key 2 at %d", lang, one.X, two.X)
		}
		return g.picture(), one.Y
	}
	french, keys := draw("fr")
	arabic, _ := draw("ar")
	// The longest strip of the same rows above the keys that isn't bare.
	best, from := 0, -1
	for y := range keys {
		alike, inked := true, false
		for x := range int(portrait.Width) {
			if alike = french.At(x, y) == arabic.At(x, y); !alike {
				break
			}
			inked = inked || french.At(x, y) != french.At(0, y)
		}
		switch {
		case !alike || !inked:
			from = -1
		case from < 0:
			from = y
		}
		if from >= 0 {
			best = max(best, y+1-from)
		}
	}
	if best < 100 {
		t.Errorf("the field is not drawn alike: %d rows are", best)
	}
}

func golden(t *testing.T, name string, got image.Image) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		var buf bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&buf, got); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, buf.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if got.Bounds() != want.Bounds() {
		t.Fatalf("%s: %v, want %v", name, got.Bounds(), want.Bounds())
	}
	for y := range got.Bounds().Dy() {
		for x := range got.Bounds().Dx() {
			if color.NRGBAModel.Convert(got.At(x, y)) != color.NRGBAModel.Convert(want.At(x, y)) {
				out := filepath.Join(os.TempDir(), "got-"+name)
				if f, err := os.Create(out); err == nil {
					png.Encode(f, got)
					f.Close()
				}
				t.Fatalf("%s differs at (%d, %d); see %s, and draw it anew with -update if it is right", name, x, y, out)
			}
		}
	}
}

// Every icon a page asks for is carried.
func TestEveryIconExists(t *testing.T) {
	b := journeytest.New(t)
	for _, scene := range b.Scenes(t, "falc") {
		p := b.Page(t.Context(), scene.Visit)
		icons := []string{}
		for _, part := range p.Reading() {
			if part.Choice != nil && part.Choice.Icon != "" {
				icons = append(icons, part.Choice.Icon)
			}
		}
		for _, block := range p.Blocks {
			switch x := block.(type) {
			case page.Checklist:
				for _, it := range x.Items {
					if it.Icon != "" {
						icons = append(icons, it.Icon)
					}
				}
			case page.Notice:
				icons = append(icons, x.Icon)
			case page.Picture:
				icons = append(icons, x.Icon)
			}
		}
		for _, icon := range icons {
			if _, ok := theme.Icon(icon); !ok && icon != "" {
				t.Errorf("%s: no icon %s", scene.Name, icon)
			}
		}
	}
}
