package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"parvis/device/sim"
	"parvis/e2e/xdrive"
)

// realPlaces is the national directory, where it is at hand.
func realPlaces(b *testing.B) string {
	root, err := xdrive.Root()
	if err != nil {
		b.Fatal(err)
	}
	dir := os.Getenv("PARVIS_DATA")
	if dir == "" {
		dir = filepath.Join(root, "..", "shared", "data")
	}
	path := filepath.Join(dir, "places", "lieux.csv")
	if _, err := os.Stat(path); err != nil {
		b.Skipf("no real places to measure with: %v (set PARVIS_DATA)", err)
	}
	return path
}

// BenchmarkFirstPage is the time from start to the first page on the glass,
// with the real places loaded.
func BenchmarkFirstPage(b *testing.B) {
	borne := xdrive.StartBorne(b, xdrive.Options{Places: realPlaces(b), Bare: true})
	var worst time.Duration
	for b.Loop() {
		borne.Stop()
		borne.Start()
		worst = max(worst, borne.FirstPage)
	}
	b.ReportMetric(float64(worst.Milliseconds()), "ms-worst")
	if worst > time.Second {
		b.Errorf("the first page took %v, more than 1 s", worst)
	}
}

// walk touches its way over every kind of page, from the attract page to its return.
var walk = []string{
	"start", "demarches", "demarche:carte-identite-passeport", "answer:carte", "answer:adulte", "answer:premiere", "answer:oui",
	"online", "nav.back", "where", "nav.back", "nav.home",
	"help", "need:demarches", "filter:open", "nav.home",
	"level", "answer:seul", "nav.home", "card", "nav.language", "contrast", "contrast", "nav.home",
	"callback", "topic:social_sante", "key:0", "key:6", "key:1", "key.rub", "nav.person", "nav.home",
	"nav.bigger", "nav.bigger", "nav.bigger", "nav.leave", "face:yes", "leaving.finish",
}

// BenchmarkTouch measures from outside, over X, how long after a finger's
// landing the glass changes, on every page.
func BenchmarkTouch(b *testing.B) {
	borne := xdrive.StartBorne(b, xdrive.Options{Places: realPlaces(b), Bare: true, Env: []string{xdrive.Morning}})
	var first, settled []time.Duration
	rounds := 0
	for b.Loop() {
		rounds++
		for _, id := range walk {
			if id == "answer:seul" {
				id = firstAnswer(borne)
			}
			l := borne.TapLatency(id)
			first = append(first, l.Touch)
			settled = append(settled, l.Settled)
		}
	}
	report := func(name string, all []time.Duration) time.Duration {
		slices.Sort(all)
		p95 := all[len(all)*95/100]
		b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, name+"-ms-p50")
		b.ReportMetric(float64(p95.Microseconds())/1000, name+"-ms-p95")
		return p95
	}
	p95 := report("change", first)
	report("settled", settled)
	if p95 > 100*time.Millisecond {
		b.Errorf("the glass changed after %v at the 95th percentile, more than 100 ms", p95)
	}
}

func firstAnswer(borne *xdrive.Borne) string {
	for _, t := range borne.Page().Targets {
		if len(t.ID) > 7 && t.ID[:7] == "answer:" {
			return t.ID
		}
	}
	return ""
}

// errand is a shorter visit: a démarche, a list of places, a callback begun.
var errand = []string{
	"start", "demarches", "demarche:carte-identite-passeport", "answer:carte", "answer:adulte", "answer:premiere", "answer:oui",
	"online", "nav.home", "help", "need:demarches", "nav.home", "callback", "topic:social_sante", "key:0", "nav.home",
	"nav.leave", "leaving.finish",
}

// BenchmarkMemory serves 200 visits and looks at the memory they leave.
func BenchmarkMemory(b *testing.B) {
	borne := xdrive.StartBorne(b, xdrive.Options{Places: realPlaces(b), Bare: true, Env: []string{xdrive.Morning}})
	serve := func(n int) int64 {
		for range n {
			tap(borne, errand...)
		}
		return settledMemory(borne)
	}
	// One run of 200 visits, however often the benchmark would like to repeat it.
	half := serve(100)
	end := serve(100)
	b.ReportMetric(float64(half>>20), "MB-at-100")
	b.ReportMetric(float64(end>>20), "MB-at-200")
	fmt.Printf("memory: %.1f MB PSS after 100 visits, %.1f MB after 200\n", float64(half)/(1<<20), float64(end)/(1<<20))
	if end > 160<<20 {
		b.Errorf("%d MB PSS after 200 visits, more than 160", end>>20)
	}
	if end > half+half/50 {
		b.Errorf("memory grew from %d to %d MB between the 100th and the 200th visit", half>>20, end>>20)
	}
}

// settledMemory is the least of several looks: garbage comes and goes.
func settledMemory(borne *xdrive.Borne) int64 {
	least := borne.Memory()
	for range 20 {
		time.Sleep(100 * time.Millisecond)
		least = min(least, borne.Memory())
	}
	return least
}

// ear is a printer that notes when a ticket begins to arrive: with ESC @.
type ear struct {
	sim.Device
	begun chan time.Time
	last  byte
}

func (e *ear) Hear(p []byte) {
	now := time.Now()
	for _, c := range p {
		if e.last == 0x1B && c == '@' {
			select {
			case e.begun <- now:
			default:
			}
		}
		e.last = c
	}
	e.Device.Hear(p)
}

// BenchmarkFirstByte is the time from a finger's touch on "Imprimer" to the
// first bytes of the ticket at the printer's end of the line.
func BenchmarkFirstByte(b *testing.B) {
	borne := xdrive.StartBorne(b, xdrive.Options{Bare: true, Env: []string{xdrive.Morning}})
	printer := &ear{Device: sim.NewThermal(func(sim.Ticket) {}), begun: make(chan time.Time, 1)}
	cable := sim.NewCable(filepath.Join(borne.Dir, "run/printer"), printer)
	if err := cable.Plug(); err != nil {
		b.Fatal(err)
	}
	defer cable.Close()
	openPlace(borne)
	var all []time.Duration
	for b.Loop() {
		waitPrint(borne, true)
		touched := time.Now()
		tap(borne, "print")
		select {
		case at := <-printer.begun:
			all = append(all, at.Sub(touched))
		case <-time.After(10 * time.Second):
			b.Fatal("no ticket arrives")
		}
		finish(borne)
	}
	slices.Sort(all)
	p95 := all[len(all)*95/100]
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "ms-p50")
	b.ReportMetric(float64(p95.Microseconds())/1000, "ms-p95")
	if p95 > 100*time.Millisecond {
		b.Errorf("the first byte of a ticket leaves %v after the touch, more than 100 ms", p95)
	}
}
