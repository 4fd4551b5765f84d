package text

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
	"github.com/pelletier/go-toml/v2/unstable"
)

// maxOver is the largest file of sentences read, in bytes.
const maxOver = 1 << 20

// Problem is something wrong in a file of sentences, with a French reason for
// its author.
type Problem struct {
	File   string
	Line   int // from 1
	Reason string
}

func (p Problem) String() string { return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Reason) }

// Problems is all that was found wrong, by file and line.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// LoadOver is Load with a folder of sentences, fr.toml and so on, that are said
// instead of those of the program. There may be any number of them, and none of
// an id that the program doesn't have. Errors: Problems.
func LoadOver(folder fs.FS) (*Catalogue, error) {
	over, err := readOver(folder)
	if err != nil {
		return nil, err
	}
	return load(over)
}

// readOver reads and checks CODE.toml of each language in a folder.
func readOver(folder fs.FS) (over map[string][]byte, err error) {
	entries, err := fs.ReadDir(folder, ".")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	shipped, err := files.ReadFile("fr.toml")
	if err != nil {
		return nil, err
	}
	french := map[string]sentence{}
	for _, s := range sentences(shipped) {
		if s.form == "other" {
			french[s.id] = s
		}
	}
	over = map[string][]byte{}
	var all Problems
	for _, e := range entries {
		name := e.Name()
		if name[0] == '.' {
			continue
		}
		code := strings.TrimSuffix(name, ".toml")
		if e.IsDir() || path.Ext(name) != ".toml" || !slices.ContainsFunc(languages, func(l Language) bool { return l.Code == code }) {
			all = append(all, Problem{name, 1, "ce fichier serait ignoré : attendu " + fileNames()})
			continue
		}
		data, problems := readOne(folder, name)
		if len(problems) == 0 {
			problems = check(name, data, french)
		}
		over[code], all = data, append(all, problems...)
	}
	if len(all) > 0 {
		return nil, all
	}
	return over, nil
}

func fileNames() string {
	var names []string
	for _, l := range languages {
		names = append(names, l.Code+".toml")
	}
	return strings.Join(names, ", ")
}

func readOne(folder fs.FS, name string) ([]byte, Problems) {
	info, err := fs.Stat(folder, name)
	if err == nil && info.Size() > maxOver {
		err = errors.New("le fichier dépasse 1 Mio")
	}
	if err != nil {
		return nil, Problems{{name, 1, err.Error()}}
	}
	data, err := fs.ReadFile(folder, name)
	if err != nil {
		return nil, Problems{{name, 1, err.Error()}}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // as Windows’ editors write
	var any map[string]any
	_, err = toml.Decode(string(data), &any)
	var broken toml.ParseError
	if err == nil {
		return data, nil
	}
	p := Problem{name, 1, "le fichier n’est pas du TOML : guillemet oublié, ou clé donnée deux fois ?"}
	if errors.As(err, &broken) {
		p.Line = broken.Position.Line
	}
	return nil, Problems{p}
}

// forms are what a sentence with a number may be said in.
var forms = []string{"zero", "one", "two", "few", "many", "other"}

var (
	variable = regexp.MustCompile(`{{\.\w+}}`)
	control  = regexp.MustCompile(`[\x00-\x1f\x7f]`)
)

// check compares sentences with those of the program.
func check(file string, data []byte, french map[string]sentence) (problems Problems) {
	for _, s := range sentences(data) {
		bad := func(format string, args ...any) {
			problems = append(problems, Problem{file, s.line, s.id + " : " + fmt.Sprintf(format, args...)})
		}
		original, known := french[s.id]
		want, got := variables(original.text), variables(s.text)
		rest := variable.ReplaceAllString(s.text, "")
		most := 2*utf8.RuneCountInString(original.text) + 40
		switch {
		case !known:
			bad("la borne n’a pas de phrase de ce nom")
		case s.form == "":
			bad("attendu, une phrase entre guillemets")
		case !slices.Contains(forms, s.form):
			bad("« %s » n’est pas une forme : %s", s.form, strings.Join(forms, ", "))
		case strings.TrimSpace(s.text) == "":
			bad("la phrase est vide")
		case strings.Contains(rest, "{{"), strings.Contains(rest, "}}"):
			bad("accolades de trop, ou de travers : une variable s’écrit {{.Nom}}")
		case control.MatchString(s.text) && !control.MatchString(original.text):
			bad("la phrase tient sur une ligne, sans tabulation")
		case utf8.RuneCountInString(s.text) > most:
			bad("%d lettres, pour %d au plus : la phrase ne tiendrait pas à l’écran", utf8.RuneCountInString(s.text), most)
		}
		if !known || s.form == "" {
			continue
		}
		for _, v := range want {
			if !slices.Contains(got, v) && (s.form == "other" || v != "{{.Count}}") {
				bad("il manque %s", v)
			}
		}
		for _, v := range got {
			if !slices.Contains(want, v) {
				bad("la borne n’a pas de %s pour cette phrase", v)
			}
		}
	}
	return problems
}

func variables(s string) []string {
	found := variable.FindAllString(s, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

// sentence is one form of a sentence, where it stands in its file. One that is
// no text has no form.
type sentence struct {
	id, form, text string
	line           int
}

// sentences lists what stands in a file that is sound TOML.
func sentences(data []byte) []sentence {
	var all []sentence
	var table []string
	var p unstable.Parser
	p.Reset(data)
	for p.NextExpression() {
		e := p.Expression()
		keys, line := keysOf(&p, e)
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = keys
		case unstable.KeyValue:
			all = append(all, values(&p, append(slices.Clone(table), keys...), line, e.Value())...)
		}
	}
	return all
}

func values(p *unstable.Parser, keys []string, line int, v *unstable.Node) []sentence {
	if v.Kind == unstable.InlineTable {
		var all []sentence
		for it := v.Children(); it.Next(); {
			inner, line := keysOf(p, it.Node())
			all = append(all, values(p, append(slices.Clone(keys), inner...), line, it.Node().Value())...)
		}
		return all
	}
	s := sentence{form: "other", text: string(v.Data), line: line}
	if last := keys[len(keys)-1]; len(keys) == 3 { // [places] count.one, or {one = …}
		s.form, keys = last, keys[:2]
	}
	s.id = strings.Join(keys, ".")
	if v.Kind != unstable.String {
		s.form = ""
	}
	return []sentence{s}
}

func keysOf(p *unstable.Parser, e *unstable.Node) (keys []string, line int) {
	for it := e.Key(); it.Next(); {
		if keys = append(keys, string(it.Node().Data)); line == 0 {
			line = p.Shape(it.Node().Raw).Start.Line
		}
	}
	return keys, line
}
