package view

import (
	"parvis/app/page"
	"parvis/app/theme"
	"parvis/device/typeset"
)

// A message of the town hall is a calm band over the whole width, between the
// header and the page. It takes a part of the glass at most, so that the page
// keeps its own room, more where the text is large: a long message gets smaller,
// down to the least height that can be read.
const (
	messageMost     = 0.105 // of the height of a portrait glass
	messageMostWide = 0.085 // of a landscape one
)

// messageStyle is how the message is written, and how high it gets.
func (l *layout) messageStyle() (s typeset.Style, height float32) {
	s = l.style(l.Size(theme.Body), typeset.SemiBold, l.Ink)
	s.RTL = l.messageRTL
	most := l.Screen.Height * messageMost
	if l.wide {
		most = l.Screen.Height * messageMostWide
	}
	most *= l.Size(theme.Body) / l.Fixed(theme.Body)
	most -= 2 * l.messagePad()
	least := l.Fixed(theme.NavLabel)
	for {
		_, height = l.measure(l.page.Message.Text, s, l.messageWidth())
		if height <= most || s.Size <= least {
			return s, height
		}
		s.Size = max(s.Size*0.94, least)
	}
}

// messagePad is the room above and below the words, messageStart where they
// begin, after the icon, and messageWidth how long a line of them may be.
func (l *layout) messagePad() float32 {
	if l.wide {
		return l.Px(12)
	}
	return l.Px(22)
}

func (l *layout) messageStart() float32 { return l.Px(160) }
func (l *layout) messageWidth() float32 { return l.Screen.Width - l.messageStart() - l.Px(56) }

// messageHeight is the height of the band; 0 where there is no message.
func (l *layout) messageHeight() float32 {
	if l.page.Message.Text == "" {
		return 0
	}
	_, h := l.messageStyle()
	return h + 2*l.messagePad()
}

func (l *layout) message(at box) {
	if l.page.Message.Text == "" {
		return
	}
	sh := l.Accent(page.Card)
	l.rect(at, sh.Tint, nil, 0, 0)
	l.rect(box{at.x, at.y + at.h - l.Px(4), at.w, l.Px(4)}, sh.Edge, nil, 0, 0)
	l.icon("info-circle", sh.Icon, box{l.Px(56), at.y, l.Px(80), at.h})
	s, h := l.messageStyle()
	words := box{l.messageStart(), at.y + (at.h-h)/2, l.messageWidth(), h}
	l.text(l.page.Message.Text, s, words)
	l.mark(l.part(-1, 5), words)
}
