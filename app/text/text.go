// Package text holds every sentence of the borne by language, one TOML file a
// language, and says times and dates as each language does.
package text

import (
	"embed"
	"fmt"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed *.toml
var files embed.FS

// Language is one of the languages the borne speaks.
type Language struct {
	Code  string // "fr", "falc", "en" …, as used in visits and content
	Name  string // in the language itself
	RTL   bool   // written from right to left
	Voice string // espeak-ng's name of it

	plural language.Tag // whose rules of plural it follows
}

// languages in the order in which they are offered. "falc" is French in the
// facile-à-lire variant; what it does not say differently it takes from "fr".
var languages = []Language{
	{Code: "fr", Name: "Français", Voice: "fr", plural: language.French},
	{Code: "falc", Name: "Facile à lire", Voice: "fr", plural: language.French},
	{Code: "en", Name: "English", Voice: "en-gb", plural: language.English},
	{Code: "ar", Name: "العربية", RTL: true, Voice: "ar", plural: language.Arabic},
}

// Catalogue holds the sentences of all languages.
type Catalogue struct {
	words map[string]*Words
}

// Load reads the sentences shipped with the program. An error names the file.
func Load() (*Catalogue, error) { return load(nil) }

// load reads the sentences of the program, and those to be said instead.
func load(over map[string][]byte) (*Catalogue, error) {
	french, err := localizer("fr", language.French, over["fr"])
	if err != nil {
		return nil, err
	}
	c := &Catalogue{words: map[string]*Words{}}
	for _, l := range languages {
		w := &Words{Language: l, localizers: []*i18n.Localizer{french}}
		if l.Code != "fr" {
			own, err := localizer(l.Code, l.plural, over[l.Code])
			if err != nil {
				return nil, err
			}
			w.localizers = []*i18n.Localizer{own, french}
		}
		c.words[l.Code] = w
	}
	return c, nil
}

// localizer reads CODE.toml, and what is said instead, into a bundle of its own:
// facile à lire is no language that a matcher of languages could tell from French.
func localizer(code string, plural language.Tag, over []byte) (*i18n.Localizer, error) {
	data, err := files.ReadFile(code + ".toml")
	if err != nil {
		return nil, err
	}
	bundle := i18n.NewBundle(plural)
	bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	if _, err := bundle.ParseMessageFileBytes(data, plural.String()+".toml"); err != nil {
		return nil, fmt.Errorf("app/text/%s.toml: %w", code, err)
	}
	if _, err := bundle.ParseMessageFileBytes(over, plural.String()+".toml"); err != nil {
		return nil, fmt.Errorf("textes/%s.toml : %w", code, err)
	}
	return i18n.NewLocalizer(bundle, plural.String()), nil
}

// Codes lists the languages that the borne has.
func Codes() []string {
	codes := make([]string, len(languages))
	for i, l := range languages {
		codes[i] = l.Code
	}
	return codes
}

// Known reports whether the borne has a language of this code.
func (c *Catalogue) Known(code string) bool { return c.words[code] != nil }

// In returns the words of a language; of French when there is none of that code.
func (c *Catalogue) In(code string) *Words {
	if w := c.words[code]; w != nil {
		return w
	}
	return c.words["fr"]
}

// Words says things in one language.
type Words struct {
	Language
	localizers []*i18n.Localizer // its own, then French
}

// T returns the sentence with the given id. Pairs are names and values for
// its variables: T("places.count", "Count", 12). A number named Count chooses
// the plural. A sentence that is missing shows as its id, so that tests see it.
func (w *Words) T(id string, pairs ...any) string {
	data := make(map[string]any, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		data[pairs[i].(string)] = pairs[i+1]
	}
	return w.Sentence(id, data)
}

// Sentence is T with its variables in a map.
func (w *Words) Sentence(id string, data map[string]any) string {
	for _, l := range w.localizers {
		if s, err := l.Localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: data, PluralCount: data["Count"]}); err == nil {
			return s
		}
	}
	return id
}

// Clock says a time of day: "14 h 30", "9 h", and "14:30" in English.
func (w *Words) Clock(t time.Time) string {
	switch {
	case w.Code == "en" || w.RTL:
		return t.Format("15:04")
	case t.Minute() == 0:
		return fmt.Sprintf("%d\u00a0h", t.Hour())
	}
	return fmt.Sprintf("%d\u00a0h\u00a0%02d", t.Hour(), t.Minute())
}

// Weekday says the day of the week: "lundi".
func (w *Words) Weekday(d time.Weekday) string {
	return w.T("weekday." + [...]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}[d])
}

// Date says a day: "lundi 23 novembre".
func (w *Words) Date(t time.Time) string {
	return fmt.Sprintf("%s %s %s", w.Weekday(t.Weekday()), w.day(t), w.month(t))
}

// FullDate says a day with its year and without its weekday: "15 novembre 2026".
func (w *Words) FullDate(t time.Time) string {
	return fmt.Sprintf("%s %s %d", w.day(t), w.month(t), t.Year())
}

func (w *Words) day(t time.Time) string {
	if t.Day() == 1 && w.Voice == "fr" {
		return "1er"
	}
	return fmt.Sprint(t.Day())
}

func (w *Words) month(t time.Time) string {
	return w.T("month." + strings.ToLower(t.Month().String()))
}
