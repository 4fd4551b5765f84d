package network

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
)

func parse(t *testing.T, address, gateway string, dns, time []string) Settings {
	t.Helper()
	s, err := Parse(address, gateway, dns, time)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFiles(t *testing.T) {
	t.Parallel()
	const head = "# Fait par Parvis d’après [reseau] du profil de la borne ; refait à chaque démarrage.\n"
	s := parse(t, "192.0.2.10/24", "192.0.2.1", []string{"192.0.2.53", "2001:db8::53"}, []string{"ntp.ville.fr", "2001:db8::123"})
	if got, want := string(s.networkFile()), head+"[Match]\nType=ether\nKind=!*\n\n[Network]\nDHCP=no\nAddress=192.0.2.10/24\nGateway=192.0.2.1\nDNS=192.0.2.53\nDNS=2001:db8::53\n\n"+
		"[DHCPv4]\nUseHostname=no\nUseDNS=no\n\n[DHCPv6]\nUseDNS=no\n\n[IPv6AcceptRA]\nUseDNS=no\n"; got != want {
		t.Errorf("%s", got)
	}
	if got, want := string(s.timeFile()), head+"[Time]\nNTP=ntp.ville.fr 2001:db8::123\n"; got != want {
		t.Errorf("%s", got)
	}
	s = parse(t, "dhcp", "", nil, nil)
	if !s.IsZero() || s.networkFile() != nil || s.timeFile() != nil {
		t.Errorf("DHCP alone makes files: %s%s", s.networkFile(), s.timeFile())
	}
	s = parse(t, "", "", []string{"192.0.2.53"}, nil)
	if got := string(s.networkFile()); !strings.Contains(got, "DHCP=yes\nDNS=192.0.2.53\n") {
		t.Errorf("%s", got)
	}
}

// Settings are the same after they were kept.
func TestKeptAsTheyWere(t *testing.T) {
	t.Parallel()
	for _, s := range []Settings{{}, parse(t, "192.0.2.10/24", "", nil, []string{"a"}), parse(t, "2001:db8::2/64", "2001:db8::1", []string{"192.0.2.53"}, nil)} {
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back Settings
		if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(back, s) || back.ID() != s.ID() {
			t.Errorf("%s becomes %+v, %v", data, back, err)
		}
	}
	if (Settings{}).ID() == parse(t, "192.0.2.10/24", "", nil, nil).ID() {
		t.Error("two settings of one ID")
	}
}

// Nothing comes into a file of root's that is not an address or a name.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		address, gateway string
		dns, time        []string
	}{
		"address":          {address: "192.0.2.10"},
		"address's line":   {address: "192.0.2.10/24\nGateway=192.0.2.1"},
		"gateway":          {address: "192.0.2.10/24", gateway: "gw"},
		"gateway's net":    {address: "192.0.2.10/24", gateway: "198.51.100.1"},
		"gateway by DHCP":  {gateway: "192.0.2.1"},
		"gateway's zone":   {address: "fe80::2/64", gateway: "fe80::1%a"},
		"name server":      {dns: []string{"dns.ville.fr"}},
		"server's zone":    {dns: []string{"fe80::1%a\nDNS=192.0.2.66"}},
		"time's line":      {time: []string{"a\nNTP=b"}},
		"time's space":     {time: []string{"a b"}},
		"time's comment":   {time: []string{"#a"}},
		"no time":          {time: []string{""}},
		"servers, endless": {dns: strings.Split(strings.Repeat("192.0.2.53 ", 9)+"192.0.2.53", " ")},
	} {
		if s, err := Parse(c.address, c.gateway, c.dns, c.time); err == nil {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// What the agent has not written itself, in its folder, is not read.
func TestReadAgents(t *testing.T) {
	t.Parallel()
	const agent = 4711
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	write := func(path string, size int, mode fs.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, bytes.Repeat([]byte("a"), size), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Chmod(path, mode), os.Chown(path, agent, -1)); err != nil {
			t.Fatal(err)
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("only root may give files away")
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	write(in("good"), 3, 0o640)
	write(in("full"), MostFile, 0o640)
	write(in("endless"), MostFile+1, 0o640)
	write(in("shared"), 3, 0o660)
	write(outside, 3, 0o640)
	write(in("other's"), 3, 0o640)
	if err := errors.Join(os.Chown(in("other's"), agent+1, -1), syscall.Mkfifo(in("pipe"), 0o640), os.Mkdir(in("folder"), 0o755),
		os.Symlink("good", in("within")), os.Symlink(outside, in("out")), os.Symlink("../../etc/passwd", in("up")), os.Symlink("/dev/zero", in("device"))); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"good": 3, "within": 3, "full": MostFile, "endless": -1, "shared": -1, "other's": -1, "out": -1, "up": -1,
		"device": -1, "pipe": -1, "folder": -1} {
		data, err := ReadAgents(dir, name, agent)
		if want < 0 && err == nil || want >= 0 && (err != nil || len(data) != want) {
			t.Errorf("%s: %d bytes, %v", name, len(data), err)
		}
	}
	if _, err := ReadAgents(dir, "none", agent); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
