package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"parvis/app/journey"
	"parvis/app/session"
	"parvis/app/voice"
	"parvis/kiosk/link"
	"parvis/kiosk/store"
	"parvis/provisioning/profile"
)

// panel is the glass as errands reach it. session and picture are for the
// drawing loop alone.
type panel struct {
	do      func(func()) // runs a function on the drawing loop
	session *session.Session
	picture func() image.Image // of what is drawn
}

// answerWait is how long the drawing loop may take to come to something.
const answerWait = 5 * time.Second

// ask runs f on the drawing loop and gives its answer, or errNoScreen where the
// loop doesn't come to it in time; f is never run then, however late.
func ask[T any](ctx context.Context, do func(func()), f func() T) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	var none T
	if ctx.Err() != nil { // the loop may be over
		return none, errNoScreen
	}
	answer := make(chan T, 1)
	var taken atomic.Bool // by the loop, or by who no longer waits for it
	do(func() {
		if taken.CompareAndSwap(false, true) {
			answer <- f()
		}
	})
	select {
	case v := <-answer:
		return v, nil
	case <-ctx.Done():
	}
	if taken.CompareAndSwap(false, true) {
		return none, errNoScreen
	}
	return <-answer, nil
}

// errands does what the hub's agent asks of the application: it finds it in the
// store, and leaves there what became of it. With the store locked or broken,
// nothing else waits.
type errands struct {
	st      *store.Store
	journey *journey.Journey
	panel   panel
	notice  *notice
	capture string               // of the profile
	hear    func()               // looks what other programs have changed in the store
	key     string               // the hub's, to which requests are sealed
	comesUp func() error         // why the borne would not start again
	news    func() (bool, error) // whether the hub has sent something since it started, and why the borne would not go by it
	leave   func()               // ends the program, to start again

	changes *store.Changes // of serve alone, as are the two below
	due     bool           // there may be something to do
	resumed bool

	wake  chan struct{} // holds one
	mu    sync.Mutex
	ended []ending // not kept yet
	tasks sync.WaitGroup
}

// newErrands prepares what an application does for agents. What the window and
// the program around it lend is set before serve.
func newErrands(st *store.Store, j *journey.Journey, prof *profile.Profile) *errands {
	e := &errands{st: st, journey: j, capture: prof.Agent.Capture, notice: new(notice), wake: make(chan struct{}, 1)}
	j.Message = e.notice.text
	return e
}

// hearKey notices that the hub's key has come, as the borne was enrolled, or has
// changed: requests are sealed to it from now on.
func (e *errands) hearKey(ctx context.Context, prof *profile.Profile) {
	key, err := e.st.Setting(ctx, store.HubRecipient)
	if err != nil || key == e.key {
		e.warn(ctx, err)
		return
	}
	desk, err := newDesk(e.st, prof, key)
	if err != nil {
		e.warn(ctx, err)
		return
	}
	e.key = key
	if e.journey.Enrolment != nil { // the page that asks for a code is no longer needed
		e.leave()
		return
	}
	e.panel.do(func() { e.journey.Desk = desk })
}

// ending is what became of an errand.
type ending struct {
	id uuid.UUID
	link.Outcome
}

// errArgs says that an errand's arguments make no sense, errNoScreen that the
// drawing loop doesn't answer.
var (
	errArgs     = errors.New("commande incompréhensible")
	errNoScreen = errors.New("l’écran ne répond pas")
)

func done() link.Outcome              { return link.Outcome{State: link.Done} }
func refused(why string) link.Outcome { return link.Outcome{State: link.Refused, Why: why} }

// failed says what went wrong; what the borne won't do, because it makes no
// sense, is refused.
func failed(err error) link.Outcome {
	o := link.Outcome{State: link.Failed, Why: sentence(err)}
	if errors.Is(err, errArgs) {
		o.State = link.Refused
	}
	return o
}

// lookEvery is how often errands are looked for.
const lookEvery = time.Second

// serve does errands until ctx ends.
func (e *errands) serve(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	defer func() {
		e.tasks.Wait() // they end with ctx
		e.save(context.WithoutCancel(ctx))
		if e.changes != nil {
			e.changes.Close()
		}
	}()
	shown := e.notice.text()
	for {
		e.look(ctx)
		if text := e.notice.text(); text != shown {
			shown = text
			e.panel.do(e.panel.session.Refresh)
		}
		select {
		case <-tick.C:
		case <-e.wake: // something is done
		case <-ctx.Done():
			return
		}
	}
}

// look does what there is to do. Whatever the store refuses is tried again.
func (e *errands) look(ctx context.Context) {
	if err := e.watch(ctx); err != nil {
		e.warn(ctx, err)
		return
	}
	e.save(ctx)
	if !e.due {
		return
	}
	if !e.resumed {
		if err := e.resume(ctx); err != nil {
			e.warn(ctx, err)
			return
		}
		e.resumed = true
	}
	e.hear()
	e.due = !e.begin(ctx)
	e.save(ctx)
}

// watch notes whether there may be something to do.
func (e *errands) watch(ctx context.Context) (err error) {
	if e.changes == nil {
		if e.changes, err = e.st.Changes(ctx); err != nil {
			return err
		}
	}
	changed, err := e.changes.Any(ctx)
	e.due = e.due || changed
	return err
}

func (e *errands) warn(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		slog.Warn("commandes du hub", "erreur", err)
	}
}

// resume ends what an application before this one has begun: it was to start
// again, and has, or it died amid something.
func (e *errands) resume(ctx context.Context) error {
	all, err := e.st.Errands(ctx)
	if err != nil {
		return err
	}
	for _, x := range all {
		if !x.ForApp || !x.Began || x.State != "" {
			continue
		}
		switch link.CommandKind(x.Kind) {
		case link.RestartApp, link.Update:
			e.end(x, done())
		default:
			e.end(x, link.Outcome{State: link.Failed, Why: "L’application s’est arrêtée avant la fin."})
		}
	}
	return nil
}

// save keeps what became of errands. What can't be kept now stays for later.
func (e *errands) save(ctx context.Context) {
	e.mu.Lock()
	all := e.ended
	e.ended = nil
	e.mu.Unlock()
	var left []ending
	for _, end := range all {
		err := e.st.EndErrand(ctx, end.id, string(end.State), end.Why, end.FileType, end.File)
		if errors.Is(err, store.ErrErrand) { // no later try will do
			err = e.st.EndErrand(ctx, end.id, string(link.Failed), sentence(err), "", nil)
		}
		if err != nil {
			e.warn(ctx, err)
			left = append(left, end)
		}
	}
	e.mu.Lock()
	e.ended = append(left, e.ended...)
	e.mu.Unlock()
}

// begin does the errands there are, one after the other; ok says that there are
// no more.
func (e *errands) begin(ctx context.Context) (ok bool) {
	for ctx.Err() == nil {
		x, there, err := e.st.BeginErrand(ctx, true)
		if err != nil {
			e.warn(ctx, err)
			return false
		}
		if !there {
			return true
		}
		slog.Info("commande du hub", "commande", x.Kind)
		e.start(ctx, x)
	}
	return false
}

// start does an errand. What may take long is done apart, so that the next one
// need not wait.
func (e *errands) start(ctx context.Context, x store.Errand) {
	var args link.Args
	if err := json.Unmarshal([]byte(x.Args), &args); err != nil && x.Args != "" {
		e.end(x, failed(fmt.Errorf("%w : %w", errArgs, err)))
		return
	}
	if !x.Expires.IsZero() && time.Now().After(x.Expires) {
		e.end(x, refused("La commande est arrivée trop tard."))
		return
	}
	switch kind := link.CommandKind(x.Kind); kind {
	case link.RestartApp:
		e.tasks.Go(func() { e.restart(ctx, x, mostWait) })
	case link.Update: // the agent's: it has put something else in place
		switch any, err := e.news(); {
		case err != nil:
			e.end(x, failed(err))
		case !any:
			e.end(x, done())
		default:
			e.tasks.Go(func() { e.restart(ctx, x, endless) })
		}
	case link.TestPrint:
		e.tasks.Go(func() { e.end(x, e.printTrial(ctx)) })
	default:
		e.end(x, e.quick(ctx, kind, args))
	}
}

// quick does what takes no time.
func (e *errands) quick(ctx context.Context, kind link.CommandKind, args link.Args) link.Outcome {
	var err error
	switch kind {
	case link.Screenshot:
		return e.screenshot(ctx)
	case link.ShowMessage:
		err = e.notice.set(ctx, e.st, args)
	case link.SetVolume:
		err = e.setVolume(args.Level)
	case link.OutOfService, link.BackInService:
		err = e.journey.SetOutOfService(kind == link.OutOfService)
		e.panel.do(e.panel.session.Refresh)
	default:
		return refused(fmt.Sprintf("Cette borne ne connaît pas la commande « %s ».", kind))
	}
	if err != nil {
		return failed(err)
	}
	return done()
}

func (e *errands) setVolume(level int) error {
	if level < voice.MinVolume+1 || level > voice.MaxVolume+1 {
		return fmt.Errorf("%w : le volume va de %d à %d, pas %d", errArgs, voice.MinVolume+1, voice.MaxVolume+1, level)
	}
	if err := e.journey.SetVolume(level - 1); err != nil {
		return err
	}
	e.panel.do(e.panel.session.StartVolumeChanged)
	return nil
}

func (e *errands) printTrial(ctx context.Context) link.Outcome {
	err := e.journey.PrintTrial(ctx)
	switch {
	case errors.Is(err, journey.ErrNoPrinter):
		return refused(sentence(err))
	case err != nil:
		return failed(err)
	}
	return done()
}

// end hands over what became of an errand, to be kept.
func (e *errands) end(x store.Errand, o link.Outcome) {
	slog.Info("commande du hub finie", "commande", x.Kind, "fin", o.State, "pourquoi", o.Why)
	e.mu.Lock()
	e.ended = append(e.ended, ending{x.ID, o})
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// sentence writes an error as agents read it.
func sentence(err error) string {
	words := err.Error()
	first, size := utf8.DecodeRuneInString(words)
	words = string(unicode.ToUpper(first)) + words[size:]
	if !strings.HasSuffix(words, ".") {
		words += "."
	}
	return words
}
