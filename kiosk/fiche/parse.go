package fiche

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// Problem is why a file can't be used, with a French reason for IT.
type Problem struct {
	File   string // as named in the folder; empty from Parse
	Line   int    // from 1
	Reason string
}

// Error names the file, if known, and the line.
func (p Problem) Error() string {
	if p.File == "" {
		return fmt.Sprintf("ligne %d : %s", p.Line, p.Reason)
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Reason)
}

var idPattern = regexp.MustCompile(`^[FN][1-9][0-9]{0,6}$`)

// Parse reads one fiche of at most 4 MiB. It follows no external entity.
// Elements it doesn't know keep their text, in place. Its error is a Problem:
// the file is not XML, or lacks what every fiche must have (an id, a title, a
// date), or r failed.
func Parse(r io.Reader) (*Fiche, error) {
	root, err := readTree(r)
	if err != nil {
		return nil, err
	}
	if root.name != "Publication" {
		return nil, Problem{Line: root.line, Reason: fmt.Sprintf("ce n’est pas une fiche : élément %s au lieu de Publication", root.name)}
	}
	f := &Fiche{ID: root.get("ID"), Source: Source}
	if !idPattern.MatchString(f.ID) {
		return nil, Problem{Line: root.line, Reason: fmt.Sprintf("ID : « %s » n’est pas un numéro de fiche", f.ID)}
	}
	if n := root.child("dc:title"); n != nil {
		f.Title = title(n)
	}
	if f.Title == "" {
		return nil, Problem{Line: root.line, Reason: "dc:title : la fiche n’a pas de titre"}
	}
	if n := root.child("dc:subject"); n != nil {
		f.Subject = title(n)
	}
	if f.Updated, err = updated(root); err != nil {
		return nil, err
	}
	f.URL = webAddress(root.get("spUrl"))
	if f.URL == "" {
		f.URL = defaultURL(f.ID, root)
	}
	b := builder{fiche: f, current: none, linked: map[placed]bool{}, endings: map[Kind]int{}}
	b.root(root)
	return f, nil
}

// updated reads "modified 2024-11-01".
func updated(root *node) (time.Time, error) {
	n := root.child("dc:date")
	if n == nil {
		return time.Time{}, Problem{Line: root.line, Reason: "dc:date : la fiche n’a pas de date"}
	}
	text := title(n)
	day, err := time.Parse(time.DateOnly, strings.TrimPrefix(text, "modified "))
	if err != nil {
		return time.Time{}, Problem{Line: n.line, Reason: fmt.Sprintf("dc:date : « %s » au lieu de « modified AAAA-MM-JJ »", text)}
	}
	return day, nil
}

// defaultURL is the page of a fiche that doesn't name it (schema 3.0).
func defaultURL(id string, root *node) string {
	audience := map[string]bool{}
	for _, k := range root.kids {
		if k.name == "Audience" {
			audience[title(k)] = true
		}
	}
	switch {
	case audience["Particuliers"] || len(audience) == 0:
		return "https://www.service-public.gouv.fr/particuliers/vosdroits/" + id
	case audience["Associations"]:
		return "https://www.service-public.gouv.fr/associations/vosdroits/" + id
	}
	return "https://entreprendre.service-public.gouv.fr/vosdroits/" + id
}
