package voice_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"parvis/app/voice"
)

var languages = []string{"fr", "falc", "en", "ar"}

func lexicon(t *testing.T, files map[string]string) (voice.Lexicon, error) {
	t.Helper()
	folder := fstest.MapFS{}
	for name, data := range files {
		folder[name] = &fstest.MapFile{Data: []byte(data)}
	}
	return voice.LoadLexicon(folder, languages)
}

func TestLexicon(t *testing.T) {
	l, err := lexicon(t, map[string]string{
		"fr.yaml":   "# noms de la ville\nNeudorf: neuille dorf\nCCAS: cé cé a esse\nl’Elsau: l'elle-zau\nCCAS de Neudorf: le centre d'action sociale\n\"1er Mai\": premier mai\n",
		"falc.yaml": "CCAS: l'aide sociale\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ lang, text, want string }{
		{"fr", "Allez à Neudorf.", "Allez à neuille dorf."},
		{"fr", "Neudorfien, CCASse, neudorf", "Neudorfien, CCASse, neudorf"},
		{"fr", "à l’Elsau, au CCAS", "à l'elle-zau, au cé cé a esse"},
		{"fr", "Le CCAS de Neudorf", "Le le centre d'action sociale"},
		{"fr", "place du 1er Mai", "place du premier mai"},
		{"falc", "Le CCAS, Neudorf", "Le l'aide sociale, neuille dorf"},
		{"en", "Neudorf", "Neudorf"},
	} {
		if got := l.Say(tc.lang, tc.text); got != tc.want {
			t.Errorf("%s %q: %q, want %q", tc.lang, tc.text, got, tc.want)
		}
	}
	if l, err := voice.LoadLexicon(os.DirFS(filepath.Join(t.TempDir(), "none")), languages); err != nil || len(l) != 0 {
		t.Errorf("no folder: %v, %v", l, err)
	}
	if l, err := lexicon(t, map[string]string{"fr.yaml": "# rien encore\n"}); err != nil || l.Say("fr", "a") != "a" {
		t.Errorf("an empty file: %v", err)
	}
}

func TestLexiconRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ file, data, want string }{
		"a list":           {"fr.yaml", "- Neudorf\n", "fr.yaml:1"},
		"nested":           {"fr.yaml", "a: b\nNeudorf:\n  dit: x\n", "fr.yaml:2: Neudorf"},
		"nothing to say":   {"fr.yaml", "\nNeudorf:\n", "fr.yaml:2: Neudorf"},
		"a number":         {"fr.yaml", "Neudorf: 12\n", "guillemets"},
		"twice":            {"fr.yaml", "a: b\nc: d\na: e\n", "fr.yaml:3"},
		"broken":           {"fr.yaml", "a: b\n\tc: d\n", "YAML illisible"},
		"long word":        {"fr.yaml", strings.Repeat("a", 61) + ": b\n", "lettres"},
		"long to say":      {"fr.yaml", "a: " + strings.Repeat("b", 201) + "\n", "lettres"},
		"no UTF-8":         {"fr.yaml", "a: \xff\n", "UTF-8"},
		"unknown language": {"de.yaml", "a: b\n", "attendu fr.yaml"},
		"other ending":     {"fr.yml", "a: b\n", "serait ignoré"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := lexicon(t, map[string]string{tc.file: tc.data})
			var problems voice.Problems
			if !errors.As(err, &problems) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v; wanted « %s »", err, tc.want)
			}
		})
	}
}

func TestPronounce(t *testing.T) {
	l, err := lexicon(t, map[string]string{"fr.yaml": "Neudorf: neuille dorf\n"})
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "said")
	base, err := voice.NewLog(log)
	if err != nil {
		t.Fatal(err)
	}
	v := voice.Pronounce(base, l)
	v.Say("fr", "Mairie de Neudorf", nil)
	v.SetOutput(voice.Output{Private: true})
	v.SayPrivate("fr", "Pour vous : Neudorf", nil)
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	said, err := os.ReadFile(log)
	if err != nil || strings.Count(string(said), "neuille dorf") != 2 || strings.Contains(string(said), "Neudorf") {
		t.Errorf("said %q, %v", said, err)
	}
}
