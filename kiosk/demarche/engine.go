package demarche

import "slices"

// Answers holds the id of the chosen answer by question id.
//
// The engine goes through the questions in order and heeds only answers that
// were on offer: an answer left over from a branch the resident has gone back
// from changes nothing.
type Answers map[string]string

// Next returns the next question to ask, its choices already filtered, or nil
// when all is asked.
func (d *Demarche) Next(a Answers) *Question {
	p, next := d.follow(a)
	if next == len(d.questions) {
		return nil
	}
	q := d.questions[next]
	q.Choices = slices.DeleteFunc(slices.Clone(q.Choices), func(c Choice) bool {
		return !d.holds(c.when, p)
	})
	return &q
}

// Progress returns how many questions are answered, and how many the longest
// path still possible from here has in all.
func (d *Demarche) Progress(a Answers) (done, total int) {
	p, next := d.follow(a)
	done = p.count()
	return done, done + d.longest[state{next, p & d.relevant[next]}]
}

// Outcome returns what applies to the answers given.
func (d *Demarche) Outcome(a Answers) Outcome {
	p, _ := d.follow(a)
	return Outcome{
		Bring:  shown(d, d.bring, p),
		Cost:   shown(d, d.cost, p),
		Delay:  shown(d, d.delay, p),
		Advice: shown(d, d.advice, p),
		Where:  shown(d, d.where, p),
		Online: shown(d, d.online, p),
		Fiches: slices.Clone(d.Fiches),
	}
}

// Paths returns how many different ways there are through the questions.
func (d *Demarche) Paths() int { return d.paths }

// Questions returns how many questions the démarche has on all its branches.
func (d *Demarche) Questions() int { return len(d.questions) }

func shown[T any](d *Demarche, list []conditional[T], p packed) []T {
	var out []T
	for _, c := range list {
		if d.holds(c.when, p) {
			out = append(out, c.value)
		}
	}
	return out
}

// follow returns the answers that count and the index of the first question
// that is asked and not answered, or len(d.questions).
func (d *Demarche) follow(a Answers) (p packed, next int) {
	for i := range d.questions {
		q := &d.questions[i]
		if !d.holds(q.when, p) {
			continue
		}
		c := slices.IndexFunc(q.Choices, func(c Choice) bool { return c.ID == a[q.ID] })
		if c < 0 || !d.holds(q.Choices[c].when, p) {
			return p, i
		}
		p = p.with(i, c)
	}
	return p, len(d.questions)
}

// packed is a set of answers: three bits a question, 0 for none, else the
// choice's index plus one. maxQuestions and maxChoices make it fit.
type packed uint64

func (p packed) with(question, choice int) packed {
	return p&^maskOf(question) | packed(choice+1)<<(3*question)
}

// choice returns the index of the chosen answer, -1 for none.
func (p packed) choice(question int) int { return int(p>>(3*question)&7) - 1 }

func (p packed) count() int {
	n := 0
	for ; p != 0; p >>= 3 {
		if p&7 != 0 {
			n++
		}
	}
	return n
}

func maskOf(question int) packed { return 7 << (3 * question) }
