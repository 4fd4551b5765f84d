package journey

import (
	"context"
	"strings"

	"parvis/app/page"
	"parvis/kiosk/place"
	"parvis/kiosk/visit"
)

func levelAnswers(v *visit.Visit) map[string]string {
	return answers(v.Level, len(v.Level))
}

func (j *Journey) levelQuestion(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	n := v.Here().N
	q := j.Level.Questions[n]
	var rows []page.Choice
	for _, c := range q.Choices {
		rows = append(rows, page.Choice{ID: "answer:" + c.ID, Label: c.Label.In(w.Code), Detail: c.Detail.In(w.Code), Icon: c.Icon, Accent: page.Level})
	}
	total := len(j.Level.Questions)
	return page.Page{Accent: page.Level, Kicker: w.T("level.question", "N", n+1, "Total", total), Title: q.Text.In(w.Code),
		Progress: page.Progress{Done: n + 1, Total: total}, Blocks: []page.Block{page.Choices{Items: rows}}}
}

func (j *Journey) chooseLevel(_ context.Context, v *visit.Visit, id string) *Task {
	n := v.Here().N
	v.Level = append(v.Level[:n:n], visit.Answer{Question: j.Level.Questions[n].ID, Choice: strings.TrimPrefix(id, "answer:")})
	if n+1 < len(j.Level.Questions) {
		v.Go(visit.Step{Page: "level.question", N: n + 1})
		return nil
	}
	j.Tally("level." + j.Level.Profile(levelAnswers(v)).ID)
	v.Go(visit.Step{Page: "level.result"})
	return nil
}

func (j *Journey) levelPlaces(ctx context.Context, v *visit.Visit, n int) []place.Hit {
	before := v.Search
	v.Search = visit.Search{Need: "level"}
	q := j.placesQuery(v)
	v.Search = before
	q.Limit = n
	found, err := j.Places.Search(ctx, q)
	if err != nil {
		return nil // the page then offers the callback alone
	}
	return found.Hits
}

func (j *Journey) levelResult(ctx context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	prof := j.Level.Profile(levelAnswers(v))
	p := page.Page{Accent: page.Level, Kicker: w.T("level.result"), Title: prof.Title.In(w.Code), Lead: prof.Text.In(w.Code),
		Blocks: []page.Block{page.Notice{Accent: page.Level, Icon: prof.Icon, Title: prof.Advice.In(w.Code)}}}
	if hits := j.levelPlaces(ctx, v, 2); len(hits) > 0 {
		p.Blocks = append(p.Blocks, page.Choices{Label: w.T("level.places"), Items: append(j.placeRows(hits, w),
			page.Choice{ID: "places", Label: w.T("level.all_places"), Icon: "list", Accent: page.Place})})
	}
	p.Actions = append(j.printAction(w, page.Level), page.Choice{ID: "callback", Label: w.T("demarche.callback"), Icon: "phone-call", Accent: page.Callback, Primary: true})
	return p
}

func (j *Journey) chooseLevelResult(ctx context.Context, v *visit.Visit, id string) *Task {
	if j.openPlace(v, id) {
		return nil
	}
	switch id {
	case "places":
		j.findPlaces(v, "level")
	case "print":
		return j.startPrint(ctx, v)
	case "callback":
		j.startCallback(v, j.Level.Profile(levelAnswers(v)).Topic, "")
	}
	return nil
}
