package journey

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"parvis/app/page"
	"parvis/kiosk/visit"
)

// What residents did is counted in fixed words: the city learns where journeys
// are left and which aids serve, and nothing that anybody typed or said, but for
// searches that found nothing: see package unfound.

// amid finds the journey that a visit is in the middle of: the newest step of its
// path that belongs to one. ok is false when that one has reached its end.
func amid(path []visit.Step) (s visit.Step, ok bool) {
	for _, s := range slices.Backward(path) {
		switch s.Page {
		case "demarche.result", "level.result", "callback.done":
			return visit.Step{}, false
		case "demarche.question", "level.question", "callback.topic", "callback.phone", "callback.when", "callback.name", "callback.review", "callback.failed":
			return s, true
		}
	}
	return visit.Step{}, false
}

// left counts a journey that was in hand before and of which nothing is on the
// path any more, by the page on which that happened.
func (j *Journey) left(before visit.Step, path []visit.Step) {
	kind, where, _ := strings.Cut(before.Page, ".")
	for _, s := range path {
		if strings.HasPrefix(s.Page, kind+".") && (kind != "demarche" || s.Arg == before.Arg) {
			return
		}
	}
	if where == "question" {
		where = "q" + strconv.Itoa(before.N+1)
	}
	j.Tally("left." + kind + "." + where)
	if kind == "demarche" {
		j.Tally("demarche." + before.Arg + ".left")
	}
}

// searching reports whether the page in sight is one on which something was typed
// to be searched for.
func searching(v *visit.Visit) bool {
	return strings.HasSuffix(v.Here().Page, ".search") && len(v.Search.Words) > 0
}

// searched counts a search that somebody goes on from, or goes away from, and one
// that found nothing, whose words the visit then keeps until its end. p is the page
// it was typed on.
func (j *Journey) searched(v *visit.Visit, p page.Page) {
	kind := strings.TrimSuffix(p.Name, ".search")
	j.Tally("search." + kind)
	typed, broken := "", j.words(v).T("places.broken_text")
	for _, b := range p.Blocks {
		switch b := b.(type) {
		case page.Choices:
			return
		case page.Field:
			typed = b.Value
		case page.Text:
			if b.Text == broken { // nobody knows whether there is such a place
				return
			}
		}
	}
	j.Tally("search." + kind + ".none")
	v.Missed(kind, typed)
}

// aids counts what helped in a visit, each once.
func (j *Journey) aids(v *visit.Visit) {
	for _, aid := range slices.Sorted(maps.Keys(v.Aids)) {
		j.Tally("aid." + aid)
	}
}
