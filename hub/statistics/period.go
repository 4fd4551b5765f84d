package statistics

import (
	"fmt"
	"strconv"
	"time"
)

// Kind is how long a period is.
type Kind string

// The kinds of periods. They lie inside each other: no period overlaps another
// without holding all of it, and there are none of people's own choice.
const (
	Month    Kind = "mois"
	Quarter  Kind = "trimestre"
	HalfYear Kind = "semestre"
	Year     Kind = "annee"
)

// length is in months.
func (k Kind) length() int {
	return map[Kind]int{Month: 1, Quarter: 3, HalfYear: 6, Year: 12}[k]
}

// Period is a calendar month, quarter, half-year or year.
type Period struct {
	Kind Kind
	Year int
	N    int // which one of its year, from 1
}

// ParsePeriod reads "2026-11", "2026-T4", "2026-S2" or "2026".
func ParsePeriod(text string) (Period, error) {
	wrong := fmt.Errorf("période « %s » : attendu un mois (2026-11), un trimestre (2026-T4), un semestre (2026-S2) ou une année (2026)", text)
	if len(text) < 4 {
		return Period{}, wrong
	}
	year, err := strconv.Atoi(text[:4])
	if err != nil || year < 2000 || year > 2199 {
		return Period{}, wrong
	}
	p := Period{Year, year, 1}
	if rest := text[4:]; rest != "" {
		p.Kind = Month
		switch {
		case len(rest) == 3 && rest[1] == 'T':
			p.Kind = Quarter
		case len(rest) == 3 && rest[1] == 'S':
			p.Kind = HalfYear
		}
		digits := rest[1:]
		if p.Kind != Month {
			digits = rest[2:]
		}
		p.N, err = strconv.Atoi(digits)
		if err != nil || p.N < 1 || p.N > 12/p.Kind.length() || p.String() != text {
			return Period{}, wrong
		}
	}
	return p, nil
}

// PeriodOf is the period of a kind in which a time lies.
func PeriodOf(k Kind, t time.Time) Period {
	return Period{k, t.Year(), (int(t.Month())-1)/k.length() + 1}
}

// String writes a period as ParsePeriod reads it.
func (p Period) String() string {
	switch p.Kind {
	case Month:
		return fmt.Sprintf("%04d-%02d", p.Year, p.N)
	case Quarter:
		return fmt.Sprintf("%04d-T%d", p.Year, p.N)
	case HalfYear:
		return fmt.Sprintf("%04d-S%d", p.Year, p.N)
	}
	return fmt.Sprintf("%04d", p.Year)
}

// Begin is midnight of the first day.
func (p Period) Begin(zone *time.Location) time.Time {
	return time.Date(p.Year, time.Month((p.N-1)*p.Kind.length()+1), 1, 0, 0, 0, 0, zone)
}

// End is midnight after the last day.
func (p Period) End(zone *time.Location) time.Time {
	return p.Begin(zone).AddDate(0, p.Kind.length(), 0)
}

// Before is the period of the same kind before this one.
func (p Period) Before() Period { return PeriodOf(p.Kind, p.Begin(time.UTC).AddDate(0, 0, -1)) }

// After is the period of the same kind after this one.
func (p Period) After() Period { return PeriodOf(p.Kind, p.End(time.UTC)) }

// Parts are the periods of a shorter kind, or of the same, that make up this one.
func (p Period) Parts(k Kind) []Period {
	var parts []Period
	for part := PeriodOf(k, p.Begin(time.UTC)); part.Begin(time.UTC).Before(p.End(time.UTC)); part = part.After() {
		parts = append(parts, part)
	}
	return parts
}
