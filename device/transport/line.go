// Package transport carries bytes to devices and back. It hides the ways in
// which each kind of line goes quiet, blocks or disappears.
package transport

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"parvis/device"
)

// ErrGone is returned once the other end of a line has disappeared: unplugged,
// or its pty closed. The line is then of no more use than to be closed.
var ErrGone = errors.New("line is gone")

// ErrHeld is returned by an Opener when another program has the line.
var ErrHeld = errors.New("held by another program")

// OpenFault is what is wrong with a device whose line an Opener could not open.
func OpenFault(err error) device.Fault {
	if errors.Is(err, ErrHeld) || errors.Is(err, unix.EBUSY) {
		return device.InUse
	}
	return device.Unplugged
}

// Line is an open two-way line to a device. It is for one caller at a time.
type Line interface {
	// Read waits for bytes until ctx ends, and returns at least one or an
	// error: that of ctx, or ErrGone.
	Read(ctx context.Context, p []byte) (int, error)

	// Write sends p, and waits until all of it has left or ctx ends. It
	// returns how many bytes the line took; not all need have arrived.
	Write(ctx context.Context, p []byte) (int, error)

	// Discard throws away what waits in the line in both directions. Its
	// error is ErrGone when there is no line any more.
	Discard() error

	// Close never waits for bytes to leave: what still waits is discarded.
	Close() error
}

// Opener opens a line, anew each time. It gives up when ctx ends, which the line
// then outlives.
type Opener func(ctx context.Context) (Line, error)
