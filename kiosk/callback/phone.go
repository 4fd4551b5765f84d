package callback

import (
	"slices"
	"strings"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// Phone is what a resident has typed so far, understood as a telephone number.
type Phone struct {
	E164    string // "+33612345652"; empty unless Valid
	Display string // as typed, in groups: "06 12 34 5"
	Valid   bool   // a French number, mainland or overseas, that a person can be reached at
	Mobile  bool   // can receive text messages; false unless Valid
	Problem PhoneProblem
}

// PhoneProblem says why a number can't be used, as a code: the sentences are
// in app/text. It is empty exactly when the number is valid.
type PhoneProblem string

const (
	TooShort   PhoneProblem = "too_short"  // right so far
	TooLong    PhoneProblem = "too_long"   //
	NoZero     PhoneProblem = "no_zero"    // neither 0 nor +33 in front
	NotFrench  PhoneProblem = "not_french" // another country's prefix
	Emergency  PhoneProblem = "emergency"  // 15, 112, 114 …
	Short      PhoneProblem = "short"      // 3646, 1014, 118 218 …
	Premium    PhoneProblem = "premium"    // 08…: free, shared or surcharged
	Impossible PhoneProblem = "impossible" // full length, but nobody has it; or not digits at all
)

// maxTyped is how many digits are shown of a number that is far too long.
const maxTyped = 20

// country is a French calling code and how its numbers are written.
type country struct {
	code    string
	lengths []int // of the national number, ascending
	first   int   // size of the first group after the code; the rest goes by two
}

var countries = []country{
	{"33", []int{9}, 1},     // mainland
	{"262", []int{9}, 3},    // La Réunion, Mayotte
	{"590", []int{9}, 3},    // Guadeloupe, Saint-Barthélemy, Saint-Martin
	{"594", []int{9}, 3},    // Guyane
	{"596", []int{9}, 3},    // Martinique
	{"508", []int{6, 9}, 2}, // Saint-Pierre-et-Miquelon
	{"681", []int{6}, 2},    // Wallis-et-Futuna
	{"687", []int{6}, 2},    // Nouvelle-Calédonie
	{"689", []int{8}, 2},    // Polynésie française
}

// overseasAreas are landline areas that the numbering data also takes for
// mainland ones.
var overseasAreas = []string{"262", "263", "269", "590", "594", "596"}

var emergencies = []string{"15", "17", "18", "110", "112", "114", "115", "116000", "119", "191", "196", "197"}

// CheckPhone understands a number at any moment of its typing: French spelling
// (06…, 0692…), +33 or 00 33, and the overseas codes; spaces, dots, dashes and
// brackets don't matter. It never fails on any input.
func CheckPhone(typed string) Phone {
	warm()
	return check(typed)
}

// warm looks up numbers of nobody before the first resident types one. The
// library keeps every pattern that it compiles, and Go may put a pattern into
// the same sixteen bytes as the number it is compiled for: that number would
// stay in memory as long as the pattern.
var warm = sync.OnceFunc(func() {
	for _, c := range countries {
		for _, digits := range []string{"123456789", "200000000", "612345678", "692123456", "700000000", "999999999"} {
			check("+" + c.code + digits[:c.lengths[0]])
		}
	}
	for _, typed := range []string{"0123456789", "0600000000", "0692123456", "1", "3646", "118218", "999999"} {
		check(typed)
	}
})

func check(typed string) Phone {
	digits, plus, ok := strip(typed)
	if !ok {
		return Phone{Display: group(digits, 2), Problem: Impossible}
	}
	switch {
	case plus:
		return international("+", digits)
	case strings.HasPrefix(digits, "00"):
		return international("00 ", digits[2:])
	case digits == "" || strings.HasPrefix(digits, "0"):
		return national(digits)
	}
	return withoutZero(digits)
}

// strip keeps the digits and says whether a plus stood in front. ok is false
// when there is anything else than digits and what people put between them.
func strip(typed string) (digits string, plus, ok bool) {
	var b strings.Builder
	ok = true
	for _, r := range typed {
		switch {
		case '0' <= r && r <= '9':
			b.WriteRune(r)
		case r == '+' && b.Len() == 0 && !plus:
			plus = true
		case strings.ContainsRune(" .-/()\u00a0\u202f\u2011\u2013\t", r):
		default:
			ok = false
		}
	}
	return b.String(), plus, ok
}

func national(digits string) Phone {
	p := Phone{Display: group(digits, 2)}
	switch {
	case len(digits) < 10:
		p.Problem = TooShort
	case len(digits) > 10:
		p.Problem = TooLong
	case digits[1] == '8':
		p.Problem = Premium
	default:
		p.reach("33", digits[1:])
	}
	return p
}

func international(prefix, digits string) Phone {
	if digits == "" {
		return Phone{Display: strings.TrimSpace(prefix), Problem: TooShort}
	}
	i := slices.IndexFunc(countries, func(c country) bool { return strings.HasPrefix(digits, c.code) })
	if i < 0 {
		p := Phone{Display: prefix + group(digits, 2), Problem: NotFrench}
		if slices.ContainsFunc(countries, func(c country) bool { return strings.HasPrefix(c.code, digits) }) {
			p.Display, p.Problem = prefix+digits, TooShort
		}
		return p
	}
	c, rest := countries[i], digits[len(countries[i].code):]
	p := Phone{Display: strings.TrimSpace(prefix + c.code + " " + group(rest, c.first))}
	number := rest
	if strings.HasPrefix(rest, "0") { // "+33 (0)6 …"
		p.Display = prefix + c.code + " " + group(rest, 2)
		number = rest[1:]
	}
	switch most := c.lengths[len(c.lengths)-1]; {
	case len(number) > most:
		p.Problem = TooLong
	case !slices.Contains(c.lengths, len(number)):
		p.Problem = TooShort
	case c.code == "33" && number[0] == '8':
		p.Problem = Premium
	default:
		p.reach(c.code, number)
		if p.Problem == Impossible && len(number) < most {
			p.Problem = TooShort
		}
	}
	return p
}

// withoutZero is for a number that starts with 1 to 9: never one to call back.
func withoutZero(digits string) Phone {
	p := Phone{Display: group(digits, 2), Problem: NoZero}
	if len(digits) > 6 {
		return p
	}
	p.Display = digits
	if slices.Contains(emergencies, digits) {
		p.Problem = Emergency
	} else if n, err := phonenumbers.Parse(digits, "FR"); err == nil && phonenumbers.IsValidShortNumberForRegion(n, "FR") {
		p.Problem = Short
	}
	return p
}

// reach fills in whom the number belongs to. In France overseas numbers are
// dialled like mainland ones (0692…), so what follows the 0 or +33 may have to
// be an overseas number.
func (p *Phone) reach(code, number string) {
	// Saint-Pierre-et-Miquelon: 0508 and six digits.
	if rest, ok := strings.CutPrefix(number, "508"); ok && code == "33" && p.try("508", rest) {
		return
	}
	codes := []string{code}
	if code == "33" {
		overseas := []string{"262", "590", "594", "596"}
		if slices.Contains(overseasAreas, number[:3]) {
			codes = overseas
		} else {
			codes = append(codes, overseas...)
		}
	}
	for _, c := range codes {
		if p.try(c, number) {
			return
		}
	}
	p.Problem = Impossible
}

// try says whether the number is settled with this code: valid, or premium.
func (p *Phone) try(code, number string) bool {
	n, err := phonenumbers.Parse("+"+code+number, "")
	if err != nil || !phonenumbers.IsPossibleNumber(n) || !phonenumbers.IsValidNumber(n) {
		return false
	}
	switch phonenumbers.GetNumberType(n) {
	case phonenumbers.MOBILE:
		p.Mobile = true
	case phonenumbers.FIXED_LINE, phonenumbers.FIXED_LINE_OR_MOBILE, phonenumbers.VOIP:
	case phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST, phonenumbers.TOLL_FREE:
		p.Problem = Premium
		return true
	default:
		return false
	}
	p.Valid, p.Problem = true, ""
	p.E164 = phonenumbers.Format(n, phonenumbers.E164)
	return true
}

// group sets digits in a first group of the given size and then by two.
func group(digits string, first int) string {
	digits = digits[:min(len(digits), maxTyped)]
	var b strings.Builder
	for i := range len(digits) {
		if i == first || i > first && (i-first)%2 == 0 {
			b.WriteByte(' ')
		}
		b.WriteByte(digits[i])
	}
	return b.String()
}

// Mask hides a displayed number from who looks over the shoulder, but lets its
// owner recognise it: "06 •• •• •• 52". The first group stays (the country's
// code where there is one), and the last two digits where four others are hidden.
func Mask(display string) string {
	groups := strings.Split(display, " ")
	first := 1
	if groups[0] == "00" {
		first = min(2, len(groups))
	}
	last := len(groups)
	if n := len(strings.Join(groups[first:], "")); n >= 6 && len(groups[last-1]) == 2 {
		last--
	}
	for i := first; i < last; i++ {
		groups[i] = strings.Repeat("•", len(groups[i]))
	}
	return strings.Join(groups, " ")
}
