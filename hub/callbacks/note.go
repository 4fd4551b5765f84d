package callbacks

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
)

// Sensitive is a kind of number that has no place in a note.
type Sensitive string

// The kinds.
const (
	SocialSecurity Sensitive = "social_security" // NIR, with its key or without
	BankAccount    Sensitive = "iban"
	BankCard       Sensitive = "bank_card"
	TaxNumber      Sensitive = "tax_number"
	FamilyNumber   Sensitive = "caf_number"
	Telephone      Sensitive = "telephone"
)

// Warning says that a note seems to hold a sensitive number. It never repeats
// the number.
type Warning struct {
	Kind    Sensitive
	Message string // in French, for whoever writes the note
}

// between is what people put between digits.
const between = `[ .\-\x{a0}\x{202f}]?`

// How people write numbers; in Corsica a social security number has a letter.
var (
	digits    = regexp.MustCompile(`[0-9](?:` + between + `[0-9])*`)
	corsican  = regexp.MustCompile(`[1-478](?:` + between + `[0-9]){4}` + between + `2` + between + `[ABab](?:` + between + `[0-9]){8}`)
	accounts  = regexp.MustCompile(`(?i)\b[A-Z]{2}[0-9]{2}(?:` + between + `[A-Z0-9]){11,30}`)
	family    = regexp.MustCompile(`(?i)(?:\bcaf\b|allocataire)[^0-9]{0,30}[0-9](?:` + between + `[0-9]){5,6}(?:[^0-9]|$)`)
	separator = strings.NewReplacer(" ", "", ".", "", "-", "", "\u00a0", "", "\u202f", "")
)

// NoteWarning looks for a number that should not be written down: a note is for
// what has to be done. Errors of typing make numbers that it doesn't know; it
// warns, and nothing more.
func NoteWarning(text string) (w Warning, found bool) {
	for _, look := range []func(string) Sensitive{bankAccount, corsicanNumber, plainNumber, familyNumber} {
		if kind := look(text); kind != "" {
			return Warning{kind, fmt.Sprintf("La note semble contenir %s. Ne l’écrivez pas ici : notez seulement ce qu’il reste à faire.", named[kind])}, true
		}
	}
	return Warning{}, false
}

var named = map[Sensitive]string{
	SocialSecurity: "un numéro de sécurité sociale",
	BankAccount:    "un numéro de compte bancaire (IBAN)",
	BankCard:       "un numéro de carte bancaire",
	TaxNumber:      "un numéro fiscal",
	FamilyNumber:   "un numéro d’allocataire",
	Telephone:      "un numéro de téléphone",
}

func bankAccount(text string) Sensitive {
	for _, found := range accounts.FindAllString(text, -1) {
		account := strings.ToUpper(separator.Replace(found))
		// What follows the number may have been taken for a part of it.
		for n := len(account); n >= 15; n-- {
			if isIBAN(account[:n]) {
				return BankAccount
			}
		}
	}
	return ""
}

// isIBAN checks the two digits of ISO 13616.
func isIBAN(account string) bool {
	if n := len(account); n < 15 || n > 34 {
		return false
	}
	var b strings.Builder
	for _, r := range account[4:] + account[:4] {
		if r >= 'A' {
			fmt.Fprint(&b, int(r-'A')+10)
			continue
		}
		b.WriteRune(r)
	}
	number, ok := new(big.Int).SetString(b.String(), 10)
	return ok && new(big.Int).Mod(number, big.NewInt(97)).Int64() == 1
}

func corsicanNumber(text string) Sensitive {
	for _, found := range corsican.FindAllString(text, -1) {
		number := strings.ToUpper(separator.Replace(found))
		// The key counts 2A as 19 and 2B as 18.
		if isSocialSecurity(strings.NewReplacer("A", "9", "B", "8").Replace(number[:5] + "1" + number[6:])) {
			return SocialSecurity
		}
	}
	return ""
}

func plainNumber(text string) Sensitive {
	for _, at := range digits.FindAllStringIndex(text, -1) {
		number := separator.Replace(text[at[0]:at[1]])
		switch n := len(number); {
		case isSocialSecurity(number):
			return SocialSecurity
		case isTelephone(number, strings.HasSuffix(text[:at[0]], "+")):
			return Telephone
		case n >= 13 && n <= 19 && luhn(number):
			return BankCard
		case n == 13 && number[0] <= '3':
			return TaxNumber
		}
	}
	return ""
}

// isSocialSecurity checks the key of a number of 15 digits; one of 13 has none,
// so its sex, month and place must be such as there are.
func isSocialSecurity(number string) bool {
	if n := len(number); n != 13 && n != 15 {
		return false
	}
	month := number[3:5]
	possible := (number[0] == '1' || number[0] == '2') && (month >= "01" && month <= "12" || month >= "20" && month <= "42" || month >= "50")
	if len(number) == 13 {
		return possible && number[5:7] != "00" && number[10:13] != "000"
	}
	body, _ := new(big.Int).SetString(number[:13], 10)
	key, _ := new(big.Int).SetString(number[13:], 10)
	return 97-new(big.Int).Mod(body, big.NewInt(97)).Int64() == key.Int64() && strings.ContainsAny(number[:1], "123478")
}

// luhn checks the last digit of ISO/IEC 7812.
func luhn(number string) bool {
	sum, double := 0, false
	for i := len(number) - 1; i >= 0; i-- {
		d := int(number[i] - '0')
		if double {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum, double = sum+d, !double
	}
	return sum%10 == 0 && strings.Trim(number, "0") != ""
}

// isTelephone tells a number with 0, 00 or + in front.
func isTelephone(number string, plus bool) bool {
	n := len(number)
	switch {
	case plus:
		return n >= 8 && n <= 15
	case strings.HasPrefix(number, "0033"), strings.HasPrefix(number, "00262"), strings.HasPrefix(number, "0059"):
		return n == 13 || n == 14
	}
	return n == 10 && number[0] == '0' && number[1] != '0'
}

func familyNumber(text string) Sensitive {
	if family.MatchString(text) {
		return FamilyNumber
	}
	return ""
}
