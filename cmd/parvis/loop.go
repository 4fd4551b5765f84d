package main

import (
	"sync"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
)

// loop hands functions to the drawing loop until it is to end. Fyne 2.8.1 closes
// its queue as it ends, and panics when somebody is just handing it a function:
// a borne that restarts would now and then crash instead.
type loop struct {
	queue func(func()) // fyne.Do

	mu   sync.RWMutex
	over bool
}

// do has the loop run f, soon. What comes after end is lost.
func (l *loop) do(f func()) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if !l.over {
		l.queue(f)
	}
}

// end has the loop run quit, and nothing that comes later.
func (l *loop) end(quit func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	l.queue(quit)
}

// newApp makes Fyne's part of the program, without what Fyne queues as it ends, to
// keep preferences that a borne doesn't have: that too may find the queue closed.
func newApp() fyne.App {
	a := app.NewWithID("fr.parvis.borne")
	if l, ok := a.Lifecycle().(interface{ SetOnStoppedHookExecuted(func()) }); ok {
		l.SetOnStoppedHookExecuted(nil)
	}
	return a
}
