package view

import (
	"image/color"

	"parvis/app/page"
	"parvis/app/theme"
	"parvis/device/typeset"
)

// ground draws what a choice stands on, by its state, and makes it touchable.
// It returns the colour of text and of icons on it.
func (l *layout) ground(c page.Choice, at box, strong bool) (text, muted, icon color.NRGBA) {
	sh := l.Accent(c.Accent)
	fill, edge, stroke := l.Card, l.Line, l.Px(3)
	text, muted, icon = l.Ink, l.Muted, sh.Icon
	switch {
	case c.Disabled():
		edge, text, muted, icon = l.Off, l.Off, l.Off, l.Off
		fill = l.Paper
	case strong:
		fill, edge, text, muted, icon = sh.Strong, sh.Edge, sh.On, sh.On, sh.On
		if l.Contrast {
			icon = sh.Icon
		}
	case c.Switch && c.On:
		fill, edge, stroke = sh.Tint, sh.Edge, l.Px(6)
	case c.Switch:
		edge = l.Edge
	}
	if l.Contrast && !c.Disabled() {
		edge = l.Edge
		if c.Switch && c.On {
			edge = l.Focus
		}
	}
	g := l.rect(at, fill, edge, stroke, l.radius)
	l.touch(at, c, g, l.pressed(fill))
	return text, muted, icon
}

// rowHeight measures a row of a list.
func (l *layout) rowHeight(c page.Choice, width float32) float32 {
	_, h := l.rowText(c, width)
	if c.Badge != nil {
		h += l.badgeHeight() + l.Px(10)
	}
	return max(h+l.Px(44), l.rowLeast())
}

func (l *layout) rowLeast() float32 {
	if l.wide || l.low {
		return l.Px(118)
	}
	return l.Px(148)
}

// rowText returns the width that a row leaves for its text and the text's height.
func (l *layout) rowText(c page.Choice, width float32) (w, h float32) {
	w = width - l.Px(60)
	if c.Icon != "" || c.Letter != "" || c.Switch {
		w -= l.Px(146)
	}
	if c.Side != "" {
		sw, _ := l.measure(c.Side, l.style(l.Size(theme.RowTitle), typeset.Bold, l.Ink), 1e5)
		nw, _ := l.measure(c.SideNote, l.style(l.Size(theme.RowDetail), typeset.Regular, l.Muted), 1e5)
		w -= max(sw, nw) + l.Px(56)
	} else if !c.Switch {
		w -= l.Px(70)
	}
	_, h = l.measure(c.Label, l.style(l.Size(theme.RowTitle), typeset.SemiBold, l.Ink), w)
	if c.Detail != "" {
		_, dh := l.measure(c.Detail, l.style(l.Size(theme.RowDetail), typeset.Regular, l.Muted), w)
		h += dh + l.Px(4)
	}
	return w, h
}

// rows lays choices out one under the other, or as cards in columns.
func (l *layout) rows(i int, g page.Choices, width float32) []piece {
	columns := 1
	if l.wide {
		columns = 2
	}
	if g.Shape == page.Grid {
		columns = 2
		if l.wide {
			columns = 3
		}
	}
	if len(g.Items) == 1 {
		columns = 1
	}
	gap := l.Px(28)
	cell := (width - gap*float32(columns-1)) / float32(columns)
	// A word that would break needs the whole width.
	for _, c := range g.Items {
		w := cell - l.Px(48)
		if g.Shape != page.Grid || c.Icon != "" {
			w, _ = l.rowText(c, cell)
		}
		if l.longestWord(c.Label, l.Size(theme.RowTitle)) > w {
			columns, cell = 1, width
			break
		}
	}
	var list []piece
	if g.Label != "" {
		list = append(list, l.headingPiece(i, g.Label, width))
	}
	for from := 0; from < len(g.Items); from += columns {
		items := g.Items[from:min(from+columns, len(g.Items))]
		p := piece{choices: len(items)}
		for n, c := range items {
			if g.Shape == page.Grid && c.Icon == "" {
				_, th := l.measure(c.Label, l.style(l.Size(theme.RowTitle), typeset.SemiBold, l.Ink), cell-l.Px(48))
				_, dh := l.measure(c.Detail, l.style(l.Size(theme.RowDetail), typeset.Regular, l.Ink), cell-l.Px(48))
				p.height = max(p.height, th+dh+l.Px(64), l.Px(160))
			} else {
				p.height = max(p.height, l.rowHeight(c, cell))
			}
			p.parts = append(p.parts, l.part(i, from+n))
		}
		p.draw = func(at box) {
			for n, c := range items {
				b := box{at.x + float32(n)*(cell+gap), at.y, cell, p.height}
				if g.Shape == page.Grid && c.Icon == "" {
					l.card(c, p.parts[n], b)
				} else {
					l.row(c, p.parts[n], b)
				}
			}
		}
		list = append(list, p)
	}
	return list
}

// card draws a choice without an icon, its words in the middle. The one in
// force bears a check.
func (l *layout) card(c page.Choice, part int, at box) {
	ink, muted, icon := l.ground(c, at, false)
	title := l.style(l.Size(theme.RowTitle), typeset.SemiBold, ink)
	detail := l.style(l.Size(theme.RowDetail), typeset.Regular, muted)
	title.Align, detail.Align = typeset.Centre, typeset.Centre
	in := at.inset(l.Px(24))
	_, th := l.measure(c.Label, title, in.w)
	_, dh := l.measure(c.Detail, detail, in.w)
	y := at.y + (at.h-th-dh)/2
	l.text(c.Label, title, box{in.x, y, in.w, 0})
	l.text(c.Detail, detail, box{in.x, y + th, in.w, 0})
	if c.Switch && c.On {
		l.icon("check", icon, box{at.x + at.w - l.Px(60), at.y + l.Px(10), l.Px(48), l.Px(48)})
	}
	l.mark(part, at)
}

// headingPiece is the heading over a group of choices.
func (l *layout) headingPiece(i int, label string, width float32) piece {
	s := l.style(l.Size(theme.Lead), typeset.Regular, l.Muted)
	_, h := l.measure(label, s, width)
	part := l.part(i, -1)
	return piece{height: h, keep: true, parts: []int{part}, draw: func(at box) {
		l.text(label, s, at)
		l.mark(part, box{at.x, at.y, at.w, h})
	}}
}

func (l *layout) row(c page.Choice, part int, at box) {
	ink, muted, icon := l.ground(c, at, false)
	sh := l.Accent(c.Accent)
	x := at.x + l.Px(38)
	if c.Icon != "" || c.Letter != "" || c.Switch {
		side := min(l.Px(110), at.h-l.Px(28))
		tile := box{x, at.y + (at.h-side)/2, side, side}
		tint := sh.Tint
		if c.Disabled() {
			tint = l.Paper
		}
		l.rect(tile, tint, l.tileEdge(), l.tileStroke(), l.Px(22))
		name := c.Icon
		if c.Switch {
			name = switchIcon(c)
		}
		if c.Letter != "" {
			s := l.style(l.Px(52), typeset.Bold, icon)
			s.Align = typeset.Centre
			l.fit(c.Letter, s, tile)
		} else if name != "" {
			l.icon(name, icon, tile.inset(side*0.17))
		}
		x += l.Px(146)
	}
	w, h := l.rowText(c, at.w)
	if c.Badge != nil {
		h += l.badgeHeight() + l.Px(10)
	}
	y := at.y + (at.h-h)/2
	title := l.style(l.Size(theme.RowTitle), typeset.SemiBold, ink)
	detail := l.style(l.Size(theme.RowDetail), typeset.Regular, muted)
	top := y
	y += l.text(c.Label, title, box{x, y, w, 0})
	if c.Detail != "" {
		y += l.Px(4)
		y += l.text(c.Detail, detail, box{x, y, w, 0})
	}
	if c.Badge != nil {
		l.badge(*c.Badge, box{x, y + l.Px(10), w, 0})
	}
	right := box{x + w, top, at.x + at.w - l.Px(38) - x - w, 0}
	if c.Side != "" {
		side := l.style(l.Size(theme.RowTitle), typeset.Bold, ink)
		side.Align, detail.Align = typeset.End, typeset.End
		h := l.text(c.Side, side, right)
		right.y += h + l.Px(2)
		l.text(c.SideNote, detail, right)
	} else if !c.Disabled() && !c.Switch {
		l.icon("chevron-right", ink, box{at.x + at.w - l.Px(96), at.y + (at.h-l.Px(52))/2, l.Px(52), l.Px(52)})
	}
	l.mark(part, at)
}

func switchIcon(c page.Choice) string {
	if c.On {
		return "checkbox"
	}
	return "square"
}

func (l *layout) tileEdge() color.NRGBA {
	if l.Contrast {
		return l.Focus
	}
	c := l.Line
	c.A = 0
	return c
}

func (l *layout) tileStroke() float32 {
	if l.Contrast {
		return l.Px(3)
	}
	return 0
}
