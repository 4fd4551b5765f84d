package view

import (
	"image/color"
	"strings"

	"parvis/app/page"
	"parvis/app/theme"
)

// keysBlock is the page's keyboard and its index among the blocks.
type keysBlock struct {
	block int
	keys  *page.Keys
}

// pieces turns the page's blocks into those shown on every screen (chips,
// the field), those that flow over screens, and the keyboard.
func (l *layout) pieces(width float32) (fixed, flow []piece, keys *keysBlock) {
	for i, block := range l.page.Blocks {
		switch x := block.(type) {
		case page.Text:
			flow = append(flow, l.textPiece(i, x, width))
		case page.Choices:
			switch x.Shape {
			case page.Chips:
				if len(flow) == 0 {
					fixed = append(fixed, l.chips(i, x, width))
				} else {
					flow = append(flow, l.chips(i, x, width))
				}
			case page.Tiles:
				flow = append(flow, l.tiles(i, x, width)...)
			case page.Faces:
				flow = append(flow, l.faces(i, x, width))
			default:
				flow = append(flow, l.rows(i, x, width)...)
			}
		case page.Checklist:
			flow = append(flow, l.checklist(i, x, width)...)
		case page.Notice:
			flow = append(flow, l.notice(i, x, width))
		case page.Facts:
			flow = append(flow, l.facts(i, x, width))
		case page.Table:
			flow = append(flow, l.table(i, x, width)...)
		case page.Field:
			fixed = append(fixed, l.field(i, x, width))
		case page.Keys:
			keys = &keysBlock{i, &x}
		case page.QR:
			flow = append(flow, l.qrPiece(i, x, width))
		case page.Code:
			flow = append(flow, l.codePiece(i, x, width))
		case page.Picture:
			flow = append(flow, l.picture(i, x))
		case page.Countdown:
			flow = append(flow, l.countdown(x))
		}
	}
	return fixed, flow, keys
}

func (l *layout) textPiece(i int, t page.Text, width float32) piece {
	s := l.style(l.Size(theme.Body), theme.Regular, l.Ink)
	switch t.Style {
	case page.Muted:
		s = l.style(l.Size(theme.RowDetail), theme.Regular, l.Muted)
	case page.Small:
		s = l.style(l.Size(theme.NavLabel), theme.Regular, l.Muted)
	case page.Head:
		s = l.style(l.Size(theme.Lead), theme.SemiBold, l.Ink)
	}
	if l.page.Layout != page.Standard {
		s.align = centre
	}
	if l.page.Layout == page.Dark {
		s.colour = l.OnDark
	}
	_, h := l.measure(t.Text, s, width)
	part := l.part(i, 0)
	return piece{height: h, parts: []int{part}, draw: func(at box) {
		l.text(t.Text, s, at)
		l.mark(part, box{at.x, at.y, at.w, h})
	}}
}

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
		sw, _ := l.measure(c.Side, l.style(l.Size(theme.RowTitle), theme.Bold, l.Ink), 1e5)
		nw, _ := l.measure(c.SideNote, l.style(l.Size(theme.RowDetail), theme.Regular, l.Muted), 1e5)
		w -= max(sw, nw) + l.Px(56)
	} else if !c.Switch {
		w -= l.Px(70)
	}
	_, h = l.measure(c.Label, l.style(l.Size(theme.RowTitle), theme.SemiBold, l.Ink), w)
	if c.Detail != "" {
		_, dh := l.measure(c.Detail, l.style(l.Size(theme.RowDetail), theme.Regular, l.Muted), w)
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
				_, th := l.measure(c.Label, l.style(l.Size(theme.RowTitle), theme.SemiBold, l.Ink), cell-l.Px(48))
				_, dh := l.measure(c.Detail, l.style(l.Size(theme.RowDetail), theme.Regular, l.Ink), cell-l.Px(48))
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
	title := l.style(l.Size(theme.RowTitle), theme.SemiBold, ink)
	detail := l.style(l.Size(theme.RowDetail), theme.Regular, muted)
	title.align, detail.align = centre, centre
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
	s := l.style(l.Size(theme.Lead), theme.Regular, l.Muted)
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
			s := l.style(l.Px(52), theme.Bold, icon)
			s.align = centre
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
	title := l.style(l.Size(theme.RowTitle), theme.SemiBold, ink)
	detail := l.style(l.Size(theme.RowDetail), theme.Regular, muted)
	top := y
	y += l.text(c.Label, title, box{x, y, w, 0})
	if c.Detail != "" {
		y += l.Px(4)
		y += l.text(c.Detail, detail, box{x, y, w, 0})
	}
	if c.Badge != nil {
		l.badge(*c.Badge, box{x, y + l.Px(10), w, 0}, false)
	}
	right := box{x + w, top, at.x + at.w - l.Px(38) - x - w, 0}
	if c.Side != "" {
		side := l.style(l.Size(theme.RowTitle), theme.Bold, ink)
		side.align, detail.align = end, end
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
		_, t := l.measure(c.Label, l.style(l.Size(theme.Button)*1.18, theme.Bold, l.Ink), inside)
		_, d := l.measure(c.Detail, l.style(l.Size(theme.RowDetail), theme.Regular, l.Ink), inside)
		return t + d + l.Px(88)
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
			p.height += l.Px(100)
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
		w, _ := l.measure(word, l.style(size, theme.Bold, l.Ink), 1e5)
		longest = max(longest, w)
	}
	return longest
}

func (l *layout) tile(c page.Choice, part int, at box) {
	ink, muted, icon := l.ground(c, at, true)
	in := box{at.x + l.Px(44), at.y + l.Px(44), at.w - l.Px(88), at.h - l.Px(88)}
	title := l.style(l.Size(theme.Button)*1.18, theme.Bold, ink)
	detail := l.style(l.Size(theme.RowDetail), theme.Regular, muted)
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
			s := l.style(l.Size(theme.Button), theme.SemiBold, ink)
			s.align = centre
			l.fit(c.Label, s, box{b.x + l.Px(10), b.y + b.h - label - l.Px(18), b.w - l.Px(20), label})
			l.mark(p.parts[k], b)
		}
	}
	return p
}

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

func (l *layout) chipStyle() style {
	return l.style(min(l.Size(theme.RowDetail), l.Fixed(theme.RowTitle)), theme.SemiBold, l.Ink)
}

func (l *layout) chips(i int, g page.Choices, width float32) piece {
	labels, icons := make([]string, len(g.Items)), make([]bool, len(g.Items))
	p := piece{touch: true}
	for n, c := range g.Items {
		labels[n], icons[n] = c.Label, c.Icon != "" || c.Switch && c.On
		p.parts = append(p.parts, l.part(i, n))
	}
	head := float32(0)
	hs := l.style(l.Size(theme.Lead)*0.95, theme.Regular, l.Muted)
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
	s.colour, s.align = ink, centre
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
	list, total := l.wrapChips(f.Items, make([]bool, len(f.Items)), width, l.Px(76))
	part := l.part(i, 0)
	return piece{height: total, parts: []int{part}, draw: func(at box) {
		s := l.chipStyle()
		s.align = centre
		for _, k := range list {
			b := box{at.x + k.x, at.y + k.y, k.w, k.h}
			tint := l.Accent(l.page.Accent).Tint
			l.rect(b, tint, l.tileEdge(), l.tileStroke(), l.Px(16))
			l.fit(f.Items[k.n], s, b.inset(l.Px(8)))
		}
		l.mark(part, box{at.x, at.y, at.w, total})
	}}
}

func (l *layout) badgeHeight() float32 { return l.Size(theme.NavLabel) * 1.5 }

// badge draws a few words on a tinted ground and returns its height.
func (l *layout) badge(bd page.Badge, at box, centred bool) float32 {
	ink, tint := l.Muted, l.Accent(page.Plain).Tint
	switch bd.Tone {
	case page.Good:
		ink, tint = l.Good, l.GoodTint
	case page.Warn:
		ink, tint = l.Warn, l.WarnTint
	}
	s := l.style(l.Size(theme.NavLabel), theme.SemiBold, ink)
	w, _ := l.measure(bd.Text, s, 1e5)
	h := l.badgeHeight()
	w = min(w+l.Px(40), at.w)
	x := at.x
	if centred {
		x += (at.w - w) / 2
	}
	l.rect(box{x, at.y, w, h}, tint, l.tileEdge(), l.tileStroke(), l.Px(12))
	s.align = centre
	l.fit(bd.Text, s, box{x + l.Px(12), at.y, w - l.Px(24), h})
	return h
}
