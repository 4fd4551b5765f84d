package hid

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/holoplot/go-evdev"
)

// open opens the keyboard that the options mean.
func open(o Options) (keyboard, error) {
	paths := []string{o.Path}
	if o.Path == "" {
		devices, err := evdev.ListDevicePaths()
		if err != nil {
			return nil, err
		}
		paths = paths[:0]
		for _, d := range devices {
			paths = append(paths, d.Path)
		}
	}
	for _, path := range paths {
		d, err := evdev.OpenWithFlags(path, os.O_RDONLY)
		if err != nil && o.Path != "" {
			return nil, err
		}
		if err != nil {
			continue // not ours to read, so not the one meant
		}
		if (o.Path != "" || named(d, o.Name)) && types(d) {
			return alone{d}, nil
		}
		if err := d.Close(); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if o.Path != "" {
		return nil, fmt.Errorf("%s is no keyboard", o.Path)
	}
	return nil, fmt.Errorf("keyboard %q under /dev/input: %w", o.Name, fs.ErrNotExist)
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

// named tells whether a device has a name, or that vendor and product.
func named(d *evdev.InputDevice, name string) bool {
	if has, err := d.Name(); err == nil && has == name {
		return true
	}
	id, err := d.InputID()
	return err == nil && strings.EqualFold(fmt.Sprintf("%04x:%04x", id.Vendor, id.Product), name)
}

// types tells whether a device is a keyboard: a scanner often is several
// devices, of which one types.
func types(d *evdev.InputDevice) bool {
	keys := d.CapableEvents(evdev.EV_KEY)
	return slices.Contains(keys, evdev.KEY_1) && slices.Contains(keys, evdev.KEY_ENTER)
}
