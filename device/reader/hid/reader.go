// Package hid reads the scanners and card readers that pass for a keyboard. It
// takes such a keyboard for itself alone, so that what it types goes nowhere
// else, and decodes its keys.
package hid

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/holoplot/go-evdev"

	"parvis/device"
	"parvis/device/reader"
	"parvis/device/reader/internal/line"
	"parvis/device/reader/scanner"
	"parvis/device/transport"
)

// Options say which keyboard is meant and what it types.
type Options struct {
	Path   string // of the device, best one under /dev/input/by-id that stays the same
	Layout Layout
	Format scanner.Format // CR, the default suffix, is the Enter key
	// Medium is reader.Code, the default, or reader.RFID for readers of 125 kHz
	// cards that type the ten decimal digits printed on a card.
	Medium reader.Medium
}

// Check tells IT staff, in French, of options that cannot be.
func (o Options) Check() error {
	switch {
	case o.Path == "":
		return errors.New("clavier : donnez son port")
	case o.Medium != "" && o.Medium != reader.Code && o.Medium != reader.RFID:
		return fmt.Errorf("clavier : il ne lit pas de « %s »", string(o.Medium))
	}
	return errors.Join(o.Layout.Check(), o.Format.Check())
}

// keyboard is the hardware: an *evdev.InputDevice, which only the kernel makes.
type keyboard interface {
	ReadOne() (*evdev.InputEvent, error) // waits, until Close
	Grab() error
	Close() error
}

// Reader is a scanner or card reader that types. It implements reader.Reader.
type Reader struct {
	open    func() (keyboard, error)
	options Options
}

// New makes a Reader whose device is opened by Serve. The options should pass
// their Check.
func New(o Options) *Reader {
	return &Reader{open: func() (keyboard, error) { return open(o.Path) }, options: o}
}

// Serve implements reader.Reader, as the Serve of package scanner does. A card
// is told of as gone right after it was told of: such readers type once.
func (r *Reader) Serve(ctx context.Context, report func(device.Status), seen func(reader.Event)) error {
	status := line.Changes(report)
	status(device.Status{State: device.Starting})
	k, err := r.open()
	if err != nil {
		err = fmt.Errorf("open keyboard reader: %w", err)
		status(device.Unplugged.With(err))
		return err
	}
	if err := k.Grab(); err != nil {
		err = fmt.Errorf("take keyboard reader from the other programs: %w", errors.Join(err, k.Close()))
		status(device.Hardware.With(err))
		return err
	}
	l := &listener{decoder: NewDecoder(r.options.Layout)}
	l.codes = scanner.NewAssembler(r.options.Format, func(text string) { l.tell(r.options.Medium, text, seen) })
	err = serve(ctx, k, status, l)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err = fmt.Errorf("read from keyboard reader: %w", err)
	status(device.Unplugged.With(err))
	return err
}

// listener makes codes and cards of events.
type listener struct {
	decoder *Decoder
	codes   *scanner.Assembler
	strange int // bytes of codes that are no card number
}

func (l *listener) take(now time.Time, e evdev.InputEvent) {
	typed, whole := l.decoder.Take(e)
	if !whole {
		l.codes.Lost()
	}
	l.codes.Hear(now, []byte(typed))
}

func (l *listener) tell(m reader.Medium, text string, seen func(reader.Event)) {
	if m != reader.RFID {
		seen(reader.Event{Medium: reader.Code, Present: true, Text: text})
		return
	}
	number, err := strconv.ParseUint(text, 10, 32)
	if err != nil || len(text) != len("0008844356") {
		l.strange += len(text)
		return
	}
	seen(reader.Event{Medium: reader.RFID, Present: true, Number: fmt.Sprintf("%08X", number)})
	seen(reader.Event{Medium: reader.RFID})
}

// serve listens until the keyboard is gone or ctx ends, and closes it.
func serve(ctx context.Context, k keyboard, status func(device.Status), l *listener) (err error) {
	events, failed, done := make(chan evdev.InputEvent), make(chan error, 1), make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			e, err := k.ReadOne()
			if err != nil {
				failed <- gone(err)
				return
			}
			select {
			case events <- *e:
			case <-done:
				return
			}
		}
	})
	defer func() {
		close(done)
		if closed := k.Close(); err == nil {
			err = closed
		}
		reading.Wait()
	}()
	return listen(ctx, events, failed, status, l)
}

// listen returns when reading has failed or ctx ends.
func listen(ctx context.Context, events <-chan evdev.InputEvent, failed <-chan error, status func(device.Status), l *listener) error {
	var noise line.Noise
	silence := time.NewTimer(time.Hour)
	defer silence.Stop()
	now := time.Now()
	for {
		next := line.Sooner(l.codes.Tick(now), noise.Count(now, l.codes.Dropped()+l.strange))
		status(noise.Status(device.MediaUnknown))
		if next.IsZero() {
			silence.Stop()
		} else {
			silence.Reset(time.Until(next))
		}
		select {
		case e := <-events:
			now = time.Now()
			l.take(now, e)
		case <-silence.C:
			// The borne may have been too busy to take what was typed.
			select {
			case e := <-events:
				now = time.Now()
				l.take(now, e)
			default:
				now = time.Now()
			}
		case err := <-failed:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// gone puts in our terms how the kernel tells of a device that is unplugged.
func gone(err error) error {
	if errors.Is(err, syscall.ENODEV) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return transport.ErrGone
	}
	return err
}
