package hours

import (
	"time"

	openinghours "github.com/Daquisu/opening_hours.go"
)

// selector asks the library whether a day is one that a text such as "Jul-Aug",
// "week 2-52/2", "Mo[1]" or "PH" names.
//
// The library is given one selector at a time and the rules are put together in
// schedule.go: v0.1.0 joins "Mo 09:00-12:00; Mo 14:00-17:00" where the standard
// lets the later rule replace the earlier, never opens on Sundays for
// "Su,PH 10:00-12:00", and takes "week 45 Tu,Th 10:00-12:00" for every week.
type selector struct{ *openinghours.OpeningHours }

// The selector is tried at noon of the day.
const noon = "12:00-12:30"

func newSelector(text string, r Region) (selector, error) {
	oh, err := openinghours.New(text + " " + noon)
	if err != nil {
		return selector{}, err
	}
	if text == "PH" {
		oh.SetHolidayChecker(calendar(r))
	}
	return selector{oh}, nil
}

func (s selector) names(d date) (yes bool) {
	// A day on which the library fails is a day about which nothing is claimed.
	defer func() {
		if recover() != nil {
			yes = false
		}
	}()
	return s.GetState(time.Date(d.year, d.month, d.day, 12, 0, 0, 0, time.UTC))
}

// calendar lets the library ask for holidays; its times carry the local date.
type calendar Region

func (c calendar) IsHoliday(t time.Time) bool {
	y, m, d := t.Date()
	_, ok := holidayOn(date{y, m, d}, Region(c))
	return ok
}

// prepare makes the rule's selectors ready.
func (r *rule) prepare(region Region) error {
	load := func(texts []string) (list []selector, err error) {
		for _, text := range texts {
			s, err := newSelector(text, region)
			if err != nil {
				return nil, err
			}
			list = append(list, s)
		}
		return list, nil
	}
	var err error
	if r.inMonths, err = load(r.months); err != nil {
		return err
	}
	if r.inWeeks, err = load(r.weeks); err != nil {
		return err
	}
	if r.onNth, err = load(r.nth); err != nil {
		return err
	}
	if r.ph {
		r.onHoliday, err = load([]string{"PH"})
	}
	return err
}

func anyNames(list []selector, d date) bool {
	for _, s := range list {
		if s.names(d) {
			return true
		}
	}
	return false
}

// matches says whether the rule speaks of the day.
func (r rule) matches(d date) bool {
	return r.inSeason(d) && (r.onWeekday(d) || anyNames(r.onHoliday, d))
}

// matchesOrdinary is matches in a world without holidays.
func (r rule) matchesOrdinary(d date) bool { return r.inSeason(d) && r.onWeekday(d) }

func (r rule) inSeason(d date) bool {
	return (r.inMonths == nil || anyNames(r.inMonths, d)) && (r.inWeeks == nil || anyNames(r.inWeeks, d))
}

func (r rule) onWeekday(d date) bool {
	switch {
	case r.onNth != nil:
		return anyNames(r.onNth, d)
	case r.anyDay:
		return !r.ph
	}
	return r.days[d.weekday()]
}
