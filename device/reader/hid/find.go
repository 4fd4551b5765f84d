package hid

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/holoplot/go-evdev"
)

// open opens the keyboard at path.
func open(path string) (keyboard, error) {
	d, err := evdev.OpenWithFlags(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	if !types(d) {
		return nil, errors.Join(fmt.Errorf("%s is no keyboard", path), d.Close())
	}
	return alone{d}, nil
}

// alone is a keyboard that Grab makes ours.
type alone struct{ *evdev.InputDevice }

// Grab also lets a read that waits end with Close. The kernel is asked that
// last: whatever else is asked of the device undoes it.
func (a alone) Grab() error {
	if err := a.InputDevice.Grab(); err != nil {
		return err
	}
	return a.NonBlock()
}

// types tells whether a device is a keyboard: a scanner often is several
// devices, of which one types.
func types(d *evdev.InputDevice) bool {
	keys := d.CapableEvents(evdev.EV_KEY)
	return slices.Contains(keys, evdev.KEY_1) && slices.Contains(keys, evdev.KEY_ENTER)
}
