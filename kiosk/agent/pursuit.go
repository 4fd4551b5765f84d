package agent

import (
	"context"
	"sync"

	"parvis/kiosk/link"
)

// pursuit is how far the borne has come with what the hub wants.
type pursuit struct {
	mu      sync.Mutex
	known   bool   // the hub has told a tag, or this program has kept one
	heard   string // the tag that the hub told last
	dealt   string // of what the borne has dealt with
	pass    string // the tag being worked on
	cancel  context.CancelCauseFunc
	orders  []chan verdict // commands that wait
	hurry   bool           // one of them is being worked on
	ready   string         // the version of the program that waits for the hour
	passing map[string]link.Failure
}

// verdict is what came of a pass.
type verdict struct {
	changed bool
	err     error
}

// hear takes in the tag of an answer to a report, and tells whether that is
// something to work on. What is being done for another is given up.
func (p *pursuit) hear(tag string) (news bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	news = (!p.known || p.heard != tag) && tag != p.dealt
	p.known, p.heard = true, tag
	if p.cancel != nil && p.pass != tag {
		p.cancel(errOther)
	}
	return news
}

// order has a pass made at once, and says where its verdict comes.
func (p *pursuit) order() <-chan verdict {
	p.mu.Lock()
	defer p.mu.Unlock()
	order := make(chan verdict, 1)
	p.orders = append(p.orders, order)
	p.hurry = true
	return order
}

func (p *pursuit) due() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known && p.heard != p.dealt || len(p.orders) > 0
}

func (p *pursuit) begin(tag string, cancel context.CancelCauseFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known, p.heard, p.pass, p.cancel = true, tag, tag, cancel
}

// end ends a pass. Commands hear its verdict unless the pass is to be made again.
func (p *pursuit) end(orders int, v verdict, again bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cancel = nil
	if again {
		return
	}
	for _, order := range p.orders[:orders] {
		order <- v
	}
	p.orders = p.orders[orders:]
	p.hurry = len(p.orders) > 0
}

func (p *pursuit) waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.orders)
}

func (p *pursuit) hurried() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hurry
}

func (p *pursuit) stage(version string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready = version
}

func (p *pursuit) staged(version string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ready == version
}

func (p *pursuit) deal(tag string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dealt = tag
}

func (p *pursuit) dealtWith() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dealt
}

// fail notes why a kind is not there yet, for as long as that lasts.
func (p *pursuit) fail(kind, version string, err error) (fresh bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := link.Failure{Kind: kind, Version: version}
	if err != nil {
		f.Why = oneLine(err.Error())
	}
	fresh = p.passing[kind] != f
	if p.passing == nil {
		p.passing = make(map[string]link.Failure)
	}
	delete(p.passing, kind)
	if err != nil {
		p.passing[kind] = f
	}
	return fresh
}

func (p *pursuit) failing(kind string) link.Failure {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.passing[kind]
}
