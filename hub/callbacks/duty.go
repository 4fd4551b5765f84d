package callbacks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"parvis/hub/alerts"
	"parvis/hub/people"
	"parvis/hub/store"
	"parvis/kiosk/hours"
)

const (
	// lookAhead is how far ahead deadlines are looked at: the longest Near in
	// working hours, over the longest holidays.
	lookAhead = 14 * 24 * time.Hour
	// tellAtOnce is how many deadlines are looked at in one go.
	tellAtOnce = 10_000
)

// Escalate tells whoever is on duty of deadlines that come near and that have
// passed: of each once, of all that are due in one message, and only while the
// mediators of the site are there. Nothing of any resident is in it.
func (q *Queue) Escalate(ctx context.Context) error {
	settings, err := q.Settings(ctx)
	if err != nil || settings.Channel == "" || q.Alerts == nil {
		return err
	}
	channel, err := q.Alerts.Channel(ctx, settings.Channel)
	if errors.Is(err, store.ErrNotFound) {
		return nil // it was removed: the page of settings says so
	}
	if err != nil {
		return err
	}
	now := q.Now()
	due, err := q.Store.UntoldCallbacks(ctx, now.Add(lookAhead), tellAtOnce)
	if err != nil {
		return err
	}
	schedules := make(map[string]*hours.Schedule)
	var near, late []store.CallbackDue
	for _, d := range due {
		s := schedules[d.Borne]
		if s == nil {
			if s, err = q.schedule(ctx, d.Borne); err != nil {
				return err
			}
			if len(s.Open(now, now.Add(horizon))) == 0 { // nobody is ever there
				s = office
			}
			schedules[d.Borne] = s
		}
		switch {
		case len(s.Open(now, now.Add(time.Minute))) == 0: // quiet
		case !d.Deadline.After(now):
			late = append(late, d)
		case d.NearTold || d.State == Appointment: // its holder knows when
		case working(s, now, d.Deadline) <= time.Duration(settings.Near)*time.Minute:
			near = append(near, d)
		}
	}
	return errors.Join(q.tell(ctx, settings, channel, near, false), q.tell(ctx, settings, channel, late, true))
}

// working is how much of the time between two moments is working time.
func working(s *hours.Schedule, from, to time.Time) (sum time.Duration) {
	for _, open := range s.Open(from, to) {
		sum += open.End.Sub(open.Start)
	}
	return sum
}

func (q *Queue) tell(ctx context.Context, settings Settings, channel alerts.Channel, due []store.CallbackDue, late bool) error {
	if len(due) == 0 {
		return nil
	}
	onDuty, err := q.onDuty(ctx, settings)
	if err != nil {
		return err
	}
	var to []string
	if onDuty.Email != "" {
		to = []string{onDuty.Email}
	}
	return q.Store.TellCallbacks(ctx, due, late, func(told []store.CallbackDue) (store.AlertMessage, error) {
		return q.Alerts.NewNotice(channel, to, dueTitle(len(told), late), dueLines(told, late), "/rappels?vue=a-prendre")
	})
}

// OnDuty is who sees to deadlines today: empty where nobody is named, or where
// they have left or lost their role.
func (q *Queue) OnDuty(ctx context.Context) (Actor, error) {
	settings, err := q.Settings(ctx)
	if err != nil {
		return Actor{}, err
	}
	p, err := q.onDuty(ctx, settings)
	return Actor{ID: p.ID, Name: p.Name}, err
}

func (q *Queue) onDuty(ctx context.Context, settings Settings) (store.Person, error) {
	id := settings.Duty[q.Now().In(hours.Paris).Weekday()]
	if id == "" {
		return store.Person{}, nil
	}
	p, err := q.Store.Person(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return store.Person{}, nil
	}
	if err != nil || !p.Disabled.IsZero() || !people.Role(p.Role).May(people.CallbacksSee) {
		return store.Person{}, err
	}
	return p, nil
}

func dueTitle(n int, late bool) string {
	noun := "demandes de rappel"
	if n == 1 {
		noun = "demande de rappel"
	}
	if late {
		return fmt.Sprintf("%d %s en retard", n, noun)
	}
	return fmt.Sprintf("%d %s à faire bientôt", n, noun)
}

// dueLines tell, for each site, how many requests are due and until when. No
// request is named: a message stays longer than what it is about.
func dueLines(due []store.CallbackDue, late bool) []string {
	bySite := make(map[string][]store.CallbackDue)
	for _, d := range due {
		bySite[d.SiteName] = append(bySite[d.SiteName], d)
	}
	var lines []string
	for site, of := range bySite {
		first := slices.MinFunc(of, func(a, b store.CallbackDue) int { return a.Deadline.Compare(b.Deadline) })
		line := fmt.Sprintf("%s\u00a0: %d, à rappeler ", site, len(of))
		if len(of) > 1 {
			line = fmt.Sprintf("%s\u00a0: %d, la première à rappeler ", site, len(of))
		}
		line += "avant le " + first.Deadline.In(hours.Paris).Format("02/01 à 15 h 04")
		if free := count(of, Waiting); free > 0 {
			line += fmt.Sprintf("\u00a0; personne n’en a pris %d", free)
		}
		lines = append(lines, line+".")
	}
	slices.Sort(lines)
	if late {
		return append(lines, "Prenez-les, ou passez-les à quelqu’un qui peut appeler.")
	}
	return append(lines, "Il reste un peu de temps pour appeler.")
}

func count(due []store.CallbackDue, state store.CallbackState) (n int) {
	for _, d := range due {
		if d.State == state {
			n++
		}
	}
	return n
}
