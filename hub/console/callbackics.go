package console

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"parvis/hub/callbacks"
	"parvis/kiosk/callback"
)

// appointmentLasts is how long a call stands in a calendar.
const appointmentLasts = 30 * time.Minute

// callbackCalendar gives an appointment to a calendar, with nothing of the
// resident in it.
func (c *Console) callbackCalendar(w http.ResponseWriter, r *http.Request, _ *visitor) error {
	i, err := c.callbackItem(r)
	if err != nil {
		return err
	}
	if i.State != callbacks.Appointment {
		return refuse(http.StatusNotFound, "Il n’y a pas de rendez-vous", "Cette demande n’a pas de rendez-vous, ou n’en a plus.")
	}
	w.Header().Set("Content-Disposition", `attachment; filename="rendez-vous-`+i.Code+`.ics"`)
	return writeCalendar(w, c.calendarOf(i))
}

// calendarOf makes a calendar of appointments.
func (c *Console) calendarOf(items ...callbacks.Item) *ics.Calendar {
	cal := ics.NewCalendar()
	cal.SetProductId("-//Parvis//Rappels//FR")
	// RFC 5545 asks for a component, also where there is no appointment.
	utc := cal.AddTimezone("Etc/UTC").AddStandard()
	utc.SetProperty(ics.ComponentPropertyDtStart, "19700101T000000")
	utc.SetProperty(ics.ComponentProperty(ics.PropertyTzoffsetfrom), "+0000")
	utc.SetProperty(ics.ComponentProperty(ics.PropertyTzoffsetto), "+0000")
	for _, i := range items {
		c.addAppointment(cal, i)
	}
	return cal
}

// addAppointment puts the appointment of a request into a calendar. The same
// UID with a greater sequence moves what a calendar has already.
func (c *Console) addAppointment(cal *ics.Calendar, i callbacks.Item) {
	page := strings.TrimSuffix(c.url.String(), "/") + "/rappels/" + i.ID.String()
	e := cal.AddEvent(i.ID.String() + "@parvis")
	e.SetDtStampTime(c.Now())
	e.SetSequence(int(i.Revision))
	e.SetStartAt(i.Appointment)
	e.SetEndAt(i.Appointment.Add(appointmentLasts))
	e.SetSummary("Rappel " + callback.FormatCode(i.Code) + ", " + cmp.Or(i.SiteName, i.Borne))
	e.SetDescription("Le sujet et le numéro sont dans Parvis, pour la personne qui a pris la demande :\n" + page)
	e.SetURL(page)
	e.SetClass(ics.ClassificationPrivate)
}

func writeCalendar(w http.ResponseWriter, cal *ics.Calendar) error {
	w.Header().Set("Content-Type", "text/calendar; charset=utf-8")
	// The library's own lines end as on the machine that it runs on.
	if err := cal.SerializeTo(w, ics.WithNewLineWindows); err != nil {
		return errAnswered
	}
	return nil
}
