package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"parvis/kiosk/link"
)

// slow is how long a request may take before the log tells; one that is held
// open is not counted.
const slow = 2 * time.Second

// front is what every request passes first: it settles the encoding of the
// answer, counts, and turns what goes wrong into problems.
type front struct {
	api *API
	mux *http.ServeMux
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	rec := &recorder{ResponseWriter: w}
	defer func() {
		if v := recover(); v != nil {
			if v == http.ErrAbortHandler {
				panic(v)
			}
			f.api.panicked(rec, r, v)
		}
		f.count(rec, r, time.Since(began))
	}()
	r.Header.Set("Accept", answerType(r.Header.Get("Accept"), r.Header.Get("Content-Type")))
	r.Body = interrupted{r.Body}
	if r.URL.Path == pathCommands {
		r = f.hold(rec, r)
		return
	}
	f.mux.ServeHTTP(rec, r)
}

// hold serves a request for commands again and again until it is answered. In
// between it waits here, not inside of huma and our handlers: there are
// thousands of such requests, and each keeps the stack it waits on. It returns
// the request as it was served.
func (f *front) hold(rec *recorder, r *http.Request) *http.Request {
	p := &pending{wake: make(chan struct{}, 1)}
	defer p.release()
	rec.pending = p
	r = r.WithContext(context.WithValue(r.Context(), pendingKey{}, p))
	for {
		f.mux.ServeHTTP(rec, r)
		if !p.again {
			return r
		}
		<-p.wake
		p.again = false
		if r.Context().Err() != nil {
			rec.status = statusGone
			return r
		}
	}
}

// statusGone is what the figures say of a borne that did not wait for the
// answer; nobody is told.
const statusGone = 499

func (f *front) count(rec *recorder, r *http.Request, took time.Duration) {
	path := r.Pattern // of the paths served, so that no stranger makes up labels
	if path == "" || path == "/" {
		path = "other"
	}
	f.api.observer.Request(path, rec.code(), took)
	held := r.URL.Path == pathCommands
	if took > slow && !held && rec.code() < http.StatusInternalServerError {
		f.api.log.Warn("slow request", "path", path, "status", rec.code(), "took", took, "address", addressOf(r))
	}
}

var versioned = regexp.MustCompile(`^/v[0-9]+(/|$)`)

// other answers all that nothing else does.
func (f *front) other(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if versioned.MatchString(path) && !strings.HasPrefix(path, link.Prefix+"/") {
		f.api.refuse(w, r, wrongVersion())
		return
	}
	if allowed := f.allowed(r); allowed != "" {
		f.api.refuse(w, r, wrongMethod(allowed))
		return
	}
	f.api.refuse(w, r, unknown("Rien ne se trouve à cette adresse."))
}

// allowed lists the methods that the path of r has.
func (f *front) allowed(r *http.Request) string {
	var methods []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut} {
		other := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := f.mux.Handler(other); pattern != "/" {
			methods = append(methods, method)
		}
	}
	return strings.Join(methods, ", ")
}

// refuse answers with a problem.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, p *problem) {
	a.note(r.Context(), p, r.URL.Path)
	writeProblem(w, r, p)
}

// note writes to the log what is the hub's own fault, under a number that the
// problem tells to whoever sees it. The borne learns nothing else of it.
func (a *API) note(ctx context.Context, p *problem, path string) {
	if p.cause == nil {
		return
	}
	id := newRequestID()
	p.Detail = fmt.Sprintf("Le journal du hub en dit plus, au numéro %s.", id)
	a.log.LogAttrs(ctx, slog.LevelError, "request failed", slog.String("request", id), slog.String("path", path), slog.Any("error", p.cause))
	p.cause = nil
}

func newRequestID() string {
	var b [6]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// failed is the problem of a request that could not be served. One that the
// borne itself gave up is nobody's fault.
func (a *API) failed(ctx context.Context, err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	var said *link.Problem
	if errors.As(err, &said) {
		return &problem{Problem: *said, close: said.Type == link.ProblemRevoked}
	}
	if ctx.Err() != nil {
		return newProblem(statusGone, link.ProblemBusy, "Demande abandonnée", "")
	}
	return internal(err)
}

func (a *API) panicked(rec *recorder, r *http.Request, v any) {
	a.log.Error("panic", "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
	if rec.status == 0 {
		a.refuse(rec, r, internal(errors.New("panic")))
	}
}

// recorder remembers how a request was answered.
type recorder struct {
	http.ResponseWriter
	status  int
	pending *pending // nil but for a request that may be held
}

// mute says that nothing is to be answered yet.
func (r *recorder) mute() bool { return r.pending != nil && r.pending.again }

func (r *recorder) WriteHeader(status int) {
	if r.mute() {
		return
	}
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.mute() {
		return len(p), nil
	}
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) code() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}

// interrupted makes of every failure to read a body the one that huma doesn't
// take for its own.
type interrupted struct{ io.ReadCloser }

func (b interrupted) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = bodyError{err}
	}
	return n, err
}

type bodyError struct{ error }

func (bodyError) Timeout() bool   { return true }
func (bodyError) Temporary() bool { return false }
func (e bodyError) Unwrap() error { return e.error }
