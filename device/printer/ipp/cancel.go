package ipp

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/OpenPrinting/goipp"
)

// cancel cancels a job and waits until it has ended. Its answer is how far the
// job came.
func (p *Printer) cancel(ctx context.Context, j job) (progress, error) {
	var now progress
	for asked := false; ; {
		var err error
		if !asked {
			var no refused
			_, err = p.ask(ctx, p.about(goipp.OpCancelJob, j))
			asked = err == nil || errors.As(err, &no) // "not possible": it has ended
		}
		if asked {
			now, err = p.at(ctx, j)
		}
		if asked && err == nil && now.ended() {
			return now, p.clear(ctx, j)
		}
		if err := wait(ctx, err); err != nil {
			return progress{}, err
		}
	}
}

// clear waits until the printer behind a queue holds nothing of a job either.
func (p *Printer) clear(ctx context.Context, j job) error {
	for {
		left, err := p.revoke(ctx, j)
		if err == nil && left == 0 {
			return nil
		}
		if err := wait(ctx, err); err != nil {
			return err
		}
	}
}

// wait waits a little before another try. Once ctx has ended it returns why the
// last one failed.
func wait(ctx context.Context, last error) error {
	select {
	case <-time.After(pollSoon):
		return nil
	case <-ctx.Done():
	}
	if last != nil {
		return last
	}
	return errors.New("it has not ended")
}

// revoke cancels what a printer behind a queue still holds of a job, or may yet
// be given: CUPS calls a job canceled while it still hands it over, and forgets
// it in the printer when it is stopped itself. It tells how much there was. CUPS
// passes on the job's name.
func (p *Printer) revoke(ctx context.Context, j job) (left int, err error) {
	if !p.target.cups {
		return 0, nil
	}
	queue, err := p.ask(ctx, describe(p.target))
	if err != nil {
		return 0, err
	}
	if state, _ := integer(queue.Printer, "printer-state"); state == printerProcessing {
		left++
	}
	t := backendOf(queue.Printer)
	if t == nil {
		return left, nil
	}
	ctx, cancel := context.WithTimeout(ctx, p.options.Answer)
	defer cancel()
	held := goipp.MakeAttribute("which-jobs", goipp.TagKeyword, goipp.String("not-completed"))
	answer, err := exchange(ctx, p.device, *t, request(*t, goipp.OpGetJobs, held, wanted("job-id", "job-name")), nil)
	var no refused
	if errors.As(err, &no) {
		return left, nil // it tells nobody: CUPS must do
	}
	if err != nil {
		return left, err
	}
	for _, g := range answer.Groups {
		id, ok := integer(g.Attrs, "job-id")
		if !ok || g.Tag != goipp.TagJobGroup || !slices.Contains(keywords(g.Attrs, "job-name"), j.name) {
			continue
		}
		left++
		cancelled := goipp.MakeAttribute("job-id", goipp.TagInteger, goipp.Integer(id))
		if _, err := exchange(ctx, p.device, *t, request(*t, goipp.OpCancelJob, cancelled), nil); err != nil && !errors.As(err, &no) {
			return left, err
		}
	}
	return left, nil
}

// recall cancels jobs that were given up while nothing answered: after its
// restart CUPS would print them in front of somebody else.
func (p *Printer) recall(ctx context.Context) {
	p.mu.Lock()
	stray := slices.Clone(p.stray)
	p.mu.Unlock()
	for _, j := range stray {
		now, err := p.at(ctx, j)
		if err == nil && !now.ended() {
			_, err = p.ask(ctx, p.about(goipp.OpCancelJob, j))
		}
		var no refused
		if err != nil && !errors.Is(err, errForgotten) && !errors.As(err, &no) {
			return // still nothing answers
		}
		if left, err := p.revoke(ctx, j); err != nil || left > 0 {
			continue
		}
		p.mu.Lock()
		p.stray = slices.DeleteFunc(p.stray, func(s job) bool { return s == j })
		p.mu.Unlock()
	}
}
