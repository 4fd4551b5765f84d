package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Day is when agents are there on a day of the week, in minutes after
// midnight by the clock on the wall. A To that is not after From lies on the
// next day.
type Day struct {
	Here     bool
	From, To int
}

// Hours are the hours of presence, by time.Weekday. All others are quiet.
type Hours [7]Day

// office is when agents are there unless somebody says otherwise.
var office = func() (h Hours) {
	for d := time.Monday; d <= time.Friday; d++ {
		h[d] = Day{Here: true, From: 8 * 60, To: 18 * 60}
	}
	return h
}()

// Here reports whether agents are there at a time of their zone.
func (h Hours) Here(t time.Time) bool {
	minute := t.Hour()*60 + t.Minute()
	today, before := h[t.Weekday()], h[(t.Weekday()+6)%7]
	switch {
	case before.Here && before.To <= before.From && minute < before.To: // since yesterday
		return true
	case !today.Here || minute < today.From:
		return false
	}
	return minute < today.To || today.To <= today.From
}

const hoursKey = "alerts.hours"

// Hours returns the hours of presence.
func (a *Alerts) Hours(ctx context.Context) (Hours, error) {
	text, err := a.Store.Setting(ctx, hoursKey)
	if err != nil || text == "" {
		return office, err
	}
	var h Hours
	if err := json.Unmarshal([]byte(text), &h); err != nil {
		return h, fmt.Errorf("alerts: hours: %w", err)
	}
	return h, nil
}

// SetHours changes the hours of presence. Errors: FieldError, with the number
// of the weekday as field.
func (a *Alerts) SetHours(ctx context.Context, h Hours) error {
	for d, day := range h {
		if day.Here && (day.From < 0 || day.From >= 24*60 || day.To < 0 || day.To >= 24*60) {
			return wrong(fmt.Sprint(d), "Donnez deux heures, de 00:00 à 23:59.")
		}
	}
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return a.Store.SetSetting(ctx, hoursKey, string(text))
}
