package pack_test

import (
	"errors"
	"strings"
	"testing"

	"parvis/provisioning/pack"
)

func TestKey(t *testing.T) {
	t.Parallel()
	k := mustKey(t)
	data, err := k.Marshal("Clé de racine.\nGardez-la.", "")
	if err != nil || !strings.HasPrefix(string(data), "# Clé de racine.\n# Gardez-la.\n-----BEGIN PRIVATE KEY-----\n") {
		t.Fatalf("%s, %v", data, err)
	}
	noWords := func() (string, error) { return "", errors.New("asked") }
	if again, err := pack.ParseKey(data, noWords); err != nil || again.Number() != k.Number() {
		t.Errorf("%s, %v", again.Number(), err)
	}
	sealed, err := k.Marshal("Clé", "phrase")
	if err != nil || strings.Contains(string(sealed), "PRIVATE") {
		t.Fatalf("%s, %v", sealed, err)
	}
	words := func(s string) func() (string, error) { return func() (string, error) { return s, nil } }
	if again, err := pack.ParseKey(sealed, words("phrase")); err != nil || again.Number() != k.Number() {
		t.Errorf("%v", err)
	}
	for name, tt := range map[string]struct {
		data  []byte
		words func() (string, error)
	}{
		"wrong words":  {sealed, words("autre")},
		"no words":     {sealed, words("")},
		"cut off":      {data[:len(data)-40], noWords},
		"no key":       {[]byte("bonjour"), noWords},
		"another kind": {[]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), noWords},
	} {
		_, err := pack.ParseKey(tt.data, tt.words)
		wantError(t, err, pack.ErrKey)
		if err != nil && strings.Contains(err.Error(), "phrase\"") {
			t.Errorf("%s: the error tells the words", name)
		}
	}
	if _, err := pack.ParseKey(sealed, noWords); err == nil || err.Error() != "asked" {
		t.Errorf("%v", err)
	}
	if mustKey(t).Number() == k.Number() {
		t.Error("the same number for two keys")
	}
}
