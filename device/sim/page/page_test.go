package page_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"parvis/device/sim"
	"parvis/device/sim/page"
)

// newPage serves the page of a ticket printer and a reader of tags.
func newPage(t *testing.T, m sim.Model) (*httptest.Server, *sim.Thermal) {
	t.Helper()
	dir := t.TempDir()
	tray, err := sim.NewTray(dir)
	if err != nil {
		t.Fatal(err)
	}
	thermal := sim.NewThermal(func(k sim.Ticket) {
		if _, err := tray.Put(k); err != nil {
			t.Error(err)
		}
	})
	thermal.SetModel(m)
	cable := sim.NewCable(filepath.Join(dir, "printer"), thermal)
	rfid := sim.NewRFID(sim.ID12LA)
	t.Cleanup(func() { rfid.Close(); cable.Close() })
	bench := sim.Bench{"printer": sim.Wired{Device: &sim.Desk{Thermal: thermal, Cable: cable}, Line: cable}, "rfid": rfid}
	s := httptest.NewServer(page.New(bench, dir))
	t.Cleanup(s.Close)
	return s, thermal
}

// ask sends a request with more headers, and returns the status and the body.
func ask(t *testing.T, method, address string, form url.Values, headers ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestPageShowsWhatIsThere(t *testing.T) {
	t.Parallel()
	s, _ := newPage(t, sim.Epson)
	status, body := ask(t, "GET", s.URL, nil)
	if status != http.StatusOK {
		t.Fatalf("%d: %s", status, body)
	}
	for want, there := range map[string]bool{
		"Imprimante à tickets": true, "Lecteur de badges": true, "Imprimante A4": false, "Lecteur de codes": false,
		`value="printer paper out"`: true, `value="printer take"`: false, "Rien n’est encore imprimé": true, "câble débranché": true,
	} {
		if strings.Contains(body, want) != there {
			t.Errorf("%q there: want %t", want, there)
		}
	}
	custom, _ := newPage(t, sim.CustomVKP80)
	if _, body := ask(t, "GET", custom.URL, nil); !strings.Contains(body, `value="printer take"`) {
		t.Error("no ticket can be taken out of a mouth")
	}
}

func TestPageGivesOrders(t *testing.T) {
	t.Parallel()
	s, thermal := newPage(t, sim.Epson)
	for _, tt := range []struct {
		form url.Values
		code int
		said string
	}{
		{url.Values{"ordre": {"printer paper out"}}, http.StatusOK, "C’est fait."},
		{url.Values{"ordre": {"rfid card"}, "texte": {" 0008844356 "}}, http.StatusOK, "C’est fait."},
		{url.Values{"ordre": {"printer unplug"}}, http.StatusConflict, "C’est déjà débranché."},
		{url.Values{"ordre": {"printer take"}}, http.StatusConflict, "Aucun ticket ne dépasse de la bouche."},
		{url.Values{"ordre": {"kettle boil"}}, http.StatusConflict, `Ordre refusé : unknown device "kettle"`},
		{url.Values{}, http.StatusConflict, "Ordre refusé"},
	} {
		code, said := ask(t, "POST", s.URL+"/ordre", tt.form, "Accept", "text/plain")
		if code != tt.code || !strings.HasPrefix(said, tt.said) {
			t.Errorf("%v: %d %q, want %d %q", tt.form, code, said, tt.code, tt.said)
		}
	}
	if got := thermal.String(); !strings.Contains(got, "paper=out") {
		t.Errorf("the printer is %s", got)
	}
	// A browser without scripts is led back to the page, which says the same.
	if code, body := ask(t, "POST", s.URL+"/ordre", url.Values{"ordre": {"printer unplug"}}, "Accept", "text/html"); code != http.StatusOK || !strings.Contains(body, "C’est déjà débranché.") || !strings.Contains(body, "plus de papier") {
		t.Errorf("%d: %s", code, body)
	}
}

func TestPageShowsTheLastTicket(t *testing.T) {
	t.Parallel()
	s, thermal := newPage(t, sim.Epson)
	for range 11 { // 10 comes after 9
		thermal.Receive([]byte("Bonjour\n\x1dVB\x00"))
	}
	var state struct {
		Chips  map[string][]struct{ Text, Kind string }
		Ticket int
	}
	_, body := ask(t, "GET", s.URL+"/etat", nil)
	if err := json.Unmarshal([]byte(body), &state); err != nil {
		t.Fatal(err)
	}
	if state.Ticket != 11 || len(state.Chips["printer"]) == 0 || state.Chips["rfid"][0].Text != "aucune carte" {
		t.Errorf("state %+v", state)
	}
	if code, picture := ask(t, "GET", s.URL+"/ticket/11", nil); code != http.StatusOK || !strings.HasPrefix(picture, "\x89PNG") {
		t.Errorf("%d: %.20q", code, picture)
	}
	for _, path := range []string{"/ticket/12", "/ticket/..%2fsecret", "/secret"} {
		if code, _ := ask(t, "GET", s.URL+path, nil); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
}

func TestPageAnswersOnlyThisMachine(t *testing.T) {
	t.Parallel()
	s, thermal := newPage(t, sim.Epson)
	order := url.Values{"ordre": {"printer paper out"}}
	for name, headers := range map[string][]string{
		"another name":        {"Host", "evil.example"},
		"another site's page": {"Origin", "http://evil.example"},
		"another site's form": {"Sec-Fetch-Site", "cross-site"},
	} {
		if code, body := ask(t, "POST", s.URL+"/ordre", order, headers...); code != http.StatusForbidden {
			t.Errorf("%s: %d %s", name, code, body)
		}
	}
	if code, _ := ask(t, "GET", s.URL+"/ordre?ordre=printer+paper+out", nil); code != http.StatusMethodNotAllowed {
		t.Errorf("an order by GET: %d", code)
	}
	if got := thermal.String(); !strings.Contains(got, "paper=in") {
		t.Errorf("an order was obeyed: %s", got)
	}
	for addr, ok := range map[string]bool{"127.0.0.1:8090": true, "localhost:0": true, "[::1]:80": true, ":8090": false, "0.0.0.0:8090": false, "192.168.1.2:80": false, "8090": false} {
		if err := page.CheckAddr(addr); (err == nil) != ok {
			t.Errorf("CheckAddr(%q) = %v", addr, err)
		}
	}
}
