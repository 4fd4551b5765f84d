// Package page describes what a resident sees, hears and can do at one moment,
// as plain data in one reading order. The view draws a page, the voice reads
// it and the keypad walks it; none of them knows a screen of its own.
package page

// Accent names the colour family of a page or a choice; the theme holds the colours.
type Accent string

// The families of design/tokens.json.
const (
	Plain    Accent = ""
	Demarche Accent = "demarche"
	Place    Accent = "place"
	Callback Accent = "callback"
	Level    Accent = "level"
	Card     Accent = "card_reader"
)

// Page is one screen's content.
type Page struct {
	Name     string // stable, for tests and traces: "home", "demarche.question"
	Lang     string // "fr", "falc", "en" …; the language every sentence below is in
	Content  string // the language of title and blocks where it is another: an official fiche is French
	Accent   Accent
	Layout   Layout
	Progress Progress
	Kicker   string // a line above the title: where am I
	Badge    *Badge // beside the kicker: "Ouvert jusqu’à 18 h"
	Title    string
	Lead     string // a sentence under the title
	Blocks   []Block
	Actions  []Choice // large buttons at the foot, always in sight
	Nav      []Choice // back, home, a person, listen, bigger, language
	Header   Header
	Message  Message
	Banner   *Badge // one sentence about what just happened: "Votre ticket est imprimé"
	Private  bool   // holds what the resident typed: never on a screenshot
}

// Message is what the town hall tells everybody, above all else on a page:
// "La mairie ferme à 16 h." Without text there is none.
type Message struct {
	Text string
	Lang string // the language it is in
}

// Header is the line at the top of every page: whose borne this is, and the time.
type Header struct{ Site, Note, Clock string }

// Layout says how the view places a page on the glass.
type Layout string

// The layouts.
const (
	Standard Layout = ""        // header, title, content, actions, navigation
	Attract  Layout = "attract" // the whole screen is one choice
	Centred  Layout = "centred" // a short message in the middle
	Dark     Layout = "dark"    // the time-out warning
)

// Progress is how far a journey has come; Total 0 hides it.
type Progress struct{ Done, Total int }

// Tone says what a badge means; its words say it too.
type Tone string

// The tones.
const (
	Neutral Tone = ""
	Good    Tone = "good"
	Warn    Tone = "warn"
)

// Badge is a few words on a tinted ground.
type Badge struct {
	Text string
	Tone Tone
}

// Choice is something the resident can touch or choose with the keypad.
type Choice struct {
	ID       string
	Label    string
	Detail   string
	Icon     string // Tabler outline icon
	Letter   string // shown in the icon's place: "A"
	Accent   Accent
	Side     string // right-hand fact: "4 min"
	SideNote string // under it: "à pied"
	Badge    *Badge
	Primary  bool   // the most likely next step: filled
	Switch   bool   // has a state, On or off
	On       bool   // state of a switch, or the option now in force
	Why      string // not empty: the choice is disabled, for this reason
	Spoken   string // what the voice says instead of Label
	Private  bool   // what the voice says is for the resident's ears alone
}

// Disabled reports whether touching the choice only explains why it does nothing.
func (c Choice) Disabled() bool { return c.Why != "" }

// Block is one part of a page's content.
type Block interface{ block() }

// Style is how a paragraph looks.
type Style string

// The paragraph styles.
const (
	Body  Style = ""
	Muted Style = "muted"
	Small Style = "small"
	Head  Style = "head" // a heading over the blocks that follow
)

// Text is a paragraph.
type Text struct {
	Style Style
	Text  string
}

// Shape is how a group of choices looks.
type Shape string

// The shapes of choices.
const (
	Rows  Shape = ""      // icon, label, detail, one under the other
	Tiles Shape = "tiles" // large coloured squares
	Grid  Shape = "grid"  // small cards in two columns
	Chips Shape = "chips" // pills that wrap
	Faces Shape = "faces" // three large faces
)

// Choices is a group of choices.
type Choices struct {
	Shape Shape
	Label string // a heading, may be empty
	Items []Choice
}

// Item is one line of a checklist.
type Item struct {
	Text, Detail, Icon string
}

// Checklist is what to bring.
type Checklist struct{ Items []Item }

// Notice is a boxed fact: price, delay, warning.
type Notice struct {
	Accent Accent
	Icon   string
	Title  string
	Text   string
}

// Facts are short facts side by side: "Gratuit", "Wi-Fi".
type Facts struct{ Items []string }

// Line is a row of a table.
type Line struct {
	Label, Value string
	Strong       bool
}

// Table is a list of labels and values: opening hours, a review.
type Table struct{ Lines []Line }

// Field shows what is being typed.
type Field struct {
	Label   string
	Value   string
	Hint    string
	Problem string // what is wrong and how to mend it
	Private bool   // its content is spoken only when the resident asks
	Spoken  string // how the value is said: digits in pairs
}

// Key is one key of a keyboard on the glass.
type Key struct {
	Choice
	Width float32 // in units of a normal key; 0 counts as 1
}

// Keys is a keyboard, row by row.
type Keys struct {
	Rows    [][]Key
	Tall    bool // a telephone pad, whose keys are larger
	Private bool // which key is pressed may be heard by nobody around
}

// QR is a code for the resident's own telephone.
type QR struct{ Data, Caption string }

// Code is the reference code, large.
type Code struct{ Label, Code, Spoken string }

// Picture is a large icon; Alt is empty when it is only decoration.
type Picture struct {
	Icon string
	Tone Tone
	Alt  string
}

// Countdown is the seconds left before the visit is wiped.
type Countdown struct{ Seconds int }

func (Text) block()      {}
func (Choices) block()   {}
func (Checklist) block() {}
func (Notice) block()    {}
func (Facts) block()     {}
func (Table) block()     {}
func (Field) block()     {}
func (Keys) block()      {}
func (QR) block()        {}
func (Code) block()      {}
func (Picture) block()   {}
func (Countdown) block() {}
