package callback_test

import (
	"slices"
	"testing"
	"time"

	"parvis/kiosk/callback"
	"parvis/kiosk/hours"
)

func TestSlots(t *testing.T) {
	const week = "Mo-Fr 09:00-12:00,14:00-17:00"
	tests := []struct {
		name, schedule, now string
		region              string
		n                   int
		want                []string
	}{
		{"early on a Monday", week, "2026-11-23 08:00", "metropole", 3,
			[]string{"23/11 09:00-12:00", "23/11 14:00-17:00", "24/11 09:00-12:00"}},
		{"an hour left of the morning", week, "2026-11-23 11:00", "metropole", 1,
			[]string{"23/11 09:00-12:00"}},
		{"less than an hour left of it", week, "2026-11-23 11:01", "metropole", 1,
			[]string{"23/11 14:00-17:00"}},
		{"Friday evening", week, "2026-11-27 19:00", "metropole", 1,
			[]string{"30/11 09:00-12:00"}},
		{"no break at midday", "Mo-Fr 09:00-17:00", "2026-11-23 08:00", "metropole", 2,
			[]string{"23/11 09:00-13:00", "23/11 13:00-17:00"}},
		{"a quarter past one is no afternoon", "Mo-Fr 09:00-13:15", "2026-11-23 08:00", "metropole", 2,
			[]string{"23/11 09:00-13:00", "24/11 09:00-13:00"}},
		{"a break in the morning", "Mo 09:00-10:00,11:00-12:00", "2026-11-23 08:00", "metropole", 1,
			[]string{"23/11 09:00-12:00"}},
		{"Armistice", week, "2026-11-10 17:00", "metropole", 1,
			[]string{"12/11 09:00-12:00"}},
		{"Saint-Étienne in Strasbourg is a Saturday", "Sa 09:00-12:00", "2026-12-25 08:00", "alsace-moselle", 1,
			[]string{"02/01 09:00-12:00"}},
		{"the same Saturday elsewhere", "Sa 09:00-12:00", "2026-12-25 08:00", "metropole", 1,
			[]string{"26/12 09:00-12:00"}},
		{"Christmas to New Year", week, "2026-12-24 16:30", "metropole", 2,
			[]string{"28/12 09:00-12:00", "28/12 14:00-17:00"}},
		{"clocks change on the 25th", "Sa,Su,Mo 09:00-12:00", "2026-10-24 08:00", "metropole", 3,
			[]string{"24/10 09:00-12:00", "25/10 09:00-12:00", "26/10 09:00-12:00"}},
		{"not within four weeks", "Jun 1-30 Mo 09:00-12:00", "2026-11-23 08:00", "metropole", 3, nil},
		{"none asked for", week, "2026-11-23 08:00", "metropole", 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			region, err := hours.ParseRegion(tt.region)
			if err != nil {
				t.Fatal(err)
			}
			schedule, err := hours.Parse(tt.schedule, region)
			if err != nil {
				t.Fatal(err)
			}
			now, err := time.ParseInLocation("2006-01-02 15:04", tt.now, hours.Paris)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range callback.Slots(schedule, now.UTC(), tt.n) {
				got = append(got, s.Start.Format("02/01 15:04-")+s.End.Format("15:04"))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if got := callback.Slots(nil, time.Now(), 5); got != nil {
		t.Errorf("without a schedule: %v", got)
	}
}
