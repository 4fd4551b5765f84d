package store_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"testing"
	"time"

	"github.com/google/uuid"

	"parvis/hub/store"
	"parvis/kiosk/link"
)

var ctx = context.Background()

// noon is when the tests begin.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func key(name string) []byte {
	sum := sha256.Sum256([]byte(name))
	return sum[:]
}

func certificate(serial string) store.Certificate {
	return store.Certificate{Serial: serial, Ends: noon.AddDate(0, 0, 14)}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// mustSite makes the site that most tests need.
func mustSite(t testing.TB, s *store.Store) store.Site {
	t.Helper()
	site := store.Site{ID: "neudorf", Name: "Mairie de Neudorf", Created: noon}
	must(t, s.PutSite(ctx, site))
	return site
}

// mustToken makes a token for a borne, whose secret's hash is key(name).
func mustToken(t testing.TB, s *store.Store, name, borne string) store.Token {
	t.Helper()
	token, err := s.CreateToken(ctx, store.Token{Hash: key(name), Site: store.Site{ID: "neudorf"}, Borne: borne,
		By: "anne", Created: noon, Expires: noon.Add(24 * time.Hour)})
	must(t, err)
	return token
}

// mustEnrol enrols bornes whose key is key(ID) and whose serial is "1-" and the ID.
func mustEnrol(t testing.TB, s *store.Store, bornes ...string) {
	t.Helper()
	mustSite(t, s)
	for _, borne := range bornes {
		mustToken(t, s, "token "+borne, borne)
		_, err := s.Enrol(ctx, key("token "+borne), key(borne), certificate("1-"+borne), noon)
		must(t, err)
	}
}

// run is the ID of an agent's run.
func run(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// report is one of a borne with its first certificate, made when it comes.
func report(borne string, n, seq uint64, at time.Time) store.Incoming {
	return store.Incoming{Borne: borne, Serial: "1-" + borne, Address: "192.0.2.7", At: at,
		Report: link.Report{Run: run(n), Seq: seq, At: at.UnixMilli(), Version: "1.4.0", Uptime: 3600,
			App: link.AppIdle, Disk: 61, Temp: 48, Load: 12}}
}

func mustPut(t testing.TB, s *store.Store, reports ...store.Incoming) []store.Taken {
	t.Helper()
	taken, err := s.PutReports(ctx, reports)
	must(t, err)
	if len(taken) != len(reports) {
		t.Fatalf("%d answers to %d reports", len(taken), len(reports))
	}
	return taken
}

func mustBorne(t testing.TB, s *store.Store, id string) store.Borne {
	t.Helper()
	b, err := s.Borne(ctx, id)
	must(t, err)
	return b
}

func newID(t testing.TB) uuid.UUID {
	t.Helper()
	id, err := uuid.NewV7()
	must(t, err)
	return id
}

// mustEnrolMany is mustEnrol for a fleet.
func mustEnrolMany(t testing.TB, s *store.Store, bornes []string) {
	t.Helper()
	must(t, store.EnrolMany(ctx, s, mustSite(t, s), bornes, noon))
}
