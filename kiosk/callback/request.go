package callback

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"regexp"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Request is what a resident asks for. It holds personal data: it is never
// printed, logged or written but sealed, and wiped when the visit ends.
type Request struct {
	ID        uuid.UUID `json:"id"`   // UUIDv7; the same ID is the same request
	Code      string    `json:"code"` // on the ticket
	Topic     string    `json:"topic"`
	Phone     string    `json:"phone,omitempty"` // E.164; empty where Card is given
	Card      string    `json:"card,omitempty"`  // number of a city card: the city knows a telephone number for it
	FirstName string    `json:"first_name,omitempty"`
	Lang      string    `json:"lang"`
	Site      string    `json:"site"`
	PlaceID   string    `json:"place_id,omitempty"` // the place asked to call, if one was chosen
	Text      bool      `json:"text,omitempty"`     // by text message instead of a call
	Slots     []Slot    `json:"slots,omitempty"`
	Consent   bool      `json:"consent"`
	Created   time.Time `json:"created"`
}

// Slot is a stretch of time in which the resident may be called. The zero Slot
// is any time.
type Slot struct {
	Start time.Time `json:"start,omitzero"`
	End   time.Time `json:"end,omitzero"`
}

// Any says that the slot is any time.
func (s Slot) Any() bool { return s.Start.IsZero() }

// New starts a request with an ID made at now and a fresh code.
func New(now time.Time) Request {
	return Request{ID: newID(now), Code: NewCode(), Created: now}
}

// newID makes a UUIDv7 of the given moment; the uuid package only knows the
// machine's clock.
func newID(now time.Time) uuid.UUID {
	var id uuid.UUID
	rand.Read(id[:]) // never fails
	ms := now.UnixMilli()
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// Wipe forgets everything about the request.
func (r *Request) Wipe() {
	clear(r.Slots)
	*r = Request{}
}

// Format prints a request as its ID whatever the verb, so that no log can
// reveal it.
func (r Request) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "callback.Request(%s)", r.ID) }

// LogValue logs a request as its ID.
func (r Request) LogValue() slog.Value { return slog.StringValue(r.ID.String()) }

// FieldError says which field of a request can't be accepted. Neither part of
// it repeats what the resident gave.
type FieldError struct {
	Field  string // the name in JSON: "phone", "slots", "consent" …
	Reason string // for developers and logs; the resident's sentences are in app/text
}

func (e *FieldError) Error() string { return "callback: " + e.Field + ": " + e.Reason }

// The longest request that passes must fit one block: see Seal.
const (
	maxSlots     = 6
	maxFirstName = 40 // characters
	maxWord      = 64 // bytes
	maxPlaceID   = 128
)

var (
	wordPattern = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)
	langPattern = regexp.MustCompile(`^[a-z]{2,8}$`)
)

// Validate checks everything but how the topic, site and place are called in
// this town. Its error is a *FieldError.
func (r *Request) Validate() error {
	bad := func(field, reason string) error { return &FieldError{field, reason} }
	code, err := CheckCode(r.Code)
	phone := CheckPhone(r.Phone)
	byCard := r.Card != ""
	switch {
	case r.ID.Version() != 7:
		return bad("id", "not a UUIDv7")
	case err != nil || code != r.Code:
		return bad("code", "not a code")
	case len(r.Topic) > maxWord || !wordPattern.MatchString(r.Topic):
		return bad("topic", "not a topic key")
	case byCard && r.Phone != "":
		return bad("card", "given beside a phone")
	case byCard && !ValidCard(r.Card):
		return bad("card", "too long or not plain text")
	case !byCard && (!phone.Valid || phone.E164 != r.Phone):
		return bad("phone", "not a valid number in E.164")
	case r.Text && !byCard && !phone.Mobile:
		return bad("text", "the number can't receive text messages")
	case utf8.RuneCountInString(r.FirstName) > maxFirstName || !isPlain(r.FirstName, 4*maxFirstName):
		return bad("first_name", "too long or not plain text")
	case !langPattern.MatchString(r.Lang):
		return bad("lang", "not a language code")
	case r.Site == "" || !isPlain(r.Site, maxWord):
		return bad("site", "missing, too long or not plain text")
	case !isPlain(r.PlaceID, maxPlaceID):
		return bad("place_id", "too long or not plain text")
	case !r.Consent:
		return bad("consent", "not given")
	case r.Created.IsZero():
		return bad("created", "missing")
	}
	return r.validateSlots()
}

func (r *Request) validateSlots() error {
	bad := func(reason string) error { return &FieldError{"slots", reason} }
	if len(r.Slots) == 0 && !r.Text {
		return bad("none chosen")
	}
	if len(r.Slots) > maxSlots {
		return bad(fmt.Sprintf("more than %d", maxSlots))
	}
	for _, s := range r.Slots {
		switch {
		case s.Any() && !s.End.IsZero(), !s.Any() && !s.End.After(s.Start):
			return bad("ends before it starts")
		case !s.Any() && !s.End.After(r.Created):
			return bad("in the past")
		}
	}
	return nil
}

// ValidCard reports whether a request takes the number of a city card.
func ValidCard(number string) bool { return number != "" && isPlain(number, maxWord) }

// isPlain says whether s is at most size bytes of printable text without the
// signs that JSON would have to escape.
func isPlain(s string, size int) bool {
	for _, r := range s {
		if !unicode.IsPrint(r) || r == '"' || r == '\\' {
			return false
		}
	}
	return len(s) <= size && utf8.ValidString(s)
}
