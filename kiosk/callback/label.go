package callback

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"
)

// Label is what the hub may know of a request without knowing whose it is: what
// it sorts its list by. It is sealed apart from the request itself.
type Label struct {
	ID      uuid.UUID `json:"id"`
	Code    string    `json:"code"`
	Topic   string    `json:"topic"`
	Lang    string    `json:"lang"`
	Site    string    `json:"site"`
	PlaceID string    `json:"place_id,omitempty"`
	Text    bool      `json:"text,omitempty"`
	ByCard  bool      `json:"by_card,omitempty"`
	Slots   []Slot    `json:"slots,omitempty"`
	Created time.Time `json:"created"`
	// Same is equal in two requests of one number, or one card, to one hub. The
	// number can be found out from it by trying all there are: it is for the
	// hub's memory alone, and never written as it stands.
	Same []byte `json:"same"`
}

// sameSize is the length of Label.Same in bytes.
const sameSize = 16

// label takes of a request what is not personal.
func (r *Request) label(recipients []age.Recipient) Label {
	return Label{
		ID: r.ID, Code: r.Code, Topic: r.Topic, Lang: r.Lang, Site: r.Site, PlaceID: r.PlaceID,
		Text: r.Text, ByCard: r.Card != "", Slots: r.Slots, Created: r.Created, Same: same(r, recipients),
	}
}

// same is the mark of whoever asks. That of another hub's requests differs, so
// that nobody can compare what two hubs hold.
func same(r *Request, recipients []age.Recipient) []byte {
	var keys []string
	for _, to := range recipients {
		if key, ok := to.(fmt.Stringer); ok {
			keys = append(keys, key.String())
		}
	}
	slices.Sort(keys) // bornes may list their keys in any order
	hub := ""
	if len(keys) > 0 {
		hub = keys[0]
	}
	who := cmp.Or(r.Phone, "card:"+r.Card)
	sum := sha256.Sum256([]byte("parvis-dup|" + hub + "|" + who))
	return sum[:sameSize]
}

// validate checks what a hub goes by. A label comes from whoever has a borne.
func (l *Label) validate() error {
	switch {
	case l.ID.Version() != 7:
		return errors.New("not a UUIDv7")
	case len(l.Topic) > maxWord || !wordPattern.MatchString(l.Topic):
		return errors.New("not a topic key")
	case !langPattern.MatchString(l.Lang):
		return errors.New("not a language code")
	case !isPlain(l.Site, maxWord):
		return errors.New("site: too long or not plain text")
	case !isPlain(l.PlaceID, maxPlaceID):
		return errors.New("place_id: too long or not plain text")
	case len(l.Slots) > maxSlots:
		return errors.New("too many slots")
	case len(l.Same) != sameSize:
		return errors.New("no mark of whose it is")
	}
	for _, s := range l.Slots {
		if s.Any() != s.End.IsZero() || !s.Any() && !s.End.After(s.Start) {
			return errors.New("a slot ends before it starts")
		}
	}
	return nil
}

// Format prints a label as its ID whatever the verb: Same must not be written.
func (l Label) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "callback.Label(%s)", l.ID) }

// LogValue logs a label as its ID.
func (l Label) LogValue() slog.Value { return slog.StringValue(l.ID.String()) }
