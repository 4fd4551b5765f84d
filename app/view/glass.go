// Package view draws pages with Fyne. It knows how a page looks at every size
// of text and panel, and nothing of what its choices do.
package view

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"parvis/app/session"
	"parvis/app/text"
	"parvis/app/theme"
)

// Glass is the whole of what a resident sees and touches: one widget that
// draws a frame and tells where a finger was let go.
type Glass struct {
	widget.BaseWidget
	screen  theme.Screen
	texts   *text.Catalogue
	ink     *inkwell
	touched func(id string)
	drawn   func(Drawn)

	frame   session.Frame
	part    int // which screen of the page is shown
	objects []fyne.CanvasObject
	targets []target
	finger  *target // under the finger, while it is down
}

// Drawn tells where the choices of a page stand. It holds no words.
type Drawn struct {
	Page    string   `json:"page"`
	Lang    string   `json:"lang"`
	Screen  int      `json:"screen"`
	Screens int      `json:"screens"`
	Targets []Target `json:"targets"`
}

// Target is a place on the glass, in pixels.
type Target struct {
	ID       string `json:"id"`
	Kind     string `json:"kind"` // "choice" or "key"
	X        int    `json:"x"`
	Y        int    `json:"y"`
	W        int    `json:"w"`
	H        int    `json:"h"`
	Disabled bool   `json:"disabled"`
}

// NewGlass makes the glass of a panel. touched is told what a finger was let
// go on, "" beside all choices; drawn, which may be nil, each page drawn.
func NewGlass(screen theme.Screen, texts *text.Catalogue, touched func(id string), drawn func(Drawn)) *Glass {
	g := &Glass{screen: screen, texts: texts, ink: newInkwell(), touched: touched, drawn: drawn}
	g.ExtendBaseWidget(g)
	return g
}

// Draw draws a frame.
func (g *Glass) Draw(f session.Frame) {
	if f.Wiped {
		g.ink.empty()
	}
	if f.Fresh {
		g.part, g.finger = 0, nil
	}
	g.frame = f
	g.redraw()
}

func (g *Glass) redraw() {
	g.ink.next()
	// A text so large that a single piece of the page would not fit gives way
	// a little; the rest goes over several screens.
	var l *layout
	screens, shown := 0, 0
	for shrink := float32(1); ; shrink *= 0.9 {
		l = g.layout(shrink)
		screens, shown = l.draw(g.part)
		if !l.overflows || !l.Shrinkable() {
			break
		}
		g.ink.again()
	}
	g.part = shown
	g.objects, g.targets = l.objects, l.targets
	g.hold()
	g.Refresh()
	if g.drawn != nil {
		g.drawn(g.describe(screens))
	}
}

// hold keeps what a finger is on pressed when its page is drawn again under it.
func (g *Glass) hold() {
	if g.finger == nil {
		return
	}
	for i := range g.targets {
		if t := &g.targets[i]; t.choice.ID == g.finger.choice.ID {
			g.finger = t
			t.show(true)
			return
		}
	}
	g.finger = nil
}

// show draws a target pressed or at rest.
func (t *target) show(pressed bool) {
	if t.ground == nil {
		return
	}
	t.ground.FillColor = t.rest
	if pressed {
		t.ground.FillColor = t.press
	}
	t.ground.Refresh()
}

// layout prepares an empty board for the frame.
func (g *Glass) layout(shrink float32) *layout {
	f := g.frame
	w := g.texts.In(f.Page.Lang)
	th := theme.New(g.screen, f.TextStep, f.Contrast).Shrink(shrink)
	b := &board{Theme: th, ink: g.ink, rtl: w.RTL, low: f.Low, dim: f.Dim, width: g.screen.Width}
	b.place(canvas.NewRectangle(b.Paper), box{0, 0, g.screen.Width, g.screen.Height})
	return &layout{board: b, page: f.Page, reading: f.Page.Reading(), focus: f.Focus, wide: g.screen.Landscape(),
		messageRTL: g.texts.In(f.Page.Message.Lang).RTL, words: words{
			Position: func(from, to, total int) string {
				return w.T("pager.position", "From", from, "To", to, "Total", total)
			},
			Part: func(n, total int) string { return w.T("pager.page", "N", n, "Total", total) },
			Next: w.T("pager.next"), Previous: w.T("pager.previous"),
		}}
}

func (g *Glass) describe(screens int) Drawn {
	d := Drawn{Page: g.frame.Page.Name, Lang: g.frame.Page.Lang, Screen: g.part + 1, Screens: screens}
	for _, t := range g.targets {
		kind := "choice"
		if t.key {
			kind = "key"
		}
		d.Targets = append(d.Targets, Target{ID: t.choice.ID, Kind: kind, X: int(t.x), Y: int(t.y), W: int(t.w), H: int(t.h), Disabled: t.choice.Disabled()})
	}
	return d
}

// at finds the topmost target under a point.
func (g *Glass) at(p fyne.Position) *target {
	for i := len(g.targets) - 1; i >= 0; i-- {
		if g.targets[i].contains(p.X, p.Y) {
			return &g.targets[i]
		}
	}
	return nil
}

// slop is how far beside a target a finger may be let go: hands shake.
const slopMM = 8

// MouseDown shows the target pressed, in the same frame.
func (g *Glass) MouseDown(e *desktop.MouseEvent) {
	if g.finger = g.at(e.Position); g.finger != nil {
		g.finger.show(true)
	}
}

// MouseUp acts on release; sliding off cancels (EN 301 549, 11.2.5.2).
func (g *Glass) MouseUp(e *desktop.MouseEvent) {
	t := g.finger
	g.finger = nil
	if t == nil {
		g.touched("")
		return
	}
	t.show(false)
	slop := slopMM / g.screen.MMPerPixel()
	switch id := t.choice.ID; {
	case !t.inset(-slop).contains(e.Position.X, e.Position.Y):
		g.touched("")
	case id == pagerNext:
		g.turn(1)
	case id == pagerPrevious:
		g.turn(-1)
	default:
		g.touched(id)
	}
}

// turn shows another screen of the page.
func (g *Glass) turn(by int) {
	g.part += by
	g.frame.Focus = -1
	g.redraw()
	g.touched("")
}

// Cursor hides the mouse pointer: there is none on a borne.
func (g *Glass) Cursor() desktop.Cursor { return desktop.HiddenCursor }

// CreateRenderer is Fyne's way to ask for the objects.
func (g *Glass) CreateRenderer() fyne.WidgetRenderer { return glassRenderer{g} }

type glassRenderer struct{ g *Glass }

func (r glassRenderer) Layout(fyne.Size) {}
func (r glassRenderer) MinSize() fyne.Size {
	return fyne.NewSize(r.g.screen.Width, r.g.screen.Height)
}
func (r glassRenderer) Refresh()                     { canvas.Refresh(r.g) }
func (r glassRenderer) Objects() []fyne.CanvasObject { return r.g.objects }
func (r glassRenderer) Destroy()                     {}
