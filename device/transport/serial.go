package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"
)

// Serial returns an Opener for the tty at path, at baud bits a second with
// eight data bits, no parity and one stop bit.
func Serial(path string, baud int, options ...Option) Opener {
	return func(context.Context) (Line, error) { return OpenSerial(path, baud, options...) }
}

// SerialLine is a tty. The port itself comes from tarm/serial, which sets the
// speed and the raw mode, but reads a timeout as io.EOF, may block for ever in
// Write, and then cannot be closed. So a second, non-blocking descriptor of the
// same tty is polled before every read, takes the writes, and tells when the
// other end hangs up.
type SerialLine struct {
	port *serial.Port
	d    *descriptor
	held bool // by TIOCEXCL
}

// OpenSerial opens a tty for this process alone. It fails when the path is not
// there, is no tty, or is held by another process.
func OpenSerial(path string, baud int, options ...Option) (*SerialLine, error) {
	fd, err := openDevice(path)
	if err != nil {
		return nil, err
	}
	return serialOn(path, baud, fd, options)
}

// serialOn makes a line of an open descriptor, which it closes when it fails.
func serialOn(path string, baud int, fd int, options []Option) (*SerialLine, error) {
	fail := func(err error) (*SerialLine, error) {
		unix.Close(fd)
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := tty(fd); err != nil {
		return fail(fmt.Errorf("not a serial line: %w", err))
	}
	if err := lock(fd); err != nil {
		return fail(err)
	}
	real, err := notPty(fd)
	if err != nil {
		return fail(err)
	}
	port, err := serial.OpenPort(&serial.Config{Name: path, Baud: baud, ReadTimeout: 100 * time.Millisecond})
	if err != nil {
		return fail(fmt.Errorf("at %d baud: %w", baud, err))
	}
	for _, set := range options {
		if err := set(fd); err != nil {
			port.Close()
			return fail(err)
		}
	}
	d, err := newDescriptor(path, fd)
	if err != nil {
		port.Close()
		unix.Close(fd)
		return nil, err
	}
	l := &SerialLine{port: port, d: d}
	if real {
		if err := unix.IoctlSetInt(fd, unix.TIOCEXCL, 0); err != nil {
			l.Close()
			return nil, fmt.Errorf("%s: keep others out: %w", path, err)
		}
		l.held = true
	}
	return l, nil
}

// notPty tells whether the kernel may keep others off a tty. It may not off a
// pty: there the mark outlives a killed process for as long as the other end is
// open.
func notPty(fd int) (bool, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return false, err
	}
	const firstPts, lastPts = 136, 143 // majors of Unix98 ptys
	major := unix.Major(uint64(st.Rdev))
	return major < firstPts || major > lastPts, nil
}

// Read implements Line.
func (l *SerialLine) Read(ctx context.Context, p []byte) (int, error) {
	for {
		if err := l.d.wait(ctx, unix.POLLIN, forever); err != nil {
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
			return 0, fmt.Errorf("%s: %w", l.d.name, err)
		}
	}
}

// Write implements Line.
func (l *SerialLine) Write(ctx context.Context, p []byte) (int, error) {
	n, err := l.d.write(ctx, p)
	if err != nil {
		return n, err
	}
	return n, l.d.drain(ctx, unix.TIOCOUTQ)
}

// Discard implements Line.
func (l *SerialLine) Discard() error {
	if err := l.gone(); err != nil {
		return err
	}
	if err := l.port.Flush(); err != nil {
		return l.d.gone()
	}
	return nil
}

// Close implements Line. Closing again does nothing.
func (l *SerialLine) Close() error {
	if l.d.fd < 0 {
		return nil
	}
	// A real tty would otherwise hold Close up to 30 s to send what it has.
	flushed := l.port.Flush()
	if l.held && flushed == nil {
		_ = unix.IoctlSetInt(l.d.fd, unix.TIOCNXCL, 0) // a line that is gone has no mark to clear
	}
	return errors.Join(l.port.Close(), l.d.close())
}

// gone asks the line whether it is still there, without sending anything.
func (l *SerialLine) gone() error {
	if _, err := l.port.Write(nil); err != nil {
		return l.d.gone()
	}
	if revents, err := l.d.poll(0, 0); err == nil && revents != 0 {
		return l.d.gone()
	}
	return nil
}
