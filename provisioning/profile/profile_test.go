package profile_test

import (
	"fmt"
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
		"unknown key":     {site + "[ecran]\ndiagonal = 32\n", "profil.toml:5: « ecran.diagonal » n’existe pas, vouliez-vous « ecran.diagonale » ?"},
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
		"too loud":        {site + "[son]\nniveau = 200\n", "profil.toml:5: son.niveau: de 0 à 100"},
		"taken port":      {site + "[[lecteurs]]\ntype = \"rfid\"\nport = \"/dev/a\"\n[[lecteurs]]\ntype = \"code\"\nport = \"/dev/a\"\n", "profil.toml:9: lecteurs n° 2: port: ce port est déjà celui d’un autre appareil"},
		"printer's port":  {site + "[imprimante]\nport = \"/dev/a\"\n[[lecteurs]]\ntype = \"code\"\nport = \"/dev/a\"\n", "lecteurs n° 1: port: ce port est déjà celui d’un autre appareil"},
		"odd speed":       {site + "[[lecteurs]]\ntype = \"rfid\"\nport = \"/dev/a\"\nvitesse = 9601\n", "lecteurs n° 1: vitesse: " + "1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800 ou 921600"},
		"bare address":    {site + "[imprimante]\nport = \"127.0.0.1:9100\"\n", "imprimante.port: attendu /dev/…, ou tcp://adresse:9100"},
		"layout":          {site + "[[lecteurs]]\ntype = \"pcsc\"\ndisposition = \"bepo\"\n", "disposition: « azerty » ou « qwerty »"},
		"unknown in list": {site + "[[lecteurs]]\ntype = \"pcsc\"\nbauds = 3\n", "profil.toml:6: « lecteurs.bauds » n’existe pas"},
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
		"picture of what": {site + "[agent]\ncapture = \"parfois\"\n", "profil.toml:5: agent.capture: « nette », « floue » ou « jamais »"},
		"plain PIN":       {site + "[maintenance]\ncode = \"2468\"\n", "profil.toml:5: maintenance.code"},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, tc.text)
			_, err := profile.Load(path)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("error %v, want one with %q", err, tc.want)
			}
			said := strings.ReplaceAll(err.Error(), path, "") // its random digits are nobody's
			for _, secret := range []string{"2468", "04A2B3C4"} {
				if strings.Contains(said, secret) {
					t.Errorf("the error repeats %s: %v", secret, err)
				}
			}
		})
	}
	if _, err := profile.Load("/nowhere/profil.toml"); err == nil || !strings.Contains(err.Error(), "/nowhere/profil.toml") {
		t.Errorf("a missing file gives %v", err)
	}
}

// All that is wrong is told at once, in the order of the lines, each on its own
// line: nested tables, dotted keys, inline tables and lists included.
func TestAllAtOnce(t *testing.T) {
	_, err := profile.Parse("profil.toml", []byte(`ecran.diagonal = 32 # dotted
[site]
id = "a"
nom = """
Mairie
de quartier"""
langue = ["fr"]

[contacts]
accueil = { nom = "Accueil", tel = "03" }
[contacts.informatique]
telephone = 12

[[cartes.ville]]
lecture = "rfid"
motif = "1"
[[cartes.ville]] # the second
motif = "("
lecture = "rfdi"
`))
	want := `profil.toml:1: « ecran.diagonal » n’existe pas, vouliez-vous « ecran.diagonale » ?
profil.toml:7: « site.langue » n’existe pas, vouliez-vous « site.langues » ?
profil.toml:10: « contacts.accueil.tel » n’existe pas, vouliez-vous « contacts.accueil.telephone » ?
profil.toml:12: contacts.informatique.telephone: attendu un texte, entre guillemets droits
profil.toml:18: cartes.ville n° 2: motif: expression régulière illisible : error parsing regexp: missing closing ): ` + "`(`" + `
profil.toml:19: cartes.ville n° 2: lecture: « rfid », « sans-contact » ou « code » ; vouliez-vous « rfid » ?`
	if err == nil || strings.ReplaceAll(err.Error(), "\u00a0", " ") != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

// What is meant by a key that doesn't exist.
func TestMeant(t *testing.T) {
	for text, want := range map[string]string{
		"[ecran]\nlargeur = 3\n":            "",
		"[ecran]\nlargeur_m = 3\n":          "ecran.largeur_mm",
		"[ecrans]\nlargeur_mm = 3\n":        "ecran",
		"[ecran]\nvolume = 3\n":             "son.volume",
		"volume = 3\n":                      "son.volume",
		"[[lecteur]]\ntype = \"pcsc\"\n":    "lecteurs",
		"[[lecteurs]]\ntyp = \"pcsc\"\n":    "lecteurs.type",
		"[Site]\nnom = \"a\"\n":             "site",
		"[cartes]\n[[cartes.vile]]\na=1\n":  "cartes.ville",
		"[xyz]\nnom = 1\n":                  "",
		"[contacts.acueil]\nnom = \"a\"\n":  "contacts.accueil",
		"[agent]\ncapture = \"net\"\n":      "nette",
		"[agent]\ncapture = \"voiture\"\n":  "",
		"[imprimante]\nflux = \"aucune\"\n": "aucun",
	} {
		_, err := profile.Parse("p", []byte(text))
		if err == nil {
			t.Errorf("%q is taken", text)
			continue
		}
		_, said, _ := strings.Cut(err.Error(), "vouliez-vous «\u00a0")
		if said, _, _ = strings.Cut(said, "\u00a0»"); said != want {
			t.Errorf("%q: it says %q, want %q\n%v", text, said, want, err)
		}
	}
}

// Mistakes of TOML itself are told in French, on the right line, with all that
// is wrong above them.
func TestSyntax(t *testing.T) {
	for text, want := range map[string]string{
		"[site]\nnom = Mairie\n":              "p:2: la valeur est illisible : un texte se met entre guillemets droits : \"…\"",
		"[site]\nnom = \"Mairie\n":            "p:2: le guillemet qui ferme le texte manque",
		"[site]\nnom = \"Mairie":              "p:2: le guillemet qui ferme le texte manque",
		"[site]\nnom\n":                       "p:2: il manque « = » après la clé",
		"[site\nnom = \"a\"\n":                "p:1: le crochet « ] » qui ferme le nom de la table manque",
		"[[badges]\n":                         "p:1: les crochets « ]] » qui ferment le nom de la table manquent",
		"[site]\nlangues = [\"fr\"\n":         "p:2: le crochet « ] » qui ferme la liste manque",
		"[site]\nlangues = [\"fr\" \"en\"]\n": "p:2: dans une liste, il manque une virgule ou le crochet « ] » qui la ferme",
		"[site]\nnom = \"a\" \"b\"\n":         "p:2: rien ne doit suivre sur cette ligne",
		"[site]\nnom = \n":                    "p:2: ",
		"[site]\nnom = \"C:\\Mairie\"\n":      "p:2: une barre oblique inverse dans un texte se double : \\\\",
		"[site]\ntelephone = 0353010000\n":    "p:2: un nombre ne commence pas par 0 ; un numéro se met entre guillemets",
		"[site]\nnom = \"\xe9\"\n":            "p:2: le fichier n’est pas en UTF-8 : enregistrez-le dans ce codage",
		"[site]\nid = \"a\"\nid = \"b\"\n":    "p:3: id: écrit deux fois ; la première est à la ligne 2",
		"[site]\n[son]\n[site]\n":             "p:3: site: écrit deux fois ; la première est à la ligne 1",
		"[site]\nid = \"a\"\n[site.id]\n":     "p:3: site.id: écrit deux fois ; la première est à la ligne 2",
		"[son]\nvolume = 9\nsortie = casque":  "p:2: son.volume: de 1 à 8\np:3: la valeur est illisible",
	} {
		_, err := profile.Parse("p", []byte(text))
		if err == nil {
			t.Errorf("%q is taken", text)
			continue
		}
		said := strings.NewReplacer("\u00a0", " ").Replace(err.Error())
		if !strings.Contains("\n"+said, "\n"+want) {
			t.Errorf("%q gives\n%s\nwant\n%s", text, said, want)
		}
	}
	for _, text := range []string{"\ufeff[site]\nid = \"a\"\nnom = \"b\"\n", "[site]\r\nid = \"a\"\r\nnom = 'b'\r\n"} {
		if _, err := profile.Parse("p", []byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// The keys of the house, the network and the screen.
func TestSiteKeys(t *testing.T) {
	p, err := profile.Parse("p", []byte(`[site]
id = "neudorf"
nom = "Mairie de Neudorf"
adresse = "1 place du Marché"
code_postal = "67100"
commune = "Strasbourg"
[contacts.informatique]
nom = "Assistance"
telephone = "03 53 01 00 99"
courriel = "assistance@ville.fr"
[ecran]
orientation = "paysage"
diagonale = 43
allumage = "Mo-Sa 07:30-19:30"
[reseau]
adresse = "192.0.2.10/24"
passerelle = "192.0.2.1"
dns = ["192.0.2.53", "2001:db8::53"]
heure = ["ntp.ville.fr"]
proxy = "http://proxy.ville.fr:3128"
sans_proxy = [".ville.fr"]
[wifi]
nom = "Mairie-Public"
mot_de_passe = "bienvenue-a-neudorf"
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ got, want any }{
		{p.Site.PostCode + " " + p.Site.Town, "67100 Strasbourg"},
		{p.Contacts.IT, profile.Contact{Name: "Assistance", Phone: "03 53 01 00 99", Email: "assistance@ville.fr"}},
		{p.Network, profile.Network{Address: "192.0.2.10/24", Gateway: "192.0.2.1", DNS: []string{"192.0.2.53", "2001:db8::53"}, Time: []string{"ntp.ville.fr"}, Proxy: "http://proxy.ville.fr:3128", NoProxy: []string{".ville.fr"}}},
		{p.Wifi, profile.Wifi{Name: "Mairie-Public", Security: "wpa", Password: "bienvenue-a-neudorf"}},
		{p.Screen.On, "Mo-Sa 07:30-19:30"},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("got %+v\nwant %+v", c.got, c.want)
		}
	}
	for _, secret := range []string{"court", "bienvenue-a-neudorf"} {
		_, err := profile.Parse("p", []byte("[site]\nid = \"a\"\nnom = \"b\"\n[wifi]\nsecurite = \"ouvert\"\nnom = \"x\"\nmot_de_passe = \""+secret+"\"\n"))
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%v", err)
		}
	}
}

// The screen's sizes, from whichever of them are given.
func TestScreen(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "portrait 1080x1920 px 398x708 mm 32",
		"orientation = \"paysage\"\n":            "paysage 1920x1080 px 708x398 mm 32",
		"largeur_px = 1920\nhauteur_px = 1080\n": "paysage 1920x1080 px 398x224 mm 18", // as it always was
		"diagonale = 43\n":                       "portrait 1080x1920 px 535x952 mm 43",
		"diagonale = 43\norientation = \"paysage\"\n":                       "paysage 1920x1080 px 952x535 mm 43",
		"hauteur_mm = 708\n":                                                "portrait 1080x1920 px 398x708 mm 32",
		"largeur_mm = 398\nhauteur_mm = 708\n":                              "portrait 1080x1920 px 398x708 mm 32",
		"largeur_mm = 398\nhauteur_mm = 398\n":                              "p:6: ecran.hauteur_mm: ne va pas avec la largeur et les pixels : 708 attendu",
		"largeur_mm = 398\ndiagonale = 55\n":                                "p:6: ecran.diagonale: ne va pas avec la taille en millimètres : 32.0 pouces attendus",
		"diagonale = 8\n":                                                   "p:4: ecran.largeur_mm: mesurez la largeur de l’image",
		"largeur_px = 1080\nhauteur_px = 1920\norientation = \"paysage\"\n": "p:7: ecran.orientation: ne va pas avec une image de 1080 × 1920 pixels",
	} {
		p, err := profile.Parse("p", []byte("[site]\nid = \"a\"\nnom = \"b\"\n[ecran]\n"+text))
		got := ""
		if err != nil {
			got = strings.ReplaceAll(err.Error(), "\u00a0", " ")
		} else {
			s := p.Screen
			got = fmt.Sprintf("%s %dx%d px %.0fx%.0f mm %.0f", s.Orientation, s.Width, s.Height, s.WidthMM, s.HeightMM, s.Diagonal)
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// Whatever is in a file, there is a profile or an error that names the file.
func FuzzParse(f *testing.F) {
	demo, err := os.ReadFile("../../packaging/demo.toml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(demo)
	for _, s := range []string{"", "a", "[[a]]\n[a]\n", "[a.b]\na.b.c = 1\n", "lecteurs = [[{}]]", "site.id.x = {a = [1, {b = 2}]}", "[[cartes.ville]]\n[cartes.ville.x]\n", "retirer = 1979-05-27", "[site]\nlatitude = nan\nlongitude = 9e999\n", "a=[{},1]\n[[a]]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := profile.Parse("p.toml", data)
		if err != nil {
			for _, problem := range profile.Problems(err) {
				if !strings.HasPrefix(problem.Error(), "p.toml") || problem.Line > 1+strings.Count(string(data), "\n") {
					t.Errorf("error %v", problem)
				}
			}
			return
		}
		// What is taken as one file is taken as a layer, and written out gives
		// the same again.
		text, err := profile.Merge(profile.Layer{Name: "p.toml", Data: data}).TOML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := profile.Parse("p.toml", text)
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Errorf("%+v\nwritten out is %+v, %v", p, again, err)
		}
	})
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
