package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"parvis/hub/store"
)

const (
	gatherFor   = 100 * time.Millisecond
	gatherMost  = 256
	queueLength = 4096 // reports; about twelve seconds of 10,000 bornes
	storeWithin = 15 * time.Second
)

// intake stores the reports of all bornes, many in one transaction: one report
// alone would cost as much as a hundred.
type intake struct {
	store    *store.Store
	log      *slog.Logger
	observer Observer
	queue    chan *arrival
}

// arrival is a report on its way into the store.
type arrival struct {
	report store.Incoming
	done   chan struct{} // closed when taken and err are there
	taken  store.Taken
	err    error
}

func newIntake(s *store.Store, log *slog.Logger, o Observer) *intake {
	return &intake{store: s, log: log, observer: o, queue: make(chan *arrival, queueLength)}
}

// put stores a report, and returns when it is committed. A borne that goes
// away meanwhile finds at its next try that the report is there.
func (in *intake) put(ctx context.Context, r store.Incoming) (store.Taken, error) {
	a := &arrival{report: r, done: make(chan struct{})}
	select {
	case in.queue <- a:
	default:
		in.observer.Refused()
		return store.Taken{}, busy(http.StatusServiceUnavailable, "Trop de rapports à la fois. La borne recommencera.", 5*time.Second)
	}
	select {
	case <-a.done:
		return a.taken, a.err
	case <-ctx.Done():
		return store.Taken{}, ctx.Err()
	}
}

// run stores what comes until ctx ends; then it stores what is still queued.
func (in *intake) run(ctx context.Context) {
	batch := make([]*arrival, 0, gatherMost)
	for {
		select {
		case a := <-in.queue:
			batch = in.gather(ctx, append(batch[:0], a))
			in.commit(batch)
		case <-ctx.Done():
			in.drain(batch)
			return
		}
	}
}

// gather waits a moment for more.
func (in *intake) gather(ctx context.Context, batch []*arrival) []*arrival {
	enough := time.NewTimer(gatherFor)
	defer enough.Stop()
	for len(batch) < gatherMost {
		select {
		case a := <-in.queue:
			batch = append(batch, a)
		case <-enough.C:
			return batch
		case <-ctx.Done():
			return batch
		}
	}
	return batch
}

func (in *intake) drain(batch []*arrival) {
	for {
		batch = batch[:0]
		for len(batch) < gatherMost {
			select {
			case a := <-in.queue:
				batch = append(batch, a)
				continue
			default:
			}
			break
		}
		if len(batch) == 0 {
			return
		}
		in.commit(batch)
	}
}

// commit stores a batch and tells everyone in it. The work is not tied to any
// request: a borne that hangs up must not undo the reports of others.
func (in *intake) commit(batch []*arrival) {
	in.observer.Batch(len(batch))
	reports := make([]store.Incoming, len(batch))
	for i, a := range batch {
		reports[i] = a.report
	}
	taken, err := in.putReports(reports)
	if err != nil && len(batch) > 1 && in.answers() {
		in.commitSingly(batch, err)
		return
	}
	for i, a := range batch {
		a.err = err
		if err == nil {
			a.taken = taken[i]
		}
		close(a.done)
	}
}

// commitSingly keeps one report that the database won't have from spoiling
// those that came with it.
func (in *intake) commitSingly(batch []*arrival, cause error) {
	in.log.Error("reports could not be stored together", "reports", len(batch), "error", cause)
	for _, a := range batch {
		taken, err := in.putReports([]store.Incoming{a.report})
		a.err = err
		if err == nil {
			a.taken = taken[0]
		}
		close(a.done)
	}
}

func (in *intake) putReports(reports []store.Incoming) ([]store.Taken, error) {
	ctx, cancel := context.WithTimeout(context.Background(), storeWithin)
	defer cancel()
	return in.store.PutReports(ctx, reports)
}

func (in *intake) answers() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return in.store.Ping(ctx) == nil
}
