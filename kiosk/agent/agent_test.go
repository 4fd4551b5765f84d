package agent_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"parvis/device"
	"parvis/kiosk/agent/machine"
	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

func TestReport(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	b.alive(link.AppIdle)
	b.device("imprimante", device.TicketPrinter, device.Status{State: device.Online, Paper: device.PaperFull})
	ctx := context.Background()
	if err := b.store.Count(ctx, b.now(), "visit", 3); err != nil {
		t.Fatal(err)
	}
	if err := b.store.CountDevice(ctx, b.now(), "imprimante", "pages", 2); err != nil {
		t.Fatal(err)
	}
	b.begin()
	b.eventually("a report", func() bool { return b.hub.count() > 0 })
	r := b.hub.last()
	day := time.Now().Format(time.DateOnly)
	if len(r.Run) != 8 || r.Seq != 1 || r.Version != "1.4.0" || r.Content != "2026-11-20" || r.App != link.AppIdle || r.Skew != 0 ||
		r.Uptime != 5400 || r.Disk != 62 || r.Temp != 48 || r.Load != 12 || len(r.Faults) != 0 || r.Waiting != 0 {
		t.Errorf("report %+v", r)
	}
	if len(r.Devices) != 1 || r.Devices[0].Name != "imprimante" || r.Devices[0].State != device.Online || r.Devices[0].Paper != device.PaperFull {
		t.Errorf("devices %+v", r.Devices)
	}
	if n := r.Counts[day]; n["visit"] != 3 || n["device.imprimante.pages"] != 2 {
		t.Errorf("counts %v", r.Counts)
	}
	b.eventually("the counts to be marked as sent", func() bool {
		unsent, err := b.store.UnsentCounts(ctx, 10)
		return err == nil && len(unsent) == 0
	})
	if s := b.agent.Stuck(); s != "" {
		t.Errorf("%s is stuck", s)
	}

	began := time.Now()
	b.device("imprimante", device.TicketPrinter, device.NoPaper.With(nil))
	b.eventually("the paper's end at the hub", func() bool {
		d := b.hub.last().Devices
		return len(d) == 1 && d[0].Fault == device.NoPaper
	})
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("the paper's end took %v to the hub", took)
	}
	if n := b.hub.last().Counts[day]; len(n) != 1 || n["device.imprimante.faults"] != 1 {
		t.Errorf("counts that the hub has: %v", n)
	}
	if n := b.hub.connections(); n != 1 {
		t.Errorf("%d connections, not one", n)
	}
}

func TestChangesAreNotToldTooOften(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	b.alive(link.AppIdle)
	b.begin()
	b.eventually("a report", func() bool { return b.hub.count() > 0 })
	for i := range 40 { // a loose contact
		s := device.Status{State: device.Online}
		if i%2 == 1 {
			s = device.Unplugged.With(nil)
		}
		b.device("lecteur", device.CardReader, s)
		time.Sleep(100 * time.Millisecond) // the pace of the contact
	}
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	for i := 1; i < len(b.hub.arrived); i++ {
		if gap := b.hub.arrived[i].Sub(b.hub.arrived[i-1]); gap < 1900*time.Millisecond {
			t.Errorf("reports %v apart", gap)
		}
	}
}

func TestClocksYearsOff(t *testing.T) {
	began := time.Now()
	for name, off := range map[string]time.Duration{
		"1970": time.Date(1970, 1, 2, 3, 4, 5, 0, time.UTC).Sub(began),
		"2041": time.Date(2041, 6, 7, 8, 9, 10, 0, time.UTC).Sub(began),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBorne(t, newHub(t))
			b.off = off
			b.alive(link.AppIdle)
			b.device("imprimante", device.TicketPrinter, device.Status{State: device.Online})
			if err := b.store.Count(context.Background(), b.now(), "visit", 3); err != nil {
				t.Fatal(err)
			}
			id := b.request("A042")
			b.begin()
			b.eventually("a report", func() bool { return b.hub.count() > 0 })
			r := b.hub.last()
			if away := time.Since(time.UnixMilli(r.At)).Abs(); away > 5*time.Second {
				t.Errorf("the report's time is %v off", away)
			}
			if wrong := (time.Duration(r.Skew)*time.Second - off).Abs(); wrong > 5*time.Second {
				t.Errorf("skew %d s, the clock is %v off", r.Skew, off)
			}
			if away := time.Since(time.Unix(r.Devices[0].Since, 0)).Abs(); away > 5*time.Second || r.Devices[0].State != device.Online {
				t.Errorf("device %+v", r.Devices[0])
			}
			if len(r.Faults) != 1 || r.Faults[0].Fault != link.FaultClock || time.Since(time.Unix(r.Faults[0].Since, 0)).Abs() > 5*time.Second {
				t.Errorf("faults %+v", r.Faults)
			}
			total := 0
			for day, keys := range r.Counts {
				d, err := time.Parse(time.DateOnly, day)
				if err != nil || time.Since(d).Abs() > 49*time.Hour {
					t.Errorf("counts of day %s", day)
				}
				total += keys["visit"]
			}
			if total != 3 {
				t.Errorf("counts %v", r.Counts)
			}
			b.eventually("the request", func() bool { _, ok := b.hub.has(id); return ok })
			c, _ := b.hub.has(id)
			if away := time.Since(time.UnixMilli(c.Created)).Abs(); away > 10*time.Second {
				t.Errorf("the request was made %v from now", away)
			}
			// A command's end is by the hub's time too.
			out := b.hub.tell(link.OutOfService, link.Args{})
			if o := b.outcome(out); o.State != link.Done {
				t.Errorf("outcome %+v", o)
			}
			// The clock is put right while all goes on.
			b.set(func() { b.off = 0 })
			b.device("imprimante", device.TicketPrinter, device.NoPaper.With(nil))
			b.eventually("a report with the right clock", func() bool {
				r := b.hub.last()
				return r.Skew == 0 && len(r.Faults) == 0 && len(r.Devices) == 1 && r.Devices[0].Fault == device.NoPaper
			})
		})
	}
}

func TestApplicationState(t *testing.T) {
	t.Parallel()
	t.Run("frozen, restarted, given up by systemd", func(t *testing.T) {
		t.Parallel()
		b := newBorne(t, newHub(t))
		b.unit = &unit{state: "active"}
		err := b.store.SetAlive(context.Background(), store.Alive{State: string(link.AppIdle), Started: b.now(), Seen: b.now().Add(-time.Minute)})
		if err != nil {
			t.Fatal(err)
		}
		b.begin()
		for _, step := range []struct {
			state string
			want  link.AppState
		}{{"", link.AppFrozen}, {"activating", link.AppStarting}, {"active", link.AppStarting}, {"failed", link.AppStopped}} {
			if step.state != "" {
				b.unit.mu.Lock()
				b.unit.state = step.state
				b.unit.mu.Unlock()
			}
			b.eventually(string(step.want), func() bool { return b.hub.last().App == step.want })
		}
	})
}

func TestDeviceGrowsStale(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	err := b.store.PutDevice(context.Background(), store.DeviceState{Name: "imprimante", Kind: device.TicketPrinter,
		Status: device.Status{State: device.Online}, Since: b.now().Add(-time.Hour), Seen: b.now().Add(-2 * time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	b.begin()
	b.eventually("a report", func() bool { return b.hub.count() > 0 })
	if d := b.hub.last().Devices; len(d) != 1 || d[0].State != device.Unknown {
		t.Errorf("devices %+v", d)
	}
}

func TestBorneFaults(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	b.alive(link.AppIdle)
	b.machine = machine.Facts{Disk: 4, Temp: 91, Load: machine.Unknown}
	if err := b.store.SetRefusal(context.Background(), store.ContentRefused, store.Refusal{Version: "2026-11-24", Since: b.now(), Why: "illisible"}); err != nil {
		t.Fatal(err)
	}
	b.begin()
	b.eventually("a report", func() bool { return b.hub.count() > 0 })
	first := b.hub.last().Faults
	var names []string
	for _, f := range first {
		names = append(names, f.Fault)
	}
	if got := strings.Join(names, " "); got != "disk hot content" {
		t.Errorf("faults %q", got)
	}
	b.device("lecteur", device.CardReader, device.Status{State: device.Online}) // brings the next report
	b.eventually("another report", func() bool { return b.hub.count() > 1 })
	for i, f := range b.hub.last().Faults {
		if f != first[i] {
			t.Errorf("fault %+v has become %+v", first[i], f)
		}
	}
}
