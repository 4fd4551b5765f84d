package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"parvis/hub/people"
	"parvis/hub/statistics"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

func (c *Console) borneRoutes() []route {
	return []route{
		{method: "GET", pattern: "/bornes/{id}", permission: people.FleetSee, handler: c.bornePage},
		{method: "GET", pattern: "/direct/bornes/{id}", permission: people.FleetSee, handler: c.borneStream, quiet: true},
		{method: "GET", pattern: "/bornes/{id}/captures/{command}", permission: people.BorneScreenshot, handler: c.screenshot, quiet: true},
		{method: "GET", pattern: "/bornes/{id}/journaux/{command}", permission: people.BorneLogs, handler: c.logsPage},
		{method: "GET", pattern: "/bornes/{id}/journaux/{command}/texte", permission: people.BorneLogs, handler: c.logsFile},
	}
}

// borneView is what the page of one borne shows.
type borneView struct {
	store.Borne
	Condition  condition
	Visitor    *visitor
	Faults     []faultCard // that last
	History    []faultLine // that have ended
	Devices    []deviceRow
	Visits     bars
	Trends     []trend
	TrendDays  []trendDay
	Commands   []commandRow
	Said       string         // the last outcome, for those who don't see the list change
	Screenshot *store.Command // nil: there is none, or the visitor may not see it
	Parts      []partRow      // what it should have, and has
	Behind     bool           // it has yet to take something that it should have
	Volumes    []int
	MaxMessage int
	Typed      string // a message that was refused
}

// faultCard is a fault that lasts, with what to do.
type faultCard struct {
	Title, Do, Device string
	Critical, Clone   bool
	Began             time.Time
	fault             string
}

// Tone is that of its badge.
func (f faultCard) Tone() string {
	if f.Critical {
		return toneBad
	}
	return toneWarn
}

// faultLine is a fault in the history.
type faultLine struct {
	Title, Device string
	Began, Ended  time.Time
	Lasted        string
}

// deviceRow is a line of the table of devices.
type deviceRow struct {
	Kind, Name  string
	State, Tone string
	Since       time.Time
	Counter     string // "1 200 tickets"; "—" where nothing is counted
}

// How much of the past a page shows.
const (
	faultsShown   = 40
	commandsShown = 20
)

// OutOfService reports whether staff have put the borne out of service.
func (v *borneView) OutOfService() bool { return v.State.App == link.AppOutOfService }

// Live reports whether the borne can be told anything.
func (v *borneView) Live() bool { return v.Revoked.IsZero() }

// Waiting says how many requests to be called back the borne has yet to hand over.
func (v *borneView) Waiting() string { return residentsText(statistics.Told(v.State.Waiting)) }

// May reports whether the visitor may do something.
func (v *borneView) May(p string) bool { return v.Visitor.may(people.Permission(p)) }

// More reports whether there is anything under "Plus".
func (v *borneView) More() bool {
	return v.May("borne.message") || v.May("borne.command") || v.May("borne.maintain") || v.May("borne.logs")
}

// Uptime is how long the machine has run, in a word.
func (v *borneView) Uptime() string { return lasting(time.Duration(v.State.Uptime) * time.Second) }

// Skewed says how wrong the borne's own clock is; "" when it is right enough.
func (v *borneView) Skewed() string {
	skew := time.Duration(v.State.Skew) * time.Second
	switch {
	case skew > 2*time.Second:
		return "avance de " + lasting(skew)
	case skew < -2*time.Second:
		return "retarde de " + lasting(-skew)
	}
	return ""
}

// lasting writes how long something takes, in one or two units.
func lasting(d time.Duration) string {
	two := func(a int, ua string, b int, ub string) string {
		text := number(a) + fixed + ua
		if b > 0 {
			text += " " + number(b) + fixed + ub
		}
		return text
	}
	s := int(d / time.Second)
	switch {
	case d < time.Minute:
		return number(s) + fixed + "s"
	case d < time.Hour:
		return two(s/60, "min", s%60, "s")
	case d < 24*time.Hour:
		return two(s/3600, "h", s%3600/60, "min")
	}
	return two(s/86400, "j", s%86400/3600, "h")
}

// borne reads what the page of one borne shows to a visitor.
func (c *Console) borne(ctx context.Context, id string, visitor *visitor) (*borneView, error) {
	b, err := c.Store.Borne(ctx, id)
	if err != nil {
		return nil, err
	}
	now := c.Now().In(c.Zone)
	v := &borneView{Borne: b, Visitor: visitor, Volumes: []int{1, 2, 3, 4, 5, 6, 7, 8}, MaxMessage: link.MaxMessage}
	for _, read := range []func(context.Context, *borneView, time.Time) error{
		c.readCondition, c.readFaults, c.readDevices, c.readVisits, c.readTrends, c.readCommands, c.readWanted,
	} {
		if err := read(ctx, v, now); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (c *Console) readCondition(ctx context.Context, v *borneView, now time.Time) error {
	h := store.Head{ID: v.ID, Revoked: v.Revoked}
	if v.Live() {
		heads, err := c.Store.Heads(ctx, v.ID)
		if err != nil {
			return err
		}
		if len(heads) == 1 { // otherwise it was revoked this moment
			h = heads[0]
		}
	}
	v.Condition = judge(h, now)
	return nil
}

func (c *Console) readFaults(ctx context.Context, v *borneView, now time.Time) error {
	spans, err := c.Store.Faults(ctx, v.ID, faultsShown)
	if err != nil {
		return err
	}
	if v.Live() {
		v.Faults = hubCards(v.Borne, now)
	}
	for _, f := range spans {
		device := v.deviceName(f.Device)
		if f.Ended.IsZero() {
			v.Faults = append(v.Faults, newCard(f.Fault, device, f.Began))
			continue
		}
		v.History = append(v.History, faultLine{title(f.Fault), device, f.Began, f.Ended, lasting(f.Ended.Sub(f.Began))})
	}
	return nil
}

// hubCards are the faults that no borne can tell of itself.
func hubCards(b store.Borne, now time.Time) []faultCard {
	var cards []faultCard
	for _, fault := range hubFaults(store.Head{Cloned: b.Cloned, Seen: b.Seen, CertEnds: b.CertEnds}, now) {
		began := map[string]time.Time{
			link.FaultClone: b.Cloned, link.FaultOffline: b.Seen, link.FaultCertificate: b.CertEnds.Add(-certificateSoon),
		}[fault]
		card := newCard(fault, "", began)
		if fault == link.FaultOffline && b.Seen.IsZero() {
			card.Title, card.Began = "Jamais vue", b.Enrolled
			card.Do = "La borne a reçu son certificat mais n’a encore rien dit. Vérifiez que son agent tourne et que son réseau laisse sortir vers le hub."
		}
		cards = append(cards, card)
	}
	return cards
}

func newCard(fault, device string, began time.Time) faultCard {
	i := link.Explain(fault)
	return faultCard{Title: title(fault), Do: i.Do, Device: device, Began: began, fault: fault,
		Critical: string(i.Severity) == critical, Clone: fault == link.FaultClone}
}

// deviceName names a device of a borne by what it is for.
func (v *borneView) deviceName(name string) string {
	if name == "" {
		return ""
	}
	for _, d := range v.State.Devices {
		if d.Name == name {
			return deviceKind(d) + " (" + name + ")"
		}
	}
	return name
}

// unknownSince stands for the beginning of time: no count is older.
const unknownSince = "2000-01-01"

func (c *Console) readDevices(ctx context.Context, v *borneView, now time.Time) error {
	days, err := c.Store.Counts(ctx, v.ID, "device", unknownSince, now.AddDate(0, 0, 1).Format(time.DateOnly))
	if err != nil {
		return err
	}
	totals := map[string]int{}
	for _, keys := range days {
		for key, n := range keys {
			totals[key] += n
		}
	}
	known := v.Live() && !v.Condition.Offline
	for _, d := range v.State.Devices {
		row := deviceRow{Kind: deviceKind(d), Name: d.Name, State: "?", Tone: "", Counter: counter(d, totals)}
		if d.Since > 0 {
			row.Since = time.Unix(d.Since, 0)
		}
		if known {
			row.State, row.Tone = deviceState(d)
		}
		v.Devices = append(v.Devices, row)
	}
	return nil
}

// counter says how much a device has done, as far as the hub was told: it does
// so for residents, and so the number is rounded as theirs are.
func counter(d link.Device, totals map[string]int) string {
	words := []struct{ key, many string }{{"pages", "pages"}, {"tickets", "tickets"}, {"reads", "lectures"}}
	if d.Kind == "ticket_printer" {
		words[0].many = "tickets"
	}
	for _, w := range words {
		if n, ok := totals["device."+d.Name+"."+w.key]; ok {
			return residentsText(statistics.Told(n)) + fixed + w.many
		}
	}
	return "—"
}

func (c *Console) readVisits(ctx context.Context, v *borneView, now time.Time) error {
	today := now.Format(time.DateOnly)
	days, err := c.Store.Counts(ctx, v.ID, "visit", today, today)
	if err != nil {
		return err
	}
	var hours [24]int
	for h := range hours {
		hours[h] = days[today][fmt.Sprintf("visit.h%02d", h)]
	}
	live := statistics.LiveOf(hours, now.Hour())
	v.Visits = newBars(live, now.Hour())
	if all := days[today]["visit"]; live.Visits > 0 && all > 0 {
		// In whole minutes: seconds would tell how long the last visit was.
		v.Visits.Average = lasting(max(time.Minute, (time.Duration(days[today]["visit.seconds"]/all) * time.Second).Round(time.Minute)))
	}
	return nil
}

func (c *Console) readTrends(ctx context.Context, v *borneView, now time.Time) error {
	samples, err := c.Store.Samples(ctx, v.ID, now.Add(-trendHours*time.Hour))
	v.Trends, v.TrendDays = newTrends(samples, v.Enrolled, now, c.Zone)
	return err
}

func (c *Console) bornePage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	b, err := c.borne(r.Context(), r.PathValue("id"), v)
	if err != nil {
		return err
	}
	return c.render(w, r, v, "borne", view{Title: b.Site.Name + " · " + b.ID, Data: b})
}

// borneSections are the parts of the page that change by themselves. Forms
// with something to type are not among them.
var borneSections = []string{"borne-state", "borne-main-actions", "borne-faults", "borne-devices", "borne-visits", "borne-visits-table",
	"borne-trends", "borne-trends-table", "borne-history", "borne-commands", "borne-parts", "borne-update", "borne-said", "borne-screen", "borne-identity"}

// borneTags are the sections within tables and lists.
var borneTags = map[string]string{"borne-devices": "tbody", "borne-parts": "tbody", "borne-visits-table": "tbody", "borne-trends-table": "table"}

func (c *Console) borneStream(w http.ResponseWriter, r *http.Request, v *visitor) error {
	id := r.PathValue("id")
	if _, err := c.Store.Borne(r.Context(), id); err != nil {
		return err
	}
	return c.stream(w, r, v, id, func(ctx context.Context) ([]section, error) {
		b, err := c.borne(ctx, id, v)
		if err != nil {
			return nil, err
		}
		sections, err := c.drawSections("borne", b, borneSections...)
		for i := range sections {
			sections[i].Tag = borneTags[sections[i].ID]
		}
		return sections, err
	})
}

// file reads what a command has brought, and says so in the audit log before
// anybody sees it.
func (c *Console) file(r *http.Request, v *visitor, kind link.CommandKind, action people.Action) (store.Borne, string, []byte, error) {
	ctx := r.Context()
	id, err := uuid.Parse(r.PathValue("command"))
	if err != nil {
		return store.Borne{}, "", nil, errNoPage
	}
	b, err := c.Store.Borne(ctx, r.PathValue("id"))
	if err != nil {
		return b, "", nil, err
	}
	fileType, data, err := c.Store.CommandFile(ctx, b.ID, id)
	if errors.Is(err, store.ErrNotFound) {
		err = refuse(http.StatusNotFound, "Ce fichier n’est plus là", "Les captures et les journaux ne sont gardés que peu de temps. Demandez-en un nouveau depuis la page de la borne.")
	}
	if err != nil {
		return b, "", nil, err
	}
	if is := strings.HasPrefix(fileType, "image/"); is != (kind == link.Screenshot) {
		return b, "", nil, errNoPage
	}
	return b, fileType, data, c.audit(r, v, people.Entry{Action: action, Borne: b.ID, Object: id.String()})
}

func (c *Console) screenshot(w http.ResponseWriter, r *http.Request, v *visitor) error {
	_, fileType, data, err := c.file(r, v, link.Screenshot, people.ScreenshotSeen)
	if err != nil {
		return err
	}
	if fileType != "image/png" && fileType != "image/jpeg" { // never what a borne makes up
		return errNoPage
	}
	w.Header().Set("Content-Type", fileType)
	if _, err := w.Write(data); err != nil {
		return errAnswered
	}
	return nil
}

// logsView is the page of a borne's log.
type logsView struct {
	store.Borne
	Command string
	Text    string
	Lines   int
}

func (c *Console) logsPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	b, _, data, err := c.file(r, v, link.FetchLogs, people.LogsRead)
	if err != nil {
		return err
	}
	text := strings.ToValidUTF8(string(data), "\uFFFD")
	l := logsView{Borne: b, Command: r.PathValue("command"), Text: text, Lines: strings.Count(text, "\n")}
	return c.render(w, r, v, "logs", view{Title: "Journaux de " + b.ID, Data: l})
}

func (c *Console) logsFile(w http.ResponseWriter, r *http.Request, v *visitor) error {
	b, _, data, err := c.file(r, v, link.FetchLogs, people.LogsRead)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="parvis-`+b.ID+`.txt"`)
	if _, err := w.Write(data); err != nil {
		return errAnswered
	}
	return nil
}
