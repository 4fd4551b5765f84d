package view

import (
	"strings"

	"parvis/app/page"
	"parvis/app/theme"
	"parvis/device/typeset"
)

func (l *layout) tiles(i int, g page.Choices, width float32) []piece {
	if l.low && !l.wide { // half the glass: icon and label side by side
		g.Shape = page.Grid
		for n := range g.Items {
			g.Items[n].Detail = ""
		}
		return l.rows(i, g, width)
	}
	columns, gap := 2, l.Px(32)
	cell := func() float32 { return (width - gap*float32(columns-1)) / float32(columns) }
	if l.wide {
		columns = len(g.Items)
		for _, c := range g.Items {
			if l.longestWord(c.Label, l.Size(theme.Button)*1.18) > cell()-l.Px(88) {
				columns = 2
			}
		}
	}
	inside := cell() - l.Px(88)
	for _, c := range g.Items {
		if l.longestWord(c.Label, l.Size(theme.Button)*1.18) > inside-2 {
			l.overflows = true
		}
	}
	height := func(c page.Choice) float32 {
		_, t := l.measure(c.Label, l.style(l.Size(theme.Button)*1.18, typeset.Bold, l.Ink), inside)
		_, d := l.measure(c.Detail, l.style(l.Size(theme.RowDetail), typeset.Regular, l.Ink), inside)
		return t + d + l.Px(88)
	}
	icon := l.Px(100)
	if l.wide && l.page.Message.Text != "" { // on a low glass icons make room for it
		icon = l.Px(50)
	}
	var list []piece
	for from := 0; from < len(g.Items); from += columns {
		items := g.Items[from:min(from+columns, len(g.Items))]
		p := piece{choices: len(items), stretch: true}
		for n, c := range items {
			p.height = max(p.height, height(c))
			p.parts = append(p.parts, l.part(i, from+n))
		}
		if columns > 2 || !l.wide {
			p.height += icon
		}
		p.draw = func(at box) {
			for n, c := range items {
				l.tile(c, p.parts[n], box{at.x + float32(n)*(cell()+gap), at.y, cell(), at.h})
			}
		}
		list = append(list, p)
	}
	return list
}

func (l *layout) longestWord(text string, size float32) float32 {
	longest := float32(0)
	for _, word := range strings.Fields(text) {
		w, _ := l.measure(word, l.style(size, typeset.Bold, l.Ink), 1e5)
		longest = max(longest, w)
	}
	return longest
}

func (l *layout) tile(c page.Choice, part int, at box) {
	ink, muted, icon := l.ground(c, at, true)
	in := box{at.x + l.Px(44), at.y + l.Px(44), at.w - l.Px(88), at.h - l.Px(88)}
	title := l.style(l.Size(theme.Button)*1.18, typeset.Bold, ink)
	detail := l.style(l.Size(theme.RowDetail), typeset.Regular, muted)
	_, th := l.measure(c.Label, title, in.w)
	_, dh := l.measure(c.Detail, detail, in.w)
	room := in.h - th - dh - l.Px(14)
	if side := min(l.Px(124), room); side >= l.Px(44) {
		l.icon(c.Icon, icon, box{in.x - l.Px(4), in.y, side, side})
	}
	y := in.y + in.h - th - dh - l.Px(10)
	y += l.text(c.Label, title, box{in.x, y, in.w, 0}) + l.Px(10)
	l.text(c.Detail, detail, box{in.x, y, in.w, 0})
	l.mark(part, at)
}

func (l *layout) faces(i int, g page.Choices, width float32) piece {
	gap := l.Px(28)
	n := float32(len(g.Items))
	cell := (width - gap*(n-1)) / n
	h := min(l.Px(340), cell)
	if l.low || l.wide {
		h = l.Px(186)
	}
	p := piece{height: h, choices: len(g.Items)}
	for k := range g.Items {
		p.parts = append(p.parts, l.part(i, k))
	}
	p.draw = func(at box) {
		for k, c := range g.Items {
			b := box{at.x + float32(k)*(cell+gap), at.y, cell, at.h}
			ink, _, icon := l.ground(c, b, false)
			label := l.Size(theme.Button) * 1.3
			l.icon(c.Icon, icon, box{b.x, b.y + l.Px(20), b.w, b.h - label - l.Px(44)})
			s := l.style(l.Size(theme.Button), typeset.SemiBold, ink)
			s.Align = typeset.Centre
			l.fit(c.Label, s, box{b.x + l.Px(10), b.y + b.h - label - l.Px(18), b.w - l.Px(20), label})
			l.mark(p.parts[k], b)
		}
	}
	return p
}
