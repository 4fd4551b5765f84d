package xdrive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"time"

	"github.com/jezek/xgb/damage"
	"github.com/jezek/xgb/xproto"
)

// A Latency says how long after a tap the glass changed.
type Latency struct {
	Touch   time.Duration // from the finger's landing to the first change, which may be a pressed look
	First   time.Duration // from its lifting to the first change after that
	Settled time.Duration // from its lifting to the last change
}

// quietEnough is how long the glass must rest for a change to be called the
// last.
const quietEnough = 300 * time.Millisecond

// Latency taps (x, y) and times the changes it makes in area. The pointer is
// brought there first and the glass left to come to rest. When nothing changes
// before ctx ends, the error is ctx's.
func (s *Screen) Latency(ctx context.Context, x, y int, area image.Rectangle) (Latency, error) {
	var l Latency
	if err := s.Move(x, y); err != nil {
		return l, err
	}
	if err := s.WaitStill(ctx, quietEnough); err != nil {
		return l, fmt.Errorf("before the touch: %w", err)
	}
	w, err := s.watch(area)
	if err != nil {
		return l, err
	}
	landed := time.Now()
	if err := s.Press(x, y); err != nil {
		return l, err
	}
	lift, cancel := context.WithDeadline(ctx, landed.Add(touchTime))
	defer cancel()
	for lift.Err() == nil {
		at, err := w.next(lift)
		if err == nil && l.Touch == 0 {
			l.Touch = at.Sub(landed)
		} else if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return l, err
		}
	}

	lifted := time.Now()
	if err := s.Release(); err != nil {
		return l, err
	}
	first, err := w.next(ctx)
	if err != nil {
		return l, fmt.Errorf("nothing changed at (%d, %d): %w", x, y, err)
	}
	last, err := w.settle(ctx, quietEnough)
	if err != nil {
		return l, fmt.Errorf("after the touch: %w", err)
	}
	if last.IsZero() {
		last = first
	}
	if l.Touch == 0 {
		l.Touch = first.Sub(landed)
	}
	l.First, l.Settled = first.Sub(lifted), last.Sub(lifted)
	return l, nil
}

// A watch compares lines of pixels across an area with how they last were.
// Lines are far cheaper to read than the whole, and the server says when to.
type watch struct {
	s     *Screen
	lines []image.Rectangle
	seen  []byte
}

// watchedLines is how many lines of an area are looked at.
const watchedLines = 128

func (s *Screen) watch(area image.Rectangle) (*watch, error) {
	area = area.Intersect(s.bounds)
	if area.Empty() {
		return nil, fmt.Errorf("the area %v is off the glass", area)
	}
	w := &watch{s: s}
	step := max(1, area.Dy()/watchedLines)
	for y := area.Min.Y; y < area.Max.Y; y += step {
		w.lines = append(w.lines, image.Rect(area.Min.X, y, area.Max.X, y+1))
	}
	var err error
	w.seen, err = w.look()
	return w, err
}

// look reads the lines. Whatever is drawn after that is told in s.drawn: the
// server collects it anew before it answers.
func (w *watch) look() ([]byte, error) {
	select {
	case <-w.s.drawn:
	default:
	}
	damage.Subtract(w.s.conn, w.s.damage, 0, 0)
	cookies := make([]xproto.GetImageCookie, len(w.lines))
	for i, line := range w.lines {
		cookies[i] = w.s.request(line)
	}
	var pixels []byte
	for _, c := range cookies {
		reply, err := c.Reply()
		if err != nil {
			return nil, fmt.Errorf("look: %w", err)
		}
		pixels = append(pixels, reply.Data...)
	}
	return pixels, nil
}

// next waits for the next change and returns when it was drawn.
func (w *watch) next(ctx context.Context) (time.Time, error) {
	for {
		var at time.Time
		select {
		case at = <-w.s.drawn:
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		}
		now, err := w.look()
		if err != nil {
			return time.Time{}, err
		}
		if !bytes.Equal(now, w.seen) {
			w.seen = now
			return at, nil
		}
	}
}

// settle waits until there has been no change for quiet, and returns when the
// last one was drawn: the zero time when there was none.
func (w *watch) settle(ctx context.Context, quiet time.Duration) (last time.Time, err error) {
	for {
		rest, cancel := context.WithTimeout(ctx, quiet)
		at, err := w.next(rest)
		cancel()
		switch {
		case err == nil:
			last = at
		case ctx.Err() != nil:
			return last, ctx.Err()
		case errors.Is(err, context.DeadlineExceeded):
			return last, nil
		default:
			return last, err
		}
	}
}
