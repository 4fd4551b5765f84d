package console_test

import (
	"database/sql"
	"encoding/binary"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"parvis/hub/clocktest"
	"parvis/hub/people"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
)

const (
	largeFleet = 10_000
	// pageWithin is how long a processor may work for a page of a large fleet.
	pageWithin = 150 * time.Millisecond
)

// largeHub is a hub over SQLite with a fleet of ten thousand in two thousand
// places, all of which have reported, one in a hundred with a fault.
func largeHub(t testing.TB) *fleetHub {
	t.Helper()
	path := storetest.SQLite(t)
	h := fleetHubOver(t, storetest.Open(t, path), clocktest.At(morning))
	// Enrolment itself is tested elsewhere; one by one it would take a minute.
	db, err := sql.Open("sqlite3", "file:"+path+"?_busy_timeout=10000")
	must(t, err)
	defer db.Close()
	for _, statement := range []string{
		`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i < 1999)
			INSERT INTO site (id, name, created) SELECT 'site-' || i, 'Mairie de Commune ' || printf('%04d', i), 1 FROM n`,
		`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i < 9999)
			INSERT INTO borne (id, site, enrolled, revoked, key_hash, serial, serials, cert_ends, cloned)
			SELECT 'MC-' || printf('%05d', i), 'site-' || (i / 5), 1, 0, randomblob(32), '1-' || i, '1-' || i, 4102444800000, 0 FROM n`,
	} {
		_, err := db.Exec(statement)
		must(t, err)
	}
	hours := map[string]int{}
	for hour := range 11 {
		hours[fmt.Sprintf("visit.h%02d", hour)] = hour
	}
	var reports []store.Incoming
	for i := range largeFleet {
		in := h.incoming(i, 1)
		in.Report.Counts = map[string]map[string]int{"2026-11-21": hours}
		reports = append(reports, in)
	}
	for some := range slices.Chunk(reports, 512) {
		_, err := h.store.PutReports(ctx, some)
		must(t, err)
	}
	return h
}

func (h *fleetHub) incoming(i, seq int) store.Incoming {
	now := h.clock.Now()
	r := link.Report{Run: binary.BigEndian.AppendUint64(nil, uint64(i)), Seq: uint64(seq), At: now.UnixMilli(), Version: "1.4.0", Content: "2026-11",
		Uptime: 86400, App: link.AppIdle, Disk: 61, Temp: 48, Load: 12,
		Devices: []link.Device{
			{Name: "imprimante", Kind: "ticket_printer", State: "online", Paper: "full", Since: 1795000000},
			{Name: "lecteur", Kind: "card_reader", State: "online", Since: 1795000000},
		}}
	if i%100 == 0 {
		r.Devices[0].Paper, r.Devices[0].Fault, r.Devices[0].State = "out", "no_paper", "user_error"
	}
	return store.Incoming{Borne: fmt.Sprintf("MC-%05d", i), Serial: fmt.Sprintf("1-%d", i), Address: "10.0.0.1", At: now, Report: r}
}

func TestLargeFleet(t *testing.T) {
	h := largeHub(t)
	reader := h.as(people.IT)
	for _, path := range []string{"/", "/?page=150", "/?tri=etat&liste=a-voir", "/?q=commune+1234", "/alertes", "/mise-en-service?page=3", "/bornes/MC-04321"} {
		var took, worked []time.Duration
		for range 9 {
			began, before := time.Now(), clocktest.Processor(t)
			if status, body := reader.get(path); status != http.StatusOK {
				t.Fatalf("%s: %d %s", path, status, plain(body))
			}
			took, worked = append(took, time.Since(began)), append(worked, clocktest.Processor(t)-before)
		}
		slices.Sort(took)
		slices.Sort(worked)
		t.Logf("%s: median %v, from %v to %v; work %v", path, took[4].Round(100*time.Microsecond), took[0].Round(100*time.Microsecond), took[8].Round(100*time.Microsecond), worked[0].Round(100*time.Microsecond))
		// The least of nine: garbage of others is collected amid some.
		if worked[0] > pageWithin && !raceDetector {
			t.Errorf("%s asks %v of a processor at best, over %v", path, worked[0], pageWithin)
		}
	}
}
