package xdrive

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/damage"
	"github.com/jezek/xgb/xproto"
	"github.com/jezek/xgb/xtest"
)

// xgb writes to stderr what it also returns, and a note for each connection
// without an authority file, which a virtual screen has none of.
func init() { xgb.Logger.SetOutput(io.Discard) }

// Screen is the glass of a display, with a pointer and a keyboard. Its methods
// are for one goroutine.
type Screen struct {
	conn   *xgb.Conn
	root   xproto.Window
	bounds image.Rectangle
	keys   map[xproto.Keysym]stroke
	damage damage.Damage
	drawn  chan time.Time // when something was last drawn; holds the oldest unseen
	done   chan struct{}  // closed when the event reader has ended
}

// OpenScreen connects to the display named as in DISPLAY.
func OpenScreen(display string) (*Screen, error) {
	conn, err := xgb.NewConnDisplay(display)
	if err != nil {
		return nil, fmt.Errorf("display %s: %w", display, err)
	}
	s := &Screen{conn: conn, drawn: make(chan time.Time, 1), done: make(chan struct{})}
	setup := xproto.Setup(conn).DefaultScreen(conn)
	s.root = setup.Root
	s.bounds = image.Rect(0, 0, int(setup.WidthInPixels), int(setup.HeightInPixels))
	if err := s.prepare(); err != nil {
		conn.Close()
		return nil, fmt.Errorf("display %s: %w", display, err)
	}
	go s.readEvents()
	return s, nil
}

func (s *Screen) prepare() error {
	if err := xtest.Init(s.conn); err != nil {
		return err
	}
	if err := damage.Init(s.conn); err != nil {
		return err
	}
	if _, err := damage.QueryVersion(s.conn, 1, 1).Reply(); err != nil {
		return err
	}
	id, err := damage.NewDamageId(s.conn)
	if err != nil {
		return err
	}
	s.damage = id
	if err := damage.CreateChecked(s.conn, id, xproto.Drawable(s.root), damage.ReportLevelNonEmpty).Check(); err != nil {
		return err
	}
	s.keys, err = keyMap(s.conn)
	return err
}

// readEvents notes when something is drawn, until the connection closes.
func (s *Screen) readEvents() {
	defer close(s.done)
	for {
		event, err := s.conn.WaitForEvent()
		if event == nil && err == nil {
			return
		}
		if _, ok := event.(damage.NotifyEvent); ok {
			select {
			case s.drawn <- time.Now():
			default:
			}
		}
	}
}

// Close ends the connection.
func (s *Screen) Close() error {
	s.conn.Close()
	<-s.done
	return nil
}

// Bounds is the whole glass, in pixels.
func (s *Screen) Bounds() image.Rectangle { return s.bounds }

// Move puts the pointer at (x, y).
func (s *Screen) Move(x, y int) error {
	return s.fake(xproto.MotionNotify, 0, x, y)
}

// Press puts the finger down at (x, y).
func (s *Screen) Press(x, y int) error {
	return errors.Join(s.Move(x, y), s.fake(xproto.ButtonPress, 1, 0, 0))
}

// Release lifts the finger where it is.
func (s *Screen) Release() error { return s.fake(xproto.ButtonRelease, 1, 0, 0) }

// touchTime is how long a finger rests on the glass in a tap.
const touchTime = 50 * time.Millisecond

// Click taps (x, y).
func (s *Screen) Click(x, y int) error { return s.ClickSlop(x, y, 0, 0) }

// ClickSlop puts the finger down at (x, y) and lifts it dx and dy pixels
// further, as a shaky hand does, or one that thinks better of it.
func (s *Screen) ClickSlop(x, y, dx, dy int) error {
	if err := s.Press(x, y); err != nil {
		return err
	}
	time.Sleep(touchTime)
	if dx != 0 || dy != 0 {
		if err := s.Move(x+dx, y+dy); err != nil {
			return err
		}
	}
	return s.Release()
}

func (s *Screen) fake(kind, detail byte, x, y int) error { return s.fakeAfter(0, kind, detail, x, y) }

// fakeAfter has the server wait so many milliseconds first.
func (s *Screen) fakeAfter(ms uint32, kind, detail byte, x, y int) error {
	err := xtest.FakeInputChecked(s.conn, kind, detail, ms, s.root, int16(x), int16(y), 0).Check()
	if err != nil {
		return fmt.Errorf("input: %w", err)
	}
	return nil
}

// Screenshot is what the glass shows now.
func (s *Screen) Screenshot() (image.Image, error) { return s.grab(s.bounds) }

// grab reads one part of the glass.
func (s *Screen) grab(area image.Rectangle) (image.Image, error) {
	reply, err := s.request(area).Reply()
	if err != nil {
		return nil, fmt.Errorf("screenshot: %w", err)
	}
	img := image.NewRGBA(area)
	for i := 0; i+3 < len(reply.Data) && i+3 < len(img.Pix); i += 4 {
		b, g, r := reply.Data[i], reply.Data[i+1], reply.Data[i+2]
		img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = r, g, b, 0xff
	}
	return img, nil
}

// At is the colour of one pixel now.
func (s *Screen) At(x, y int) (color.Color, error) {
	img, err := s.grab(image.Rect(x, y, x+1, y+1))
	if err != nil {
		return nil, err
	}
	return img.At(x, y), nil
}

// Offers are the selections ("PRIMARY", "CLIPBOARD") in which some program
// holds something to be pasted.
func (s *Screen) Offers() ([]string, error) {
	var held []string
	for _, name := range []string{"PRIMARY", "SECONDARY", "CLIPBOARD"} {
		atom, err := xproto.InternAtom(s.conn, false, uint16(len(name)), name).Reply()
		if err != nil {
			return nil, fmt.Errorf("selection %s: %w", name, err)
		}
		owner, err := xproto.GetSelectionOwner(s.conn, atom.Atom).Reply()
		if err != nil {
			return nil, fmt.Errorf("selection %s: %w", name, err)
		}
		if owner.Owner != xproto.WindowNone {
			held = append(held, name)
		}
	}
	return held, nil
}

func (s *Screen) request(area image.Rectangle) xproto.GetImageCookie {
	return xproto.GetImage(s.conn, xproto.ImageFormatZPixmap, xproto.Drawable(s.root),
		int16(area.Min.X), int16(area.Min.Y), uint16(area.Dx()), uint16(area.Dy()), 0xffffffff)
}

// WaitChange waits until something in area looks different from now.
func (s *Screen) WaitChange(ctx context.Context, area image.Rectangle) error {
	w, err := s.watch(area)
	if err != nil {
		return err
	}
	_, err = w.next(ctx)
	return err
}

// WaitStill waits until nothing on the glass has changed for quiet.
func (s *Screen) WaitStill(ctx context.Context, quiet time.Duration) error {
	w, err := s.watch(s.bounds)
	if err != nil {
		return err
	}
	_, err = w.settle(ctx, quiet)
	return err
}
