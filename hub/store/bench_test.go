package store_test

import (
	"fmt"
	"testing"
	"time"

	"parvis/hub/clocktest"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
)

// fleetRate is how many reports a second 10,000 bornes send.
const fleetRate = 10_000.0 / 30

// BenchmarkPutReports stores the reports of 10,000 bornes in batches of what
// comes in a tenth of a second. µs/report is the time; cpu%/10k says how much of
// one core this program spends for the whole fleet, PostgreSQL's own not
// counted.
func BenchmarkPutReports(b *testing.B) {
	for name, fresh := range storetest.Databases() {
		b.Run(name, func(b *testing.B) {
			s := storetest.Open(b, fresh(b))
			bornes := fleet(b, s, 10_000)
			batch := make([]store.Incoming, 33)
			seq := 0
			before := clocktest.Processor(b)
			for b.Loop() {
				for i := range batch {
					n := seq % len(bornes)
					batch[i] = full(bornes[n], uint64(seq/len(bornes)+1), noon.Add(time.Duration(seq)*time.Second/333))
					seq++
				}
				if _, err := s.PutReports(ctx, batch); err != nil {
					b.Fatal(err)
				}
			}
			spent := clocktest.Processor(b) - before
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(seq), "µs/report")
			b.ReportMetric(100*spent.Seconds()/float64(seq)*fleetRate, "cpu%/10k")
		})
	}
}

func BenchmarkIdentity(b *testing.B) {
	for name, fresh := range storetest.Databases() {
		b.Run(name, func(b *testing.B) {
			s := storetest.Open(b, fresh(b))
			bornes := fleet(b, s, 10_000)
			n := 0
			for b.Loop() {
				if _, err := s.Identity(ctx, bornes[n*7919%len(bornes)]); err != nil {
					b.Fatal(err)
				}
				n++
			}
		})
	}
}

func BenchmarkBornes(b *testing.B) {
	for name, fresh := range storetest.Databases() {
		b.Run(name, func(b *testing.B) {
			s := storetest.Open(b, fresh(b))
			bornes := fleet(b, s, 10_000)
			var batch []store.Incoming
			for _, borne := range bornes {
				batch = append(batch, full(borne, 1, noon))
			}
			mustPut(b, s, batch...)
			for b.Loop() {
				if all, err := s.Bornes(ctx); err != nil || len(all) != len(bornes) {
					b.Fatal(len(all), err)
				}
			}
		})
	}
}

func fleet(b *testing.B, s *store.Store, n int) []string {
	b.Helper()
	var bornes []string
	for i := range n {
		bornes = append(bornes, fmt.Sprintf("MN-%05d", i))
	}
	mustEnrolMany(b, s, bornes)
	return bornes
}

// full is a report as a borne with four devices sends it; every twentieth has
// counts that have changed.
func full(borne string, seq uint64, at time.Time) store.Incoming {
	in := report(borne, 1, seq, at)
	in.Report.Devices = []link.Device{
		{Name: "imprimante", Kind: "ticket_printer", State: "online", Paper: "full", Since: noon.Unix()},
		{Name: "a4", Kind: "office_printer", State: "online", Paper: "low", Since: noon.Unix()},
		{Name: "lecteur", Kind: "card_reader", State: "online", Since: noon.Unix()},
		{Name: "son", Kind: "sound", State: "online", Since: noon.Unix()},
	}
	if seq%20 == 0 {
		in.Report.Counts = map[string]map[string]int{"2026-11-21": {"visit": int(seq), "visit.h12": int(seq), "leaving.yes": int(seq)}}
	}
	return in
}
