package serialrfid

import (
	"slices"
	"time"

	"parvis/device"
	"parvis/device/reader"
	"parvis/device/reader/internal/line"
)

const (
	// An RDM6300 tells of a card every 65 ms. A frame or three may be lost.
	silence = 300 * time.Millisecond
	// Two cards spoil most of each other's frames: each is rarely heard.
	severalSilence = time.Second
	// More cards than two only ever come with a flood.
	most = 4
)

// sighting is a card in the field.
type sighting struct {
	number string
	last   time.Time
}

// field knows which cards lie in the field of a reader, from the frames that
// tell of them. It is the line's Listener.
type field struct {
	seen    func(reader.Event)
	decoder Decoder
	dropped int        // bytes of noise
	cards   []sighting // the last seen stands last
	told    told
	number  string // of the one card told of
	framing framing
}

// told is what was said last.
type told int

const (
	nothing told = iota
	one
	several
)

// framing is that of the last good frame.
type framing int

const (
	unheard framing = iota
	repeating
	once
)

// Hear implements line.Listener. Bad frames while a card is read are no noise:
// two cards spoil each other's, and one at the edge its own.
func (f *field) Hear(now time.Time, p []byte) {
	before := f.decoder.Dropped()
	defer func() {
		if f.told == nothing {
			f.dropped += f.decoder.Dropped() - before
		}
	}()
	for _, b := range p {
		if frame, ok := f.decoder.Take(b); ok {
			f.card(now, frame)
		}
	}
}

// card takes a frame. A second card is not told of yet: it may have taken the
// place of the first, which only silence proves. But when the first is seen
// again after the second, both are there.
func (f *field) card(now time.Time, frame Frame) {
	f.framing = repeating
	if frame.Once {
		f.framing = once
	}
	i := f.find(frame.Number)
	both := i >= 0 && i < len(f.cards)-1 || i < 0 && len(f.cards) == 2
	if i >= 0 {
		f.cards = slices.Delete(f.cards, i, i+1)
	}
	if len(f.cards) == most {
		f.cards = slices.Delete(f.cards, 0, 1)
	}
	f.cards = append(f.cards, sighting{frame.Number, now})
	switch {
	case both && f.told != several:
		f.told, f.number = several, ""
		f.seen(reader.Event{Medium: reader.RFID, Present: true, Several: true})
	case f.told == nothing && len(f.cards) == 1:
		f.tellOne()
	}
}

// find returns where a number stands among the cards, or -1.
func (f *field) find(number string) int {
	return slices.IndexFunc(f.cards, func(s sighting) bool { return s.number == number })
}

func (f *field) tellOne() {
	f.told, f.number = one, f.cards[0].number
	f.seen(reader.Event{Medium: reader.RFID, Present: true, Number: f.number})
}

// expire lets go of the cards that are silent.
func (f *field) expire(now time.Time) {
	patience := f.patience()
	f.cards = slices.DeleteFunc(f.cards, func(s sighting) bool { return now.Sub(s.last) >= patience })
	switch {
	case f.told == several && len(f.cards) < 2:
		// The one that is left may have gone with the other: it must be seen
		// anew.
		f.gone()
		f.cards = nil
	case f.told == one && f.find(f.number) < 0:
		f.gone()
		if len(f.cards) == 1 {
			f.tellOne()
		}
	}
}

// patience is the silence after which a card is gone.
func (f *field) patience() time.Duration {
	if f.told == several {
		return severalSilence
	}
	return silence
}

// gone tells that what was told of has been taken away.
func (f *field) gone() {
	event := reader.Event{Medium: reader.RFID, Several: f.told == several}
	f.told, f.number = nothing, ""
	f.seen(event)
}

// Tick implements line.Listener.
func (f *field) Tick(now time.Time) time.Time {
	f.expire(now)
	var next time.Time
	for _, s := range f.cards {
		next = line.Sooner(next, s.last.Add(f.patience()))
	}
	return next
}

// Dropped implements line.Listener.
func (f *field) Dropped() int { return f.dropped }

// Media implements line.Listener. Before the first frame nobody knows whether
// the reader repeats itself, and so what its silence means.
func (f *field) Media() device.Media {
	switch {
	case f.told != nothing:
		return device.MediaPresent
	case f.framing == repeating:
		return device.MediaNotPresent
	}
	return device.MediaUnknown
}

// Lost implements line.Listener.
func (f *field) Lost() {
	f.decoder.Reset()
	f.cards = nil
	if f.told != nothing {
		f.gone()
	}
}
