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
	// patience is how long a printer may take nothing and say nothing while it
	// prints: with a full buffer it hears no question before it has made room.
	patience = 8 * time.Second
	// longestCommand is the longest that the encoder ever writes, in bytes: the
	// data of a QR code.
	longestCommand = 8 + 2331
)

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
	if !p.unsure {
		if err := p.spare(ctx); err != nil {
			return err
		}
		return p.empty(ctx)
	}
	if err := p.empty(ctx); err != nil {
		return err
	}
	if err := p.settle(ctx); err != nil || !p.model.presents() {
		return err
	}
	// What the printer finished meanwhile hangs in the mouth now.
	if err := p.well(ctx); err != nil {
		return err
	}
	return p.empty(ctx)
}

// well asks the printer how it is, and fails where it cannot print.
func (p *Printer) well(ctx context.Context) error {
	s, err := p.ask(ctx)
	if err == nil && !s.Ready() {
		err = &printer.Error{Fault: s.Fault}
	}
	return err
}

// tear notes that the printer may still wait for n bytes of a command.
func (p *Printer) tear(n int) {
	p.unsure, p.torn, p.mended = true, max(p.torn, n), false
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
	p.mended = p.torn > 0
	if p.model.Completion {
		err := p.replies(ctx)
		if p.torn == 0 && errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			// It answers DLE EOT: so it takes GS r for the rest of a
			// command that lost some bytes on the way.
			p.tear(longestCommand)
		}
		if err != nil {
			return err
		}
	}
	p.unsure, p.torn = false, 0
	return nil
}

// replies waits for a reply to GS r, and for those of earlier ones: as long as
// the end of an earlier job may last.
func (p *Printer) replies(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.patience)
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
	p.tear(j.longest)
	p.tells = p.model.AutoStatus // the job begins so
	if err != nil {
		return printer.Maybe, err
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

// complete waits for the end of the job. When the printer says that something
// changed, and from time to time, it asks how the printer is; but never while an
// answer is late, since a printer at work may only hear the question when it has
// made room for it.
func (p *Printer) complete(ctx context.Context) error {
	if !p.model.Completion {
		return p.well(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, p.options.Complete)
	defer cancel()
	p.heard = time.Now()
	for {
		err := p.await(ctx)
		if err == nil && p.in.done == 0 && !p.late {
			err = p.well(ctx)
			if p.late && errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
				err = nil
			}
		}
		if err == nil && p.late {
			err = p.bear()
		}
		switch {
		case p.in.done > 0:
			return nil
		case err != nil:
			return err
		}
	}
}

// await waits for the reply to GS r, or until there is something to look at.
func (p *Printer) await(ctx context.Context) error {
	brief, cancel := context.WithTimeout(ctx, watch)
	defer cancel()
	p.in.autos = 0
	err := p.read(brief, func() bool { return p.in.done > 0 || p.in.autos > 0 || p.late && p.in.answered() })
	if p.in.answered() {
		p.late = false
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil
	}
	return err
}

// bear puts up with a printer that owes an answer, as long as it says nothing bad
// by itself and patience lasts.
func (p *Printer) bear() error {
	if p.in.autos > 0 {
		if s := automatic(p.in.auto).status(); !s.Ready() {
			return &printer.Error{Fault: s.Fault}
		}
	}
	if time.Since(p.heard) > p.patience {
		return context.DeadlineExceeded
	}
	return nil
}

// write hands b over in pieces.
func (p *Printer) write(ctx context.Context, b []byte) (int, error) {
	done := 0
	for piece := range slices.Chunk(b, p.model.Piece) {
		n, err := p.hand(ctx, piece)
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// hand hands over a piece. A printer that takes none of it may be busy, or may
// have said by itself why it takes no more.
func (p *Printer) hand(ctx context.Context, piece []byte) (int, error) {
	give := time.Now().Add(p.patience)
	for done := 0; ; {
		try, cancel := context.WithTimeout(ctx, p.options.Answer)
		n, err := p.line.Write(try, piece[done:])
		cancel()
		done += n
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return done, err
		}
		if why := p.complaint(ctx); why != nil {
			return done, &printer.Error{Fault: why.Fault, Err: err}
		}
		if time.Now().After(give) {
			return done, err
		}
	}
}

// complaint is what the printer has said by itself that keeps it from printing;
// nil is nothing.
func (p *Printer) complaint(ctx context.Context) *printer.Error {
	brief, cancel := context.WithTimeout(ctx, watch)
	defer cancel()
	for p.read(brief, func() bool { return p.in.autos > 0 }) == nil {
		p.in.autos = 0
		if s := automatic(p.in.auto).status(); !s.Ready() {
			return &printer.Error{Fault: s.Fault}
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
