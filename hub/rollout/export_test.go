package rollout

import "context"

// Step has an engine look at all rollouts once, as Serve does every ten seconds.
func (e *Engine) Step(ctx context.Context) error { return e.step(ctx) }
