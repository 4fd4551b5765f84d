package journey

import (
	"strings"

	"parvis/app/page"
	"parvis/app/text"
	"parvis/kiosk/visit"
)

// Choices of the keys that are not signs. A sign's key is "key:" and the sign.
const (
	keyPrefix = "key:"
	keyRub    = "key.rub"
	keyClear  = "key.clear"
	keyABC    = "key.layout"
	keyUpper  = "key.upper"
	keyAccent = "key.accents"
)

var (
	azerty  = []string{"1234567890", "azertyuiop", "qsdfghjklm", "éwxcvbn’-"}
	abc     = []string{"1234567890", "abcdefghij", "klmnopqrst", "éuvwxyz’-"}
	accents = []string{"1234567890", "éèêëàâäçîï", "ôöùûüÿñœæß", "áíóúãõ’-."}
)

// keyboard is the borne's own keyboard, in the resident's order of letters.
func keyboard(v *visit.Visit, w *text.Words) page.Keys {
	rows := azerty
	switch {
	case v.Accents:
		rows = accents
	case v.ABC:
		rows = abc
	}
	var k page.Keys
	for i, row := range rows {
		var keys []page.Key
		for _, r := range row {
			sign := string(r)
			if v.Upper {
				sign = strings.ToUpper(sign)
			}
			keys = append(keys, page.Key{Choice: page.Choice{ID: keyPrefix + sign, Label: sign, Spoken: spokenSign(sign, w)}})
		}
		if i == len(rows)-1 {
			keys = append(keys, page.Key{Choice: page.Choice{ID: keyRub, Icon: "backspace", Spoken: w.T("keys.rub")}})
		}
		k.Rows = append(k.Rows, keys)
	}
	layout := w.T("keys.abc")
	if v.ABC {
		layout = w.T("keys.azerty")
	}
	k.Rows = append(k.Rows, []page.Key{
		{Choice: page.Choice{ID: keyABC, Label: layout, Spoken: w.T("keys.layout_spoken", "Layout", layout)}, Width: 1.8},
		{Choice: page.Choice{ID: keyUpper, Icon: "arrow-big-up", Switch: true, On: v.Upper, Spoken: w.T("keys.upper")}, Width: 1.2},
		{Choice: page.Choice{ID: keyAccent, Label: "éàç", Switch: true, On: v.Accents, Spoken: w.T("keys.accents")}, Width: 1.4},
		{Choice: page.Choice{ID: keyPrefix + " ", Label: w.T("keys.space")}, Width: 3},
		{Choice: page.Choice{ID: keyClear, Label: w.T("keys.clear")}, Width: 2.6},
	})
	return k
}

// phonePad is the keyboard of a telephone.
func phonePad(w *text.Words) page.Keys {
	k := page.Keys{Tall: true}
	for _, row := range []string{"123", "456", "789"} {
		var keys []page.Key
		for _, r := range row {
			keys = append(keys, page.Key{Choice: page.Choice{ID: keyPrefix + string(r), Label: string(r)}})
		}
		k.Rows = append(k.Rows, keys)
	}
	k.Rows = append(k.Rows, []page.Key{
		{Choice: page.Choice{ID: keyRub, Icon: "backspace", Spoken: w.T("keys.rub")}},
		{Choice: page.Choice{ID: keyPrefix + "0", Label: "0"}},
		{Choice: page.Choice{ID: keyPrefix + "+", Label: "+", Spoken: w.T("keys.plus")}},
	})
	return k
}

func spokenSign(sign string, w *text.Words) string {
	switch sign {
	case "’":
		return w.T("keys.apostrophe")
	case "-":
		return w.T("keys.hyphen")
	case ".":
		return w.T("keys.dot")
	case ":":
		return w.T("keys.colon")
	case "@":
		return w.T("keys.at")
	}
	return sign
}

// press applies a key to typed text of at most most bytes. ok is false when
// id is no key.
func press(v *visit.Visit, typed []byte, id string, most int) (_ []byte, ok bool) {
	switch id {
	case keyRub:
		return visit.Rub(typed), true
	case keyClear:
		return visit.Empty(typed), true
	case keyABC:
		v.ABC, v.Accents = !v.ABC, false
		return typed, true
	case keyUpper:
		v.Upper = !v.Upper
		return typed, true
	case keyAccent:
		v.Accents = !v.Accents
		return typed, true
	}
	sign, ok := strings.CutPrefix(id, keyPrefix)
	if !ok {
		return typed, false
	}
	v.Upper = false
	return visit.Type(typed, sign, most), true
}
