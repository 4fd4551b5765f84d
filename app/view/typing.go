package view

import (
	"image/color"

	"parvis/app/page"
	"parvis/app/theme"
	"parvis/device/typeset"
)

func (l *layout) field(i int, f page.Field, width float32) piece {
	sh := l.Accent(l.page.Accent)
	h := max(l.Px(120), min(l.Size(theme.KeyLabel)*1.7, l.Px(168)))
	if l.low || l.wide {
		h = l.Px(104)
	}
	note, ns := f.Hint, l.style(l.Size(theme.RowDetail), typeset.Regular, l.Muted)
	item := 3
	if f.Problem != "" {
		note, item = f.Problem, 2
		ns = l.style(l.Size(theme.RowDetail), typeset.SemiBold, l.Warn)
	}
	noteWidth := width
	if f.Problem != "" {
		noteWidth -= l.Px(60)
	}
	_, nh := l.measure(note, ns, noteWidth)
	total := h
	if note != "" {
		total += l.Px(12) + nh
	}
	parts := []int{l.part(i, 0), l.part(i, 1), l.part(i, item)}
	return piece{height: total, parts: parts, draw: func(at box) {
		b := box{at.x, at.y, at.w, h}
		edge := sh.Edge
		if f.Problem != "" {
			edge = l.Warn
		}
		l.asTyped(b, func(b box) { l.typed(f.Value, b, edge, sh.Edge) })
		y := b.y + h + l.Px(12)
		if f.Problem != "" {
			l.icon("alert-triangle", l.Warn, box{at.x, y, l.Px(46), l.Px(46)})
			l.text(note, ns, box{at.x + l.Px(60), y, noteWidth, 0})
		} else {
			l.text(note, ns, box{at.x, y, noteWidth, 0})
		}
		for _, part := range parts {
			l.mark(part, b)
		}
	}}
}

// typed draws the value of a field and the caret behind it.
func (l *layout) typed(value string, at box, edge, caret color.NRGBA) {
	l.rect(at, l.Card, edge, l.Px(6), l.radius)
	s := l.style(min(at.h*0.55, l.Fixed(theme.KeyLabel)*1.45), typeset.Bold, l.Ink)
	in := box{at.x + l.Px(46), at.y, at.w - l.Px(92), at.h}
	w, _ := l.measure(value, s, 1e5)
	if value != "" {
		l.fit(value, s, in)
	}
	l.rect(box{in.x + min(w, in.w) + l.Px(6), at.y + at.h*0.2, l.Px(5), at.h * 0.6}, caret, nil, 0, 0)
}

// keysHeight is how high a keyboard is drawn: its design height, less where
// there is less room, never under the least target.
func (l *layout) keysHeight(k page.Keys, most float32) float32 {
	rows := float32(len(k.Rows))
	key, gap := l.Px(118), l.keyGap(k)
	if k.Tall {
		key = l.Px(150)
	}
	h := rows*key + (rows-1)*gap
	least := rows*l.MM(20) + (rows-1)*gap
	return max(least, min(h, most))
}

func (l *layout) keyGap(k page.Keys) float32 {
	if k.Tall {
		return l.Px(18)
	}
	return l.MM(4)
}

func (l *layout) keys(i int, k page.Keys, at box) {
	gap := l.keyGap(k)
	h := (at.h - gap*float32(len(k.Rows)-1)) / float32(len(k.Rows))
	n := 0
	for r, row := range k.Rows {
		units := float32(0)
		for _, key := range row {
			units += max(key.Width, 0)
			if key.Width == 0 {
				units++
			}
		}
		unit := (at.w - gap*float32(len(row)-1)) / units
		x, y := at.x, at.y+float32(r)*(h+gap)
		for _, key := range row {
			w := unit
			if key.Width > 0 {
				w *= key.Width
			}
			l.key(key, l.part(i, n), box{x, y, w, h}, k.Tall)
			x += w + gap
			n++
		}
	}
}

func (l *layout) key(k page.Key, part int, at box, tall bool) {
	fill, ink, edge := l.Card, l.Ink, l.Line
	if l.Contrast {
		edge = l.Edge
	}
	if k.Switch && k.On {
		fill, ink = l.Ink, l.Paper
	}
	save := l.radius
	l.radius = l.Px(20)
	g := l.rect(at, fill, edge, l.Px(3), l.radius)
	l.touch(at, k.Choice, g, l.pressed(fill))
	l.targets[len(l.targets)-1].key = true
	if k.Icon != "" {
		side := min(at.h*0.5, l.Px(68))
		l.icon(k.Icon, ink, box{at.x + (at.w-side)/2, at.y + (at.h-side)/2, side, side})
	} else {
		size := l.Fixed(theme.KeyLabel)
		if tall {
			size = l.Fixed(theme.Title)
		}
		if len([]rune(k.Label)) > 1 {
			size = l.Fixed(theme.Body)
		}
		s := l.style(min(size, at.h*0.6), typeset.SemiBold, ink)
		s.Align = typeset.Centre
		l.fit(k.Label, s, at.inset(l.Px(6)))
	}
	l.mark(part, at)
	l.radius = save
}
