package view_test

import (
	"strings"
	"testing"

	"parvis/app/journey/journeytest"
	"parvis/app/session"
	"parvis/app/theme"
	"parvis/kiosk/link"
)

// longest is as long a message as an agent can send.
const longest = "La mairie ferme aujourd’hui à 16 heures. Pour vos cartes d’identité, revenez demain dès 8 heures 30 avec vos papiers. " +
	"Pour toute urgence, sonnez à la porte de côté, rue de la Fontaine. Merci !"

// tightest are the looks that leave least room, by whether the panel is wide.
var tightest = map[bool][]session.Frame{false: {{TextStep: 2}, {Low: true}}, true: {{TextStep: 2}}}

// With the longest message above every page, in every look, all that could be
// touched without it still can, at the same size.
func TestEveryTargetCanBeTouchedUnderAMessage(t *testing.T) {
	b := journeytest.New(t)
	words := longest + strings.Repeat("!", link.MaxMessage-len([]rune(longest)))
	b.Message = func() string { return words }
	for _, screen := range []theme.Screen{portrait, landscape} {
		g := newGlass(t, b, screen)
		for _, scene := range b.Scenes(t, "fr") {
			p := b.Page(t.Context(), scene.Visit)
			if p.Message.Text != words {
				t.Fatalf("%s shows the message %q", scene.Name, p.Message.Text)
			}
			for _, look := range tightest[screen.Landscape()] {
				look.Page, look.Focus, look.Fresh = p, -1, true
				checkLook(t, g, look, screen, scene.Name)
			}
		}
	}
}

// The message is on the glass: the same page without it looks different, above
// the page's own content and nowhere hidden.
func TestMessageIsDrawn(t *testing.T) {
	b := journeytest.New(t)
	for name, screen := range map[string]theme.Screen{"portrait": portrait, "landscape": landscape} {
		t.Run(name, func(t *testing.T) {
			g := newGlass(t, b, screen)
			for _, scene := range b.Scenes(t, "fr")[:2] { // attract and home
				b.Message = nil
				p := b.Page(t.Context(), scene.Visit)
				g.Draw(session.Frame{Page: p, Focus: -1, Fresh: true})
				without := g.window.Canvas().Capture()
				p.Message.Text, p.Message.Lang = "La mairie ferme à 16 h.", "fr"
				g.Draw(session.Frame{Page: p, Focus: -1, Fresh: true})
				with := g.window.Canvas().Capture()
				changed := 0
				for y := range int(screen.Height) / 5 {
					for x := range int(screen.Width) {
						if with.At(x, y) != without.At(x, y) {
							changed++
						}
					}
				}
				if least := int(screen.Width * 60); changed < least {
					t.Errorf("%s: the message changes %d pixels at the top, want %d at least", scene.Name, changed, least)
				}
			}
		})
	}
}
