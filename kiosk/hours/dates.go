package hours

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var (
	yearPattern = regexp.MustCompile(`^(\d{4})(?: *- *(\d{4}))? +`)
	weekPattern = regexp.MustCompile(`^(?i:week) *(\d{1,2}(?: *- *\d{1,2}(?:/\d{1,2})?)?(?: *, *\d{1,2}(?: *- *\d{1,2}(?:/\d{1,2})?)?)*)(?: +|$)`)
	weekRange   = regexp.MustCompile(`^(\d{1,2})(?:-(\d{1,2})(?:/(\d{1,2}))?)?$`)
	months      = `(?i:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)`
	// A month, a range of months, a day, or a range of days.
	datePattern = regexp.MustCompile(`^(` + months + `)(?: +(\d{1,2}))?(?: *- *(` + months + `)?(?: *(\d{1,2}))?)?(?: +|,|$)`)
	monthStart  = regexp.MustCompile(`^` + months + `(?:[^a-zA-Z]|$)`)
)

var monthDays = map[string]int{"Jan": 31, "Feb": 29, "Mar": 31, "Apr": 30, "May": 31, "Jun": 30,
	"Jul": 31, "Aug": 31, "Sep": 30, "Oct": 31, "Nov": 30, "Dec": 31}

var monthOrder = "JanFebMarAprMayJunJulAugSepOctNovDec"

// dates reads the years, months, days and weeks in front of a rule into
// canonical spellings.
func (p *parser) dates(r *rule) error {
	years := ""
	if m := yearPattern.FindStringSubmatch(p.ahead()); m != nil {
		p.i += len(m[0])
		if m[2] != "" && m[2] < m[1] {
			return fmt.Errorf("années à l’envers « %s-%s »", m[1], m[2])
		}
		years = strings.TrimSuffix(m[1]+"-"+m[2], "-")
	}
	if years != "" && !monthStart.MatchString(p.ahead()) {
		return errors.New("année sans mois : non prise en charge")
	}
	for monthStart.MatchString(p.ahead()) {
		text, err := p.monthDate(r, years != "")
		if err != nil {
			return err
		}
		r.months = append(r.months, strings.TrimSpace(years+" "+text))
		if p.spaces(); !p.eat(',') {
			break
		}
		if p.spaces(); !monthStart.MatchString(p.ahead()) {
			return p.unexpected()
		}
	}
	r.oneDay = r.oneDay && len(r.months) == 1
	if p.word() == "week" {
		return p.weekList(r)
	}
	return nil
}

func (p *parser) ahead() string { return p.s[p.i:] }

func (p *parser) monthDate(r *rule, years bool) (string, error) {
	m := datePattern.FindStringSubmatch(p.ahead())
	if m == nil {
		return "", p.unexpected()
	}
	from, fromDay, to, toDay := title(m[1]), m[2], title(m[3]), m[4]
	text := strings.Trim(m[0], " ,")
	ranged := strings.Contains(text, "-")
	switch {
	case ranged && to == "" && (fromDay == "" || toDay == ""), // "Jul 01-", "Jul-31"
		ranged && to != "" && (fromDay == "") != (toDay == ""): // "Jul 01-Aug"
		return "", fmt.Errorf("dates incomplètes « %s »", text)
	case !possible(from, fromDay), to != "" && !possible(to, toDay), to == "" && !possible(from, toDay):
		return "", fmt.Errorf("date impossible « %s »", text)
	}
	back := to != "" && strings.Index(monthOrder, to) < strings.Index(monthOrder, from)
	same := to == "" || to == from
	if same && number(toDay) > 0 && number(toDay) < number(fromDay) {
		return "", fmt.Errorf("dates à l’envers « %s »", text)
	}
	if back && years {
		return "", errors.New("dates à cheval sur deux années précises : non prises en charge")
	}
	p.i += len(strings.TrimSuffix(m[0], ","))
	switch {
	case !ranged && fromDay == "":
		return from, nil
	case !ranged:
		r.oneDay = true
		return fmt.Sprintf("%s %02d", from, number(fromDay)), nil
	case fromDay == "":
		return from + "-" + to, nil
	case same:
		return fmt.Sprintf("%s %02d-%02d", from, number(fromDay), number(toDay)), nil
	}
	return fmt.Sprintf("%s %02d-%s %02d", from, number(fromDay), to, number(toDay)), nil
}

func (p *parser) weekList(r *rule) error {
	m := weekPattern.FindStringSubmatch(p.ahead())
	if m == nil {
		return p.unexpected()
	}
	for part := range strings.SplitSeq(strings.ReplaceAll(m[1], " ", ""), ",") {
		w := weekRange.FindStringSubmatch(part)
		if w == nil || number(w[1]) < 1 || number(w[1]) > 53 || number(w[2]) > 53 ||
			w[2] != "" && number(w[2]) <= number(w[1]) || w[3] != "" && number(w[3]) < 1 {
			return fmt.Errorf("semaines impossibles « %s »", part)
		}
		r.weeks = append(r.weeks, "week "+part)
	}
	p.i += len(m[0])
	return nil
}

func title(month string) string {
	if month == "" {
		return ""
	}
	return strings.ToUpper(month[:1]) + strings.ToLower(month[1:])
}

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func possible(month, day string) bool {
	return day == "" || number(day) >= 1 && number(day) <= monthDays[month]
}
