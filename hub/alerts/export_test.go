package alerts

import "context"

// Step looks at the fleet once, as Serve does again and again.
func (a *Alerts) Step(ctx context.Context) error { return a.step(ctx) }

// Send sends what is due, as Serve does.
func (a *Alerts) Send(ctx context.Context) error { return a.send(ctx) }

// InFrench is what people read of an error.
func InFrench(err error) error { return inFrench(err) }

// AllowLoopback lets webhooks be on this machine.
func (a *Alerts) AllowLoopback() { a.loopback = true }
