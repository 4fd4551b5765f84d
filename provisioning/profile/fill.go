package profile

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
)

// checker fills a profile from what a file says, and notes all that is wrong.
type checker struct {
	root   *node
	faults []fault
}

// fault is a key that cannot be taken.
type fault struct {
	path string // "ecran.largeur_px", "lecteurs[1].type"
	text string
	// whole says that the key is wrong only together with others, or because it
	// isn't there: of a layer alone it cannot be told.
	whole bool
}

func (c *checker) bad(path, text string) { c.faults = append(c.faults, fault{path: path, text: text}) }

// clash notes a key that does not go with another.
func (c *checker) clash(path, text string) {
	c.faults = append(c.faults, fault{path: path, text: text, whole: true})
}

// is reports whether something is wrong with a key already.
func (c *checker) is(path string) bool {
	return slices.ContainsFunc(c.faults, func(f fault) bool { return f.path == path })
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// table takes the keys of a table into a struct.
func (c *checker) table(n *node, into reflect.Value, path string) {
	fields := fieldsOf(into.Type())
	for _, key := range n.order {
		at := join(path, key)
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == key })
		if i < 0 {
			c.bad(at, notThere+c.meant(key, path, fields))
			continue
		}
		c.value(n.table[key], into.Field(fields[i].index), fields[i], at)
	}
	for _, f := range fields {
		if v := into.Field(f.index); f.required && n.table[f.key] == nil && v.Kind() != reflect.Struct {
			c.faults = append(c.faults, fault{join(path, f.key), "à donner : " + f.missing(), !strings.HasSuffix(path, "]")})
		}
	}
}

// notThere begins the text of a key that does not exist; shown puts the key first.
const notThere = "n’existe pas"

// value takes one value into a field.
func (c *checker) value(n *node, into reflect.Value, f field, path string) {
	switch into.Kind() {
	case reflect.Struct:
		if n.table == nil {
			c.bad(path, "attendu une table : ["+path+"]")
			return
		}
		c.table(n, into, path)
	case reflect.Slice:
		c.list(n, into, f, path)
	default:
		c.scalar(n, into, f, path)
	}
}

func (c *checker) list(n *node, into reflect.Value, f field, path string) {
	tables := into.Type().Elem().Kind() == reflect.Struct
	switch {
	case !n.isList && tables:
		c.bad(path, "attendu une table par entrée, entre doubles crochets : [["+path+"]]")
		return
	case !n.isList:
		c.bad(path, "attendu une liste de textes : [\"…\", \"…\"]")
		return
	case len(n.list) < f.minItems:
		c.bad(path, "donnez-en au moins un")
		return
	}
	list := reflect.MakeSlice(into.Type(), len(n.list), len(n.list))
	for i, entry := range n.list {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case !tables:
			c.scalar(entry, list.Index(i), f, at)
		case entry.table == nil:
			c.bad(at, "attendu une table par entrée, entre doubles crochets : [["+path+"]]")
		default:
			c.table(entry, list.Index(i), at)
		}
	}
	into.Set(list)
}

func (c *checker) scalar(n *node, into reflect.Value, f field, path string) {
	switch v := n.value.(type) {
	case string:
		if into.Kind() == reflect.String {
			into.SetString(v)
			c.word(v, f, path)
			return
		}
	case bool:
		if into.Kind() == reflect.Bool {
			into.SetBool(v)
			return
		}
	case int64:
		switch into.Kind() {
		case reflect.Int:
			into.SetInt(v)
			c.number(float64(v), f, path)
			return
		case reflect.Float32, reflect.Float64:
			into.SetFloat(float64(v))
			c.number(float64(v), f, path)
			return
		}
	case float64:
		if into.Kind() == reflect.Float32 || into.Kind() == reflect.Float64 {
			into.SetFloat(v)
			c.number(v, f, path)
			return
		}
	}
	c.bad(path, map[reflect.Kind]string{
		reflect.String: "attendu un texte, entre guillemets droits", reflect.Bool: "attendu true (oui) ou false (non), sans guillemets",
		reflect.Int: "attendu un nombre entier, sans guillemets", reflect.Float32: "attendu un nombre, sans guillemets", reflect.Float64: "attendu un nombre, sans guillemets",
	}[into.Kind()])
}

func (c *checker) word(v string, f field, path string) {
	switch n := utf8.RuneCountInString(v); {
	case f.words != nil && !slices.Contains(f.words, v):
		text := oneOf(f.shownWords())
		if like := Closest(v, f.shownWords()); like != "" {
			text += " ; vouliez-vous « " + like + " » ?"
		}
		c.bad(path, text)
	case n < f.minLength:
		c.bad(path, f.missing())
	case f.maxLength > 0 && n > f.maxLength:
		c.bad(path, fmt.Sprintf("%d signes au plus", f.maxLength))
	case f.pattern != nil && !f.pattern.MatchString(v):
		c.bad(path, f.form())
	}
}

func (c *checker) number(v float64, f field, path string) {
	switch {
	case f.words != nil && !slices.Contains(f.words, strconv.FormatFloat(v, 'f', -1, 64)):
		words := f.shownWords()
		c.bad(path, strings.Join(words[:len(words)-1], ", ")+" ou "+words[len(words)-1])
	case math.IsNaN(v) || f.ranged && (v < f.min || v > f.max):
		c.bad(path, fmt.Sprintf("de %v à %v%s", f.min, f.max, f.unit()))
	}
}

// field is a field of a struct, as its tags describe it. The schema is made
// from the same tags.
type field struct {
	index                int
	key, description     string
	required, ranged     bool
	words                []string // those that are allowed; nil: any
	min, max             float64
	minLength, maxLength int
	minItems             int
	pattern              *regexp.Regexp
	example              string
}

func fieldsOf(t reflect.Type) []field {
	known, found := fieldsRead.Load(t)
	if !found {
		known, _ = fieldsRead.LoadOrStore(t, readFields(t))
	}
	return known.([]field)
}

// fieldsRead keeps what the tags say, by type: a hub reads a profile for each
// of many bornes.
var fieldsRead sync.Map

func readFields(t reflect.Type) []field {
	fields := make([]field, t.NumField())
	for i := range fields {
		f := field{index: i, key: t.Field(i).Tag.Get("toml"), description: t.Field(i).Tag.Get("jsonschema_description")}
		for _, rule := range rules(t.Field(i).Tag.Get("jsonschema")) {
			name, value, _ := strings.Cut(rule, "=")
			switch name {
			case "required":
				f.required = true
			case "enum":
				f.words = append(f.words, value)
			case "minimum":
				f.min, _ = strconv.ParseFloat(value, 64) // a test compares with the schema
				f.ranged = true
			case "maximum":
				f.max, _ = strconv.ParseFloat(value, 64)
			case "minLength":
				f.minLength, _ = strconv.Atoi(value)
			case "maxLength":
				f.maxLength, _ = strconv.Atoi(value)
			case "minItems":
				f.minItems, _ = strconv.Atoi(value)
			case "pattern":
				f.pattern = regexp.MustCompile(value)
			case "example":
				if f.example == "" {
					f.example = value
				}
			}
		}
		fields[i] = f
	}
	return fields
}

// rules cuts a tag at its commas; one that belongs to a value has a backslash
// before it.
func rules(tag string) []string {
	const comma = "\x00"
	parts := strings.Split(strings.ReplaceAll(tag, `\,`, comma), ",")
	for i := range parts {
		parts[i] = strings.ReplaceAll(parts[i], comma, ",")
	}
	return parts
}

// shownWords are those that people are told of: an empty one, or 0, stands for
// nothing said.
func (f field) shownWords() []string {
	return slices.DeleteFunc(slices.Clone(f.words), func(w string) bool { return w == "" || w == "0" })
}

// unit is that of a number, as its key says.
func (f field) unit() string {
	_, unit, _ := strings.Cut(f.key, "_")
	return map[string]string{"mm": " millimètres", "sol_mm": " millimètres", "px": " pixels", "ms": " millisecondes"}[unit]
}

// missing says what a key is for that must be there.
func (f field) missing() string {
	if f.words != nil {
		return oneOf(f.shownWords())
	}
	return strings.TrimSuffix(lowerFirst(f.description), ".")
}

// form says what a text should look like.
func (f field) form() string {
	switch f.pattern.String() {
	case hexKey, hexPrint:
		return "64 chiffres hexadécimaux attendus" + made[f.key]
	}
	return "attendu par exemple « " + f.example + " »"
}

const (
	hexKey   = `^([0-9a-fA-F]{64})?$`
	hexPrint = `^[0-9a-fA-F]{64}$`
)

// made says which command gives a key or a fingerprint.
var made = map[string]string{"cle": " : « parvis badge cle » en tire une", "empreinte": " : « parvis badge empreinte » les donne"}

func lowerFirst(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return strings.ToLower(string(r)) + s[size:]
}

// meant guesses which key was meant by one that does not exist: one of the same
// table that is written nearly so, or the same one of another table.
func (c *checker) meant(key, path string, fields []field) string {
	var keys []string
	for _, f := range fields {
		keys = append(keys, f.key)
	}
	like := ""
	if near := Closest(key, keys); near != "" {
		like = join(path, near)
	} else if elsewhere := placesOf(key); len(elsewhere) == 1 && path != "" || path == "" && len(elsewhere) > 0 {
		like = elsewhere[0]
	}
	if like == "" {
		return ""
	}
	return ", vouliez-vous « " + index.ReplaceAllString(like, ".") + " » ?"
}

// placesOf lists the tables that have a key of that name, or one nearly so.
func placesOf(key string) []string {
	var exact, near []string
	for _, table := range fieldsOf(reflect.TypeFor[Profile]()) {
		t := reflect.TypeFor[Profile]().Field(table.index).Type
		if t.Kind() != reflect.Struct {
			continue
		}
		var keys []string
		for _, f := range fieldsOf(t) {
			keys = append(keys, f.key)
		}
		if slices.Contains(keys, key) {
			exact = append(exact, table.key+"."+key)
		} else if like := Closest(key, keys); like != "" {
			near = append(near, table.key+"."+like)
		}
	}
	if exact != nil {
		return exact
	}
	return near
}

// maxMeant is how long a word may be for a guess at what was meant, in bytes.
const maxMeant = 100

// Closest is the word that something was probably meant to be, or "": the one
// that is written most nearly so, or the only one that begins so.
func Closest(word string, words []string) string {
	if len(word) > maxMeant {
		return ""
	}
	best, like, longer := 1+max(1, (len(word)+2)/3), "", []string(nil)
	for _, w := range words {
		switch d := levenshtein.ComputeDistance(strings.ToLower(word), w); {
		case d < best:
			best, like = d, w
		case d == best:
			like = "" // it may be either
		}
		if len(word) >= 3 && strings.HasPrefix(w, word) {
			longer = append(longer, w)
		}
	}
	if like == "" && len(longer) == 1 {
		return longer[0]
	}
	return like
}

// index is the number of an entry in a path, from 0.
var index = regexp.MustCompile(`\[([0-9]+)\]\.?`)

// shown is a path as people read it: "lecteurs n° 2: type".
func shown(path string) string {
	return strings.TrimSuffix(index.ReplaceAllStringFunc(path, func(s string) string {
		n, _ := strconv.Atoi(strings.Trim(s, "[]."))
		return fmt.Sprintf(" n° %d: ", n+1)
	}), ": ")
}
