package console_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"parvis/hub/clocktest"
	"parvis/hub/console"
	"parvis/hub/console/browsertest"
	"parvis/hub/people"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
)

var ctx = context.Background()

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// morning is when the tests begin: 10 h 42 in Paris, a Saturday.
var morning = time.Date(2026, 11, 21, 9, 42, 0, 0, time.UTC)

// fleetHub is a hub with a fleet.
type fleetHub struct {
	*browsertest.Console
	t     testing.TB
	clock *clocktest.Clock
	store *store.Store
	runs  map[string]uint64 // reports sent by each borne
}

// newFleetHub is one hub over an SQLite file.
func newFleetHub(t testing.TB) *fleetHub {
	t.Helper()
	return fleetHubOver(t, storetest.Open(t, storetest.SQLite(t)), clocktest.At(morning))
}

// fleetHubOver is a hub over a store; several over one database are several hubs.
func fleetHubOver(t testing.TB, s *store.Store, clock *clocktest.Clock) *fleetHub {
	t.Helper()
	fingerprint := sha256.Sum256([]byte("authority"))
	c := browsertest.StartOver(t, s, func(o *console.Options) {
		o.Now, o.BornesURL, o.Fingerprint, o.Names = clock.Now, "parvis.strasbourg.eu:443", fingerprint[:], cityNames
	})
	t.Cleanup(func() {
		if strings.Contains(c.Logs.String(), "level=ERROR") {
			t.Errorf("the console has logged errors:\n%s", c.Logs)
		}
	})
	return &fleetHub{Console: c, t: t, clock: clock, store: s, runs: map[string]uint64{}}
}

// visit is somebody who is signed in.
type visit struct {
	people.Person
	hub    *fleetHub
	client *http.Client
}

// as signs somebody of a role in.
func (h *fleetHub) as(role people.Role) *visit {
	h.t.Helper()
	return &visit{h.Person(role), h, h.SignedIn(role)}
}

func (v *visit) get(path string) (int, string) { return v.hub.Get(v.client, path) }

func (v *visit) post(path string, form url.Values) (int, string) {
	return v.hub.Post(v.client, path, form)
}

// file asks for something that isn't a page.
func (v *visit) file(path string) (int, string, http.Header) {
	v.hub.t.Helper()
	answer, err := v.client.Get(v.hub.URL + path)
	must(v.hub.t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	must(v.hub.t, err)
	return answer.StatusCode, string(body), answer.Header
}

// enrol puts a borne into service a month ago, with a certificate for two weeks
// from now.
func (h *fleetHub) enrol(place, id string) {
	h.t.Helper()
	now := h.clock.Now()
	then := now.AddDate(0, -1, 0)
	site := store.Site{ID: "site-" + sha256Hex([]byte(place))[:12], Name: place, Created: then}
	must(h.t, h.store.PutSite(ctx, site))
	secret, key := sha256.Sum256([]byte("token "+id)), sha256.Sum256([]byte("key "+id))
	_, err := h.store.CreateToken(ctx, store.Token{Hash: secret[:], Site: site, Borne: id, By: "parvis-hub", Created: then, Expires: then.Add(time.Hour)})
	must(h.t, err)
	_, err = h.store.Enrol(ctx, secret[:], key[:], store.Certificate{Serial: "1-" + id, Ends: now.AddDate(0, 0, 14)}, then)
	must(h.t, err)
}

// report has a borne report that it is fine, but for what change says.
func (h *fleetHub) report(id string, change ...func(*link.Report)) {
	h.t.Helper()
	must(h.t, h.tryReport(id, change...))
}

func (h *fleetHub) tryReport(id string, change ...func(*link.Report)) error {
	now := h.clock.Now()
	h.runs[id]++
	r := link.Report{Run: binary.BigEndian.AppendUint64(nil, 7), Seq: h.runs[id], At: now.UnixMilli(), Version: "1.4.0", Content: "2026-11",
		Uptime: 3*86400 + 4*3600, App: link.AppIdle, Disk: 61, Temp: 48, Load: 12,
		Devices: []link.Device{
			{Name: "imprimante", Kind: "ticket_printer", State: "online", Paper: "full", Since: now.Add(-50 * time.Hour).Unix()},
			{Name: "a4", Kind: "office_printer", State: "online", Since: now.Add(-50 * time.Hour).Unix()},
			{Name: "lecteur", Kind: "card_reader", State: "online", Since: now.Add(-50 * time.Hour).Unix()},
		}}
	for _, c := range change {
		c(&r)
	}
	taken, err := h.store.PutReports(ctx, []store.Incoming{{Borne: id, Serial: "1-" + id, Address: "10.67.4.21", At: now, Report: r}})
	if err == nil && taken[0].Refused {
		err = errors.New("the report was refused")
	}
	return err
}

// The changes that tests make to reports.
func lowPaper(r *link.Report) {
	r.Devices[0].Paper, r.Devices[0].Fault = "low", "paper_ends"
	r.Devices[0].Since = r.At/1000 - 89*60
}

func noPaper(r *link.Report) {
	r.Devices[0].Paper, r.Devices[0].Fault, r.Devices[0].State = "out", "no_paper", "user_error"
	r.Devices[0].Since = r.At/1000 - 60
}

func application(s link.AppState) func(*link.Report) { return func(r *link.Report) { r.App = s } }

func counts(day string, n map[string]int) func(*link.Report) {
	return func(r *link.Report) { r.Counts = map[string]map[string]int{day: n} }
}

// visits are those of a morning, by hour from 8 h on.
func visits(n ...int) func(*link.Report) {
	all, keys := 0, map[string]int{}
	for i, v := range n {
		keys[fmt.Sprintf("visit.h%02d", 8+i)] = v
		all += v
	}
	keys["visit"], keys["visit.seconds"] = all, all*250
	return counts("2026-11-21", keys)
}

// end notes what became of the newest command of a borne, as the borne would.
func (h *fleetHub) end(id string, o link.Outcome) uuid.UUID {
	h.t.Helper()
	commands, err := h.store.TakeCommands(ctx, id, h.clock.Now())
	must(h.t, err)
	if len(commands) == 0 {
		h.t.Fatalf("no command waits for %s", id)
	}
	last := commands[len(commands)-1].ID
	must(h.t, h.store.EndCommand(ctx, id, last, o, h.clock.Now()))
	return last
}

// picture is a screen's, in the borne's colours.
func picture(t testing.TB) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 270, 480))
	fill := func(x0, y0, x1, y1 int, c color.RGBA) {
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				m.SetRGBA(x, y, c)
			}
		}
	}
	fill(0, 0, 270, 480, color.RGBA{0xfb, 0xf7, 0xf0, 255})
	fill(0, 0, 270, 38, color.RGBA{0x14, 0x23, 0x3a, 255})
	fill(14, 110, 130, 240, color.RGBA{0x0b, 0x55, 0x63, 255})
	fill(140, 110, 256, 240, color.RGBA{0x5b, 0x2a, 0x6e, 255})
	fill(14, 250, 130, 360, color.RGBA{0xa6, 0x3a, 0x14, 255})
	fill(140, 250, 256, 360, color.RGBA{0x2c, 0x5f, 0x2d, 255})
	var b bytes.Buffer
	must(t, png.Encode(&b, m))
	return b.Bytes()
}

// cityFleet is the fleet of the design: six bornes, each in another state.
func (h *fleetHub) cityFleet() {
	h.t.Helper()
	for _, b := range [][2]string{
		{"Mairie de Neudorf", "MN-01"}, {"Centre administratif", "CA-01"}, {"Mairie de la Meinau", "MM-01"},
		{"Médiathèque Malraux", "ML-02"}, {"Mairie de Cronenbourg", "MC-01"}, {"Maison France services Port du Rhin", "PR-01"},
	} {
		if _, err := h.store.Borne(ctx, b[1]); err != nil {
			h.enrol(b[0], b[1])
		}
	}
	h.clock.Add(-2 * time.Hour)
	h.report("MC-01", visits(3, 4))
	h.clock.Add(2*time.Hour - 20*time.Second)
	h.report("PR-01", visits(1, 2, 2))
	must(h.t, h.store.PutCommand(ctx, store.Command{Command: link.Command{ID: uuid.Must(uuid.NewV7()), Kind: link.Update, Expires: h.clock.Now().Add(time.Hour).UnixMilli()}, Borne: "PR-01", By: "parvis-hub", Created: h.clock.Now()}))
	h.clock.Add(9 * time.Second)
	h.report("MM-01", lowPaper, visits(6, 18, 9), func(r *link.Report) {
		for key, n := range map[string]int{"device.imprimante.pages": 1204, "device.a4.pages": 312, "device.lecteur.reads": 87} {
			r.Counts["2026-11-21"][key] = n
		}
	})
	h.clock.Add(3 * time.Second)
	h.report("MN-01", visits(2, 5, 9))
	h.clock.Add(2 * time.Second)
	h.report("ML-02", visits(1, 1, 3), func(r *link.Report) { r.Devices = r.Devices[:1] })
	h.clock.Add(2 * time.Second)
	h.report("CA-01", visits(9, 12, 4))
	h.clock.Add(4 * time.Second)
}

func sha256Hex(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data)) }

// stream reads the first events of a stream.
func (v *visit) stream(path string, events int) string {
	v.hub.t.Helper()
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(limited, "GET", v.hub.URL+path, nil)
	must(v.hub.t, err)
	answer, err := v.client.Do(r)
	must(v.hub.t, err)
	defer answer.Body.Close()
	if kind := answer.Header.Get("Content-Type"); kind != "text/event-stream" {
		v.hub.t.Fatalf("%s: %d %s", path, answer.StatusCode, kind)
	}
	var b strings.Builder
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		b.WriteString(lines.Text() + "\n")
		if lines.Text() == "" && strings.Contains(b.String(), "data:") {
			if events--; events == 0 {
				return b.String()
			}
		}
	}
	v.hub.t.Fatalf("%s ended: %v", path, lines.Err())
	return ""
}

// pastWeek has a borne report twice a minute over the last week, but for one
// night. It comes before all else that the borne reports.
func (h *fleetHub) pastWeek(id string) {
	h.t.Helper()
	now := h.clock.Now()
	var reports []store.Incoming
	for at := now.AddDate(0, 0, -7); at.Before(now.Add(-time.Minute)); at = at.Add(link.Every) {
		if ago := now.Sub(at); ago > 60*time.Hour && ago < 70*time.Hour {
			continue
		}
		h.runs[id]++
		r := link.Report{Run: binary.BigEndian.AppendUint64(nil, 7), Seq: h.runs[id], At: at.UnixMilli(), Version: "1.4.0", App: link.AppIdle,
			Disk: 58 + at.Day()%3, Temp: 38 + at.Hour()/2, Load: 4 + at.Hour()%5}
		if at.Hour() >= 8 && at.Hour() < 17 {
			r.Load += 20 + at.Hour()*7%23
		}
		reports = append(reports, store.Incoming{Borne: id, Serial: "1-" + id, Address: "10.67.4.21", At: at, Report: r})
	}
	for some := range slices.Chunk(reports, 4000) {
		_, err := h.store.PutReports(ctx, some)
		must(h.t, err)
	}
}
