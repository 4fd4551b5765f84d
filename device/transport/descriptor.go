package transport

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// descriptor is a non-blocking file descriptor that is waited for together with
// a context. It is for one caller at a time.
type descriptor struct {
	name string // of the line, for errors
	fd   int
	bell int // an eventfd that the end of a context rings
}

func newDescriptor(name string, fd int) (*descriptor, error) {
	bell, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("%s: eventfd: %w", name, err)
	}
	return &descriptor{name: name, fd: fd, bell: bell}, nil
}

var errNothing = errors.New("nothing yet")

const forever = -1 * time.Millisecond

// wait polls the line until one of events, or until ctx ends, or for at most d.
// Its error is errNothing when d has passed.
func (d *descriptor) wait(ctx context.Context, events int16, limit time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	rung := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(rung)
		_, _ = unix.Write(d.bell, binary.NativeEndian.AppendUint64(nil, 1)) // a full counter rings as well
	})
	revents, err := d.poll(events, limit)
	if !stop() {
		<-rung // the bell must not ring for the next one to wait, nor after Close
		_, _ = unix.Read(d.bell, make([]byte, 8))
	}
	switch {
	case err != nil:
		return fmt.Errorf("%s: poll: %w", d.name, err)
	case revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0:
		return d.gone()
	case revents&events != 0:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return errNothing
}

// poll returns at once when the bell has rung.
func (d *descriptor) poll(events int16, limit time.Duration) (revents int16, err error) {
	fds := []unix.PollFd{{Fd: int32(d.fd), Events: events}, {Fd: int32(d.bell), Events: unix.POLLIN}}
	for {
		_, err = unix.Poll(fds, int(limit/time.Millisecond))
		if !errors.Is(err, unix.EINTR) {
			return fds[0].Revents, err
		}
	}
}

func (d *descriptor) gone() error { return fmt.Errorf("%s: %w", d.name, ErrGone) }

// failed names the error of a system call on the line.
func (d *descriptor) failed(op string, err error) error {
	switch {
	case errors.Is(err, unix.EIO), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV),
		errors.Is(err, unix.EPIPE), errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.ETIMEDOUT),
		errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.ENETUNREACH):
		return d.gone()
	}
	return fmt.Errorf("%s: %s: %w", d.name, op, err)
}

func busy(err error) bool { return errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) }

// read waits for bytes. Where the line says that there are some and gives none,
// ended says what that means: nil is that it was a false alarm.
func (d *descriptor) read(ctx context.Context, p []byte, ended func() error) (int, error) {
	const pause = 10 * time.Millisecond // after a false alarm
	for {
		if err := d.wait(ctx, unix.POLLIN, forever); err != nil {
			return 0, err
		}
		n, err := unix.Read(d.fd, p)
		switch {
		case n > 0:
			return n, nil
		case err != nil && !busy(err):
			return 0, d.failed("read", err)
		case err == nil:
			if err := ended(); err != nil {
				return 0, err
			}
			if err := d.wait(ctx, 0, pause); err != nil && !errors.Is(err, errNothing) {
				return 0, err
			}
		}
	}
}

// write hands over p, as the line takes it.
func (d *descriptor) write(ctx context.Context, p []byte) (int, error) {
	done := 0
	for done < len(p) {
		if err := d.wait(ctx, unix.POLLOUT, forever); err != nil {
			return done, err
		}
		n, err := unix.Write(d.fd, p[done:])
		done += max(n, 0)
		if err != nil && !busy(err) {
			return done, d.failed("write", err)
		}
	}
	return done, nil
}

// drain waits until the line holds back nothing that was written to it, which
// request asks of the kernel.
func (d *descriptor) drain(ctx context.Context, request uint) error {
	const glance = 5 * time.Millisecond
	for {
		queued, err := unix.IoctlGetInt(d.fd, request)
		if err != nil {
			return d.gone()
		}
		if queued == 0 {
			return nil
		}
		if err := d.wait(ctx, 0, glance); err != nil && !errors.Is(err, errNothing) {
			return err
		}
	}
}

// discard reads away what waits. Bytes that were written cannot be called back.
func (d *descriptor) discard(ended func() error) error {
	buf := make([]byte, 512)
	for {
		revents, err := d.poll(unix.POLLIN, 0)
		switch {
		case err != nil:
			return fmt.Errorf("%s: poll: %w", d.name, err)
		case revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0:
			return d.gone()
		case revents == 0:
			return nil
		}
		n, err := unix.Read(d.fd, buf)
		switch {
		case err != nil && busy(err):
			return nil
		case err != nil:
			return d.failed("read", err)
		case n == 0:
			return ended()
		}
	}
}

// close closes the line at once. Closing again does nothing.
func (d *descriptor) close() error {
	if d.fd < 0 {
		return nil
	}
	err := errors.Join(unix.Close(d.fd), unix.Close(d.bell))
	d.fd, d.bell = -1, -1
	return err
}
