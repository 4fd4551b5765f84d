package link_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"parvis/device"
	"parvis/kiosk/link"
)

// mostBytes is what a report may weigh on the wire, TLS included.
const mostBytes = 400

// fullReport is a report of a borne with four devices, one of them at fault,
// of which three counts have changed.
func fullReport(seq uint64) link.Report {
	since := time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC).Unix()
	return link.Report{
		Run: []byte{0x9c, 0x01, 0xd3, 0x5e, 0x77, 0xa2, 0x48, 0x1b}, Seq: seq, At: time.Now().UnixMilli(),
		Version: "1.4.0", Content: "2026-11-20", Profile: "9c01d35e77a2", Tag: "77a2481b", Uptime: 186400 + int64(seq)*30, App: link.AppIdle,
		Devices: []link.Device{
			{Name: "imprimante", Kind: device.TicketPrinter, State: device.Online, Paper: device.PaperFull, Since: since},
			{Name: "bureau", Kind: device.OfficePrinter, State: device.UserError, Paper: device.PaperOut, Fault: device.NoPaper, Since: since + 4211},
			{Name: "lecteur-1", Kind: device.CardReader, State: device.Online, Since: since + 17},
			{Name: "son", Kind: device.Sound, State: device.Online, Since: since + 18},
		},
		Disk: 62, Temp: 48, Load: 12,
		Counts: map[string]map[string]int{"2026-11-21": {"visit": 34, "visit.h10": 12, "device.imprimante.pages": 15}},
	}
}

// BenchmarkReport measures a report and its answer on a connection that stands.
func BenchmarkReport(b *testing.B) {
	s := serve(b, link.Inflate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var report link.Report
		data, err := io.ReadAll(io.LimitReader(r.Body, link.MaxBody))
		if err == nil {
			err = link.Decode(data, &report)
		}
		if err != nil || len(report.Devices) != 4 {
			http.Error(w, "no report", http.StatusBadRequest)
			return
		}
		answer, err := link.Encode(link.ReportAnswer{Now: time.Now().UnixMilli(), Tag: "77a2481b"})
		if err != nil {
			b.Error(err)
		}
		w.Header().Set("Content-Type", link.MediaCBOR)
		w.Write(answer)
	})))
	c := s.client(b)
	for seq := range uint64(5) { // the connection is made, its tables are filled
		if _, err := c.Report(b.Context(), fullReport(seq)); err != nil {
			b.Fatal(err)
		}
	}
	up, down, n := s.up.Load(), s.down.Load(), uint64(0)
	for b.Loop() {
		n++
		if _, err := c.Report(b.Context(), fullReport(n)); err != nil {
			b.Fatal(err)
		}
	}
	perUp, perDown := float64(s.up.Load()-up)/float64(n), float64(s.down.Load()-down)/float64(n)
	b.ReportMetric(perUp, "up-B/report")
	b.ReportMetric(perDown, "down-B/report")
	if perUp > mostBytes {
		b.Errorf("a report weighs %.0f bytes on the wire, more than %d", perUp, mostBytes)
	}
	if made := s.made.Load(); made != 1 {
		b.Errorf("%d connections, not one", made)
	}
}
