package typeset

import "golang.org/x/text/language"

// RightToLeft tells whether a language, by its BCP 47 tag such as "ar", is
// written from right to left. What is no tag, such as "falc", is not.
func RightToLeft(lang string) bool {
	tag, err := language.Parse(lang)
	if err != nil {
		return false
	}
	script, _ := tag.Script()
	switch script.String() {
	case "Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Rohg":
		return true
	}
	return false
}
