package xdrive_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"

	"parvis/e2e/xdrive"
)

const patience = time.Minute

// toy is a window over the whole glass that paints itself when touched and
// tells what it got.
type toy struct {
	conn   *xgb.Conn
	window xproto.Window
	gc     xproto.Gcontext
	events chan string
}

// openToy shows a window that does react on each event.
func openToy(t *testing.T, display string, react func(*toy, xgb.Event)) *toy {
	t.Helper()
	conn, err := xgb.NewConnDisplay(display)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	screen := xproto.Setup(conn).DefaultScreen(conn)
	y := &toy{conn: conn, events: make(chan string, 100)}
	y.window, err = xproto.NewWindowId(conn)
	if err != nil {
		t.Fatal(err)
	}
	y.gc, err = xproto.NewGcontextId(conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(
		xproto.CreateWindowChecked(conn, screen.RootDepth, y.window, screen.Root, 0, 0, screen.WidthInPixels, screen.HeightInPixels, 0,
			xproto.WindowClassInputOutput, screen.RootVisual, xproto.CwBackPixel|xproto.CwEventMask,
			[]uint32{0x204060, xproto.EventMaskButtonPress | xproto.EventMaskButtonRelease | xproto.EventMaskKeyPress | xproto.EventMaskExposure}).Check(),
		xproto.CreateGCChecked(conn, y.gc, xproto.Drawable(y.window), xproto.GcForeground, []uint32{0xffffff}).Check(),
		xproto.MapWindowChecked(conn, y.window).Check(),
	); err != nil {
		t.Fatal(err)
	}
	shown := make(chan struct{}, 1)
	go func() {
		for {
			event, err := conn.WaitForEvent()
			if event == nil && err == nil {
				return
			}
			switch e := event.(type) {
			case xproto.ExposeEvent:
				select {
				case shown <- struct{}{}:
				default:
				}
				continue
			case xproto.ButtonPressEvent:
				y.events <- fmt.Sprintf("press %d,%d", e.EventX, e.EventY)
			case xproto.ButtonReleaseEvent:
				y.events <- fmt.Sprintf("release %d,%d", e.EventX, e.EventY)
			case xproto.KeyPressEvent:
				y.events <- fmt.Sprintf("key %d %#x", e.State&xproto.ModMaskShift, y.keysym(e))
			}
			react(y, event)
		}
	}()
	select {
	case <-shown:
	case <-time.After(patience):
		t.Fatal("the window was not shown")
	}
	return y
}

// keysym is what the key of an event makes.
func (y *toy) keysym(e xproto.KeyPressEvent) xproto.Keysym {
	reply, err := xproto.GetKeyboardMapping(y.conn, e.Detail, 1).Reply()
	if err != nil {
		return 0
	}
	return reply.Keysyms[e.State&xproto.ModMaskShift]
}

func (y *toy) paint(r image.Rectangle, colour uint32) {
	xproto.ChangeGC(y.conn, y.gc, xproto.GcForeground, []uint32{colour})
	xproto.PolyFillRectangle(y.conn, xproto.Drawable(y.window), y.gc, []xproto.Rectangle{
		{X: int16(r.Min.X), Y: int16(r.Min.Y), Width: uint16(r.Dx()), Height: uint16(r.Dy())}})
}

func (y *toy) want(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-y.events:
		if got != want {
			t.Fatalf("the window got %q, want %q", got, want)
		}
	case <-time.After(patience):
		t.Fatalf("the window didn't get %q", want)
	}
}

func openScreen(t *testing.T, width, height int) (*xdrive.Screen, string) {
	t.Helper()
	d, err := xdrive.StartDisplay(t.Context(), width, height)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	s, err := xdrive.OpenScreen(d.Name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, d.Name
}

func ignore(*toy, xgb.Event) {}

func TestDisplay(t *testing.T) {
	d, err := xdrive.StartDisplay(t.Context(), 320, 200)
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join("/tmp/.X11-unix", "X"+strings.TrimPrefix(d.Name, ":"))
	if _, err := os.Stat(socket); err != nil {
		t.Errorf("display %s: %v", d.Name, err)
	}
	s, err := xdrive.OpenScreen(d.Name)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Bounds(), image.Rect(0, 0, 320, 200); got != want {
		t.Errorf("bounds %v, want %v", got, want)
	}
	s.Close()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after Close the socket %s is still there: %v", socket, err)
	}
}

func TestTwoDisplaysAtOnce(t *testing.T) {
	_, a := openScreen(t, 100, 100)
	_, b := openScreen(t, 100, 100)
	if a == b {
		t.Errorf("both are %s", a)
	}
}

func TestClickAndKey(t *testing.T) {
	s, display := openScreen(t, 400, 300)
	y := openToy(t, display, ignore)
	must(t, s.Click(30, 40))
	y.want(t, "press 30,40")
	y.want(t, "release 30,40")
	must(t, s.ClickSlop(100, 100, 6, -3))
	y.want(t, "press 100,100")
	y.want(t, "release 106,97")

	keys := []struct{ name, want string }{
		{"Down", "key 0 0xff54"}, {"Tab", "key 0 0xff09"}, {"Return", "key 0 0xff0d"}, {"space", "key 0 0x20"},
		{"Escape", "key 0 0xff1b"}, {"Home", "key 0 0xff50"}, {"F1", "key 0 0xffbe"}, {"F4", "key 0 0xffc1"},
		{"minus", "key 0 0x2d"}, {"a", "key 0 0x61"}, {"7", "key 0 0x37"},
	}
	for _, k := range keys {
		must(t, s.Key(k.name))
		y.want(t, k.want)
	}
	must(t, s.Key("plus")) // Shift and =
	y.want(t, "key 0 0xffe1")
	y.want(t, "key 1 0x2b")
	if err := s.Key("Hyper"); err == nil || !strings.Contains(err.Error(), "Hyper") {
		t.Errorf("an unknown key: %v", err)
	}
}

func TestScreenshot(t *testing.T) {
	s, display := openScreen(t, 400, 300)
	y := openToy(t, display, ignore)
	y.paint(image.Rect(10, 20, 30, 40), 0xff8000)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	must(t, s.WaitStill(ctx, 50*time.Millisecond))
	img, err := s.Screenshot()
	if err != nil {
		t.Fatal(err)
	}
	if img.Bounds() != s.Bounds() {
		t.Errorf("bounds %v", img.Bounds())
	}
	for _, p := range []struct {
		x, y int
		want color.RGBA
	}{
		{10, 20, color.RGBA{0xff, 0x80, 0, 0xff}}, {29, 39, color.RGBA{0xff, 0x80, 0, 0xff}},
		{30, 40, color.RGBA{0x20, 0x40, 0x60, 0xff}}, {399, 299, color.RGBA{0x20, 0x40, 0x60, 0xff}},
	} {
		if got := img.At(p.x, p.y); got != p.want {
			t.Errorf("(%d, %d) is %v, want %v", p.x, p.y, got, p.want)
		}
		if got, err := s.At(p.x, p.y); err != nil || got != color.Color(p.want) {
			t.Errorf("At(%d, %d) = %v, %v, want %v", p.x, p.y, got, err, p.want)
		}
	}
}

func TestWaitChange(t *testing.T) {
	s, display := openScreen(t, 400, 300)
	y := openToy(t, display, ignore)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	timer := time.AfterFunc(30*time.Millisecond, func() { y.paint(image.Rect(100, 100, 150, 150), 0xffffff) })
	defer timer.Stop()
	must(t, s.WaitChange(ctx, image.Rect(90, 90, 200, 200)))

	short, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()
	time.AfterFunc(10*time.Millisecond, func() { y.paint(image.Rect(300, 200, 310, 210), 0xffffff) })
	if err := s.WaitChange(short, image.Rect(0, 0, 50, 50)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a change elsewhere counted: %v", err)
	}
}

func TestLatency(t *testing.T) {
	// A busy machine may put off either program: one fair measure in five will do.
	var wrong []string
	for range 5 {
		if wrong = measureOnce(t); len(wrong) == 0 {
			return
		}
	}
	t.Error(strings.Join(wrong, "; "))
}

// measureOnce says what in one measure disagrees with the window's own clock.
func measureOnce(t *testing.T) (wrong []string) {
	type act struct {
		what string
		at   time.Time
	}
	acts := make(chan act, 10)
	s, display := openScreen(t, 1080, 1920)
	openToy(t, display, func(y *toy, e xgb.Event) {
		paint := func(after time.Duration, what string, r image.Rectangle, colour uint32) {
			time.AfterFunc(after, func() {
				acts <- act{what, time.Now()}
				y.paint(r, colour)
			})
		}
		switch e.(type) {
		case xproto.ButtonPressEvent:
			acts <- act{"landed", time.Now()}
			paint(0, "pressed", image.Rect(100, 100, 300, 300), 0x808080)
		case xproto.ButtonReleaseEvent:
			acts <- act{"lifted", time.Now()}
			paint(60*time.Millisecond, "first", image.Rect(100, 100, 300, 300), 0xffffff)
			paint(150*time.Millisecond, "last", image.Rect(0, 1000, 1080, 1900), 0x00ff00)
			// The same again: drawn, yet no change.
			paint(250*time.Millisecond, "again", image.Rect(100, 100, 300, 300), 0xffffff)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	got, err := s.Latency(ctx, 200, 200, s.Bounds())
	if err != nil {
		t.Fatal(err)
	}
	at := make(map[string]time.Time)
	for range 6 {
		a := <-acts
		at[a.what] = a.at
	}
	for _, m := range []struct {
		name      string
		got, want time.Duration
	}{
		{"Touch", got.Touch, at["pressed"].Sub(at["landed"])},
		{"First", got.First, at["first"].Sub(at["lifted"])},
		{"Settled", got.Settled, at["last"].Sub(at["lifted"])},
	} {
		if d := m.got - m.want; m.got == 0 || d < -5*time.Millisecond || d > 25*time.Millisecond {
			wrong = append(wrong, fmt.Sprintf("%s is %v, the window took %v", m.name, m.got, m.want))
		}
	}
	return wrong
}

func TestLatencyOfNothing(t *testing.T) {
	s, display := openScreen(t, 400, 300)
	openToy(t, display, ignore)
	ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
	defer cancel()
	if l, err := s.Latency(ctx, 10, 10, s.Bounds()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a window that doesn't react gives %+v, %v", l, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
