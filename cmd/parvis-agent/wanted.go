package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"parvis/cmd/internal/packcheck"
	"parvis/kiosk/agent"
	"parvis/kiosk/agent/shelf"
	"parvis/kiosk/hours"
	"parvis/kiosk/link"
	"parvis/kiosk/store"
	"parvis/provisioning/pack"
	"parvis/provisioning/profile"
)

// The folders of what the hub sends, in the borne's.
const (
	profileFolder  = "profile"
	contentFolder  = "content"
	identityFolder = "identity"
)

// packs are the packs of a borne. The agent and somebody with a USB stick may
// both bring one: one after the other.
type packs struct {
	data string

	mu    sync.Mutex
	local *pack.Local // nil until it could be opened
}

func (p *packs) open() (*pack.Local, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.local != nil {
		return p.local, nil
	}
	local, err := pack.Open(filepath.Join(p.data, contentFolder), filepath.Join(p.data, identityFolder))
	if err == nil {
		p.local = local
	}
	return local, err
}

// alone keeps other programs from the packs: pack.ErrBusy where one is at them.
func (p *packs) alone() (local *pack.Local, release func(), err error) {
	if local, err = p.open(); err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(filepath.Join(p.data, identityFolder, "pack.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, nil, pack.ErrBusy
	}
	return local, func() { f.Close() }, nil
}

// update brings a pack from the hub.
func (p *packs) update(ctx context.Context, fetch agent.Fetch, version string) error {
	local, release, err := p.alone()
	if err != nil {
		return err
	}
	defer release()
	_, err = local.Update(ctx, fetch, version, usable)
	switch {
	case errors.Is(err, pack.ErrCheck):
		return fmt.Errorf("%w : %w", agent.ErrUnfit, err)
	case errors.Is(err, pack.ErrFull):
		return fmt.Errorf("%w : %w", store.ErrFull, err)
	}
	return err
}

// usable reads a pack as the application will.
func usable(files fs.FS) error {
	_, err := packcheck.Check(files)
	return err
}

// keep drops all packs but some. While one is being brought it does nothing.
func (p *packs) keep(versions ...string) error {
	local, release, err := p.alone()
	if errors.Is(err, pack.ErrBusy) {
		return nil
	}
	if err != nil {
		return err
	}
	defer release()
	if err := local.Keep(versions...); !errors.Is(err, pack.ErrBusy) {
		return err
	}
	return nil
}

// How often the hub is asked whose signatures count, until it has told.
const (
	pinEvery     = time.Minute
	unknownEvery = 10 * time.Minute // it has no packs yet
)

// pin has the borne learn whose packs it is to trust, from the hub that it is
// enrolled at: from then on it takes them from USB sticks too.
func (p *packs) pin(ctx context.Context, client *link.Client) {
	for ctx.Err() == nil {
		local, err := p.open()
		if err == nil {
			err = local.Pin(ctx, client.File)
		}
		wait := pinEvery
		switch {
		case err == nil:
			return
		case errors.Is(err, pack.ErrUnknown):
			wait = unknownEvery
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// checkWithin is how long the application may take to judge a profile.
const checkWithin = time.Minute

// checkProfile asks the application whether it would go by a profile.
func (p *program) checkProfile(ctx context.Context, file string) error {
	app := p.cmd.App
	if app == "" {
		own, err := os.Executable()
		if err != nil {
			return err
		}
		app = filepath.Join(filepath.Dir(own), "parvis")
	}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	out, err := exec.CommandContext(ctx, app, "profile", "check", file).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil && exit.ExitCode() != usageError {
		said := strings.TrimSpace(strings.ReplaceAll(string(out), file, "profil"))
		return fmt.Errorf("%w : %s", agent.ErrUnfit, strings.TrimPrefix(said, "parvis: "))
	}
	if err != nil {
		return fmt.Errorf("%s profile check : %w", app, errors.Join(err, ctx.Err()))
	}
	return nil
}

// usageError is how a program ends that doesn't know the command.
const usageError = 80

// What counts as closed where the profile doesn't say when the house is open,
// in hours of the day; and for how long it must be, where it does.
const (
	nightFrom, nightTo = 22, 5
	closedFor          = 30 * time.Minute
)

// closed reports whether nobody is expected at the borne for a while, by the
// profile that it goes by.
func (p *program) closed(now time.Time) bool {
	now = now.In(hours.Paris)
	opening, err := p.opening()
	if err != nil || opening == nil {
		return now.Hour() >= nightFrom || now.Hour() < nightTo
	}
	return len(opening.Open(now, now.Add(closedFor))) == 0
}

// opening is when the house is open; nil where that isn't told.
func (p *program) opening() (*hours.Schedule, error) {
	prof, err := inForce(p.cmd.Data, p.cmd.Profile)
	if err != nil || prof.Site.Opening == "" {
		return nil, err
	}
	region, err := hours.ParseRegion(prof.Site.Region)
	if err != nil {
		return nil, err
	}
	return hours.Parse(prof.Site.Opening, region)
}

// inForce is the profile that the borne goes by: the hub's, or else its own.
func inForce(data, own string) (*profile.Profile, error) {
	s := shelf.Shelf{Dir: filepath.Join(data, profileFolder), Ending: ".toml"}
	if version, err := s.Version(shelf.Current); err == nil && version != "" {
		own = s.Path(version)
	}
	return profile.Load(own)
}
