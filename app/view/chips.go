package view

import (
	"parvis/app/page"
	"parvis/app/theme"
	"parvis/device/typeset"
)

// chip is a pill's place within its block.
type chip struct {
	box
	n int
}

// wrapChips places pills in lines.
func (l *layout) wrapChips(labels []string, icons []bool, width, height float32) (list []chip, total float32) {
	s := l.chipStyle()
	gap := l.Px(18)
	x, y := float32(0), float32(0)
	for n, label := range labels {
		w, _ := l.measure(label, s, 1e5)
		w += l.Px(68)
		if icons[n] {
			w += l.Px(52)
		}
		w = min(w, width)
		if x > 0 && x+w > width {
			x, y = 0, y+height+gap
		}
		list = append(list, chip{box{x, y, w, height}, n})
		x += w + gap
	}
	return list, y + height
}

func (l *layout) chipStyle() typeset.Style {
	return l.style(min(l.Size(theme.RowDetail), l.Fixed(theme.RowTitle)), typeset.SemiBold, l.Ink)
}

func (l *layout) chips(i int, g page.Choices, width float32) piece {
	labels, icons := make([]string, len(g.Items)), make([]bool, len(g.Items))
	p := piece{touch: true}
	for n, c := range g.Items {
		labels[n], icons[n] = c.Label, c.Icon != "" || c.Switch && c.On
		p.parts = append(p.parts, l.part(i, n))
	}
	head := float32(0)
	hs := l.style(l.Size(theme.Lead)*0.95, typeset.Regular, l.Muted)
	if g.Label != "" {
		_, head = l.measure(g.Label, hs, width)
		head += l.Px(16)
		p.parts = append(p.parts, l.part(i, -1))
	}
	list, total := l.wrapChips(labels, icons, width, l.Px(88))
	p.height = head + total
	p.draw = func(at box) {
		if g.Label != "" {
			l.text(g.Label, hs, at)
			l.mark(l.part(i, -1), box{at.x, at.y, at.w, head - l.Px(16)})
		}
		for _, k := range list {
			c := g.Items[k.n]
			l.chip(c, l.part(i, k.n), box{at.x + k.x, at.y + head + k.y, k.w, k.h})
		}
	}
	return p
}

func (l *layout) chip(c page.Choice, part int, at box) {
	on := c.Switch && c.On
	fill, ink, edge := l.Card, l.Ink, l.Edge
	if on {
		sh := l.Accent(c.Accent)
		fill, ink, edge = sh.Strong, sh.On, sh.Edge
		if l.Contrast {
			fill, ink, edge = l.Focus, l.Paper, l.Focus
		}
	}
	if c.Disabled() {
		fill, ink, edge = l.Paper, l.Off, l.Off
	}
	g := l.rect(at, fill, edge, l.Px(4), at.h/2)
	l.touch(at, c, g, l.pressed(fill))
	s := l.chipStyle()
	s.Colour, s.Align = ink, typeset.Centre
	name := c.Icon
	if on {
		name = "check"
	}
	in := box{at.x + l.Px(34), at.y, at.w - l.Px(68), at.h}
	if name != "" {
		l.icon(name, ink, box{in.x - l.Px(6), at.y + (at.h-l.Px(44))/2, l.Px(44), l.Px(44)})
		in.x += l.Px(52)
		in.w -= l.Px(52)
	}
	l.fit(c.Label, s, in)
	save := l.radius
	l.radius = at.h / 2
	l.mark(part, at)
	l.radius = save
}

func (l *layout) facts(i int, f page.Facts, width float32) piece {
	list, total := l.wrapChips(f.Items, make([]bool, len(f.Items)), width, l.Px(62))
	part := l.part(i, 0)
	return piece{height: total, parts: []int{part}, draw: func(at box) {
		s := l.chipStyle()
		s.Align = typeset.Centre
		for _, k := range list {
			b := box{at.x + k.x, at.y + k.y, k.w, k.h}
			tint := l.Accent(l.page.Accent).Tint
			l.rect(b, tint, l.tileEdge(), l.tileStroke(), l.Px(16))
			l.fit(f.Items[k.n], s, b.inset(l.Px(6)))
		}
		l.mark(part, box{at.x, at.y, at.w, total})
	}}
}

func (l *layout) badgeHeight() float32 { return l.Size(theme.NavLabel) * 1.5 }

// badge draws a few words on a tinted ground and returns its height.
func (l *layout) badge(bd page.Badge, at box) float32 {
	ink, tint := l.Muted, l.Accent(page.Plain).Tint
	switch bd.Tone {
	case page.Good:
		ink, tint = l.Good, l.GoodTint
	case page.Warn:
		ink, tint = l.Warn, l.WarnTint
	}
	s := l.style(l.Size(theme.NavLabel), typeset.SemiBold, ink)
	w, _ := l.measure(bd.Text, s, 1e5)
	h := l.badgeHeight()
	w = min(w+l.Px(40), at.w)
	l.rect(box{at.x, at.y, w, h}, tint, l.tileEdge(), l.tileStroke(), l.Px(12))
	s.Align = typeset.Centre
	l.fit(bd.Text, s, box{at.x + l.Px(12), at.y, w - l.Px(24), h})
	return h
}
