package voice

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

const (
	maxLexicon = 1 << 20 // bytes of one file
	maxWord    = 60      // letters of a word
	maxSaid    = 200     // letters of how it is said
)

// Lexicon says how words of a language are to be said that the engine does not
// read well: names of streets, of people, abbreviations of the city.
type Lexicon map[string]*lexicon

type lexicon struct {
	find *regexp.Regexp
	said map[string]string // by the word, in the signs that the rules look for
}

// Problem is something wrong in a file of pronunciations, with a French reason
// for its author.
type Problem struct {
	File   string
	Line   int // from 1
	Reason string
}

// Problems is all that was found wrong, by file and line.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Reason)
	}
	return strings.Join(lines, "\n")
}

// LoadLexicon reads a folder of pronunciations, fr.yaml and so on, each with
// lines "word: how to say it". Languages are those that there may be files of.
// "falc" has the words of "fr", and its own. A folder that doesn't exist is an
// empty lexicon. Errors: Problems.
func LoadLexicon(folder fs.FS, languages []string) (Lexicon, error) {
	entries, err := fs.ReadDir(folder, ".")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	words := map[string]map[string]string{}
	var all Problems
	for _, e := range entries {
		name := e.Name()
		if name[0] == '.' {
			continue
		}
		lang := strings.TrimSuffix(name, ".yaml")
		if e.IsDir() || path.Ext(name) != ".yaml" || !slices.Contains(languages, lang) {
			all = append(all, Problem{name, 1, "ce fichier serait ignoré : attendu " + strings.Join(languages, ".yaml, ") + ".yaml"})
			continue
		}
		var problems Problems
		words[lang], problems = readWords(folder, name)
		all = append(all, problems...)
	}
	if len(all) > 0 {
		return nil, all
	}
	if slices.Contains(languages, "falc") && words["fr"] != nil {
		easy := maps.Clone(words["fr"])
		maps.Copy(easy, words["falc"])
		words["falc"] = easy
	}
	l := Lexicon{}
	for lang, said := range words {
		if len(said) > 0 {
			l[lang] = newLexicon(said)
		}
	}
	return l, nil
}

func newLexicon(said map[string]string) *lexicon {
	words := slices.Collect(maps.Keys(said))
	slices.SortFunc(words, func(a, b string) int { return len(b) - len(a) }) // the longest wins
	for i, w := range words {
		words[i] = regexp.QuoteMeta(w)
	}
	return &lexicon{regexp.MustCompile(strings.Join(words, "|")), said}
}

// readWords reads one file, line by line: a word is never said twice.
func readWords(folder fs.FS, name string) (map[string]string, Problems) {
	data, err := readLexicon(folder, name)
	if err != nil {
		return nil, Problems{{name, 1, err.Error()}}
	}
	pairs, p := pairsOf(data)
	if p != nil {
		return nil, Problems{{name, p.Line, p.Reason}}
	}
	words, problems := map[string]string{}, Problems(nil)
	for _, pair := range pairs {
		line := pair.Key.GetToken().Position.Line
		bad := func(reason string, args ...any) {
			problems = append(problems, Problem{name, line, fmt.Sprintf(reason, args...)})
		}
		word := plainSigns.Replace(strings.TrimSpace(pair.Key.GetToken().Value))
		value, ok := pair.Value.(*ast.StringNode)
		switch {
		case !ok || strings.TrimSpace(value.Value) == "" || strings.ContainsAny(value.Value, "\n\r\t"):
			bad("%s : attendu, après « : », comment le dire, sur la même ligne ; des chiffres se mettent entre guillemets", word)
		case word == "" || utf8.RuneCountInString(word) > maxWord || strings.ContainsAny(word, "\n\r\t"):
			bad("un mot a de 1 à %d lettres", maxWord)
		case utf8.RuneCountInString(value.Value) > maxSaid:
			bad("%s : %d lettres au plus pour le dire", word, maxSaid)
		case words[word] != "":
			bad("%s : ce mot est déjà plus haut", word)
		default:
			words[word] = strings.TrimSpace(value.Value)
		}
	}
	return words, problems
}

func readLexicon(folder fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(folder, name)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxLexicon {
		return nil, errors.New("le fichier dépasse 1 Mio")
	}
	data, err := fs.ReadFile(folder, name)
	if err == nil && !utf8.Valid(data) {
		err = errors.New("le fichier n’est pas en UTF-8")
	}
	return bytes.TrimPrefix(data, []byte("\ufeff")), err
}

// pairsOf reads the lines "word: how to say it" of a file.
func pairsOf(data []byte) (pairs []*ast.MappingValueNode, p *Problem) {
	// The parser is not ours, and a broken file must never stop a borne.
	defer func() {
		if recover() != nil {
			pairs, p = nil, &Problem{Line: 1, Reason: "YAML illisible"}
		}
	}()
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		line := 1
		var syntax *yaml.SyntaxError
		if errors.As(err, &syntax) && syntax.Token != nil {
			line = syntax.Token.Position.Line
		}
		return nil, &Problem{Line: line, Reason: "YAML illisible : attendu, « mot: comment le dire », un par ligne, chaque mot une fois"}
	}
	for _, doc := range file.Docs {
		switch body := doc.Body.(type) {
		case nil, *ast.CommentGroupNode:
		case *ast.MappingNode:
			pairs = append(pairs, body.Values...)
		default:
			return nil, &Problem{Line: 1, Reason: "attendu, « mot: comment le dire », un par ligne"}
		}
	}
	return pairs, nil
}

// Say puts the words of a text that the lexicon has as they are to be said.
// Capital letters count, and a word inside a longer one is left alone.
func (l Lexicon) Say(lang, text string) string {
	of := l[lang]
	if of == nil {
		return text
	}
	return inEach(of.find, plainSigns.Replace(text), func(m []string) string { return of.said[m[0]] })
}

// Pronounce returns v, which from now on says words as the lexicon has them.
func Pronounce(v Voice, l Lexicon) Voice {
	if len(l) == 0 {
		return v
	}
	return &pronouncing{v, l}
}

type pronouncing struct {
	Voice
	lexicon Lexicon
}

func (p *pronouncing) Say(lang, text string, said func()) {
	p.Voice.Say(lang, p.lexicon.Say(lang, text), said)
}

func (p *pronouncing) SayPrivate(lang, text string, said func()) {
	p.Voice.SayPrivate(lang, p.lexicon.Say(lang, text), said)
}
