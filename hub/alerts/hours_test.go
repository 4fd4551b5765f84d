package alerts_test

import (
	"testing"
	"time"

	"parvis/hub/alerts"
)

func TestHours(t *testing.T) {
	t.Parallel()
	office := alerts.Hours{}
	for d := time.Monday; d <= time.Friday; d++ {
		office[d] = alerts.Day{Here: true, From: 8 * 60, To: 18 * 60}
	}
	night := alerts.Hours{time.Friday: {Here: true, From: 22 * 60, To: 6 * 60}, time.Saturday: {Here: true, From: 2*60 + 30, To: 3*60 + 30}, time.Sunday: {Here: true, From: 2*60 + 30, To: 3 * 60}}
	always := alerts.Hours{}
	for d := range always {
		always[d].Here = true
	}
	tests := []struct {
		name  string
		hours alerts.Hours
		at    string // in Paris
		want  bool
	}{
		{"before", office, "2026-11-24T07:59:59+01:00", false},
		{"begins", office, "2026-11-24T08:00:00+01:00", true},
		{"last minute", office, "2026-11-24T17:59:59+01:00", true},
		{"ends", office, "2026-11-24T18:00:00+01:00", false},
		{"Saturday", office, "2026-11-28T10:00:00+01:00", false},
		{"Sunday", office, "2026-11-29T10:00:00+01:00", false},
		{"before midnight", night, "2026-11-27T23:59:00+01:00", true},
		{"after midnight", night, "2026-11-28T00:00:00+01:00", true},
		{"still there", night, "2026-11-28T05:59:00+01:00", true},
		{"gone home", night, "2026-11-28T06:00:00+01:00", false},
		{"the night before", night, "2026-11-27T05:00:00+01:00", false},
		{"always", always, "2026-11-29T00:00:00+01:00", true},
		{"always, last minute", always, "2026-11-29T23:59:00+01:00", true},
		// On 29 March 2026 there is no half past two: the clock goes from 2 to 3.
		{"spring, before the gap", night, "2026-03-29T01:59:00+01:00", false},
		{"spring, after the gap", night, "2026-03-29T03:00:00+02:00", false},
		// On 25 October 2026 there are two of them.
		{"autumn, first half past two", night, "2026-10-25T02:30:00+02:00", true},
		{"autumn, second two o'clock", night, "2026-10-25T02:00:00+01:00", false},
		{"autumn, second half past two", night, "2026-10-25T02:30:00+01:00", true},
		{"autumn, three", night, "2026-10-25T03:00:00+01:00", false},
		{"office after summer time", office, "2026-10-26T08:00:00+01:00", true},
		{"office before summer time", office, "2026-03-30T08:00:00+02:00", true},
	}
	for _, test := range tests {
		at, err := time.Parse(time.RFC3339, test.at)
		must(t, err)
		if got := test.hours.Here(at.In(paris(t))); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}
