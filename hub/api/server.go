package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	stopWithin    = 15 * time.Second
	expireEvery   = 10 * time.Second
	tidyEvery     = time.Hour
	keepFiles     = 7 * 24 * time.Hour
	identifyLeast = 15 * time.Second
	identifyMost  = 22 * time.Second
)

// TLSConfig is how the bornes' port speaks: TLS 1.3, and any certificate of a
// borne or none. What each may do is decided at each request.
func (a *API) TLSConfig() *tls.Config { return a.authority.ServerTLS(a.now) }

// server is tuned for very many connections that each say little.
func (a *API) server() *http.Server {
	return &http.Server{
		Handler:           a.handler,
		TLSConfig:         a.TLSConfig(),
		ReadHeaderTimeout: 10 * time.Second, // the handshake's too
		IdleTimeout:       3 * time.Minute,  // a borne that reports is never idle
		MaxHeaderBytes:    8 << 10,
		ConnContext:       withPeer,
		ConnState:         a.countConnections,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelDebug), // strangers who knock
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          8,
			MaxDecoderHeaderTableSize:     1 << 10, // ample for the few headers there are
			MaxEncoderHeaderTableSize:     1 << 10,
			MaxReadFrameSize:              16 << 10,
			MaxReceiveBufferPerConnection: 128 << 10,
			MaxReceiveBufferPerStream:     64 << 10,
			SendPingTimeout:               75 * time.Second, // twice a borne's silence: it is gone
			PingTimeout:                   15 * time.Second,
			WriteByteTimeout:              30 * time.Second,
		},
	}
}

func (a *API) countConnections(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		a.observer.Connection(1)
	case http.StateClosed, http.StateHijacked:
		a.observer.Connection(-1)
	}
}

// Serve answers bornes on a listener until ctx ends. Then held requests are
// answered with nothing, running ones are finished, and connections are closed
// as HTTP/2 wants it, so that a borne loses nothing and goes to another hub. It
// returns nil after such an end, and may be called once.
func (a *API) Serve(ctx context.Context, l net.Listener) error {
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	events := a.store.Watch(work)
	var working sync.WaitGroup
	working.Go(func() { a.intake.run(work) })
	working.Go(func() { a.held.watch(work, events) })
	working.Go(func() { a.identifyHeld(work) })
	working.Go(func() { a.tidy(work) })

	server := a.server()
	ended := make(chan error, 1)
	go func() { ended <- server.ServeTLS(l, "", "") }()
	a.ready.Store(true)
	var err error
	select {
	case err = <-ended:
		a.ready.Store(false)
		a.held.stop()
		err = errors.Join(fmt.Errorf("port of the bornes: %w", err), server.Close())
	case <-ctx.Done():
		a.ready.Store(false)
		a.held.stop()
		err = a.shutDown(server)
		<-ended
	}
	stopWork()
	working.Wait()
	return err
}

func (a *API) shutDown(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		a.log.Warn("requests were cut off: they took too long", "after", stopWithin)
		err = nil
	}
	server.Close() // what Shutdown left; it has told all there is to tell
	return err
}

// identifyHeld looks at every borne whose request is held, at most identifyMost
// apart, should the event that says that one is revoked have been lost: it must
// be out within thirty seconds.
func (a *API) identifyHeld(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if err := a.lookAtHeld(ctx, time.Now()); err != nil && ctx.Err() == nil {
			a.log.Warn("bornes whose requests are held could not be looked at", "error", err) // the next second will do
		}
	}
}

// lookAtHeld looks at the bornes whose time has come, many with one query: one
// by one, tens of thousands on a database that is a millisecond away would take
// longer than they have.
func (a *API) lookAtHeld(ctx context.Context, now time.Time) error {
	var due []*pending
	var bornes []string
	for _, r := range a.held.all() {
		switch {
		case r.look.IsZero(): // let in a moment ago
			r.look = lookAfter(now)
		case !now.Before(r.look):
			due = append(due, r)
			bornes = append(bornes, r.caller.borne)
		}
	}
	known, err := a.store.Identities(ctx, bornes)
	if err != nil {
		return err
	}
	for _, r := range due {
		r.look = lookAfter(now)
		if !known[r.caller.borne].Trusts(r.caller.serial) || a.now().After(r.caller.cert.NotAfter) {
			r.poke() // it finds out for itself
		}
	}
	return nil
}

func lookAfter(now time.Time) time.Time {
	return now.Add(identifyLeast + rand.N(identifyMost-identifyLeast))
}

// tidy does what some hub must do from time to time, and one is enough for.
func (a *API) tidy(ctx context.Context) {
	expire, clean := time.NewTicker(expireEvery), time.NewTicker(tidyEvery)
	defer expire.Stop()
	defer clean.Stop()
	for {
		select {
		case <-expire.C:
			a.once(ctx, "commands", expireEvery, func(now time.Time) error { return a.store.ExpireCommands(ctx, now) })
		case <-clean.C:
			a.once(ctx, "files", tidyEvery, func(now time.Time) error {
				return errors.Join(a.store.DropFiles(ctx, now.Add(-keepFiles)), a.store.Tidy(ctx, now))
			})
		case <-ctx.Done():
			return
		}
	}
}

func (a *API) once(ctx context.Context, name string, every time.Duration, do func(now time.Time) error) {
	now := a.now()
	mine, err := a.store.Lease(ctx, "api."+name, a.holder, now, now.Add(2*every))
	if err == nil && mine {
		err = do(now)
	}
	if err != nil && ctx.Err() == nil {
		a.log.Error("tidying failed", "what", name, "error", err)
	}
}
