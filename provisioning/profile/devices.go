package profile

// Printer is the ticket printer; without a port there is none.
type Printer struct {
	Model string `toml:"modele"` // see the models of device/printer/escpos; empty: any ESC/POS printer
	Port  string `toml:"port"`   // a tty, /dev/usb/lp0 or tcp://host:9100
	Baud  int    `toml:"vitesse"`
	Flow  string `toml:"flux"` // of a tty, how the printer holds us up: "rts", "xon" or "aucun"
}

// OfficePrinter is the A4 printer; without a queue there is none.
type OfficePrinter struct {
	Queue string `toml:"file"` // of CUPS: ipp://localhost:631/printers/A4
}

// Reader is a reader of cards or codes.
type Reader struct {
	Type      string `toml:"type"` // "rfid", "code", "pcsc" or "clavier"
	Port      string `toml:"port"` // a tty; of "clavier" its /dev/input/by-id/…
	Baud      int    `toml:"vitesse"`
	Prefix    string `toml:"prefixe"`      // what a scanner puts before a code
	Suffix    string `toml:"suffixe"`      // and after it
	NoSuffix  bool   `toml:"sans_suffixe"` // it puts nothing after a code: silence ends it
	MinLength int    `toml:"longueur_min"`
	MaxLength int    `toml:"longueur_max"`
	Layout    string `toml:"disposition"` // of "clavier": "azerty" or "qwerty"
	Medium    string `toml:"lecture"`     // of "clavier", what it reads: "code" or "rfid"
	Name      string `toml:"nom"`         // of "pcsc": a part of the reader's name; empty: any
}

// Sound says where speech is heard, and how loud at the start of a visit.
type Sound struct {
	Output  string `toml:"sortie"`       // "casque" or "haut-parleur"
	Headset string `toml:"casque"`       // ALSA device of the headset
	Speaker string `toml:"haut_parleur"` // ALSA device of the loudspeaker
	Jack    string `toml:"prise_casque"` // evdev device that tells whether a headset is plugged in
	Volume  int    `toml:"volume"`       // 1 to 8, as the borne says it
	Mixer   string `toml:"reglage"`      // ALSA mixer control of the loudspeaker, such as "Master"; empty: left alone
	Level   int    `toml:"niveau"`       // at which that control is safe for ears, in percent
}

// Cards say what the cards that residents show are.
type Cards struct {
	Key  string     `toml:"cle"`  // of the badges' fingerprints, 64 hexadecimal digits
	Pass string     `toml:"pass"` // form of the codes of a Pass numérique, a regular expression
	City []CityCard `toml:"ville"`
}

// CityCard tells a kind of city card by its number.
type CityCard struct {
	Name    string `toml:"nom"`
	Medium  string `toml:"lecture"`  // "rfid", "sans-contact" or "code"
	Form    string `toml:"ecriture"` // of the number: "hexa", "decimal" or "texte"
	Pattern string `toml:"motif"`    // of the number, a regular expression
}

// Badge is a badge of staff or mediators, known by a fingerprint alone.
type Badge struct {
	Role        string `toml:"role"` // "mediateur", "ambassadeur" or "agent"
	Name        string `toml:"nom"`  // for IT alone: whose it is is shown to nobody
	Fingerprint string `toml:"empreinte"`
}

// Maintenance opens the pages for staff, after a badge of an agent.
type Maintenance struct {
	Code string `toml:"code"` // argon2id hash, as « parvis badge code » gives it
}
