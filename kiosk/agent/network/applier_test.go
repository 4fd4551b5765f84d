package network

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// machine is a machine's systemd, as its programs show it.
type machine struct {
	t       *testing.T
	dir     string
	running map[string]bool
	taken   string // the file that the cable goes by
	first   string // a file that comes before all others
	address string // as systemd-networkd prints it
	foreign bool   // somebody else looks after the cable
	calls   int
	cut     int // the call at which the power is cut, from 1
}

// errCut is what a program ends with whose power is cut.
var errCut = errors.New("power cut")

func newMachine(t *testing.T) *machine {
	return &machine{t: t, dir: t.TempDir(), taken: "/usr/lib/systemd/network/80-parvis.network",
		running: map[string]bool{networkd: true, timesyncd: true, resolved: true}}
}

func (m *machine) command(_ context.Context, name string, args ...string) ([]byte, error) {
	if m.calls++; m.calls == m.cut {
		panic(errCut)
	}
	switch line := name + " " + strings.Join(args, " "); line {
	case "networkctl reload", "networkctl reconfigure eth0":
		m.reload()
		return nil, nil
	case "networkctl --json=short list":
		state := "configured"
		if m.foreign {
			state = "unmanaged"
		}
		eth := fmt.Sprintf(`{"Name":"eth0","Type":"ether","AdministrativeState":%q,"CarrierState":"carrier","NetworkFile":%q,"Addresses":[%s]}`, state, m.taken, m.address)
		return []byte(`{"Interfaces":[{"Name":"lo","Type":"loopback","AdministrativeState":"unmanaged"},` + eth + `]}`), nil
	case "systemctl try-restart " + timesyncd, "systemctl --no-block try-restart " + timesyncd:
		return nil, nil
	default:
		unit, ok := strings.CutPrefix(line, "systemctl is-active --quiet ")
		if !ok {
			m.t.Errorf("%s", line)
		}
		if !m.running[unit] {
			return nil, errors.New("exit status 3")
		}
		return nil, nil
	}
}

func (m *machine) reload() {
	m.taken, m.address = "/usr/lib/systemd/network/80-parvis.network", ""
	text, err := os.ReadFile(m.file())
	if err != nil {
		return
	}
	if m.taken = m.first; m.taken != "" {
		return
	}
	m.taken = m.file()
	for line := range strings.Lines(string(text)) {
		var a, b, c, d, bits int
		if n, _ := fmt.Sscanf(line, "Address=%d.%d.%d.%d/%d", &a, &b, &c, &d, &bits); n == 5 {
			m.address = fmt.Sprintf(`{"Address":[%d,%d,%d,%d],"PrefixLength":%d,"ConfigState":"configured"}`, a, b, c, d, bits)
		}
	}
}

func (m *machine) file() string { return filepath.Join(m.dir, "systemd", networkName) }

// goesBy is the address that the machine would have systemd take.
func (m *machine) goesBy() string {
	text, err := os.ReadFile(m.file())
	if err != nil {
		return "dhcp"
	}
	_, after, _ := strings.Cut(string(text), "Address=")
	address, _, _ := strings.Cut(after, "\n")
	return address
}

// off switches the machine off: what lies in /run is gone.
func (m *machine) off() {
	m.cut, m.taken, m.address = 0, "/usr/lib/systemd/network/80-parvis.network", ""
	if err := errors.Join(os.RemoveAll(filepath.Join(m.dir, "systemd")), os.RemoveAll(filepath.Join(m.dir, "state"))); err != nil {
		m.t.Fatal(err)
	}
}

// trial is the one under way.
func (m *machine) trial() string {
	s, err := ReadStatus(filepath.Join(m.dir, "state"))
	if err != nil {
		m.t.Error(err)
	}
	return s.Trial
}

// borne is what a borne wants and says.
type borne struct {
	mu     sync.Mutex
	wanted Settings
	word   Word
}

func (b *borne) change(how func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	how()
}

func (b *borne) wants() (Settings, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.wanted, nil
}

func (b *borne) says() (Word, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.word, nil
}

func (m *machine) applier(b *borne) *Applier {
	return &Applier{
		Wanted: b.wants, Word: b.says,
		Kept: filepath.Join(m.dir, "kept.json"), State: filepath.Join(m.dir, "state"), Systemd: filepath.Join(m.dir, "systemd"),
		Within: 5 * time.Minute, Command: m.command, Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

func (m *machine) want(address, kept string, want Status) {
	m.t.Helper()
	got, err := ReadStatus(filepath.Join(m.dir, "state"))
	failure := got.Failure
	if strings.HasPrefix(failure, want.Failure) && want.Failure != "" {
		got.Failure = want.Failure
	}
	if want.Trial != "" && strings.HasPrefix(got.Trial, want.Trial+"-") {
		got.Trial = want.Trial
	}
	if err != nil || got != want {
		m.t.Errorf("root says %+v (%s), %v, want %+v", got, failure, err, want)
	}
	if got := m.goesBy(); got != address {
		m.t.Errorf("the machine goes by %s, want %s", got, address)
	}
	var s Settings
	data, err := os.ReadFile(filepath.Join(m.dir, "kept.json"))
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) || s.String() != kept {
		m.t.Errorf("%s is kept, %v, want %s", s, err, kept)
	}
}

// A borne that has no hub yet takes what it is told; an enrolled one keeps what
// the hub was reached with.
func TestKeepsWhatReachesTheHub(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t)
		b := &borne{wanted: parse(t, "192.0.2.10/24", "", nil, nil)}
		first := b.wanted.ID()
		if err := m.applier(b).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		m.want("192.0.2.10/24", "192.0.2.10/24", Status{Wanted: first, InForce: first})

		b.change(func() { b.word.Enrolled, b.wanted = true, parse(t, "192.0.2.20/24", "", nil, nil) })
		second := b.wanted.ID()
		done := make(chan error, 1)
		go func() { done <- m.applier(b).Run(t.Context()) }()
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		m.want("192.0.2.20/24", "192.0.2.10/24", Status{Wanted: second, InForce: second, Trial: second})
		b.change(func() { b.word.Reached = first }) // of another trial
		time.Sleep(30 * time.Second)
		synctest.Wait()
		m.want("192.0.2.20/24", "192.0.2.10/24", Status{Wanted: second, InForce: second, Trial: second})
		b.change(func() { b.word.Reached = m.trial() })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		m.want("192.0.2.20/24", "192.0.2.20/24", Status{Wanted: second, InForce: second})

		b.change(func() { b.wanted = Settings{} })
		go func() { done <- m.applier(b).Run(t.Context()) }()
		time.Sleep(time.Minute)
		synctest.Wait()
		b.change(func() { b.word.Reached = m.trial() })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		m.want("dhcp", "dhcp", Status{Wanted: b.wanted.ID(), InForce: b.wanted.ID()})
	})
}

// What does not reach the hub in five minutes is taken back, and not tried again
// until something else was wanted or the machine was off.
func TestGoesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t)
		b := &borne{wanted: parse(t, "192.0.2.10/24", "", nil, nil)}
		good := b.wanted
		if err := m.applier(b).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.change(func() { b.word.Enrolled, b.wanted = true, parse(t, "198.51.100.9/24", "", nil, nil) })
		bad := b.wanted.ID()
		run := func(least, most time.Duration) {
			t.Helper()
			began := time.Now()
			if err := m.applier(b).Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took < least || took > most {
				t.Errorf("after %v", took)
			}
		}
		refused := Status{Wanted: bad, InForce: good.ID(), Refused: bad,
			Failure: "réseau (198.51.100.9/24) : le hub n’a pas été joint en 5 minutes ; les réglages d’avant (192.0.2.10/24) sont remis"}
		amid := make(chan string, 1)
		time.AfterFunc(time.Minute, func() { amid <- m.trial() })
		run(5*time.Minute, 5*time.Minute+10*time.Second)
		m.want("192.0.2.10/24", "192.0.2.10/24", refused)
		late := <-amid
		if late == "" {
			t.Error("no trial")
		}
		run(0, 0)
		m.want("192.0.2.10/24", "192.0.2.10/24", refused)
		b.change(func() { b.word.Reached = late }) // the hub has answered a moment too late, and that trial is over

		b.change(func() { b.wanted = good }) // the agent has put the profile before back
		run(0, 0)
		m.want("192.0.2.10/24", "192.0.2.10/24", Status{Wanted: good.ID(), InForce: good.ID()})
		b.change(func() { b.wanted = parse(t, "198.51.100.9/24", "", nil, nil) }) // and tries again later
		run(5*time.Minute, 5*time.Minute+10*time.Second)
		m.want("192.0.2.10/24", "192.0.2.10/24", refused)
	})
}

// What is wanted amid a trial counts at once.
func TestOtherAmidTrial(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t)
		b := &borne{wanted: parse(t, "198.51.100.9/24", "", nil, nil), word: Word{Enrolled: true}}
		done := make(chan error, 1)
		go func() { done <- m.applier(b).Run(t.Context()) }()
		time.Sleep(time.Minute)
		b.change(func() { b.wanted = Settings{} })
		began := time.Now()
		if err := <-done; err != nil || time.Since(began) > 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		m.want("dhcp", "dhcp", Status{Wanted: b.wanted.ID(), InForce: b.wanted.ID()})
	})
}

// The power may go at any moment: the machine comes up with what was before, or
// what was wanted, and is not left with something else or half of it.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	ends := make(map[string]int)
	for cut := 1; ; cut++ {
		over := false
		synctest.Test(t, func(t *testing.T) {
			m := newMachine(t)
			b := &borne{wanted: parse(t, "192.0.2.10/24", "", nil, nil)}
			if err := m.applier(b).Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.change(func() { b.wanted = parse(t, "192.0.2.20/24", "", []string{"192.0.2.53"}, nil) })
			a := m.applier(b)
			a.Word = func() (Word, error) { return Word{Enrolled: true, Reached: m.trial()}, nil }
			m.calls, m.cut = 0, cut
			func() {
				defer func() { recover() }()
				if err := a.Run(t.Context()); err != nil {
					t.Error(err)
				}
				over = true
			}()
			m.off()
			m.running = nil
			if err := m.applier(b).Restore(t.Context()); err != nil {
				t.Error(err)
			}
			ends[m.goesBy()]++
		})
		if over {
			break
		}
	}
	if len(ends) != 2 || ends["192.0.2.10/24"] < 5 || ends["192.0.2.20/24"] < 2 {
		t.Errorf("the machine came up with %v", ends)
	}
}

// Root's half may be killed amid a trial: systemd then has it put back what was
// before.
func TestKilledAmidTrial(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t)
		b := &borne{wanted: parse(t, "192.0.2.20/24", "", nil, nil), word: Word{Enrolled: true}}
		ctx, cancel := context.WithCancel(t.Context())
		a := m.applier(b)
		if err := a.tell(Status{Wanted: b.wanted.ID(), InForce: b.wanted.ID(), Trial: b.wanted.ID()}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := a.put(ctx, b.wanted); err != nil {
				t.Fatal(err)
			}
			if err := a.Restore(ctx); err != nil {
				t.Fatal(err)
			}
			m.want("dhcp", "dhcp", Status{InForce: Settings{}.ID()})
			if m.taken == m.file() {
				t.Error("systemd-networkd was not told")
			}
			m.off() // it may be killed before it says that there is a trial
		}
		// And where it is told to end.
		done := make(chan error, 1)
		go func() { done <- m.applier(b).Run(ctx) }()
		time.Sleep(time.Minute)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if got := m.goesBy(); got != "dhcp" || m.taken == m.file() {
			t.Errorf("%s", got)
		}
	})
}

// A machine whose network somebody else looks after stays as it is.
func TestLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		is   func(*machine)
		want string
	}{
		"NetworkManager":           {func(m *machine) { m.running["NetworkManager.service"] = true }, "adresse fixe : NetworkManager tient le réseau"},
		"no systemd-networkd":      {func(m *machine) { m.running[networkd] = false }, "adresse fixe : systemd-networkd ne tourne pas"},
		"ifupdown beside it":       {func(m *machine) { m.foreign, m.taken = true, "" }, "adresse fixe : systemd-networkd ne tient aucun câble"},
		"another file comes first": {func(m *machine) { m.first = "/etc/systemd/network/10-it.network" }, "réseau : aucun câble ne prend les réglages"},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := newMachine(t)
			c.is(m)
			b := &borne{wanted: parse(t, "192.0.2.10/24", "", nil, []string{"ntp.ville.fr"}), word: Word{Enrolled: true}}
			if err := m.applier(b).Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			t.Log(name)
			m.want("dhcp", "dhcp", Status{Wanted: b.wanted.ID(), InForce: Settings{}.ID(), Failure: c.want})
			if _, err := os.Stat(filepath.Join(m.dir, "systemd", timeName)); err == nil {
				t.Error("something was changed")
			}
		})
	}
	// What only a part of the machine lacks is told, and the rest is taken.
	for lack, want := range map[string]string{resolved: "serveurs de noms : ", timesyncd: "serveurs de temps : "} {
		synctest.Test(t, func(t *testing.T) {
			m := newMachine(t)
			m.running[lack] = false
			b := &borne{wanted: parse(t, "192.0.2.10/24", "", []string{"192.0.2.53"}, []string{"ntp.ville.fr"})}
			if err := m.applier(b).Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			m.want("192.0.2.10/24", "192.0.2.10/24", Status{Wanted: b.wanted.ID(), InForce: b.wanted.ID(), Failure: want})
		})
	}
}

// What was before comes back also where systemd-networkd has gone meanwhile, and
// where nobody knows any more what it was.
func TestGoesBackAllTheSame(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		meanwhile func(*machine)
		want      string
	}{
		"no systemd-networkd": {func(m *machine) { m.running[networkd] = false }, "192.0.2.10/24"},
		"damaged": {func(m *machine) {
			if err := os.WriteFile(filepath.Join(m.dir, "kept.json"), []byte("{"), 0o600); err != nil {
				m.t.Error(err)
			}
		}, "dhcp"},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := newMachine(t)
			b := &borne{wanted: parse(t, "192.0.2.10/24", "", nil, nil)}
			if err := m.applier(b).Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.change(func() { b.word.Enrolled, b.wanted = true, parse(t, "198.51.100.9/24", "", nil, nil) })
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- m.applier(b).Run(ctx) }()
			time.Sleep(time.Minute)
			synctest.Wait()
			c.meanwhile(m)
			cancel()
			<-done
			if err := m.applier(b).Restore(t.Context()); err != nil || m.goesBy() != c.want {
				t.Errorf("%s: %v, the machine goes by %s", name, err, m.goesBy())
			}
		})
	}
}
