package escpos

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// Model is what must be known of a make of printers. Its zero value is not
// usable: see LoadModel.
type Model struct {
	Name    string `toml:"name"`    // as IT staff know it
	Dots    int    `toml:"dots"`    // across the printable width; a multiple of 8
	Columns int    `toml:"columns"` // letters of the font on a line
	Font    byte   `toml:"font"`    // of ESC M

	CodePage       string `toml:"code_page"`        // "cp1252" or "cp858"
	CodePageNumber byte   `toml:"code_page_number"` // of ESC t

	// UnitsPerDot is how many vertical motion units, by which ESC J, ESC 3
	// and GS V count, make the height of a dot. 0 means 1.
	UnitsPerDot int `toml:"units_per_dot"`

	Status     StatusDialect `toml:"status"`
	AutoStatus bool          `toml:"auto_status"` // GS a makes it tell of changes by itself
	Completion bool          `toml:"completion"`  // answers GS r 1 in its turn, after what was sent before
	NativeQR   bool          `toml:"native_qr"`   // draws QR codes itself: GS ( k
	Cut        Cut           `toml:"cut"`
	Piece      int           `toml:"piece"` // bytes sent at a time; 0 means 256

	Presenter Presenter `toml:"presenter"`
}

// StatusDialect is how a printer tells of its state.
type StatusDialect string

// The dialects.
const (
	StatusEpson  StatusDialect = "epson"  // DLE EOT 1 to 4, a byte each
	StatusCustom StatusDialect = "custom" // DLE EOT 20, six bytes at once
)

// Cut is what a cutter does.
type Cut string

// The cuts.
const (
	CutPartial Cut = "partial" // leaves a point, so that tickets do not fall
	CutFull    Cut = "full"    // as a presenter needs it
)

// Presenter is what holds a ticket in the mouth until it is taken. Its zero
// value is none.
type Presenter struct {
	Steps byte          `toml:"steps"` // of GS e 3: how far the ticket is pushed out
	Wait  time.Duration `toml:"wait"`  // for the ticket to be taken
	Then  After         `toml:"then"`
}

// After is what happens to a ticket that nobody takes.
type After string

// The ends of a ticket that was left.
const (
	Retract After = "retract" // drawn back into the borne
	Eject   After = "eject"   // let fall
)

// Default is the model of a printer of which nothing is known.
const Default = "generique"

//go:embed models/*.toml
var modelFiles embed.FS

// Models lists the names that LoadModel knows, in order.
func Models() []string {
	files, err := fs.Glob(modelFiles, "models/*.toml")
	if err != nil {
		panic(err) // the pattern is wrong
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(strings.TrimPrefix(f, "models/"), ".toml")
	}
	return files
}

// LoadModel reads a model by its name in a profile, such as "epson-tm-t88". Its
// error is for those who write profiles, in French.
func LoadModel(name string) (Model, error) {
	if !slices.Contains(Models(), name) {
		return Model{}, fmt.Errorf("modèle d’imprimante inconnu : « %s » ; les modèles connus sont %s", name, strings.Join(Models(), ", "))
	}
	b, err := modelFiles.ReadFile("models/" + name + ".toml")
	if err != nil {
		return Model{}, err
	}
	m, err := parseModel(string(b))
	if err != nil {
		return Model{}, fmt.Errorf("modèle « %s » : %w", name, err)
	}
	return m, nil
}

func parseModel(file string) (Model, error) {
	var m Model
	meta, err := toml.Decode(file, &m)
	if err != nil {
		return m, err
	}
	if keys := meta.Undecoded(); len(keys) > 0 {
		return m, fmt.Errorf("unknown key %s", keys[0])
	}
	if m.UnitsPerDot == 0 {
		m.UnitsPerDot = 1
	}
	if m.Piece == 0 {
		m.Piece = 256
	}
	return m, m.check()
}

// check tells what in a model cannot be.
func (m Model) check() error {
	switch {
	case m.Name == "":
		return errors.New("name: missing")
	case m.Dots < 128 || m.Dots > 2040 || m.Dots%8 != 0:
		return fmt.Errorf("dots: %d is no multiple of 8 from 128 to 2040", m.Dots)
	case m.Columns < 16 || m.Columns > m.Dots/8:
		return fmt.Errorf("columns: %d do not fit on %d dots", m.Columns, m.Dots)
	case pages[m.CodePage].chars == nil:
		return fmt.Errorf("code_page: %q is not known", m.CodePage)
	case m.UnitsPerDot < 1 || m.UnitsPerDot > 4:
		return fmt.Errorf("units_per_dot: %d is not from 1 to 4", m.UnitsPerDot)
	case m.Status != StatusEpson && m.Status != StatusCustom:
		return fmt.Errorf("status: %q is neither epson nor custom", m.Status)
	case m.AutoStatus && m.Status != StatusEpson:
		return errors.New("auto_status: GS a is of the epson dialect")
	case m.Cut != CutPartial && m.Cut != CutFull:
		return fmt.Errorf("cut: %q is neither partial nor full", m.Cut)
	case m.Piece < 16 || m.Piece > 1<<16:
		return fmt.Errorf("piece: %d bytes are not from 16 to 65536", m.Piece)
	}
	return m.Presenter.check(m)
}

func (p Presenter) check(m Model) error {
	switch {
	case p == Presenter{}:
		return nil
	case p.Steps == 0:
		return errors.New("presenter.steps: missing")
	case p.Wait < time.Second || p.Wait > time.Hour:
		return fmt.Errorf("presenter.wait: %v is not from 1s to 1h", p.Wait)
	case p.Then != Retract && p.Then != Eject:
		return fmt.Errorf("presenter.then: %q is neither retract nor eject", p.Then)
	case m.Status != StatusCustom:
		return errors.New("presenter: only the custom dialect tells whether the ticket was taken")
	case m.Cut != CutFull:
		return errors.New("presenter: needs a full cut")
	}
	return nil
}

// presents tells whether there is a presenter.
func (m Model) presents() bool { return m.Presenter != Presenter{} }
