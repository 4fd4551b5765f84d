package command

import (
	"fmt"
	"slices"
	"strings"

	"parvis/kiosk/demarche"
)

// DemarcheWalk goes through one démarche with answers given in advance.
type DemarcheWalk struct {
	ID      string   `arg:"" name:"id" help:"Identifiant de la démarche (voir « demarche list »)."`
	Answers []string `sep:"," placeholder:"a,b" help:"Réponses, dans l’ordre des questions."`
	Lang    string   `default:"fr" enum:"fr,falc,en" help:"Langue : ${enum}."`
	Dir     string   `help:"Dossier des démarches (par défaut, celles qui sont livrées)."`
	JSON    bool     `name:"json" help:"Un document JSON par page."`
}

// spokenPage is one page as the voice would read it.
type spokenPage struct {
	Page    string   `json:"page"` // "title", a question's id, or "outcome"
	Lines   []string `json:"lines"`
	Choices []string `json:"choices,omitempty"` // ids of the answers to a question
}

// Run prints the pages from the title to the outcome, or to the first question
// that has no answer.
func (c *DemarcheWalk) Run(rt *Runtime) error {
	catalogue, _, err := loadDemarches(rt, c.Dir)
	if err != nil {
		return err
	}
	d := catalogue.Get(c.ID)
	if d == nil {
		var ids []string
		for _, d := range catalogue.Demarches {
			ids = append(ids, d.ID)
		}
		fmt.Fprintf(rt.Stderr, "La démarche « %s » n’existe pas. Démarches : %s.\n", c.ID, strings.Join(ids, ", "))
		return ExitError(1)
	}
	pages, fault := speak(d, c.Answers, c.Lang)
	for i, p := range pages {
		if c.JSON {
			err = rt.WriteJSON(p)
		} else {
			if i > 0 {
				fmt.Fprintln(rt.Stdout)
			}
			_, err = fmt.Fprintln(rt.Stdout, strings.Join(p.Lines, "\n"))
		}
		if err != nil {
			return err
		}
	}
	if fault != "" {
		fmt.Fprintln(rt.Stderr, fault)
		return ExitError(1)
	}
	return nil
}

// walkWords are the words between the texts of a démarche.
type walkWords struct {
	question, choice, answer, verify              string
	bring, cost, delay, advice, where, online, at string
	checked                                       string
}

func wordsIn(lang string) walkWords {
	switch lang {
	case "en":
		return walkWords{"Question %d of %d.", "Choice %d: ", "Answer: ", "To be checked: ",
			"What to bring.", "Cost.", "How long it takes.", "Good to know.", "Where to go.", "Online.", ": ", "Information checked on %s. Sources."}
	case "falc":
		return walkWords{"Question %d sur %d.", "Choix %d\u00a0: ", "Votre réponse\u00a0: ", "À vérifier\u00a0: ",
			"Ce que vous apportez.", "Le prix.", "Le temps.", "Bon à savoir.", "Le lieu.", "Sur internet.", "\u00a0: ", "Date de vérification\u00a0: %s. Les sites officiels."}
	}
	return walkWords{"Question %d sur %d.", "Choix %d\u00a0: ", "Votre réponse\u00a0: ", "À vérifier\u00a0: ",
		"À apporter.", "Coût.", "Délai.", "Bon à savoir.", "Où aller.", "En ligne.", "\u00a0: ", "Informations vérifiées le %s. Sources."}
}

// speak turns a démarche into pages. fault, in French, says what is wrong with
// the answers.
func speak(d *demarche.Demarche, given []string, lang string) (pages []spokenPage, fault string) {
	w := wordsIn(lang)
	pages = append(pages, spokenPage{Page: "title", Lines: []string{sentences(lang, d.Title, d.Summary)}})
	a := demarche.Answers{}
	for q := d.Next(a); q != nil; q = d.Next(a) {
		page := questionPage(d, q, a, lang, w)
		if len(given) == 0 {
			return append(pages, page), ""
		}
		i := slices.Index(page.Choices, given[0])
		if i < 0 {
			return append(pages, page), fmt.Sprintf("« %s » n’est pas une réponse à « %s ». Réponses possibles : %s.",
				given[0], q.Text.In("fr"), strings.Join(page.Choices, ", "))
		}
		page.Lines = append(page.Lines, w.answer+sentences(lang, q.Choices[i].Label))
		pages = append(pages, page)
		a[q.ID], given = given[0], given[1:]
	}
	pages = append(pages, outcomePage(d, a, lang, w))
	if len(given) > 0 {
		fault = fmt.Sprintf("Il n’y a plus de question : réponses en trop : %s.", strings.Join(given, ", "))
	}
	return pages, fault
}

func questionPage(d *demarche.Demarche, q *demarche.Question, a demarche.Answers, lang string, w walkWords) spokenPage {
	done, total := d.Progress(a)
	page := spokenPage{Page: q.ID, Lines: []string{
		fmt.Sprintf(w.question, done+1, total) + " " + sentences(lang, q.Text, q.Help),
	}}
	for i, c := range q.Choices {
		page.Lines = append(page.Lines, fmt.Sprintf(w.choice, i+1)+sentences(lang, c.Label, c.Detail))
		page.Choices = append(page.Choices, c.ID)
	}
	return page
}

func outcomePage(d *demarche.Demarche, a demarche.Answers, lang string, w walkWords) spokenPage {
	o := d.Outcome(a)
	page := spokenPage{Page: "outcome"}
	say := func(heading string, lines []string) {
		if len(lines) > 0 {
			page.Lines = append(append(page.Lines, heading), lines...)
		}
	}
	item := func(i demarche.Item) string { return sentences(lang, i.Text, i.Detail) }
	fact := func(f demarche.Fact) string {
		if f.Verify {
			return w.verify + sentences(lang, f.Title, f.Detail)
		}
		return sentences(lang, f.Title, f.Detail)
	}
	say(w.bring, each(o.Bring, item))
	say(w.cost, each(o.Cost, fact))
	say(w.delay, each(o.Delay, fact))
	say(w.advice, each(o.Advice, item))
	say(w.where, each(o.Where, func(p demarche.Where) string { return sentences(lang, p.Text, p.Detail) }))
	say(w.online, each(o.Online, func(l demarche.Link) string { return l.Text.In(lang) + w.at + l.URL }))
	say(fmt.Sprintf(w.checked, d.Checked.Format("02/01/2006")),
		each(d.Sources, func(s demarche.Source) string { return s.Title.In(lang) + w.at + s.URL }))
	return page
}

func each[T any](list []T, say func(T) string) []string {
	var lines []string
	for _, v := range list {
		lines = append(lines, say(v))
	}
	return lines
}

// sentences joins texts into sentences that each end with a sign.
func sentences(lang string, texts ...demarche.Text) string {
	var said []string
	for _, t := range texts {
		s := t.In(lang)
		if s == "" {
			continue
		}
		if !strings.ContainsAny(s[len(s)-1:], ".?!") && !strings.HasSuffix(s, "…") {
			s += "."
		}
		said = append(said, s)
	}
	return strings.Join(said, " ")
}
