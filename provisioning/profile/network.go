package profile

import (
	"net/netip"
	"reflect"
	"regexp"
	"strings"
)

// ParseNetwork reads a file that has the table [reseau] and nothing else, as IT
// brings it on a stick to where the hub cannot be reached yet. What it does not
// say is empty. An error about what it says is Errors.
func ParseNetwork(name string, data []byte) (Network, error) {
	doc, wrong := parse(name, data)
	n, c := networkIn(doc)
	for _, key := range doc.order {
		if key != networkTable {
			c.bad(key, "n’a pas sa place ici : ce fichier ne tient que la table [reseau]"+c.meant(key, networkTable, fieldsOf(reflect.TypeFor[Network]())))
		}
	}
	if doc.table[networkTable] == nil && len(wrong) == 0 && len(doc.order) == 0 {
		wrong = append(wrong, Problem{File: name, Text: "la table [reseau] manque"})
	}
	return n, c.told(wrong)
}

// NetworkOf reads what a profile says under [reseau], whatever else is in it.
// What it does not say is empty, the address too.
func NetworkOf(name string, data []byte) (Network, error) {
	doc, wrong := parse(name, data)
	n, c := networkIn(doc)
	return n, c.told(wrong)
}

const networkTable = "reseau"

func networkIn(doc *node) (Network, *checker) {
	c, p := &checker{root: doc}, &Profile{}
	table := doc.table[networkTable]
	if table == nil {
		return p.Network, c
	}
	p.Network.Address = dhcp
	c.value(table, reflect.ValueOf(&p.Network).Elem(), field{key: networkTable}, networkTable)
	c.network(p)
	if table.table["adresse"] == nil {
		p.Network.Address = ""
	}
	return p.Network, c
}

// told is all that is wrong, on top of what was wrong with reading the file.
func (c *checker) told(wrong Errors) error {
	for _, f := range c.faults {
		wrong = append(wrong, c.problem(f))
	}
	return wrong.orNil()
}

const dhcp = "dhcp"

// ParseAddress reads reseau.adresse: the borne's own address and how long the
// prefix of its network is. ok is false for what no machine can have.
func ParseAddress(text string) (p netip.Prefix, ok bool) {
	p, err := netip.ParsePrefix(text)
	a := p.Addr()
	ok = err == nil && a.IsGlobalUnicast() && !a.Is4In6() && p.Bits() > 0 &&
		(p.IsSingleIP() || a != p.Masked().Addr() || a.Is4() && p.Bits() == 31) && !isBroadcast(p)
	return p, ok
}

// isBroadcast tells an address that means all machines of its network.
func isBroadcast(p netip.Prefix) bool {
	return p.Addr().Is4() && p.Bits() < 31 && !p.Contains(p.Addr().Next())
}

// ParseServer reads the address of one machine, without a zone.
func ParseServer(text string) (a netip.Addr, ok bool) {
	a, err := netip.ParseAddr(text)
	return a, err == nil && a.Zone() == "" && !a.IsUnspecified() && !a.IsMulticast()
}

// hostName is a name in the DNS (RFC 1123, 2.1).
var hostName = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?$`)

// IsHost reports whether a text is the name or the address of one machine.
func IsHost(text string) bool {
	if _, err := netip.ParseAddr(text); err == nil {
		_, ok := ParseServer(text)
		return ok
	}
	last := text[strings.LastIndexByte(strings.TrimSuffix(text, "."), '.')+1:]
	digits := strings.Trim(last, "0123456789.") == ""
	return len(text) <= 253 && hostName.MatchString(text) && !digits // 192.0.2 is no name
}

// Under is n where that says something, and below where it is silent. An address
// and its gateway go together, as do a proxy and what is reached without it.
func Under(n, below Network) Network {
	if n.Address == "" {
		n.Address, n.Gateway = below.Address, below.Gateway
	}
	if len(n.DNS) == 0 {
		n.DNS = below.DNS
	}
	if len(n.Time) == 0 {
		n.Time = below.Time
	}
	if n.Proxy == "" {
		n.Proxy, n.NoProxy = below.Proxy, below.NoProxy
	}
	return n
}
