// Package audio watches the sound hardware of a borne: its card, how loud the
// card is, and whether a headset is plugged in. What is said, and on which of
// its outputs, is the voice's business.
package audio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/holoplot/go-evdev"

	"parvis/device"
	"parvis/device/transport"
)

// Headset is the switch in a jack socket that tells whether something is
// plugged into it.
type Headset struct {
	path string
	open func(path string) (jack, error)
}

// jack is the switch as the kernel shows it, an *evdev.InputDevice.
type jack interface {
	State(evdev.EvType) (evdev.StateMap, error)
	ReadOne() (*evdev.InputEvent, error)
	NonBlock() error // lets Close end a ReadOne; other calls undo it
	Close() error
}

// NewHeadset returns the headset whose switch is the evdev device at path, such
// as "/dev/input/by-path/…", or, where path is empty, the first device that has
// one.
func NewHeadset(path string) *Headset {
	return &Headset{path: path, open: openJack}
}

func openJack(path string) (jack, error) { return evdev.OpenWithFlags(path, os.O_RDONLY) }

// Serve reports that the switch is there, and tells changed whether a headset
// is in: at the start and at each change. It returns ctx's error once ctx
// ends, or why the switch is lost: an error that is fs.ErrNotExist,
// transport.ErrGone or the system's. A headset that can no longer be watched
// counts as pulled out: that is told before Serve returns. changed is called
// from Serve's goroutine, and is better quick: what is being said goes on until
// it has cut it.
func (h *Headset) Serve(ctx context.Context, report func(device.Status), changed func(in bool)) error {
	path, err := h.find()
	if err != nil {
		return err
	}
	j, err := h.open(path)
	if err != nil {
		return fmt.Errorf("headset switch: %w", err)
	}
	defer j.Close()
	defer context.AfterFunc(ctx, func() { j.Close() })()

	in, err := inserted(j, path)
	if err != nil {
		return err
	}
	report(device.Status{State: device.Online})
	changed(in)
	defer func() {
		if in {
			changed(false)
		}
	}()
	for {
		now, err := next(j, path, in)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		if now != in {
			in = now
			changed(in)
		}
	}
}

// find names the device of the switch.
func (h *Headset) find() (string, error) {
	if h.path != "" {
		return h.path, nil
	}
	paths, err := filepath.Glob("/dev/input/event*")
	if err != nil {
		return "", err
	}
	for _, path := range paths {
		d, err := evdev.OpenWithFlags(path, os.O_RDONLY)
		if err != nil {
			continue // another user's, or just pulled out
		}
		has := slices.Contains(d.CapableEvents(evdev.EV_SW), evdev.SW_HEADPHONE_INSERT)
		d.Close()
		if has {
			return path, nil
		}
	}
	return "", fmt.Errorf("no input device has a headset switch: %w", fs.ErrNotExist)
}

// inserted asks the switch how it is.
func inserted(j jack, path string) (bool, error) {
	state, err := j.State(evdev.EV_SW)
	if err != nil {
		return false, fmt.Errorf("%s: headset switch: %w", path, err)
	}
	in, has := state[evdev.SW_HEADPHONE_INSERT]
	if !has {
		return false, fmt.Errorf("%s: has no headset switch: %w", path, fs.ErrNotExist)
	}
	if err := j.NonBlock(); err != nil {
		return false, fmt.Errorf("%s: headset switch: %w", path, err)
	}
	return in, nil
}

// next waits for one event, and returns how the switch is after it; it was as
// in says.
func next(j jack, path string, in bool) (bool, error) {
	e, err := j.ReadOne()
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return in, fmt.Errorf("%s: %w", path, transport.ErrGone)
	case err != nil:
		return in, fmt.Errorf("headset switch: %w", err) // it names the path
	case e.Type == evdev.EV_SW && e.Code == evdev.SW_HEADPHONE_INSERT:
		return e.Value != 0, nil
	case e.Type == evdev.EV_SYN && e.Code == evdev.SYN_DROPPED: // too slow: events are lost
		return inserted(j, path)
	}
	return in, nil
}
