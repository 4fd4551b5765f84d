package console

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parvis/hub/alerts"
	"parvis/hub/callbacks"
	"parvis/hub/people"
)

// callbackSettingsView is the form of what administrators choose for the queue.
type callbackSettingsView struct {
	callbacks.Settings
	Typed    map[string]string // the numbers, as they stand in their fields
	Channels []alerts.Channel
	Gone     bool // the channel that was chosen is no more
	People   []choice
	Days     []dutyRow
	Sample   string // what a text message says; empty where none are set up
}

// dutyRow is who is on duty on a day of the week.
type dutyRow struct {
	Number int // of time.Weekday
	Name   string
	Person string // ID
}

// Fields of the form that are numbers.
var callbackNumbers = []string{"hours", "tries", "near", "flood", "months"}

func numbersOf(s *callbacks.Settings) map[string]*int {
	return map[string]*int{"hours": &s.Hours, "tries": &s.Tries, "near": &s.Near, "flood": &s.Flood, "months": &s.Months}
}

func (c *Console) callbackSettingsPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	s, err := c.Callbacks.Settings(r.Context())
	if err != nil {
		return err
	}
	typed := make(map[string]string)
	for name, n := range numbersOf(&s) {
		typed[name] = strconv.Itoa(*n)
	}
	return c.showCallbackSettings(w, r, v, s, typed, nil)
}

func (c *Console) showCallbackSettings(w http.ResponseWriter, r *http.Request, v *visitor, s callbacks.Settings, typed map[string]string, mistakes formErrors) error {
	data := callbackSettingsView{Settings: s, Typed: typed, Gone: s.Channel != ""}
	if c.Alerts != nil {
		var err error
		if data.Channels, err = c.Alerts.Channels(r.Context()); err != nil {
			return err
		}
	}
	for _, channel := range data.Channels {
		data.Gone = data.Gone && channel.ID != s.Channel
	}
	var err error
	if data.People, err = c.callers(r.Context()); err != nil {
		return err
	}
	for i := range 7 { // Monday first
		day := time.Weekday((i + 1) % 7)
		data.Days = append(data.Days, dutyRow{int(day), weekdays[day], s.Duty[day]})
	}
	if s.Gateway != "" {
		data.Sample = s.TextOf(callbacks.TextMissed, callbacks.Item{SiteName: "Mairie de quartier", Code: "K7M2QX", Lang: "fr"})
	}
	return c.render(w, r, v, "callbacksettings", view{Title: "Réglages des rappels", Data: data, Errors: mistakes})
}

func (c *Console) saveCallbackSettings(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	s, err := c.Callbacks.Settings(ctx)
	if err != nil {
		return err
	}
	field := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	typed := make(map[string]string)
	numbers := numbersOf(&s)
	for _, name := range callbackNumbers {
		typed[name] = field(name)
		if *numbers[name], err = strconv.Atoi(typed[name]); err != nil {
			*numbers[name] = -1 // which no setting may be
		}
	}
	s.Channel, s.Gateway, s.Phone = field("channel"), field("gateway"), oneLine(field("phone"))
	for day := range s.Duty {
		s.Duty[day] = field("duty-" + strconv.Itoa(day))
	}
	err = c.Callbacks.SetSettings(ctx, s)
	if wrong := new(callbacks.FieldError); errors.As(err, &wrong) {
		return c.showCallbackSettings(w, r, v, s, typed, formErrors{{wrong.Field, wrong.Message}})
	}
	if err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: people.CallbackSettings}); err != nil {
		return err
	}
	return c.redirect(w, r, "/rappels/reglages", "Les réglages sont enregistrés.")
}
