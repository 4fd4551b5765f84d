package profile

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// fault is a setting that cannot be taken.
type fault struct {
	table  string
	n      int // which of the tables of that name, from 1; 0 where there is but one
	key    string
	reason string
}

func (f *fault) name() string {
	if f.n == 0 {
		return f.table + "." + f.key
	}
	return fmt.Sprintf("%s n° %d: %s", f.table, f.n, f.key)
}

// line is where the key is set; where it is not, that of its table; 0 where
// that is not there either.
func (f *fault) line(data string) int {
	inside, seen, at := false, 0, 0
	for i, line := range strings.Split(data, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			inside = false
			head, _, _ := strings.Cut(line, "#")
			if strings.Trim(head, "[] \t") == f.table {
				seen++
				inside = f.n == 0 || seen == f.n
			}
			if inside {
				at = i + 1
			}
			continue
		}
		name, _, set := strings.Cut(line, "=")
		if inside && set && strings.TrimSpace(name) == f.key {
			return i + 1
		}
	}
	return at
}

// lineOf finds the line on which the last name of a key is set.
func lineOf(data string, key toml.Key) int {
	name := key[len(key)-1]
	for i, line := range strings.Split(data, "\n") {
		if l := strings.TrimSpace(line); strings.HasPrefix(l, name) || strings.Trim(l, "[]") == key.String() {
			return i + 1
		}
	}
	return 0
}

// The words that a setting may have.
var (
	outputs     = []string{"casque", "haut-parleur"}
	flows       = []string{"rts", "xon", "aucun"}
	readerTypes = []string{"rfid", "code", "pcsc", "clavier"}
	layouts     = []string{"azerty", "qwerty"}
	typed       = []string{"code", "rfid"}
	media       = []string{"rfid", "sans-contact", "code"}
	forms       = []string{"hexa", "decimal", "texte"}
	roles       = []string{"mediateur", "ambassadeur", "agent"}
)

// oneOf lists what is allowed: « a », « b » ou « c ».
func oneOf(words []string) string {
	last := len(words) - 1
	return "« " + strings.Join(words[:last], " », « ") + " » ou « " + words[last] + " »"
}

// maxCode is how long a code may be, in signs, where the profile doesn't say.
const maxCode = 256

// complete gives what is left out in lists its usual value.
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

func (p *Profile) check() *fault {
	for _, f := range []*fault{p.checkSite(), p.checkScreen(), p.checkPrinters(), p.checkReaders(), p.checkSound(), p.checkCards(), p.checkBadges()} {
		if f != nil {
			return f
		}
	}
	return nil
}

func (p *Profile) checkSite() *fault {
	bad := func(key, reason string) *fault { return &fault{table: "site", key: key, reason: reason} }
	s := p.Site
	switch {
	case s.ID == "":
		return bad("id", "donnez un identifiant au site")
	case s.Name == "":
		return bad("nom", "donnez le nom de la maison, tel qu’on le lit à l’écran")
	case s.Lat < -90 || s.Lat > 90:
		return bad("latitude", "en degrés décimaux, de -90 à 90")
	case s.Lon < -180 || s.Lon > 180:
		return bad("longitude", "en degrés décimaux, de -180 à 180")
	case len(s.Languages) == 0:
		return bad("langues", "donnez au moins une langue")
	}
	return nil
}

func (p *Profile) checkScreen() *fault {
	bad := func(key, reason string) *fault { return &fault{table: "ecran", key: key, reason: reason} }
	s := p.Screen
	switch {
	case s.Width <= 0:
		return bad("largeur_px", "donnez la taille de l’écran en pixels")
	case s.Height <= 0:
		return bad("hauteur_px", "donnez la taille de l’écran en pixels")
	case s.WidthMM < 150 || s.WidthMM > 2000:
		return bad("largeur_mm", "mesurez la largeur de l’image, en millimètres (de 150 à 2000)")
	case s.Bounce < 0 || s.Bounce > 2000:
		return bad("rebond_ms", "de 0 (aucun) à 2000 millisecondes")
	}
	return nil
}

func (p *Profile) checkPrinters() *fault {
	if port := p.Printer.Port; strings.Contains(port, ":") && !strings.Contains(port, "/by-") {
		u, err := url.Parse(port)
		if err != nil || u.Scheme != "tcp" || u.Hostname() == "" || u.Port() == "" {
			return &fault{table: "imprimante", key: "port", reason: "attendu /dev/…, ou tcp://adresse:9100"}
		}
	}
	if !slices.Contains(speeds, p.Printer.Baud) {
		return &fault{table: "imprimante", key: "vitesse", reason: aSpeed}
	}
	if !slices.Contains(flows, p.Printer.Flow) {
		return &fault{table: "imprimante", key: "flux", reason: oneOf(flows)}
	}
	if q := p.Office.Queue; q != "" {
		u, err := url.Parse(q)
		if err != nil || u.Scheme != "ipp" && u.Scheme != "ipps" || u.Hostname() == "" {
			return &fault{table: "imprimante_a4", key: "file", reason: "attendu ipp:// ou ipps://, par exemple ipp://localhost:631/printers/A4"}
		}
	}
	return nil
}

// speeds are those of serial lines, in bits a second.
var speeds = []int{1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600}

const aSpeed = "une vitesse de ligne série : 9600, 19200, 38400, 57600, 115200…"

func (p *Profile) checkReaders() *fault {
	taken := []string{p.Printer.Port}
	for i, r := range p.Readers {
		bad := func(key, reason string) *fault { return &fault{"lecteurs", i + 1, key, reason} }
		switch {
		case !slices.Contains(readerTypes, r.Type):
			return bad("type", oneOf(readerTypes))
		case r.Type != "pcsc" && r.Port == "":
			return bad("port", "donnez le port du lecteur, par exemple /dev/parvis/rfid, ou /dev/input/by-id/… pour un « clavier »")
		case !slices.Contains(speeds, r.Baud):
			return bad("vitesse", aSpeed)
		case r.Port != "" && slices.Contains(taken, r.Port):
			return bad("port", "ce port est déjà celui d’un autre appareil")
		case r.MinLength < 1 || r.MinLength > r.MaxLength:
			return bad("longueur_min", "de 1 à longueur_max")
		case r.MaxLength > 4096:
			return bad("longueur_max", "4096 signes au plus")
		case !slices.Contains(layouts, r.Layout):
			return bad("disposition", oneOf(layouts))
		case r.Type == "clavier" && !slices.Contains(typed, r.Medium):
			return bad("lecture", oneOf(typed))
		case r.Type != "clavier" && r.Medium != "":
			return bad("lecture", "seulement pour un lecteur de type « clavier »")
		}
		taken = append(taken, r.Port)
	}
	return nil
}

func (p *Profile) checkSound() *fault {
	bad := func(key, reason string) *fault { return &fault{table: "son", key: key, reason: reason} }
	switch s := p.Sound; {
	case !slices.Contains(outputs, s.Output):
		return bad("sortie", oneOf(outputs))
	case s.Volume < 1 || s.Volume > 8:
		return bad("volume", "de 1 à 8")
	case s.Level < 0 || s.Level > 100:
		return bad("niveau", "de 0 à 100 pour cent")
	}
	return nil
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

func (p *Profile) checkCards() *fault {
	if key := p.Cards.Key; key != "" {
		if b, err := hex.DecodeString(key); err != nil || len(b) != 32 {
			return &fault{table: "cartes", key: "cle", reason: "64 chiffres hexadécimaux attendus : « parvis badge cle » en tire une"}
		}
	}
	if pass := p.Cards.Pass; pass != "" {
		if _, err := Whole(pass); err != nil {
			return &fault{table: "cartes", key: "pass", reason: err.Error()}
		}
	}
	for i, c := range p.Cards.City {
		bad := func(key, reason string) *fault { return &fault{"cartes.ville", i + 1, key, reason} }
		switch _, err := Whole(c.Pattern); {
		case !slices.Contains(media, c.Medium):
			return bad("lecture", oneOf(media))
		case !slices.Contains(forms, c.Form):
			return bad("ecriture", oneOf(forms))
		case c.Medium == "rfid" && c.Form == "texte":
			return bad("ecriture", "une carte RFID n’a pas de texte : « hexa » ou « decimal »")
		case c.Medium == "code" && c.Form != "texte":
			return bad("ecriture", "un code n’a que du texte : « texte »")
		case err != nil:
			return bad("motif", err.Error())
		}
	}
	return nil
}

// codeHash is the PHC string format of argon2id, with a salt of 8 bytes and a hash
// of 16 at least in base64. Whether a borne can bear its numbers, kiosk/card says.
var codeHash = regexp.MustCompile(`^\$argon2id\$v=19\$m=[0-9]+,t=[0-9]+,p=[0-9]+\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{22,}$`)

func (p *Profile) checkBadges() *fault {
	for i, b := range p.Badges {
		bad := func(key, reason string) *fault { return &fault{"badges", i + 1, key, reason} }
		print, err := hex.DecodeString(b.Fingerprint)
		switch {
		case !slices.Contains(roles, b.Role):
			return bad("role", oneOf(roles))
		case err != nil || len(print) != 32:
			return bad("empreinte", "64 chiffres hexadécimaux attendus : « parvis badge empreinte » les donne")
		}
	}
	if len(p.Badges) > 0 && p.Cards.Key == "" {
		return &fault{table: "cartes", key: "cle", reason: "les badges ont besoin d’une clé : « parvis badge cle » en tire une"}
	}
	switch c := p.Maintenance.Code; {
	case c == "":
	case !strings.HasPrefix(c, "$argon2id$"):
		return &fault{table: "maintenance", key: "code", reason: "le code ne s’écrit pas en clair : mettez ce que donne « parvis badge code »"}
	case !codeHash.MatchString(c):
		return &fault{table: "maintenance", key: "code", reason: "l’empreinte du code est incomplète : recopiez toute la ligne que donne « parvis badge code »"}
	}
	return nil
}
