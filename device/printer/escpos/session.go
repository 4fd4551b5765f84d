package escpos

import (
	"context"
	"errors"
	"slices"
	"time"

	"parvis/device"
	"parvis/device/printer"
	"parvis/device/transport"
)

const (
	watch = 300 * time.Millisecond // between two questions while it prints
	quiet = 200 * time.Millisecond // silence after which no reply is still to come
)

// drop closes the line, if open.
func (p *Printer) drop() error {
	if p.line == nil {
		return nil
	}
	err := p.line.Close()
	p.line, p.tells = nil, false
	return err
}

// connect makes sure of a line that lives, and asks the printer how it is.
func (p *Printer) connect(ctx context.Context) (device.Status, error) {
	if err := p.hush(ctx); err != nil {
		return device.Status{}, err
	}
	if p.line != nil && p.line.Discard() != nil {
		_ = p.drop() // the line is gone; there is nothing to save
	}
	if p.line == nil {
		line, err := p.open()
		if err != nil {
			return device.Status{}, &printer.Error{Fault: device.Unplugged, Err: err}
		}
		p.line, p.unsure = line, true
		if err := line.Discard(); err != nil {
			return device.Status{}, err
		}
	}
	p.in = inbox{custom: p.model.Status == StatusCustom}
	return p.ask(ctx)
}

// hush waits until an answer that is overdue cannot come any more: it would
// pass for that to the next question.
func (p *Printer) hush(ctx context.Context) error {
	if p.line == nil || !p.late {
		return nil
	}
	brief, cancel := context.WithTimeout(ctx, quiet)
	defer cancel()
	err := p.read(brief, func() bool { return false })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		p.late = false
	}
	return nil // any other error shows in what follows
}

// ask finds out how the printer is.
func (p *Printer) ask(ctx context.Context) (device.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, p.options.Answer)
	defer cancel()
	if p.model.Status == StatusCustom {
		p.in.full = p.in.full[:0]
		if err := p.question(ctx, askFull, func() bool { return len(p.in.full) > 0 }); err != nil {
			return device.Status{}, err
		}
		f := p.in.full[0]
		s := f.status()
		if p.model.presents() {
			s.Media = p.mouth.see(f.mouth(), time.Now())
		}
		return s, nil
	}
	a, err := p.questions(ctx)
	if err == nil && a.unexplained() {
		// Somebody may have shut the cover between two questions.
		a, err = p.questions(ctx)
	}
	if err != nil {
		return device.Status{}, err
	}
	return a.status(), nil
}

// questions puts those of DLE EOT 1 to 4, one after the other since the replies
// do not say what they answer.
func (p *Printer) questions(ctx context.Context) (a answers, err error) {
	for _, n := range []byte{askPrinter, askOffline, askPaper, askError} {
		if n == askError && a[askOffline]&0x40 == 0 {
			continue
		}
		p.in.realtime = p.in.realtime[:0]
		if err := p.question(ctx, n, func() bool { return len(p.in.realtime) > 0 }); err != nil {
			return a, err
		}
		a[n] = p.in.realtime[0]
	}
	return a, nil
}

// question sends DLE EOT n and waits for the answer.
func (p *Printer) question(ctx context.Context, n byte, answered func() bool) error {
	p.late = true
	if err := p.command(ctx, dle, 4, n); err != nil {
		return err
	}
	if err := p.read(ctx, answered); err != nil {
		return err
	}
	p.late = false
	return nil
}

// command sends a few bytes that are worth nothing in part.
func (p *Printer) command(ctx context.Context, b ...byte) error {
	n, err := p.line.Write(ctx, b)
	if n > 0 && n < len(b) {
		p.unsure, p.torn = true, max(p.torn, len(b))
	}
	return err
}

// prepare leads to a printer that can print, holds nothing of earlier jobs and
// shows nobody else's ticket. It prints nothing.
func (p *Printer) prepare(ctx context.Context) error {
	s, err := p.connect(ctx)
	if err != nil {
		return err
	}
	if !s.Ready() {
		return &printer.Error{Fault: s.Fault}
	}
	if err := p.empty(ctx); err != nil {
		return err
	}
	if !p.unsure {
		return nil
	}
	return p.settle(ctx)
}

// settle waits until the printer has answered for everything it was ever sent,
// so that an old reply cannot pass for the completion of the next ticket.
func (p *Printer) settle(ctx context.Context) error {
	var b []byte
	if p.torn > 0 {
		// NULs end whatever command was cut short, and print nothing. Then
		// the stump of the old ticket is cut off, and not handed out.
		b = append(make([]byte, p.torn), esc, '@')
		b = append(append(b, p.model.cut()...), p.model.Presenter.clear()...)
		p.tells = false
	}
	if p.model.Completion {
		b = append(b, gs, 'r', 1)
	}
	p.in.done = 0
	if _, err := p.write(ctx, b); err != nil {
		return err
	}
	if p.model.Completion {
		if err := p.replies(ctx); err != nil {
			return err
		}
	}
	p.unsure, p.torn = false, 0
	return nil
}

// replies waits for a reply to GS r, and for those of earlier ones: as long as
// the end of an earlier job may last.
func (p *Printer) replies(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*p.options.Answer)
	defer cancel()
	if err := p.read(ctx, func() bool { return p.in.done > 0 }); err != nil {
		return err
	}
	for more := true; more; {
		before := p.in.done
		hush, done := context.WithTimeout(ctx, quiet)
		err := p.read(hush, func() bool { return p.in.done > before })
		more = err == nil
		heard := hush.Err() == nil
		done()
		if err != nil && (heard || ctx.Err() != nil) {
			return err
		}
	}
	return nil
}

// send hands over the job and waits for its end. It tells what may be on paper.
func (p *Printer) send(ctx context.Context, j job) (printer.Printed, error) {
	p.in.done, p.in.autos = 0, 0
	all := j.data
	if p.model.Completion {
		all = append(all, gs, 'r', 1)
	}
	n, err := p.write(ctx, all)
	if n == 0 && err != nil {
		return printer.Nothing, err
	}
	p.unsure, p.torn = true, j.longest
	p.tells = p.model.AutoStatus // the job begins so
	if err != nil {
		return printer.Maybe, p.stopped(ctx, err)
	}
	err = p.complete(ctx)
	switch {
	case err == nil:
		p.unsure, p.torn = false, 0
	case !errors.Is(err, transport.ErrGone):
		p.torn = 0 // all of it has left; only a lost line loses bytes after that
	}
	return printer.Maybe, err
}

// stopped finds out why the line takes no more: the printer may have said so by
// itself.
func (p *Printer) stopped(ctx context.Context, err error) error {
	if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		return err
	}
	brief, cancel := context.WithTimeout(ctx, watch)
	defer cancel()
	for p.read(brief, func() bool { return p.in.autos > 0 }) == nil {
		p.in.autos = 0
		if s := automatic(p.in.auto).status(); !s.Ready() {
			return &printer.Error{Fault: s.Fault, Err: err}
		}
	}
	return err
}

// complete waits for the end of the job. When the printer says that something
// changed, and from time to time, it asks how the printer is.
func (p *Printer) complete(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.options.Complete)
	defer cancel()
	for {
		if p.model.Completion {
			if err := p.await(ctx); err != nil || p.in.done > 0 {
				return err
			}
		}
		s, err := p.ask(ctx)
		switch {
		case err != nil:
			return err
		case p.in.done > 0:
			return nil
		case !s.Ready():
			return &printer.Error{Fault: s.Fault}
		case !p.model.Completion:
			return nil
		}
	}
}

// await waits for the reply to GS r, or until it is time to ask.
func (p *Printer) await(ctx context.Context) error {
	brief, cancel := context.WithTimeout(ctx, watch)
	defer cancel()
	err := p.read(brief, func() bool { return p.in.done > 0 || p.in.autos > 0 })
	p.in.autos = 0
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil
	}
	return err
}

// write hands b over in pieces, and gives up when a piece does not leave for as
// long as an answer may last.
func (p *Printer) write(ctx context.Context, b []byte) (int, error) {
	done := 0
	for piece := range slices.Chunk(b, p.model.Piece) {
		try, cancel := context.WithTimeout(ctx, p.options.Answer)
		n, err := p.line.Write(try, piece)
		cancel()
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// read sorts what comes until enough says so.
func (p *Printer) read(ctx context.Context, enough func() bool) error {
	buf := make([]byte, 64)
	for !enough() {
		n, err := p.line.Read(ctx, buf)
		if err != nil {
			return err
		}
		for _, c := range buf[:n] {
			p.in.take(c)
		}
	}
	return nil
}

var errSilent = errors.New("no answer within the time allowed")

// failed turns what went wrong into an *Error, and leaves the line so that
// nothing of the job can still go out by itself.
func (p *Printer) failed(ctx context.Context, printed printer.Printed, err error) error {
	fault := &printer.Error{Printed: printed, Err: err}
	var known *printer.Error
	switch {
	case errors.As(err, &known):
		fault.Fault, fault.Err = known.Fault, known.Err
	case errors.Is(err, transport.ErrGone):
		fault.Fault = device.Unplugged
	case ctx.Err() != nil:
		fault.Fault = device.Interrupted
	case errors.Is(err, context.DeadlineExceeded):
		fault.Fault, fault.Err = device.Silent, errSilent
	default:
		fault.Fault = device.Unplugged
	}
	if p.torn > 0 || fault.Fault == device.Unplugged || fault.Fault == device.Silent {
		_ = p.drop() // the fault already says that the line is of no use
	}
	return fault
}
