package view

import (
	"parvis/app/page"
	"parvis/app/theme"
	"parvis/device/typeset"
)

// piece is a part of a page's content that stays on one screen.
type piece struct {
	height  float32
	stretch bool // may be drawn higher than height
	touch   bool // holds something to touch that is no choice of a list
	keep    bool // stands on the same screen as the next piece
	choices int  // how many choices it holds
	parts   []int
	draw    func(at box)
}

// layout turns a page into pieces and puts them on the glass.
type layout struct {
	*board
	page    page.Page
	words   words
	reading []page.Part
	focus   int // index in reading; -1 none
	// overflows says that a piece is higher than the room there is for it: the
	// page is then drawn with a smaller text.
	overflows bool
	gap       float32
	radius    float32
	wide      bool // landscape
	// messageRTL says that the message is written from right to left, whatever
	// the page is.
	messageRTL bool
}

// words are the few sentences that only paging needs.
type words struct {
	Position func(from, to, total int) string
	Part     func(n, total int) string
	Next     string
	Previous string
}

// The choices of the pager. They turn screens of one page and belong to no journey.
const (
	pagerNext     = "pager.next"
	pagerPrevious = "pager.previous"
)

// maxChoices is how many choices a screen shows at most.
const maxChoices = 6

// part finds the reading index of an element of the page.
func (l *layout) part(block, item int) int {
	for i, p := range l.reading {
		if p.Block == block && p.Item == item {
			return i
		}
	}
	return -1
}

// areas are the places of the fixed parts of the glass.
type areas struct{ header, message, content, nav box }

func (l *layout) areas() areas {
	w, h := l.Screen.Width, l.Screen.Height
	header, nav := l.Px(150), l.Px(210)
	if l.wide {
		header, nav = l.Px(110), l.Px(148)
	}
	message := l.messageHeight()
	if l.wide && message > 0 {
		header = l.Px(84) // without its second line
	}
	a := areas{header: box{0, 0, w, header}, nav: box{0, h - nav, w, nav}}
	a.message = box{0, header, w, message}
	top := header + a.message.h
	bottom := a.nav.y
	if len(l.page.Nav) == 0 {
		bottom = h
	}
	side := l.Px(56)
	above := l.gap
	if !l.wide {
		above = l.Px(48)
	}
	a.content = box{side, top + above, w - 2*side, bottom - top - above - l.Px(36)}
	return a
}

// lowTop is the upper edge of what is touched: in the low layout half the
// glass, or 1,220 mm above the floor (EN 301 549, 8.3.2), whichever is lower.
// A landscape panel is no higher than an arm is long.
func (l *layout) lowTop() float32 {
	if !l.low || l.wide {
		return 0
	}
	top := l.Screen.Height / 2
	if l.Screen.FloorMM > 0 {
		top = max(top, l.Screen.Height-l.MM(1220-l.Screen.FloorMM))
	}
	return top
}

// head draws what stands above the content and returns its height. A long
// title gets smaller where the whole would be higher than most.
func (l *layout) head(at box, most float32) float32 {
	p, y := l.page, at.y
	muted := l.style(l.Size(theme.Lead)*0.9, typeset.Regular, l.Muted)
	if p.Banner != nil {
		s := l.style(l.Size(theme.RowDetail), typeset.SemiBold, l.Good)
		_, h := l.measure(p.Banner.Text, s, at.w-l.Px(130))
		h = max(h+l.Px(28), l.Px(76))
		b := box{at.x, y, at.w, h}
		icon, ink, tint := "check", l.Good, l.GoodTint
		if p.Banner.Tone == page.Warn {
			icon, ink, tint = "alert-triangle", l.Warn, l.WarnTint
		}
		s.Colour = ink
		l.rect(b, tint, ink, 3, l.Px(20))
		l.icon(icon, ink, box{at.x + l.Px(18), y, l.Px(60), h})
		l.text(p.Banner.Text, s, box{at.x + l.Px(96), y + l.Px(14), at.w - l.Px(130), h})
		l.mark(l.part(-1, 4), b)
		y += h + l.gap*0.7
	}
	if p.Progress.Total > 0 {
		n := float32(p.Progress.Total)
		gap := l.Px(14)
		w := (at.w - gap*(n-1)) / n
		for i := range p.Progress.Total {
			c := l.Line
			if i < p.Progress.Done {
				c = l.Accent(p.Accent).Edge
			}
			fill := c
			if l.Contrast && i >= p.Progress.Done {
				fill = l.Paper
			}
			l.rect(box{at.x + float32(i)*(w+gap), y, w, l.Px(18)}, fill, c, 2, l.Px(9))
		}
		y += l.Px(18) + l.gap
	}
	if p.Kicker != "" {
		b := box{at.x, y, at.w, 0}
		b.h = l.text(p.Kicker, muted, b)
		l.mark(l.part(-1, 0), b)
		y += b.h + l.Px(8)
	}
	if p.Badge != nil {
		b := box{at.x, y, at.w, 0}
		b.h = l.badge(*p.Badge, b)
		l.mark(l.part(-1, 2), b)
		y += b.h + l.Px(14)
	}
	size := l.Size(theme.Title)
	s := l.style(size, typeset.Bold, l.Ink)
	// A long title in a low or enlarged page gives way before its content does.
	for range 6 {
		_, h := l.measure(p.Title, s, at.w)
		if y-at.y+h <= most || s.Size <= l.Fixed(theme.Button) {
			break
		}
		s.Size *= 0.88
	}
	b := box{at.x, y, at.w, 0}
	b.h = l.text(p.Title, s, b)
	l.mark(l.part(-1, 1), b)
	y += b.h
	if p.Lead != "" {
		y += l.Px(12)
		b := box{at.x, y, at.w, 0}
		b.h = l.text(p.Lead, l.style(l.Size(theme.Lead), typeset.Regular, l.Muted), b)
		l.mark(l.part(-1, 3), b)
		y += b.h
	}
	return y - at.y
}

// mark frames the part that is being read or that has the focus.
func (l *layout) mark(part int, at box) {
	if part >= 0 && part == l.focus {
		if l.rtl {
			at.x = l.width - at.x - at.w
		}
		l.rings = append(l.rings, ring{at.inset(-l.Px(9)), l.radius + l.Px(9)})
	}
}

// drawRings comes last: a ring lies over what it frames.
func (l *layout) drawRings() {
	defer func(rtl bool) { l.rtl = rtl }(l.rtl)
	l.rtl = false
	for _, r := range l.rings {
		none := l.Focus
		none.A = 0
		l.rect(r.inset(-l.Px(3)), none, l.FocusEdge, l.Px(14), r.radius)
		l.rect(r.box, none, l.Focus, l.Px(8), r.radius)
	}
}

// standard lays out a page: title, content in screens, actions at the foot.
// It returns how many screens the content takes and which one is shown.
func (l *layout) standard(area box, screen int) (screens, shown int) {
	if l.wide && l.hasKeys() {
		return l.sideBySide(area, screen)
	}
	foot := l.actionsHeight(area.w)
	body := area.h
	if foot > 0 {
		body -= foot + l.gap
		l.actions(box{area.x, area.y + area.h - foot, area.w, foot})
	}
	return l.column(box{area.x, area.y, area.w, body}, screen)
}

func (l *layout) hasKeys() bool {
	for _, b := range l.page.Blocks {
		if _, ok := b.(page.Keys); ok {
			return true
		}
	}
	return false
}

// sideBySide puts the keyboard beside the text on a landscape panel.
func (l *layout) sideBySide(area box, screen int) (screens, shown int) {
	left := box{area.x, area.y, area.w*0.47 - l.gap, area.h}
	right := box{area.x + area.w*0.47, area.y, area.w * 0.53, area.h}
	foot := l.actionsHeight(right.w)
	if foot > 0 {
		l.actions(box{right.x, right.y + right.h - foot, right.w, foot})
		right.h -= foot + l.gap
	}
	for i, block := range l.page.Blocks {
		if k, ok := block.(page.Keys); ok {
			l.asTyped(right, func(at box) { l.keys(i, k, at) })
		}
	}
	return l.column(left, screen)
}

// column lays out head and content in a box.
func (l *layout) column(at box, screen int) (screens, shown int) {
	fixed, flow, keys := l.pieces(at.w)
	keysHeight := float32(0)
	if keys != nil && !l.wide {
		most := at.h * 0.52
		if l.low {
			most = min(most, at.y+at.h-l.lowTop()-l.leastFlow(flow)-l.gap)
			for _, p := range fixed {
				if p.touch {
					most -= p.height + l.gap
				}
			}
		}
		keysHeight = l.keysHeight(*keys.keys, most) + l.gap
	}
	fixedHeight := l.stack(fixed)
	if fixedHeight > 0 {
		fixedHeight += l.gap
	}
	least := l.tallest(flow)
	y := at.y + l.head(at, max(at.h*0.2, min(at.h*0.42, at.h-keysHeight-fixedHeight-least-l.gap*2)))
	y += l.gap
	bottom := at.y + at.h
	if keysHeight > 0 {
		l.asTyped(box{at.x, bottom - keysHeight + l.gap, at.w, keysHeight - l.gap}, func(at box) { l.keys(keys.block, *keys.keys, at) })
		bottom -= keysHeight
	}
	reach := l.lowTop()
	for _, p := range fixed {
		if p.touch {
			y = max(y, reach)
		}
		p.draw(box{at.x, y, at.w, p.height})
		y += p.height + l.gap
	}
	for _, p := range flow {
		if p.choices > 0 || p.touch {
			y = max(y, reach)
		}
	}
	if len(fixed) > 0 && y-l.gap > bottom+1 {
		l.overflows = true
	}
	return l.flow(flow, box{at.x, y, at.w, bottom - y}, screen)
}

func (l *layout) stack(list []piece) float32 {
	h := float32(0)
	for i, p := range list {
		if i > 0 {
			h += l.gap
		}
		h += p.height
	}
	return h
}

func (l *layout) tallest(list []piece) float32 {
	h := float32(0)
	for _, p := range list {
		h = max(h, p.height)
	}
	return h
}

// leastFlow is the least height in which pieces can be shown one by one.
func (l *layout) leastFlow(list []piece) float32 {
	switch len(list) {
	case 0:
		return 0
	case 1:
		return list[0].height + l.gap
	}
	return l.tallest(list) + l.pagerHeight() + 2*l.gap
}

func (l *layout) pagerHeight() float32 {
	if l.low || l.wide {
		return l.Px(96)
	}
	return l.Px(112)
}

// flow draws pieces, on several screens where they don't fit on one.
func (l *layout) flow(list []piece, at box, screen int) (screens, shown int) {
	if len(list) == 0 {
		return 1, 0
	}
	if l.tallest(list) > at.h+1 {
		l.overflows = true
	}
	if cuts := l.split(list, at.h); len(cuts) == 1 {
		l.drawPieces(list, at, true)
		return 1, 0
	}
	pager := l.pagerHeight()
	room := at.h - pager - l.gap
	if l.tallest(list) > room+1 {
		l.overflows = true
	}
	cuts := l.split(list, room)
	// The screen that holds the focus is the one to show.
	for n := range cuts {
		for _, p := range l.screenOf(list, cuts, n) {
			for _, part := range p.parts {
				if part == l.focus && part >= 0 {
					screen = n
				}
			}
		}
	}
	screen = max(0, min(screen, len(cuts)-1))
	l.drawPieces(l.screenOf(list, cuts, screen), box{at.x, at.y, at.w, at.h - pager - l.gap}, false)
	l.pager(list, cuts, screen, box{at.x, at.y + at.h - pager, at.w, pager})
	return len(cuts), screen
}

// split says with which piece each screen begins.
func (l *layout) split(list []piece, height float32) []int {
	cuts := []int{0}
	used, choices := float32(0), 0
	for i, p := range list {
		h := p.height
		if used > 0 {
			h += l.gap
		}
		need := h
		if p.keep && i+1 < len(list) {
			need += l.gap + list[i+1].height
		}
		if used > 0 && (used+need > height+1 || choices+p.choices > maxChoices) {
			cuts = append(cuts, i)
			used, choices, h = 0, 0, p.height
		}
		used += h
		choices += p.choices
	}
	return cuts
}

func (l *layout) screenOf(list []piece, cuts []int, n int) []piece {
	to := len(list)
	if n+1 < len(cuts) {
		to = cuts[n+1]
	}
	return list[cuts[n]:to]
}

// drawPieces draws what fits on the screen. Where all of a page fits, choices
// go to the foot of the box, within reach, and tiles grow to fill it.
func (l *layout) drawPieces(list []piece, at box, whole bool) {
	free := at.h - l.stack(list)
	stretchable := 0
	for _, p := range list {
		if p.stretch {
			stretchable++
		}
	}
	y := at.y
	lowered := !whole || stretchable > 0
	for i, p := range list {
		h := p.height
		if p.stretch && free > 0 {
			h += min(free/float32(stretchable), p.height)
		}
		if !lowered && p.choices > 0 && free > 0 && onlyChoices(list[i:]) {
			y += free
			lowered = true
		}
		p.draw(box{at.x, y, at.w, h})
		y += h + l.gap
	}
}

func onlyChoices(list []piece) bool {
	for _, p := range list {
		if p.choices == 0 {
			return false
		}
	}
	return true
}

func (l *layout) pager(list []piece, cuts []int, screen int, at box) {
	w := max(l.Px(228), at.w*0.21)
	arrow := func(id, icon, label string, at box, off bool) {
		c := page.Choice{ID: id, Label: label, Icon: icon}
		ink, edge := l.Ink, l.Edge
		if off {
			ink, edge = l.Off, l.Off
			c.Why = label
		}
		g := l.rect(at, l.Card, edge, l.Px(4), l.radius)
		l.icon(icon, ink, at.inset(at.h*0.28))
		if !off {
			l.touch(at, c, g, l.pressed(l.Card))
		}
	}
	arrow(pagerPrevious, "arrow-left", l.words.Previous, box{at.x, at.y, w, at.h}, screen == 0)
	arrow(pagerNext, "arrow-right", l.words.Next, box{at.x + at.w - w, at.y, w, at.h}, screen == len(cuts)-1)
	from, to, total := 0, 0, 0
	for n := range cuts {
		for _, p := range l.screenOf(list, cuts, n) {
			if n < screen {
				from += p.choices
			}
			if n <= screen {
				to += p.choices
			}
			total += p.choices
		}
	}
	text := l.words.Part(screen+1, len(cuts))
	if total > 6 && to > from {
		text = l.words.Position(from+1, to, total)
	}
	s := l.style(min(l.Size(theme.Body), l.Fixed(theme.Button)), typeset.Regular, l.Muted)
	s.Align = typeset.Centre
	l.fit(text, s, box{at.x + w + l.gap/2, at.y, at.w - 2*w - l.gap, at.h})
}
