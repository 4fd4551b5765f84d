package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"parvis/device"
	"parvis/kiosk/store"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// seen is a device that changed to st some minutes after noon.
func seen(name string, minutes int, st device.Status) store.DeviceState {
	at := noon.Add(time.Duration(minutes) * time.Minute)
	return store.DeviceState{Name: name, Kind: device.TicketPrinter, Status: st, Since: at, Seen: at}
}

func mustPut(t *testing.T, s *store.Store, states ...store.DeviceState) {
	t.Helper()
	for _, d := range states {
		if err := s.PutDevice(context.Background(), d); err != nil {
			t.Fatal(err)
		}
	}
}

func mustFaults(t *testing.T, s *store.Store) []store.DeviceFault {
	t.Helper()
	all, err := s.Faults(context.Background(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var (
	online   = device.Status{State: device.Online, Paper: device.PaperFull}
	starting = device.Status{State: device.Starting}
	noPaper  = device.Status{State: device.UserError, Paper: device.PaperOut, Fault: device.NoPaper}
	cover    = device.CoverOpen.With(nil)
	gone     = device.Unplugged.With(errors.New("/dev/parvis/imprimante: line is gone"))
)

func TestDevices(t *testing.T) {
	dir := t.TempDir()
	s := MustOpen(t, dir)
	reader := store.DeviceState{
		Name: "lecteur-1", Kind: device.CardReader,
		Status: device.Status{State: device.Online, Media: device.MediaPresent},
		Since:  noon, Seen: noon.Add(time.Hour),
	}
	mustPut(t, s, seen("imprimante", 0, online), reader, seen("imprimante", 5, gone))
	got, err := MustOpen(t, dir).Devices(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if want := []store.DeviceState{seen("imprimante", 5, gone), reader}; !reflect.DeepEqual(got, want) {
		t.Errorf("devices = %+v\nwant %+v", got, want)
	}
}

func TestFaults(t *testing.T) {
	fault := func(f device.Fault, began, ended int) store.DeviceFault {
		df := store.DeviceFault{Name: "imprimante", Fault: f, Began: noon.Add(time.Duration(began) * time.Minute)}
		if ended >= 0 {
			df.Ended = noon.Add(time.Duration(ended) * time.Minute)
		}
		return df
	}
	const lasts = -1
	put := func(minute int, st device.Status) store.DeviceState { return seen("imprimante", minute, st) }
	later := put(3, noPaper)
	later.Since = put(1, noPaper).Since
	tests := []struct {
		name  string
		puts  []store.DeviceState
		want  []store.DeviceFault // newest first
		count int
	}{
		{"none", []store.DeviceState{put(0, starting), put(1, online)}, nil, 0},
		{"lasts", []store.DeviceState{put(0, online), put(1, noPaper)}, []store.DeviceFault{fault(device.NoPaper, 1, lasts)}, 1},
		{"told again", []store.DeviceState{put(1, noPaper), later}, []store.DeviceFault{fault(device.NoPaper, 1, lasts)}, 1},
		{"ends", []store.DeviceState{put(1, noPaper), put(2, online)}, []store.DeviceFault{fault(device.NoPaper, 1, 2)}, 1},
		{"gives way to another", []store.DeviceState{put(1, noPaper), put(2, cover), put(3, online)},
			[]store.DeviceFault{fault(device.CoverOpen, 2, 3), fault(device.NoPaper, 1, 2)}, 2},
		{"comes again", []store.DeviceState{put(1, noPaper), put(2, online), put(3, noPaper)},
			[]store.DeviceFault{fault(device.NoPaper, 3, lasts), fault(device.NoPaper, 1, 2)}, 2},
		{"outlasts a restart", []store.DeviceState{put(1, noPaper), put(5, device.Status{}), put(5, starting), put(6, noPaper)},
			[]store.DeviceFault{fault(device.NoPaper, 1, lasts)}, 1},
		{"ended while the borne was off", []store.DeviceState{put(1, noPaper), put(5, starting), put(6, online)},
			[]store.DeviceFault{fault(device.NoPaper, 1, 6)}, 1},
		{"the clock was put back", []store.DeviceState{put(9, noPaper), put(2, online)}, []store.DeviceFault{fault(device.NoPaper, 9, 9)}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := MustOpen(t, t.TempDir())
			mustPut(t, s, tt.puts...)
			if got := mustFaults(t, s); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("faults = %+v\nwant %+v", got, tt.want)
			}
			counts, err := s.DeviceCounts(context.Background(), noon, noon)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, c := range counts {
				n += c.N
			}
			if n != tt.count {
				t.Errorf("%d faults counted, want %d: %v", n, tt.count, counts)
			}
		})
	}
}

func TestFaultsAreBounded(t *testing.T) {
	s := MustOpen(t, t.TempDir())
	mustPut(t, s, seen("lecteur-1", 0, gone)) // the oldest of all, and it lasts
	for i := range 250 {
		mustPut(t, s, seen("imprimante", 2*i, noPaper), seen("imprimante", 2*i+1, online))
	}
	mustPut(t, s, seen("imprimante", 600, noPaper))
	all := mustFaults(t, s)
	if n := len(all); n != 202 {
		t.Errorf("%d faults kept, want the last 200 that ended and the 2 that last", n)
	}
	if last := all[len(all)-1]; last.Name != "lecteur-1" || !last.Ended.IsZero() {
		t.Errorf("the fault that lasts longest is gone: %+v", last)
	}
	if !all[0].Began.After(all[1].Began) {
		t.Errorf("not the newest first: %+v", all[:2])
	}
	if some, err := s.Faults(context.Background(), 3); len(some) != 3 || err != nil {
		t.Errorf("limit 3: %d, %v", len(some), err)
	}
}

func TestKeepDevices(t *testing.T) {
	s := MustOpen(t, t.TempDir())
	mustPut(t, s, seen("imprimante", 0, noPaper), seen("lecteur-1", 0, gone), seen("lecteur-2", 0, online))
	if err := s.KeepDevices(context.Background(), []string{"imprimante", "son"}, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	got, err := s.Devices(context.Background())
	if want := []store.DeviceState{seen("imprimante", 0, noPaper)}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("devices = %+v, %v", got, err)
	}
	for _, f := range mustFaults(t, s) {
		if ended := f.Name == "lecteur-1"; ended != f.Ended.Equal(noon.Add(time.Hour)) {
			t.Errorf("fault %+v", f)
		}
	}
}

func TestCountDevice(t *testing.T) {
	ctx := context.Background()
	s := MustOpen(t, t.TempDir())
	late := time.Date(2026, 11, 21, 0, 30, 0, 0, time.FixedZone("CET", 3600)) // still the 20th in UTC
	for _, c := range []struct {
		day       time.Time
		name, key string
		n         int
	}{
		{late, "imprimante", "pages", 3},
		{late.Add(time.Hour), "imprimante", "pages", 2},
		{late, "imprimante", "cuts", 1},
		{late, "lecteur-1", "reads", 1},
		{late.AddDate(0, 0, 1), "lecteur-1", "reads", 1},
	} {
		if err := s.CountDevice(ctx, c.day, c.name, c.key, c.n); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.DeviceCounts(ctx, late, late)
	want := []store.DeviceCount{
		{Day: "2026-11-21", Name: "imprimante", Key: "cuts", N: 1},
		{Day: "2026-11-21", Name: "imprimante", Key: "pages", N: 5},
		{Day: "2026-11-21", Name: "lecteur-1", Key: "reads", N: 1},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("counts = %v, %v; want %v", got, err, want)
	}
	if err := s.CountDevice(ctx, late, "imprimante", "pages", 0); err == nil {
		t.Error("counted nothing without an error")
	}
}

// Nothing personal gets in, whatever is passed by mistake.
func TestDeviceRefuses(t *testing.T) {
	const number = "0008844356"
	s := MustOpen(t, t.TempDir())
	at := func(name string, k device.Kind, st device.Status) store.DeviceState {
		return store.DeviceState{Name: name, Kind: k, Status: st, Since: noon, Seen: noon}
	}
	undated := at("lecteur-1", device.CardReader, online)
	undated.Since = time.Time{}
	for name, d := range map[string]store.DeviceState{
		"no name":            at("", device.CardReader, online),
		"no kind":            at("lecteur-1", "", online),
		"no date":            undated,
		"a number as a name": at("carte-"+number, device.CardReader, online),
		"a number as fault":  at("lecteur-1", device.CardReader, device.Status{State: device.Online, Fault: number}),
		"a sentence":         at("le lecteur de Zoé", device.CardReader, online),
	} {
		t.Run(name, func(t *testing.T) {
			err := s.PutDevice(context.Background(), d)
			if !errors.Is(err, store.ErrDevice) || strings.Contains(err.Error(), number) {
				t.Errorf("err = %v, want ErrDevice", err)
			}
		})
	}
	t.Run("counts", func(t *testing.T) {
		if err := s.CountDevice(context.Background(), noon, number, "reads", 1); !errors.Is(err, store.ErrDevice) {
			t.Errorf("err = %v, want ErrDevice", err)
		}
		if err := s.CountDevice(context.Background(), noon, "lecteur-1", number, 1); !errors.Is(err, store.ErrKey) {
			t.Errorf("err = %v, want ErrKey", err)
		}
	})
}

func TestCauseIsCleaned(t *testing.T) {
	const uid, phone = "04A1B2C3D4E5F6", "0612345652"
	dir := t.TempDir()
	s := MustOpen(t, dir)
	cause := fmt.Sprintf("/dev/parvis/lecteur:\x1b\n card %s of %s \xff", uid, phone) + strings.Repeat(" et", 500)
	mustPut(t, s, seen("lecteur-1", 0, device.Hardware.With(errors.New(cause))))
	all, err := s.Devices(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	got := all[0].Cause
	if !strings.HasPrefix(got, "/dev/parvis/lecteur:   card … of … ? et") || len([]rune(got)) != 200 {
		t.Errorf("cause = %q", got)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), uid) || strings.Contains(string(b), phone) {
			t.Errorf("a number stands in %s", file)
		}
	}
}
