package view

import (
	"parvis/app/page"
	"parvis/app/theme"
	"parvis/device/typeset"
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
	s := l.style(l.Size(theme.Body), typeset.Regular, l.Ink)
	switch t.Style {
	case page.Muted:
		s = l.style(l.Size(theme.RowDetail), typeset.Regular, l.Muted)
	case page.Small:
		s = l.style(l.Size(theme.NavLabel), typeset.Regular, l.Muted)
	case page.Head:
		s = l.style(l.Size(theme.Lead), typeset.SemiBold, l.Ink)
	}
	if l.page.Layout != page.Standard {
		s.Align = typeset.Centre
	}
	if l.page.Layout == page.Dark {
		s.Colour = l.OnDark
	}
	_, h := l.measure(t.Text, s, width)
	part := l.part(i, 0)
	return piece{height: h, keep: t.Style == page.Head, parts: []int{part}, draw: func(at box) {
		l.text(t.Text, s, at)
		l.mark(part, box{at.x, at.y, at.w, h})
	}}
}
