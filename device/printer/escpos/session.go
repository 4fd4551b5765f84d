package escpos

import (
	"context"
	"errors"
	"time"

	"parvis/device"
	"parvis/device/printer"
	"parvis/device/transport"
)

const (
	quiet = 200 * time.Millisecond // silence after which no reply is still to come
	lull  = 100 * time.Millisecond // silence amid an answer after which its rest is lost
)

// drop closes the line, if open.
func (p *Printer) drop() error {
	if p.line == nil {
		return nil
	}
	err := p.line.Close()
	p.line, p.tells, p.late = nil, false, false
	return err
}

// connect makes sure of a line that lives, and asks the printer how it is.
func (p *Printer) connect(ctx context.Context) (device.Status, error) {
	if err := p.hush(ctx); err != nil {
		return device.Status{}, err
	}
	if err := p.dial(ctx); err != nil {
		return device.Status{}, err
	}
	p.in = inbox{custom: p.model.Status == StatusCustom}
	return p.ask(ctx)
}

// dial makes sure of a line that lives, with nothing in it.
func (p *Printer) dial(ctx context.Context) error {
	if p.line != nil && p.line.Discard() != nil {
		_ = p.drop() // the line is gone; there is nothing to save
	}
	if p.line != nil {
		return nil
	}
	line, err := p.open(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return &printer.Error{Fault: transport.OpenFault(err), Err: err}
	}
	p.line, p.unsure = line, true
	return line.Discard()
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
			s = p.mouthed(s, f.mouth())
		}
		p.seen = s
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
	p.seen = a.status()
	return p.seen, nil
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
		p.tear(len(b))
	}
	return err
}

// read sorts what comes until enough says so.
func (p *Printer) read(ctx context.Context, enough func() bool) error {
	buf := make([]byte, 64)
	for !enough() {
		asked := time.Now()
		n, err := p.line.Read(ctx, buf)
		p.silence += time.Since(asked) // what had come before we looked is not late
		if err != nil {
			return err
		}
		if p.silence > lull {
			p.in.cutShort()
		}
		p.silence, p.heard = 0, time.Now()
		for _, c := range buf[:n] {
			p.in.take(c)
		}
	}
	return nil
}
