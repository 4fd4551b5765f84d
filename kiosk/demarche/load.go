package demarche

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// maxFile is the largest file read, in bytes.
const maxFile = 1 << 20

const themesFile = "themes.yaml"

// Load reads themes.yaml and every other *.yaml of the folder fsys, one
// démarche each. Its error is a Problems; the catalogue then holds the
// démarches that are sound, so that one broken file doesn't empty a borne.
//
// Load looks at no clock: a borne whose clock has lost its time still has its
// content. Check refuses facts checked in the future.
func Load(fsys fs.FS) (*Catalogue, error) {
	catalogue, problems := load(fsys, time.Time{})
	if errs := problems.Errors(); len(errs) > 0 {
		return catalogue, errs
	}
	return catalogue, nil
}

// Check returns all that Load would refuse, dates after now, and warnings
// about style.
func Check(fsys fs.FS, now time.Time) Problems {
	_, problems := load(fsys, now)
	return problems
}

func load(fsys fs.FS, now time.Time) (*Catalogue, Problems) {
	l := loader{fsys: fsys, now: now, catalogue: &Catalogue{}}
	l.folder()
	l.catalogue.sort()
	l.problems.sort()
	return l.catalogue, l.problems
}

type loader struct {
	fsys      fs.FS
	now       time.Time // zero: dates are not compared with it
	catalogue *Catalogue
	problems  Problems
}

func (l *loader) folder() {
	entries, err := fs.ReadDir(l.fsys, ".")
	if err != nil {
		l.fail(".", 1, "le dossier ne se lit pas : %v", cause(err))
		return
	}
	l.themes()
	ranks := map[int]string{}
	ids := map[string]string{}
	files := 0
	for _, e := range entries {
		name := e.Name()
		switch {
		case e.IsDir() || name == themesFile:
			continue
		case path.Ext(name) == ".yml":
			l.fail(name, 1, "ce fichier serait ignoré : son nom doit finir par « .yaml »")
			continue
		case path.Ext(name) != ".yaml":
			continue
		}
		files++
		before := len(l.problems.Errors())
		d := l.file(name)
		if d.rankLine > 0 {
			if other, ok := ranks[d.Rank]; ok {
				l.fail(name, d.rankLine, "rank : le rang %d est déjà pris par %s", d.Rank, other)
			} else {
				ranks[d.Rank] = name
			}
		}
		if d.idLine > 0 {
			if other, ok := ids[d.ID]; ok {
				l.fail(name, d.idLine, "id : « %s » est déjà pris par %s", d.ID, other)
			} else {
				ids[d.ID] = name
			}
		}
		if len(l.problems.Errors()) == before {
			l.catalogue.Demarches = append(l.catalogue.Demarches, &d.Demarche)
		}
	}
	if files == 0 {
		l.fail(".", 1, "le dossier ne contient aucune démarche (*.yaml)")
	}
}

// themes reads themes.yaml.
func (l *loader) themes() {
	r := l.open(themesFile)
	if r == nil {
		return
	}
	l.catalogue.Themes = r.themes(r.document())
	l.problems = append(l.problems, r.problems...)
}

// file reads one démarche; what it returns may be incomplete where there are
// problems.
func (l *loader) file(name string) *draft {
	r := l.open(name)
	if r == nil {
		return &draft{}
	}
	d := r.demarche(r.document(), l.now)
	if want := strings.TrimSuffix(name, ".yaml"); d.idLine > 0 && d.ID != want {
		r.fail(d.idLine, "id : « %s » doit être le nom du fichier, « %s »", d.ID, want)
	}
	known := slices.ContainsFunc(l.catalogue.Themes, func(t Theme) bool { return t.ID == d.Theme })
	if d.themeLine > 0 && !known {
		r.fail(d.themeLine, "theme : « %s » n’est pas dans %s", d.Theme, themesFile)
	}
	l.problems = append(l.problems, r.problems...)
	return d
}

// open reads and parses a file, or notes why it can't and returns nil.
func (l *loader) open(name string) *reader {
	data, err := readFile(l.fsys, name)
	if err != nil {
		l.fail(name, 1, "%v", err)
		return nil
	}
	root, line, err := parse(data)
	if err != nil {
		l.fail(name, line, "%v", err)
		return nil
	}
	return &reader{file: name, root: root}
}

func (l *loader) fail(file string, line int, format string, args ...any) {
	l.problems = append(l.problems, Problem{File: file, Line: line, Reason: fmt.Sprintf(format, args...)})
}

func readFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("le fichier manque")
	}
	if err != nil {
		return nil, fmt.Errorf("le fichier ne se lit pas : %w", cause(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("le fichier ne se lit pas : %w", cause(err))
	case len(data) > maxFile:
		return nil, errors.New("le fichier dépasse 1 Mio")
	case !utf8.Valid(data):
		return nil, errors.New("le fichier n’est pas en UTF-8")
	}
	return data, nil
}

// cause drops the path that fs errors repeat.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
