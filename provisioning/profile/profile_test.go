package profile_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"parvis/provisioning/profile"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "profil.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDemoProfile(t *testing.T) {
	p, err := profile.Load("../../packaging/demo.toml")
	if err != nil {
		t.Fatal(err)
	}
	if p.Site.Name != "Mairie de quartier" || p.Site.Region != "alsace-moselle" || p.Printer.Port != "run/printer" || len(p.Callback.Recipients) != 1 {
		t.Errorf("%+v", p)
	}
}

func TestDefaults(t *testing.T) {
	p, err := profile.Load(write(t, "[site]\nid = \"a\"\nnom = \"Mairie\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if p.Screen.Width != 1080 || p.Screen.WidthMM != 398 || p.Printer.Port != "" || p.Printer.Baud != 19200 || p.Site.Region != "metropole" || p.Sound.Output != "haut-parleur" || p.Sound.Volume != 3 {
		t.Errorf("%+v", p)
	}
	if p.Office.Queue != "" || len(p.Readers)+len(p.Badges)+len(p.Cards.City) != 0 || p.Maintenance.Code != "" || p.Cards.Pass == "" {
		t.Errorf("%+v", p)
	}
}

// Every setting of devices and cards, and what those take that say little.
func TestDevicesAndCards(t *testing.T) {
	key, print := strings.Repeat("0a", 32), strings.Repeat("F0", 32)
	p, err := profile.Load(write(t, `[site]
id = "a"
nom = "Mairie"
[imprimante]
modele = "epson-tm-t20"
port = "tcp://192.0.2.7:9100"
[imprimante_a4]
file = "ipp://localhost:631/printers/A4"
[[lecteurs]]
type = "rfid"
port = "/dev/parvis/rfid"
[[lecteurs]]
type = "clavier"
port = "/dev/input/by-id/usb-x-event-kbd"
disposition = "qwerty"
prefixe = "]Q1"
suffixe = "\r\n"
longueur_min = 4
longueur_max = 40
[[lecteurs]]
type = "pcsc"
nom = "ACR122U"
[son]
sortie = "casque"
casque = "plughw:1,0"
haut_parleur = "plughw:0,0"
prise_casque = "/dev/input/event3"
volume = 5
[cartes]
cle = "`+key+`"
pass = "^P[0-9]{9}$"
[[cartes.ville]]
nom = "Carte de la ville"
lecture = "rfid"
motif = "^000[0-9]{7}$"
[[cartes.ville]]
lecture = "sans-contact"
ecriture = "texte"
motif = "^VILLE:[0-9]+$"
[[badges]]
role = "agent"
nom = "Badge 1"
empreinte = "`+print+`"
[maintenance]
code = "$argon2id$v=19$m=19456,t=2,p=1$E1KLPHRhmJ1o9xQCP0ZhKQ$+hIEw0KVwZqTJebR7KI73L2hVhWBg4uJHYim3QH9W8U"
`))
	if err != nil {
		t.Fatal(err)
	}
	readers := []profile.Reader{
		{Type: "rfid", Port: "/dev/parvis/rfid", Baud: 9600, Suffix: "\r", MinLength: 1, MaxLength: 256, Layout: "azerty"},
		{Type: "clavier", Port: "/dev/input/by-id/usb-x-event-kbd", Baud: 9600, Prefix: "]Q1", Suffix: "\r\n", MinLength: 4, MaxLength: 40, Layout: "qwerty", Medium: "code"},
		{Type: "pcsc", Name: "ACR122U", Baud: 9600, Suffix: "\r", MinLength: 1, MaxLength: 256, Layout: "azerty"},
	}
	city := []profile.CityCard{
		{Name: "Carte de la ville", Medium: "rfid", Form: "decimal", Pattern: "^000[0-9]{7}$"},
		{Medium: "sans-contact", Form: "texte", Pattern: "^VILLE:[0-9]+$"},
	}
	for _, c := range []struct{ got, want any }{
		{p.Printer, profile.Printer{Model: "epson-tm-t20", Port: "tcp://192.0.2.7:9100", Baud: 19200, Flow: "aucun"}},
		{p.Office.Queue, "ipp://localhost:631/printers/A4"},
		{p.Readers, readers},
		{p.Sound, profile.Sound{Output: "casque", Headset: "plughw:1,0", Speaker: "plughw:0,0", Jack: "/dev/input/event3", Volume: 5, Level: 60}},
		{p.Cards, profile.Cards{Key: key, Pass: "^P[0-9]{9}$", City: city}},
		{p.Badges, []profile.Badge{{Role: "agent", Name: "Badge 1", Fingerprint: print}}},
		{p.Maintenance.Code, "$argon2id$v=19$m=19456,t=2,p=1$E1KLPHRhmJ1o9xQCP0ZhKQ$+hIEw0KVwZqTJebR7KI73L2hVhWBg4uJHYim3QH9W8U"},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("got %+v\nwant %+v", c.got, c.want)
		}
	}
}

// An error names the file, the line and the key, and says what to do.
func TestErrors(t *testing.T) {
	const site = "[site]\nid = \"a\"\nnom = \"Mairie\"\n"
	for name, tc := range map[string]struct{ text, want string }{
		"unknown key":     {site + "[ecran]\ndiagonale = 32\n", "profil.toml:5: ecran.diagonale"},
		"unknown table":   {site + "[lecteur]\nport = \"x\"\n", "lecteur"},
		"syntax":          {site + "langues = [\"fr\"\n", "profil.toml:"},
		"wrong type":      {site + "latitude = \"nord\"\n", "latitude"},
		"no id":           {"[site]\nnom = \"Mairie\"\n", "site.id"},
		"no name":         {"[site]\nid = \"a\"\n", "site.nom"},
		"off the earth":   {site + "latitude = 91.0\n", "site.latitude"},
		"no language":     {site + "langues = []\n", "site.langues"},
		"tiny screen":     {site + "[ecran]\nlargeur_mm = 20\n", "ecran.largeur_mm"},
		"no pixels":       {site + "[ecran]\nlargeur_px = 0\n", "ecran.largeur_px"},
		"endless bounce":  {site + "[ecran]\nrebond_ms = 9000\n", "ecran.rebond_ms"},
		"unknown output":  {site + "[son]\nsortie = \"radio\"\n", "profil.toml:5: son.sortie: « casque » ou « haut-parleur »"},
		"loud":            {site + "[son]\nvolume = 9\n", "profil.toml:5: son.volume"},
		"printer by web":  {site + "[imprimante]\nport = \"http://x\"\n", "profil.toml:5: imprimante.port: attendu /dev/…, ou tcp://"},
		"no TCP port":     {site + "[imprimante]\nport = \"tcp://x\"\n", "imprimante.port"},
		"no speed":        {site + "[imprimante]\nvitesse = 0\n", "imprimante.vitesse"},
		"no such wire":    {site + "[imprimante]\nflux = \"dtr\"\n", "imprimante.flux: « rts », « xon » ou « aucun »"},
		"A4 by name":      {site + "[imprimante_a4]\nfile = \"A4\"\n", "imprimante_a4.file: attendu ipp://"},
		"which reader":    {site + "[[lecteurs]]\ntype = \"rfid\"\nport = \"x\"\n[[lecteurs]]\n\ntype = \"nfc\"\n", "profil.toml:9: lecteurs n° 2: type: « rfid », « code », « pcsc » ou « clavier »"},
		"no reader port":  {site + "[[lecteurs]]\ntype = \"code\"\n", "profil.toml:4: lecteurs n° 1: port"},
		"lengths":         {site + "[[lecteurs]]\ntype = \"pcsc\"\nlongueur_min = 9\nlongueur_max = 8\n", "profil.toml:6: lecteurs n° 1: longueur_min"},
		"endless code":    {site + "[[lecteurs]]\ntype = \"pcsc\"\nlongueur_max = 99999\n", "longueur_max"},
		"read what":       {site + "[[lecteurs]]\ntype = \"clavier\"\nport = \"x\"\nlecture = \"nfc\"\n", "profil.toml:7: lecteurs n° 1: lecture: « code » ou « rfid »"},
		"read by what":    {site + "[[lecteurs]]\ntype = \"pcsc\"\nlecture = \"rfid\"\n", "profil.toml:6: lecteurs n° 1: lecture: seulement pour un lecteur de type « clavier »"},
		"too loud":        {site + "[son]\nniveau = 200\n", "profil.toml:5: son.niveau: de 0 à 100 pour cent"},
		"taken port":      {site + "[[lecteurs]]\ntype = \"rfid\"\nport = \"/dev/a\"\n[[lecteurs]]\ntype = \"code\"\nport = \"/dev/a\"\n", "profil.toml:9: lecteurs n° 2: port: ce port est déjà celui d’un autre appareil"},
		"printer's port":  {site + "[imprimante]\nport = \"/dev/a\"\n[[lecteurs]]\ntype = \"code\"\nport = \"/dev/a\"\n", "lecteurs n° 1: port: ce port est déjà celui d’un autre appareil"},
		"odd speed":       {site + "[[lecteurs]]\ntype = \"rfid\"\nport = \"/dev/a\"\nvitesse = 9601\n", "lecteurs n° 1: vitesse: " + "une vitesse de ligne série : 9600, 19200, 38400, 57600, 115200…"},
		"bare address":    {site + "[imprimante]\nport = \"127.0.0.1:9100\"\n", "imprimante.port: attendu /dev/…, ou tcp://adresse:9100"},
		"layout":          {site + "[[lecteurs]]\ntype = \"pcsc\"\ndisposition = \"bepo\"\n", "disposition: « azerty » ou « qwerty »"},
		"unknown in list": {site + "[[lecteurs]]\ntype = \"pcsc\"\nbauds = 3\n", "profil.toml:6: lecteurs.bauds"},
		"key in words":    {site + "[cartes]\ncle = \"secret\"\n", "profil.toml:5: cartes.cle"},
		"bad Pass":        {site + "[cartes]\npass = \"[0-9\"\n", "cartes.pass: expression régulière illisible"},
		"out of a group":  {site + "[cartes]\npass = \"1)|(2\"\n", "cartes.pass: expression régulière illisible"},
		"bad pattern":     {site + "[[cartes.ville]]\nlecture = \"rfid\"\nmotif = \"^(\"\n", "profil.toml:6: cartes.ville n° 1: motif: expression régulière illisible"},
		"no pattern":      {site + "[[cartes.ville]]\nlecture = \"rfid\"\n", "profil.toml:4: cartes.ville n° 1: motif"},
		"contact":         {site + "[[cartes.ville]]\nlecture = \"contact\"\nmotif = \"^1$\"\n", "lecture: « rfid », « sans-contact » ou « code »"},
		"form":            {site + "[[cartes.ville]]\nlecture = \"rfid\"\necriture = \"octal\"\nmotif = \"^1$\"\n", "ecriture: « hexa », « decimal » ou « texte »"},
		"code in hexa":    {site + "[[cartes.ville]]\nlecture = \"code\"\necriture = \"hexa\"\nmotif = \"^1$\"\n", "ecriture"},
		"RFID in words":   {site + "[[cartes.ville]]\nlecture = \"rfid\"\necriture = \"texte\"\nmotif = \"^1$\"\n", "ecriture"},
		"role":            {site + "[[badges]]\nrole = \"chef\"\n", "profil.toml:5: badges n° 1: role: « mediateur », « ambassadeur » ou « agent »"},
		"plain badge":     {site + "[[badges]]\nrole = \"agent\"\nempreinte = \"04A2B3C4\"\n", "profil.toml:6: badges n° 1: empreinte"},
		"badge, no key":   {site + "[[badges]]\nrole = \"agent\"\nempreinte = \"" + strings.Repeat("0a", 32) + "\"\n", "cartes.cle: les badges ont besoin"},
		"no salt":         {site + "[maintenance]\ncode = \"$argon2id$v=19$m=19456,t=2,p=1$$+hIEw0KVwZqTJebR7KI73L2hVhWBg4uJHYim3QH9W8U\"\n", "profil.toml:5: maintenance.code: l’empreinte du code est incomplète"},
		"half a hash":     {site + "[maintenance]\ncode = \"$argon2id$v=19$m=19456,t=2,p=1$E1KLPHRhmJ1o9xQCP0ZhKQ\"\n", "incomplète"},
		"PIN, no hash":    {site + "[maintenance]\ncode = \"$argon2id$2468\"\n", "incomplète"},
		"plain PIN":       {site + "[maintenance]\ncode = \"2468\"\n", "profil.toml:5: maintenance.code"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := profile.Load(write(t, tc.text))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
			for _, secret := range []string{"2468", "04A2B3C4"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error repeats %s: %v", secret, err)
				}
			}
		})
	}
	if _, err := profile.Load("/nowhere/profil.toml"); err == nil || !strings.Contains(err.Error(), "/nowhere/profil.toml") {
		t.Errorf("a missing file gives %v", err)
	}
}

// A pattern fits whole numbers, however it is written.
func TestWhole(t *testing.T) {
	for pattern, want := range map[string]string{
		"^[0-9]{3}$": "123", "[0-9]{3}": "123", "^[0-9]{3}": "123", "^12|34$": "12 34", "12|34": "12 34", "(?m)^12$": "12",
	} {
		re, err := profile.Whole(pattern)
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		var fits []string
		for _, number := range []string{"12", "34", "123", "x123", "1234", "12x", "x34", "12\n123", ""} {
			if re.MatchString(number) {
				fits = append(fits, number)
			}
		}
		if got := strings.Join(fits, " "); got != want {
			t.Errorf("%s fits %q, want %q", pattern, got, want)
		}
	}
}

// Another number of pixels keeps the size of each.
func TestResize(t *testing.T) {
	s := profile.Screen{Width: 1080, Height: 1920, WidthMM: 398}
	if err := s.Resize("1920x1080"); err != nil {
		t.Fatal(err)
	}
	if s.Width != 1920 || s.Height != 1080 || s.WidthMM < 707 || s.WidthMM > 708 {
		t.Errorf("%+v", s)
	}
	for _, bad := range []string{"", "1920", "x", "0x0", "axb", "-1080x1920"} {
		if err := s.Resize(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
