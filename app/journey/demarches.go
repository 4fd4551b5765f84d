package journey

import (
	"context"
	"strconv"
	"strings"

	"parvis/app/page"
	"parvis/app/text"
	"parvis/kiosk/demarche"
	"parvis/kiosk/visit"
)

const popularDemarches = 6

func (j *Journey) demarches(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	list, title := j.Demarches.Popular(popularDemarches), w.T("demarches.title")
	if v.Theme != "" {
		list = j.Demarches.ByTheme(v.Theme)
	}
	themeLabel := w.T("demarches.themes")
	for _, t := range j.Demarches.Themes {
		if t.ID == v.Theme {
			themeLabel = t.Label.In(w.Code)
		}
	}
	return page.Page{
		Accent: page.Demarche, Title: title,
		Blocks: []page.Block{
			page.Choices{Shape: page.Chips, Items: []page.Choice{
				{ID: "popular", Label: w.T("demarches.popular"), Switch: true, On: v.Theme == ""},
				{ID: "themes", Label: themeLabel, Switch: true, On: v.Theme != ""},
				{ID: "search", Label: w.T("demarches.search")},
			}},
			page.Choices{Items: demarcheRows(list, w)},
		},
	}
}

func demarcheRows(list []*demarche.Demarche, w *text.Words) []page.Choice {
	rows := make([]page.Choice, len(list))
	for i, d := range list {
		rows[i] = page.Choice{ID: "demarche:" + d.ID, Label: d.Title.In(w.Code), Detail: d.Summary.In(w.Code), Icon: d.Icon, Accent: page.Demarche}
	}
	return rows
}

func (j *Journey) chooseDemarches(_ context.Context, v *visit.Visit, id string) *Task {
	switch id {
	case "popular":
		v.Theme = ""
	case "themes":
		v.Go(visit.Step{Page: "demarche.themes"})
	case "search":
		v.Search.Words = visit.Empty(v.Search.Words)
		v.Go(visit.Step{Page: "demarche.search"})
	default:
		j.openDemarche(v, id)
	}
	return nil
}

func (j *Journey) openDemarche(v *visit.Visit, id string) {
	id, ok := strings.CutPrefix(id, "demarche:")
	if !ok || j.Demarches.Get(id) == nil {
		return
	}
	v.Demarche, v.Answers = id, nil
	j.Tally("demarche." + id + ".begun")
	first := visit.Step{Page: "demarche.question", Arg: id}
	if j.Demarches.Get(id).Next(nil) == nil {
		first.Page = "demarche.result" // a démarche that needs no question
	}
	v.Go(first)
}

func (j *Journey) themes(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	var items []page.Choice
	for _, t := range j.Demarches.Themes {
		if len(j.Demarches.ByTheme(t.ID)) > 0 {
			items = append(items, page.Choice{ID: "theme:" + t.ID, Label: t.Label.In(w.Code), Icon: t.Icon, Accent: page.Demarche})
		}
	}
	return page.Page{Accent: page.Demarche, Title: w.T("demarches.which_theme"), Blocks: []page.Block{page.Choices{Shape: page.Grid, Items: items}}}
}

func (j *Journey) chooseTheme(_ context.Context, v *visit.Visit, id string) *Task {
	v.Theme = strings.TrimPrefix(id, "theme:")
	v.Back()
	return nil
}

func (j *Journey) demarcheSearch(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	p := page.Page{Accent: page.Demarche, Title: w.T("demarches.search_title"), Private: true}
	words := string(v.Search.Words)
	p.Blocks = append(p.Blocks, page.Field{Value: words, Hint: w.T("demarches.search_hint")})
	if strings.TrimSpace(words) != "" {
		list := j.Demarches.Search(words, w.Code)
		if len(list) == 0 {
			p.Blocks = append(p.Blocks, page.Text{Style: page.Muted, Text: w.T("demarches.none")})
		} else {
			p.Blocks = append(p.Blocks, page.Choices{Items: demarcheRows(list[:min(len(list), 2)], w)})
		}
	}
	p.Blocks = append(p.Blocks, keyboard(v, w))
	return p
}

func (j *Journey) chooseDemarcheSearch(_ context.Context, v *visit.Visit, id string) *Task {
	if typed, ok := press(v, v.Search.Words, id, 40); ok {
		v.Search.Words = typed
		return nil
	}
	j.openDemarche(v, id)
	return nil
}

// answers gives the first n answers as the engine wants them.
func answers(given []visit.Answer, n int) demarche.Answers {
	a := demarche.Answers{}
	for _, g := range given[:min(n, len(given))] {
		a[g.Question] = g.Choice
	}
	return a
}

// current returns the démarche in hand and the answers that lead to the step in sight.
func (j *Journey) current(v *visit.Visit) (*demarche.Demarche, demarche.Answers) {
	here := v.Here()
	n := len(v.Answers)
	if here.Page == "demarche.question" {
		n = here.N
	}
	return j.Demarches.Get(v.Demarche), answers(v.Answers, n)
}

func (j *Journey) question(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	d, a := j.current(v)
	q := d.Next(a)
	done, total := d.Progress(a)
	rows := make([]page.Choice, 0, len(q.Choices)+1)
	for _, c := range q.Choices {
		rows = append(rows, page.Choice{ID: "answer:" + c.ID, Label: c.Label.In(w.Code), Detail: c.Detail.In(w.Code), Icon: c.Icon, Accent: page.Demarche})
	}
	rows = append(rows, page.Choice{ID: "unsure", Label: w.T("demarche.unsure"), Detail: w.T("demarche.unsure_detail"), Icon: "phone-call", Accent: page.Callback})
	return page.Page{
		Accent: page.Demarche, Kicker: d.Title.In(w.Code), Title: q.Text.In(w.Code), Lead: q.Help.In(w.Code),
		Progress: page.Progress{Done: done + 1, Total: total + 1},
		Blocks:   []page.Block{page.Choices{Items: rows}},
	}
}

func (j *Journey) chooseAnswer(_ context.Context, v *visit.Visit, id string) *Task {
	d, a := j.current(v)
	if id == "unsure" {
		j.startCallback(v, d.Topic, "")
		return nil
	}
	q := d.Next(a)
	n := v.Here().N
	v.Answers = append(v.Answers[:n:n], visit.Answer{Question: q.ID, Choice: strings.TrimPrefix(id, "answer:")})
	if d.Next(answers(v.Answers, n+1)) == nil {
		j.Tally("demarche." + d.ID + ".done")
		v.Go(visit.Step{Page: "demarche.result", Arg: d.ID})
	} else {
		v.Go(visit.Step{Page: "demarche.question", Arg: d.ID, N: n + 1})
	}
	return nil
}

func (j *Journey) result(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	d, a := j.current(v)
	out := d.Outcome(a)
	_, total := d.Progress(a)
	p := page.Page{
		Accent: page.Demarche, Kicker: d.Title.In(w.Code), Title: w.T("demarche.bring"),
		Progress: page.Progress{Done: total + 1, Total: total + 1},
	}
	if len(out.Bring) == 0 {
		p.Title = w.T("demarche.nothing_to_bring")
	}
	list := page.Checklist{}
	for _, b := range out.Bring {
		icon := ""
		if w.Code == "falc" {
			icon = b.Icon
		}
		list.Items = append(list.Items, page.Item{Text: b.Text.In(w.Code), Detail: b.Detail.In(w.Code), Icon: icon})
	}
	if len(list.Items) > 0 {
		p.Blocks = append(p.Blocks, list)
	}
	for _, c := range out.Cost {
		p.Blocks = append(p.Blocks, fact(w, "coin", c))
	}
	for _, c := range out.Delay {
		p.Blocks = append(p.Blocks, fact(w, "clock", c))
	}
	for _, c := range out.Advice {
		p.Blocks = append(p.Blocks, page.Notice{Icon: "info-circle", Title: c.Text.In(w.Code), Text: c.Detail.In(w.Code)})
	}
	p.Blocks = append(p.Blocks, page.Choices{Items: append(j.ficheRow(out.Fiches, w),
		page.Choice{ID: "sources", Label: w.T("demarche.sources"), Detail: w.T("demarche.checked", "Date", w.FullDate(d.Checked)), Icon: "file-certificate", Accent: page.Demarche})})
	if len(out.Where) > 0 {
		p.Actions = append(p.Actions, page.Choice{ID: "where", Label: w.T("demarche.where"), Icon: "map-pin", Accent: page.Place, Primary: true})
	}
	if len(out.Online) > 0 {
		p.Actions = append(p.Actions, page.Choice{ID: "online", Label: w.T("demarche.online"), Icon: "qrcode"})
	}
	p.Actions = append(p.Actions, j.printAction(w, page.Demarche)...)
	p.Actions = append(p.Actions, page.Choice{ID: "callback", Label: w.T("demarche.callback"), Icon: "phone-call", Accent: page.Callback, Primary: true})
	return p
}

func fact(w *text.Words, icon string, f demarche.Fact) page.Notice {
	n := page.Notice{Accent: page.Demarche, Icon: icon, Title: f.Title.In(w.Code), Text: f.Detail.In(w.Code)}
	if f.Verify {
		if n.Text != "" && !strings.HasSuffix(n.Text, ".") {
			n.Text += "."
		}
		n.Text = strings.TrimSpace(n.Text + " " + w.T("demarche.verify"))
	}
	return n
}

func (j *Journey) chooseResult(ctx context.Context, v *visit.Visit, id string) *Task {
	d, a := j.current(v)
	switch id {
	case "print":
		return j.startPrint(ctx, v)
	case "fiches":
		j.openFiches(v, d.Outcome(a).Fiches)
	case "sources":
		v.Go(visit.Step{Page: "demarche.sources", Arg: d.ID})
	case "online":
		v.Go(visit.Step{Page: "demarche.online", Arg: d.ID})
	case "where":
		v.Go(visit.Step{Page: "demarche.where", Arg: d.ID})
	case "callback":
		j.startCallback(v, d.Topic, "")
	}
	return nil
}

// online shows the address of the online service as a code for the resident's
// own telephone; the borne itself has no web.
func (j *Journey) online(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	d, a := j.current(v)
	sites := d.Outcome(a).Online
	n := v.Here().N
	site := sites[n]
	p := page.Page{
		Accent: page.Demarche, Kicker: d.Title.In(w.Code), Title: site.Text.In(w.Code), Lead: w.T("demarche.scan"),
		Blocks: []page.Block{page.QR{Data: site.URL, Caption: readable(site.URL)}},
	}
	var others []page.Choice
	for i, s := range sites {
		if i != n {
			others = append(others, page.Choice{ID: "site:" + strconv.Itoa(i), Label: s.Text.In(w.Code), Icon: "world", Accent: page.Demarche})
		}
	}
	if len(others) > 0 {
		p.Blocks = append(p.Blocks, page.Choices{Label: w.T("demarche.other_sites"), Items: others})
	}
	p.Actions = append(j.printAction(w, page.Demarche), page.Choice{ID: "callback", Label: w.T("demarche.callback"), Icon: "phone-call", Accent: page.Callback, Primary: true})
	return p
}

// readable drops what nobody types from an address.
func readable(url string) string {
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(url, "https://"), "www."), "/")
}

func (j *Journey) chooseOnline(ctx context.Context, v *visit.Visit, id string) *Task {
	if n, ok := strings.CutPrefix(id, "site:"); ok {
		if i, err := strconv.Atoi(n); err == nil {
			v.Replace(visit.Step{Page: "demarche.online", Arg: v.Here().Arg, N: i})
		}
		return nil
	}
	return j.chooseResult(ctx, v, id)
}

func (j *Journey) where(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	d, a := j.current(v)
	p := page.Page{Accent: page.Place, Kicker: d.Title.In(w.Code), Title: w.T("demarche.where_title")}
	for i, x := range d.Outcome(a).Where {
		if x.Query == nil {
			p.Blocks = append(p.Blocks, page.Notice{Accent: page.Place, Icon: "building-community", Title: x.Text.In(w.Code), Text: x.Detail.In(w.Code)})
			continue
		}
		detail := x.Detail.In(w.Code)
		if detail == "" {
			detail = w.T("demarche.see_places")
		}
		p.Blocks = append(p.Blocks, page.Choices{Items: []page.Choice{
			{ID: "where:" + strconv.Itoa(i), Label: x.Text.In(w.Code), Detail: detail, Icon: "map-search", Accent: page.Place}}})
	}
	p.Actions = append(j.printAction(w, page.Place), page.Choice{ID: "callback", Label: w.T("demarche.callback"), Icon: "phone-call", Accent: page.Callback, Primary: true})
	return p
}

func (j *Journey) chooseWhere(ctx context.Context, v *visit.Visit, id string) *Task {
	if n, ok := strings.CutPrefix(id, "where:"); ok {
		j.findPlaces(v, "where:"+n)
		return nil
	}
	return j.chooseResult(ctx, v, id)
}

func (j *Journey) sources(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	d, _ := j.current(v)
	p := page.Page{Accent: page.Demarche, Kicker: d.Title.In(w.Code), Title: w.T("demarche.sources"), Lead: w.T("demarche.checked", "Date", w.FullDate(d.Checked))}
	for _, s := range d.Sources {
		p.Blocks = append(p.Blocks, page.QR{Data: s.URL, Caption: s.Title.In(w.Code) + " · " + readable(s.URL)})
	}
	return p
}
