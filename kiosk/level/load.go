package level

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// FileName is the level test in the content.
const FileName = "level.yaml"

// Bounds that keep every page drawable and the check of all answers short.
const (
	maxQuestions = 10
	maxChoices   = 6
	maxProfiles  = 6
	maxPoints    = 9
	maxSums      = 100_000
)

// Problem is something wrong in the file, with a French reason for its author.
type Problem struct {
	File   string
	Line   int // from 1
	Reason string
}

// Problems is all that was found wrong, by line.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Reason)
	}
	return strings.Join(lines, "\n")
}

// The file as written. Every value remembers its line.
type (
	fileTest struct {
		Questions []fileQuestion `yaml:"questions"`
		Profiles  []fileProfile  `yaml:"profiles"`
	}
	fileQuestion struct {
		ID      word         `yaml:"id"`
		Text    text         `yaml:"text"`
		Choices []fileChoice `yaml:"choices"`
	}
	fileChoice struct {
		ID     word   `yaml:"id"`
		Icon   word   `yaml:"icon"`
		Label  text   `yaml:"label"`
		Detail text   `yaml:"detail"`
		Points points `yaml:"points"`
	}
	fileProfile struct {
		ID     word      `yaml:"id"`
		Icon   word      `yaml:"icon"`
		Title  text      `yaml:"title"`
		Text   text      `yaml:"text"`
		Advice text      `yaml:"advice"`
		Topic  word      `yaml:"topic"`
		Query  fileQuery `yaml:"query"`
	}
	fileQuery struct {
		Services     []word `yaml:"services"`
		SupportModes []word `yaml:"support_modes"`
	}
	word struct {
		value string
		line  int
	}
	text struct {
		value map[string]string
		line  int
	}
	points struct {
		value map[string]int
		line  int
	}
)

func (w *word) UnmarshalYAML(n ast.Node) error {
	w.line = n.GetToken().Position.Line
	return yaml.NodeToValue(n, &w.value, yaml.Strict())
}

func (t *text) UnmarshalYAML(n ast.Node) error {
	t.line = firstLine(n)
	return yaml.NodeToValue(n, &t.value, yaml.Strict())
}

func (p *points) UnmarshalYAML(n ast.Node) error {
	p.line = firstLine(n)
	return yaml.NodeToValue(n, &p.value, yaml.Strict())
}

// firstLine is the line of a mapping's first key: the mapping's own token is
// the colon or the comma somewhere in it.
func firstLine(n ast.Node) int {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	return n.GetToken().Position.Line
}

// Load reads level.yaml. Its error is Problems when the file is there but not
// right.
func Load(fsys fs.FS) (*Test, error) {
	data, err := fs.ReadFile(fsys, FileName)
	if err != nil {
		return nil, fmt.Errorf("test de niveau : %w", err)
	}
	var file fileTest
	if p := decode(data, &file); p != nil {
		return nil, Problems{*p}
	}
	c := checker{profiles: map[string]bool{}}
	test := c.test(&file)
	if len(c.problems) == 0 {
		c.reachable(&file, test)
	}
	if len(c.problems) > 0 {
		slices.SortStableFunc(c.problems, func(a, b Problem) int { return a.Line - b.Line })
		return nil, c.problems
	}
	return test, nil
}

func decode(data []byte, into *fileTest) (p *Problem) {
	// The parser is not ours, and a broken file must never stop a borne.
	defer func() {
		if recover() != nil {
			p = &Problem{FileName, 1, "YAML illisible"}
		}
	}()
	err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(into)
	if err == nil {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return &Problem{FileName, 1, "le fichier est vide"}
	}
	p = &Problem{FileName, 1, err.Error()}
	var at yaml.Error
	if errors.As(err, &at) {
		p.Reason = "YAML : " + strings.Replace(at.GetMessage(), "unknown field", "clé inconnue", 1)
		if t := at.GetToken(); t != nil && t.Position != nil {
			p.Line = t.Position.Line
		}
	}
	return p
}

// checker turns the file into a Test and collects what is wrong on the way.
type checker struct {
	profiles map[string]bool
	problems Problems
}

var (
	idPattern   = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	iconPattern = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	languages   = []string{"fr", "falc", "en"}
)

func (c *checker) fail(line int, format string, args ...any) {
	c.problems = append(c.problems, Problem{FileName, max(line, 1), fmt.Sprintf(format, args...)})
}

func (c *checker) test(f *fileTest) *Test {
	var t Test
	if n := len(f.Profiles); n < 2 || n > maxProfiles {
		c.fail(1, "profiles: il en faut de 2 à %d, il y en a %d", maxProfiles, n)
	}
	if n := len(f.Questions); n < 1 || n > maxQuestions {
		c.fail(1, "questions: il en faut de 1 à %d, il y en a %d", maxQuestions, n)
	}
	above := 1
	for _, p := range f.Profiles {
		above = max(above, p.ID.line)
		t.Profiles = append(t.Profiles, c.profile(p, above))
	}
	seen := map[string]bool{}
	for _, q := range f.Questions {
		above = max(1, q.ID.line)
		t.Questions = append(t.Questions, c.question(q, above))
		c.once(seen, q.ID)
	}
	return &t
}

func (c *checker) profile(p fileProfile, above int) Profile {
	out := Profile{
		ID:     c.word(p.ID, above, "id", idPattern),
		Icon:   c.word(p.Icon, above, "icon", iconPattern),
		Title:  c.text(p.Title, above, "title"),
		Text:   c.text(p.Text, above, "text"),
		Advice: c.text(p.Advice, above, "advice"),
		Topic:  c.word(p.Topic, above, "topic", idPattern),
	}
	c.once(c.profiles, p.ID)
	for _, s := range p.Query.Services {
		out.Query.Services = append(out.Query.Services, c.word(s, above, "services", idPattern))
	}
	for _, s := range p.Query.SupportModes {
		out.Query.SupportModes = append(out.Query.SupportModes, c.word(s, above, "support_modes", idPattern))
	}
	return out
}

func (c *checker) question(q fileQuestion, above int) Question {
	out := Question{ID: c.word(q.ID, above, "id", idPattern), Text: c.text(q.Text, above, "text")}
	if n := len(q.Choices); n < 2 || n > maxChoices {
		c.fail(above, "choices: il en faut de 2 à %d, il y en a %d", maxChoices, n)
	}
	seen := map[string]bool{}
	for _, f := range q.Choices {
		above = max(above, f.ID.line)
		choice := Choice{
			ID:     c.word(f.ID, above, "id", idPattern),
			Icon:   c.word(f.Icon, above, "icon", iconPattern),
			Label:  c.text(f.Label, above, "label"),
			Points: f.Points.value,
		}
		if f.Detail.line > 0 {
			choice.Detail = c.text(f.Detail, above, "detail")
		}
		c.once(seen, f.ID)
		c.points(f.Points, above)
		out.Choices = append(out.Choices, choice)
	}
	return out
}

func (c *checker) once(seen map[string]bool, id word) {
	if id.value != "" && seen[id.value] {
		c.fail(id.line, "id: « %s » est en double", id.value)
	}
	seen[id.value] = true
}

func (c *checker) word(w word, above int, field string, pattern *regexp.Regexp) string {
	switch {
	case w.line == 0:
		c.fail(above, "%s: manque", field)
	case !pattern.MatchString(w.value):
		c.fail(w.line, "%s: « %s » n’est pas un nom permis (%s)", field, w.value, pattern)
	}
	return w.value
}

func (c *checker) text(t text, above int, field string) Text {
	if t.line == 0 {
		c.fail(above, "%s: manque", field)
		return nil
	}
	for _, lang := range languages {
		if strings.TrimSpace(t.value[lang]) == "" {
			c.fail(t.line, "%s: le texte manque en « %s »", field, lang)
		}
	}
	for _, lang := range slices.Sorted(maps.Keys(t.value)) {
		if !slices.Contains(languages, lang) {
			c.fail(t.line, "%s: langue inconnue « %s »", field, lang)
		}
	}
	return t.value
}

func (c *checker) points(p points, above int) {
	if len(p.value) == 0 {
		c.fail(max(above, p.line), "points: manque")
	}
	for _, id := range slices.Sorted(maps.Keys(p.value)) {
		if !c.profiles[id] {
			c.fail(p.line, "points: il n’y a pas de profil « %s »", id)
		}
		if n := p.value[id]; n < 1 || n > maxPoints {
			c.fail(p.line, "points: %d n’est pas entre 1 et %d", n, maxPoints)
		}
	}
}

// reachable tries every way to answer and refuses a profile that none leads
// to. Ways that give the same points are tried once.
func (c *checker) reachable(f *fileTest, t *Test) {
	sums := map[[maxProfiles]int]bool{{}: true}
	for _, q := range t.Questions {
		next := map[[maxProfiles]int]bool{}
		for sum := range sums {
			for _, choice := range q.Choices {
				s := sum
				for i, p := range t.Profiles {
					s[i] += choice.Points[p.ID]
				}
				next[s] = true
			}
		}
		if sums = next; len(sums) > maxSums {
			c.fail(1, "questions: il y a trop de façons de répondre pour les essayer toutes")
			return
		}
	}
	reached := map[string]bool{}
	for sum := range sums {
		points := map[string]int{}
		for i, p := range t.Profiles {
			points[p.ID] = sum[i]
		}
		reached[t.best(points).ID] = true
	}
	for _, p := range f.Profiles {
		if !reached[p.ID.value] {
			c.fail(p.ID.line, "id: aucune suite de réponses ne mène au profil « %s »", p.ID.value)
		}
	}
}
