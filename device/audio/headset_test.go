package audio_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holoplot/go-evdev"

	"parvis/device"
	"parvis/device/audio"
	"parvis/device/transport"
)

const patience = time.Minute

// socket is a jack socket whose events come through a pipe, in the kernel's
// own form.
type socket struct {
	*os.File // what the switch is read from
	kernel   *os.File
	in       atomic.Bool
	none     bool // it has no switch
}

func newSocket(t *testing.T, in bool) *socket {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	s := &socket{File: r, kernel: w}
	s.in.Store(in)
	return s
}

func (s *socket) State(evdev.EvType) (evdev.StateMap, error) {
	if s.none {
		return evdev.StateMap{}, nil
	}
	return evdev.StateMap{evdev.SW_LID: true, evdev.SW_HEADPHONE_INSERT: s.in.Load()}, nil
}

func (s *socket) ReadOne() (*evdev.InputEvent, error) {
	var e evdev.InputEvent
	if err := binary.Read(s.File, binary.LittleEndian, &e); err != nil {
		return nil, err
	}
	return &e, nil
}

func (s *socket) NonBlock() error { return nil }

// send is one event and the mark that ends it.
func (s *socket) send(t *testing.T, typ evdev.EvType, code evdev.EvCode, value int32) {
	t.Helper()
	for _, e := range []evdev.InputEvent{{Type: typ, Code: code, Value: value}, {Type: evdev.EV_SYN, Code: evdev.SYN_REPORT}} {
		if err := binary.Write(s.kernel, binary.LittleEndian, e); err != nil {
			t.Fatal(err)
		}
	}
}

// served is a headset whose Serve runs.
type served struct {
	t      *testing.T
	cancel context.CancelFunc
	report chan device.Status
	in     chan bool
	ended  chan error
}

func serve(t *testing.T, h *audio.Headset) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &served{t: t, cancel: cancel, report: make(chan device.Status, 10), in: make(chan bool, 10), ended: make(chan error, 1)}
	go func() {
		s.ended <- h.Serve(ctx, func(st device.Status) { s.report <- st }, func(in bool) { s.in <- in })
	}()
	t.Cleanup(cancel)
	return s
}

func (s *served) wantIn(want bool) {
	s.t.Helper()
	select {
	case in := <-s.in:
		if in != want {
			s.t.Errorf("headset in: %t, want %t", in, want)
		}
	case err := <-s.ended:
		s.t.Fatalf("Serve ended: %v", err)
	case <-time.After(patience):
		s.t.Fatal("nothing was told of the headset")
	}
}

// wantEnd waits for the end, and returns what was told of the headset before.
func (s *served) wantEnd(want error) (told []bool) {
	s.t.Helper()
	select {
	case err := <-s.ended:
		if !errors.Is(err, want) {
			s.t.Errorf("Serve = %v, want %v", err, want)
		}
	case <-time.After(patience):
		s.t.Fatal("Serve does not end")
	}
	close(s.in)
	for in := range s.in {
		told = append(told, in)
	}
	return told
}

func TestHeadset(t *testing.T) {
	t.Parallel()
	jack := newSocket(t, false)
	s := serve(t, audio.NewHeadsetOn(func(string) (audio.Jack, error) { return jack, nil }))
	if st := <-s.report; st.State != device.Online {
		t.Errorf("status = %+v", st)
	}
	s.wantIn(false)
	jack.send(t, evdev.EV_SW, evdev.SW_LID, 1)
	jack.send(t, evdev.EV_KEY, evdev.KEY_VOLUMEUP, 1)
	jack.send(t, evdev.EV_SW, evdev.SW_HEADPHONE_INSERT, 1)
	s.wantIn(true)
	jack.send(t, evdev.EV_SW, evdev.SW_HEADPHONE_INSERT, 1) // no news
	jack.send(t, evdev.EV_SW, evdev.SW_HEADPHONE_INSERT, 0)
	s.wantIn(false)
	jack.in.Store(true)
	jack.send(t, evdev.EV_SYN, evdev.SYN_DROPPED, 0) // the event itself was lost
	s.wantIn(true)
	s.cancel()
	if told := s.wantEnd(context.Canceled); len(told) != 1 || told[0] {
		t.Errorf("told %v at the end, want that the headset is out", told)
	}
}

func TestHeadsetInFromTheStart(t *testing.T) {
	t.Parallel()
	s := serve(t, audio.NewHeadsetOn(func(string) (audio.Jack, error) { return newSocket(t, true), nil }))
	s.wantIn(true)
}

// What can no longer be watched must not be trusted.
func TestHeadsetIsOutWhenItsSwitchIsLost(t *testing.T) {
	t.Parallel()
	for name, half := range map[string]bool{"between events": false, "amid an event": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			jack := newSocket(t, true)
			s := serve(t, audio.NewHeadsetOn(func(string) (audio.Jack, error) { return jack, nil }))
			s.wantIn(true)
			if half {
				if _, err := jack.kernel.Write(make([]byte, 10)); err != nil {
					t.Fatal(err)
				}
			}
			jack.kernel.Close()
			if told := s.wantEnd(transport.ErrGone); len(told) != 1 || told[0] {
				t.Errorf("told %v at the end, want that the headset is out", told)
			}
		})
	}
}

func TestHeadsetThatCannotBeWatched(t *testing.T) {
	t.Parallel()
	none := newSocket(t, true)
	none.none = true
	tests := []struct {
		name string
		h    *audio.Headset
		want error
	}{
		{"no such path", audio.NewHeadset(filepath.Join(t.TempDir(), "none")), fs.ErrNotExist},
		{"no switch", audio.NewHeadsetOn(func(string) (audio.Jack, error) { return none, nil }), fs.ErrNotExist},
		{"refused", audio.NewHeadsetOn(func(string) (audio.Jack, error) { return nil, fs.ErrPermission }), fs.ErrPermission},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, tt.h)
			if told := s.wantEnd(tt.want); len(told) > 0 || len(s.report) > 0 {
				t.Errorf("told %v, and %d reports", told, len(s.report))
			}
		})
	}
}

func TestHeadsetThatIsAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := audio.NewHeadset(file).Serve(t.Context(), func(device.Status) { t.Error("reported") }, func(bool) { t.Error("told") })
	if err == nil || !strings.Contains(err.Error(), "headset switch") {
		t.Errorf("Serve = %v", err)
	}
}

// The first device with a switch is found by itself; where there is none, that
// is no device.
func TestHeadsetIsFound(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := audio.NewHeadset("").Serve(ctx, func(st device.Status) {
		if st.State != device.Online {
			t.Errorf("found: %+v", st)
		}
		cancel()
	}, func(bool) {})
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, context.Canceled) {
		t.Errorf("Serve = %v", err)
	}
}
