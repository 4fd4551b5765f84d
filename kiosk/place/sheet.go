package place

import (
	"context"
	"time"

	"parvis/kiosk/hours"
)

// Sheet is all that is known of one place, for a page of its own.
type Sheet struct {
	Hit
	// What no field of the schema says by itself; see derive.go.
	Computers, WiFi, Mediator, Accessible, Booking bool
}

// Sheet gives a place as seen from near, which may be nil, at now. It returns
// ErrNotFound when the directory no longer has the place.
func (d *Directory) Sheet(ctx context.Context, id string, near *Point, now time.Time) (Sheet, error) {
	r, err := d.row(ctx, id)
	if err != nil {
		return Sheet{}, err
	}
	s := Sheet{Hit: Hit{Place: r.place()}}
	if near != nil && s.Position != nil {
		s.Metres = metres(near.vector().chord2(s.Position.vector()))
		s.Walk = walk(s.Metres)
	}
	s.Stale = s.Updated.AddDate(1, 0, 0).Before(now)
	if s.Hours != "" {
		if sch, err := d.Schedule(s.Hours); err == nil {
			s.State = sch.State(now)
		} else {
			s.State = hours.State{Kind: hours.Unknown}
		}
	}
	has := uint64(r.derive().mask)
	for m, to := range map[mark]*bool{computers: &s.Computers, wifi: &s.WiFi, mediator: &s.Mediator, accessible: &s.Accessible, booking: &s.Booking} {
		*to = has&m.bit() != 0
	}
	return s, nil
}
