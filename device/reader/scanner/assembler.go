package scanner

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"parvis/device"
	"parvis/device/reader"
)

const (
	// ending is the silence that ends a code without suffix: scanners send one
	// in a burst.
	ending = 50 * time.Millisecond
	// stale is the silence after which the rest of a code comes no more.
	stale = 500 * time.Millisecond
	// again is how long a code stays the same showing of it.
	again = 2 * time.Second
)

// Assembler makes codes of the bytes of a scanner, and tells of each showing
// once. Bytes that make no code are dropped, and counted.
type Assembler struct {
	format Format
	tell   func(text string)

	buf     []byte
	long    bool // too long already; buf holds the end of it
	heard   time.Time
	dropped int

	last   [sha256.Size]byte // of the code told last
	lastAt time.Time         // when it was last seen; zero when that is long ago
}

// NewAssembler makes an Assembler that calls tell with each code.
func NewAssembler(f Format, tell func(text string)) *Assembler {
	f = f.full()
	return &Assembler{format: f, tell: tell, buf: make([]byte, 0, f.room())}
}

// Hear takes bytes that came now.
func (a *Assembler) Hear(now time.Time, p []byte) {
	for _, b := range p {
		if len(a.buf) == 0 && (b == '\r' || b == '\n') && !strings.HasPrefix(a.format.Suffix, string(b)) {
			continue // belongs to the end of the code before
		}
		if len(a.buf) == cap(a.buf) {
			a.long = true
			a.drop(len(a.buf) - len(a.format.Suffix))
		}
		a.buf = append(a.buf, b)
		a.heard = now
		if !a.format.NoSuffix && bytes.HasSuffix(a.buf, []byte(a.format.Suffix)) {
			a.end(now)
		}
	}
}

// Tick lets time pass. It returns when it wants to be called again if nothing
// comes; the zero Time is never.
func (a *Assembler) Tick(now time.Time) time.Time {
	hush := now.Sub(a.heard)
	switch {
	case len(a.buf) == 0:
	case a.format.NoSuffix && hush < ending:
		return a.heard.Add(ending)
	case a.format.NoSuffix:
		a.end(now)
	case hush < stale:
		return a.heard.Add(stale)
	default:
		a.Lost()
	}
	switch {
	case a.lastAt.IsZero():
		return time.Time{}
	case now.Sub(a.lastAt) < again:
		return a.lastAt.Add(again)
	}
	a.last, a.lastAt = [sha256.Size]byte{}, time.Time{}
	return time.Time{}
}

// Dropped is how many bytes made no code so far.
func (a *Assembler) Dropped() int { return a.dropped }

// Media is always unknown: a scanner sees codes come, not go.
func (a *Assembler) Media() device.Media { return device.MediaUnknown }

// Lost drops a code that has not ended.
func (a *Assembler) Lost() {
	a.drop(len(a.buf))
	a.long = false
}

// drop takes n bytes off the front and counts them.
func (a *Assembler) drop(n int) {
	a.dropped += n
	a.take(n)
}

// take takes n bytes off the front, and leaves no trace of them.
func (a *Assembler) take(n int) {
	rest := copy(a.buf, a.buf[n:])
	clear(a.buf[rest:])
	a.buf = a.buf[:rest]
}

// end takes what there is as one code.
func (a *Assembler) end(now time.Time) {
	code, ok := a.code()
	if a.long || !ok {
		a.Lost()
		return
	}
	a.take(len(a.buf))
	if code == "" {
		return // nothing between two endings
	}
	sum := sha256.Sum256([]byte(code))
	same := sum == a.last && !a.lastAt.IsZero()
	a.last, a.lastAt = sum, now
	if !same {
		a.tell(code)
	}
}

// code is the code among the bytes, and false when they make none.
func (a *Assembler) code() (string, bool) {
	raw := a.buf
	if !a.format.NoSuffix {
		raw = bytes.TrimSuffix(raw, []byte(a.format.Suffix))
	}
	raw = bytes.Trim(raw, "\r\n") // of CR LF, when the suffix is one of both
	if len(raw) == 0 {
		return "", true
	}
	raw, ok := bytes.CutPrefix(raw, []byte(a.format.Prefix))
	if !ok {
		return "", false
	}
	text, ok := decode(raw)
	n := utf8.RuneCountInString(text)
	return text, ok && a.format.MinLength <= n && n <= a.format.MaxLength
}

// decode reads UTF-8, or else the Western European letters of older scanners,
// and takes out what cannot be seen: control characters, with the separators
// of GS1 codes, and marks of direction. Bytes that are neither are noise.
func decode(raw []byte) (string, bool) {
	if utf8.Valid(raw) {
		return reader.Visible(string(raw)), true
	}
	text, err := charmap.Windows1252.NewDecoder().String(string(raw))
	if err != nil || strings.ContainsRune(text, utf8.RuneError) || reader.Visible(text) != text {
		return "", false
	}
	return text, true
}
