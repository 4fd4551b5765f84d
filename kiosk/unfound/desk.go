package unfound

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"time"

	"filippo.io/age"
)

// How many searches a borne takes: who types much in one visit, or all day long,
// adds no more than that.
const (
	mostAVisit = 5
	mostADay   = 100
)

// Desk takes the searches of visits that end. It is for one goroutine.
type Desk struct {
	// Put keeps a sealed search for the hub, away from the screen. Month is
	// "2026-11": nothing finer is known of it.
	Put func(month string, sealed []byte)

	day  string
	key  []byte
	seen map[[sha256.Size]byte]bool
}

// Take seals what a visit searched for in vain, and takes the same search once a
// day. Of the day it remembers keyed hashes, in memory only and with a key that
// goes with them: a borne that restarts may take a search once more. Without a
// recipient nothing is taken.
func (d *Desk) Take(words []Word, to []age.Recipient, now time.Time) error {
	if len(to) == 0 {
		return nil
	}
	if day := now.Format(time.DateOnly); day != d.day {
		d.day, d.key, d.seen = day, make([]byte, sha256.Size), map[[sha256.Size]byte]bool{}
		rand.Read(d.key) // never fails
	}
	for _, w := range words[:min(len(words), mostAVisit)] {
		mark := d.mark(w)
		if d.seen[mark] || len(d.seen) >= mostADay {
			continue
		}
		sealed, err := Seal(w, to)
		if err != nil {
			return err
		}
		d.seen[mark] = true
		d.Put(now.Format("2006-01"), sealed)
	}
	return nil
}

func (d *Desk) mark(w Word) (mark [sha256.Size]byte) {
	h := hmac.New(sha256.New, d.key)
	h.Write([]byte(w.Kind + "\n"))
	h.Write(w.Text)
	h.Sum(mark[:0])
	return mark
}
