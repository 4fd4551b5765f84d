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

// Options are the patience of a Printer. Zero values mean the defaults.
type Options struct {
	Answer   time.Duration // longest wait for a status; default 1 s
	Complete time.Duration // longest wait for a whole ticket; default 20 s
}

const (
	watch = 300 * time.Millisecond // between two questions while it prints
	quiet = 200 * time.Millisecond // silence after which no reply is still to come

	settled = 1800 * time.Millisecond // longest wait for an earlier job to end
)

// Printer is a ticket printer at the end of a line. It implements
// printer.Printer.
type Printer struct {
	open    transport.Opener
	options Options

	turn chan struct{} // holds a token while nobody uses what follows
	line transport.Line
	in   inbox
	// unsure means that the printer may still hold, and answer for, an
	// earlier job: one we did not see the end of, or from before we opened
	// the line.
	unsure bool
	// torn is the length of a job the line may have lost the end of. The
	// printer may be waiting for the rest of a command, and what it has
	// printed is not cut off.
	torn int
}

// New makes a Printer that opens its line when first used, and again when it
// was lost.
func New(open transport.Opener, options Options) *Printer {
	if options.Answer == 0 {
		options.Answer = time.Second
	}
	if options.Complete == 0 {
		options.Complete = 20 * time.Second
	}
	p := &Printer{open: open, options: options, turn: make(chan struct{}, 1)}
	p.turn <- struct{}{}
	return p
}

// Print implements printer.Printer. It sends the document once, and never
// again by itself.
func (p *Printer) Print(ctx context.Context, doc printer.Document) error {
	job, err := Encode(doc)
	if err != nil {
		return &printer.Error{Fault: device.Unprintable, Printed: printer.Nothing, Err: err}
	}
	if err := p.take(ctx); err != nil {
		return err
	}
	defer p.release()
	if err := p.prepare(ctx); err != nil {
		return p.failed(ctx, printer.Nothing, err)
	}
	if printed, err := p.send(ctx, job); err != nil {
		return p.failed(ctx, printed, err)
	}
	return nil
}

// Status implements printer.Printer.
func (p *Printer) Status(ctx context.Context) (device.Status, error) {
	if err := p.take(ctx); err != nil {
		return device.Status{}, err
	}
	defer p.release()
	s, err := p.connect(ctx)
	if err != nil {
		return device.Status{}, p.failed(ctx, printer.Nothing, err)
	}
	return s, nil
}

// Close implements printer.Printer. It waits for a Print that is under way.
func (p *Printer) Close() error {
	<-p.turn
	defer p.release()
	return p.drop()
}

func (p *Printer) take(ctx context.Context) error {
	select {
	case <-p.turn:
		return nil
	case <-ctx.Done():
		return &printer.Error{Fault: device.Interrupted, Printed: printer.Nothing, Err: ctx.Err()}
	}
}

func (p *Printer) release() { p.turn <- struct{}{} }

// drop closes the line, if open.
func (p *Printer) drop() error {
	if p.line == nil {
		return nil
	}
	err := p.line.Close()
	p.line = nil
	return err
}

// connect makes sure of a line that lives, and asks the printer how it is.
func (p *Printer) connect(ctx context.Context) (device.Status, error) {
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
	p.in = inbox{}
	return p.ask(ctx)
}

// ask puts the questions of DLE EOT, one after the other since the replies do
// not say which question they answer.
func (p *Printer) ask(ctx context.Context) (device.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, p.options.Answer)
	defer cancel()
	var a answers
	for _, n := range []byte{askPrinter, askOffline, askPaper, askError} {
		if n == askError && a[askOffline]&0x40 == 0 {
			continue
		}
		p.in.realtime = p.in.realtime[:0]
		if _, err := p.line.Write(ctx, []byte{dle, 4, n}); err != nil {
			return device.Status{}, err
		}
		if err := p.read(ctx, func() bool { return len(p.in.realtime) > 0 }); err != nil {
			return device.Status{}, err
		}
		a[n] = p.in.realtime[0]
	}
	return a.status(), nil
}

// prepare leads to a printer that can print and holds nothing of earlier jobs.
// It prints nothing.
func (p *Printer) prepare(ctx context.Context) error {
	s, err := p.connect(ctx)
	if err != nil {
		return err
	}
	if !s.Ready() {
		return &printer.Error{Fault: s.Fault}
	}
	if !p.unsure {
		return nil
	}
	return p.settle(ctx)
}

// settle waits until the printer has answered for everything it was ever sent,
// so that an old reply cannot pass for the completion of the next ticket.
func (p *Printer) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settled)
	defer cancel()
	var b []byte
	if p.torn > 0 {
		// NULs end whatever command was cut short, and print nothing. Then
		// the stump of the old ticket is cut off.
		b = append(make([]byte, p.torn), esc, '@', gs, 'V', 66, cutMargin)
	}
	p.in.done = 0
	if _, err := p.write(ctx, append(b, gs, 'r', 1)); err != nil {
		return err
	}
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
	p.unsure, p.torn = false, 0
	return nil
}

// send hands over the job and waits until the printer has answered the
// question at its end. It tells what may be on paper.
func (p *Printer) send(ctx context.Context, job []byte) (printer.Printed, error) {
	ctx, cancel := context.WithTimeout(ctx, p.options.Complete)
	defer cancel()
	p.in.done = 0
	all := append(job, gs, 'r', 1)
	n, err := p.write(ctx, all)
	if n == 0 && err != nil {
		return printer.Nothing, err
	}
	p.unsure, p.torn = true, len(job)
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

// complete waits for the answer to the question behind the job, and from time
// to time asks how the printer is.
func (p *Printer) complete(ctx context.Context) error {
	for p.in.done == 0 {
		look, done := context.WithTimeout(ctx, watch)
		err := p.read(look, func() bool { return p.in.done > 0 })
		late := look.Err() != nil && ctx.Err() == nil
		done()
		if err != nil && !(late && errors.Is(err, context.DeadlineExceeded)) {
			return err
		}
		if err != nil {
			s, err := p.ask(ctx)
			if err != nil {
				return err
			}
			if p.in.done == 0 && !s.Ready() {
				return &printer.Error{Fault: s.Fault}
			}
		}
	}
	return nil
}

// write hands b over in pieces, and gives up when a piece does not leave for as
// long as an answer may last.
func (p *Printer) write(ctx context.Context, b []byte) (int, error) {
	done := 0
	for piece := range slices.Chunk(b, 256) {
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
		fault.Fault, fault.Err = device.Silent, errors.New("no answer within the time allowed")
	default:
		fault.Fault = device.Unplugged
	}
	if p.torn > 0 || fault.Fault == device.Unplugged || fault.Fault == device.Silent {
		_ = p.drop() // the fault already says that the line is of no use
	}
	return fault
}

// Serve implements printer.Printer.
func (p *Printer) Serve(ctx context.Context, report func(device.Status)) error {
	<-ctx.Done()
	return ctx.Err()
}
