package escpos

import (
	"context"
	"errors"
	"time"

	"parvis/device"
	"parvis/device/printer"
)

const (
	look = 2 * time.Second // between two questions while nothing is said
	// finish is how long a question may still wait for its answer once
	// somebody wants the line: a question that is dropped costs more.
	finish = 100 * time.Millisecond
	// settling is how long Serve waits for a printer to be done with earlier
	// jobs, and hears of nothing else meanwhile.
	settling = 500 * time.Millisecond
)

// Serve implements printer.Printer. It asks every two seconds, hears what the
// printer says by itself, and clears the mouth of a presenter when a ticket's
// time is over. A printer that does not answer is reported as device.Silent; a
// line that is lost or cannot be opened ends Serve and is not reported.
func (p *Printer) Serve(ctx context.Context, report func(device.Status)) error {
	select {
	case <-p.began: // before our time
	default:
	}
	var last device.Status // Unknown: whatever is seen first is news
	tell := func(s device.Status) {
		if s != last {
			last = s
			report(s)
		}
	}
	busy := func(s device.Status) {
		s.State = device.Busy
		tell(s)
	}
	for {
		hold, err := p.borrow(ctx, busy)
		if err != nil {
			return err
		}
		s, err := p.attend(hold, last)
		wanted := hold.Err() != nil
		if err != nil && !wanted {
			err = p.failed(hold, printer.Nothing, err)
		}
		p.giveBack()
		switch {
		case err == nil:
			tell(s)
		case ctx.Err() != nil:
			return ctx.Err()
		case !wanted:
			return err
		}
	}
}

// attend returns as soon as the printer's status is no more the last.
func (p *Printer) attend(ctx context.Context, last device.Status) (device.Status, error) {
	for {
		s, err := p.look(ctx)
		if err != nil || s != last {
			return s, err
		}
		if s.Ready() {
			if err := p.tend(ctx); err != nil {
				return s, err
			}
		}
		if s, err = p.listen(ctx, s); err != nil || s != last {
			return s, err
		}
	}
}

// look asks the printer how it is. One that does not answer is asked once more.
func (p *Printer) look(ctx context.Context) (device.Status, error) {
	if p.line == nil { // what takes long gives way at once
		if err := p.dial(ctx); err != nil {
			return device.Status{}, err
		}
	}
	patient, cancel := outlive(ctx, finish)
	defer cancel()
	s, err := p.connect(patient)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		s, err = p.connect(patient)
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return device.Silent.With(errSilent), nil
	}
	return s, err
}

// tend does what a printer that is well needs between two tickets. What cannot
// be done now is for the next time.
func (p *Printer) tend(ctx context.Context) error {
	patient, cancel := outlive(ctx, finish)
	defer cancel()
	var err error
	switch {
	case p.unsure && p.torn == 0:
		brief, cancel := context.WithTimeout(ctx, settling)
		err = p.settle(brief)
		cancel()
	case p.torn > 0 && !p.mended:
		// The next resident shall not get the stump. Once is enough: each
		// time costs paper.
		err = p.settle(ctx)
	}
	if err == nil && p.model.AutoStatus && !p.tells && p.torn == 0 {
		err = p.command(patient, gs, 'a', 0xFF)
		p.tells = err == nil
	}
	if err == nil && p.mouth.held && p.overdue() <= 0 {
		err = p.clear(patient)
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil
	}
	return err
}

// listen hears what the printer says by itself, until it is time to look again.
// It returns the status that was said, or else the one given.
func (p *Printer) listen(ctx context.Context, s device.Status) (device.Status, error) {
	pause := look
	if p.mouth.held {
		pause = min(handTime, max(p.overdue(), peek))
	}
	brief, cancel := context.WithTimeout(ctx, pause)
	defer cancel()
	for {
		p.in.autos = 0
		err := p.read(brief, func() bool { return p.in.autos > 0 })
		switch {
		case ctx.Err() != nil:
			return s, ctx.Err()
		case errors.Is(err, context.DeadlineExceeded):
			return s, nil
		case err != nil:
			return s, err
		}
		if said := automatic(p.in.auto).status(); said != s {
			return said, nil
		}
	}
}

// outlive returns a context that ends d after ctx does.
func outlive(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	later, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(d, cancel) })
	return later, func() { stop(); cancel() }
}
