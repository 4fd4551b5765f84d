package fiche

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Library is a folder of fiches that can be searched. It keeps their words in
// memory and leaves their text in the files. It is safe for concurrent use.
type Library struct {
	fsys     fs.FS
	entries  []entry
	byID     map[string]int // index in entries
	index    index          // of the same indexes
	problems []Problem
}

// entry is one file.
type entry struct {
	Hit
	file    string
	title   []string // folded words
	updated time.Time
}

// Open reads the fiches F*.xml of a folder. A folder that doesn't exist is an
// empty library. A file that can't be used becomes one of Problems, and so
// does the older of two files of one fiche. The error is that the folder can't
// be listed.
func Open(fsys fs.FS) (*Library, error) {
	l := &Library{fsys: fsys, byID: map[string]int{}, index: index{files: map[string][]int32{}}}
	all, err := fs.ReadDir(fsys, ".")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the folder of fiches: %w", err)
	}
	var files []string
	for _, e := range all {
		if ok, _ := path.Match("F*.xml", e.Name()); ok && !e.IsDir() {
			files = append(files, e.Name())
		}
	}
	l.readAll(files)
	l.index.sort()
	slices.SortFunc(l.problems, func(a, b Problem) int { return cmp.Compare(a.File, b.File) })
	return l, nil
}

// readAll reads the files, a few at a time.
func (l *Library) readAll(files []string) {
	l.entries = make([]entry, len(files))
	var mu sync.Mutex
	var done sync.WaitGroup
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, file := range files {
		free <- struct{}{}
		done.Go(func() {
			defer func() { <-free }()
			f, err := l.read(file)
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				l.problems = append(l.problems, problem(file, err))
				return
			}
			words := indexWords(f)
			mu.Lock()
			defer mu.Unlock()
			l.entries[i] = entry{Hit: Hit{ID: f.ID, Title: f.Title, Subject: f.Subject}, file: file, title: fold(f.Title), updated: f.Updated}
			l.index.add(int32(i), words)
		})
	}
	done.Wait()
	for i, e := range l.entries {
		other, twice := l.byID[e.ID]
		switch {
		case e.ID == "":
		case !twice:
			l.byID[e.ID] = i
		case e.updated.Before(l.entries[other].updated):
			l.older(i, other)
		default:
			l.byID[e.ID] = i
			l.older(other, i)
		}
	}
}

// older notes that a file holds an older text of a fiche than another.
func (l *Library) older(i, other int) {
	l.problems = append(l.problems, Problem{File: l.entries[i].file, Line: 1,
		Reason: fmt.Sprintf("la fiche %s se trouve aussi dans %s, qui est gardé", l.entries[i].ID, l.entries[other].file)})
}

func (l *Library) read(file string) (*Fiche, error) {
	f, err := l.fsys.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Parse(f)
}

func problem(file string, err error) Problem {
	p := Problem{Line: 1, Reason: "le fichier ne se lit pas : " + cause(err)}
	errors.As(err, &p)
	p.File = file
	return p
}

// cause says why a file can't be read, without its path.
func cause(err error) string {
	var p *fs.PathError
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "accès refusé"
	case errors.Is(err, fs.ErrNotExist):
		return "introuvable"
	case errors.As(err, &p):
		return p.Err.Error()
	}
	return err.Error()
}

// Find names a fiche without reading it.
func (l *Library) Find(id string) (Hit, bool) {
	i, ok := l.byID[id]
	if !ok {
		return Hit{}, false
	}
	return l.entries[i].Hit, true
}

// Get reads a fiche. It is false where the library has none of this id, or its
// file can no longer be read.
func (l *Library) Get(id string) (*Fiche, bool) {
	i, ok := l.byID[id]
	if !ok {
		return nil, false
	}
	f, err := l.read(l.entries[i].file)
	if err != nil || f.ID != id {
		return nil, false
	}
	return f, true
}

// Problems returns what is wrong in the folder, by file.
func (l *Library) Problems() []Problem { return slices.Clone(l.problems) }
