package ipp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/OpenPrinting/goipp"

	"parvis/device"
	"parvis/device/printer"
)

const (
	pdfType = "application/pdf"
	paper   = "iso_a4_210x297mm" // PWG 5101.1

	pollSoon = 250 * time.Millisecond // between two looks at a young job
	poll     = time.Second            // and at one of some seconds
	young    = 8                      // looks
	takeBack = 5 * time.Second        // longest wait for a job to be cancelled

	// orphaned is when CUPS itself cancels a job that prints and prints, in
	// seconds, should we no longer be there to do it.
	orphaned = 300
)

// job is one document that a printer has taken. The name tells it from another
// of the same number, after a printer has been switched off.
type job struct {
	id   int
	name string
}

// The states of a job (RFC 8011, 5.3.7).
const (
	jobHeld       = 4
	jobProcessing = 5
	jobStopped    = 6
	jobCanceled   = 7
	jobAborted    = 8
	jobCompleted  = 9
)

// progress is how far a job has come.
type progress struct {
	state  int
	sheets int
	why    string
}

func (p progress) ended() bool { return p.state >= jobCanceled && p.state <= jobCompleted }

// printed tells whether all is on paper.
func (p progress) printed() bool {
	return p.state == jobCompleted && !strings.Contains(p.why, "job-completed-with-errors")
}

// run prints a PDF: once, and to the end.
func (p *Printer) run(ctx context.Context, pdf []byte) error {
	j, err := p.create(ctx)
	if err != nil {
		return err
	}
	if err := p.send(ctx, j, pdf); err != nil {
		var no refused
		arrived := !errors.As(err, &no) // or it may have, in part
		return p.giveUp(ctx, j, arrived, p.failed(ctx, err))
	}
	return p.follow(ctx, j)
}

// create makes a job without a document, which prints nothing: should the
// answer be lost, nothing is. A printer that does one thing at a time is asked
// again until it has done it.
func (p *Printer) create(ctx context.Context) (job, error) {
	name := "Parvis-" + rand.Text()[:10]
	m := request(p.target, goipp.OpCreateJob, goipp.MakeAttribute("job-name", goipp.TagName, goipp.String(name)))
	m.Job = goipp.Attributes{
		goipp.MakeAttribute("media", goipp.TagKeyword, goipp.String(paper)),
		goipp.MakeAttribute("print-scaling", goipp.TagKeyword, goipp.String("none")),
		goipp.MakeAttribute("job-cancel-after", goipp.TagInteger, goipp.Integer(orphaned)),
	}
	for since := time.Now(); ; {
		answer, err := p.ask(ctx, m)
		var no refused
		busy := errors.As(err, &no) && no.status == goipp.StatusErrorBusy && time.Since(since) < p.options.Progress
		switch {
		case err != nil && !busy:
			return job{}, p.failed(ctx, err)
		case err == nil:
			id, ok := integer(answer.Job, "job-id")
			if !ok {
				return job{}, &printer.Error{Fault: device.Silent, Printed: printer.Nothing, Err: errors.New("the answer holds no job-id")}
			}
			return job{id, name}, nil
		}
		select {
		case <-time.After(poll):
		case <-ctx.Done():
			return job{}, p.failed(ctx, ctx.Err())
		}
	}
}

// send hands over the document. A printer may take it no faster than it prints.
func (p *Printer) send(ctx context.Context, j job, pdf []byte) error {
	ctx, cancel := context.WithTimeout(ctx, p.options.Progress)
	defer cancel()
	m := p.about(goipp.OpSendDocument, j,
		goipp.MakeAttribute("document-format", goipp.TagMimeType, goipp.String(pdfType)),
		goipp.MakeAttribute("last-document", goipp.TagBoolean, goipp.Boolean(true)),
	)
	_, err := exchange(ctx, p.client, p.target, m, pdf)
	return err
}

// about begins an operation on a job.
func (p *Printer) about(op goipp.Op, j job, more ...goipp.Attribute) *goipp.Message {
	id := goipp.MakeAttribute("job-id", goipp.TagInteger, goipp.Integer(j.id))
	return request(p.target, op, slices.Insert(more, 0, id)...)
}

// errForgotten is a job that the printer no longer knows.
var errForgotten = errors.New("the printer no longer knows the job")

// at asks how far a job has come.
func (p *Printer) at(ctx context.Context, j job) (progress, error) {
	answer, err := p.ask(ctx, p.about(goipp.OpGetJobAttributes, j, wanted(
		"job-name", "job-state", "job-state-reasons", "job-impressions-completed", "job-media-sheets-completed")))
	var no refused
	if errors.As(err, &no) && (no.status == goipp.StatusErrorNotFound || no.status == goipp.StatusErrorGone) {
		return progress{}, errForgotten
	}
	if err != nil {
		return progress{}, err
	}
	if name := keywords(answer.Job, "job-name"); len(name) > 0 && name[0] != j.name {
		return progress{}, errForgotten // it was switched off, and counts from 1 again
	}
	state, ok := integer(answer.Job, "job-state")
	if !ok {
		return progress{}, fmt.Errorf("%w: it holds no job-state", errAnswer)
	}
	impressions, _ := integer(answer.Job, "job-impressions-completed")
	sheets, _ := integer(answer.Job, "job-media-sheets-completed")
	return progress{state, max(impressions, sheets), cause(keywords(answer.Job, "job-state-reasons"))}, nil
}

// follow waits until a job has ended, or gives up: when a fault lasts, or when
// nothing happens any more.
func (p *Printer) follow(ctx context.Context, j job) error {
	var most progress              // it ever made
	var fault *printer.Error       // that keeps the job from going on
	var since time.Time            // of the fault
	var idle, faulty time.Duration // without a fault and with one, since it last moved
	looked := time.Now()
	started := false
	for n := 0; ; n++ {
		now, err := p.at(ctx, j)
		if ctx.Err() != nil {
			return p.giveUp(ctx, j, started, p.failed(ctx, ctx.Err()))
		}
		if errors.Is(err, errForgotten) {
			// It has ended, but nobody can tell how.
			return &printer.Error{Fault: device.Silent, Printed: printer.Maybe, Err: err}
		}
		if e := p.died(err); e != nil {
			return p.giveUp(ctx, j, true, e)
		}
		started = started || err != nil || now.state >= jobProcessing || now.sheets > 0
		if err == nil && now.ended() {
			return p.ended(ctx, now)
		}
		// A fault that comes and goes changes the job's reasons, and its state
		// back and forth: that is no progress.
		passed := time.Since(looked)
		looked = looked.Add(passed)
		switch {
		case err == nil && (now.state > most.state || now.sheets > most.sheets):
			most.state, most.sheets = max(now.state, most.state), max(now.sheets, most.sheets)
			idle, faulty = 0, 0
		case fault == nil:
			idle += passed
		default:
			faulty += passed
		}
		before := fault
		fault = p.obstacle(ctx, now, err)
		switch {
		case fault == nil && idle > p.options.Progress:
			late := fmt.Errorf("the job made no progress for %s", p.options.Progress)
			return p.giveUp(ctx, j, started, &printer.Error{Fault: device.Silent, Err: late})
		case fault != nil && faulty > p.options.Mend+p.options.Progress:
			return p.giveUp(ctx, j, started, fault)
		case fault != nil && before == nil:
			since = time.Now()
		case fault != nil && time.Since(since) > p.options.Mend:
			return p.giveUp(ctx, j, started, fault)
		}
		pause := poll
		if n < young {
			pause = pollSoon
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// died tells whether CUPS itself has gone. Once it is back it sends the whole
// document again, whatever the printer has made of it: no use waiting for that.
func (p *Printer) died(err error) *printer.Error {
	if err == nil || !p.target.cups {
		return nil
	}
	e := p.target.failure(err)
	if e.Fault != device.NoService && e.Fault != device.Unplugged {
		return nil
	}
	return e
}

// obstacle tells what keeps a job from going on, if anything does. While paper
// is out a job still says that it is processing: the printer is asked too.
func (p *Printer) obstacle(ctx context.Context, now progress, err error) *printer.Error {
	if err != nil {
		return p.failed(ctx, err)
	}
	s, err := p.look(ctx)
	var known *printer.Error
	switch {
	case errors.As(err, &known):
		return known
	case s.State != device.Unknown && !s.Ready():
		return &printer.Error{Fault: s.Fault, Err: errors.New(s.Cause)}
	case now.state == jobHeld || now.state == jobStopped:
		return &printer.Error{Fault: device.Stopped, Err: errors.New("job: " + now.why)}
	}
	return nil
}

// ended says what became of a job that ended without us.
func (p *Printer) ended(ctx context.Context, now progress) error {
	if now.printed() {
		return nil
	}
	e := &printer.Error{Fault: device.Hardware, Printed: printer.Maybe, Err: errors.New("job: " + now.why)}
	switch {
	case strings.Contains(now.why, "document-"), strings.Contains(now.why, "unsupported-"):
		e.Fault = device.Unprintable
	case now.state == jobCanceled:
		e.Fault = device.Stopped // by a person at the printer, or on this machine
	}
	if s, err := p.look(ctx); err == nil && s.State != device.Unknown && !s.Ready() {
		e.Fault = s.Fault
	}
	return e
}

// giveUp cancels a job because of e, and says what may be on paper. Should the
// job have been completed meanwhile, all is well.
func (p *Printer) giveUp(ctx context.Context, j job, started bool, e *printer.Error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeBack)
	defer cancel()
	end, err := p.cancel(ctx, j)
	switch {
	case err == nil && end.printed():
		return nil
	case err == nil && !started && end.sheets == 0:
		e.Printed = printer.Nothing
	default:
		e.Printed = printer.Maybe
	}
	if err != nil {
		p.mu.Lock()
		p.stray = append(p.stray, j)
		p.mu.Unlock()
		e.Err = fmt.Errorf("%w; and the job could not be cancelled: %w", e.Err, err)
	}
	return e
}
