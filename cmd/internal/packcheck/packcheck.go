// Package packcheck reads a pack as the borne uses it: the publisher before
// signing, the agent before switching to it and the application all go through
// here, so that none takes what another would refuse.
package packcheck

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"parvis/app/text"
	"parvis/app/voice"
	"parvis/kiosk/demarche"
	"parvis/kiosk/fiche"
	"parvis/kiosk/level"
	"parvis/kiosk/place"
)

// What lies in a pack. Demarches and level.FileName must be there.
const (
	Demarches  = "demarches" // one démarche a file, and themes.yaml
	Fiches     = "fiches"    // the official fiches, F*.xml
	Texts      = "textes"    // sentences to be said instead of the program's, LANG.toml
	Voices     = "voix"      // how words are said, LANG.yaml
	PlacesCSV  = "lieux.csv" // the directory of places; or, instead of it,
	PlacesJSON = "lieux.json"
)

// Content is what a borne keeps at hand of a pack. Fiches and places are read
// later, as they take longer.
type Content struct {
	Demarches *demarche.Catalogue
	Level     *level.Test
	Texts     *text.Catalogue
	Lexicon   voice.Lexicon
}

// Load reads a pack, or the content that the program carries. The error names
// each file and line that can't be used.
func Load(files fs.FS) (*Content, error) {
	var c Content
	var all []error
	in := func(folder string, load func(fs.FS) error) {
		sub, err := fs.Sub(files, folder)
		if err == nil {
			err = load(sub)
		}
		all = append(all, within(folder, err))
	}
	in(Demarches, func(sub fs.FS) (err error) { c.Demarches, err = demarche.Load(sub); return err })
	in(Texts, func(sub fs.FS) (err error) { c.Texts, err = text.LoadOver(sub); return err })
	in(Voices, func(sub fs.FS) (err error) { c.Lexicon, err = voice.LoadLexicon(sub, text.Codes()); return err })
	var err error
	c.Level, err = level.Load(files)
	return &c, errors.Join(append(all, err)...)
}

// within puts the name of a folder before each line of an error, whose lines
// begin with the name of a file in it.
func within(folder string, err error) error {
	if err == nil {
		return nil
	}
	var lines []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		lines = append(lines, folder+"/"+line)
	}
	return errors.New(strings.Join(lines, "\n"))
}

// Places names the file of places that a pack has; it is empty where it has none.
func Places(files fs.FS) string {
	for _, name := range []string{PlacesCSV, PlacesJSON} {
		if _, err := fs.Stat(files, name); err == nil {
			return name
		}
	}
	return ""
}

// Report is what a pack holds, and what of it a borne leaves out.
type Report struct {
	Demarches, Fiches, Places int
	Warnings                  []string
}

// Check reads all of a pack. The error says what keeps a borne from using it;
// it names each file and line. A fiche or a place that is faulty is left out by
// the borne: that is a warning.
func Check(files fs.FS) (Report, error) {
	var r Report
	c, err := Load(files)
	err = errors.Join(err, r.fiches(files), r.places(files))
	if err != nil {
		return r, err
	}
	r.Demarches = len(c.Demarches.Demarches)
	return r, nil
}

func (r *Report) fiches(files fs.FS) error {
	sub, err := fs.Sub(files, Fiches)
	if err != nil {
		return err
	}
	l, err := fiche.Open(sub)
	if err != nil {
		return err
	}
	all, err := fs.Glob(sub, "F*.xml")
	if err != nil {
		return err
	}
	for _, p := range l.Problems() {
		r.Warnings = append(r.Warnings, path.Join(Fiches, p.Error()))
	}
	r.Fiches = len(all) - len(l.Problems())
	if _, err := fs.Stat(files, Fiches); err == nil && r.Fiches == 0 {
		return fmt.Errorf("%s : aucune fiche utilisable (F*.xml). Enlevez le dossier, ou mettez-y les fiches de Service-Public", Fiches)
	}
	return nil
}

func (r *Report) places(files fs.FS) error {
	name := Places(files)
	if name == "" {
		return nil
	}
	f, err := files.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	report, err := place.Check(f, name, func(p place.Rejection) { r.Warnings = append(r.Warnings, p.String()) })
	if err != nil {
		return err
	}
	if r.Places = report.Imported; r.Places == 0 {
		return fmt.Errorf("%s : aucun lieu utilisable sur %d", name, report.Read)
	}
	return nil
}

// names are what may lie at the top of a pack.
var names = []string{Demarches, Fiches, Texts, Voices, PlacesCSV, PlacesJSON, level.FileName}

// Names refuses what no borne would look at: a slip in a name would go unseen.
// It is for publishers; a borne takes a pack that is newer than its program.
func Names(files fs.FS) error {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return err
	}
	var all []error
	for _, e := range entries {
		if name := e.Name(); name[0] != '.' && !slices.Contains(names, name) {
			all = append(all, fmt.Errorf("%s : aucune borne n’y regarderait%s", name, meant(name)))
		}
	}
	if _, err := fs.Stat(files, PlacesJSON); err == nil && Places(files) == PlacesCSV {
		all = append(all, fmt.Errorf("%s et %s : gardez l’un des deux", PlacesCSV, PlacesJSON))
	}
	return errors.Join(all...)
}

// meant is the name that a wrong one may stand for.
func meant(name string) string {
	best := slices.MinFunc(names, func(a, b string) int {
		return levenshtein.ComputeDistance(a, name) - levenshtein.ComputeDistance(b, name)
	})
	if levenshtein.ComputeDistance(best, name)*3 <= len(best) {
		return fmt.Sprintf(". Vouliez-vous « %s » ?", best)
	}
	return ". Attendu : " + strings.Join(names, ", ")
}
