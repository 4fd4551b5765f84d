package statistics_test

import (
	"math/rand/v2"
	"testing"

	"parvis/hub/statistics"
)

// What is told of a day so far gives no hidden hour away: each could have had
// nobody or four, whatever the others are.
func TestLive(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	byHour, byPart := 0, 0
	for range 20_000 {
		var hours [24]int
		most := 1 + r.IntN(14)
		for h := 8; h < 19; h++ {
			hours[h] = r.IntN(most)
		}
		now := r.IntN(24)
		live := statistics.LiveOf(hours, now)
		visits := 0
		for _, n := range hours[:now] {
			visits += n
		}
		if live.Visits != visits/5*5 {
			t.Fatalf("%v at %d h: %d are told", hours, now, live.Visits)
		}
		if live.Parts == nil {
			continue
		}
		low, high, from := 0, 0, 0
		for _, p := range live.Parts {
			if p.From != from || p.To <= p.From || p.Visits%5 != 0 {
				t.Fatalf("%v: part %+v", hours, p)
			}
			n := 0
			for h := p.From; h < min(p.To, now); h++ {
				n += hours[h]
			}
			if p.Visits != n/5*5 {
				t.Fatalf("%v at %d h: %+v", hours, now, p)
			}
			if low, from = low+p.Visits, p.To; p.Visits > 0 {
				high += p.Visits + 4
			}
		}
		if from != 24 || low+4 > live.Visits+4 || live.Visits+4 > high {
			t.Fatalf("%v at %d h: beside %d, %+v tell what is hidden", hours, now, live.Visits, live.Parts)
		}
		if len(live.Parts) == 24 {
			byHour++
		} else {
			byPart++
		}
	}
	if byHour < 1000 || byPart < 1000 {
		t.Errorf("%d told by the hour, %d by the part of the day: the test has seen too few", byHour, byPart)
	}
}

// The hour that runs, and those to come by a clock that is wrong, don't count.
func TestLiveHour(t *testing.T) {
	t.Parallel()
	var hours [24]int
	hours[9], hours[10], hours[11] = 7, 50, 50
	if live := statistics.LiveOf(hours, 10); live.Visits != 5 {
		t.Errorf("%+v", live)
	}
}
