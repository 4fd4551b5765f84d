// Package network has the machine's network follow the borne's settings: address,
// name servers, time servers. The agent's half asks; root's half writes them for
// systemd, and goes back by itself where the hub is not reached with them.
package network

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// Settings are what a borne has set of its machine's network. The zero Settings
// leave all to the machine: an address by DHCP, as a rule.
type Settings struct {
	Address netip.Prefix `json:"address,omitzero"` // zero: by DHCP
	Gateway netip.Addr   `json:"gateway,omitzero"` // zero: none, or by DHCP
	DNS     []netip.Addr `json:"dns,omitempty"`    // none: those of DHCP
	Time    []string     `json:"time,omitempty"`   // names or addresses; none: the machine's own
}

// hostName is all that a time server's name may be made of: root writes it into
// a file.
var hostName = regexp.MustCompile(`^[A-Za-z0-9:][A-Za-z0-9.:-]{0,252}$`)

// maxServers is how many servers of a kind are taken: more help nobody.
const maxServers = 8

// Parse makes settings of texts; "" and "dhcp" are no address of the borne's own.
// It takes only what root may write into a file of systemd's.
func Parse(address, gateway string, dns, time []string) (s Settings, err error) {
	if address != "" && address != "dhcp" {
		if s.Address, err = netip.ParsePrefix(address); err != nil {
			return Settings{}, fmt.Errorf("adresse %q : pas une adresse avec la longueur de son réseau", address)
		}
	}
	if gateway != "" {
		if s.Gateway, err = server(gateway); err != nil {
			return Settings{}, fmt.Errorf("passerelle : %w", err)
		}
		if !s.Address.Contains(s.Gateway) || s.Address.Addr() == s.Gateway {
			return Settings{}, fmt.Errorf("passerelle %s : pas dans le réseau de l’adresse %q", gateway, address)
		}
	}
	if len(dns) > maxServers || len(time) > maxServers {
		return Settings{}, fmt.Errorf("plus de %d serveurs", maxServers)
	}
	for _, text := range dns {
		a, err := server(text)
		if err != nil {
			return Settings{}, fmt.Errorf("dns : %w", err)
		}
		s.DNS = append(s.DNS, a)
	}
	for _, name := range time {
		if !hostName.MatchString(name) {
			return Settings{}, fmt.Errorf("heure : %q n’est ni un nom ni une adresse", name)
		}
	}
	s.Time = time
	return s, nil
}

// server reads an address. A zone may hold anything, and is nobody's here.
func server(text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("%q n’est pas une adresse IP", text)
	}
	return a, nil
}

// ID tells settings from others; that of the zero Settings too is not empty.
func (s Settings) ID() string {
	text, _ := json.Marshal(s) // never fails
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}

// IsZero reports whether all is left to the machine.
func (s Settings) IsZero() bool { return !s.link() && len(s.Time) == 0 }

// link reports whether there is something for systemd-networkd.
func (s Settings) link() bool { return s.Address.IsValid() || len(s.DNS) > 0 }

// String is what the settings say, for IT staff.
func (s Settings) String() string {
	address := "dhcp"
	if s.Address.IsValid() {
		address = s.Address.String()
	}
	return address
}

// networkFile is what systemd.network(5) is told; nil where that is nothing.
func (s Settings) networkFile() []byte {
	if !s.link() {
		return nil
	}
	var b strings.Builder
	b.WriteString("# Fait par Parvis d’après [reseau] du profil de la borne ; refait à chaque démarrage.\n" +
		"[Match]\nType=ether\nKind=!*\n\n[Network]\n")
	if s.Address.IsValid() {
		fmt.Fprintf(&b, "DHCP=no\nAddress=%s\n", s.Address)
	} else {
		b.WriteString("DHCP=yes\n")
	}
	if s.Gateway.IsValid() {
		fmt.Fprintf(&b, "Gateway=%s\n", s.Gateway)
	}
	for _, a := range s.DNS {
		fmt.Fprintf(&b, "DNS=%s\n", a)
	}
	b.WriteString("\n[DHCPv4]\nUseHostname=no\n")
	if len(s.DNS) > 0 {
		b.WriteString("UseDNS=no\n\n[DHCPv6]\nUseDNS=no\n\n[IPv6AcceptRA]\nUseDNS=no\n")
	}
	return []byte(b.String())
}

// timeFile is what timesyncd.conf(5) is told; nil where that is nothing.
func (s Settings) timeFile() []byte {
	if len(s.Time) == 0 {
		return nil
	}
	return []byte("# Fait par Parvis d’après [reseau] du profil de la borne ; refait à chaque démarrage.\n" +
		"[Time]\nNTP=" + strings.Join(s.Time, " ") + "\n")
}
