package journey

import (
	"context"
	"strings"
	"time"

	"parvis/app/page"
	"parvis/kiosk/visit"
)

var (
	faces   = []struct{ key, icon string }{{"yes", "mood-smile"}, {"some", "mood-empty"}, {"no", "mood-sad"}}
	missing = []string{"person", "demarche", "internet", "scan", "language", "long"}
)

func (j *Journey) leaving(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	faceRow := page.Choices{Shape: page.Faces}
	accents := []page.Accent{page.Level, page.Card, page.Callback}
	for i, f := range faces {
		faceRow.Items = append(faceRow.Items, page.Choice{ID: "face:" + f.key, Label: w.T("leaving." + f.key), Icon: f.icon, Accent: accents[i], Switch: true, On: v.Leaving.Face == f.key})
	}
	chips := page.Choices{Shape: page.Chips, Label: w.T("leaving.missing")}
	for _, m := range missing {
		chips.Items = append(chips.Items, page.Choice{ID: "missing:" + m, Label: w.T("leaving.missing_" + m), Switch: true, On: v.Leaving.Missing[m]})
	}
	blocks := []page.Block{faceRow, chips, page.Text{Style: page.Muted, Text: w.T("leaving.note")}}
	if v.CardPresent {
		blocks = append([]page.Block{page.Notice{Accent: page.Card, Icon: "credit-card", Title: w.T("card.left"), Text: w.T("card.left_text")}}, blocks...)
	}
	return page.Page{Title: w.T("leaving.title"),
		Blocks:  blocks,
		Actions: []page.Choice{{ID: Wipe, Label: w.T("leaving.finish"), Icon: "door-exit", Accent: page.Level, Primary: true}},
	}
}

func (j *Journey) chooseLeaving(_ context.Context, v *visit.Visit, id string) *Task {
	if f, ok := strings.CutPrefix(id, "face:"); ok {
		v.Leaving.Face = f
	}
	if m, ok := strings.CutPrefix(id, "missing:"); ok {
		if v.Leaving.Missing[m] {
			delete(v.Leaving.Missing, m)
		} else {
			v.Leaving.Missing[m] = true
		}
	}
	return nil
}

// longestVisit bounds what a visit adds to the time that visits took, so that
// a clock put right amid one doesn't.
const longestVisit = time.Hour

// End counts the anonymous answers of a visit and the time from its first
// touch to the last sign of life, hands on what it searched for in vain, and wipes
// it: by "J’ai terminé", or by the idle clock.
func (j *Journey) End(v *visit.Visit, last time.Time) {
	if !v.Began.IsZero() {
		took := min(max(last.Sub(v.Began), time.Second), longestVisit)
		j.add("visit.seconds", int(took/time.Second))
		j.aids(v)
	}
	if here, ok := amid(v.Path); ok {
		j.left(here, nil)
	}
	if searching(v) {
		j.searched(v, j.Page(context.Background(), v))
	}
	if j.Unfound != nil && len(v.Unfound) > 0 {
		j.Unfound(v.Unfound)
	}
	if v.Leaving.Face != "" {
		j.Tally("leaving." + v.Leaving.Face)
	}
	for _, m := range missing {
		if v.Leaving.Missing[m] {
			j.Tally("missing." + m)
		}
	}
	v.Wipe()
}
