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
