// Package ipp prints documents on office printers: on a queue of CUPS, or on a
// printer that speaks IPP itself. It follows each job to its end on paper, and
// takes back what has not printed, so that no sheet comes out for somebody
// else later.
package ipp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/OpenPrinting/goipp"

	"parvis/device"
	"parvis/device/printer"
	"parvis/device/printer/a4"
)

// Options are the patience of a Printer. Zero values mean the defaults.
type Options struct {
	Answer time.Duration // longest wait for one answer; default 5 s
	// Mend is how long a fault may last while a job is under way: paper is
	// soon refilled, a cover soon closed, and some printers report trouble in
	// passing. Default 10 s.
	Mend time.Duration
	// Progress is how long a job may show no progress; a laser printer warms
	// up for half a minute. Default 60 s.
	Progress time.Duration
	// TLS is for ipps addresses; nil asks for a certificate that the system
	// trusts, which few printers have.
	TLS *tls.Config
}

const (
	watchIdle = 2 * time.Second // between two looks at an idle printer
	watchBusy = time.Second     // and at one that prints
)

// Printer is an office printer. It implements printer.Printer.
type Printer struct {
	target  target
	invalid error // why the address is none
	options Options
	client  *http.Client
	// device asks printers behind a queue how they are, and cancels what they
	// still hold. No document goes this way, so any certificate will do.
	device *http.Client

	turn chan struct{} // holds a token while nobody prints

	mu    sync.Mutex // guards stray
	stray []job      // may still print by themselves
}

// New makes a Printer for an address such as "ipp://localhost:631/printers/A4",
// a queue of CUPS, or "ipp://192.0.2.7/ipp/print", a printer; ipps too. An
// address that is none is said by the first use.
func New(uri string, options Options) *Printer {
	if options.Answer == 0 {
		options.Answer = 5 * time.Second
	}
	if options.Mend == 0 {
		options.Mend = 10 * time.Second
	}
	if options.Progress == 0 {
		options.Progress = time.Minute
	}
	p := &Printer{
		options: options,
		client:  newClient(options.TLS),
		device:  newClient(&tls.Config{InsecureSkipVerify: true}),
		turn:    make(chan struct{}, 1),
	}
	p.target, p.invalid = parse(uri)
	p.turn <- struct{}{}
	return p
}

// Print implements printer.Printer.
func (p *Printer) Print(ctx context.Context, doc printer.Document) error {
	pdf, err := a4.Render(doc)
	if err != nil {
		return &printer.Error{Fault: device.Unprintable, Printed: printer.Nothing, Err: err}
	}
	select {
	case <-p.turn:
		defer func() { p.turn <- struct{}{} }()
	case <-ctx.Done():
		return &printer.Error{Fault: device.Interrupted, Printed: printer.Nothing, Err: ctx.Err()}
	}
	s, err := p.look(ctx)
	if err != nil {
		return err
	}
	if s.State == device.Unknown {
		s.Fault = device.Silent
	}
	if !s.Ready() {
		return &printer.Error{Fault: s.Fault, Printed: printer.Nothing, Err: errors.New(s.Cause)}
	}
	return p.run(ctx, pdf)
}

// Status implements printer.Printer.
func (p *Printer) Status(ctx context.Context) (device.Status, error) {
	return p.look(ctx)
}

// Serve implements printer.Printer. It looks every two seconds, every second
// while the printer prints.
func (p *Printer) Serve(ctx context.Context, report func(device.Status)) error {
	var told device.Status
	doubted := false
	for first := true; ; {
		s, err := p.look(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		wait := watchIdle
		if s.State == device.Busy {
			wait = watchBusy
		}
		// CUPS says so whenever it begins to print; it is true if it lasts.
		doubted = s.Fault == device.Silent && told.Fault != device.Silent && !doubted
		switch {
		case doubted:
			wait = watchBusy
		case first || s != told:
			report(s)
			told, first = s, false
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close implements printer.Printer. No line is held between two questions.
func (p *Printer) Close() error { return nil }

// ask puts one request to the printer or its queue.
func (p *Printer) ask(ctx context.Context, m *goipp.Message) (*goipp.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, p.options.Answer)
	defer cancel()
	return exchange(ctx, p.client, p.target, m, nil)
}

// describe asks how a printer or a queue is.
func describe(t target) *goipp.Message {
	return request(t, goipp.OpGetPrinterAttributes, wanted(
		"printer-state", "printer-state-reasons", "printer-is-accepting-jobs",
		"marker-levels", "marker-low-levels", "marker-types",
		"device-uri", "document-format-supported", "operations-supported",
	))
}

// look asks how the printer is.
func (p *Printer) look(ctx context.Context) (device.Status, error) {
	if p.invalid != nil {
		return device.Status{}, &printer.Error{Fault: device.Unplugged, Printed: printer.Nothing, Err: p.invalid}
	}
	p.recall(ctx)
	answer, err := p.ask(ctx, describe(p.target))
	if err != nil {
		return device.Status{}, p.failed(ctx, err)
	}
	s := statusOf(answer.Printer)
	if lacking := lacks(answer.Printer); lacking != nil {
		return device.Hardware.With(lacking), nil
	}
	if !p.target.cups {
		return withPaper(s), nil
	}
	return p.behind(ctx, s, backendOf(answer.Printer)), nil
}

// backendOf is the printer behind a queue, or nil where that does not speak
// IPP: on USB, say, the queue knows all that is known.
func backendOf(a goipp.Attributes) *target {
	for _, uri := range keywords(a, "device-uri") {
		if t, err := parse(uri); err == nil {
			return &t
		}
	}
	return nil
}

// behind asks the printer behind a queue of CUPS. An idle queue knows nothing
// of its printer, and one that is stopped or at work knows better.
func (p *Printer) behind(ctx context.Context, queue device.Status, t *target) device.Status {
	if t == nil || queue.State == device.Busy || queue.Fault == device.Stopped || queue.Fault == device.Hardware {
		return queue
	}
	ctx, cancel := context.WithTimeout(ctx, p.options.Answer)
	defer cancel()
	answer, err := exchange(ctx, p.device, *t, describe(*t), nil)
	if err == nil {
		return withPaper(statusOf(answer.Printer))
	}
	e := t.failure(err)
	switch e.Fault {
	case device.Unplugged, device.Silent:
		return e.Fault.With(e.Err)
	}
	return queue // it wants a password, say, which CUPS has
}

// withPaper says that a printer has paper if it is ready and has not complained.
func withPaper(s device.Status) device.Status {
	if s.Ready() && s.Paper == device.PaperUnknown {
		s.Paper = device.PaperFull
	}
	return s
}

// lacks tells why a printer can never print our documents, if it says so.
func lacks(a goipp.Attributes) error {
	ops := integers(a, "operations-supported")
	for _, op := range []goipp.Op{goipp.OpCreateJob, goipp.OpSendDocument} {
		if len(ops) > 0 && !slices.Contains(ops, int(op)) {
			return fmt.Errorf("the printer does not know %s: print through a queue of CUPS", op)
		}
	}
	formats := keywords(a, "document-format-supported")
	if len(formats) > 0 && !slices.Contains(formats, pdfType) {
		return errors.New("the printer takes no PDF: print through a queue of CUPS")
	}
	return nil
}

// failed is failure, or that the caller has given up.
func (p *Printer) failed(ctx context.Context, err error) *printer.Error {
	e := p.target.failure(err)
	if ctx.Err() != nil {
		e.Fault, e.Err = device.Interrupted, ctx.Err()
	}
	return e
}
