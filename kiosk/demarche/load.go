package demarche

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
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

// Check is Load for authors: it also refuses dates after now, and warns about
// style.
func Check(fsys fs.FS, now time.Time) (*Catalogue, Problems) {
	return load(fsys, now)
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
	now       time.Time // zero: dates and style are not looked at
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
	var names []string
	for _, e := range entries {
		switch ext := path.Ext(e.Name()); {
		case e.IsDir() || e.Name() == themesFile:
		case ext == ".yaml":
			names = append(names, e.Name())
		case ext == ".yml":
			l.fail(e.Name(), 1, "ce fichier serait ignoré : son nom doit finir par « .yaml »")
		}
	}
	if len(names) == 0 {
		l.fail(".", 1, "le dossier ne contient aucune démarche (*.yaml)")
	}
	ranks, ids := map[int]string{}, map[string]string{}
	for _, d := range l.files(names) {
		if other, ok := ranks[d.Rank]; ok && d.rankLine > 0 {
			d.fail(d.rankLine, "rank : le rang %d est déjà pris par %s", d.Rank, other)
		}
		if other, ok := ids[d.ID]; ok && d.idLine > 0 {
			d.fail(d.idLine, "id : « %s » est déjà pris par %s", d.ID, other)
		}
		ranks[d.Rank], ids[d.ID] = d.file, d.file
		if len(d.problems.Errors()) == 0 {
			sound := d.Demarche // a copy, so that the rest of the draft is freed
			l.catalogue.Demarches = append(l.catalogue.Demarches, &sound)
		}
		l.problems = append(l.problems, d.problems...)
	}
}

// files reads the démarches, a few at a time, in the order of their names.
func (l *loader) files(names []string) []*draft {
	drafts := make([]*draft, len(names))
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	var done sync.WaitGroup
	for i, name := range names {
		free <- struct{}{}
		done.Go(func() {
			drafts[i] = l.file(name)
			<-free
		})
	}
	done.Wait()
	return drafts
}

// file reads one démarche; it may be incomplete where there are problems.
func (l *loader) file(name string) *draft {
	r := l.open(name)
	d := &draft{reader: r}
	if r.root == nil {
		return d
	}
	d.read(l.now)
	if want := strings.TrimSuffix(name, ".yaml"); d.idLine > 0 && d.ID != want {
		d.fail(d.idLine, "id : « %s » doit être le nom du fichier, « %s »", d.ID, want)
	}
	known := slices.ContainsFunc(l.catalogue.Themes, func(t Theme) bool { return t.ID == d.Theme })
	if d.themeLine > 0 && !known {
		d.fail(d.themeLine, "theme : « %s » n’est pas dans %s", d.Theme, themesFile)
	}
	return d
}

// themes reads themes.yaml.
func (l *loader) themes() {
	r := l.open(themesFile)
	if r.root != nil {
		l.catalogue.Themes = r.themes()
	}
	l.problems = append(l.problems, r.problems...)
}

// open reads and parses a file. Where it can't, the reader has no root and
// one problem.
func (l *loader) open(name string) *reader {
	r := &reader{file: name, styled: !l.now.IsZero()}
	data, err := readFile(l.fsys, name)
	line := 1
	if err == nil {
		r.root, line, err = parse(data)
	}
	if err != nil {
		r.fail(line, "%v", err)
	}
	return r
}

func (l *loader) fail(file string, line int, format string, args ...any) {
	l.problems = append(l.problems, Problem{File: file, Line: line, Reason: fmt.Sprintf(format, args...)})
}

func readFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
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

// cause says in French why a file can't be read, without its path.
func cause(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("introuvable")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("accès refusé")
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
