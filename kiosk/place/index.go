package place

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"
)

// index is what a search looks at: 60 bytes a place, the hours once for each
// distinct string, and for each word the places that have it.
type index struct {
	version    int64
	entries    []entry // in the order of names
	timetables map[string]*timetable
	terms      []term // sorted by text
	byStem     []int32
	round      uint64
}

type entry struct {
	num     int64
	mask    uint64
	pos     vector
	located bool
	updated int32 // days since 1970
	hours   *timetable
}

// term is one word of the directory.
type term struct {
	text  string // folded
	shown string // with its accents
	stem  string
	mask  uint64  // bits of the filter values whose name has the word
	at    []int32 // places that have it, ascending
}

func load(ctx context.Context, db *sql.DB) (*index, error) {
	ix := &index{timetables: map[string]*timetable{}}
	var count int
	err := db.QueryRowContext(ctx, `SELECT version, (SELECT count(*) FROM place) FROM place_state`).Scan(&ix.version, &count)
	if err != nil {
		return nil, err
	}
	ix.entries = make([]entry, 0, count)
	rows, err := db.QueryContext(ctx, `SELECT num, mask, latitude, longitude, horaires, date_maj, words FROM place ORDER BY nom, id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	vocabulary := newVocabulary()
	for rows.Next() {
		var e entry
		var mask int64
		var lat, lon sql.NullFloat64
		var open, updated, text sql.RawBytes
		if err := rows.Scan(&e.num, &mask, &lat, &lon, &open, &updated, &text); err != nil {
			return nil, err
		}
		e.mask = uint64(mask)
		if e.located = lat.Valid && lon.Valid; e.located {
			e.pos = Point{lat.Float64, lon.Float64}.vector()
		}
		if day, err := time.Parse(time.DateOnly, string(updated)); err == nil {
			e.updated = int32(day.Unix() / 86400)
		}
		if len(open) > 0 {
			if e.hours = ix.timetables[string(open)]; e.hours == nil {
				e.hours = &timetable{text: string(open)}
				ix.timetables[e.hours.text] = e.hours
			}
		}
		vocabulary.add(text, int32(len(ix.entries)))
		ix.entries = append(ix.entries, e)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	ix.terms = vocabulary.terms()
	ix.byStem = make([]int32, len(ix.terms))
	for i := range ix.byStem {
		ix.byStem[i] = int32(i)
	}
	slices.SortFunc(ix.byStem, func(a, b int32) int { return strings.Compare(ix.terms[a].stem, ix.terms[b].stem) })
	return ix, nil
}

// vocabulary gathers terms. Words that fold alike are one term.
type vocabulary struct {
	bySpelling map[string]*term
	byText     map[string]*term
}

func newVocabulary() *vocabulary {
	v := &vocabulary{map[string]*term{}, map[string]*term{}}
	for _, f := range maskFields {
		for _, value := range schema[f].values {
			for w := range strings.FieldsFuncSeq(strings.ToLower(value), isBreak) {
				if t := v.term([]byte(w)); t != nil {
					t.mask |= bits[schema[f].name+"="+value]
				}
			}
		}
	}
	return v
}

// term gives the term of a word as spelled, or nil for one not worth finding.
func (v *vocabulary) term(w []byte) *term {
	if t, ok := v.bySpelling[string(w)]; ok {
		return t
	}
	spelled := string(w)
	text := fold(spelled)
	if text == "" || !weighs(text) {
		v.bySpelling[spelled] = nil
		return nil
	}
	t := v.byText[text]
	if t == nil {
		t = &term{text: text, shown: spelled, stem: stem(text)}
		v.byText[text] = t
	} else if len(spelled) > len(t.shown) {
		t.shown = spelled // the one with accents
	}
	v.bySpelling[spelled] = t
	return t
}

func (v *vocabulary) add(text []byte, place int32) {
	for len(text) > 0 {
		end := 0
		for end < len(text) && text[end] != ' ' {
			end++
		}
		if t := v.term(text[:end]); t != nil && (len(t.at) == 0 || t.at[len(t.at)-1] != place) {
			t.at = append(t.at, place)
		}
		text = text[min(end+1, len(text)):]
	}
}

func (v *vocabulary) terms() []term {
	all := make([]term, 0, len(v.byText))
	for _, t := range v.byText {
		t.at = slices.Clip(t.at)
		all = append(all, *t)
	}
	slices.SortFunc(all, func(a, b term) int { return strings.Compare(a.text, b.text) })
	return all
}
