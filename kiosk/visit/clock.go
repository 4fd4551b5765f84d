package visit

import "time"

// Patience is how long a resident may be still before the warning, and how
// long the warning stays (EN 301 549, 11.2.2.1: 20 s at least).
type Patience struct{ Idle, Warning time.Duration }

// The patience of a plain visit, of one with speech, of one where a mediator
// stands beside the resident, and on the pages for staff.
var (
	Usual       = Patience{Idle: 45 * time.Second, Warning: 30 * time.Second}
	WithSpeech  = Patience{Idle: 120 * time.Second, Warning: 60 * time.Second}
	Accompanied = Patience{Idle: 300 * time.Second, Warning: 60 * time.Second}
	Maintenance = Patience{Idle: 60 * time.Second, Warning: 20 * time.Second}
)

// Clock tells when a visit has been still for too long. The resident may
// extend it any number of times.
type Clock struct {
	Patience Patience
	touched  time.Time
}

// Moment is what the clock says.
type Moment struct {
	Warn  bool          // the warning is due
	Over  bool          // the visit ends
	Until time.Duration // time left in the warning, rounded up to a second
}

// Touch notes that the resident did something at now.
func (c *Clock) Touch(now time.Time) { c.touched = now }

// Touched is when the resident last did something.
func (c *Clock) Touched() time.Time { return c.touched }

// At says where the visit stands at now.
func (c *Clock) At(now time.Time) Moment {
	still := now.Sub(c.touched)
	if still < c.Patience.Idle {
		return Moment{}
	}
	left := c.Patience.Idle + c.Patience.Warning - still
	if left <= 0 {
		return Moment{Warn: true, Over: true}
	}
	return Moment{Warn: true, Until: (left + time.Second - 1).Truncate(time.Second)}
}
