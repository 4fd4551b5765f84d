// Package card says what a card or a code shown to a borne is, by the rules of
// its site, and guards the page for staff. A number only tells cards apart: it
// is never taken for proof of who holds one.
package card

import (
	"crypto/hmac"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"

	"parvis/device/reader"
	"parvis/kiosk/callback"
)

// Kind is what a card is.
type Kind string

// The kinds of cards.
const (
	Gone     Kind = "gone"       // what lay in the reader has been taken away
	Unknown  Kind = "unknown"    // a card without meaning here
	City     Kind = "city"       // of the town's residents
	Mediator Kind = "mediator"   // badge of a mediator or an ambassador
	Staff    Kind = "staff"      // badge of the people who look after the borne
	Pass     Kind = "pass"       // a code in the form of a Pass numérique; valid or not
	NotAPass Kind = "not_a_pass" // another code
	Vitale   Kind = "vitale"     // the health insurance card, of which nothing is read
	Several  Kind = "several"    // two cards at once
)

// Card is what was shown. Its number is never shown, spoken, logged or written
// but sealed.
type Card struct {
	Kind   Kind
	Medium reader.Medium
	Number []byte // of a City card alone, as the city writes it
}

// Wipe overwrites the number.
func (c *Card) Wipe() {
	clear(c.Number)
	c.Number = nil
}

// Format hides the number whatever the verb.
func (c Card) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "card.Card(%s, %s)", c.Kind, c.Medium) }

// LogValue hides the number.
func (c Card) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// Form is how the number of a card is written.
type Form string

// The forms of numbers.
const (
	Hex     Form = "hexa"    // the UID as it is
	Decimal Form = "decimal" // the last four bytes of the UID as ten digits, as printed on 125 kHz cards
	Text    Form = "texte"   // what a code says, or what is written in a contactless card
)

// CityRule tells a city's cards by how they are read and what their number
// looks like.
type CityRule struct {
	Medium  reader.Medium
	Form    Form
	Pattern *regexp.Regexp
}

// Role is what the holder of a badge is.
type Role string

// The roles. Mediators and ambassadors accompany residents; agents look after
// the borne.
const (
	RoleMediator   Role = "mediateur"
	RoleAmbassador Role = "ambassadeur"
	RoleAgent      Role = "agent"
)

// Badge is one badge, by its fingerprint: see Fingerprint.
type Badge struct {
	Role        Role
	Fingerprint []byte
}

// Rules say what the cards of one site are. The zero Rules know no city card,
// no badge and no Pass.
type Rules struct {
	Key    []byte // of the fingerprints
	Badges []Badge
	City   []CityRule
	Pass   *regexp.Regexp // the form of the codes of a Pass numérique; nil if none is one
}

// Recognise says what was shown. It never fails, whatever a reader delivers.
func (r *Rules) Recognise(e reader.Event) Card {
	c := Card{Kind: Unknown, Medium: e.Medium}
	switch {
	case !e.Present:
		c.Kind = Gone
		return c
	case e.Several:
		c.Kind = Several
		return c
	}
	if role, ok := r.badge(e); ok {
		c.Kind = Mediator
		if role == RoleAgent {
			c.Kind = Staff
		}
		return c
	}
	if e.Medium == reader.Contact {
		if isVitale(e.ATR) {
			c.Kind = Vitale
		}
		return c
	}
	for _, rule := range r.City {
		if n := rule.number(e); n != "" {
			c.Kind, c.Number = City, []byte(n)
			return c
		}
	}
	if e.Medium == reader.Code {
		c.Kind = NotAPass
		if r.Pass != nil && r.Pass.MatchString(e.Text) {
			c.Kind = Pass
		}
	}
	return c
}

// badge compares with every badge, in the same time whether one fits or none.
func (r *Rules) badge(e reader.Event) (role Role, ok bool) {
	number := e.Number
	if e.Medium == reader.Code {
		number = e.Text
	}
	if number == "" || len(r.Key) == 0 {
		return "", false
	}
	print := Fingerprint(r.Key, e.Medium, number)
	for _, b := range r.Badges {
		if hmac.Equal(print, b.Fingerprint) {
			role, ok = b.Role, true
		}
	}
	return role, ok
}

// number is that of a card that the rule fits, and that a request to be called
// takes; otherwise it is empty.
func (rule CityRule) number(e reader.Event) string {
	if e.Medium != rule.Medium || rule.Pattern == nil {
		return ""
	}
	n := e.Number
	switch rule.Form {
	case Decimal:
		n = decimal(e.Number)
	case Text:
		n = e.Text
	}
	if !callback.ValidCard(n) || !rule.Pattern.MatchString(n) {
		return ""
	}
	return n
}

// decimal writes a UID as it is printed on 125 kHz cards: UID 100086F444 is
// card 0008844356.
func decimal(uid string) string {
	if len(uid) < 8 {
		return ""
	}
	n, err := strconv.ParseUint(uid[len(uid)-8:], 16, 32)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%010d", n)
}
