package view

import (
	"strconv"
	"strings"

	"parvis/app/page"
	"parvis/app/theme"
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
	title := l.style(l.Size(theme.Body)*1.05, theme.SemiBold, l.Ink)
	detail := l.style(l.Size(theme.RowDetail), theme.Regular, l.Muted)
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
	title := l.style(l.Size(theme.Body)*1.05, theme.SemiBold, l.Ink)
	body := l.style(l.Size(theme.RowDetail), theme.Regular, l.Ink)
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
		size, weight := l.Size(theme.RowDetail), theme.Regular
		if line.Strong {
			weight = theme.Bold
		}
		label, value := l.style(size, weight, l.Ink), l.style(size, weight, l.Ink)
		value.align = end
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

func (l *layout) field(i int, f page.Field, width float32) piece {
	sh := l.Accent(l.page.Accent)
	h := max(l.Px(120), min(l.Size(theme.KeyLabel)*1.7, l.Px(168)))
	if l.low || l.wide {
		h = l.Px(104)
	}
	note, ns := f.Hint, l.style(l.Size(theme.RowDetail), theme.Regular, l.Muted)
	item := 3
	if f.Problem != "" {
		note, item = f.Problem, 2
		ns = l.style(l.Size(theme.RowDetail), theme.SemiBold, l.Warn)
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
		l.rect(b, l.Card, edge, l.Px(6), l.radius)
		s := l.style(min(h*0.55, l.Fixed(theme.KeyLabel)*1.45), theme.Bold, l.Ink)
		in := box{b.x + l.Px(46), b.y, b.w - l.Px(92), h}
		value := f.Value
		w, _ := l.measure(value, s, 1e5)
		if w > in.w { // keep the end in sight, where the resident types
			w = in.w
		}
		if value != "" {
			l.fit(value, s, in)
		}
		l.rect(box{in.x + w + l.Px(6), b.y + h*0.2, l.Px(5), h * 0.6}, sh.Edge, nil, 0, 0)
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
		s := l.style(min(size, at.h*0.6), theme.SemiBold, ink)
		s.align = centre
		l.fit(k.Label, s, at.inset(l.Px(6)))
	}
	l.mark(part, at)
	l.radius = save
}

func (l *layout) qrPiece(i int, q page.QR, width float32) piece {
	side := min(width*0.62, l.Px(560))
	if l.low || l.wide {
		side = min(width*0.4, l.Px(290))
	}
	s := l.style(l.Size(theme.RowDetail), theme.SemiBold, l.Ink)
	s.align = centre
	_, ch := l.measure(q.Caption, s, width)
	part := l.part(i, 0)
	return piece{height: side + l.Px(22) + ch, parts: []int{part}, draw: func(at box) {
		l.qr(q.Data, box{at.x, at.y, at.w, side})
		l.text(q.Caption, s, box{at.x, at.y + side + l.Px(22), at.w, 0})
		l.mark(part, at)
	}}
}

func (l *layout) codePiece(i int, c page.Code, width float32) piece {
	label := l.style(l.Size(theme.Lead), theme.Regular, l.Muted)
	label.align = centre
	code := l.style(l.Size(theme.CodeSign), theme.Bold, l.Ink)
	code.align = centre
	w := min(width, l.Px(800))
	_, lh := l.measure(c.Label, label, w-l.Px(60))
	h := lh + code.size*1.25 + l.Px(64)
	part := l.part(i, 0)
	return piece{height: h, parts: []int{part}, draw: func(at box) {
		b := box{at.x + (at.w-w)/2, at.y, w, h}
		l.rect(b, l.Card, l.Edge, l.Px(4), l.radius)
		y := b.y + l.Px(32)
		l.text(c.Label, label, box{b.x + l.Px(30), y, w - l.Px(60), 0})
		l.fit(c.Code, code, box{b.x + l.Px(30), y + lh, w - l.Px(60), code.size * 1.25})
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
		s := l.style(l.Fixed(theme.Huge)*1.3, theme.Bold, l.Focus)
		s.align = centre
		l.fit(strconv.Itoa(c.Seconds), s, at)
	}}
}

// actionRows says how many actions stand in each row.
func (l *layout) actionRows(width float32) [][]page.Choice {
	perRow := 2
	if l.wide && width > l.Px(1200) {
		perRow = 4
	}
	gap := l.Px(28)
	var rows [][]page.Choice
	acts := l.page.Actions
	for len(acts) > 0 {
		n := min(perRow, len(acts))
		// An odd number leaves the last one, the way to a person, a row of its own.
		for n > 1 && !l.actionsFit(acts[:n], (width-gap*float32(n-1))/float32(n)) {
			n--
		}
		rows = append(rows, acts[:n])
		acts = acts[n:]
	}
	return rows
}

// actionsFit reports whether every label stands in at most two lines of whole words.
func (l *layout) actionsFit(acts []page.Choice, width float32) bool {
	for _, c := range acts {
		s := l.style(l.labelSize(c), theme.SemiBold, l.Ink)
		in := l.actionTextWidth(c, width)
		_, h := l.measure(c.Label, s, in)
		for _, word := range strings.Fields(c.Label) {
			if w, _ := l.measure(word, s, 1e5); w > in-2 {
				return false
			}
		}
		if h > s.size*lineHeight*2.1 {
			return false
		}
	}
	return true
}

func (l *layout) actionSize() float32 {
	size := l.Size(theme.Button)
	if l.low || l.wide {
		size = min(size, l.Fixed(theme.Button)*1.15)
	}
	return size
}

// labelSize is smaller where an action is a sentence to agree to.
func (l *layout) labelSize(c page.Choice) float32 {
	if c.Switch {
		return l.actionSize() * 0.8
	}
	return l.actionSize()
}

func (l *layout) actionTextWidth(c page.Choice, width float32) float32 {
	w := width - l.Px(60)
	if c.Icon != "" || c.Switch {
		w -= l.Px(96)
	}
	return w
}

func (l *layout) actionsHeight(width, most float32) float32 {
	if len(l.page.Actions) == 0 {
		return 0
	}
	rows := l.actionRows(width)
	h := l.gap * 0.8 * float32(len(rows)-1)
	for _, row := range rows {
		h += l.actionRowHeight(row, width)
	}
	return h
}

func (l *layout) actionRowHeight(row []page.Choice, width float32) float32 {
	cell := (width - l.Px(28)*float32(len(row)-1)) / float32(len(row))
	h := l.Px(136)
	if l.low || l.wide {
		h = l.Px(104)
	}
	for _, c := range row {
		_, th := l.measure(c.Label, l.style(l.labelSize(c), theme.SemiBold, l.Ink), l.actionTextWidth(c, cell))
		h = max(h, th+l.Px(36))
	}
	return h
}

func (l *layout) actions(at box) {
	y, n := at.y, 0
	for _, row := range l.actionRows(at.w) {
		gap := l.Px(28)
		cell := (at.w - gap*float32(len(row)-1)) / float32(len(row))
		h := l.actionRowHeight(row, at.w)
		for k, c := range row {
			l.button(c, l.part(-2, n), box{at.x + float32(k)*(cell+gap), y, cell, h})
			n++
		}
		y += h + l.gap*0.8
	}
}

// button draws an action: icon and label side by side, centred.
func (l *layout) button(c page.Choice, part int, at box) {
	asGround := c
	asGround.Switch = true // a button always has a strong edge
	ink, _, icon := l.ground(asGround, at, c.Primary)
	l.targets[len(l.targets)-1].choice = c
	if c.Switch {
		c.Icon = switchIcon(c)
	}
	if c.Primary && !c.Disabled() {
		icon = ink
		if l.Contrast {
			icon = l.Focus
		}
	} else if !c.Disabled() {
		icon = l.Ink
	}
	if l.page.Layout == page.Dark {
		fill, edge := l.Dark, l.OnDark
		ink = l.OnDark
		if c.Primary {
			fill, edge, ink = l.Call, l.Call, l.OnCall
		}
		g := l.rect(at, fill, edge, l.Px(4), l.radius)
		t := &l.targets[len(l.targets)-1]
		t.ground, t.rest, t.press = g, fill, l.pressed(fill)
	}
	s := l.style(l.labelSize(c), theme.SemiBold, ink)
	in := l.actionTextWidth(c, at.w)
	w, h := l.measure(c.Label, s, in)
	x := at.x + (at.w-w)/2
	if c.Icon != "" {
		x = at.x + (at.w-w-l.Px(90))/2
		if c.Icon == "arrow-right" { // onward: after the words
			l.icon(c.Icon, icon, box{x + w + l.Px(26), at.y, l.Px(64), at.h})
		} else {
			l.icon(c.Icon, icon, box{x, at.y, l.Px(64), at.h})
			x += l.Px(90)
		}
	}
	s.align = centre
	l.text(c.Label, s, box{x, at.y + (at.h-h)/2, w + 1, 0})
	l.mark(part, at)
}
