package visit_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"parvis/kiosk/unfound"
	"parvis/kiosk/visit"
)

func TestPath(t *testing.T) {
	v := visit.New(1, "fr")
	if v.Here().Page != "attract" {
		t.Fatalf("a visit begins on %s", v.Here().Page)
	}
	v.Back()
	if v.Here().Page != "attract" {
		t.Errorf("back from the first page leads to %s", v.Here().Page)
	}
	v.Go(visit.Step{Page: "home"})
	v.Go(visit.Step{Page: "demarches"})
	v.Replace(visit.Step{Page: "help"})
	v.Back()
	if v.Here().Page != "home" {
		t.Errorf("back leads to %s", v.Here().Page)
	}
}

// What was typed is overwritten where it lay, not only let go.
func TestWipeOverwrites(t *testing.T) {
	for name, wipe := range map[string]func(*visit.Visit){"wipe": (*visit.Visit).Wipe, "home": (*visit.Visit).Home} {
		v := visit.New(1, "fr")
		for _, d := range "0612345678" {
			v.Draft.Phone = visit.Type(v.Draft.Phone, string(d), 20)
		}
		v.Draft.Name = visit.Type(v.Draft.Name, "Léa", 30)
		v.Search.Words = visit.Type(v.Search.Words, "rsa", 40)
		v.Card, v.Draft.Card = []byte("0006547886"), []byte("0006547886")
		v.PIN = visit.Type(v.PIN, "2", 12)
		var typed [][]byte
		for _, b := range [][]byte{v.Draft.Phone, v.Draft.Card, v.Draft.Name, v.Search.Words, v.Card, v.PIN} {
			typed = append(typed, b[:cap(b)])
		}
		wipe(v)
		for _, b := range typed {
			if !bytes.Equal(b, make([]byte, len(b))) {
				t.Errorf("%s leaves %q", name, b)
			}
		}
		if len(v.Draft.Phone)+len(v.Draft.Card)+len(v.Draft.Name)+len(v.Search.Words)+len(v.Card)+len(v.PIN)+len(v.Answers) != 0 {
			t.Errorf("%s leaves %+v", name, v.Draft)
		}
	}
}

func TestHomeKeepsAids(t *testing.T) {
	v := visit.New(1, "en")
	v.TextStep, v.Contrast, v.Low, v.Speech, v.Accompanied = 2, true, true, true, true
	v.Home()
	if !v.Accompanied || v.Lang != "en" || v.TextStep != 2 || !v.Contrast || !v.Low || !v.Speech {
		t.Errorf("home forgot language or aids: %+v", v)
	}
	v.Wipe()
	if v.Accompanied || v.Lang != "" || v.TextStep != 0 || v.Contrast || v.Low || v.Speech {
		t.Errorf("the wipe kept language or aids: %+v", v)
	}
}

// What was rubbed out, or taken out of sight, is overwritten too.
func TestOverwrittenToTheEnd(t *testing.T) {
	text := visit.Type(visit.Type(nil, "06", 20), "12", 20)
	all := text[:cap(text)]
	if text = visit.Empty(text[:1]); len(text) != 0 || !bytes.Equal(all, make([]byte, len(all))) {
		t.Errorf("%q is left of %q", text, all)
	}
	d := visit.Draft{Topic: "logement", Phone: []byte("0612345678")[:0], Card: []byte("0006547886")[:0], Name: []byte("Léa")[:0]}
	texts := [][]byte{d.Phone, d.Card, d.Name}
	d.Wipe()
	for _, text := range texts {
		if all := text[:cap(text)]; !bytes.Equal(all, make([]byte, len(all))) {
			t.Errorf("%q is left", all)
		}
	}
	if d.Phone != nil || d.Card != nil || d.Name != nil || d.Topic != "" || d.Slot != -1 {
		t.Errorf("%+v is left", d)
	}
}

func TestTypeAndRub(t *testing.T) {
	var b []byte
	for _, sign := range []string{"É", "v", "e"} {
		b = visit.Type(b, sign, 5)
	}
	if string(b) != "Éve" {
		t.Fatalf("typed %q", b)
	}
	if b = visit.Type(b, "é", 5); string(b) != "Éve" {
		t.Errorf("more than fits: %q", b)
	}
	all := b[:cap(b)]
	b = visit.Rub(visit.Rub(visit.Rub(b)))
	if len(b) != 0 || !bytes.Equal(all, make([]byte, len(all))) {
		t.Errorf("rubbed out, %q is left of %q", all, b)
	}
	if b = visit.Rub(b); len(b) != 0 {
		t.Errorf("nothing rubbed out: %q", b)
	}
}

func TestClock(t *testing.T) {
	start := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	for _, p := range []visit.Patience{visit.Usual, visit.WithSpeech, visit.Accompanied, visit.Maintenance} {
		if p.Warning < 20*time.Second {
			t.Errorf("%v: the warning stays %v, EN 301 549 asks for 20 s", p, p.Warning)
		}
		c := visit.Clock{Patience: p}
		c.Touch(start)
		at := func(d time.Duration) visit.Moment { return c.At(start.Add(d)) }
		if m := at(p.Idle - time.Second); m.Warn || m.Over {
			t.Errorf("%v: %+v a second before the warning", p, m)
		}
		if m := at(p.Idle); !m.Warn || m.Over || m.Until != p.Warning {
			t.Errorf("%v: %+v at the warning", p, m)
		}
		if m := at(p.Idle + p.Warning - time.Second); m.Over || m.Until != time.Second {
			t.Errorf("%v: %+v a second before the end", p, m)
		}
		if m := at(p.Idle + p.Warning); !m.Over {
			t.Errorf("%v: %+v at the end", p, m)
		}
		c.Touch(start.Add(p.Idle + 5*time.Second))
		if m := at(p.Idle + p.Warning); m.Warn {
			t.Errorf("%v: %+v after the resident said to stay", p, m)
		}
	}
}

// A search is kept once, in its longest form, over the way home, and overwritten
// with the visit.
func TestMissed(t *testing.T) {
	v := visit.New(1, "")
	for _, typed := range []string{"Vélo", "velo cargo", "VELO", "06 12 34", "patinoire"} {
		v.Missed(unfound.Places, typed)
	}
	v.Missed(unfound.Demarches, "vélo")
	v.Home()
	var got []string
	var held [][]byte
	for _, w := range v.Unfound {
		got, held = append(got, w.Kind+" "+string(w.Text)), append(held, w.Text)
	}
	if want := []string{"places velo cargo", "places patinoire", "demarche velo"}; !slices.Equal(got, want) {
		t.Errorf("kept %q, not %q", got, want)
	}
	v.Wipe()
	if len(v.Unfound) > 0 {
		t.Errorf("after the wipe: %q", v.Unfound)
	}
	for i, text := range held {
		if strings.Trim(string(text[:cap(text)]), "\x00") != "" {
			t.Errorf("%q is not overwritten", got[i])
		}
	}
}
