package hid_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holoplot/go-evdev"

	"parvis/device"
	"parvis/device/reader"
	"parvis/device/reader/hid"
	"parvis/device/reader/internal/line/linetest"
	"parvis/device/reader/scanner"
	"parvis/device/transport"
)

// keyboard is the kernel's stream of events, through a pipe.
type keyboard struct {
	io.ReadCloser
	grabbed *bool
}

func (k keyboard) ReadOne() (*evdev.InputEvent, error) {
	var e evdev.InputEvent
	err := binary.Read(k, binary.LittleEndian, &e)
	return &e, err
}

func (k keyboard) Grab() error {
	if *k.grabbed {
		return syscall.EBUSY
	}
	*k.grabbed = true
	return nil
}

// bench is a keyboard reader in fake time.
type bench struct {
	linetest.Record
	ctx     context.Context
	options hid.Options
	served  chan error

	mu      sync.Mutex
	wire    *io.PipeWriter // nil while unplugged
	grabbed bool
}

// run serves a reader in a bubble of fake time while test plays with it.
func run(t *testing.T, o hid.Options, test func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		b := &bench{ctx: ctx, options: o}
		b.serve()
		b.expect(t, "starting online")
		if !b.grabbed {
			t.Error("the keyboard also types elsewhere")
		}
		test(t, b)
		cancel()
		if err := <-b.served; err == nil {
			t.Error("Serve ended without an error")
		}
	})
}

func (b *bench) serve() {
	b.served = make(chan error, 1)
	r := hid.NewFrom(b.open, b.options)
	go func() { b.served <- r.Serve(b.ctx, b.Report, b.Seen) }()
}

func (b *bench) open() (hid.Keyboard, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, w := io.Pipe()
	b.wire, b.grabbed = w, false
	return keyboard{r, &b.grabbed}, nil
}

func (b *bench) unplug() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wire.Close()
}

func (b *bench) press(t *testing.T, names string) {
	t.Helper()
	b.send(t, keys(t, names))
}

func (b *bench) send(t *testing.T, events any) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := binary.Write(b.wire, binary.LittleEndian, events); err != nil {
		t.Error(err)
	}
}

func (b *bench) expect(t *testing.T, want string) {
	t.Helper()
	synctest.Wait()
	if got := b.Take(); got != want {
		t.Errorf("the reader said\n%s\nwant\n%s", got, want)
	}
}

func TestCards(t *testing.T) {
	run(t, hid.Options{Layout: hid.AZERTY, Medium: reader.RFID}, func(t *testing.T, b *bench) {
		const card = "LEFTSHIFT+0 LEFTSHIFT+0 LEFTSHIFT+0 LEFTSHIFT+8 LEFTSHIFT+8 LEFTSHIFT+4 LEFTSHIFT+4 LEFTSHIFT+3 LEFTSHIFT+5 LEFTSHIFT+6"
		b.press(t, card+" ENTER")
		b.expect(t, "+0086F444 -")
		b.press(t, card+" ENTER")
		b.expect(t, "") // held there
		b.press(t, card+" LEFTSHIFT+6 ENTER KP4 KP2 ENTER A ENTER")
		b.press(t, "KP9 KP9 KP9 KP9 KP9 KP9 KP9 KP9 KP9 KP9 ENTER")
		b.expect(t, "") // none of them a card
	})
}

// Each fault, before, amid and after a code: what the reader says of it, and
// that it tells of the next code.
func TestFaults(t *testing.T) {
	const still = 3 * time.Second
	for name, fault := range map[string]struct {
		strike func(t *testing.T, b *bench)
		want   string // what is said of it alone
		amid   string // what is said when it comes after AB, and C after it
	}{
		"half a code":   {func(t *testing.T, b *bench) { b.press(t, "H A L F"); time.Sleep(still) }, "", "+c"},
		"keys of noise": {func(t *testing.T, b *bench) { b.press(t, "F1 UP LEFTCTRL+C CAPSLOCK") }, "", "+abc"},
		"other events":  {func(t *testing.T, b *bench) { b.send(t, evdev.InputEvent{Type: evdev.EV_REL, Value: 5}) }, "", "+abc"},
		"events lost":   {func(t *testing.T, b *bench) { b.send(t, lost) }, "", "+c"},
		"another code":  {func(t *testing.T, b *bench) { time.Sleep(still); b.press(t, "D E F ENTER") }, "+def", "+def +c"},
		"two codes":     {func(t *testing.T, b *bench) { time.Sleep(still); b.press(t, "D ENTER E ENTER") }, "+d +e", "+d +e +c"},
		"a code again":  {func(t *testing.T, b *bench) { time.Sleep(still); b.press(t, "D ENTER D ENTER") }, "+d", "+d +c"},
		"too long":      {func(t *testing.T, b *bench) { b.press(t, strings.Repeat("X ", 600)+"ENTER") }, "", "+c"},
		"a stuck key":   {func(t *testing.T, b *bench) { stick(t, b); time.Sleep(still) }, "", "+c"},
		"a flood": {func(t *testing.T, b *bench) {
			for range 50 {
				b.press(t, strings.Repeat("X ", 700)+"ENTER")
				time.Sleep(100 * time.Millisecond)
			}
			time.Sleep(still)
		}, "online//noise online", "online//noise online +c"},
		"unplugged": {func(t *testing.T, b *bench) {
			b.unplug()
			if err := <-b.served; !errors.Is(err, transport.ErrGone) {
				t.Errorf("Serve = %v, want ErrGone", err)
			}
			b.serve()
			synctest.Wait()
		}, "no_device//unplugged starting online", "no_device//unplugged starting online +c"},
		"half an event": {func(t *testing.T, b *bench) {
			b.send(t, []byte{1, 2, 3})
			b.unplug()
			if err := <-b.served; !errors.Is(err, transport.ErrGone) {
				t.Errorf("Serve = %v, want ErrGone", err)
			}
			b.serve()
			synctest.Wait()
		}, "no_device//unplugged starting online", "no_device//unplugged starting online +c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := hid.Options{Layout: hid.QWERTY}
			t.Run("before", func(t *testing.T) {
				run(t, o, func(t *testing.T, b *bench) {
					fault.strike(t, b)
					time.Sleep(still)
					b.expect(t, fault.want)
					b.press(t, "A B C ENTER")
					b.expect(t, "+abc")
				})
			})
			t.Run("amid", func(t *testing.T) {
				run(t, o, func(t *testing.T, b *bench) {
					b.press(t, "A B")
					synctest.Wait()
					fault.strike(t, b)
					b.press(t, "C ENTER")
					b.expect(t, fault.amid)
					b.press(t, "X ENTER")
					b.expect(t, "+x")
				})
			})
			t.Run("after", func(t *testing.T) {
				run(t, o, func(t *testing.T, b *bench) {
					b.press(t, "A B C ENTER")
					b.expect(t, "+abc")
					time.Sleep(still)
					fault.strike(t, b)
					time.Sleep(still)
					b.expect(t, fault.want)
					b.press(t, "A B C ENTER")
					b.expect(t, "+abc")
				})
			})
		})
	}
}

// lost is how the kernel says that it has lost events.
var lost = []evdev.InputEvent{{Type: evdev.EV_SYN, Code: evdev.SYN_DROPPED}, {Type: evdev.EV_SYN, Code: evdev.SYN_REPORT}}

// stick holds a key for a while, as the kernel tells of it.
func stick(t *testing.T, b *bench) {
	t.Helper()
	held := []evdev.InputEvent{{Type: evdev.EV_KEY, Code: evdev.KEY_A, Value: 1}}
	for range 50 {
		held = append(held, evdev.InputEvent{Type: evdev.EV_KEY, Code: evdev.KEY_A, Value: 2})
	}
	b.send(t, held)
}

func TestServeRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		open  func() (hid.Keyboard, error)
		want  error
		fault device.Fault
	}{
		"a keyboard that is not there": {func() (hid.Keyboard, error) { return nil, fs.ErrNotExist }, fs.ErrNotExist, device.Unplugged},
		"one that another program has": {func() (hid.Keyboard, error) {
			grabbed := true
			return keyboard{io.NopCloser(strings.NewReader("")), &grabbed}, nil
		}, syscall.EBUSY, device.Hardware},
	} {
		t.Run(name, func(t *testing.T) {
			var last device.Status
			r := hid.NewFrom(tc.open, hid.Options{Layout: hid.AZERTY})
			err := r.Serve(t.Context(), func(s device.Status) { last = s }, func(reader.Event) {})
			if !errors.Is(err, tc.want) || last.Fault != tc.fault {
				t.Errorf("Serve = %v, status %+v", err, last)
			}
		})
	}
	t.Run("a path that is not there", func(t *testing.T) {
		r := hid.New(hid.Options{Path: filepath.Join(t.TempDir(), "none"), Layout: hid.AZERTY})
		if err := r.Serve(t.Context(), func(device.Status) {}, func(reader.Event) {}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Serve = %v", err)
		}
	})
	t.Run("a file", func(t *testing.T) {
		r := hid.New(hid.Options{Path: os.DevNull, Layout: hid.AZERTY})
		if err := r.Serve(t.Context(), func(device.Status) {}, func(reader.Event) {}); err == nil || !strings.Contains(err.Error(), "keyboard") {
			t.Errorf("Serve = %v", err)
		}
	})
}

// Unplugged a hundred times, over pipes of the kernel's, it leaves nothing.
func TestUnpluggedAHundredTimes(t *testing.T) {
	serve := func() {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		grabbed := false
		r := hid.NewFrom(func() (hid.Keyboard, error) { return keyboard{read, &grabbed}, nil }, hid.Options{Layout: hid.QWERTY})
		codes, served := make(chan string, 1), make(chan error, 1)
		go func() {
			served <- r.Serve(t.Context(), func(device.Status) {}, func(e reader.Event) { codes <- e.Text })
		}()
		if err := binary.Write(write, binary.LittleEndian, keys(t, "O K ENTER")); err != nil {
			t.Fatal(err)
		}
		select {
		case code := <-codes:
			if code != "ok" {
				t.Errorf("read %q", code)
			}
		case <-time.After(2 * time.Second):
			t.Fatal("nothing read for 2 s")
		}
		if err := write.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-served; !errors.Is(err, transport.ErrGone) {
			t.Fatalf("Serve = %v, want ErrGone", err)
		}
	}
	serve()
	files, routines := openFiles(t), runtime.NumGoroutine()
	for range 100 {
		serve()
	}
	for until := time.Now().Add(3 * time.Second); openFiles(t) > files || runtime.NumGoroutine() > routines; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%d open files and %d goroutines, %d and %d before", openFiles(t), runtime.NumGoroutine(), files, routines)
		}
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// With the kernel's own virtual keyboard, where there is one.
func TestRealKeyboard(t *testing.T) {
	if _, err := os.Stat("/dev/uinput"); errors.Is(err, fs.ErrNotExist) {
		t.Skip("the kernel here has no /dev/uinput (modprobe uinput), so that no keyboard can be made")
	}
	const name = "Parvis test scanner"
	codes := []evdev.EvCode{evdev.KEY_LEFTSHIFT}
	for code := evdev.EvCode(evdev.KEY_1); code <= evdev.KEY_SLASH; code++ {
		codes = append(codes, code)
	}
	typist, err := evdev.CreateDevice(name, evdev.InputID{BusType: 3, Vendor: 0xC0DE, Product: 0x5CA9},
		map[evdev.EvType][]evdev.EvCode{evdev.EV_KEY: codes})
	if err != nil {
		t.Fatal(err)
	}
	unplugged := false
	t.Cleanup(func() {
		if !unplugged {
			evdev.DestroyDevice(typist)
		}
	})
	for _, ends := range []string{"with its context", "unplugged"} {
		r := hid.New(hid.Options{Path: pathOf(t, name), Layout: hid.AZERTY, Format: scanner.Format{MaxLength: 20}})
		ctx, cancel := context.WithCancel(t.Context())
		online, seen, served := make(chan bool, 9), make(chan string, 9), make(chan error, 1)
		serve := func() {
			served <- r.Serve(ctx, func(s device.Status) { online <- s.Ready() }, func(e reader.Event) { seen <- e.Text })
		}
		go serve()
		for until := time.After(5 * time.Second); !<-online; {
			select {
			case err := <-served: // udev has not made the device's file yet
				if time.Sleep(10 * time.Millisecond); !errors.Is(err, fs.ErrNotExist) {
					t.Fatal(err)
				}
				go serve()
			case <-until:
				t.Fatal("not online in 5 s")
			default:
			}
		}
		for _, e := range keys(t, "Q LEFTSHIFT+1 ENTER") {
			if err := typist.WriteOne(&e); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case got := <-seen:
			if got != "a1" {
				t.Errorf("read %q, want a1", got)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("nothing read in 5 s")
		}
		if ends == "with its context" {
			cancel()
		} else {
			unplugged = true
			evdev.DestroyDevice(typist)
		}
		if err := <-served; err == nil {
			t.Error("Serve ended without an error")
		}
		cancel()
	}
}

// pathOf waits until udev has made the file of a device.
func pathOf(t *testing.T, name string) string {
	t.Helper()
	for until := time.Now().Add(5 * time.Second); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		devices, err := evdev.ListDevicePaths()
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range devices {
			if d.Name == name {
				return d.Path
			}
		}
	}
	t.Fatalf("no device %q in 5 s", name)
	return ""
}
