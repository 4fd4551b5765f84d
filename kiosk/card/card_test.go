package card_test

import (
	"encoding/hex"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parvis/device/reader"
	"parvis/kiosk/callback"
	"parvis/kiosk/card"
)

var key = []byte("a key of a profile, 32 bytes long")

func rules() *card.Rules {
	badge := func(r card.Role, m reader.Medium, number string) card.Badge {
		return card.Badge{Role: r, Fingerprint: card.Fingerprint(key, m, number)}
	}
	return &card.Rules{
		Key: key,
		Badges: []card.Badge{
			badge(card.RoleAgent, reader.RFID, "100086F444"),
			badge(card.RoleMediator, reader.Contactless, "04A2B3C4D5E680"),
			badge(card.RoleAmbassador, reader.Code, "AMBASSADE-7"),
		},
		City: []card.CityRule{
			{Medium: reader.RFID, Form: card.Decimal, Pattern: regexp.MustCompile(`^000[0-9]{7}$`)},
			{Medium: reader.Contactless, Form: card.Hex, Pattern: regexp.MustCompile(`^08[0-9A-F]{6}$`)},
			{Medium: reader.Contactless, Form: card.Text, Pattern: regexp.MustCompile(`^VILLE:[0-9]{6}$`)},
			{Medium: reader.Code, Form: card.Text, Pattern: regexp.MustCompile(`^V[0-9]{8}$`)},
			{Medium: reader.Code, Form: card.Text, Pattern: regexp.MustCompile(`^W.*$`)},
		},
		Pass: regexp.MustCompile(`^[A-Z0-9]{10}$`),
	}
}

func atr(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRecognise(t *testing.T) {
	type E = reader.Event
	for _, tc := range []struct {
		name   string
		e      E
		kind   card.Kind
		number string
	}{
		{"city by the printed number", E{Medium: reader.RFID, Number: "010063E9AE"}, card.City, "0006547886"},
		{"city by UID", E{Medium: reader.Contactless, Number: "08AB12CD"}, card.City, "08AB12CD"},
		{"city by what is written in it", E{Medium: reader.Contactless, Number: "04FFFFFFFFFFFF", Text: "VILLE:004217"}, card.City, "VILLE:004217"},
		{"city by code", E{Medium: reader.Code, Text: "V00421742"}, card.City, "V00421742"},
		{"agent", E{Medium: reader.RFID, Number: "100086F444"}, card.Staff, ""},
		{"agent, at a reader that gives four bytes", E{Medium: reader.RFID, Number: "0086F444"}, card.Staff, ""},
		{"three bytes of it", E{Medium: reader.RFID, Number: "86F444"}, card.Unknown, ""},
		{"the end of a contactless badge's UID", E{Medium: reader.Contactless, Number: "C4D5E680"}, card.Unknown, ""},
		{"a number that no request takes", E{Medium: reader.Code, Text: "W\"1"}, card.NotAPass, ""},
		{"a number too long", E{Medium: reader.Code, Text: "W" + strings.Repeat("1", 64)}, card.NotAPass, ""},
		{"mediator", E{Medium: reader.Contactless, Number: "04A2B3C4D5E680"}, card.Mediator, ""},
		{"ambassador", E{Medium: reader.Code, Text: "AMBASSADE-7"}, card.Mediator, ""},
		{"a badge's number read another way", E{Medium: reader.Contactless, Number: "100086F444"}, card.Unknown, ""},
		{"Pass", E{Medium: reader.Code, Text: "AB12CD34EF"}, card.Pass, ""},
		{"a code that is no Pass", E{Medium: reader.Code, Text: "https://example.org"}, card.NotAPass, ""},
		{"a number too large", E{Medium: reader.RFID, Number: "07FFFFFFFF"}, card.Unknown, ""},
		{"no UID", E{Medium: reader.RFID, Number: "?"}, card.Unknown, ""},
		{"two cards", E{Medium: reader.Contactless, Several: true}, card.Several, ""},
		{"Vitale 1", E{Medium: reader.Contact, ATR: atr(t, "3F 65 25 00 2C 09 69 90 00")}, card.Vitale, ""},
		{"Vitale 1, later", E{Medium: reader.Contact, ATR: atr(t, "3F 65 25 00 A3 09 6A 90 00")}, card.Vitale, ""},
		{"Vitale 2", E{Medium: reader.Contact, ATR: atr(t, "3B 75 13 00 00 47 09 EA 90 00")}, card.Vitale, ""},
		{"a bank's card", E{Medium: reader.Contact, ATR: atr(t, "3F 65 25 00 00 04 6C 90 00")}, card.Unknown, ""},
		{"a doctor's card", E{Medium: reader.Contact, ATR: atr(t, "3B AC 00 40 2A 00 12 25 00 64 80 00 03 10 00 90 00")}, card.Unknown, ""},
		{"a chip card that says nothing", E{Medium: reader.Contact}, card.Unknown, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.e.Present = true
			c := rules().Recognise(tc.e)
			if c.Kind != tc.kind || string(c.Number) != tc.number || c.Medium != tc.e.Medium {
				t.Errorf("%v with number %q, want %s with %q", c, c.Number, tc.kind, tc.number)
			}
			tc.e.Present = false
			if c := rules().Recognise(tc.e); c.Kind != card.Gone || c.Number != nil {
				t.Errorf("taken away, it is %v with number %q", c, c.Number)
			}
		})
	}
}

// Without rules nothing is a city's card, a badge or a Pass.
func TestNoRules(t *testing.T) {
	var none card.Rules
	for _, e := range []reader.Event{{Medium: reader.RFID, Number: "100086F444"}, {Medium: reader.Code, Text: "AB12CD34EF"}, {Medium: reader.Contactless, Number: "08AB12CD"}} {
		e.Present = true
		if c := none.Recognise(e); c.Kind != card.Unknown && c.Kind != card.NotAPass {
			t.Errorf("%v is %v", e, c)
		}
	}
}

// The number is in no log, and gone after a wipe.
func TestNumberStaysSecret(t *testing.T) {
	c := rules().Recognise(reader.Event{Medium: reader.RFID, Present: true, Number: "010063E9AE"})
	number := c.Number
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "card", c)
	fmt.Fprintf(&log, "%v %+v %#v %s %x", c, c, c, c, c)
	if strings.Contains(log.String(), "6547886") || strings.Contains(log.String(), hex.EncodeToString(number)) {
		t.Errorf("the number is in: %s", &log)
	}
	c.Wipe()
	if c.Number != nil || strings.Trim(string(number), "\x00") != "" {
		t.Errorf("%q is left", number)
	}
}

func TestParseNumber(t *testing.T) {
	for in, want := range map[string]string{"04:a2:b3:c4": "04A2B3C4", "10 00 86 F4 44": "100086F444", "0B1C2D": "", "": "", "chat": "", strings.Repeat("A", 22): ""} {
		got, err := card.ParseNumber(reader.RFID, in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", in, got, err)
		}
		if err != nil && in != "" && strings.Contains(err.Error(), in) {
			t.Errorf("the error repeats the number: %v", err)
		}
	}
	if got, err := card.ParseNumber(reader.Code, "Badge n° 7"); got != "Badge n° 7" || err != nil {
		t.Errorf("a code became %q, %v", got, err)
	}
}

func TestParseMedium(t *testing.T) {
	for word, want := range map[string]reader.Medium{"rfid": reader.RFID, "sans-contact": reader.Contactless, "code": reader.Code, "contact": "", "": ""} {
		got, err := card.ParseMedium(word)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", word, got, err)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	f.Add("rfid", "010063E9AE", "", []byte(nil), false)
	f.Add("code", "", "AB12CD34EF", []byte(nil), false)
	f.Add("contact", "", "", []byte{0x3B, 0x75, 0x13, 0, 0, 0x47, 9, 0xEA, 0x90, 0}, false)
	f.Add("contactless", "08AB12CD", "VILLE:004217", []byte{0x3B}, true)
	kinds := []card.Kind{card.Unknown, card.City, card.Mediator, card.Staff, card.Pass, card.NotAPass, card.Vitale, card.Several}
	r := rules()
	f.Fuzz(func(t *testing.T, medium, number, text string, atr []byte, several bool) {
		c := r.Recognise(reader.Event{Medium: reader.Medium(medium), Present: true, Number: number, Text: text, ATR: atr, Several: several})
		if !slices.Contains(kinds, c.Kind) {
			t.Errorf("kind %q", c.Kind)
		}
		if (c.Kind == card.City) != callback.ValidCard(string(c.Number)) {
			t.Errorf("a card of kind %s has a number of %d bytes", c.Kind, len(c.Number))
		}
	})
}
