package main

import (
	"sync"
	"sync/atomic"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
)

// However many hand something over, nothing reaches the loop once it is to end.
func TestLoopEnds(t *testing.T) {
	var ended, late atomic.Bool
	var came atomic.Int64
	l := &loop{queue: func(f func()) {
		if ended.Load() {
			late.Store(true)
		}
		came.Add(1)
		f()
	}}
	var hands sync.WaitGroup
	for range 8 {
		hands.Go(func() {
			for !ended.Load() {
				l.do(func() {})
			}
			l.do(func() { late.Store(true) })
		})
	}
	for came.Load() < 1000 {
		l.do(func() {})
	}
	l.end(func() { ended.Store(true) })
	hands.Wait()
	if late.Load() {
		t.Error("the loop was handed something after its end")
	}
}

// Fyne has nothing to do at the end, so it queues nothing then.
func TestNothingIsKept(t *testing.T) {
	ends := func(a fyne.App) func() { return a.Lifecycle().(interface{ OnStopped() func() }).OnStopped() }
	if ends(app.NewWithID("fr.parvis.essai")) == nil {
		t.Fatal("Fyne does nothing as it ends: the test sees nothing")
	}
	if ends(newApp()) != nil {
		t.Error("Fyne still queues something as it ends")
	}
}
