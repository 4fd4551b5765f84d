package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"
)

// glance is how long one poll lasts, and so how late the end of a context may
// be noticed.
const glance = 50 * time.Millisecond

// drainGlance is as long, while the last bytes leave.
const drainGlance = 5 * time.Millisecond

// Serial returns an Opener for the tty at path, at baud bits a second with
// eight data bits, no parity and one stop bit.
func Serial(path string, baud int) Opener {
	return func() (Line, error) { return OpenSerial(path, baud) }
}

// SerialLine is a tty. The port itself comes from tarm/serial, which sets the
// speed and the raw mode, but reads a timeout as io.EOF, may block for ever in
// Write, and then cannot be closed. So a second, non-blocking descriptor of the
// same tty is polled before every read, takes the writes, and tells when the
// other end hangs up.
type SerialLine struct {
	path string
	port *serial.Port
	fd   int
	tty  bool // a real one, held by TIOCEXCL
}

// OpenSerial opens a tty for this process alone. It fails when the path is not
// there, is no tty, or is held by another process.
func OpenSerial(path string, baud int) (*SerialLine, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	l := &SerialLine{path: path, fd: fd}
	if err := l.claim(); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	l.port, err = serial.OpenPort(&serial.Config{Name: path, Baud: baud, ReadTimeout: 100 * time.Millisecond})
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("%s at %d baud: %w", path, baud, err)
	}
	if l.tty {
		if err := unix.IoctlSetInt(fd, unix.TIOCEXCL, 0); err != nil {
			l.Close()
			return nil, fmt.Errorf("%s: keep others out: %w", path, err)
		}
	}
	return l, nil
}

// claim keeps a second program of ours off the line, and finds out whether the
// kernel may keep others off too. It may not on a pty: there the mark outlives
// a killed process for as long as the other end is open.
func (l *SerialLine) claim() error {
	if _, err := unix.IoctlGetTermios(l.fd, unix.TCGETS); err != nil {
		return fmt.Errorf("not a serial line: %w", err)
	}
	if err := unix.Flock(l.fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("held by another program: %w", err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(l.fd, &st); err != nil {
		return err
	}
	const firstPts, lastPts = 136, 143 // majors of Unix98 ptys
	major := unix.Major(uint64(st.Rdev))
	l.tty = major < firstPts || major > lastPts
	return nil
}

// wait polls the line until one of events or the end of ctx.
func (l *SerialLine) wait(ctx context.Context, events int16) error {
	for {
		if err := l.look(ctx, events, glance); !errors.Is(err, errNothing) {
			return err
		}
	}
}

var errNothing = errors.New("nothing yet")

// look polls the line once for at most d. Its error is errNothing when none of
// events came.
func (l *SerialLine) look(ctx context.Context, events int16, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	fds := []unix.PollFd{{Fd: int32(l.fd), Events: events}}
	n, err := unix.Poll(fds, int(d/time.Millisecond))
	switch {
	case errors.Is(err, unix.EINTR) || n == 0 && err == nil:
		return errNothing
	case err != nil:
		return fmt.Errorf("%s: poll: %w", l.path, err)
	case fds[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0:
		return fmt.Errorf("%s: %w", l.path, ErrGone)
	}
	return nil
}

// Read implements Line.
func (l *SerialLine) Read(ctx context.Context, p []byte) (int, error) {
	for {
		if err := l.wait(ctx, unix.POLLIN); err != nil {
			return 0, err
		}
		n, err := l.port.Read(p)
		if n > 0 {
			return n, nil
		}
		// An EOF is either a timeout or the end of the line.
		if gone := l.gone(); gone != nil {
			return 0, gone
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, fmt.Errorf("%s: %w", l.path, err)
		}
	}
}

// Write implements Line.
func (l *SerialLine) Write(ctx context.Context, p []byte) (int, error) {
	done := 0
	for done < len(p) {
		if err := l.wait(ctx, unix.POLLOUT); err != nil {
			return done, err
		}
		n, err := unix.Write(l.fd, p[done:])
		if n > 0 {
			done += n
		}
		switch {
		case err == nil, errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EIO), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV):
			return done, fmt.Errorf("%s: %w", l.path, ErrGone)
		default:
			return done, fmt.Errorf("%s: write: %w", l.path, err)
		}
	}
	return done, l.drain(ctx)
}

// drain waits until the queue of the tty is empty.
func (l *SerialLine) drain(ctx context.Context) error {
	for {
		queued, err := unix.IoctlGetInt(l.fd, unix.TIOCOUTQ)
		if err != nil {
			return fmt.Errorf("%s: %w", l.path, ErrGone)
		}
		if queued == 0 {
			return nil
		}
		if err := l.look(ctx, 0, drainGlance); err != nil && !errors.Is(err, errNothing) {
			return err
		}
	}
}

// Discard implements Line.
func (l *SerialLine) Discard() error {
	if err := l.gone(); err != nil {
		return err
	}
	if err := l.port.Flush(); err != nil {
		return fmt.Errorf("%s: %w", l.path, ErrGone)
	}
	return nil
}

// Close implements Line. Closing again does nothing.
func (l *SerialLine) Close() error {
	if l.fd < 0 {
		return nil
	}
	// A real tty would otherwise hold Close up to 30 s to send what it has.
	flushed := l.port.Flush()
	if l.tty && flushed == nil {
		_ = unix.IoctlSetInt(l.fd, unix.TIOCNXCL, 0) // a line that is gone has no mark to clear
	}
	err := errors.Join(l.port.Close(), unix.Close(l.fd))
	l.fd = -1
	return err
}

// gone asks the line whether it is still there, without sending anything.
func (l *SerialLine) gone() error {
	if _, err := l.port.Write(nil); err != nil {
		return fmt.Errorf("%s: %w", l.path, ErrGone)
	}
	fds := []unix.PollFd{{Fd: int32(l.fd), Events: 0}}
	if n, err := unix.Poll(fds, 0); err == nil && n > 0 {
		return fmt.Errorf("%s: %w", l.path, ErrGone)
	}
	return nil
}
