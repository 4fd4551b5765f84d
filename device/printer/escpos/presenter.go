package escpos

import (
	"context"
	"time"

	"parvis/device"
	"parvis/device/printer"
)

const (
	emptied  = 5 * time.Second        // longest wait for a ticket to be drawn back
	spared   = 8 * time.Second        // for a hand to take a ticket, when the next one waits already
	peek     = 100 * time.Millisecond // between two looks at the mouth meanwhile
	handTime = 500 * time.Millisecond // between two looks while a ticket is held out
)

// clear is the command that takes away a ticket nobody took.
func (p Presenter) clear() []byte {
	switch p.Then {
	case Retract:
		return []byte{gs, 'e', 2}
	case Eject:
		return []byte{gs, 'e', 5}
	}
	return nil
}

// end is where a ticket is after clear.
func (p Presenter) end() device.Media {
	if p.Then == Retract {
		return device.MediaRetracted
	}
	return device.MediaNotPresent
}

// mouth is what is known of the presenter.
type mouth struct {
	held  bool
	since time.Time    // it is held out
	tried time.Time    // we last tried to clear it
	last  device.Media // while nothing is held out
	next  device.Media // once nothing is; empty if a hand took it
}

// see takes note of whether a ticket is held out, and tells where the last one
// is.
func (m *mouth) see(held bool, now time.Time) device.Media {
	switch {
	case held && !m.held:
		m.since, m.tried, m.next = now, time.Time{}, ""
	case !held && m.held && m.next != "":
		m.last = m.next
	case !held && m.held:
		m.last = device.MediaTaken
	case m.last == "":
		m.last = device.MediaNotPresent
	}
	m.held = held
	if held {
		return device.MediaPresent
	}
	return m.last
}

// mouthed adds to a status where the last ticket is. One that hangs there is a
// fault only once its time is over.
func (p *Printer) mouthed(s device.Status, held bool) device.Status {
	s.Media = p.mouth.see(held, time.Now())
	if held && s.Ready() && time.Since(p.mouth.since) >= p.model.Presenter.Wait {
		s.Fault = device.TicketLeft
	}
	return s
}

// overdue tells how long a ticket may still be held out before we try to clear it
// (again). It is not positive when its time is over.
func (p *Printer) overdue() time.Duration {
	last := p.mouth.since
	if p.mouth.tried.After(last) {
		last = p.mouth.tried
	}
	return p.model.Presenter.Wait - time.Since(last)
}

// clear tells the printer to take away a ticket that is held out.
func (p *Printer) clear(ctx context.Context) error {
	p.mouth.next, p.mouth.tried = p.model.Presenter.end(), time.Now()
	return p.command(ctx, p.model.Presenter.clear()...)
}

// spare leaves a ticket to the hand that is about to take it.
func (p *Printer) spare(ctx context.Context) error {
	if !p.mouth.held {
		return nil
	}
	return p.gone(ctx, p.mouth.since.Add(min(spared, p.model.Presenter.Wait)))
}

// empty makes sure that nobody's ticket is held out any more.
func (p *Printer) empty(ctx context.Context) error {
	if !p.mouth.held {
		return nil
	}
	if err := p.clear(ctx); err != nil {
		return err
	}
	if err := p.gone(ctx, time.Now().Add(emptied)); err != nil {
		return err
	}
	if p.mouth.held {
		return &printer.Error{Fault: device.TicketLeft}
	}
	return nil
}

// gone watches the mouth until nothing is held out any more, or the time is over.
func (p *Printer) gone(ctx context.Context, until time.Time) error {
	for p.mouth.held && time.Now().Before(until) {
		pause, cancel := context.WithTimeout(ctx, peek)
		_ = p.read(pause, func() bool { return false }) // an error shows in the question
		cancel()
		if err := p.well(ctx); err != nil {
			return err
		}
	}
	return nil
}
