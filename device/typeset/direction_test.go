package typeset_test

import (
	"testing"

	"parvis/device/typeset"
)

func TestRightToLeft(t *testing.T) {
	for lang, want := range map[string]bool{
		"ar": true, "ar-MA": true, "fa": true, "he": true, "ur": true, "ps": true,
		"fr": false, "en": false, "zh": false, "ku": false, "ku-Arab": true, "falc": false, "": false, "?": false,
	} {
		if got := typeset.RightToLeft(lang); got != want {
			t.Errorf("RightToLeft(%q) = %t", lang, got)
		}
	}
}

func TestDirected(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text    string
		pageRTL bool
		set     string
		rtl     bool
	}{
		{"مرحبا", true, "مرحبا", true},
		{"العربية", false, "العربية", true},
		{"Touchez une ligne.", true, "Touchez une ligne.", false},
		{"3 place des Trois-Ponts", true, "3 place des Trois-Ponts", false},
		{"06 12 34 5", true, "06 12 34 5", false},
		{"+33 6 12", true, "+33 6 12", false},
		{"10:42", true, "10:42", false},
		{"09:00 – 12:30, 13:30 – 16:30", true, "09:00 – 12:30, 13:30 – 16:30", true},
		{"09:00 – 12:30", false, "09:00 – 12:30", false},
		{"شبكة Wi-Fi هنا", true, "شبكة Wi-Fi هنا", true},
		{"Wi-Fi مجاني", true, "Wi-Fi مجاني", true},
		{"Langue : العربية", false, "Langue : العربية", false},
		{"اتصل 06 12 34", true, "اتصل 06\u00a012\u00a034", true},
		{"رقم 042A", true, "رقم \u200e042A", true},
		{"", true, "", false},
	} {
		if set, rtl := typeset.Directed(tt.text, tt.pageRTL); set != tt.set || rtl != tt.rtl {
			t.Errorf("Directed(%q, %t) = %q, %t", tt.text, tt.pageRTL, set, rtl)
		}
	}
}
