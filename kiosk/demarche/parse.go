package demarche

import (
	"net/url"
	"regexp"
	"time"
)

// A question and its choices must fit packed, and the screen, which adds
// "Je ne sais pas" as a sixth choice.
const (
	maxQuestions = 20
	maxChoices   = 5
	maxItems     = 40 // in each other list
)

// What each kind of mapping may hold. schema.json says the same to editors,
// and a test compares the two.
var (
	themesKeys   = keys{required: []string{"themes"}}
	themeKeys    = keys{required: []string{"id", "icon", "label"}}
	demarcheKeys = keys{
		required: []string{"id", "theme", "icon", "rank", "topic", "checked", "sources", "title", "summary", "cost", "delay"},
		optional: []string{"questions", "bring", "advice", "where", "online", "fiches"},
	}
	sourceKeys   = keys{required: []string{"title", "url"}}
	questionKeys = keys{required: []string{"id", "text", "choices"}, optional: []string{"help", "if"}}
	choiceKeys   = keys{required: []string{"id", "icon", "label"}, optional: []string{"detail", "if"}}
	factKeys     = keys{required: []string{"title"}, optional: []string{"detail", "verify", "if"}}
	itemKeys     = keys{required: []string{"text"}, optional: []string{"detail", "icon", "if"}}
	whereKeys    = keys{required: []string{"text"}, optional: []string{"detail", "query", "if"}}
	queryKeys    = keys{optional: []string{"text", "services", "programmes"}}
	linkKeys     = keys{required: []string{"text", "url"}, optional: []string{"if"}}
)

// Closed lists of values: the Coop's administrative topics, and the national
// schema's services and programmes, in lower snake case.
var (
	topics = []string{"papiers_elections_citoyennete", "famille_scolarite", "social_sante",
		"travail_formation_entreprise", "logement", "transports_mobilite", "argent_impots", "justice",
		"etrangers_europe", "loisirs_sports_culture", "associations"}
	services = []string{"aide_aux_demarches_administratives", "maitrise_des_outils_numeriques_du_quotidien",
		"insertion_professionnelle_via_le_numerique", "utilisation_securisee_du_numerique",
		"parentalite_et_education_avec_le_numerique", "loisirs_et_creations_numeriques",
		"comprehension_du_monde_numerique", "acces_internet_et_materiel_informatique",
		"acquisition_de_materiel_informatique_a_prix_solidaire"}
	programmes = []string{"aidants_connect", "bibliotheques_numerique_de_reference", "certification_pix",
		"conseillers_numeriques", "emmaus_connect", "france_services", "grande_ecole_du_numerique",
		"la_croix_rouge", "point_d_acces_numerique_caf", "promeneurs_du_net", "relais_numerique_emmaus_connect"}
)

var (
	slugPattern  = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	namePattern  = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	fichePattern = regexp.MustCompile(`^[FNR][1-9][0-9]{0,5}$`)
	// The words CEL keeps for itself.
	reservedPattern = regexp.MustCompile(`^(as|break|const|continue|else|false|for|function|if|import|in|let|loop|namespace|null|package|return|true|var|void|while)$`)
)

const (
	slugWanted = "lettres minuscules sans accent, chiffres et tirets"
	nameWanted = "lettres minuscules sans accent, chiffres et _"
)

// draft is a démarche being read, and the lines of what other files may
// contradict; a line is 0 where the key is missing or not valid.
type draft struct {
	Demarche
	*reader
	idLine, rankLine, themeLine int
	compiler                    *compiler
}

func (r *reader) themes() []Theme {
	o := r.object(r.document(), themesKeys)
	var themes []Theme
	seen := map[string]bool{}
	for _, item := range r.list(o["themes"], 1, maxItems) {
		o := r.object(item, themeKeys)
		t := Theme{
			ID:    r.match(o["id"], namePattern, nameWanted),
			Icon:  r.match(o["icon"], slugPattern, slugWanted),
			Label: r.text(o["label"]),
		}
		r.unique(seen, o["id"], t.ID)
		themes = append(themes, t)
	}
	return themes
}

// read reads the démarche, its date compared with now unless that is zero.
func (d *draft) read(now time.Time) {
	r := d.reader
	o := r.object(r.document(), demarcheKeys)
	d.ID = r.match(o["id"], slugPattern, slugWanted)
	d.Theme = r.match(o["theme"], namePattern, nameWanted)
	d.Icon = r.match(o["icon"], slugPattern, slugWanted)
	d.Rank = r.positive(o["rank"])
	d.Topic = r.oneOf(o["topic"], topics)
	d.Checked = r.day(o["checked"], now)
	d.Title = r.text(o["title"])
	d.Summary = r.text(o["summary"])
	for _, item := range r.list(o["sources"], 1, maxItems) {
		o := r.object(item, sourceKeys)
		d.Sources = append(d.Sources, Source{r.text(o["title"]), r.address(o["url"])})
	}
	for _, item := range r.list(o["fiches"], 0, maxItems) {
		d.Fiches = append(d.Fiches, r.match(item, fichePattern, "par exemple F1342"))
	}
	if d.ID != "" {
		d.idLine = o["id"].line
	}
	if d.Rank != 0 {
		d.rankLine = o["rank"].line
	}
	if d.Theme != "" {
		d.themeLine = o["theme"].line
	}
	d.readQuestions(o["questions"])
	d.readOutcome(o)
	if len(r.problems.Errors()) == 0 {
		d.walk(o)
	}
	d.indexWords()
}

// readQuestions reads the questions, then their conditions, which name other
// questions and their answers.
func (d *draft) readQuestions(f field) {
	r := d.reader
	fields := r.list(f, 1, maxQuestions)
	objects := make([]map[string]field, len(fields))
	choices := make([][]map[string]field, len(fields))
	seen := map[string]bool{}
	d.index = map[string]int{}
	for i, item := range fields {
		o := r.object(item, questionKeys)
		q := Question{ID: r.match(o["id"], namePattern, nameWanted), Text: r.text(o["text"]), Help: r.text(o["help"]), line: item.line}
		if reservedPattern.MatchString(q.ID) {
			r.fail(o["id"].line, "id : « %s » est un mot réservé des conditions", q.ID)
		} else if namePattern.MatchString(q.ID) && !seen[q.ID] {
			d.index[q.ID] = i
		}
		r.unique(seen, o["id"], q.ID)
		q.Choices, choices[i] = r.choices(o["choices"])
		d.questions = append(d.questions, q)
		objects[i] = o
	}
	var err error
	if d.compiler, err = newCompiler(d.questions, d.index); err != nil {
		r.fail(f.line, "questions : %v", err)
		return
	}
	for i := range d.questions {
		q := &d.questions[i]
		q.when = d.condition(objects[i]["if"], i)
		for j := range q.Choices {
			q.Choices[j].when = d.condition(choices[i][j]["if"], i)
		}
	}
}

// choices reads the choices of a question, and returns their fields with them.
func (r *reader) choices(f field) ([]Choice, []map[string]field) {
	var choices []Choice
	var objects []map[string]field
	seen := map[string]bool{}
	for _, item := range r.list(f, 2, maxChoices) {
		o := r.object(item, choiceKeys)
		c := Choice{
			ID:     r.match(o["id"], namePattern, nameWanted),
			Icon:   r.match(o["icon"], slugPattern, slugWanted),
			Label:  r.text(o["label"]),
			Detail: r.text(o["detail"]),
			line:   item.line,
		}
		r.unique(seen, o["id"], c.ID)
		choices = append(choices, c)
		objects = append(objects, o)
	}
	return choices, objects
}

func (d *draft) readOutcome(o map[string]field) {
	r := d.reader
	item := func(o map[string]field) Item {
		return Item{r.text(o["text"]), r.text(o["detail"]), r.match(o["icon"], slugPattern, slugWanted)}
	}
	fact := func(o map[string]field) Fact {
		return Fact{r.text(o["title"]), r.text(o["detail"]), r.boolean(o["verify"])}
	}
	d.bring = items(d, o["bring"], itemKeys, item)
	d.cost = items(d, o["cost"], factKeys, fact)
	d.delay = items(d, o["delay"], factKeys, fact)
	d.advice = items(d, o["advice"], itemKeys, item)
	d.where = items(d, o["where"], whereKeys, func(o map[string]field) Where {
		return Where{r.text(o["text"]), r.text(o["detail"]), r.query(o["query"])}
	})
	d.online = items(d, o["online"], linkKeys, func(o map[string]field) Link {
		return Link{r.text(o["text"]), r.address(o["url"])}
	})
}

// items reads a list of parts that may bear a condition on any question.
func items[T any](d *draft, f field, k keys, read func(map[string]field) T) []conditional[T] {
	var out []conditional[T]
	for _, item := range d.list(f, 1, maxItems) {
		o := d.object(item, k)
		out = append(out, conditional[T]{read(o), d.condition(o["if"], maxQuestions), item.line})
	}
	return out
}

// condition compiles an `if` that may look at the first `before` questions.
func (d *draft) condition(f field, before int) *condition {
	source := d.str(f)
	if source == "" || d.compiler == nil {
		return nil
	}
	when, err := d.compiler.compile(source, before)
	if err != nil {
		d.fail(f.line, "if : %v", err)
	}
	return when
}

func (r *reader) query(f field) *Query {
	if !f.there() {
		return nil
	}
	o := r.object(f, queryKeys)
	q := &Query{}
	if text, ok := textual(o["text"].node); ok && text != "" {
		q.Text = r.str(o["text"])
	}
	for _, item := range r.list(o["services"], 0, maxItems) {
		q.Services = append(q.Services, r.oneOf(item, services))
	}
	for _, item := range r.list(o["programmes"], 0, maxItems) {
		q.Programmes = append(q.Programmes, r.oneOf(item, programmes))
	}
	return q
}

// day reads a date, refused when it is after now's.
func (r *reader) day(f field, now time.Time) time.Time {
	s := r.str(f)
	if s == "" {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, s)
	if err != nil {
		r.fail(f.line, "%s : « %s » n’est pas une date comme 2026-11-15", f.name, clip(s))
	} else if !now.IsZero() && s > now.Format(time.DateOnly) {
		r.fail(f.line, "%s : le %s est dans le futur", f.name, day.Format("02/01/2006"))
	}
	return day
}

// address reads an https address.
func (r *reader) address(f field) string {
	s := r.str(f)
	if s == "" {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" {
		r.fail(f.line, "%s : « %s » n’est pas une adresse https://…", f.name, clip(s))
	}
	return s
}

func (r *reader) unique(seen map[string]bool, f field, id string) {
	if id != "" && seen[id] {
		r.fail(f.line, "%s : « %s » est en double", f.name, id)
	}
	seen[id] = true
}
