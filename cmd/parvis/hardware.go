package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"parvis/app/journey"
	"parvis/app/voice"
	"parvis/cmd/parvis/internal/devices"
	"parvis/device"
	"parvis/device/audio"
	"parvis/device/hotplug"
	"parvis/device/reader"
	"parvis/device/supervise"
	"parvis/kiosk/hours"
	"parvis/kiosk/store"
	"parvis/provisioning/profile"
)

// hardware is the borne's devices at work, and what is known of them: on the
// glass at once, in the store for the agent to report.
type hardware struct {
	set   *devices.Set
	board *supervise.Board
	desk  *clerk
	voice voice.Voice

	speaker, ears voice.Output
	mixer         audio.Mixer
	headset       atomic.Bool
	out           atomic.Bool // of service

	hands hands // set before any loop runs
}

// hands are called, from the loops of the devices, when something happens.
type hands struct {
	seen    func(reader.Event) // a card or a code was shown, or taken away
	changed func()             // a device is no longer as it was
	moved   func()             // speech comes out elsewhere now
}

func newHardware(prof *profile.Profile, desk *clerk, v voice.Voice) (*hardware, error) {
	h := &hardware{
		desk: desk, voice: v, mixer: devices.Mixer(prof.Sound),
		// A headset with a switch is private only while the switch says so.
		speaker: voice.Output{Device: prof.Sound.Speaker, Private: prof.Sound.Output == "casque" && prof.Sound.Jack == ""},
		ears:    voice.Output{Device: prof.Sound.Headset, Private: true},
	}
	if prof.Sound.Output == "casque" && h.ears.Device != "" {
		h.speaker.Device = h.ears.Device // a headset is all there is
	}
	var err error
	h.set, err = devices.Open(prof, devices.Hands{
		Seen: func(e reader.Event) { h.hands.seen(e) }, Headset: h.wear, Count: desk.countDevice,
	})
	if err != nil {
		return nil, err
	}
	h.board, err = supervise.New(supervise.Options{Changed: func(string, device.Status) {
		h.keep()
		h.hands.changed()
	}}, h.set.Loops...)
	if err != nil {
		return nil, err
	}
	h.voice.SetOutput(h.speaker)
	return h, nil
}

// wear moves the speech to the headset that was plugged in, or back.
func (h *hardware) wear(in bool) {
	h.headset.Store(in)
	out := h.speaker
	if in {
		out = h.ears
	}
	h.voice.SetOutput(out)
	h.hands.moved()
}

// quieten sets the sound card itself back to the level that is safe for ears.
func (h *hardware) quieten() {
	if err := h.mixer.Reset(context.Background()); err != nil {
		slog.Warn("volume de la carte son", "erreur", err)
	}
}

// private reports whether speech now reaches only the resident's ears.
func (h *hardware) private() bool { return h.headset.Load() || h.speaker.Private }

// aliveEvery is how often the store learns that the devices are still watched.
const aliveEvery = 30 * time.Second

// serve runs the loops until ctx ends.
func (h *hardware) serve(ctx context.Context) {
	h.desk.do("appareils", func(ctx context.Context, st *store.Store) error {
		var names []string
		for _, l := range h.set.Loops {
			names = append(names, l.Name)
		}
		return st.KeepDevices(ctx, names, time.Now())
	})
	var all sync.WaitGroup
	all.Go(func() {
		if err := h.board.Serve(ctx); err != nil && ctx.Err() == nil {
			slog.Error("surveillance des appareils", "erreur", err)
		}
	})
	all.Go(func() {
		err := hotplug.Watch(ctx, func(e hotplug.Event) {
			if concerns(e) {
				h.board.Wake()
			}
		})
		if ctx.Err() == nil { // the loops look again by themselves
			slog.Info("branchements non annoncés par le système", "erreur", err)
		}
	})
	all.Go(func() {
		tick := time.NewTicker(aliveEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				h.keep()
			case <-ctx.Done():
				return
			}
		}
	})
	all.Wait()
	h.set.Close()
	unwatched := h.board.All()
	for i := range unwatched {
		unwatched[i].Status = device.Status{}
	}
	h.write(func() []supervise.Entry { return unwatched })
}

// concerns reports whether something came that a device may hang on. The zero
// event says that some were lost.
func concerns(e hotplug.Event) bool {
	if e == (hotplug.Event{}) {
		return true
	}
	return e.Action != "remove" && slices.Contains([]string{"tty", "usb", "usbmisc", "input", "sound", "hidraw"}, e.Subsystem)
}

// keep writes how every device is into the store: as it is when the store comes
// to it, so that no older word overwrites a newer one.
func (h *hardware) keep() { h.write(h.board.All) }

func (h *hardware) write(all func() []supervise.Entry) {
	h.desk.do("appareils", func(ctx context.Context, st *store.Store) error {
		var wrong []error
		seen := time.Now()
		for _, e := range all() {
			wrong = append(wrong, st.PutDevice(ctx, store.DeviceState{Name: e.Name, Kind: e.Kind, Status: e.Status, Since: e.Since, Seen: seen}))
		}
		return errors.Join(wrong...)
	})
}

// outputs are the printers that pages offer.
func (h *hardware) outputs() []journey.Output {
	var all []journey.Output
	for _, o := range []struct{ id, name string }{{journey.Ticket, devices.Ticket}, {journey.Sheet, devices.Sheet}} {
		if p := h.set.Printers[o.name]; p != nil {
			all = append(all, journey.Output{ID: o.id, Print: p.Print, Status: func() device.Status { return h.board.Status(o.name) }})
		}
	}
	return all
}

// cardReader is the status of the reader of a medium that works best; ok is false
// where there is none.
func (h *hardware) cardReader(m reader.Medium) (best device.Status, ok bool) {
	for _, name := range h.set.Readers {
		if !slices.Contains(h.set.Media[name], m) {
			continue
		}
		if s := h.board.Status(name); !ok || s.Ready() && !best.Ready() {
			best, ok = s, true
		}
	}
	return best, ok
}

// staff fills in what the pages for staff work with.
func (h *hardware) staff(ctx context.Context, s *journey.Staff, st *store.Store, prof *profile.Profile, restart func() error) error {
	s.Restart = restart
	s.Devices = func() []journey.DeviceLine {
		var lines []journey.DeviceLine
		for _, e := range h.board.All() {
			lines = append(lines, journey.DeviceLine{Name: h.set.Title(e.Name), Status: e.Status})
		}
		return lines
	}
	s.Faults = func() []journey.FaultLine {
		faults, err := st.Faults(ctx, 20)
		if err != nil {
			slog.Warn("dernières pannes", "erreur", err)
		}
		var lines []journey.FaultLine
		for _, f := range faults {
			lines = append(lines, journey.FaultLine{When: f.Began.In(hours.Paris), Name: h.set.Title(f.Name), Fault: f.Fault})
		}
		return lines
	}
	return errors.Join(h.keepService(ctx, s, st), keepVolume(ctx, s, st, prof))
}

// keepService remembers over a restart whether the borne serves.
func (h *hardware) keepService(ctx context.Context, s *journey.Staff, st *store.Store) error {
	out, err := st.OutOfService(ctx)
	h.out.Store(out)
	s.OutOfService = h.out.Load
	s.SetOutOfService = func(out bool) error {
		if err := st.SetOutOfService(ctx, out); err != nil {
			return err
		}
		h.out.Store(out)
		return nil
	}
	return err
}

// hearService notices that the borne was put out of service, or back, by
// another process.
func (h *hardware) hearService() {
	h.desk.do("service", func(ctx context.Context, st *store.Store) error {
		out, err := st.OutOfService(ctx)
		if err == nil && h.out.Swap(out) != out {
			h.hands.changed()
		}
		return err
	})
}

// keepVolume remembers over a restart how loud visits begin: as staff have set
// it, or else as the profile says.
func keepVolume(ctx context.Context, s *journey.Staff, st *store.Store, prof *profile.Profile) error {
	const key = "volume"
	set, err := st.Setting(ctx, key)
	var step atomic.Int32
	step.Store(int32(prof.Sound.Volume - 1)) // people count from 1
	if n, bad := strconv.Atoi(set); bad == nil {
		step.Store(int32(n))
	}
	s.Volume = func() int { return int(step.Load()) }
	s.SetVolume = func(n int) error {
		if err := st.SetSetting(ctx, key, strconv.Itoa(n)); err != nil {
			return err
		}
		step.Store(int32(n))
		return nil
	}
	return err
}

// clerk writes into the store away from the screen: a resident never waits for
// the disk, and with the disk stuck what is to be written is lost.
type clerk struct {
	st   *store.Store
	now  func() time.Time
	jobs chan job
	done sync.WaitGroup

	mu     sync.RWMutex
	closed bool // what comes later, from a task that ends late, is lost
}

type job struct {
	what string
	do   func(context.Context, *store.Store) error
}

func newClerk(st *store.Store, now func() time.Time) *clerk {
	c := &clerk{st: st, now: now, jobs: make(chan job, 256)}
	c.done.Go(func() {
		for j := range c.jobs {
			if err := j.do(context.Background(), st); err != nil {
				slog.Warn("écriture sur le disque", "quoi", j.what, "erreur", err)
			}
		}
	})
	return c
}

func (c *clerk) do(what string, do func(context.Context, *store.Store) error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.closed {
		return
	}
	select {
	case c.jobs <- job{what, do}:
	default:
	}
}

// count adds to an anonymous count.
func (c *clerk) count(key string, n int) {
	day := c.now()
	c.do("compteur", func(ctx context.Context, st *store.Store) error { return st.Count(ctx, day, key, n) })
}

func (c *clerk) countDevice(name, key string, n int) {
	day := c.now()
	c.do("compteur d’appareil", func(ctx context.Context, st *store.Store) error {
		return st.CountDevice(ctx, day, name, key, n)
	})
}

// putUnfound keeps a sealed search for the hub.
func (c *clerk) putUnfound(month string, sealed []byte) {
	c.do("recherche sans résultat", func(ctx context.Context, st *store.Store) error { return st.PutUnfound(ctx, month, sealed) })
}

// close writes what is still to be written.
func (c *clerk) close() {
	c.mu.Lock()
	c.closed = true
	close(c.jobs)
	c.mu.Unlock()
	c.done.Wait()
}
