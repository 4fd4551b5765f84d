// Package line serves a reader that only ever talks, at the end of a serial
// line. It keeps the line and the status; a Listener makes sense of the bytes.
package line

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parvis/device"
	"parvis/device/transport"
)

// Listener makes sense of what comes over a line. It is called from one
// goroutine, with times that never go back.
type Listener interface {
	// Hear takes bytes as they come. It must not keep p, which is overwritten.
	// How long ago others came says nothing: the borne may have been busy.
	Hear(now time.Time, p []byte)

	// Tick lets time pass, after bytes as well as in silence. It returns when
	// it wants to be called again if nothing comes; the zero Time is never.
	Tick(now time.Time) time.Time

	// Dropped is how many bytes made no sense so far.
	Dropped() int

	// Media tells whether something lies on the reader.
	Media() device.Media

	// Lost says that the line is gone, and with it what was half heard.
	Lost()
}

// Serve opens a line and lets l listen to it, as Serve of reader.Reader does.
// Its errors are those of open, of ctx, or wrap transport.ErrGone.
func Serve(ctx context.Context, open transport.Opener, report func(device.Status), l Listener) (err error) {
	status := Changes(report)
	status(device.Status{State: device.Starting})
	line, err := open(ctx)
	if err != nil {
		err = fmt.Errorf("open reader: %w", err)
		status(transport.OpenFault(err).With(err))
		return err
	}
	defer func() {
		if closed := line.Close(); err == nil {
			err = closed
		}
	}()
	err = listen(ctx, line, status, l)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	l.Lost()
	err = fmt.Errorf("read from reader: %w", err)
	status(device.Unplugged.With(err))
	return err
}

// Changes calls report for each status that differs from the one before.
func Changes(report func(device.Status)) func(device.Status) {
	var last device.Status
	return func(s device.Status) {
		if s != last {
			last = s
			report(s)
		}
	}
}

// listen returns when the line is lost or ctx ends.
func listen(ctx context.Context, line transport.Line, report func(device.Status), l Listener) error {
	var noise Noise
	buf := make([]byte, 256)
	defer clear(buf)
	now := time.Now()
	for {
		next := Sooner(l.Tick(now), noise.Count(now, l.Dropped()))
		report(noise.Status(l.Media()))
		n, err := read(ctx, line, buf, next)
		if err != nil {
			return err
		}
		now = time.Now()
		l.Hear(now, buf[:n])
		clear(buf[:n])
	}
}

// read waits for bytes until the time given, and returns none at that time.
func read(ctx context.Context, line transport.Line, buf []byte, until time.Time) (int, error) {
	if until.IsZero() {
		return line.Read(ctx, buf)
	}
	n, err := readFor(ctx, line, buf, time.Until(until))
	if n > 0 || !errors.Is(err, context.DeadlineExceeded) {
		return n, err
	}
	// The borne may have been too busy to read what came in time: that is no
	// silence.
	n, err = readFor(ctx, line, buf, time.Millisecond)
	if errors.Is(err, context.DeadlineExceeded) {
		return 0, ctx.Err()
	}
	return n, err
}

func readFor(ctx context.Context, line transport.Line, buf []byte, d time.Duration) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return line.Read(ctx, buf)
}

// Sooner is the earlier of two times, of which the zero Time never comes.
func Sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
