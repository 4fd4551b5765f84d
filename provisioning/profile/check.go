package profile

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// check fills a profile from what a file says, and tells all that is wrong, on
// top of what was wrong with reading it. The profile is of use only where
// nothing is.
func check(doc *node, wrong Errors, further []Further) (*Profile, error) {
	p, c := examine(doc, further)
	unread := len(wrong) > 0 // what is missing may stand where nobody could read
	for _, f := range c.faults {
		if !unread || !f.whole {
			wrong = append(wrong, c.problem(f))
		}
	}
	if err := wrong.orNil(); err != nil {
		return nil, err
	}
	return p, nil
}

// examine is check that leaves the faults as they are.
func examine(doc *node, further []Further) (*Profile, *checker) {
	p, c := Default(), &checker{root: doc}
	c.table(doc, reflect.ValueOf(p).Elem(), "")
	if doc.table["site"] == nil {
		c.clash("site.id", "donnez un identifiant au site")
		c.clash("site.nom", "donnez le nom de la maison, tel qu’on le lit à l’écran")
	}
	p.complete()
	c.screen(p)
	c.network(p)
	c.wifi(p)
	c.printers(p)
	c.readers(p)
	c.cards(p)
	c.badges(p)
	for _, look := range further {
		found := look(p)
		for _, path := range slices.Sorted(maps.Keys(found)) {
			if !c.is(path) {
				c.bad(path, found[path].Error())
			}
		}
	}
	return p, c
}

// problem says where a fault stands: at its key, or else where its table begins.
func (c *checker) problem(f fault) Problem {
	at, key := c.find(f.path), shown(f.path)
	text := f.text
	if strings.HasPrefix(text, notThere) {
		key, text = "", "« "+index.ReplaceAllString(f.path, ".")+" » "+text
	}
	return Problem{File: at.layer, Line: at.line, Key: key, Text: text}
}

// find is the node of a path, or the nearest above it.
func (c *checker) find(path string) *node {
	at := c.root
	for _, part := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		next := at.table[part]
		if at.isList {
			if i, err := strconv.Atoi(part); err == nil && i < len(at.list) {
				next = at.list[i]
			}
		}
		if next == nil {
			break
		}
		at = next
	}
	if at == c.root {
		return &node{layer: at.layer}
	}
	return at
}

// maxCode is how long a code may be, in signs, where the profile doesn't say.
const maxCode = 256

// complete gives what is left out its usual value, where that depends on the rest.
func (p *Profile) complete() {
	for i := range p.Readers {
		r := &p.Readers[i]
		if r.Baud == 0 {
			r.Baud = 9600
		}
		if r.Suffix == "" && !r.NoSuffix {
			r.Suffix = "\r"
		}
		if r.MinLength == 0 {
			r.MinLength = 1
		}
		if r.MaxLength == 0 {
			r.MaxLength = maxCode
		}
		if r.Layout == "" {
			r.Layout = "azerty"
		}
		if r.Medium == "" && r.Type == "clavier" {
			r.Medium = "code"
		}
	}
	for i := range p.Cards.City {
		c := &p.Cards.City[i]
		if c.Form == "" {
			c.Form = map[string]string{"rfid": "decimal", "sans-contact": "hexa", "code": "texte"}[c.Medium]
		}
	}
}

// screen checks the sizes with one another, then works out those left out.
func (c *checker) screen(p *Profile) {
	s := p.Screen
	if s.Orientation != "" && s.Width > 0 && s.Height > 0 && s.Width != s.Height && (s.Width > s.Height) != (s.Orientation == Landscape) && !c.is("ecran.orientation") {
		c.clash("ecran.orientation", fmt.Sprintf("ne va pas avec une image de %d × %d pixels : donnez la taille telle qu’on la voit", s.Width, s.Height))
		return
	}
	for _, key := range []string{"orientation", "largeur_px", "hauteur_px", "diagonale", "largeur_mm", "hauteur_mm"} {
		if c.is("ecran." + key) {
			return
		}
	}
	p.Screen.complete()
	far := func(given, worked float32) bool { return given > 0 && math.Abs(float64(given/worked-1)) > 0.1 }
	rest := Screen{Width: s.Width, Height: s.Height, Orientation: s.Orientation, WidthMM: p.Screen.WidthMM}
	rest.complete()
	switch {
	case p.Screen.WidthMM < 150 || p.Screen.WidthMM > 2000:
		c.clash("ecran.largeur_mm", "mesurez la largeur de l’image, en millimètres (de 150 à 2000)")
	case s.WidthMM > 0 && far(s.HeightMM, rest.HeightMM):
		c.clash("ecran.hauteur_mm", fmt.Sprintf("ne va pas avec la largeur et les pixels : %.0f attendu", rest.HeightMM))
	case far(s.Diagonal, rest.Diagonal):
		c.clash("ecran.diagonale", fmt.Sprintf("ne va pas avec la taille en millimètres : %.1f pouces attendus", rest.Diagonal))
	}
}

func (c *checker) network(p *Profile) {
	n := p.Network
	address, ok := ParseAddress(n.Address)
	if n.Address != dhcp && !ok && !c.is("reseau.adresse") {
		c.bad("reseau.adresse", "attendu « dhcp », ou l’adresse de la borne et la longueur de son réseau, par exemple 192.0.2.10/24")
	}
	gateway, known := ParseServer(n.Gateway)
	switch {
	case n.Gateway == "":
	case !known:
		c.bad("reseau.passerelle", "attendu une adresse IP, par exemple 192.0.2.1")
	case n.Address == dhcp:
		c.clash("reseau.passerelle", "seulement avec une adresse fixe : avec « dhcp », le réseau la donne")
	case ok && !address.Contains(gateway):
		c.clash("reseau.passerelle", "n’est pas dans le réseau de reseau.adresse")
	case ok && address.Addr() == gateway:
		c.clash("reseau.passerelle", "est l’adresse de la borne elle-même")
	}
	for i, server := range n.DNS {
		if _, ok := ParseServer(server); !ok {
			c.bad(fmt.Sprintf("reseau.dns[%d]", i), "attendu une adresse IP, par exemple 192.0.2.53")
		}
	}
	for i, server := range n.Time {
		if at := fmt.Sprintf("reseau.heure[%d]", i); !IsHost(server) && !c.is(at) {
			c.bad(at, "attendu un nom de machine ou une adresse IP, par exemple ntp.ville.fr")
		}
	}
	if n.Proxy != "" {
		u, err := url.Parse(n.Proxy)
		switch {
		case err != nil || u.Scheme != "http" || u.Hostname() == "" || u.Path != "" && u.Path != "/":
			c.bad("reseau.proxy", "attendu http://nom:port, par exemple http://proxy.ville.fr:3128")
		case u.User != nil:
			c.bad("reseau.proxy", "sans nom ni mot de passe : le profil n’est pas fait pour des secrets")
		}
	}
}

func (c *checker) wifi(p *Profile) {
	w := p.Wifi
	switch {
	case len(w.Name) > 32:
		c.bad("wifi.nom", "32 octets au plus (une lettre accentuée en compte deux)")
	case w.Password != "" && (len(w.Password) < 8 || len(w.Password) > 63):
		c.bad("wifi.mot_de_passe", "de 8 à 63 signes")
	case w.Name == "" && w.Password != "":
		c.clash("wifi.nom", "donnez le nom du réseau")
	case w.Name != "" && w.Security == "wpa" && w.Password == "":
		c.clash("wifi.mot_de_passe", "donnez le mot de passe, ou mettez securite = \"ouvert\"")
	case w.Security == "ouvert" && w.Password != "":
		c.clash("wifi.mot_de_passe", "un réseau « ouvert » n’en a pas")
	}
}

func (c *checker) printers(p *Profile) {
	if port := p.Printer.Port; strings.Contains(port, ":") && !strings.Contains(port, "/by-") {
		u, err := url.Parse(port)
		if err != nil || u.Scheme != "tcp" || u.Hostname() == "" || u.Port() == "" {
			c.bad("imprimante.port", "attendu /dev/…, ou tcp://adresse:9100")
		}
	}
	if q := p.Office.Queue; q != "" {
		u, err := url.Parse(q)
		if err != nil || u.Scheme != "ipp" && u.Scheme != "ipps" || u.Hostname() == "" {
			c.bad("imprimante_a4.file", "attendu ipp:// ou ipps://, par exemple ipp://localhost:631/printers/A4")
		}
	}
}

func (c *checker) readers(p *Profile) {
	taken := []string{p.Printer.Port}
	for i, r := range p.Readers {
		path := fmt.Sprintf("lecteurs[%d]", i)
		known := r.Type != "" && !c.is(path+".type")
		if known && r.Type != "pcsc" && r.Port == "" {
			c.bad(path+".port", "donnez le port du lecteur, par exemple /dev/parvis/rfid, ou /dev/input/by-id/… pour un « clavier »")
		}
		if r.Port != "" && slices.Contains(taken, r.Port) {
			c.clash(path+".port", "ce port est déjà celui d’un autre appareil")
		}
		if r.MinLength > r.MaxLength {
			c.bad(path+".longueur_min", "de 1 à longueur_max")
		}
		if known && r.Type != "clavier" && r.Medium != "" {
			c.bad(path+".lecture", "seulement pour un lecteur de type « clavier »")
		}
		taken = append(taken, r.Port)
	}
}

// Whole compiles a profile's pattern of numbers so that it fits whole numbers
// only, with ^ and $ or without: one that left an end open would take the cards
// of other people for the city's.
func Whole(pattern string) (*regexp.Regexp, error) {
	if pattern == "" {
		return nil, errors.New("donnez la forme des numéros, par exemple [0-9]{10}")
	}
	// By itself first: "1)|(2" is one only within the group.
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, fmt.Errorf("expression régulière illisible : %w", err)
	}
	return regexp.Compile("^(?:" + pattern + ")$")
}

func (c *checker) cards(p *Profile) {
	if pass := p.Cards.Pass; pass != "" {
		if _, err := Whole(pass); err != nil {
			c.bad("cartes.pass", err.Error())
		}
	}
	for i, card := range p.Cards.City {
		path := fmt.Sprintf("cartes.ville[%d]", i)
		switch {
		case c.is(path + ".lecture"), c.is(path + ".ecriture"):
		case card.Medium == "rfid" && card.Form == "texte":
			c.bad(path+".ecriture", "une carte RFID n’a pas de texte : « hexa » ou « decimal »")
		case card.Medium == "code" && card.Form != "texte":
			c.bad(path+".ecriture", "un code n’a que du texte : « texte »")
		}
		if _, err := Whole(card.Pattern); err != nil && !c.is(path+".motif") {
			c.bad(path+".motif", err.Error())
		}
	}
}

// codeHash is the PHC string format of argon2id, with a salt of 8 bytes and a hash
// of 16 at least in base64. Whether a borne can bear its numbers, kiosk/card says.
var codeHash = regexp.MustCompile(`^\$argon2id\$v=19\$m=[0-9]+,t=[0-9]+,p=[0-9]+\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{22,}$`)

func (c *checker) badges(p *Profile) {
	if len(p.Badges) > 0 && p.Cards.Key == "" {
		c.clash("cartes.cle", "les badges ont besoin d’une clé : « parvis badge cle » en tire une")
	}
	switch code := p.Maintenance.Code; {
	case code == "":
	case !strings.HasPrefix(code, "$argon2id$"):
		c.bad("maintenance.code", "le code ne s’écrit pas en clair : mettez ce que donne « parvis badge code »")
	case !codeHash.MatchString(code):
		c.bad("maintenance.code", "l’empreinte du code est incomplète : recopiez toute la ligne que donne « parvis badge code »")
	}
}
