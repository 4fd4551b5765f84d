package line

import (
	"errors"
	"time"

	"parvis/device"
)

const (
	// A hundred bytes a second are some eight bad frames of a card held at
	// the edge of the field, and a tenth of what 9600 baud carry.
	loud = 100
	// A card pulled away slowly is loud for a second, a wrong speed for good.
	loudSeconds = 3
)

var errNoise = errors.New("over 100 bytes a second make no sense")

// Noise tells a line whose bytes make no sense for seconds on end from one
// that drops a frame now and then. The zero value is a quiet line.
type Noise struct {
	began time.Time // of the second that is being counted; zero between
	bad   int       // bytes in that second that made no sense
	total int       // and in all
	run   int       // loud seconds on end
}

// Count takes how many bytes made no sense until now. It returns when it wants
// to be called again if there are no more; the zero Time is never.
func (n *Noise) Count(now time.Time, dropped int) time.Time {
	bad := dropped - n.total
	n.total = dropped
	for !n.began.IsZero() && now.Sub(n.began) >= time.Second {
		n.began = n.began.Add(time.Second)
		n.run++
		if n.bad < loud {
			n.run = 0
		}
		if n.bad == 0 {
			n.began = time.Time{}
		}
		n.bad = 0
	}
	if bad > 0 && n.began.IsZero() {
		n.began = now
	}
	n.bad += bad
	if n.began.IsZero() {
		return time.Time{}
	}
	return n.began.Add(time.Second)
}

// Status is that of an open line, with what lies on its reader.
func (n *Noise) Status(m device.Media) device.Status {
	s := device.Status{State: device.Online}
	if n.run >= loudSeconds {
		s = device.Noise.With(errNoise)
	}
	s.Media = m
	return s
}
