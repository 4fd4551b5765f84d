package transport

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// File returns an Opener for a character device that is no tty, such as the
// /dev/usb/lp0 of the kernel's usblp driver.
func File(path string) Opener {
	return func(context.Context) (Line, error) {
		fd, err := openDevice(path)
		if err != nil {
			return nil, err
		}
		return fileOn(path, fd)
	}
}

// FileLine is a character device that is no tty. usblp lets one process alone
// open a printer; a lock keeps a second program of ours off any other.
type FileLine struct {
	d *descriptor
}

// openDevice opens a path without waiting for anything.
func openDevice(path string) (int, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}

// fileOn makes a line of an open descriptor, which it closes when it fails.
func fileOn(path string, fd int) (*FileLine, error) {
	fail := func(err error) (*FileLine, error) {
		unix.Close(fd)
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fail(err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFCHR {
		return fail(errNoDevice)
	}
	if err := lock(fd); err != nil {
		return fail(err)
	}
	d, err := newDescriptor(path, fd)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &FileLine{d}, nil
}

var errNoDevice = errors.New("is neither a serial line nor a printer")

// lock keeps a second program of ours off the line.
func lock(fd int) error {
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("%w: %w", ErrHeld, err)
	}
	return nil
}

// empty is what a read of no bytes means: an answer without content, as some
// USB printers give to every question that they do not know.
func empty() error { return nil }

// Read implements Line.
func (l *FileLine) Read(ctx context.Context, p []byte) (int, error) {
	return l.d.read(ctx, p, empty)
}

// Write implements Line. usblp takes the next piece only when the printer has
// the one before.
func (l *FileLine) Write(ctx context.Context, p []byte) (int, error) {
	n, err := l.d.write(ctx, p)
	if err != nil {
		return n, err
	}
	return n, l.d.wait(ctx, unix.POLLOUT, forever)
}

// Discard implements Line. What was written is with the printer already.
func (l *FileLine) Discard() error { return l.d.discard(empty) }

// Close implements Line. Closing again does nothing.
func (l *FileLine) Close() error { return l.d.close() }
