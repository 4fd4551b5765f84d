package escpos

import (
	"context"
	"runtime"
	"sync"
	"time"

	"parvis/device"
	"parvis/device/printer"
	"parvis/device/transport"
)

// Options are the model of a Printer and our patience with it. Zero values mean
// the defaults.
type Options struct {
	Model    Model         // default: the one named Default
	Answer   time.Duration // longest wait for a status, and for the line to take a piece; default 1 s
	Complete time.Duration // longest wait for the end of a ticket after its last byte; default 20 s
}

// Printer is a ticket printer at the end of a line. It implements
// printer.Printer.
//
// A model with Model.Completion answers in its turn that it has done all of a
// ticket: Print's success is then sure. Of the others Print only knows that every
// byte has left and that the printer was well after that: what it had not yet
// printed by then, at most its own buffer, may still meet the end of the paper.
type Printer struct {
	open    transport.Opener
	options Options
	model   Model

	encoding sync.Mutex // guards encoder
	encoder  *Encoder

	began chan device.Status // tells Serve that a ticket goes out, and how the printer was

	mu      sync.Mutex
	waiting int                // how many want the turn, save Serve
	yield   context.CancelFunc // makes Serve give the turn back; nil while it has not

	patience time.Duration // with a printer at work

	turn chan struct{} // holds a token while nobody uses what follows
	line transport.Line
	in   inbox
	// unsure means that the printer may still hold, and answer for, an
	// earlier job: one we did not see the end of, or from before we opened
	// the line.
	unsure bool
	// torn is how many bytes the printer may still be waiting for to end a
	// command that the line has lost the end of. What it has printed is not
	// cut off then.
	torn   int
	mended bool // the printer was sent what should end that command
	late   bool // a question was not answered yet
	tells  bool // the automatic status is on
	mouth  mouth

	seen    device.Status // the last answer to our questions
	heard   time.Time     // the last byte came
	silence time.Duration // spent waiting since
}

// New makes a Printer that opens its line when first used, and again when it
// was lost.
func New(open transport.Opener, options Options) *Printer {
	if options.Model == (Model{}) {
		m, err := LoadModel(Default)
		if err != nil {
			panic(err) // the program was built with a wrong file
		}
		options.Model = m
	}
	if options.Answer == 0 {
		options.Answer = time.Second
	}
	if options.Complete == 0 {
		options.Complete = 20 * time.Second
	}
	p := &Printer{
		open: open, options: options, model: options.Model, encoder: NewEncoder(options.Model),
		patience: min(patience, options.Complete),
		began:    make(chan device.Status, 1), turn: make(chan struct{}, 1),
	}
	p.turn <- struct{}{}
	return p
}

// Print implements printer.Printer. It sends the document once, and never
// again by itself. Where there is a presenter it returns once the ticket is held
// out; Serve draws it back if nobody takes it in time, or else the next Print does
// so first.
func (p *Printer) Print(ctx context.Context, doc printer.Document) error {
	job, err := p.encode(doc)
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
	select {
	case p.began <- p.seen:
	default: // Serve has not heard of the one before either
	}
	if printed, err := p.send(ctx, job); err != nil {
		return p.failed(ctx, printed, err)
	}
	return nil
}

func (p *Printer) encode(doc printer.Document) (job, error) {
	p.encoding.Lock()
	defer p.encoding.Unlock()
	return p.encoder.encode(doc)
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
	if err := p.take(context.Background()); err != nil {
		return err
	}
	defer p.release()
	return p.drop()
}

// take gets the line for its caller. Serve gives it back at once.
func (p *Printer) take(ctx context.Context) error {
	p.want(1)
	defer p.want(-1)
	select {
	case <-p.turn:
		return nil
	case <-ctx.Done():
		return &printer.Error{Fault: device.Interrupted, Printed: printer.Nothing, Err: ctx.Err()}
	}
}

func (p *Printer) want(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting += n
	if n > 0 && p.yield != nil {
		p.yield()
	}
}

func (p *Printer) release() { p.turn <- struct{}{} }

// borrow gets the line for Serve while nobody else wants it. The context it
// returns ends when somebody does; the line is then to be given back. Meanwhile
// busy is called each time a ticket goes out, with how the printer was just before.
func (p *Printer) borrow(ctx context.Context, busy func(device.Status)) (context.Context, error) {
	for {
		select {
		case seen := <-p.began:
			busy(seen)
			continue
		case <-p.turn:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if hold, ok := p.hold(ctx); ok {
			return hold, nil
		}
		p.release()
		runtime.Gosched() // whoever wants it is about to take it
	}
}

func (p *Printer) hold(ctx context.Context) (context.Context, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting > 0 || len(p.began) > 0 {
		return nil, false
	}
	hold, cancel := context.WithCancel(ctx)
	p.yield = cancel
	return hold, true
}

// giveBack ends what borrow began.
func (p *Printer) giveBack() {
	p.mu.Lock()
	p.yield()
	p.yield = nil
	p.mu.Unlock()
	p.release()
}
