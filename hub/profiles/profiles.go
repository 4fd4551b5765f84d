// Package profiles makes each borne's profile of the layers that the hub keeps:
// the city's, its group's, its site's and its own. No layer is taken that would
// leave a borne with a profile it could not start with, and what bornes should
// have follows the layers, whichever hub has changed them.
package profiles

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"parvis/hub/store"
	"parvis/kiosk/link"
	"parvis/provisioning/profile"
)

// Options say what profiles need.
type Options struct {
	Store *store.Store
	// Further are the checks of texts that a borne makes and package profile
	// cannot: opening hours, models of printers.
	Further []profile.Further
	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: slog.Default
}

// Profiles are the layers of a hub, and what is made of them. It is safe for
// concurrent use, and any number of hubs may do all of it at once.
type Profiles struct{ Options }

// New prepares profiles; Serve keeps what bornes should have up to date.
func New(o Options) *Profiles {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Profiles{o}
}

// How often what bornes should have is looked at.
const (
	// every is for what an event should have told and has not.
	every = 10 * time.Minute
	// gathering is how long events are gathered: a hundred bornes may be
	// enrolled in a minute, and all are looked at each time.
	gathering = 200 * time.Millisecond
)

// Serve keeps what bornes should have up to date until ctx ends: a borne that
// is new, a site that has another name or group, a layer that another hub has
// changed.
func (p *Profiles) Serve(ctx context.Context) error {
	events := p.Store.Watch(ctx)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := p.Refresh(ctx); err != nil && ctx.Err() == nil {
			p.Log.ErrorContext(ctx, "profiles", "err", err)
		}
		if !wait(ctx, events, tick.C) {
			return nil
		}
	}
}

// wait returns when there is something to do, or false when there never will be.
func wait(ctx context.Context, events <-chan store.Event, tick <-chan time.Time) bool {
	var gathered <-chan time.Time
	for {
		select {
		case e, open := <-events:
			if !open {
				return false
			}
			if matters(e.Topic) && gathered == nil {
				gathered = time.After(gathering)
			}
		case <-gathered:
			return true
		case <-tick:
			return true
		case <-ctx.Done():
			return false
		}
	}
}

func matters(t store.Topic) bool {
	return t == store.Profiled || t == store.Fleet || t == store.All
}

// atOnce is how many bornes' profiles are set in one transaction.
const atOnce = 200

// Refresh sets the profile that each borne should have, where it isn't that
// already. A borne whose layers make no profile that it could start with keeps
// the one before; Broken lists them.
func (p *Profiles) Refresh(ctx context.Context) error {
	for {
		w, err := p.look(ctx)
		if err != nil {
			return err
		}
		if err := p.set(ctx, w); err != nil {
			return err
		}
		// Another hub may have set what a newer layer asks for, before this one
		// has set it back.
		now, err := p.Store.ProfileRevision(ctx)
		if err != nil || now == w.revision {
			return err
		}
	}
}

func (p *Profiles) set(ctx context.Context, w *world) error {
	wanted, err := p.Store.AllWanted(ctx)
	if err != nil {
		return err
	}
	some, texts := map[string]link.File{}, map[string][]byte{}
	put := func() error {
		if len(some) == 0 {
			return nil
		}
		defer clear(some)
		defer clear(texts)
		if err := p.Store.WantProfiles(ctx, some); err != nil {
			return err
		}
		return p.keep(ctx, texts)
	}
	for _, b := range w.bornes {
		if !w.managed(b, wanted) {
			continue
		}
		made := w.make(b)
		if made.err != nil || wanted[b.ID].Profile != nil && *wanted[b.ID].Profile == made.file {
			continue
		}
		if _, err := p.Store.PutFile(ctx, made.data, p.Now()); err != nil {
			return err
		}
		some[b.ID], texts[made.file.SHA256] = made.file, made.data
		if len(some) == atOnce {
			if err := put(); err != nil {
				return err
			}
		}
	}
	return put()
}

// keep puts back files that another hub has removed, which did not yet know that
// a borne is to have them.
func (p *Profiles) keep(ctx context.Context, texts map[string][]byte) error {
	for sum, text := range texts {
		_, err := p.Store.File(ctx, sum)
		if errors.Is(err, store.ErrNotFound) {
			_, err = p.Store.PutFile(ctx, text, p.Now())
		}
		if err != nil {
			return err
		}
	}
	return nil
}
