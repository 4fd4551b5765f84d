package view

import (
	"fyne.io/fyne/v2/canvas"

	"parvis/app/page"
	"parvis/app/theme"
	"parvis/device/typeset"
)

// draw lays a page out on the glass.
func (l *layout) draw(screen int) (screens, shown int) {
	l.gap, l.radius = l.Px(30), l.Px(28)
	if l.wide || l.low {
		l.gap = l.Px(20)
	}
	switch l.page.Layout {
	case page.Attract:
		l.attract()
		screens = 1
	case page.Dark:
		screens, shown = l.centred(screen, true)
	case page.Centred:
		screens, shown = l.centred(screen, false)
	default:
		a := l.areas()
		l.header(a.header)
		l.message(a.message)
		l.nav(a.nav)
		screens, shown = l.standard(a.content, screen)
	}
	l.drawRings()
	return screens, shown
}

func (l *layout) header(at box) {
	l.rect(at, l.Header, nil, 0, 0)
	if l.Contrast {
		l.rect(box{at.x, at.y + at.h - 3, at.w, 3}, l.Edge, nil, 0, 0)
	}
	side := l.Px(80)
	l.icon("building-community", l.OnHeader, box{l.Px(56), at.y + (at.h-side)/2, side, side})
	clock := l.style(l.Fixed(theme.RowTitle), typeset.Bold, l.OnHeader)
	clock.Align = typeset.End
	cw, _ := l.measure(l.page.Header.Clock, clock, 1e5)
	l.fit(l.page.Header.Clock, clock, box{at.w - l.Px(56) - cw - 4, at.y, cw + 4, at.h})
	room := at.w - l.Px(56) - cw - l.Px(230)
	name := l.style(l.Fixed(theme.Body), typeset.SemiBold, l.OnHeader)
	note := l.style(l.Fixed(theme.NavLabel), typeset.Regular, l.OnHeaderMuted)
	if l.wide && l.page.Message.Text != "" {
		l.fit(l.page.Header.Site, name, box{l.Px(160), at.y, room, at.h})
		return
	}
	half := at.h * 0.36
	l.fit(l.page.Header.Site, name, box{l.Px(160), at.y + at.h*0.16, room, half})
	l.fit(l.page.Header.Note, note, box{l.Px(160), at.y + at.h*0.5, room, half})
}

func (l *layout) nav(at box) {
	if len(l.page.Nav) == 0 {
		return
	}
	l.rect(at, l.Card, nil, 0, 0)
	l.rect(box{at.x, at.y, at.w, 3}, l.Line, nil, 0, 0)
	gap := l.MM(4)
	n := float32(len(l.page.Nav))
	w := (at.w - gap*(n+1)) / n
	save := l.radius
	l.radius = l.Px(20)
	for i, c := range l.page.Nav {
		b := box{gap + float32(i)*(w+gap), at.y + l.Px(14), w, at.h - l.Px(28)}
		ink, icon := l.Ink, l.Ink
		if l.Contrast {
			icon = l.Focus
		}
		if c.Disabled() {
			ink, icon = l.Off, l.Off
		}
		fill := l.Card
		if c.Switch && c.On {
			fill, ink, icon = l.Ink, l.Paper, l.Paper
		}
		g := l.rect(b, fill, nil, 0, l.radius)
		l.touch(b, c, g, l.pressed(fill))
		s := l.style(l.Fixed(theme.NavLabel), typeset.SemiBold, ink)
		side := l.Px(72)
		if l.wide {
			l.icon(c.Icon, icon, box{b.x + l.Px(12), b.y, side * 0.85, b.h})
			s.Align = typeset.Start
			l.fit(c.Label, s, box{b.x + l.Px(84), b.y, b.w - l.Px(90), b.h})
		} else {
			l.icon(c.Icon, icon, box{b.x, b.y + l.Px(18), b.w, side})
			s.Align = typeset.Centre
			l.fit(c.Label, s, box{b.x + 2, b.y + l.Px(98), b.w - 4, b.h - l.Px(104)})
		}
		l.mark(l.part(-3, i), b)
	}
	l.radius = save
}

// attract fills the glass with one invitation: whose borne it is, the words,
// the button and, at the foot, the languages.
func (l *layout) attract() {
	sh := l.Accent(l.page.Accent)
	w, h, side := l.Screen.Width, l.Screen.Height, l.Px(80)
	in := w - 2*side
	top, foot, button := l.Px(110), side, l.Px(190)
	if l.wide {
		top, foot, button = l.Px(50), l.Px(50), l.Px(150)
	}
	// The whole glass starts a visit; the button says so.
	start := l.page.Actions[0]
	ground := l.rect(box{0, 0, w, h}, sh.Strong, nil, 0, 0)
	l.touch(box{0, 0, w, h}, start, ground, l.pressed(sh.Strong))

	if h := l.messageHeight(); h > 0 {
		l.message(box{0, 0, w, h})
		top = h + l.Px(40)
	}
	l.icon("building-community", sh.On, box{side, top, side, side})
	l.fit(l.page.Header.Site, l.style(l.Fixed(theme.Button), typeset.SemiBold, sh.On), box{l.Px(190), top, w - l.Px(260), side})

	below := h - foot
	for i, block := range l.page.Blocks {
		if c, ok := block.(page.Choices); ok {
			p := l.chips(i, c, in)
			below -= p.height
			p.draw(box{side, below, in, p.height})
		}
	}
	btn := box{side, min(h*0.66, below-button-l.Px(40)), min(in, l.Px(920)), button}
	l.rect(btn, l.Call, nil, 0, l.Px(36))
	s := l.style(l.Size(theme.Button)*1.25, typeset.Bold, l.OnCall)
	s.Align = typeset.Centre
	l.fit(start.Label, s, box{btn.x + l.Px(40), btn.y, btn.w - l.Px(170), btn.h})
	l.icon("arrow-right", l.OnCall, box{btn.x + btn.w - l.Px(130), btn.y, l.Px(84), btn.h})
	l.mark(l.part(-2, 0), btn)

	above := top + side + l.Px(30)
	title, lead := l.style(l.Size(theme.Title)*1.5, typeset.Bold, sh.On), l.style(l.Size(theme.Button), typeset.Regular, sh.On)
	var th, lh float32
	for range 12 {
		_, th = l.measure(l.page.Title, title, in)
		_, lh = l.measure(l.page.Lead, lead, in)
		if above+th+lh+l.Px(80) <= btn.y {
			break
		}
		title.Size, lead.Size = title.Size*0.92, lead.Size*0.95
	}
	y := above + max(0, btn.y-above-th-lh-l.Px(80))*0.45
	l.text(l.page.Title, title, box{side, y, in, 0})
	l.mark(l.part(-1, 1), box{side, y, in, th})
	y += th + l.Px(36)
	l.text(l.page.Lead, lead, box{side, y, in, 0})
	l.mark(l.part(-1, 3), box{side, y, in, lh})
	if l.dim {
		veil := theme.Contrast.Paper
		veil.A = 150
		l.place(canvas.NewRectangle(veil), box{0, 0, w, h})
	}
}

// centred draws a short page with its picture, words and actions in the middle.
func (l *layout) centred(screen int, dark bool) (screens, shown int) {
	a := l.areas()
	if dark {
		l.rect(box{0, 0, l.Screen.Width, l.Screen.Height}, l.Dark, nil, 0, 0)
	} else {
		l.header(a.header)
		l.message(a.message)
		l.nav(a.nav)
	}
	area := a.content
	if dark && !l.low { // a question in the middle of the glass
		area = box{area.x + area.w*0.12, area.y + area.h*0.12, area.w * 0.76, area.h * 0.72}
	}
	foot := l.actionsHeight(area.w)
	if foot > 0 {
		l.actions(box{area.x, area.y + area.h - foot, area.w, foot})
		area.h -= foot + l.gap
	}
	ink, muted := l.Ink, l.Muted
	if dark {
		ink, muted = l.OnDark, l.OnDark
	}
	// Picture first, then the words, as the eye takes them in.
	_, flow, _ := l.pieces(area.w)
	title := l.style(l.Size(theme.Title), typeset.Bold, ink)
	title.Align = typeset.Centre
	for range 6 {
		if _, h := l.measure(l.page.Title, title, area.w); h <= area.h*0.3 {
			break
		}
		title.Size *= 0.9
	}
	lead := l.style(l.Size(theme.Lead), typeset.Regular, muted)
	lead.Align = typeset.Centre
	text := func(t string, s typeset.Style, part int) piece {
		_, h := l.measure(t, s, area.w)
		return piece{height: h, parts: []int{part}, draw: func(at box) {
			l.text(t, s, at)
			l.mark(part, box{at.x, at.y, at.w, h})
		}}
	}
	var list []piece
	if len(flow) > 0 {
		if _, ok := l.page.Blocks[0].(page.Picture); ok {
			list, flow = append(list, flow[0]), flow[1:]
		}
	}
	list = append(list, text(l.page.Title, title, l.part(-1, 1)))
	if l.page.Lead != "" {
		list = append(list, text(l.page.Lead, lead, l.part(-1, 3)))
	}
	list = append(list, flow...)
	if l.stack(list) > area.h {
		l.overflows = true
	}
	if free := area.h - l.stack(list); free > 0 {
		area.y += free * 0.45
		area.h -= free * 0.45
	} else if len(list) > 2 && list[0].height > l.Px(100) && l.page.Layout == page.Centred {
		list = list[1:] // the picture is decoration: it gives way to the words
	}
	return l.flow(list, area, screen)
}
