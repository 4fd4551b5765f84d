package main

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/procfs"
)

// figures are what the bornes live through between two times.
type figures struct {
	late        time.Duration
	from, until time.Time
	held, lost  atomic.Int64 // requests for commands: open now, ended by an error

	mu      sync.Mutex
	took    []time.Duration // from when a report was due to its answer
	tooLate int
	failed  int
	why     error // the last failure
}

// note notes one report that was due at a time and answered after a while.
func (f *figures) note(due time.Time, took time.Duration, err error) {
	if due.Before(f.from) || due.After(f.until) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		f.failed++
		f.why = err
		return
	}
	f.took = append(f.took, took)
	if took > f.late {
		f.tooLate++
	}
}

// process is how much a hub has used.
type process struct {
	cpu float64 // seconds
	rss int     // bytes
}

func readProcesses(pids []int) ([]process, error) {
	var all []process
	for _, pid := range pids {
		p, err := procfs.NewProc(pid)
		if err != nil {
			return nil, err
		}
		stat, err := p.Stat()
		if err != nil {
			return nil, err
		}
		all = append(all, process{stat.CPUTime(), stat.ResidentMemory()})
	}
	return all, nil
}

// print writes what was measured.
func (f *figures) print(bornes int, length time.Duration, before, after []process) {
	f.mu.Lock()
	defer f.mu.Unlock()
	slices.Sort(f.took)
	at := func(share float64) time.Duration {
		if len(f.took) == 0 {
			return 0
		}
		return f.took[int(share*float64(len(f.took)-1))].Round(10 * time.Microsecond)
	}
	fmt.Printf("%d bornes, %v : %d rapports (%.1f par seconde), %d en retard de plus de %v, %d échecs\n",
		bornes, length, len(f.took), float64(len(f.took))/length.Seconds(), f.tooLate, f.late, f.failed)
	fmt.Printf("  réponse : médiane %v, 95 %% %v, 99 %% %v, au plus %v\n", at(0.5), at(0.95), at(0.99), at(1))
	fmt.Printf("  demandes de commandes ouvertes : %d, coupées : %d\n", f.held.Load(), f.lost.Load())
	for i := range after {
		cpu := (after[i].cpu - before[i].cpu) / length.Seconds()
		fmt.Printf("  hub %d : %.1f %% d’un cœur (%.0f µs par borne et par minute), %d Mo de mémoire (%d Ko par borne)\n",
			i+1, 100*cpu, cpu*60e6/float64(bornes)*float64(len(after)), after[i].rss>>20, after[i].rss/1024/bornes*len(after))
	}
	if f.why != nil {
		fmt.Printf("  dernier échec : %v\n", f.why)
	}
}

// verdict is an error when a report came late or not at all.
func (f *figures) verdict() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tooLate > 0 || f.failed > 0 {
		return fmt.Errorf("%d rapports en retard, %d échecs", f.tooLate, f.failed)
	}
	if len(f.took) == 0 {
		return errors.New("aucun rapport mesuré")
	}
	return nil
}
