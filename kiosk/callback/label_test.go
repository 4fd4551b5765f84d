package callback_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"filippo.io/age"

	"parvis/kiosk/callback"
)

func mustSeal(t *testing.T, r callback.Request, to ...age.Recipient) []byte {
	t.Helper()
	data, err := callback.Seal(r, to)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func mustLabel(t *testing.T, data []byte, id age.Identity) callback.Label {
	t.Helper()
	l, err := callback.UnsealLabel(data, id)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLabel(t *testing.T) {
	id, second := MustIdentity(t), MustIdentity(t)
	r := request()
	data := mustSeal(t, r, id.Recipient(), second.Recipient())
	l := mustLabel(t, data, id)
	want := callback.Label{ID: r.ID, Code: r.Code, Topic: r.Topic, Lang: r.Lang, Site: r.Site, Slots: r.Slots, Created: r.Created, Same: l.Same}
	if !reflect.DeepEqual(l, want) || len(l.Same) != 16 {
		t.Error("not what the request says")
	}
	if other := mustLabel(t, data, second); !reflect.DeepEqual(other, l) {
		t.Error("the second hub reads another label")
	}

	sealed, person := callback.Split(data)
	file, err := age.Decrypt(bytes.NewReader(sealed), id)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{phone, phone[1:], phone[3:], name} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the label holds %s", secret)
		}
	}
	if got, err := callback.Unseal(person, id); err != nil || !reflect.DeepEqual(got, r) {
		t.Errorf("without its label: %v", err)
	}

	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "l", l)
	fmt.Fprintf(&log, "%v %+v %#v", l, l, l)
	if same, _ := json.Marshal(l.Same); strings.Contains(log.String(), string(same)) || strings.Contains(log.String(), fmt.Sprint(l.Same)) || !strings.Contains(log.String(), r.ID.String()) {
		t.Errorf("printed: %s", &log)
	}
}

// Two requests of one number have one mark, wherever the keys stand in a list;
// those of other numbers, cards and hubs have others.
func TestSame(t *testing.T) {
	id, second := MustIdentity(t), MustIdentity(t)
	mark := func(change func(*callback.Request), to ...age.Recipient) string {
		r := request()
		change(&r)
		return string(mustLabel(t, mustSeal(t, r, to...), id).Same)
	}
	one, two := id.Recipient(), second.Recipient()
	as := func(*callback.Request) {}
	first := mark(as, one)
	if mark(as, one) != first || mark(as, one, two) != mark(as, two, one) {
		t.Error("one resident has two marks")
	}
	card := func(number string) func(*callback.Request) {
		return func(r *callback.Request) { r.Phone, r.Card = "", number }
	}
	marks := map[string]bool{first: true}
	for name, m := range map[string]string{
		"another number": mark(func(r *callback.Request) { r.Phone = "+33612345653" }, one),
		"a card":         mark(card("123"), one),
		"another card":   mark(card("124"), one),
	} {
		if marks[m] {
			t.Errorf("%s has the mark of another", name)
		}
		marks[m] = true
	}
	other := string(mustLabel(t, mustSeal(t, request(), two), second).Same)
	if other == first {
		t.Error("another hub's mark is the same")
	}
}

// Requests of before labels are opened, and what is cut or damaged is refused,
// label by label.
func TestSplit(t *testing.T) {
	id := MustIdentity(t)
	r := request()
	data := mustSeal(t, r, id.Recipient())
	label, person := callback.Split(data)
	if l, p := callback.Split(person); len(l) > 0 || !bytes.Equal(p, person) {
		t.Error("an old request is taken for one with a label")
	}
	if _, err := callback.UnsealLabel(person, id); !errors.Is(err, callback.ErrNoLabel) {
		t.Errorf("an old request: %v", err)
	}
	head := len(data) - len(label) - len(person)
	for name, damaged := range map[string][]byte{
		"empty": nil, "a head": data[:head], "half a head": data[:head-2], "a label alone": data[:head+len(label)],
		"half a label": data[:head+len(label)/2], "a bent label": append(append(bytes.Clone(data[:head+400]), 'x'), data[head+401:]...),
	} {
		if _, err := callback.UnsealLabel(damaged, id); name != "a label alone" && !errors.Is(err, callback.ErrNoLabel) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := callback.Unseal(damaged, id); (err == nil) != (name == "a bent label") {
			t.Errorf("%s: the request: %v", name, err)
		}
	}
}
