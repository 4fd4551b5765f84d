package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"parvis/hub/callbacks"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

func (a *API) report(ctx context.Context, in *reportInput) (*reportOutput, *problem) {
	if p := in.Body.problem; p != nil {
		return nil, p
	}
	now := a.now()
	r := &in.Body.Value
	if p := checkReport(r, now); p != nil {
		return nil, p
	}
	c := callerOf(ctx)
	taken, err := a.intake.put(ctx, store.Incoming{Borne: c.borne, Serial: c.serial, Address: c.address, At: now, Report: *r})
	if err != nil {
		return nil, a.failed(ctx, err)
	}
	if taken.Cloned {
		a.log.Warn("two machines use one identity", "borne", c.borne, "address", c.address, "serial", c.serial)
	}
	switch {
	case taken.Refused: // shut out since it was let in
		return nil, revoked()
	case taken.Replayed:
		return nil, replayed()
	}
	return &reportOutput{link.ReportAnswer{Now: now.UnixMilli(), Tag: taken.Tag}}, nil
}

// commands answers when there is something to do, and otherwise when the wait
// is over or the hub stops. It does not wait itself: it is called again when
// something may be new, after the borne was let in again.
func (a *API) commands(ctx context.Context, in *commandsInput) (*commandsOutput, *problem) {
	wait, p := parseWait(in.Wait)
	if p != nil {
		return nil, p
	}
	r := ctx.Value(pendingKey{}).(*pending)
	c := callerOf(ctx)
	if r.free == nil && wait > 0 {
		a.hold(ctx, r, c, wait) // before the first look, so that nothing slips through
	}
	found, err := a.store.TakeCommands(ctx, c.borne, a.now())
	if err != nil {
		return nil, a.failed(ctx, err)
	}
	r.again = len(found) == 0 && wait > 0 && !r.over.Load()
	return a.answerCommands(found), nil
}

// hold has a request woken for all that may happen.
func (a *API) hold(ctx context.Context, r *pending, c caller, wait time.Duration) {
	r.caller = c
	timer := time.AfterFunc(wait, r.finish)
	stop := context.AfterFunc(ctx, r.finish) // the borne is gone
	a.held.add(r)
	r.free = func() {
		timer.Stop()
		stop()
		a.held.remove(r)
	}
}

func (a *API) answerCommands(found []store.Command) *commandsOutput {
	all := make([]link.Command, len(found)) // an empty list is not null
	for i, c := range found {
		all[i] = c.Command
	}
	return &commandsOutput{link.Commands{Commands: all, Now: a.now().UnixMilli()}}
}

func (a *API) outcome(ctx context.Context, in *outcomeInput) (*struct{}, *problem) {
	id, p := parseID(in.ID)
	if p == nil {
		p = in.Body.problem
	}
	if p == nil {
		p = checkOutcome(&in.Body.Value)
	}
	if p != nil {
		return nil, p
	}
	err := a.store.EndCommand(ctx, callerOf(ctx).borne, id, in.Body.Value, a.now())
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, unknown("Le hub n’a donné aucune commande de ce numéro à cette borne.")
	case err != nil:
		return nil, a.failed(ctx, err)
	}
	return nil, nil
}

// callback answers only when the request is on the disk.
func (a *API) callback(ctx context.Context, in *callbackInput) (*statusOutput, *problem) {
	id, p := parseID(in.ID)
	if p == nil {
		p = in.Body.problem
	}
	if p == nil {
		p = checkCallback(&in.Body.Value)
	}
	if p != nil {
		return nil, p
	}
	fresh, err := a.takeCallback(ctx, id, in.Body.Value)
	var flood *callbacks.FloodError
	switch {
	case errors.As(err, &flood):
		return nil, busy(http.StatusTooManyRequests, "Trop de demandes de rappel de cette borne. Elle les garde et recommencera.", flood.RetryAfter)
	case err != nil:
		return nil, a.failed(ctx, err)
	}
	if !fresh {
		return &statusOutput{http.StatusOK}, nil
	}
	a.observer.Callback()
	return &statusOutput{http.StatusCreated}, nil
}

func (a *API) takeCallback(ctx context.Context, id uuid.UUID, c link.Callback) (fresh bool, err error) {
	borne, created := callerOf(ctx).borne, time.UnixMilli(c.Created)
	if a.queue == nil {
		return a.store.PutCallback(ctx, store.Callback{ID: id, Borne: borne, Code: c.Code, Created: created, Received: a.now(), Data: c.Data})
	}
	return a.queue.Take(ctx, callbacks.Arrival{ID: id, Borne: borne, Code: c.Code, Created: created, Data: c.Data})
}

// wanted says what the borne should have.
func (a *API) wanted(ctx context.Context, _ *struct{}) (*wantedOutput, *problem) {
	w, err := a.store.Wanted(ctx, callerOf(ctx).borne)
	if err != nil {
		return nil, a.failed(ctx, err)
	}
	return &wantedOutput{w}, nil
}

// file serves a file from any byte on, so that a borne on a bad line goes on
// where it was cut off.
func (a *API) file(ctx context.Context, in *fileInput) (*fileOutput, *problem) {
	if !isHash(in.SHA256) {
		return nil, invalid("Chemin : SHA-256 attendu, en hexadécimal.")
	}
	return a.download(ctx, "Le hub n’a pas, ou plus, ce fichier.", func() (http.HandlerFunc, error) {
		data, err := a.openFile(ctx, in.SHA256)
		if err != nil {
			return nil, err
		}
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header().Set("ETag", `"`+in.SHA256+`"`)
			http.ServeContent(w, r, "", data.Added, data)
		}, nil
	})
}

// download opens a file and sends it, as one of the few at a time. missing says
// in French that it isn't there.
func (a *API) download(ctx context.Context, missing string, open func() (http.HandlerFunc, error)) (*fileOutput, *problem) {
	select {
	case a.downloads <- struct{}{}:
	default:
		return nil, busy(http.StatusServiceUnavailable, "Trop de téléchargements à la fois.", 30*time.Second)
	}
	release := func() { <-a.downloads }
	send, err := open()
	if err != nil {
		release()
		if errors.Is(err, store.ErrNotFound) {
			return nil, unknown(missing)
		}
		return nil, a.failed(ctx, err)
	}
	return &fileOutput{func(hc huma.Context) {
		defer release()
		r, w := humago.Unwrap(hc)
		send(&rangeProblems{ResponseWriter: w, api: a, r: r}, r)
	}}, nil
}

// openFile opens a file, unless it is other bornes' business.
func (a *API) openFile(ctx context.Context, sha256 string) (*store.FileReader, error) {
	withheld, err := a.store.Withheld(ctx, sha256, callerOf(ctx).borne)
	if err != nil {
		return nil, err
	}
	if withheld { // nor is it told that it is there
		return nil, store.ErrNotFound
	}
	return a.store.File(ctx, sha256)
}

// rangeProblems makes a problem of the one refusal that http.ServeContent has
// of its own, and of a store that fails before the first byte.
type rangeProblems struct {
	http.ResponseWriter
	api     *API
	r       *http.Request
	refused bool
}

func (w *rangeProblems) WriteHeader(status int) {
	if status < 400 {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.refused = true
	p := newProblem(status, link.ProblemInvalid, "Plage refusée", "Le fichier n’a pas ces octets.")
	if status >= 500 {
		p = internal(errors.New("file can't be read"))
	}
	w.Header().Del("Content-Length")
	w.api.refuse(w.ResponseWriter, w.r, p)
}

func (w *rangeProblems) Write(p []byte) (int, error) {
	if w.refused {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}
