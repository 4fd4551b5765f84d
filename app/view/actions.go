package view

import (
	"strings"

	"parvis/app/page"
	"parvis/app/theme"
	"parvis/device/typeset"
)

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
		s := l.style(l.labelSize(c), typeset.SemiBold, l.Ink)
		in := l.actionTextWidth(c, width)
		_, h := l.measure(c.Label, s, in)
		for _, word := range strings.Fields(c.Label) {
			if w, _ := l.measure(word, s, 1e5); w > in-2 {
				return false
			}
		}
		if h > s.Size*typeset.LineHeight*2.1 {
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

func (l *layout) actionsHeight(width float32) float32 {
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
		_, th := l.measure(c.Label, l.style(l.labelSize(c), typeset.SemiBold, l.Ink), l.actionTextWidth(c, cell))
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
	s := l.style(l.labelSize(c), typeset.SemiBold, ink)
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
	s.Align = typeset.Centre
	l.text(c.Label, s, box{x, at.y + (at.h-h)/2, w + 1, 0})
	l.mark(part, at)
}
