package level_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"parvis/content"
	"parvis/kiosk/level"
)

func MustLoad(t *testing.T, fsys fs.FS) *level.Test {
	t.Helper()
	test, err := level.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return test
}

// The shipped test, answered in the order of its questions.
func TestProfile(t *testing.T) {
	test := MustLoad(t, content.FS)
	if len(test.Questions) != 5 || len(test.Profiles) != 3 {
		t.Fatalf("%d questions, %d profiles", len(test.Questions), len(test.Profiles))
	}
	tests := []struct{ name, answers, want string }{
		{"can do nothing alone", "aucun pas_d_adresse pas_internet jamais avec_moi", "accompagnement"},
		{"somebody does it all, doesn’t know", "quelqu_un quelqu_un quelqu_un quelqu_un ne_sais_pas", "accompagnement"},
		{"somebody does it all, wants to learn", "quelqu_un quelqu_un quelqu_un quelqu_un apprendre", "formation"},
		{"needs a little help, wants to learn", "un_peu un_peu un_peu un_peu apprendre", "formation"},
		{"needs a little help, doesn’t know: a tie", "un_peu un_peu un_peu un_peu ne_sais_pas", "formation"},
		{"can do all but has a question", "sans_aide sans_aide sans_aide sans_aide question", "coup_de_pouce"},
		{"can do all, doesn’t know", "sans_aide sans_aide sans_aide sans_aide ne_sais_pas", "coup_de_pouce"},
		{"no answer", "", "accompagnement"},
		{"unknown answers", "a b c d e", "accompagnement"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answers := map[string]string{}
			for i, a := range strings.Fields(tt.answers) {
				answers[test.Questions[i].ID] = a
			}
			if got := test.Profile(answers); got.ID != tt.want {
				t.Errorf("got %s, want %s", got.ID, tt.want)
			}
		})
	}
}

func TestTextIn(t *testing.T) {
	text := level.Text{"fr": "Oui", "en": "Yes"}
	for lang, want := range map[string]string{"fr": "Oui", "en": "Yes", "ar": "Oui"} {
		if got := text.In(lang); got != want {
			t.Errorf("In(%s) = %q, want %q", lang, got, want)
		}
	}
	if got := level.Text(nil).In("fr"); got != "" {
		t.Errorf("nil: %q", got)
	}
}

const small = `questions:
  - id: q
    text: {fr: A, falc: A, en: A}
    choices:
      - id: a
        icon: check
        label: {fr: A, falc: A, en: A}
        points: {much: 2}
      - id: b
        icon: x
        label: {fr: A, falc: A, en: A}
        detail: {fr: A, falc: A, en: A}
        points: {little: 2}
profiles:
  - id: much
    icon: users
    title: {fr: A, falc: A, en: A}
    text: {fr: A, falc: A, en: A}
    advice: {fr: A, falc: A, en: A}
    topic: e_mail
  - id: little
    icon: bulb
    title: {fr: A, falc: A, en: A}
    text: {fr: A, falc: A, en: A}
    advice: {fr: A, falc: A, en: A}
    topic: e_mail
    query: {services: [x_y], support_modes: [z]}
`

func TestLoad(t *testing.T) {
	const all = "{fr: A, falc: A, en: A}"
	tests := []struct {
		name, old, new string
		want           string // in the error
	}{
		{"as it is", "", "", ""},
		{"unknown key", "    topic: e_mail\n    query", "    sujet: e_mail\n    query", `level.yaml:26: YAML : clé inconnue "sujet"`},
		{"unknown key on top", "questions:", "version: 1\nquestions:", `level.yaml:1: `},
		{"key twice", "        icon: x\n", "        icon: x\n        icon: check\n", "level.yaml:11: "},
		{"missing translation", "label: " + all + "\n        points", "label: {fr: A, en: A}\n        points", "level.yaml:7: label: le texte manque en « falc »"},
		{"blank translation", "text: " + all + "\n    choices", "text: {fr: A, falc: A, en: ' '}\n    choices", "level.yaml:3: text: le texte manque en « en »"},
		{"translation in lines of its own", "title: " + all + "\n    text: " + all + "\n    advice: " + all + "\n    topic: e_mail\n  -", "title:\n      fr: A\n      en: A\n    text: " + all + "\n    advice: " + all + "\n    topic: e_mail\n  -", "level.yaml:18: title: le texte manque en « falc »"},
		{"unknown language", "detail: " + all, "detail: {fr: A, falc: A, en: A, it: A}", "level.yaml:12: detail: langue inconnue « it »"},
		{"text missing", "    advice: " + all + "\n    topic: e_mail\n  -", "    topic: e_mail\n  -", "level.yaml:15: advice: manque"},
		{"points missing", "        points: {little: 2}\n", "", "level.yaml:9: points: manque"},
		{"points for nobody", "{little: 2}", "{litle: 2}", "level.yaml:13: points: il n’y a pas de profil « litle »"},
		{"points beyond", "{little: 2}", "{little: 10}", "level.yaml:13: points: 10"},
		{"points in words", "{little: 2}", "{little: deux}", "level.yaml:13: "},
		{"bad id", "- id: a", "- id: A b", "level.yaml:5: id: « A b »"},
		{"bad icon", "icon: bulb", "icon: Bulb.svg", "level.yaml:22: icon: « Bulb.svg »"},
		{"answer twice", "- id: b", "- id: a", "level.yaml:9: id: « a » est en double"},
		{"profile twice", "- id: little", "- id: much", "level.yaml:21: id: « much » est en double"},
		{"one choice only", small[strings.Index(small, "      - id: b"):strings.Index(small, "profiles:")], "", "level.yaml:2: choices: il en faut de 2 à 6, il y en a 1"},
		{"profile nobody reaches", "{little: 2}", "{much: 1, little: 1}", "level.yaml:21: id: aucune suite de réponses ne mène au profil « little »"},
		{"no YAML", "questions:", "questions: [", "level.yaml:"},
		{"a list", small, "- a\n", "level.yaml:1"},
		{"empty", small, "", "level.yaml:1: le fichier est vide"},
		{"the placeholder", small, "questions: []\n", "level.yaml:1: questions:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(small, tt.old) {
				t.Fatalf("%q isn't in the file", tt.old)
			}
			file := strings.Replace(small, tt.old, tt.new, 1)
			test, err := level.Load(fstest.MapFS{"level.yaml": {Data: []byte(file)}})
			if tt.want == "" {
				if err != nil || len(test.Profiles) != 2 || test.Profiles[1].Query.Services[0] != "x_y" {
					t.Errorf("%+v, %v", test, err)
				}
				return
			}
			var problems level.Problems
			if !errors.As(err, &problems) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want %q", err, tt.want)
			}
		})
	}
	t.Run("no file", func(t *testing.T) {
		if _, err := level.Load(fstest.MapFS{}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("err = %v", err)
		}
	})
}

// What the shipped test says is plain: no straight apostrophe, a no-break
// space before : ; ? !, and facile à lire in short sentences.
func TestShippedTexts(t *testing.T) {
	test := MustLoad(t, content.FS)
	texts := map[string]level.Text{}
	for _, q := range test.Questions {
		texts[q.ID] = q.Text
		for _, c := range q.Choices {
			texts[q.ID+"."+c.ID] = c.Label
			if len(q.Choices) > 5 {
				t.Errorf("%s: %d choices are too many for a page", q.ID, len(q.Choices))
			}
		}
	}
	for _, p := range test.Profiles {
		texts[p.ID+".title"], texts[p.ID+".text"], texts[p.ID+".advice"] = p.Title, p.Text, p.Advice
	}
	sentenceEnd := regexp.MustCompile(`[.!?]+(\s|$)`)
	tightSign := regexp.MustCompile(`(^|[^\x{a0}])[:;?!»]`)
	for where, text := range texts {
		for lang, s := range text {
			if strings.Contains(s, "'") || lang != "en" && tightSign.MatchString(s) {
				t.Errorf("%s.%s: apostrophe or space: %q", where, lang, s)
			}
			if n := utf8.RuneCountInString(s); n > 110 {
				t.Errorf("%s.%s: %d signs", where, lang, n)
			}
		}
		for _, sentence := range sentenceEnd.Split(text["falc"], -1) {
			if n := len(strings.Fields(sentence)); n > 10 {
				t.Errorf("%s.falc: a sentence of %d words: %q", where, n, sentence)
			}
		}
	}
}

// The directory finds places by the words of the national schema.
func TestShippedQueries(t *testing.T) {
	dir := os.Getenv("PARVIS_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	schema, err := os.ReadFile(dir + "/places/schema-v1.0.2.json")
	if err != nil {
		t.Skipf("no national schema to compare with (PARVIS_DATA): %v", err)
	}
	known := snake(string(schema))
	for _, p := range MustLoad(t, content.FS).Profiles {
		if len(p.Query.Services) == 0 {
			t.Errorf("%s finds no places", p.ID)
		}
		for _, key := range append(p.Query.Services, p.Query.SupportModes...) {
			// In the schema's patterns values stand between | ( and ).
			if !regexp.MustCompile(`[|(]` + key + `[|)]`).MatchString(known) {
				t.Errorf("%s: the schema has no %s", p.ID, key)
			}
		}
	}
}

func snake(s string) string {
	return strings.NewReplacer(" ", "_", "é", "e", "è", "e", "î", "i", "À", "a", "'", "_").Replace(strings.ToLower(s))
}

func ExampleLoad() {
	_, err := level.Load(fstest.MapFS{"level.yaml": {Data: []byte(strings.Replace(small, "falc: A, ", "", 1))}})
	fmt.Println(err)
	// Output: level.yaml:3: text: le texte manque en « falc »
}
