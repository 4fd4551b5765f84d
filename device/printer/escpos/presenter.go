package escpos

import (
	"context"
	"time"

	"parvis/device"
	"parvis/device/printer"
)

const (
	emptied  = 5 * time.Second        // longest wait for a ticket to be drawn back
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
	since time.Time    // it is held out, or we last tried to clear it
	last  device.Media // while nothing is held out
	next  device.Media // once nothing is; empty if a hand took it
}

// see takes note of whether a ticket is held out, and tells where the last one
// is.
func (m *mouth) see(held bool, now time.Time) device.Media {
	switch {
	case held && !m.held:
		m.since, m.next = now, ""
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

// overdue tells how long a ticket may still be held out. It is not positive
// when its time is over.
func (p *Printer) overdue() time.Duration {
	return p.model.Presenter.Wait - time.Since(p.mouth.since)
}

// clear tells the printer to take away a ticket that is held out.
func (p *Printer) clear(ctx context.Context) error {
	p.mouth.next, p.mouth.since = p.model.Presenter.end(), time.Now()
	return p.command(ctx, p.model.Presenter.clear()...)
}

// empty makes sure that nobody's ticket is held out any more.
func (p *Printer) empty(ctx context.Context) error {
	if !p.mouth.held {
		return nil
	}
	if err := p.clear(ctx); err != nil {
		return err
	}
	give := time.Now().Add(emptied)
	for p.mouth.held {
		if time.Now().After(give) {
			return &printer.Error{Fault: device.TicketLeft}
		}
		pause, cancel := context.WithTimeout(ctx, peek)
		_ = p.read(pause, func() bool { return false }) // an error shows in the question
		cancel()
		s, err := p.ask(ctx)
		if err != nil {
			return err
		}
		if !s.Ready() {
			return &printer.Error{Fault: s.Fault}
		}
	}
	return nil
}
