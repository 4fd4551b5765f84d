package place

import (
	"cmp"
	"container/heap"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	bits64 "math/bits"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"parvis/kiosk/hours"
)

// Search finds one page of places. A value that the schema doesn't know is an
// UnknownValueError.
func (d *Directory) Search(ctx context.Context, q Query) (Result, error) {
	anyOf, allOf, err := q.groups()
	if err != nil {
		return Result{}, err
	}
	if q.Limit <= 0 {
		q.Limit = DefaultLimit
	}
	q.Offset = max(q.Offset, 0)
	d.mu.Lock()
	defer d.mu.Unlock()
	// An import may come between looking and fetching: then look again.
	for range 3 {
		if err := d.refresh(ctx); err != nil {
			return Result{}, fmt.Errorf("annuaire des lieux : %w", err)
		}
		found := d.index.search(q, anyOf, allOf, d.region)
		hits, err := d.fetch(ctx, q, found)
		if errors.Is(err, errMoved) {
			continue
		}
		if err != nil {
			return Result{}, fmt.Errorf("annuaire des lieux : %w", err)
		}
		return Result{Total: found.total, Hits: hits, Corrected: found.corrected}, nil
	}
	return Result{}, errors.New("annuaire des lieux : un import est en cours")
}

// found is the answer before the rows are fetched.
type found struct {
	total     int
	page      []candidate
	corrected string
	version   int64
}

type candidate struct {
	key    int64   // of the sort, before the distance
	chord2 float64 // infinite if unknown
	entry  int32
	num    int64
	state  hours.State
}

func (a candidate) compare(b candidate) int {
	return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.chord2, b.chord2), cmp.Compare(a.entry, b.entry))
}

// worst keeps the best candidates with the worst of them on top.
type worst []candidate

func (w worst) Len() int           { return len(w) }
func (w worst) Less(i, j int) bool { return w[i].compare(w[j]) > 0 }
func (w worst) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }
func (w *worst) Push(x any)        { *w = append(*w, x.(candidate)) }
func (w *worst) Pop() any          { panic("place: nothing pops") }

func (ix *index) search(q Query, anyOf []uint64, allOf uint64, region hours.Region) found {
	out := found{version: ix.version}
	var among *bitmap
	if q.Text != "" {
		among, out.corrected = ix.text(q.Text)
	}
	ix.round++
	at := q.OpenAt
	if at.IsZero() {
		at = q.Now
	}
	var near vector
	if q.Near != nil {
		near = q.Near.vector()
	}
	keep := q.Offset + q.Limit
	var best worst
	ix.each(among, func(i int32) {
		e := &ix.entries[i]
		if e.mask&allOf != allOf {
			return
		}
		for _, m := range anyOf {
			if e.mask&m == 0 {
				return
			}
		}
		var state hours.State
		if !q.OpenAt.IsZero() || q.Sort == ByOpening {
			state = e.hours.at(ix.round, at, region)
			if !q.OpenAt.IsZero() && state.Kind != hours.Open {
				return
			}
		}
		out.total++
		c := candidate{entry: i, num: e.num, state: state, chord2: math.Inf(1)}
		if q.Near != nil && e.located {
			c.chord2 = e.pos.chord2(near)
		}
		if q.Sort == ByOpening {
			c.key = openingKey(state)
		}
		switch {
		case len(best) < keep:
			heap.Push(&best, c)
		case c.compare(best[0]) < 0:
			best[0] = c
			heap.Fix(&best, 0)
		}
	})
	slices.SortFunc(best, candidate.compare)
	if q.Offset < len(best) {
		out.page = best[q.Offset:]
	}
	for i := range out.page {
		c := &out.page[i]
		c.state = ix.entries[c.entry].hours.at(ix.round, at, region)
	}
	return out
}

// openingKey orders by when one can walk in.
func openingKey(s hours.State) int64 {
	switch s.Kind {
	case hours.Open:
		return math.MinInt64
	case hours.OpensLater:
		return s.Change.Unix()
	case hours.Closed:
		return math.MaxInt64
	}
	return math.MaxInt64 - 1
}

func (ix *index) each(among *bitmap, do func(int32)) {
	if among == nil {
		for i := range ix.entries {
			do(int32(i))
		}
		return
	}
	among.each(do)
}

var errMoved = errors.New("the places changed meanwhile")

// fetch reads the rows of a page, all of the version that was searched.
func (d *Directory) fetch(ctx context.Context, q Query, f found) ([]Hit, error) {
	if len(f.page) == 0 {
		return nil, nil
	}
	nums := make([]string, 0, len(f.page))
	where := make(map[int64]int, len(f.page))
	for i, c := range f.page {
		nums = append(nums, strconv.FormatInt(c.num, 10))
		where[c.num] = i
	}
	// The version is read in the same statement, hence of the same moment.
	rows, err := d.db.QueryContext(ctx, `SELECT (SELECT version FROM place_state), num, `+columns+
		` FROM place WHERE num IN (`+strings.Join(nums, ",")+`)`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	hits := make([]Hit, len(f.page))
	n := 0
	for rows.Next() {
		hit, num, err := scanHit(rows, f.version)
		if err != nil {
			return nil, err
		}
		i, ok := where[num]
		if !ok {
			return nil, errMoved
		}
		c := f.page[i]
		hit.State = c.state
		if !math.IsInf(c.chord2, 1) {
			hit.Metres = metres(c.chord2)
			hit.Walk = walk(hit.Metres)
		}
		now := q.Now
		if now.IsZero() {
			now = q.OpenAt
		}
		hit.Stale = !now.IsZero() && hit.Updated.AddDate(1, 0, 0).Before(now)
		hits[i] = hit
		n++
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if n != len(hits) {
		return nil, errMoved
	}
	return hits, nil
}

func scanHit(rows *sql.Rows, want int64) (Hit, int64, error) {
	var version, num int64
	r, err := scanRow(rows, &version, &num)
	if err == nil && version != want {
		err = errMoved
	}
	if err != nil {
		return Hit{}, 0, err
	}
	return Hit{Place: r.place()}, num, nil
}

// text finds the places that have all words of a text. corrected is the text
// that was searched where a typing error was forgiven.
func (ix *index) text(s string) (among *bitmap, corrected string) {
	asked := words(s)
	typing := s != "" && !isBreak([]rune(s)[len([]rune(s))-1])
	var shown []string
	forgiven := false
	heavy := slices.ContainsFunc(asked, weighs)
	for i, w := range asked {
		if heavy && !weighs(w) {
			shown = append(shown, w)
			continue
		}
		unfinished := typing && i == len(asked)-1
		hits, as := ix.word(w, unfinished)
		if as != "" {
			forgiven = true
			w = as
		}
		shown = append(shown, w)
		if among == nil {
			among = hits
		} else {
			among.and(hits)
		}
	}
	if forgiven {
		corrected = strings.Join(shown, " ")
	}
	return among, corrected
}

// word finds the places of one word: as written, by its stem, as a beginning if
// it is unfinished or nothing else fits, and at last with one typing error.
func (ix *index) word(w string, unfinished bool) (hits *bitmap, as string) {
	hits = newBitmap(len(ix.entries))
	st := stem(w)
	any, mask := false, uint64(0)
	take := func(t *term) {
		any = true
		mask |= t.mask
		for _, i := range t.at {
			hits.set(i)
		}
	}
	defer func() {
		for i := range ix.entries {
			if ix.entries[i].mask&mask != 0 {
				hits.set(int32(i))
			}
		}
	}()
	ix.eachOfStem(st, take)
	if unfinished || !any {
		ix.eachWithPrefix(w, take)
	}
	if any || len(w) < 4 {
		return hits, ""
	}
	if t := ix.nearest(w, unfinished); t != nil {
		ix.eachOfStem(t.stem, take)
		return hits, t.shown
	}
	return hits, ""
}

func (ix *index) eachOfStem(st string, do func(*term)) {
	from, _ := slices.BinarySearchFunc(ix.byStem, st, func(i int32, st string) int { return strings.Compare(ix.terms[i].stem, st) })
	for _, i := range ix.byStem[from:] {
		if ix.terms[i].stem != st {
			return
		}
		do(&ix.terms[i])
	}
}

func (ix *index) eachWithPrefix(p string, do func(*term)) {
	from, _ := slices.BinarySearchFunc(ix.terms, p, func(t term, p string) int { return strings.Compare(t.text, p) })
	for i := from; i < len(ix.terms) && strings.HasPrefix(ix.terms[i].text, p); i++ {
		do(&ix.terms[i])
	}
}

// nearest gives the commonest term with one typing error, for an unfinished
// word also at the beginning of a longer term. Numbers are never corrected.
func (ix *index) nearest(w string, unfinished bool) *term {
	if strings.ContainsFunc(w, unicode.IsDigit) {
		return nil
	}
	var best *term
	weight := 0
	for i := range ix.terms {
		t := &ix.terms[i]
		if len(t.text) < len(w)-1 || len(t.text) > len(w)+1 && !unfinished {
			continue
		}
		near, share := oneError(w, t.text), 3
		for n := len(w) - 1; !near && unfinished && n <= len(w)+1 && n < len(t.text); n++ {
			near, share = oneError(w, t.text[:n]), 1
		}
		if !near {
			continue
		}
		// A whole word outweighs a beginning, the same first letter another.
		score := (len(t.at) + 1) * share
		if t.mask != 0 {
			score += len(ix.entries)
		}
		if t.text[0] == w[0] {
			score *= 4
		}
		if score > weight {
			best, weight = t, score
		}
	}
	return best
}

// bitmap is a set of entries.
type bitmap struct{ w []uint64 }

func newBitmap(n int) *bitmap { return &bitmap{make([]uint64, (n+63)/64)} }

func (b *bitmap) set(i int32) { b.w[i>>6] |= 1 << (i & 63) }

func (b *bitmap) and(o *bitmap) {
	for i := range b.w {
		b.w[i] &= o.w[i]
	}
}

func (b *bitmap) each(do func(int32)) {
	for i, w := range b.w {
		for ; w != 0; w &= w - 1 {
			do(int32(i)<<6 + int32(bits64.TrailingZeros64(w)))
		}
	}
}
