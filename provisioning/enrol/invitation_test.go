package enrol_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"parvis/provisioning/enrol"
)

func TestInvitation(t *testing.T) {
	t.Parallel()
	code := enrol.NewCode(sha256.Sum256([]byte("authority")))
	for typed, hub := range map[string]string{
		code.Text():                                             "",
		strings.ToLower(code.Text()):                            "",
		code.Text() + "@hub.ville.fr:8443":                      "hub.ville.fr:8443",
		" " + code.Text() + " @ HUB.ville.fr ":                  "hub.ville.fr",
		code.Text() + "@hub.ville.fr\r\nécrit le 22 novembre\n": "hub.ville.fr",
		code.Text() + "@https://hub.ville.fr:8443":              "https://hub.ville.fr:8443",
	} {
		got, err := enrol.ParseInvitation(typed)
		if err != nil || got.Hub != hub || got.Code != code {
			t.Errorf("%d signs: hub %q, %v; want %q", len(typed), got.Hub, err, hub)
		}
		if again, err := enrol.ParseInvitation(got.Text()); err != nil || again != got {
			t.Errorf("its text is read as %q, %v", again.Hub, err)
		}
	}
	wrong := strings.Replace(code.Text(), code.Text()[:1], "Z", 1)
	for what, typed := range map[string]string{
		"nothing": "", "a hub alone": "@hub.ville.fr", "an altered code": wrong + "@hub.ville.fr",
		"no hub after @": code.Text() + "@", "a hub that is none": code.Text() + "@hub ville",
	} {
		_, err := enrol.ParseInvitation(typed)
		if err == nil {
			t.Errorf("%s is taken", what)
		}
		if said := fmt.Sprint(err); strings.Contains(said, code.Text()[6:11]) {
			t.Errorf("%s: the error repeats the code: %s", what, said)
		}
	}
	if _, err := enrol.ParseInvitation(wrong); !errors.Is(err, enrol.ErrCode) {
		t.Errorf("an altered code: %v", err)
	}
}
