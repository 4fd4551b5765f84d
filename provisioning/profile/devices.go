package profile

// Printer is the ticket printer; without a port there is none.
type Printer struct {
	Model string `toml:"modele" jsonschema:"example=epson-tm-t20" jsonschema_description:"Modèle, pour ce qu’il a de particulier. Vide : toute imprimante ESC/POS."`
	Port  string `toml:"port" jsonschema:"example=/dev/parvis/imprimante" jsonschema_description:"Port série, /dev/usb/lp0, ou tcp://adresse:9100."`
	Baud  int    `toml:"vitesse" jsonschema:"enum=1200,enum=2400,enum=4800,enum=9600,enum=19200,enum=38400,enum=57600,enum=115200,enum=230400,enum=460800,enum=921600,example=19200" jsonschema_description:"Vitesse de la ligne série, en bits par seconde."`
	Flow  string `toml:"flux" jsonschema:"enum=rts,enum=xon,enum=aucun,example=rts" jsonschema_description:"Comment l’imprimante nous fait attendre, sur une ligne série."`
}

// OfficePrinter is the A4 printer; without a queue there is none.
type OfficePrinter struct {
	Queue string `toml:"file" jsonschema:"example=ipp://localhost:631/printers/A4" jsonschema_description:"File d’impression de CUPS, par ipp:// ou ipps://."`
}

// Reader is a reader of cards or codes.
type Reader struct {
	Type      string `toml:"type" jsonschema:"required,enum=rfid,enum=code,enum=pcsc,enum=clavier,example=clavier" jsonschema_description:"« rfid » (125 kHz, série), « code » (QR et codes-barres, série), « pcsc » (cartes à puce et sans contact), « clavier » (douchette USB)."`
	Port      string `toml:"port" jsonschema:"example=/dev/input/by-id/usb-douchette-event-kbd" jsonschema_description:"Port série ; d’un « clavier », son /dev/input/by-id/… ; rien pour « pcsc »."`
	Baud      int    `toml:"vitesse" jsonschema:"enum=0,enum=1200,enum=2400,enum=4800,enum=9600,enum=19200,enum=38400,enum=57600,enum=115200,enum=230400,enum=460800,enum=921600,default=9600,example=9600" jsonschema_description:"Vitesse de la ligne série, en bits par seconde."`
	Prefix    string `toml:"prefixe" jsonschema:"example=]Q1" jsonschema_description:"Ce que le lecteur met avant un code."`
	Suffix    string `toml:"suffixe" jsonschema:"default=\r,example=\r\n" jsonschema_description:"Ce qu’il met après."`
	NoSuffix  bool   `toml:"sans_suffixe" jsonschema_description:"Il ne met rien après un code : un silence le termine."`
	MinLength int    `toml:"longueur_min" jsonschema:"minimum=0,maximum=4096,default=1,example=8" jsonschema_description:"Longueur la plus courte d’un code, en signes."`
	MaxLength int    `toml:"longueur_max" jsonschema:"minimum=0,maximum=4096,default=256,example=40" jsonschema_description:"Longueur la plus longue d’un code, en signes."`
	Layout    string `toml:"disposition" jsonschema:"enum=azerty,enum=qwerty,enum=,default=azerty,example=qwerty" jsonschema_description:"Disposition d’un « clavier »."`
	Medium    string `toml:"lecture" jsonschema:"enum=code,enum=rfid,enum=,example=code" jsonschema_description:"Ce que lit un « clavier » ; d’origine « code »."`
	Name      string `toml:"nom" jsonschema:"example=ACR122U" jsonschema_description:"De « pcsc », une partie du nom du lecteur ; vide : tous."`
}

// Sound says where speech is heard, and how loud at the start of a visit.
type Sound struct {
	Output  string `toml:"sortie" jsonschema:"enum=casque,enum=haut-parleur,example=casque" jsonschema_description:"Où l’on entend la voix."`
	Headset string `toml:"casque" jsonschema:"example=plughw:1\\,0" jsonschema_description:"Sortie ALSA du casque."`
	Speaker string `toml:"haut_parleur" jsonschema:"example=plughw:0\\,0" jsonschema_description:"Sortie ALSA du haut-parleur."`
	Jack    string `toml:"prise_casque" jsonschema:"example=/dev/input/event3" jsonschema_description:"Périphérique evdev qui dit si un casque est branché."`
	Volume  int    `toml:"volume" jsonschema:"minimum=1,maximum=8,example=3" jsonschema_description:"Volume au début de chaque visite, de 1 à 8."`
	Mixer   string `toml:"reglage" jsonschema:"example=Master" jsonschema_description:"Réglage ALSA du haut-parleur ; vide : la borne n’y touche pas."`
	Level   int    `toml:"niveau" jsonschema:"minimum=0,maximum=100,example=60" jsonschema_description:"Niveau de ce réglage qui ne blesse pas les oreilles, en pour cent."`
}

// Cards say what the cards that residents show are.
type Cards struct {
	Key  string     `toml:"cle" jsonschema:"pattern=^([0-9a-fA-F]{64})?$,example=7061727669732064656d6f6e7374726174696f6e206b6579202d207075626c69" jsonschema_description:"Clé des empreintes des badges, 64 chiffres hexadécimaux : « parvis badge cle » en tire une. Elle est secrète."`
	Pass string     `toml:"pass" jsonschema:"example=^[A-Z][A-Z0-9]{7\\,15}$" jsonschema_description:"Forme des codes d’un Pass numérique, une expression régulière ; vide : aucun."`
	City []CityCard `toml:"ville" jsonschema_description:"Les cartes de la ville, une forme par table."`
}

// CityCard tells a kind of city card by its number.
type CityCard struct {
	Name    string `toml:"nom" jsonschema:"example=Carte de la ville" jsonschema_description:"Nom de la carte."`
	Medium  string `toml:"lecture" jsonschema:"required,enum=rfid,enum=sans-contact,enum=code,example=rfid" jsonschema_description:"Comment elle se lit."`
	Form    string `toml:"ecriture" jsonschema:"enum=hexa,enum=decimal,enum=texte,enum=,example=decimal" jsonschema_description:"Écriture de son numéro ; d’origine « decimal » pour une carte RFID, « hexa » sans contact, « texte » pour un code."`
	Pattern string `toml:"motif" jsonschema:"required,minLength=1,example=^000[0-9]{7}$" jsonschema_description:"Forme de ses numéros, une expression régulière."`
}

// Badge is a badge of staff or mediators, known by a fingerprint alone.
type Badge struct {
	Role        string `toml:"role" jsonschema:"required,enum=mediateur,enum=ambassadeur,enum=agent,example=mediateur" jsonschema_description:"Ce que le badge ouvre."`
	Name        string `toml:"nom" jsonschema:"example=Badge 12" jsonschema_description:"Pour le service informatique seul : n’est montré à personne."`
	Fingerprint string `toml:"empreinte" jsonschema:"required,pattern=^[0-9a-fA-F]{64}$,example=00e8c7c63a5c8818c7f5e7c9b3ac1a2ac1d67a53fd831b469d35ecca5a344eea" jsonschema_description:"Empreinte du badge, que donne « parvis badge empreinte »."`
}

// Maintenance opens the pages for staff, after a badge of an agent.
type Maintenance struct {
	Code string `toml:"code" jsonschema:"example=$argon2id$v=19$m=19456\\,t=2\\,p=1$E1KLPHRhmJ1o9xQCP0ZhKQ$+hIEw0KVwZqTJebR7KI73L2hVhWBg4uJHYim3QH9W8U" jsonschema_description:"Empreinte du code d’entretien, que donne « parvis badge code ». Jamais le code lui-même."`
}
