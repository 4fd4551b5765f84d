// Package pcsc reads smart cards through pcscd, on every reader it has. Of a
// card with contacts it learns the answer to reset and sends it nothing at all:
// a carte Vitale tells its holder's number to whoever asks, and nobody here may.
package pcsc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ebfe/scard"

	"parvis/device"
	"parvis/device/reader"
	"parvis/device/reader/internal/line"
)

// Options say which readers are meant.
type Options struct {
	// Readers are parts of the names of readers, in any case. Without one,
	// every reader is meant.
	Readers []string
}

// Reader is all the readers of pcscd that its options mean. It implements
// reader.Reader. A process should have one: two that wait for the same reader
// share memory inside the scard library.
type Reader struct {
	options Options
	last    *talk // of the Serve before, which may still hang; nil before the first
}

// New makes a Reader that reaches pcscd when served.
func New(o Options) *Reader { return &Reader{options: o} }

// Serve implements reader.Reader. It ends with an error when pcscd cannot be
// reached, dies or hangs (device.NoService), and waits for readers while there is
// none (device.Unplugged). Its errors come from pcscd and hold nothing of a card.
// A call that hangs is left behind; the next Serve waits for it before it calls
// again.
//
// A card is told of once it has been read whole; when it is pulled out amid
// that, nothing is said of it. Of a contactless card the number and the NDEF
// text are read, of any other only the answer to reset, which comes without
// asking. A card that does not answer is not told of: the status says
// device.MediaJammed.
func (r *Reader) Serve(ctx context.Context, report func(device.Status), seen func(reader.Event)) error {
	status := line.Changes(report)
	status(device.Status{State: device.Starting})
	if err := r.talk(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err = fmt.Errorf("reach pcscd: %w", err)
		status(device.NoService.With(err))
		return err
	}
	w := &watch{talk: r.last, names: r.options.Readers, report: status, seen: seen}
	err := w.run(ctx)
	r.last.end()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	w.gone()
	err = fmt.Errorf("talk to pcscd: %w", err)
	status(device.NoService.With(err))
	return err
}

// talk begins to talk to pcscd, once the talk before has ended.
func (r *Reader) talk(ctx context.Context) error {
	if r.last != nil {
		late := time.NewTimer(hung)
		defer late.Stop()
		select {
		case <-r.last.ended:
		case <-late.C:
			return errHung
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	r.last = newTalk()
	err := r.last.reach(ctx)
	if err != nil {
		r.last.end()
	}
	return err
}

// slot is a reader as it was last seen.
type slot struct {
	name   string
	state  scard.StateFlag
	atr    []byte
	failed int // times its card could not be read
}

// card tells one showing of a card from another: pcscd counts them in the upper
// half of the state.
type card struct {
	reader string
	count  scard.StateFlag
}

// tries is how often reading a card may fail before the status says so: one
// that comes slowly is felt before it can speak.
const tries = 3

func (s *slot) card() card        { return card{s.name, s.state >> 16} }
func (s *slot) present() bool     { return s.state&scard.StatePresent != 0 }
func (s *slot) mute() bool        { return s.state&scard.StateMute != 0 }
func (s *slot) contactless() bool { return contactless(s.atr, s.name) }
func (s *slot) medium() reader.Medium {
	if s.contactless() {
		return reader.Contactless
	}
	return reader.Contact
}

// watch is one Serve.
type watch struct {
	talk   *talk
	names  []string
	report func(device.Status)
	seen   func(reader.Event)

	slots []*slot
	told  *reader.Event // what was told of that lies there
	card  card          // which one, unless several
}

// run returns when pcscd is lost or ctx ends.
func (w *watch) run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := w.list(ctx); err != nil {
			return err
		}
		if err := w.wait(ctx); err != nil {
			return err
		}
		if err := w.settle(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// list brings the slots up to date with the readers there are.
func (w *watch) list(ctx context.Context) error {
	names, err := call(ctx, w.talk, (*scard.Context).ListReaders)
	if err != nil && !errors.Is(err, scard.ErrNoReadersAvailable) {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !w.means(name) })
	w.slots = slices.DeleteFunc(w.slots, func(s *slot) bool { return !slices.Contains(names, s.name) })
	for _, name := range names {
		if !slices.ContainsFunc(w.slots, func(s *slot) bool { return s.name == name }) {
			w.slots = append(w.slots, &slot{name: name})
		}
	}
	return nil
}

func (w *watch) means(name string) bool {
	return len(w.names) == 0 || slices.ContainsFunc(w.names, func(part string) bool {
		return strings.Contains(strings.ToUpper(name), strings.ToUpper(part))
	})
}

// anyReader is the name under which pcscd tells of readers that come and go.
const anyReader = `\\?PnP?\Notification`

// wait waits for a change, or for a second: a reader that came just before
// anyReader was asked for is only found by listing, and a card that did not
// speak may have come to its senses.
func (w *watch) wait(ctx context.Context) error {
	states := []scard.ReaderState{{Reader: anyReader}}
	for _, s := range w.slots {
		states = append(states, scard.ReaderState{Reader: s.name, CurrentState: s.state})
	}
	patience := time.Second
	if slices.ContainsFunc(w.slots, func(s *slot) bool { return 0 < s.failed && s.failed < tries }) {
		patience = 200 * time.Millisecond
	}
	_, err := call(ctx, w.talk, func(pcscd *scard.Context) (struct{}, error) {
		return struct{}{}, pcscd.GetStatusChange(states, patience)
	})
	switch {
	case errors.Is(err, scard.ErrTimeout), errors.Is(err, scard.ErrUnknownReader):
		return nil
	case err != nil:
		return err
	}
	for i, s := range w.slots {
		before := s.card()
		s.state = states[i+1].EventState &^ scard.StateChanged
		// An answer to reset outlives its card.
		s.atr = nil
		if s.present() {
			s.atr = slices.Clone(states[i+1].Atr)
		}
		if !s.present() || s.card() != before {
			s.failed = 0
		}
	}
	return nil
}

// settle tells what has changed.
func (w *watch) settle(ctx context.Context) error {
	var cards []*slot
	for _, s := range w.slots {
		if s.present() && !s.mute() {
			cards = append(cards, s)
		}
	}
	if len(cards) > 1 {
		w.several(cards)
		w.report(w.status())
		return nil
	}
	if w.told != nil && (w.told.Several || len(cards) == 0 || cards[0].card() != w.card) {
		w.gone()
	}
	var err error
	if w.told == nil && len(cards) == 1 {
		err = w.read(ctx, cards[0])
	}
	w.report(w.status())
	return err
}

func (w *watch) several(cards []*slot) {
	if w.told != nil && w.told.Several {
		return
	}
	e := reader.Event{Medium: cards[0].medium(), Present: true, Several: true}
	for _, s := range cards {
		if s.medium() != e.Medium {
			e.Medium = "" // both
		}
	}
	w.tell(e)
}

func (w *watch) tell(e reader.Event) {
	w.told = &reader.Event{Medium: e.Medium, Several: e.Several} // no more than gone needs
	w.seen(e)
}

// gone tells that what was told of has been taken away.
func (w *watch) gone() {
	if w.told == nil {
		return
	}
	e := reader.Event{Medium: w.told.Medium, Several: w.told.Several}
	w.told = nil
	w.seen(e)
}

// status is that of all readers together.
func (w *watch) status() device.Status {
	if len(w.slots) == 0 {
		return device.Unplugged.With(errNoReader)
	}
	s := device.Status{State: device.Online, Media: device.MediaNotPresent}
	if slices.ContainsFunc(w.slots, (*slot).present) {
		s.Media = device.MediaPresent
	}
	if slices.ContainsFunc(w.slots, func(s *slot) bool { return s.mute() || s.failed >= tries }) {
		s.Media = device.MediaJammed
	}
	return s
}

var errNoReader = errors.New("pcscd has no such reader")

// read reads a card and tells of it. Its error is only that of a lost pcscd.
func (w *watch) read(ctx context.Context, s *slot) error {
	e := reader.Event{Medium: s.medium(), Present: true, ATR: slices.Clone(s.atr)}
	if s.contactless() {
		said, err := call(ctx, w.talk, s.readContactless)
		e.Number, e.Text = said.number, said.text
		switch {
		case errors.Is(err, errSwapped):
			s.state = scard.StateUnaware // pcscd shall tell of it as of a new one
			s.failed++
			return nil
		case lost(err):
			return err
		case errors.Is(err, errBroken) && s.failed >= tries-1:
			// It is still there: its text is simply not to be had.
		case err != nil:
			s.failed++ // it may just as well be gone, and will be seen to go
			return nil
		}
	}
	s.failed = 0
	w.card = s.card()
	w.tell(e)
	return nil
}

// said is what a contactless card says.
type said struct{ number, text string }

// readContactless is the only place that sends anything to a card. It fails
// when the card is gone, or does not speak; with errBroken it has its number.
func (s *slot) readContactless(pcscd *scard.Context) (is said, err error) {
	c, err := pcscd.Connect(s.name, scard.ShareShared, scard.ProtocolAny)
	if err != nil {
		return is, err
	}
	// Not with a reset: where that fails, pcscd takes a card that lies there
	// for one that is gone.
	defer func() { _ = c.Disconnect(scard.LeaveCard) }()
	// A card that took the place of another so quickly that pcscd has not told
	// us yet might be one that must be asked nothing.
	now, err := c.Status()
	if err != nil {
		return is, err
	}
	if !bytes.Equal(now.Atr, s.atr) {
		return is, errSwapped
	}
	ask := transmit(c.Transmit)
	if is.number, err = ask.number(); err != nil {
		return is, err
	}
	is.text, err = ask.text(tagOf(s.atr))
	return is, err
}

var errSwapped = errors.New("another card has taken its place")

// lost tells whether there is no more use in talking to pcscd.
func lost(err error) bool {
	for _, e := range []error{scard.ErrCommError, scard.ErrNoService, scard.ErrServiceStopped, scard.ErrInvalidHandle, errHung, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
