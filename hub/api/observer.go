package api

import "time"

// Observer is told what happens, for figures: see package metrics. Its methods
// are called by many goroutines at once and must not block.
type Observer interface {
	// Request was answered. path is one that the API has, such as "POST
	// /v1/report", or "other".
	Request(path string, status int, took time.Duration)
	// Batch is how many reports one transaction has stored.
	Batch(reports int)
	// Refused is a report that found the queue full.
	Refused()
	// Connection was opened (1) or closed (-1).
	Connection(change int)
	// Callback is a request to be called back that is new to the hub.
	Callback()
}

type nobody struct{}

func (nobody) Request(string, int, time.Duration) {}
func (nobody) Batch(int)                          {}
func (nobody) Refused()                           {}
func (nobody) Connection(int)                     {}
func (nobody) Callback()                          {}

// Queued is how many reports wait to be stored.
func (a *API) Queued() int { return len(a.intake.queue) }

// Held is how many requests for commands are held open.
func (a *API) Held() int { return a.held.len() }
