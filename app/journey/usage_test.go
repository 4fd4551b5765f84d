package journey_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"parvis/app/journey/journeytest"
	"parvis/kiosk/unfound"
	"parvis/kiosk/visit"
)

// A journey that is left counts once, with the page on which it was; one that
// reached its end doesn't.
func TestLeftJourneysAreCounted(t *testing.T) {
	const demarche = "demarche:carte-identite-passeport"
	tests := []struct {
		name    string
		choices []string
		end     bool
		want    string
	}{
		{"at the first question, by home", []string{"demarches", demarche, "nav.home"}, false, "demarche.carte-identite-passeport.left left.demarche.q1"},
		{"at the first question, back", []string{"demarches", demarche, "nav.back"}, false, "demarche.carte-identite-passeport.left left.demarche.q1"},
		{"by going away", []string{"demarches", demarche}, true, "demarche.carte-identite-passeport.left left.demarche.q1"},
		{"from the page about languages", []string{"demarches", demarche, "nav.language"}, true, "demarche.carte-identite-passeport.left left.demarche.q1"},
		{"a look at the languages", []string{"demarches", demarche, "nav.language", "nav.back"}, false, ""},
		{"a request, at its topic", []string{"callback", "nav.home"}, false, "left.callback.topic"},
		{"a request that a démarche led to", []string{"demarches", demarche, "unsure"}, true, "left.callback.phone"},
		{"the test, at its first question", []string{"level", "nav.home"}, false, "left.level.q1"},
		{"no journey", []string{"demarches", "nav.home"}, true, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := journeytest.New(t)
			v := visit.New(1, "")
			b.Choose(t, v, append([]string{"start"}, tt.choices...)...)
			if tt.end {
				b.End(v, b.Clock)
			}
			if got := counted(b, "left"); got != tt.want {
				t.Errorf("counted %q, want %q", got, tt.want)
			}
		})
	}
}

func counted(b *journeytest.Borne, word string) string {
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(b.Counts)) {
		if strings.Contains(key, word) {
			keys = append(keys, key)
		}
		if b.Counts[key] != 1 && strings.Contains(key, word) {
			keys = append(keys, "more than once")
		}
	}
	return strings.Join(keys, " ")
}

func TestFinishedJourneysAreNotLeft(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	b.Choose(t, v, "start", "level")
	for v.Here().Page == "level.question" {
		for _, part := range b.Page(t.Context(), v).Reading() {
			if part.Choice != nil && strings.HasPrefix(part.Choice.ID, "answer:") {
				b.Choose(t, v, part.Choice.ID)
				break
			}
		}
	}
	b.Choose(t, v, "nav.home")
	b.End(v, b.Clock)
	if got := counted(b, "left"); got != "" || counted(b, "level.") == "" {
		t.Errorf("counted %v", b.Counts)
	}
}

// An aid counts once a visit, however often it is switched, and only in a visit.
func TestAidsAreCounted(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	v.Use("keypad")
	b.End(v, b.Clock)
	if len(b.Counts) > 0 {
		t.Errorf("nobody came, and counted are %v", b.Counts)
	}
	b.Choose(t, v, "start", "nav.listen", "nav.listen", "nav.listen", "nav.bigger", "nav.bigger", "nav.language", "low", "contrast", "contrast", "lang:falc")
	v.Use("keypad")
	b.End(v, b.Clock.Add(time.Minute))
	if got := counted(b, "aid."); got != "aid.bigger aid.contrast aid.falc aid.keypad aid.low aid.speech" {
		t.Errorf("counted %q", got)
	}
	b.Choose(t, v, "start")
	b.End(v, b.Clock.Add(time.Minute))
	if b.Counts["aid.low"] != 1 {
		t.Error("the next visit has the aids of the one before")
	}
}

// A search counts when somebody goes on from it; what was typed is nowhere.
func TestSearchesAreCounted(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	b.Choose(t, v, "start", "demarches", "search", "nav.back", "search")
	if got := counted(b, "search"); got != "" {
		t.Errorf("nothing was typed, and counted is %q", got)
	}
	b.Type(t, v, "xyzzy")
	b.Choose(t, v, "nav.home")
	if got := counted(b, "search"); got != "search.demarche search.demarche.none" {
		t.Errorf("counted %q", got)
	}
	b.Choose(t, v, "help", "search")
	b.Type(t, v, "mairie")
	b.Choose(t, v, "nav.back")
	if b.Counts["search.places"] != 1 || counted(b, "xyzzy") != "" || counted(b, "mairie") != "" {
		t.Errorf("counted %v", b.Counts)
	}
}

// What was searched for in vain is handed on when the visit ends, in whatever way,
// and not what found something or was typed on the way.
func TestUnfoundIsHandedOn(t *testing.T) {
	tests := []struct {
		name string
		walk func(t *testing.T, b *journeytest.Borne, v *visit.Visit)
		want string
	}{
		{"given up", func(t *testing.T, b *journeytest.Borne, v *visit.Visit) {
			b.Choose(t, v, "demarches", "search")
			b.Choose(t, v, "key.upper")
			b.Type(t, v, "Vélo  cargo")
			b.Choose(t, v, "nav.home")
		}, "demarche velo cargo"},
		{"away from the search itself", func(t *testing.T, b *journeytest.Borne, v *visit.Visit) {
			b.Choose(t, v, "help", "search")
			b.Type(t, v, "xyzzy")
		}, "places xyzzy"},
		{"both, and the same again", func(t *testing.T, b *journeytest.Borne, v *visit.Visit) {
			for range 2 {
				b.Choose(t, v, "demarches", "search")
				b.Type(t, v, "xyzzy")
				b.Choose(t, v, "nav.home", "help", "search")
				b.Type(t, v, "xyzzy")
				b.Choose(t, v, "nav.home")
			}
		}, "demarche xyzzy, places xyzzy"},
		{"amid help", func(t *testing.T, b *journeytest.Borne, v *visit.Visit) {
			b.Choose(t, v, "demarches", "search")
			b.Type(t, v, "xyz")
			b.Choose(t, v, "nav.person", "nav.back")
			b.Type(t, v, "zy")
			b.Choose(t, v, "nav.home")
		}, "demarche xyzzy"},
		{"rubbed out, and found", func(t *testing.T, b *journeytest.Borne, v *visit.Visit) {
			b.Choose(t, v, "demarches", "search")
			b.Type(t, v, "xyzzy")
			b.Choose(t, v, "key.clear")
			b.Type(t, v, "passeport")
			b.Choose(t, v, "demarche:carte-identite-passeport")
		}, ""},
		{"a number", func(t *testing.T, b *journeytest.Borne, v *visit.Visit) {
			b.Choose(t, v, "demarches", "search")
			b.Type(t, v, "dupont 0612345678")
			b.Choose(t, v, "nav.home")
		}, ""},
		{"found", func(t *testing.T, b *journeytest.Borne, v *visit.Visit) {
			b.Choose(t, v, "help", "search")
			b.Type(t, v, "mairie")
			b.Choose(t, v, "nav.home")
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := journeytest.New(t)
			var got []string
			var held [][]byte
			b.Unfound = func(words []unfound.Word) {
				for _, w := range words {
					got, held = append(got, w.Kind+" "+string(w.Text)), append(held, w.Text)
				}
			}
			v := visit.New(1, "")
			b.Choose(t, v, "start")
			tt.walk(t, b, v)
			if len(got) > 0 {
				t.Errorf("before the end of the visit: %q", got)
			}
			b.End(v, b.Clock)
			if text := strings.Join(got, ", "); text != tt.want {
				t.Errorf("handed on is %q, not %q", text, tt.want)
			}
			for _, text := range held {
				if strings.Trim(string(text[:cap(text)]), "\x00") != "" {
					t.Errorf("%q outlives the visit", text)
				}
			}
		})
	}
}

// A directory that can't be read has not been searched in vain.
func TestBrokenDirectoryIsNotMissed(t *testing.T) {
	b := journeytest.New(t)
	b.Unfound = func(words []unfound.Word) { t.Errorf("handed on is %q", words) }
	v := visit.New(1, "")
	b.Choose(t, v, "start", "help", "search")
	b.Store.Close()
	b.Type(t, v, "mairie")
	b.End(v, b.Clock)
	if got := counted(b, "none"); got != "" {
		t.Errorf("counted %q", got)
	}
}
