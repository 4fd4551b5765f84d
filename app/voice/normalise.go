package voice

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Normalise puts text into words that an engine of the language lang reads as
// a person would: times, dates, phone numbers, sums, addresses on the web,
// abbreviations. Languages it doesn't know get only what needs no words.
func Normalise(lang, text string) string {
	text = plainSigns.Replace(text)
	w, rules := wordsOf(lang)
	text = inEach(address, text, w.address)
	text = inEach(phone, text, w.phone)
	text = inEach(masked, text, func([]string) string { return w.masked })
	for _, r := range rules {
		text = inEach(r.find, text, r.say)
	}
	return pauses(text)
}

// Spell puts a code ("K7Q 4M2") into words that say it sign by sign, with a
// longer pause where the code has a space.
func Spell(lang, code string) string {
	groups := strings.Fields(code)
	for i, g := range groups {
		groups[i] = strings.Join(strings.Split(g, ""), ", ")
	}
	return strings.Join(groups, " ; ")
}

// words says in one language what addresses and numbers need in all.
type words struct {
	dot, at, slash     string
	zero, plus, masked string
}

// A rule says what it finds, where that stands as a whole word, in other words.
type rule struct {
	find *regexp.Regexp
	say  func(m []string) string // m as FindStringSubmatch gives it
}

var (
	frenchWords  = words{dot: "point", at: "arobase", slash: "barre oblique", zero: "zéro", plus: "plus", masked: "chiffres cachés"}
	englishWords = words{dot: "dot", at: "at", slash: "slash", zero: "zero", plus: "plus", masked: "hidden digits"}
	noWords      = words{dot: ".", at: "@", slash: "/", zero: "0", plus: "+", masked: "…"}
)

func wordsOf(lang string) (words, []rule) {
	switch lang {
	case "fr", "falc":
		return frenchWords, frenchRules
	case "en":
		return englishWords, englishRules
	}
	return noWords, nil
}

// plainSigns maps the signs of fine typography to those the rules look for,
// and takes out those that mean nothing to an ear.
var plainSigns = strings.NewReplacer(
	"\u00a0", " ", "\u202f", " ", "\u2009", " ", "\u00ad", "",
	"’", "'", "‑", "-", "\r", "",
	"→", ",", "←", "", "☐", "", "☑", "", "✓", "", "✔", "", "▸", "", "▶", "", " · ", ", ", "·", " ",
)

var (
	// A web address, with or without its scheme, or a mail address.
	address = regexp.MustCompile(`(?i)(?:https?://)?(?:www\.)?((?:[a-z0-9._-]+@)?\.?(?:[a-z0-9-]+\.)+(?:fr|com|org|net|eu|info|gouv|paris|bzh|re|gp|mq|gf|yt|nc|pf|pm|wf))(?::\d+)?((?:/[\pL\d._~%+-]*)*)(?:\?[^\s]*)?(?:#[^\s]*)?`)
	// A French number as people write it, with signs masked or not.
	phone = regexp.MustCompile(`(?:(\+33|\+262|\+508|\+590|\+594|\+596|\+681|\+687|\+689|00 ?33)[ .]?(?:\(0\))?)?(0?[1-9•])((?:[ .-]?[\d•]{2}){4})|0 ?(8\d\d)[ .]?(\d{3})[ .]?(\d{3})`)
	// Signs hidden outside a phone number.
	masked = regexp.MustCompile(`•(?: ?•)+`)
	pair   = regexp.MustCompile(`[\d•]{2}`)
)

// address says an address without its scheme, "www", port and query.
func (w words) address(m []string) string {
	path := strings.Trim(m[2], "/.")
	tail := m[0][len(strings.TrimRight(m[0], ".")):] // the end of a sentence
	said := strings.NewReplacer(".", " "+w.dot+" ", "@", " "+w.at+" ").Replace(m[1])
	if path != "" {
		said += ", " + w.slash + " " + strings.NewReplacer("/", ", "+w.slash+" ", ".", " "+w.dot+" ", "_", " ").Replace(path)
	}
	return said + tail
}

// phone says a number in pairs, each zero spoken.
func (w words) phone(m []string) string {
	if m[4] != "" { // 0 800 123 456
		return strings.Join([]string{w.zero + " " + m[4], w.digits(m[5]), w.digits(m[6])}, ", ")
	}
	said := []string{w.pair(m[2])}
	switch {
	case strings.HasPrefix(m[1], "+"):
		said = []string{w.plus + " " + m[1][1:], strings.TrimPrefix(m[2], "0")}
	case m[1] != "":
		said = []string{w.zero + " " + w.zero, "33", strings.TrimPrefix(m[2], "0")}
	case !strings.HasPrefix(m[2], "0"):
		return m[0] // nine digits alone: some other number
	}
	for _, p := range pair.FindAllString(m[3], -1) {
		if p = w.pair(p); p != w.masked || said[len(said)-1] != w.masked {
			said = append(said, p)
		}
	}
	return strings.Join(said, ", ")
}

// pair says two digits; "07" keeps its zero.
func (w words) pair(p string) string {
	switch {
	case strings.Contains(p, "•"):
		return w.masked
	case p == "00":
		return w.zero + " " + w.zero
	case p[0] == '0':
		return w.zero + " " + p[1:]
	}
	return p
}

// digits says up to three digits as one number, its leading zeros spoken.
func (w words) digits(s string) string {
	var said []string
	for len(s) > 1 && s[0] == '0' {
		said, s = append(said, w.zero), s[1:]
	}
	return strings.Join(append(said, s), " ")
}

// inEach replaces what find matches in s, unless the match is the start, the
// middle or the end of a longer word or number.
func inEach(find *regexp.Regexp, s string, say func(m []string) string) string {
	var b strings.Builder
	done := 0
	for done < len(s) {
		at := find.FindStringSubmatchIndex(s[done:])
		if at == nil {
			break
		}
		start, end := done+at[0], done+at[1]
		if joined(s, start) || joined(s, end) {
			_, size := utf8.DecodeRuneInString(s[start:])
			b.WriteString(s[done : start+size])
			done = start + size
			continue
		}
		m := make([]string, len(at)/2)
		for i := range m {
			if at[2*i] >= 0 {
				m[i] = s[done+at[2*i] : done+at[2*i+1]]
			}
		}
		b.WriteString(s[done:start])
		b.WriteString(say(m))
		done = end
	}
	b.WriteString(s[done:])
	return b.String()
}

// joined reports whether the signs on both sides of s[i:] belong to one word.
func joined(s string, i int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:i])
	after, _ := utf8.DecodeRuneInString(s[i:])
	if i == 0 || i == len(s) {
		return false
	}
	return inWord(before) && inWord(after)
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// either finds any of the given words.
func either(words []string) *regexp.Regexp { return regexp.MustCompile(alternatives(words)) }

// alternatives is the pattern of any of the given words, the longest that fits.
func alternatives(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = regexp.QuoteMeta(w)
	}
	slices.SortFunc(quoted, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return "(?:" + strings.Join(quoted, "|") + ")"
}

// letters spells a sigle: "R S A".
func letters(m []string) string {
	return strings.Join(strings.Split(strings.ReplaceAll(m[0], ".", ""), ""), " ")
}

var spaces = regexp.MustCompile(`[ \t]+`)

// pauses ends each line so that the engine breathes there, drops the dots that
// open the lines of a list, and single-spaces the rest.
func pauses(text string) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(spaces.ReplaceAllString(line, " "))
		line = strings.ReplaceAll(line, " ,", ",")
		line = strings.TrimSpace(strings.TrimPrefix(line, "•"))
		if line != "" {
			lines = append(lines, line)
		}
	}
	for i, line := range lines[:max(0, len(lines)-1)] {
		if last, _ := utf8.DecodeLastRuneInString(line); inWord(last) || last == ')' || last == '»' {
			lines[i] = line + "."
		}
	}
	return strings.Join(lines, "\n")
}
