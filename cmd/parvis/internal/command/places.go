package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"parvis/kiosk/hours"
	"parvis/kiosk/place"
	"parvis/kiosk/store"
)

// Places holds the commands about the directory of places.
type Places struct {
	Import PlacesImport `cmd:"" help:"Importe un fichier du schéma national des lieux (CSV ou JSON, v1 ou v0)."`
	Search PlacesSearch `cmd:"" help:"Cherche des lieux, comme la borne le fait pour un habitant."`
}

// PlacesImport reads a file into the directory.
type PlacesImport struct {
	File   string `arg:"" help:"Fichier à importer."`
	Data   string `required:"" placeholder:"DIR" help:"Dossier de la borne."`
	JSON   bool   `name:"json" help:"Rend le bilan en JSON."`
	Strict bool   `help:"Finit avec le code 1 si une fiche est refusée."`
}

// Run imports the file and tells each fault on stderr.
func (c *PlacesImport) Run(rt *Runtime) error {
	f, err := os.Open(c.File)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s : fichier introuvable", c.File)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	s, err := store.Open(c.Data)
	if err != nil {
		return err
	}
	defer s.Close()
	d, err := place.Open(rt.Ctx, s.DB(), hours.Metropole)
	if err != nil {
		return err
	}
	report, err := d.Import(rt.Ctx, f, c.File, func(r place.Rejection) { fmt.Fprintln(rt.Stderr, r) })
	if err != nil {
		return err
	}
	if c.JSON {
		err = rt.WriteJSON(report)
	} else {
		_, err = fmt.Fprintf(rt.Stdout, "%d fiches lues : %d importées (dont %d modifiées), %d refusées ; %d lieux disparus de leur source retirés.\n",
			report.Read, report.Imported, report.Updated, report.Rejected, report.Removed)
	}
	if err == nil && c.Strict && report.Rejected > 0 {
		return ExitError(1)
	}
	return err
}

// PlacesSearch searches the directory.
type PlacesSearch struct {
	Data string `required:"" placeholder:"DIR" help:"Dossier de la borne."`

	Near string `placeholder:"LAT,LON" help:"Point de départ, en degrés : 48.5734,7.7521. Écrivez --near=-20.88,55.45 si la latitude est négative."`
	Text string `help:"Mots cherchés."`

	Service   []string `sep:"none" help:"Service proposé (à répéter pour en admettre plusieurs)."`
	Audience  []string `sep:"none" help:"Public spécifiquement adressé."`
	Care      []string `sep:"none" help:"Prise en charge spécifique."`
	Fee       []string `sep:"none" help:"Frais à charge."`
	Programme []string `sep:"none" help:"Dispositif ou programme national."`
	Support   []string `sep:"none" help:"Modalité d’accompagnement."`
	Access    []string `sep:"none" help:"Modalité d’accès."`

	Computers  bool `help:"Ordinateurs à disposition."`
	WiFi       bool `name:"wifi" help:"Wi-Fi."`
	Mediator   bool `help:"Une personne accompagne."`
	Accessible bool `help:"Accessible en fauteuil roulant."`
	Free       bool `help:"Gratuit sans condition."`
	Booking    bool `help:"Rendez-vous en ligne."`
	Weekend    bool `help:"Ouvert le samedi ou le dimanche."`

	Open   bool      `help:"Seulement les lieux ouverts (maintenant, ou à --at)."`
	At     time.Time `format:"2006-01-02T15:04:05Z07:00" placeholder:"RFC3339" help:"Moment considéré, par exemple 2026-11-02T10:00:00+01:00."`
	Sort   string    `enum:"walk,opening" default:"walk" help:"Ordre : walk (temps de marche) ou opening (prochaine ouverture)."`
	Region string    `default:"metropole" help:"Région des jours fériés : metropole, alsace-moselle …"`
	Limit  int       `default:"20" help:"Nombre de lieux."`
	Offset int       `help:"Nombre de lieux à sauter."`
	JSON   bool      `name:"json" help:"Un objet JSON par ligne et par lieu."`
}

// hitLine is a hit as JSON. What is unknown is left out.
type hitLine struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Address  string   `json:"address"` // with postcode and city
	City     string   `json:"city"`
	Lat      *float64 `json:"lat,omitempty"`
	Lon      *float64 `json:"lon,omitempty"`
	Distance *int     `json:"distance_m,omitempty"` // in a straight line
	Walk     *int     `json:"walk_min,omitempty"`
	State    string   `json:"state"` // open, opens_later, closed, unknown
	Opens    string   `json:"opens,omitempty"`
	Closes   string   `json:"closes,omitempty"`
	Holiday  string   `json:"holiday,omitempty"`
	Hours    string   `json:"hours,omitempty"`
	Phone    string   `json:"phone,omitempty"`
	Services []string `json:"services,omitempty"`
	Source   string   `json:"source,omitempty"`
	Updated  string   `json:"updated"`
	Stale    bool     `json:"stale"` // over one year old
}

// Run prints the hits, nearest first.
func (c *PlacesSearch) Run(rt *Runtime) error {
	q, err := c.query(rt.Now())
	if err != nil {
		return err
	}
	region, err := hours.ParseRegion(c.Region)
	if err != nil {
		return fmt.Errorf("--region : %w", err)
	}
	// Opening would make a new database in a folder given by mistake.
	if _, err := os.Stat(filepath.Join(c.Data, store.FileName)); errors.Is(err, fs.ErrNotExist) {
		return notABorne(c.Data)
	}
	s, err := store.Open(c.Data)
	if err != nil {
		return err
	}
	defer s.Close()
	d, err := place.Open(rt.Ctx, s.DB(), region)
	if err != nil {
		return err
	}
	result, err := d.Search(rt.Ctx, q)
	if err != nil {
		return err
	}
	if result.Corrected != "" {
		fmt.Fprintf(rt.Stderr, "Recherché : « %s »\n", result.Corrected)
	}
	if !c.JSON {
		return printHits(rt, result, q)
	}
	for _, h := range result.Hits {
		if err := rt.WriteJSON(newHitLine(h)); err != nil {
			return err
		}
	}
	return nil
}

func (c *PlacesSearch) query(now time.Time) (place.Query, error) {
	if !c.At.IsZero() {
		now = c.At
	}
	if c.Limit < 1 || c.Offset < 0 {
		return place.Query{}, errors.New("--limit doit valoir au moins 1, et --offset au moins 0")
	}
	q := place.Query{Text: c.Text, Services: c.Service, Audiences: c.Audience, SpecificCare: c.Care, Fees: c.Fee, Programmes: c.Programme,
		SupportModes: c.Support, AccessModes: c.Access, Computers: c.Computers, WiFi: c.WiFi, Mediator: c.Mediator, Accessible: c.Accessible,
		Free: c.Free, Booking: c.Booking, Weekend: c.Weekend, Now: now, Limit: c.Limit, Offset: c.Offset}
	if c.Open {
		q.OpenAt = now
	}
	if c.Sort == "opening" {
		q.Sort = place.ByOpening
	}
	if c.Near != "" {
		p, err := parsePoint(c.Near)
		if err != nil {
			return q, err
		}
		q.Near = &p
	}
	return q, nil
}

func parsePoint(s string) (place.Point, error) {
	a, b, _ := strings.Cut(s, ",")
	lat, errLat := strconv.ParseFloat(strings.TrimSpace(a), 64)
	lon, errLon := strconv.ParseFloat(strings.TrimSpace(b), 64)
	// Written so that NaN fails too.
	if errLat != nil || errLon != nil || !(lat >= -90 && lat <= 90) || !(lon >= -180 && lon <= 180) {
		return place.Point{}, fmt.Errorf("--near : « %s » n’est pas un point LAT,LON, par exemple 48.5734,7.7521", s)
	}
	return place.Point{Lat: lat, Lon: lon}, nil
}

func newHitLine(h place.Hit) hitLine {
	line := hitLine{ID: h.ID, Name: h.Name, Address: fmt.Sprintf("%s, %s %s", h.Address, h.Postcode, h.City), City: h.City,
		State: "unknown", Holiday: h.State.Holiday, Hours: h.Hours, Phone: h.Phone, Services: h.Services, Source: h.Source,
		Updated: h.Updated.Format(time.DateOnly), Stale: h.Stale}
	if h.Position != nil {
		line.Lat, line.Lon = &h.Position.Lat, &h.Position.Lon
	}
	if h.Walk > 0 {
		metres, minutes := int(h.Metres+0.5), int(h.Walk.Minutes())
		line.Distance, line.Walk = &metres, &minutes
	}
	change := ""
	if !h.State.Change.IsZero() {
		change = h.State.Change.Format(time.RFC3339)
	}
	switch h.State.Kind {
	case hours.Open:
		line.State, line.Closes = "open", change
	case hours.OpensLater:
		line.State, line.Opens = "opens_later", change
	case hours.Closed:
		line.State = "closed"
	}
	return line
}

func printHits(rt *Runtime, r place.Result, q place.Query) error {
	if r.Total == 0 {
		_, err := fmt.Fprintln(rt.Stdout, "Aucun lieu ne correspond.")
		return err
	}
	fmt.Fprintf(rt.Stdout, "%d lieux trouvés, %d affichés.\n", r.Total, len(r.Hits))
	for i, h := range r.Hits {
		fmt.Fprintf(rt.Stdout, "\n%d. %s\n   %s, %s %s\n", q.Offset+i+1, h.Name, h.Address, h.Postcode, h.City)
		if h.Walk > 0 {
			fmt.Fprintf(rt.Stdout, "   à %.0f m, %d min à pied\n", h.Metres, int(h.Walk.Minutes()))
		}
		fmt.Fprintf(rt.Stdout, "   %s\n", stateWords(h, q.Now))
		if h.Stale {
			fmt.Fprintf(rt.Stdout, "   Fiche du %s : à vérifier avant de se déplacer.\n", h.Updated.Format("02/01/2006"))
		}
	}
	return nil
}

var weekdays = [7]string{"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"}

// stateWords says in French how a place stands.
func stateWords(h place.Hit, now time.Time) string {
	s := h.State
	closed := "Fermé"
	if s.Holiday != "" {
		closed = "Fermé pour le jour férié (" + s.Holiday + ")"
	}
	switch {
	case s.Kind == hours.Unknown && h.Hours != "":
		return "Horaires tels qu’écrits : " + h.Hours
	case s.Kind == hours.Unknown:
		return "Horaires inconnus"
	case s.Kind == hours.Closed:
		return closed
	case s.Change.IsZero():
		return "Ouvert jour et nuit"
	}
	when := clockWords(s.Change)
	today := now.In(hours.Paris)
	switch days := daysBetween(today, s.Change); {
	case s.Kind == hours.Open && days == 0:
		return "Ouvert jusqu’à " + when
	case s.Kind == hours.Open:
		return "Ouvert jusqu’à " + weekdays[s.Change.Weekday()] + " " + when
	case days == 0:
		return closed + ", ouvre à " + when
	case days == 1:
		return closed + ", ouvre demain à " + when
	case days < 7:
		return closed + ", ouvre " + weekdays[s.Change.Weekday()] + " à " + when
	}
	return closed + ", ouvre le " + s.Change.Format("02/01/2006") + " à " + when
}

func daysBetween(a, b time.Time) int {
	day := func(t time.Time) time.Time {
		y, m, d := t.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	return int(day(b).Sub(day(a)) / (24 * time.Hour))
}

// clockWords writes 14:30 as "14 h 30" and 9:00 as "9 h".
func clockWords(t time.Time) string {
	if t.Minute() == 0 {
		return fmt.Sprintf("%d h", t.Hour())
	}
	return fmt.Sprintf("%d h %02d", t.Hour(), t.Minute())
}
