package view

import (
	"strconv"

	"parvis/app/page"
	"parvis/app/theme"
	"parvis/device/typeset"
)

func (l *layout) checklist(i int, c page.Checklist, width float32) []piece {
	var list []piece
	columns := 1
	if l.wide && len(c.Items) > 2 {
		columns = 2
	}
	gap := l.Px(28)
	cell := (width - gap*float32(columns-1)) / float32(columns)
	inner := cell - l.Px(184)
	title := l.style(l.Size(theme.Body)*1.05, typeset.SemiBold, l.Ink)
	detail := l.style(l.Size(theme.RowDetail), typeset.Regular, l.Muted)
	for from := 0; from < len(c.Items); from += columns {
		items := c.Items[from:min(from+columns, len(c.Items))]
		p := piece{}
		for n, it := range items {
			_, h := l.measure(it.Text, title, inner)
			if it.Detail != "" {
				_, dh := l.measure(it.Detail, detail, inner)
				h += dh + l.Px(4)
			}
			p.height = max(p.height, h+l.Px(44), l.Px(112))
			p.parts = append(p.parts, l.part(i, from+n))
		}
		p.draw = func(at box) {
			for n, it := range items {
				b := box{at.x + float32(n)*(cell+gap), at.y, cell, at.h}
				l.rect(b, l.Card, l.Line, l.Px(3), l.radius)
				icon := "check"
				if it.Icon != "" {
					icon = it.Icon
				}
				l.icon(icon, l.Good, box{b.x + l.Px(44), b.y, l.Px(64), b.h})
				_, h := l.measure(it.Text, title, inner)
				if it.Detail != "" {
					_, dh := l.measure(it.Detail, detail, inner)
					h += dh + l.Px(4)
				}
				y := b.y + (b.h-h)/2
				y += l.text(it.Text, title, box{b.x + l.Px(146), y, inner, 0})
				if it.Detail != "" {
					l.text(it.Detail, detail, box{b.x + l.Px(146), y + l.Px(4), inner, 0})
				}
				l.mark(p.parts[n], b)
			}
		}
		list = append(list, p)
	}
	return list
}

func (l *layout) notice(i int, n page.Notice, width float32) piece {
	sh := l.Accent(n.Accent)
	title := l.style(l.Size(theme.Body)*1.05, typeset.SemiBold, l.Ink)
	body := l.style(l.Size(theme.RowDetail), typeset.Regular, l.Ink)
	inner := width - l.Px(76)
	left := l.Px(38)
	if n.Icon != "" {
		inner -= l.Px(90)
		left += l.Px(90)
	}
	_, h := l.measure(n.Title, title, inner)
	if n.Text != "" {
		_, bh := l.measure(n.Text, body, inner)
		h += bh + l.Px(6)
	}
	part := l.part(i, 0)
	return piece{height: h + l.Px(52), parts: []int{part}, draw: func(at box) {
		l.rect(at, sh.Tint, sh.Edge, l.Px(3), l.radius)
		if n.Icon != "" {
			l.icon(n.Icon, sh.Icon, box{at.x + l.Px(34), at.y, l.Px(64), at.h})
		}
		y := at.y + (at.h-h)/2
		y += l.text(n.Title, title, box{at.x + left, y, inner, 0})
		l.text(n.Text, body, box{at.x + left, y + l.Px(6), inner, 0})
		l.mark(part, at)
	}}
}

// table draws labels and values, a card of as many lines as fit.
func (l *layout) table(i int, t page.Table, width float32) []piece {
	var list []piece
	inner := width - l.Px(76)
	for n, line := range t.Lines {
		size, weight := l.Size(theme.RowDetail), typeset.Regular
		if line.Strong {
			weight = typeset.Bold
		}
		label, value := l.style(size, weight, l.Ink), l.style(size, weight, l.Ink)
		value.Align = typeset.End
		lw, lh := l.measure(line.Label, label, inner)
		vw, vh := l.measure(line.Value, value, inner)
		under := lw+vw+l.gap > inner
		if !under {
			_, vh = l.measure(line.Value, value, inner-lw-l.gap)
		}
		h := max(lh, vh)
		if under {
			h = lh + vh
		}
		part := l.part(i, n)
		list = append(list, piece{height: h, parts: []int{part}, draw: func(at box) {
			l.text(line.Label, label, box{at.x + l.Px(38), at.y, inner, 0})
			y := at.y
			if under {
				y += lh
			}
			l.text(line.Value, value, box{at.x + l.Px(38), y, inner, 0})
			l.mark(part, at)
		}})
	}
	return l.cards(list, width)
}

// cards groups lines onto a ground, at most as high as a third of the glass,
// so that a table can go over several screens.
func (l *layout) cards(lines []piece, width float32) []piece {
	var list []piece
	gap := l.Px(10)
	most := l.Screen.Height * 0.3
	if l.wide {
		most = l.Screen.Height * 0.22
	}
	for from := 0; from < len(lines); {
		to, h := from, float32(0)
		for to < len(lines) && (to == from || h+lines[to].height+gap < most) {
			h += lines[to].height + gap
			to++
		}
		group := lines[from:to]
		p := piece{height: h + l.Px(48)}
		for _, g := range group {
			p.parts = append(p.parts, g.parts...)
		}
		p.draw = func(at box) {
			l.rect(at, l.Card, l.Line, l.Px(3), l.radius)
			y := at.y + l.Px(28)
			for _, g := range group {
				g.draw(box{at.x, y, at.w, g.height})
				y += g.height + gap
			}
		}
		list = append(list, p)
		from = to
	}
	return list
}

func (l *layout) qrPiece(i int, q page.QR, width float32) piece {
	side := min(width*0.62, l.Px(560))
	if l.low || l.wide {
		side = min(width*0.4, l.Px(290))
	}
	s := l.style(l.Size(theme.RowDetail), typeset.SemiBold, l.Ink)
	s.Align = typeset.Centre
	_, ch := l.measure(q.Caption, s, width)
	part := l.part(i, 0)
	return piece{height: side + l.Px(22) + ch, parts: []int{part}, draw: func(at box) {
		l.qr(q.Data, box{at.x, at.y, at.w, side})
		l.text(q.Caption, s, box{at.x, at.y + side + l.Px(22), at.w, 0})
		l.mark(part, at)
	}}
}

func (l *layout) codePiece(i int, c page.Code, width float32) piece {
	label := l.style(l.Size(theme.Lead), typeset.Regular, l.Muted)
	label.Align = typeset.Centre
	code := l.style(l.Size(theme.CodeSign), typeset.Bold, l.Ink)
	code.Align = typeset.Centre
	w := min(width, l.Px(800))
	_, lh := l.measure(c.Label, label, w-l.Px(60))
	h := lh + code.Size*1.25 + l.Px(64)
	part := l.part(i, 0)
	return piece{height: h, parts: []int{part}, draw: func(at box) {
		b := box{at.x + (at.w-w)/2, at.y, w, h}
		l.rect(b, l.Card, l.Edge, l.Px(4), l.radius)
		y := b.y + l.Px(32)
		l.text(c.Label, label, box{b.x + l.Px(30), y, w - l.Px(60), 0})
		l.fit(c.Code, code, box{b.x + l.Px(30), y + lh, w - l.Px(60), code.Size * 1.25})
		l.mark(part, b)
	}}
}

func (l *layout) picture(i int, p page.Picture) piece {
	side := l.Px(260)
	if l.low || l.wide {
		side = l.Px(130)
	}
	ink, tint := l.Accent(l.page.Accent).Icon, l.Accent(l.page.Accent).Tint
	switch p.Tone {
	case page.Good:
		ink, tint = l.Good, l.GoodTint
	case page.Warn:
		ink, tint = l.Warn, l.WarnTint
	}
	return piece{height: side, parts: []int{l.part(i, 0)}, draw: func(at box) {
		b := box{at.x + (at.w-side)/2, at.y, side, side}
		l.rect(b, tint, l.tileEdge(), l.tileStroke(), side/2)
		l.icon(p.Icon, ink, b.inset(side*0.24))
	}}
}

func (l *layout) countdown(c page.Countdown) piece {
	h := l.Fixed(theme.Huge) * 1.6
	return piece{height: h, draw: func(at box) {
		s := l.style(l.Fixed(theme.Huge)*1.3, typeset.Bold, l.Focus)
		s.Align = typeset.Centre
		l.fit(strconv.Itoa(c.Seconds), s, at)
	}}
}
