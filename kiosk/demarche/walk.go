package demarche

import "strings"

// Bounds of the walk: how many ways there may be through a démarche, and how
// many times conditions may be evaluated to find what they lead to.
const (
	maxPaths       = 200_000
	maxEvaluations = 500_000
)

// state is a question about to be asked (or the end) and the answers that
// still matter there.
type state struct {
	question int
	answers  packed
}

// walk follows every path through the questions, and reports what a resident
// could never see and where one would be stuck. It keeps in d what Progress
// needs.
func (d *draft) walk(fields map[string]field) {
	d.relevance()
	d.longest = map[state]int{}
	w := walker{
		d:       &d.Demarche,
		paths:   map[state]int{},
		memo:    map[*condition]map[packed]bool{},
		asked:   make([]bool, len(d.questions)),
		offered: make([]packed, len(d.questions)),
		stuck:   map[string]packed{},
	}
	w.lists = []*outcomeList{
		listOf("bring", d.bring), listOf("cost", d.cost), listOf("delay", d.delay),
		listOf("advice", d.advice), listOf("where", d.where), listOf("online", d.online),
	}
	d.paths, _ = w.from(0, 0)
	if w.tooMany || d.paths > maxPaths {
		d.fail(fields["questions"].line, "questions : plus de 200 000 chemins de réponses ; séparez cette démarche en plusieurs")
		return
	}
	w.report(d.reader, fields)
}

// relevance works out which answers matter from each question on: those that
// a later question, choice or part of the outcome looks at.
func (d *Demarche) relevance() {
	var all packed
	need := func(c *condition) {
		if c != nil {
			all |= c.needs
		}
	}
	for _, l := range []*outcomeList{
		listOf("", d.bring), listOf("", d.cost), listOf("", d.delay),
		listOf("", d.advice), listOf("", d.where), listOf("", d.online),
	} {
		for _, c := range l.when {
			need(c)
		}
	}
	d.relevant = make([]packed, len(d.questions)+1)
	d.relevant[len(d.questions)] = all
	for i := len(d.questions) - 1; i >= 0; i-- {
		need(d.questions[i].when)
		for _, c := range d.questions[i].Choices {
			need(c.when)
		}
		d.relevant[i] = all
	}
}

// outcomeList is one list of the outcome, with what the walk has seen of it.
type outcomeList struct {
	name  string
	when  []*condition
	lines []int
	shown []bool
}

func listOf[T any](name string, items []conditional[T]) *outcomeList {
	l := &outcomeList{name: name, shown: make([]bool, len(items))}
	for _, item := range items {
		l.when = append(l.when, item.when)
		l.lines = append(l.lines, item.line)
	}
	return l
}

type walker struct {
	d           *Demarche
	paths       map[state]int // ways to the end from here
	memo        map[*condition]map[packed]bool
	evaluations int
	tooMany     bool

	asked   []bool
	offered []packed // by question, a bit for each choice
	lists   []*outcomeList
	stuck   map[string]packed // what is missing, and answers that lead there
}

// from follows all paths that go on from question i after answers p. It
// returns how many there are and how many questions the longest still asks.
func (w *walker) from(i int, p packed) (paths, longest int) {
	for i < len(w.d.questions) && !w.holds(w.d.questions[i].when, p) {
		i++
	}
	at := state{i, p & w.d.relevant[i]}
	if paths, ok := w.paths[at]; ok {
		return paths, w.d.longest[at]
	}
	if len(w.paths) >= maxPaths {
		w.tooMany = true
	}
	if w.tooMany {
		return 0, 0
	}
	if i == len(w.d.questions) {
		w.end(p)
		paths = 1
	} else {
		paths, longest = w.ask(i, p)
	}
	w.paths[at], w.d.longest[at] = paths, longest
	return paths, longest
}

func (w *walker) ask(i int, p packed) (paths, longest int) {
	w.asked[i] = true
	none := true
	for j, c := range w.d.questions[i].Choices {
		if !w.holds(c.when, p) {
			continue
		}
		none = false
		w.offered[i] |= 1 << j
		n, more := w.from(i+1, p.with(i, j))
		paths = min(paths+n, maxPaths+1)
		longest = max(longest, more+1)
	}
	if none {
		w.note("questions."+w.d.questions[i].ID, p)
	}
	return paths, longest
}

// end looks at what a resident is told after answers p.
func (w *walker) end(p packed) {
	some := map[string]bool{}
	for _, l := range w.lists {
		for i, when := range l.when {
			if l.shown[i] && some[l.name] {
				continue
			}
			if w.holds(when, p) {
				l.shown[i], some[l.name] = true, true
			}
		}
	}
	if !some["cost"] {
		w.note("cost", p)
	}
	if !some["delay"] {
		w.note("delay", p)
	}
	if !some["where"] && !some["online"] {
		w.note("where", p)
	}
}

func (w *walker) note(what string, p packed) {
	if _, ok := w.stuck[what]; !ok {
		w.stuck[what] = p
	}
}

// holds is Demarche.holds, evaluated once for each set of answers that the
// condition looks at.
func (w *walker) holds(c *condition, p packed) bool {
	if c == nil {
		return true
	}
	known := w.memo[c]
	if known == nil {
		known = map[packed]bool{}
		w.memo[c] = known
	}
	held, ok := known[p&c.needs]
	if !ok {
		w.evaluations++
		if w.evaluations > maxEvaluations {
			w.tooMany = true
			return false
		}
		held = w.d.holds(c, p)
		known[p&c.needs] = held
	}
	return held
}

func (w *walker) report(r *reader, fields map[string]field) {
	for i, q := range w.d.questions {
		if !w.asked[i] {
			r.fail(q.line, "questions : aucune réponse ne mène à la question « %s »", q.ID)
			continue
		}
		if p, ok := w.stuck["questions."+q.ID]; ok {
			r.fail(q.line, "questions : la question « %s » n’a plus aucun choix, %s", q.ID, w.after(p))
		}
		for j, c := range q.Choices {
			if w.offered[i]&(1<<j) == 0 {
				r.fail(c.line, "choices : le choix « %s » n’est jamais proposé", c.ID)
			}
		}
	}
	for _, l := range w.lists {
		for i, shown := range l.shown {
			if !shown {
				r.fail(l.lines[i], "%s : aucune réponse ne mène à cet élément", l.name)
			}
		}
	}
	if p, ok := w.stuck["cost"]; ok {
		r.fail(fields["cost"].line, "cost : impasse, aucun coût, %s", w.after(p))
	}
	if p, ok := w.stuck["delay"]; ok {
		r.fail(fields["delay"].line, "delay : impasse, aucun délai, %s", w.after(p))
	}
	if p, ok := w.stuck["where"]; ok {
		line := max(fields["where"].line, fields["online"].line, 1)
		r.fail(line, "where : impasse, rien à faire, ni sur place ni en ligne, %s", w.after(p))
	}
}

// after says in French which answers lead somewhere.
func (w *walker) after(p packed) string {
	var said []string
	for i, q := range w.d.questions {
		if c := p.choice(i); c >= 0 {
			said = append(said, q.ID+"="+q.Choices[c].ID)
		}
	}
	if len(said) == 0 {
		return "dans tous les cas"
	}
	return "par exemple après " + strings.Join(said, ", ")
}
