package api_test

import (
	"testing"
	"time"

	"parvis/kiosk/link"
)

// What a report and its answer take on the wire, TLS and HTTP/2 included, once
// a connection stands.
func TestBytesOnTheWire(t *testing.T) {
	t.Parallel()
	h := startHub(t, openSQLite(t))
	b := h.enrol("MN-01")
	b.listen(t.Context(), link.Wait)
	h.waitHeld(1)
	for range 3 {
		b.mustReport(h)
	}
	const n = 20
	up, down := h.listener.up.Load(), h.listener.down.Load()
	for range n {
		b.mustReport(h)
	}
	up, down = (h.listener.up.Load()-up)/n, (h.listener.down.Load()-down)/n
	t.Logf("a report: %d bytes up, %d down", up, down)
	if up > 400 {
		t.Errorf("a report takes %d bytes", up)
	}
	if down > 250 {
		t.Errorf("its answer takes %d bytes", down)
	}
}

// A report is answered soon after it came, with its commit in between.
func TestReportIsAnsweredSoon(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		b := h.enrol("MN-01")
		b.mustReport(h)
		began := time.Now()
		b.mustReport(h)
		if took := time.Since(began); took > time.Second {
			t.Errorf("answered after %v", took)
		}
	})
}
