package ticket

import (
	"fmt"
	"strings"
	"time"
)

// midnight is the start of t's day where t is.
func midnight(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}

func (p *paper) weekday(t time.Time) string {
	return p.say("weekday." + strings.ToLower(t.Weekday().String()))
}

func (p *paper) month(t time.Time) string {
	return p.say("month." + strings.ToLower(t.Month().String()))
}

// day is the day of the month: in French "1er", then 2, 3 …
func (p *paper) day(t time.Time) string {
	if t.Day() == 1 {
		return p.say("ticket.first")
	}
	return fmt.Sprint(t.Day())
}

func (p *paper) fullDate(t time.Time) string {
	return p.say("ticket.date", "Day", p.day(t), "Month", p.month(t), "Year", t.Year())
}

// clock is the time of day: "9 h", "14 h 30".
func (p *paper) clock(t time.Time) string {
	if t.Minute() == 0 {
		return p.say("ticket.hour", "Hour", t.Hour())
	}
	return p.say("ticket.time", "Hour", t.Hour(), "Minute", fmt.Sprintf("%02d", t.Minute()))
}
