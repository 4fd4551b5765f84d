package place_test

import (
	"testing"

	"parvis/kiosk/place"
)

func TestDialledPhone(t *testing.T) {
	for _, c := range []struct{ name, phone, want string }{
		{"mainland", "+33199000001", "01 99 00 00 01"},
		{"La Réunion", "+262262123456", "0262 12 34 56"},
		{"Martinique", "+596596123456", "0596 12 34 56"},
		{"Nouvelle-Calédonie has no zero", "+687251234", "+687251234"},
		{"too short to be French", "+3319900", "+3319900"},
		{"none", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := (place.Place{Phone: c.phone}).DialledPhone(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
