package journey

import (
	"context"
	"strings"

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

// End counts the anonymous answers of a visit and wipes it: by "J’ai terminé",
// or by the idle clock.
func (j *Journey) End(v *visit.Visit) {
	if v.Leaving.Face != "" {
		j.Tally("leaving." + v.Leaving.Face)
	}
	for m := range v.Leaving.Missing {
		j.Tally("missing." + m)
	}
	v.Wipe()
}
