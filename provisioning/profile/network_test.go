package profile_test

import (
	"reflect"
	"strings"
	"testing"

	"parvis/provisioning/profile"
)

func TestParseNetwork(t *testing.T) {
	t.Parallel()
	const whole = "\ufeff[reseau]\nadresse = \"192.0.2.10/24\"\npasserelle = \"192.0.2.1\"\ndns = [\"192.0.2.53\", \"2001:db8::53\"]\n" +
		"heure = [\"ntp.ville.fr\", \"192.0.2.123\"]\nproxy = \"http://proxy.ville.fr:3128\"\nsans_proxy = [\".ville.fr\"]\n"
	got, err := profile.ParseNetwork("parvis-reseau.toml", []byte(whole))
	want := profile.Network{Address: "192.0.2.10/24", Gateway: "192.0.2.1", DNS: []string{"192.0.2.53", "2001:db8::53"},
		Time: []string{"ntp.ville.fr", "192.0.2.123"}, Proxy: "http://proxy.ville.fr:3128", NoProxy: []string{".ville.fr"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	got, err = profile.ParseNetwork("a", []byte("[reseau]\nheure = [\"ntp.ville.fr\"]\n"))
	if err != nil || got.Address != "" || len(got.Time) != 1 {
		t.Errorf("what is not said: %+v, %v", got, err)
	}
	for _, good := range []string{"dhcp", "192.0.2.10/31", "192.0.2.11/31", "2001:db8::10/64", "10.1.2.3/8"} {
		if _, err := profile.ParseNetwork("a", []byte("[reseau]\nadresse = \""+good+"\"\n")); err != nil {
			t.Error(err)
		}
	}
}

// A file with a mistake tells its line, the key, and what is meant.
func TestParseNetworkRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                            "f: la table [reseau] manque",
		"[reseau]\nadrese = \"dhcp\"": "f:2: « reseau.adrese » n’existe pas, vouliez-vous « reseau.adresse » ?",
		"adresse = \"dhcp\"":          "f:1: adresse: n’a pas sa place ici : ce fichier ne tient que la table [reseau], vouliez-vous « reseau.adresse » ?",
		"[reseau]\nadresse = \"dhcp\"\n[site]\nid = \"a\"":                     "f:3: site: n’a pas sa place ici",
		"[reseau]\nadresse = 12":                                               "f:2: reseau.adresse: attendu un texte, entre guillemets droits",
		"[reseau]\nadresse = \"\"":                                             "f:2: reseau.adresse: attendu « dhcp »",
		"[reseau]\nadresse = \"192.0.2.10\"":                                   "f:2: reseau.adresse: attendu « dhcp »",
		"[reseau]\nadresse = \"192.0.2.0/24\"":                                 "f:2: reseau.adresse: attendu « dhcp »",
		"[reseau]\nadresse = \"192.0.2.255/24\"":                               "f:2: reseau.adresse: attendu « dhcp »",
		"[reseau]\nadresse = \"127.0.0.1/8\"":                                  "f:2: reseau.adresse: attendu « dhcp »",
		"[reseau]\nadresse = \"192.0.2.10/24\"\npasserelle = \"198.51.100.1\"": "f:3: reseau.passerelle: n’est pas dans le réseau de reseau.adresse",
		"[reseau]\nadresse = \"192.0.2.10/24\"\npasserelle = \"192.0.2.10\"":   "f:3: reseau.passerelle: est l’adresse de la borne elle-même",
		"[reseau]\npasserelle = \"192.0.2.1\"":                                 "f:2: reseau.passerelle: seulement avec une adresse fixe",
		"[reseau]\n\ndns = \"192.0.2.53\"":                                     "f:3: reseau.dns: attendu une liste de textes",
		"[reseau]\ndns = [\"dns.ville.fr\"]":                                   "f:2: reseau.dns n° 1: attendu une adresse IP",
		"[reseau]\ndns = [\"fe80::1%a\\nDNS=192.0.2.66\"]":                     "f:2: reseau.dns n° 1: attendu une adresse IP",
		"[reseau]\nheure = [\"ntp.ville.fr\", \"ntp ville\"]":                  "f:2: reseau.heure n° 2: attendu un nom de machine",
		"[reseau]\nheure = [\"ntp.ville.fr\\n[Time]\"]":                        "f:2: reseau.heure n° 1: attendu un nom de machine",
		"[reseau]\nheure = [\"192.0.2\"]":                                      "f:2: reseau.heure n° 1: attendu un nom de machine",
		"[reseau]\nheure = [\"-a.fr\"]":                                        "f:2: reseau.heure n° 1: attendu un nom de machine",
		"[reseau]\nproxy = \"http://a:b@proxy:3128\"":                          "f:2: reseau.proxy: sans nom ni mot de passe",
		"[reseau]\nadresse = \"dhcp\"\nadresse = \"dhcp\"":                     "f:3: adresse: écrit deux fois",
		"[reseau]\nadresse = dhcp":                                             "f:2: ",
	} {
		n, err := profile.ParseNetwork("f", []byte(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q gives %+v, %v, want %q", text, n, err, want)
		}
	}
}

// Of a profile only the network is read, with the same strictness.
func TestNetworkOf(t *testing.T) {
	t.Parallel()
	n, err := profile.NetworkOf("profil", []byte("[site]\ndemain = 3\n[reseau]\nadresse = \"dhcp\"\n"))
	if err != nil || n.Address != "dhcp" {
		t.Errorf("%+v, %v", n, err)
	}
	if n, err := profile.NetworkOf("profil", []byte("[site]\nid = \"a\"\n")); err != nil || !reflect.DeepEqual(n, profile.Network{}) {
		t.Errorf("%+v, %v", n, err)
	}
	if n, err := profile.NetworkOf("profil", []byte("[reseau]\ndns = [\"a\"]\n")); err == nil {
		t.Errorf("%+v", n)
	}
}

// What a profile says counts, and the rest is the stick's.
func TestUnder(t *testing.T) {
	t.Parallel()
	stick := profile.Network{Address: "192.0.2.10/24", Gateway: "192.0.2.1", DNS: []string{"192.0.2.53"}, Proxy: "http://a:1", NoProxy: []string{"b"}}
	for name, c := range map[string]struct{ said, want profile.Network }{
		"nothing":     {profile.Network{}, stick},
		"by DHCP":     {profile.Network{Address: "dhcp"}, profile.Network{Address: "dhcp", DNS: stick.DNS, Proxy: stick.Proxy, NoProxy: stick.NoProxy}},
		"time":        {profile.Network{Time: []string{"t"}}, profile.Network{Address: stick.Address, Gateway: stick.Gateway, DNS: stick.DNS, Time: []string{"t"}, Proxy: stick.Proxy, NoProxy: stick.NoProxy}},
		"other names": {profile.Network{DNS: []string{"d"}, Proxy: "http://c:1"}, profile.Network{Address: stick.Address, Gateway: stick.Gateway, DNS: []string{"d"}, Proxy: "http://c:1"}},
	} {
		if got := profile.Under(c.said, stick); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
