package callback_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"parvis/kiosk/callback"
)

const (
	phone = "+33612345652"
	name  = "Apolline"
)

var now = time.Date(2026, 11, 21, 10, 42, 0, 0, time.UTC)

// request is one that passes.
func request() callback.Request {
	r := callback.New(now)
	r.Topic = "papiers_elections_citoyennete"
	r.Phone = phone
	r.FirstName = name
	r.Lang = "fr"
	r.Site = "mairie-de-quartier"
	r.Slots = []callback.Slot{{}, {Start: now.Add(24 * time.Hour), End: now.Add(27 * time.Hour)}}
	r.Consent = true
	return r
}

func MustIdentity(tb testing.TB) *age.X25519Identity {
	tb.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		tb.Fatal(err)
	}
	return id
}

func TestNew(t *testing.T) {
	r, other := callback.New(now), callback.New(now)
	if r.ID == other.ID {
		t.Error("two requests with one ID")
	}
	if r.ID.Version() != 7 || r.ID.Variant() != uuid.RFC4122 {
		t.Errorf("ID %s: version %d, variant %s", r.ID, r.ID.Version(), r.ID.Variant())
	}
	if sec, nsec := r.ID.Time().UnixTime(); !time.Unix(sec, nsec).Equal(now) {
		t.Errorf("ID of %v, want %v", time.Unix(sec, nsec), now)
	}
	if _, err := callback.CheckCode(r.Code); err != nil || !r.Created.Equal(now) {
		t.Errorf("code %s (%v), created %v", r.Code, err, r.Created)
	}
}

func TestValidate(t *testing.T) {
	type R = callback.Request
	tests := []struct {
		name  string
		spoil func(*R)
		field string // "" when the request still passes
	}{
		{"as it is", func(*R) {}, ""},
		{"no name", func(r *R) { r.FirstName = "" }, ""},
		{"name with accents and dash", func(r *R) { r.FirstName = "Jean-Noël d’Ô" }, ""},
		{"Arabic name", func(r *R) { r.FirstName = "فاطمة" }, ""},
		{"text message and no slot", func(r *R) { r.Text, r.Slots = true, nil }, ""},
		{"random ID", func(r *R) { r.ID = uuid.New() }, "id"},
		{"no ID", func(r *R) { r.ID = uuid.Nil }, "id"},
		{"wrong code", func(r *R) { r.Code = "AAAAAA" }, "code"},
		{"no topic", func(r *R) { r.Topic = "" }, "topic"},
		{"topic in words", func(r *R) { r.Topic = "Mes papiers" }, "topic"},
		{"no phone", func(r *R) { r.Phone = "" }, "phone"},
		{"phone as typed", func(r *R) { r.Phone = "0612345652" }, "phone"},
		{"premium phone", func(r *R) { r.Phone = "+33892123456" }, "phone"},
		{"city card instead of a phone", func(r *R) { r.Phone, r.Card = "", "0006547886" }, ""},
		{"text message to who has a city card", func(r *R) { r.Phone, r.Card, r.Text = "", "0006547886", true }, ""},
		{"city card beside a phone", func(r *R) { r.Card = "0006547886" }, "card"},
		{"city card too long", func(r *R) { r.Phone, r.Card = "", strings.Repeat("6547886", 10) }, "card"},
		{"city card with a line break", func(r *R) { r.Phone, r.Card = "", "0006547886\n" }, "card"},
		{"text message to a landline", func(r *R) { r.Phone, r.Text = "+33142345652", true }, "text"},
		{"name with a line break", func(r *R) { r.FirstName = "Jean\nMarc" }, "first_name"},
		{"name not in UTF-8", func(r *R) { r.FirstName = "Jean\xff" }, "first_name"},
		{"name too long", func(r *R) { r.FirstName = strings.Repeat("é", 41) }, "first_name"},
		{"no language", func(r *R) { r.Lang = "" }, "lang"},
		{"no site", func(r *R) { r.Site = "" }, "site"},
		{"place with a line break", func(r *R) { r.PlaceID = "a\nb" }, "place_id"},
		{"no consent", func(r *R) { r.Consent = false }, "consent"},
		{"no slot", func(r *R) { r.Slots = nil }, "slots"},
		{"seven slots", func(r *R) { r.Slots = make([]callback.Slot, 7) }, "slots"},
		{"slot backwards", func(r *R) { r.Slots[1].End = r.Slots[1].Start }, "slots"},
		{"slot in the past", func(r *R) { r.Slots[1].Start, r.Slots[1].End = now.Add(-2*time.Hour), now }, "slots"},
		{"no date", func(r *R) { r.Created = time.Time{} }, "created"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request()
			tt.spoil(&r)
			err := r.Validate()
			var field *callback.FieldError
			switch {
			case tt.field == "" && err != nil:
				t.Error(err)
			case tt.field != "" && (!errors.As(err, &field) || field.Field != tt.field):
				t.Errorf("err = %v, want one about %s", err, tt.field)
			case err != nil && (strings.Contains(err.Error(), "612345652") || strings.Contains(err.Error(), "892123456") || strings.Contains(err.Error(), "6547886")):
				t.Errorf("the error repeats the number: %v", err)
			}
		})
	}
}

func TestRequestIsNeverPrinted(t *testing.T) {
	r := request()
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "r", r, "p", &r)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "r", r, "p", &r)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		fmt.Fprintf(&log, verb+verb+"\n", r, &r)
	}
	fmt.Fprintf(&log, "%v", []callback.Request{r})
	if !strings.Contains(log.String(), r.ID.String()) {
		t.Error("the ID is missing")
	}
	for _, secret := range []string{phone, phone[3:], name} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%s in: %s", secret, &log)
		}
	}
}

func TestWipe(t *testing.T) {
	r := request()
	slots := r.Slots
	r.Wipe()
	if !reflect.DeepEqual(r, callback.Request{}) {
		t.Error("something is left")
	}
	for _, s := range slots {
		if s != (callback.Slot{}) {
			t.Error("a slot is left")
		}
	}
}

func TestSeal(t *testing.T) {
	first, second, stranger := MustIdentity(t), MustIdentity(t), MustIdentity(t)
	recipients, err := callback.ParseRecipients([]string{first.Recipient().String(), " " + second.Recipient().String() + "\n"})
	if err != nil {
		t.Fatal(err)
	}
	r := request()
	data, err := callback.Seal(r, recipients)
	if err != nil {
		t.Fatal(err)
	}

	for who, id := range map[string]age.Identity{"first": first, "second": second} {
		t.Run("opened by the "+who, func(t *testing.T) {
			got, err := callback.Unseal(data, id)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, r) {
				t.Error("not what was sealed")
			}
		})
	}
	t.Run("not by a stranger", func(t *testing.T) {
		if got, err := callback.Unseal(data, stranger); err == nil || got.Phone != "" {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("not when changed", func(t *testing.T) {
		bent := bytes.Clone(data)
		bent[len(bent)-10] ^= 1
		if got, err := callback.Unseal(bent, first); err == nil || got.Phone != "" {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("not when it is something else", func(t *testing.T) {
		var other bytes.Buffer
		w, err := age.Encrypt(&other, first.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, "bonjour")
		w.Close()
		if _, err := callback.Unseal(other.Bytes(), first); err == nil {
			t.Error("accepted")
		}
	})
	t.Run("says nothing", func(t *testing.T) {
		for _, secret := range []string{phone, phone[1:], phone[3:], name, r.Topic, r.Code} {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s in the sealed bytes", secret)
			}
		}
	})
	t.Run("ErrNoKey", func(t *testing.T) {
		if _, err := callback.Seal(r, nil); !errors.Is(err, callback.ErrNoKey) {
			t.Errorf("err = %v", err)
		}
	})
}

// The shortest and the longest request that pass are sealed to the same size.
func TestSealedSize(t *testing.T) {
	recipients := []age.Recipient{MustIdentity(t).Recipient()}
	short := callback.New(now)
	short.Topic, short.Phone, short.Lang, short.Site = "a", "+687751234", "fr", "a"
	short.Text, short.Consent = true, true

	long := request()
	long.Created = now.In(time.FixedZone("", 3600)).Add(123456789)
	long.Topic = strings.Repeat("a", 64)
	long.Lang = "abcdefgh"
	long.Site = strings.Repeat("&", 64)
	long.PlaceID = strings.Repeat("<", 128)
	long.FirstName = strings.Repeat("\U00010400", 40)
	long.Slots = nil
	for range 6 {
		long.Slots = append(long.Slots, callback.Slot{Start: long.Created.Add(time.Hour), End: long.Created.Add(2 * time.Hour)})
	}

	card := long
	card.Phone, card.Card = "", strings.Repeat("&", 64)

	var sizes, labels []int
	for _, r := range []callback.Request{short, request(), long, card} {
		if err := r.Validate(); err != nil {
			t.Fatal(err)
		}
		data, err := callback.Seal(r, recipients)
		if err != nil {
			t.Fatal(err)
		}
		label, person := callback.Split(data)
		sizes, labels = append(sizes, len(person)), append(labels, len(label))
	}
	if sizes[0] != sizes[1] || sizes[1] != sizes[2] || sizes[2] != sizes[3] {
		text, _ := json.Marshal(card)
		t.Errorf("sizes %v differ; the longest has %d bytes of JSON", sizes, len(text))
	}
	if labels[0] != labels[1] || labels[1] != labels[2] || labels[2] != labels[3] {
		t.Errorf("sizes %v of the labels differ", labels)
	}
}

// The demo profile seals to the public key that the demo file names.
func TestDemoKey(t *testing.T) {
	file, err := os.ReadFile("../../content/demo/demo-hub.key")
	if err != nil {
		t.Fatal(err)
	}
	ids, err := age.ParseIdentities(bytes.NewReader(file))
	if err != nil || len(ids) != 1 {
		t.Fatalf("%d identities, %v", len(ids), err)
	}
	_, public, ok := strings.Cut(string(file), "# public key: ")
	if !ok || !strings.Contains(string(file), "DEMO ONLY") {
		t.Fatal("the file doesn't say what it is")
	}
	recipients, err := callback.ParseRecipients([]string{strings.Fields(public)[0]})
	if err != nil {
		t.Fatal(err)
	}
	r := request()
	data, err := callback.Seal(r, recipients)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := callback.Unseal(data, ids...); err != nil || !reflect.DeepEqual(got, r) {
		t.Errorf("not what was sealed (%v)", err)
	}
}

func TestParseRecipients(t *testing.T) {
	id := MustIdentity(t)
	good := id.Recipient().String()
	tests := []struct {
		name string
		keys []string
		want string // in the error
	}{
		{"none", nil, ""},
		{"one", []string{good}, ""},
		{"cut short", []string{good, good[:40]}, "n° 2"},
		{"empty", []string{""}, "n° 1"},
		{"private", []string{good, id.String()}, "clé privée"},
		{"private in small letters", []string{strings.ToLower(id.String())}, "clé privée"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := callback.ParseRecipients(tt.keys)
			if tt.want == "" {
				if err != nil || len(got) != len(tt.keys) {
					t.Errorf("%d recipients, %v", len(got), err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("err = %v, want %q in it", err, tt.want)
			}
			if strings.Contains(strings.ToUpper(err.Error()), id.String()[20:]) {
				t.Error("the error repeats the private key")
			}
		})
	}
}
