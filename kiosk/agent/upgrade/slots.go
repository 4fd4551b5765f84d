package upgrade

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"parvis/kiosk/link"
)

// Where the slot program mounts the root that doesn't run, and what is locked by
// who changes it, from the first step to the restart. The folder is root's.
const (
	otherRoot  = "/run/parvis-slot/other"
	changeLock = "/run/parvis-slot/change"
)

// slots are the machine's two roots.
type slots struct{ current, other string }

var slotStatus = regexp.MustCompile(`^current=(\w+) other=(\w+)\s*$`)

// slotsMissing is how the program ends on a machine with one root.
const slotsMissing = 3

func (r *Replacer) findSlots(ctx context.Context) error {
	if !exists(r.Slot) {
		return nil
	}
	out, err := exec.CommandContext(ctx, r.Slot, "status").Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == slotsMissing {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s status : %w", r.Slot, err)
	}
	words := slotStatus.FindStringSubmatch(string(out))
	if words == nil {
		return fmt.Errorf("%s status : réponse inattendue : %q", r.Slot, strings.TrimSpace(string(out)))
	}
	r.slots = &slots{current: words[1], other: words[2]}
	return nil
}

// lookAgain is how often is looked whether the other root may be changed by now.
const lookAgain = 3 * time.Second

// alone waits until nobody else changes a root, and keeps others from it until
// release is called.
func (s *slots) alone(ctx context.Context) (release func(), err error) {
	if err := os.MkdirAll(filepath.Dir(changeLock), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(changeLock, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errors.Join(err, f.Close())
		}
		if err := sleep(ctx, lookAgain); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
}

// awaitTrial waits until the root that runs is known to be good: until then the
// other is the way back, and stays.
func (r *Replacer) awaitTrial(ctx context.Context) error {
	for r.slot(ctx, "trial") == nil {
		if err := sleep(ctx, lookAgain); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *Replacer) stateDir() string {
	if r.slots != nil {
		return r.Slots
	}
	return r.State
}

// slot has the slot program do something.
func (r *Replacer) slot(ctx context.Context, what string) error {
	cmd := exec.CommandContext(ctx, r.Slot, what)
	cmd.Env = quietly()
	_, err := output(cmd)
	return err
}

// runSlots changes the root that doesn't run, and starts it. The verdict falls
// after the restart, on whichever root has come up.
func (r *Replacer) runSlots(ctx context.Context, s *state) error {
	stayed := r.slots.current == s.Slot
	switch {
	case s.Phase == "" || s.Phase == before && stayed:
		if err := r.examine(ctx, s); err != nil {
			return err
		}
		return r.installOther(ctx, s)
	case s.Phase == install && stayed:
		return r.installOther(ctx, s)
	case s.Phase == before: // nothing is in it that was not there
		return r.end(s, link.Failed, "La machine a redémarré sur son autre système avant l’installation.")
	case s.Phase == back && stayed:
		return r.end(s, link.Failed, s.Why)
	case stayed:
		return r.end(s, link.Failed, fmt.Sprintf("Le système avec la version %s n’a pas démarré. L’autre a repris, avec la version %s.", s.To, s.From))
	case s.Phase == back:
		return r.giveUp(ctx, s)
	case s.Phase == install: // cut between the last step and the restart, or somebody else's doing
		is, err := installed(ctx, nil)
		if err != nil {
			return err
		}
		if is != s.To {
			return r.end(s, link.Failed, fmt.Sprintf("L’autre système a démarré pendant l’installation de la version %s. Il a la version %s.", s.To, is))
		}
	}
	return r.judge(ctx, s)
}

// installOther makes the other root, with the wanted version, and starts it.
func (r *Replacer) installOther(ctx context.Context, s *state) error {
	if err := r.enter(s, install); err != nil {
		return err
	}
	failure := fmt.Errorf("interrompue %d fois", mostTries)
	if s.Tries <= mostTries {
		failure = r.makeOther(ctx, s)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if failure != nil {
		return r.end(s, link.Failed, fmt.Sprintf("La version %s n’a pas pu être installée : %v", s.To, failure))
	}
	// What comes up next decides, also if this is not written any more.
	if err := r.enter(s, watch); err != nil {
		return err
	}
	return r.Reboot(ctx)
}

func (r *Replacer) makeOther(ctx context.Context, s *state) error {
	if err := r.slot(ctx, "prepare"); err != nil {
		return err
	}
	st, err := r.newStage(ctx, otherRoot)
	if err != nil {
		return err
	}
	if err := st.copyPackage(ctx, s.To); err != nil {
		return err
	}
	if _, err := st.run(ctx, "apt-get", "install", "--yes", "--no-remove", Package+"="+s.To); err != nil {
		return err
	}
	if err := os.RemoveAll(st.path("")); err != nil {
		return err
	}
	return r.slot(ctx, "try")
}

// judge watches the other root, which has come up.
func (r *Replacer) judge(ctx context.Context, s *state) error {
	if err := r.enter(s, watch); err != nil {
		return err
	}
	ill, err := r.health(ctx, r.Now(), r.Times.Within)
	if err != nil {
		return err
	}
	if ill.grade <= s.Ill {
		if err := r.slot(ctx, "good"); err != nil {
			return err
		}
		s.keep(ill)
		return r.end(s, link.Done, s.Why)
	}
	s.Why = fmt.Sprintf("Version %s : %v. L’autre système reprend, avec la version %s.", s.To, ill.why, s.From)
	return r.giveUp(ctx, s)
}

// giveUp goes back to the root that the change was begun on.
func (r *Replacer) giveUp(ctx context.Context, s *state) error {
	if err := r.enter(s, back); err != nil {
		return err
	}
	if err := r.slot(ctx, "bad"); err != nil {
		return err
	}
	return r.Reboot(ctx)
}
