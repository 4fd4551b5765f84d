package demarche_test

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"parvis/kiosk/demarche"
)

func mustLoad(t testing.TB, files ...string) *demarche.Catalogue {
	t.Helper()
	c, err := demarche.Load(folder(files...))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustLoadShipped(t testing.TB) *demarche.Catalogue {
	t.Helper()
	c, err := demarche.Load(os.DirFS(shipped))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNextAndProgress(t *testing.T) {
	d := mustLoad(t, "base.yaml", baseYAML).Get("base")
	tests := map[string]struct {
		answers     demarche.Answers
		next        string // "" at the end
		done, total int
	}{
		"nothing answered":                  {nil, "titre", 0, 2},
		"a branch that asks more":           {demarche.Answers{"titre": "carte"}, "perdue", 1, 2},
		"a branch that asks no more":        {demarche.Answers{"titre": "passeport"}, "", 1, 1},
		"all answered":                      {demarche.Answers{"titre": "carte", "perdue": "oui"}, "", 2, 2},
		"an answer left from a branch":      {demarche.Answers{"titre": "passeport", "perdue": "oui"}, "", 1, 1},
		"an answer to a question not asked": {demarche.Answers{"perdue": "oui"}, "titre", 0, 2},
		"an unknown answer":                 {demarche.Answers{"titre": "permis"}, "titre", 0, 2},
		"an unknown question":               {demarche.Answers{"absente": "oui"}, "titre", 0, 2},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			got := ""
			if q := d.Next(c.answers); q != nil {
				got = q.ID
			}
			if got != c.next {
				t.Errorf("next is %q, want %q", got, c.next)
			}
			if done, total := d.Progress(c.answers); done != c.done || total != c.total {
				t.Errorf("progress is %d of %d, want %d of %d", done, total, c.done, c.total)
			}
		})
	}
}

func TestNextOffersChoicesByCondition(t *testing.T) {
	source := change(t, "- {id: non,", "- {id: peut_etre, icon: help, if: titre == 'carte', label: {fr: Peut-être, falc: Peut-être, en: Maybe}}\n      - {id: non,")
	source = strings.Replace(source, "    if: titre == 'carte'\n    text", "    text", 1)
	d := mustLoad(t, "base.yaml", source).Get("base")
	for titre, want := range map[string][]string{
		"carte":     {"oui", "peut_etre", "non"},
		"passeport": {"oui", "non"},
	} {
		q := d.Next(demarche.Answers{"titre": titre})
		var got []string
		for _, c := range q.Choices {
			got = append(got, c.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("after %s: choices %v, want %v", titre, got, want)
		}
	}
	if q := d.Next(demarche.Answers{"titre": "passeport", "perdue": "peut_etre"}); q == nil || q.ID != "perdue" {
		t.Error("an answer that isn't offered here counts")
	}
	// What Next hands out is the caller's own.
	q := d.Next(nil)
	q.Choices[0].ID = "spoilt"
	if d.Next(nil).Choices[0].ID != "carte" {
		t.Error("changing a question that was handed out changes the démarche")
	}
}

func TestOutcome(t *testing.T) {
	d := mustLoad(t, "base.yaml", baseYAML).Get("base")
	tests := map[string]struct {
		answers demarche.Answers
		bring   []string
		cost    string
		verify  bool
	}{
		"card":                {demarche.Answers{"titre": "carte", "perdue": "non"}, []string{"1 photo"}, "Gratuit", false},
		"lost card":           {demarche.Answers{"titre": "carte", "perdue": "oui"}, []string{"1 photo", "Déclaration de perte"}, "25 euros", true},
		"passport":            {demarche.Answers{"titre": "passeport"}, []string{"1 photo"}, "25 euros", true},
		"passport after back": {demarche.Answers{"titre": "passeport", "perdue": "oui"}, []string{"1 photo"}, "25 euros", true},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			o := d.Outcome(c.answers)
			var bring []string
			for _, item := range o.Bring {
				bring = append(bring, item.Text.In("fr"))
			}
			if !slices.Equal(bring, c.bring) {
				t.Errorf("bring %v, want %v", bring, c.bring)
			}
			if len(o.Cost) != 1 || o.Cost[0].Title.In("fr") != c.cost || o.Cost[0].Verify != c.verify {
				t.Errorf("cost %+v, want %s, verify %t", o.Cost, c.cost, c.verify)
			}
			if len(o.Delay) != 1 || len(o.Online) != 1 || o.Online[0].URL != "https://france-titres.gouv.fr" {
				t.Errorf("delay %+v, online %+v", o.Delay, o.Online)
			}
			if len(o.Where) != 1 || o.Where[0].Query == nil || o.Where[0].Query.Services[0] != "aide_aux_demarches_administratives" {
				t.Errorf("where %+v", o.Where)
			}
		})
	}
}

// follow answers questions until none is left, each with the choice that pick
// takes, and checks Progress on the way.
func follow(t *testing.T, d *demarche.Demarche, pick func(*demarche.Question) string) demarche.Answers {
	t.Helper()
	a := demarche.Answers{}
	before := 0
	for n := 0; ; n++ {
		done, total := d.Progress(a)
		if done != n || total < done || before > 0 && total > before {
			t.Fatalf("%s: progress %d of %d after %v (was of %d)", d.ID, done, total, a, before)
		}
		before = total
		q := d.Next(a)
		if q == nil {
			if done != total {
				t.Fatalf("%s: done at %d of %d", d.ID, done, total)
			}
			return a
		}
		a[q.ID] = pick(q)
	}
}

func TestEveryShippedPathLeadsSomewhere(t *testing.T) {
	for _, d := range mustLoadShipped(t).Demarches {
		paths := 0
		var walk func(prefix []int)
		walk = func(prefix []int) {
			depth, width := 0, 0
			a := follow(t, d, func(q *demarche.Question) string {
				i := 0
				if depth < len(prefix) {
					i = prefix[depth]
				} else if depth == len(prefix) {
					width = len(q.Choices)
				}
				depth++
				return q.Choices[i].ID
			})
			if depth == len(prefix) {
				paths++
				if o := d.Outcome(a); len(o.Cost) == 0 || len(o.Delay) == 0 || len(o.Where)+len(o.Online) == 0 {
					t.Errorf("%s: dead end after %v", d.ID, a)
				}
				return
			}
			for i := range width {
				walk(append(slices.Clone(prefix), i))
			}
		}
		walk(nil)
		if paths != d.Paths() {
			t.Errorf("%s: walked %d paths, the loader counted %d", d.ID, paths, d.Paths())
		}
	}
}

func TestUseFromSeveralGoroutines(t *testing.T) {
	d := mustLoad(t, "base.yaml", baseYAML).Get("base")
	var done sync.WaitGroup
	for range 4 {
		done.Go(func() {
			for range 100 {
				a := demarche.Answers{"titre": "carte", "perdue": "oui"}
				if q := d.Next(a); q != nil || len(d.Outcome(a).Bring) != 2 {
					t.Errorf("next %v, outcome %v", q, d.Outcome(a))
				}
			}
		})
	}
	done.Wait()
}

func BenchmarkLoadShipped(b *testing.B) {
	for b.Loop() {
		if _, err := demarche.Load(os.DirFS(shipped)); err != nil {
			b.Fatal(err)
		}
	}
}

// The slowest of the shipped démarches, on its longest path.
func BenchmarkNextAndOutcome(b *testing.B) {
	c := mustLoadShipped(b)
	longest := slices.MaxFunc(c.Demarches, func(x, y *demarche.Demarche) int { return x.Questions() - y.Questions() })
	a := demarche.Answers{}
	for q := longest.Next(a); q != nil; q = longest.Next(a) {
		a[q.ID] = q.Choices[0].ID
	}
	b.Run("Next", func(b *testing.B) {
		for b.Loop() {
			longest.Next(a)
		}
	})
	b.Run("Progress", func(b *testing.B) {
		for b.Loop() {
			longest.Progress(a)
		}
	})
	b.Run("Outcome", func(b *testing.B) {
		for b.Loop() {
			longest.Outcome(a)
		}
	})
}
