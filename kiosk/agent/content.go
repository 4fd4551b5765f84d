package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"parvis/kiosk/agent/machine"
	"parvis/kiosk/agent/shelf"
	"parvis/kiosk/link"
)

// Fetch opens a file of the hub, as link.Client.File does. A body that brings
// nothing for a while ends with an error.
type Fetch = func(ctx context.Context, path string, from int64) (body io.ReadCloser, at, size int64, err error)

// stalled is how long a connection may bring nothing before it is given up.
const stalled = 30 * time.Second

// errAway says that the hub, or the way to it, is away: trying again helps.
var errAway = errors.New("le hub est hors d’atteinte")

// packChange is how a pack of the hub comes into use.
func (a *Agent) packChange(version string) change {
	return change{kind: link.KindPack, version: version, name: version, bring: func(ctx context.Context) error {
		if err := a.roomForPack(); err != nil {
			return err
		}
		return a.o.UpdatePack(ctx, a.open, version)
	}}
}

// roomForPack refuses a pack where it might fill the disk: what residents leave
// comes first.
func (a *Agent) roomForPack() error {
	m, _ := a.o.Machine() // what can't be found out is told by the reports
	if m.Disk != machine.Unknown && m.Disk < diskLow {
		return fmt.Errorf("le disque est presque plein (%d %% libres)", m.Disk)
	}
	return nil
}

// dropPacks makes room: of packs only what is in use stays, and what it may
// have to go back to while another is on trial.
func (a *Agent) dropPacks(ctx context.Context) error {
	s := a.shelf(link.KindPack)
	current, err := s.Version(shelf.Current)
	if err != nil || current == "" {
		return err
	}
	t, err := a.trial(ctx)
	if err != nil {
		return err
	}
	if t.Kind == link.KindPack {
		return a.keepVersions(link.KindPack)
	}
	return a.o.KeepPacks(current)
}

// open opens a file of the hub: errAway where the network keeps it away.
func (a *Agent) open(ctx context.Context, path string, from int64) (io.ReadCloser, int64, int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	stall := time.AfterFunc(stalled, cancel)
	body, at, size, err := a.o.Client.File(ctx, path, from)
	if err != nil {
		stall.Stop()
		cancel()
		return nil, 0, 0, a.away(err)
	}
	return &guarded{body: body, stall: stall, cancel: cancel, away: a.away}, at, size, nil
}

// away tells the network's errors, and the hub's that pass, from others.
func (a *Agent) away(err error) error {
	switch p := problemOf(err); {
	case p != nil && !passing(p):
		return err
	case p == nil && !errors.Is(err, link.ErrReconnected):
		a.line.suspect()
	}
	return fmt.Errorf("%w : %w", errAway, err)
}

// guarded is a body that gives up when nothing comes any more.
type guarded struct {
	body   io.ReadCloser
	stall  *time.Timer
	cancel context.CancelFunc
	away   func(error) error
}

func (g *guarded) Read(b []byte) (int, error) {
	n, err := g.body.Read(b)
	g.stall.Reset(stalled)
	if err != nil && err != io.EOF {
		err = g.away(err)
	}
	return n, err
}

func (g *guarded) Close() error {
	g.stall.Stop()
	g.cancel()
	return g.body.Close()
}
