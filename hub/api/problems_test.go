package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"parvis/hub/api"
	"parvis/kiosk/link"
)

// encodings are the two that every message has.
var encodings = map[string]struct {
	media, problem string
	marshal        func(any) ([]byte, error)
	unmarshal      func([]byte, any) error
}{
	"cbor": {link.MediaCBOR, link.MediaProblemCBOR, link.Encode, link.Decode},
	"json": {"application/json", link.MediaProblemJSON, json.Marshal, json.Unmarshal},
}

// Every report that makes no sense is refused by the name of its field, in the
// encoding it came in, and leaves nothing behind.
func TestAbsurdReports(t *testing.T) {
	t.Parallel()
	many := func(n int) map[string]int {
		counts := make(map[string]int)
		for i := range n {
			counts["key-"+strconv.Itoa(i)] = 1
		}
		return counts
	}
	now := time.Now().UTC()
	day := func(days int) string { return now.AddDate(0, 0, days).Format(time.DateOnly) }
	counts := func(day, key string, n int) func(*link.Report) {
		return func(r *link.Report) { r.Counts = map[string]map[string]int{day: {key: n}} }
	}
	device := func(change func(*link.Device)) func(*link.Report) {
		return func(r *link.Report) { change(&r.Devices[0]) }
	}
	tests := []struct {
		name   string
		change func(r *link.Report)
		kind   string
		says   string
	}{
		{"run too short", func(r *link.Report) { r.Run = r.Run[:7] }, link.ProblemInvalid, "run"},
		{"run too long", func(r *link.Report) { r.Run = make([]byte, 9) }, link.ProblemInvalid, "run"},
		{"no run", func(r *link.Report) { r.Run = nil }, link.ProblemInvalid, "run"},
		{"seq 0", func(r *link.Report) { r.Seq = 0 }, link.ProblemInvalid, "seq"},
		{"seq beyond all time", func(r *link.Report) { r.Seq = 1 << 63 }, link.ProblemInvalid, "seq"},
		{"no version", func(r *link.Report) { r.Version = "" }, link.ProblemInvalid, "ver"},
		{"long version", func(r *link.Report) { r.Version = strings.Repeat("é", 65) }, link.ProblemInvalid, "ver"},
		{"version of two lines", func(r *link.Report) { r.Version = "1\n2" }, link.ProblemInvalid, "ver"},
		{"content with a bell", func(r *link.Report) { r.Content = "\a" }, link.ProblemInvalid, "content"},
		{"negative uptime", func(r *link.Report) { r.Uptime = -1 }, link.ProblemInvalid, "up"},
		{"shouting app", func(r *link.Report) { r.App = "SERVING" }, link.ProblemInvalid, "app"},
		{"disk over 100", func(r *link.Report) { r.Disk = 101 }, link.ProblemInvalid, "disk"},
		{"negative load", func(r *link.Report) { r.Load = -1 }, link.ProblemInvalid, "load"},
		{"melting", func(r *link.Report) { r.Temp = 1000 }, link.ProblemInvalid, "temp"},
		{"skew", func(r *link.Report) { r.Skew = 1 << 50 }, link.ProblemInvalid, "skew"},
		{"negative waiting", func(r *link.Report) { r.Waiting = -1 }, link.ProblemInvalid, "wait"},
		{"33 devices", func(r *link.Report) {
			r.Devices = nil
			for i := range 33 {
				r.Devices = append(r.Devices, link.Device{Name: fmt.Sprint("d", i), Kind: "card_reader"})
			}
		}, link.ProblemInvalid, "dev"},
		{"device named twice", func(r *link.Report) { r.Devices[1].Name = r.Devices[0].Name }, link.ProblemInvalid, "dev[1].n"},
		{"device without a name", device(func(d *link.Device) { d.Name = "" }), link.ProblemInvalid, "dev[0].n"},
		{"device with a person's name", device(func(d *link.Device) { d.Name = "Jeanne Martin" }), link.ProblemInvalid, "dev[0].n"},
		{"device with a long name", device(func(d *link.Device) { d.Name = strings.Repeat("a", 81) }), link.ProblemInvalid, "dev[0].n"},
		{"device without a kind", device(func(d *link.Device) { d.Kind = "" }), link.ProblemInvalid, "dev[0].k"},
		{"device's state", device(func(d *link.Device) { d.State = "on fire" }), link.ProblemInvalid, "dev[0].s"},
		{"device's paper", device(func(d *link.Device) { d.Paper = "<b>" }), link.ProblemInvalid, "dev[0].p"},
		{"device's fault", device(func(d *link.Device) { d.Fault = "-x" }), link.ProblemInvalid, "dev[0].f"},
		{"device's time", device(func(d *link.Device) { d.Since = 1 << 60 }), link.ProblemInvalid, "dev[0].t"},
		{"33 faults", func(r *link.Report) {
			for i := range 33 {
				r.Faults = append(r.Faults, link.Fault{Fault: fmt.Sprint("f", i)})
			}
		}, link.ProblemInvalid, "faults"},
		{"fault twice", func(r *link.Report) { r.Faults = []link.Fault{{Fault: "hot"}, {Fault: "hot"}} }, link.ProblemInvalid, "faults[1].f"},
		{"fault without a name", func(r *link.Report) { r.Faults = []link.Fault{{}} }, link.ProblemInvalid, "faults[0].f"},
		{"fault's time", func(r *link.Report) { r.Faults = []link.Fault{{Fault: "hot", Since: -1}} }, link.ProblemInvalid, "faults[0].t"},
		{"201 counts", func(r *link.Report) { r.Counts = map[string]map[string]int{day(0): many(100), day(-1): many(101)} }, link.ProblemInvalid, "« n »"},
		{"negative count", counts(day(0), "visit", -1), link.ProblemInvalid, "« n »"},
		{"huge count", counts(day(0), "visit", 1_000_000_000), link.ProblemInvalid, "« n »"},
		{"key that is a sentence", counts(day(0), "je cherche", 1), link.ProblemInvalid, "« n »"},
		{"empty key", counts(day(0), "", 1), link.ProblemInvalid, "« n »"},
		{"day that isn't", counts("2026-02-30", "visit", 1), link.ProblemInvalid, "« n »"},
		{"day in words", counts("hier", "visit", 1), link.ProblemInvalid, "« n »"},
		{"day after tomorrow", counts(day(2), "visit", 1), link.ProblemInvalid, "avenir"},
		{"day long ago", counts(day(-403), "visit", 1), link.ProblemInvalid, "400 jours"},
		{"from the future", func(r *link.Report) { r.At += (link.MaxSkew + time.Minute).Milliseconds() }, link.ProblemClock, "5 minutes"},
		{"from the past", func(r *link.Report) { r.At -= (link.MaxSkew + time.Minute).Milliseconds() }, link.ProblemClock, "5 minutes"},
		{"from 1970", func(r *link.Report) { r.At = 0 }, link.ProblemClock, "5 minutes"},
		{"beyond all time", func(r *link.Report) { r.At = 1<<63 - 1 }, link.ProblemClock, "5 minutes"},
	}
	h := startHub(t, openSQLite(t))
	b := h.enrol("MN-01")
	client := b.raw()
	for name, e := range encodings {
		for _, tt := range tests {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				r := b.report(h.clock.now())
				tt.change(&r)
				body, err := e.marshal(r)
				if err != nil {
					t.Fatal(err)
				}
				a := h.ask(client, http.MethodPost, "/v1/report", body, "Content-Type: "+e.media)
				p := a.problem
				if a.status != http.StatusUnprocessableEntity || a.header.Get("Content-Type") != e.problem || p.Type != tt.kind || p.Status != a.status {
					t.Fatalf("%d %s: %s", a.status, a.header.Get("Content-Type"), a.body)
				}
				if !strings.Contains(p.Detail, tt.says) || p.Title == "" {
					t.Errorf("it says %q: %q, without %q", p.Title, p.Detail, tt.says)
				}
				if d := time.UnixMilli(p.Now).Sub(h.clock.now()).Abs(); tt.kind == link.ProblemClock && d > time.Minute {
					t.Errorf("the hub's time in it is %v off", d)
				}
			})
		}
	}
	if there, err := h.store.Borne(t.Context(), "MN-01"); err != nil || !there.Seen.IsZero() {
		t.Errorf("something was stored: %+v, %v", there, err)
	}
}

// What is at the very edge is taken.
func TestReportsAtTheEdge(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		b := h.enrol("MN-01")
		client := b.raw()
		for name, e := range encodings {
			r := b.report(h.clock.now().Add(link.MaxSkew - 5*time.Second))
			r.Devices, r.Counts = nil, map[string]map[string]int{}
			for i := range 32 {
				r.Devices = append(r.Devices, link.Device{Name: strings.Repeat("n", 78) + fmt.Sprintf("%02d", i), Kind: "card_reader", Fault: "jam"})
			}
			for i := range 200 {
				day := h.clock.now().UTC().AddDate(0, 0, 1-i*2).Format(time.DateOnly)
				r.Counts[day] = map[string]int{strings.Repeat("k", 80): 999_999_999}
			}
			r.Version = strings.Repeat("é", 64)
			body, err := e.marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			if a := h.ask(client, http.MethodPost, "/v1/report", body, "Content-Type: "+e.media); a.status != http.StatusOK {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
		}
		counts, err := h.store.Counts(t.Context(), "MN-01", strings.Repeat("k", 80), "2000-01-01", "2100-01-01")
		if err != nil || len(counts) != 200 {
			t.Errorf("%d days of counts, %v", len(counts), err)
		}
	})
}

// A newer borne may say more than this hub knows.
func TestUnknownFields(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		b := h.enrol("MN-01")
		for name, e := range encodings {
			data, err := json.Marshal(b.report(h.clock.now()))
			if err != nil {
				t.Fatal(err)
			}
			var r map[string]any
			if err := json.Unmarshal(data, &r); err != nil {
				t.Fatal(err)
			}
			r["run"], r["seq"], r["at"] = append([]byte(nil), b.run...), b.seq, h.clock.now().UnixMilli()
			for _, n := range []string{"up", "disk", "temp", "load"} {
				r[n] = int(r[n].(float64))
			}
			delete(r, "dev")
			delete(r, "n")
			r["mood"] = map[string]any{"today": []string{"fine"}}
			body, err := e.marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			if a := h.ask(b.raw(), http.MethodPost, "/v1/report", body, "Content-Type: "+e.media); a.status != http.StatusOK {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
		}
	})
}

// What is not even a message, or asks for what isn't there.
func TestMalformed(t *testing.T) {
	t.Parallel()
	h := startHub(t, openSQLite(t))
	b := h.enrol("MN-01")
	client := b.raw()
	id := newID(t).String()
	cborOf := func(v any) []byte {
		data, err := cbor.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	deep := bytes.Repeat([]byte{0x81}, 1000) // [[[[…
	big := bytes.Repeat([]byte{'x'}, link.MaxBody+1)
	callback := func(c link.Callback) []byte { return cborOf(c) }
	good := link.Callback{Code: "ABC123", Created: 1, Data: []byte("sealed")}
	change := func(f func(*link.Callback)) []byte { c := good; f(&c); return callback(c) }
	month := h.clock.now().UTC().Format("2006-01")
	search := func(f func(*link.Unfound)) []byte {
		u := link.Unfound{Month: month, Data: []byte("sealed")}
		f(&u)
		return cborOf(u)
	}
	const cborType, jsonType = "Content-Type: application/cbor", "Content-Type: application/json"
	tests := []struct {
		name         string
		method, path string
		body         []byte
		header       []string
		status       int
		kind, says   string
	}{
		{"empty", "POST", "/v1/report", nil, []string{cborType}, 400, link.ProblemInvalid, "vide"},
		{"not CBOR", "POST", "/v1/report", []byte{0xff, 0xff}, []string{cborType}, 400, link.ProblemInvalid, "CBOR"},
		{"CBOR cut off", "POST", "/v1/report", cborOf(link.Report{Run: make([]byte, 8)})[:20], []string{cborType}, 400, link.ProblemInvalid, "CBOR"},
		{"CBOR with more after it", "POST", "/v1/report", append(cborOf(link.Report{}), 0), []string{cborType}, 400, link.ProblemInvalid, "CBOR"},
		{"deep CBOR", "POST", "/v1/report", deep, []string{cborType}, 400, link.ProblemInvalid, "CBOR"},
		{"endless CBOR", "POST", "/v1/report", []byte{0xbf, 0x61, 'a', 0x01, 0xff}, []string{cborType}, 400, link.ProblemInvalid, "CBOR"},
		{"CBOR that promises much", "POST", "/v1/report", []byte{0x9b, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff}, []string{cborType}, 400, link.ProblemInvalid, "CBOR"},
		{"CBOR with a field twice", "POST", "/v1/report", []byte{0xa2, 0x64, 'l', 'o', 'a', 'd', 1, 0x64, 'l', 'o', 'a', 'd', 2}, []string{cborType}, 400, link.ProblemInvalid, "deux fois"},
		{"CBOR of a wrong kind", "POST", "/v1/report", cborOf(map[string]any{"seq": "one"}), []string{cborType}, 400, link.ProblemInvalid, "« seq »"},
		{"CBOR list", "POST", "/v1/report", cborOf([]int{1}), []string{cborType}, 400, link.ProblemInvalid, "Le message"},
		{"not JSON", "POST", "/v1/report", []byte(`{"run":`), []string{jsonType}, 400, link.ProblemInvalid, "JSON"},
		{"JSON of a wrong kind", "POST", "/v1/report", []byte(`{"seq":-1}`), []string{jsonType}, 400, link.ProblemInvalid, "« seq »"},
		{"JSON list", "POST", "/v1/report", []byte(`[1]`), []string{jsonType}, 400, link.ProblemInvalid, "Le message"},
		{"JSON null", "POST", "/v1/report", []byte(`null`), []string{jsonType}, 422, link.ProblemInvalid, "« run »"},
		{"CBOR null", "POST", "/v1/report", []byte{0xf6}, []string{cborType}, 422, link.ProblemInvalid, "« run »"},
		{"too large", "POST", "/v1/report", big, []string{cborType}, 413, link.ProblemTooLarge, "65536"},
		{"no type", "POST", "/v1/report", []byte("{}"), nil, 415, link.ProblemInvalid, "Content-Type"},
		{"XML", "POST", "/v1/report", []byte("<r/>"), []string{"Content-Type: application/xml"}, 415, link.ProblemInvalid, "Content-Type"},
		{"form", "POST", "/v1/report", []byte("a=b"), []string{"Content-Type: application/x-www-form-urlencoded"}, 415, link.ProblemInvalid, "Content-Type"},
		{"other compression", "POST", "/v1/report", []byte("{}"), []string{jsonType, "Content-Encoding: gzip"}, 415, link.ProblemInvalid, "Content-Type"},
		{"JSON with a character set", "POST", "/v1/report", []byte(`{}`), []string{jsonType + "; charset=utf-8"}, 422, link.ProblemInvalid, "« run »"},
		{"wrong method", "GET", "/v1/report", nil, nil, 405, link.ProblemInvalid, "POST"},
		{"wrong method of a callback", "POST", "/v1/callbacks/" + id, nil, []string{cborType}, 405, link.ProblemInvalid, "PUT"},
		{"deletion", "DELETE", "/v1/files/" + strings.Repeat("a", 64), nil, nil, 405, link.ProblemInvalid, "GET"},
		{"next version", "POST", "/v2/report", []byte("{}"), []string{cborType}, 404, link.ProblemVersion, "v1"},
		{"next version alone", "GET", "/v2", nil, nil, 404, link.ProblemVersion, "v1"},
		{"some other path", "GET", "/v1/secrets", nil, nil, 404, link.ProblemUnknown, "adresse"},
		{"root", "GET", "/", nil, nil, 404, link.ProblemUnknown, "adresse"},
		{"wait of no number", "GET", "/v1/commands?wait=long", nil, nil, 422, link.ProblemInvalid, "« wait »"},
		{"negative wait", "GET", "/v1/commands?wait=-1", nil, nil, 422, link.ProblemInvalid, "« wait »"},
		{"outcome of no UUID", "PUT", "/v1/commands/1/outcome", cborOf(link.Outcome{State: link.Done}), []string{cborType}, 422, link.ProblemInvalid, "identifiant"},
		{"outcome of a UUID in braces", "PUT", "/v1/commands/%7B" + id + "%7D/outcome", cborOf(link.Outcome{State: link.Done}), []string{cborType}, 422, link.ProblemInvalid, "identifiant"},
		{"outcome of nothing", "PUT", "/v1/commands/" + id + "/outcome", cborOf(link.Outcome{State: link.Done}), []string{cborType}, 404, link.ProblemUnknown, "commande"},
		{"outcome of its own", "PUT", "/v1/commands/" + id + "/outcome", cborOf(link.Outcome{State: "expired"}), []string{cborType}, 422, link.ProblemInvalid, "« state »"},
		{"long why", "PUT", "/v1/commands/" + id + "/outcome", cborOf(link.Outcome{State: link.Failed, Why: strings.Repeat("a", 301)}), []string{cborType}, 422, link.ProblemInvalid, "« why »"},
		{"file of no type", "PUT", "/v1/commands/" + id + "/outcome", cborOf(link.Outcome{State: link.Done, File: []byte("x")}), []string{cborType}, 422, link.ProblemInvalid, "« file_type »"},
		{"page for a file", "PUT", "/v1/commands/" + id + "/outcome", cborOf(link.Outcome{State: link.Done, FileType: "text/html", File: []byte("x")}), []string{cborType}, 422, link.ProblemInvalid, "« file_type »"},
		{"file that is empty", "PUT", "/v1/commands/" + id + "/outcome", cborOf(link.Outcome{State: link.Done, FileType: "image/png"}), []string{cborType}, 422, link.ProblemInvalid, "« file »"},
		{"file too large", "PUT", "/v1/commands/" + id + "/outcome", cborOf(link.Outcome{State: link.Done, FileType: "image/png", File: make([]byte, link.MaxFile+1)}), []string{cborType}, 413, link.ProblemTooLarge, "4194304"},
		{"callback of no UUID", "PUT", "/v1/callbacks/" + strings.ToUpper(id), callback(good), []string{cborType}, 422, link.ProblemInvalid, "identifiant"},
		{"callback of the nil UUID", "PUT", "/v1/callbacks/00000000-0000-0000-0000-000000000000", callback(good), []string{cborType}, 422, link.ProblemInvalid, "identifiant"},
		{"callback without a code", "PUT", "/v1/callbacks/" + id, change(func(c *link.Callback) { c.Code = "" }), []string{cborType}, 422, link.ProblemInvalid, "« code »"},
		{"callback with a name for a code", "PUT", "/v1/callbacks/" + id, change(func(c *link.Callback) { c.Code = "Jeanne" }), []string{cborType}, 422, link.ProblemInvalid, "« code »"},
		{"callback of no time", "PUT", "/v1/callbacks/" + id, change(func(c *link.Callback) { c.Created = -5000 }), []string{cborType}, 422, link.ProblemInvalid, "« created »"},
		{"empty callback", "PUT", "/v1/callbacks/" + id, change(func(c *link.Callback) { c.Data = nil }), []string{cborType}, 422, link.ProblemInvalid, "« data »"},
		{"callback too large", "PUT", "/v1/callbacks/" + id, change(func(c *link.Callback) { c.Data = big }), []string{cborType}, 413, link.ProblemTooLarge, "65536"},
		{"search of no UUID", "PUT", "/v1/unfound/1", search(func(*link.Unfound) {}), []string{cborType}, 422, link.ProblemInvalid, "identifiant"},
		{"search of a day", "PUT", "/v1/unfound/" + id, search(func(u *link.Unfound) { u.Month += "-05" }), []string{cborType}, 422, link.ProblemInvalid, "« month »"},
		{"search of no month", "PUT", "/v1/unfound/" + id, search(func(u *link.Unfound) { u.Month = "" }), []string{cborType}, 422, link.ProblemInvalid, "« month »"},
		{"search to come", "PUT", "/v1/unfound/" + id, search(func(u *link.Unfound) { u.Month = "2199-01" }), []string{cborType}, 422, link.ProblemInvalid, "avenir"},
		{"search of old", "PUT", "/v1/unfound/" + id, search(func(u *link.Unfound) { u.Month = "2001-01" }), []string{cborType}, 422, link.ProblemInvalid, "13 mois"},
		{"empty search", "PUT", "/v1/unfound/" + id, search(func(u *link.Unfound) { u.Data = nil }), []string{cborType}, 422, link.ProblemInvalid, "« data »"},
		{"long search", "PUT", "/v1/unfound/" + id, search(func(u *link.Unfound) { u.Data = big[:link.MaxUnfound+1] }), []string{cborType}, 422, link.ProblemInvalid, "4096"},
		{"search too large", "PUT", "/v1/unfound/" + id, search(func(u *link.Unfound) { u.Data = big }), []string{cborType}, 413, link.ProblemTooLarge, "8192"},
		{"search that is a text", "PUT", "/v1/unfound/" + id, cborOf(map[string]any{"month": 2026}), []string{cborType}, 400, link.ProblemInvalid, "« month »"},
		{"file of no hash", "GET", "/v1/files/latest", nil, nil, 422, link.ProblemInvalid, "SHA-256"},
		{"file that isn't there", "GET", "/v1/files/" + strings.Repeat("a", 64), nil, nil, 404, link.ProblemUnknown, "fichier"},
		{"renewal with no request", "POST", "/v1/renew", cborOf(link.RenewRequest{CSR: []byte("x")}), []string{cborType}, 422, link.ProblemInvalid, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := h.ask(client, tt.method, tt.path, tt.body, tt.header...)
			if a.status != tt.status || a.problem.Type != tt.kind || a.problem.Status != tt.status {
				t.Fatalf("%d: %s, want %d %s", a.status, a.body, tt.status, tt.kind)
			}
			if !strings.Contains(a.problem.Detail, tt.says) || a.problem.Title == "" {
				t.Errorf("it says %q: %q, without %q", a.problem.Title, a.problem.Detail, tt.says)
			}
			if allow := a.header.Get("Allow"); (tt.status == 405) != (allow != "") {
				t.Errorf("Allow: %q", allow)
			}
		})
	}
	there, err := h.store.Borne(t.Context(), "MN-01")
	n, err2 := h.store.CountCallbacks(t.Context())
	if err != nil || err2 != nil || !there.Seen.IsZero() || n != 0 {
		t.Errorf("something was stored: seen %v, %d requests, %v, %v", there.Seen, n, err, err2)
	}
	if kept, err := h.store.HasUnfound(t.Context(), month); kept || err != nil {
		t.Errorf("a search was stored: %v", err)
	}
	// The borne is not cut off for a mistake of its program.
	b.mustReport(h)
}

// A body that says nothing of its length is cut off at the bound all the same,
// and so is a small one that inflates to a large one.
func TestTooLargeWithoutLength(t *testing.T) {
	t.Parallel()
	h := startHub(t, openSQLite(t))
	b := h.enrol("MN-01")
	endless := &endlessReader{}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+h.address+"/v1/report", endless)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", link.MediaCBOR)
	resp, err := b.raw().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge || endless.n.Load() > 1<<20 {
		t.Errorf("%d after %d bytes", resp.StatusCode, endless.n.Load())
	}
	bomb := deflated(t, make([]byte, 50<<20))
	a := h.ask(b.raw(), http.MethodPost, "/v1/report", bomb, "Content-Type: application/cbor", "Content-Encoding: deflate")
	if a.status != http.StatusRequestEntityTooLarge || a.problem.Type != link.ProblemTooLarge {
		t.Errorf("%d bytes that inflate: %d %s", len(bomb), a.status, a.body)
	}
	a = h.ask(b.raw(), http.MethodPost, "/v1/report", []byte("not deflate"), "Content-Type: application/cbor", "Content-Encoding: deflate")
	if a.status < 400 || a.status > 499 || a.problem.Type != link.ProblemInvalid {
		t.Errorf("broken compression: %d %s", a.status, a.body)
	}
}

type endlessReader struct{ n atomic.Int64 }

func (r *endlessReader) Read(p []byte) (int, error) {
	r.n.Add(int64(len(p)))
	return len(p), nil
}

// Answers are in what Accept wants, else in what the request came in, else in
// JSON.
func TestAnswerType(t *testing.T) {
	t.Parallel()
	h := startHub(t, openSQLite(t))
	b := h.enrol("MN-01")
	client := b.raw()
	tests := []struct{ accept, content, want string }{
		{"", "application/cbor", "application/cbor"},
		{"", "application/json", "application/json"},
		{"*/*", "application/cbor", "application/cbor"},
		{"application/json", "application/cbor", "application/json"},
		{"application/cbor", "application/json", "application/cbor"},
		{"text/html, application/cbor;q=0.5", "application/json", "application/cbor"},
		{"application/json;q=0.2, application/cbor", "application/json", "application/cbor"},
		{"text/html", "application/cbor", "application/cbor"},
	}
	for _, tt := range tests {
		e := encodings["json"]
		if tt.content == "application/cbor" {
			e = encodings["cbor"]
		}
		body, err := e.marshal(b.report(h.clock.now()))
		if err != nil {
			t.Fatal(err)
		}
		header := []string{"Content-Type: " + tt.content}
		if tt.accept != "" {
			header = append(header, "Accept: "+tt.accept)
		}
		a := h.ask(client, http.MethodPost, "/v1/report", body, header...)
		if got := a.header.Get("Content-Type"); a.status != 200 || got != tt.want {
			t.Errorf("Accept %q, Content-Type %q: %d in %q", tt.accept, tt.content, a.status, got)
		}
		var answer link.ReportAnswer
		unmarshal := json.Unmarshal
		if tt.want == "application/cbor" {
			unmarshal = link.Decode
		}
		if err := unmarshal(a.body, &answer); err != nil || answer.Now == 0 {
			t.Errorf("answer %x: %v", a.body, err)
		}
	}
	a := h.ask(client, http.MethodGet, "/v1/commands", nil)
	if got := a.header.Get("Content-Type"); got != "application/json" || !strings.HasPrefix(string(a.body), `{"commands":[],"now":`) {
		t.Errorf("without any header: %q %s", got, a.body)
	}
}

// What goes wrong in the hub is told to the log under a number that the
// problem bears, and to nobody else.
func TestInternalError(t *testing.T) {
	t.Parallel()
	s := openSQLite(t)
	h := startHub(t, s)
	b := h.enrol("MN-01")
	b.mustReport(h)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	a := h.ask(b.raw(), http.MethodGet, "/v1/commands", nil)
	if a.status != http.StatusInternalServerError || a.problem.Type != link.ProblemInternal {
		t.Fatalf("%d %s", a.status, a.body)
	}
	words := strings.Fields(strings.TrimSuffix(a.problem.Detail, "."))
	id := words[len(words)-1]
	if !strings.Contains(h.log.String(), "request="+id) {
		t.Errorf("the log has no %q:\n%s", id, h.log.String())
	}
	for _, internal := range []string{"sql", "closed", "database", "store"} {
		if strings.Contains(string(a.body), internal) {
			t.Errorf("the answer tells of %q: %s", internal, a.body)
		}
	}
}

// A full queue refuses, and what is refused can be sent again.
func TestBusy(t *testing.T) {
	t.Parallel()
	h := startHub(t, openSQLite(t))
	b := h.enrol("MN-01")
	still := api.New(api.Options{Store: h.store, Authority: h.authority}) // takes reports, and doesn't store them yet
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: still.Handler(), TLSConfig: still.TLSConfig()}
	go server.ServeTLS(l, "", "")
	t.Cleanup(func() { server.Close() })
	api.FillQueue(still)
	b.connect(&hub{address: l.Addr().String()})
	r := b.report(time.Now())
	_, err = b.Report(t.Context(), r)
	p := wantProblem(t, err, link.ProblemBusy)
	if p.Status != http.StatusServiceUnavailable || p.RetryAfter < 5*time.Second || p.RetryAfter > 16*time.Second {
		t.Errorf("%d, again after %v", p.Status, p.RetryAfter)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { api.RunIntake(ctx, still) })
	soon(t, "the report is taken", 10*time.Second, func() bool {
		_, err := b.Report(t.Context(), r)
		return err == nil
	})
	stop()
	running.Wait()
}

// No value of a message shows up in the log, whatever is wrong with it.
func TestLogHasNoValues(t *testing.T) {
	t.Parallel()
	h := startHub(t, openSQLite(t))
	b := h.enrol("MN-01")
	for _, body := range []string{`{"code":"0612345678","created":"0612345678"`, `{"code":"0612345678","created":"0612345678"}`, `{"code":"jeanne 0612345678"}`} {
		a := h.ask(b.raw(), http.MethodPut, "/v1/callbacks/"+newID(t).String(), []byte(body), "Content-Type: application/json")
		if a.status < 400 || strings.Contains(string(a.body), "0612345678") {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	h.stop()
	if strings.Contains(h.log.String(), "0612345678") {
		t.Errorf("the log: %s", h.log.String())
	}
}

// Metrics have a bounded number of paths, whatever strangers ask for.
func TestObserverHearsKnownPathsOnly(t *testing.T) {
	t.Parallel()
	o := &paths{}
	h := startHub(t, openSQLite(t), func(options *api.Options) { options.Observer = o })
	for _, path := range []string{"/v1/report", "/v1/x" + newID(t).String(), "/wp-admin", "/v9/report"} {
		h.ask(h.stranger(), http.MethodPost, path, nil)
	}
	h.stop()
	if want := []string{"POST /v1/report 401", "other 404", "other 404", "other 404"}; !slices.Equal(o.all(), want) {
		t.Errorf("heard %q", o.all())
	}
}
