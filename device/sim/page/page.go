// Package page shows the simulated devices of a desk in a browser, with a button
// for each thing that may happen to them. It is for the people at that desk, and
// answers nobody else.
package page

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"parvis/device/sim"
)

//go:embed page.html
var source string

var page = template.Must(template.New("page").Parse(source))

// Desk is a page for the devices of a bench, and for the last ticket in a tray.
type Desk struct {
	bench   sim.Bench
	tickets string
	mux     *http.ServeMux
}

// New makes the page of a bench, whose devices are called "printer", "rfid",
// "card", "scanner" and "office", as far as they are there. The tickets lie in
// the folder given, as a sim.Tray puts them.
func New(bench sim.Bench, tickets string) *Desk {
	d := &Desk{bench: bench, tickets: tickets, mux: http.NewServeMux()}
	d.mux.HandleFunc("GET /{$}", d.show)
	d.mux.HandleFunc("GET /etat", d.state)
	d.mux.HandleFunc("POST /ordre", d.order)
	d.mux.HandleFunc("GET /ticket/{number}", d.ticket)
	return d
}

// CheckAddr refuses an address for the page that others could reach.
func CheckAddr(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("adresse de la page %q : attendu 127.0.0.1:PORT", addr)
	}
	if !local(host) {
		return fmt.Errorf("adresse de la page %q : elle n’est servie que sur cette machine, par exemple 127.0.0.1:8090", addr)
	}
	return nil
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// ServeHTTP refuses whoever comes by another name than this machine's, and the
// orders of other sites' pages.
func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	if !local(host) {
		http.Error(w, "Cette page n’est servie que sur cette machine.", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Security-Policy", "default-src 'self' 'unsafe-inline'; frame-ancestors 'none'")
	http.NewCrossOriginProtection().Handler(d.mux).ServeHTTP(w, r)
}

// show draws the page.
func (d *Desk) show(w http.ResponseWriter, r *http.Request) {
	data := struct {
		Said    string
		Devices []device
		Ticket  int
	}{Said: r.FormValue("dit"), Ticket: d.last()}
	for _, known := range devices {
		if _, there := d.bench[known.Name]; there {
			known.Chips = d.chips(known.Name)
			status, _ := d.bench.Do(known.Name + " status") // the chips tell of an error
			known.Groups = slices.DeleteFunc(slices.Clone(known.Groups), func(g group) bool {
				return !strings.Contains(status, g.Only)
			})
			data.Devices = append(data.Devices, known)
		}
	}
	var b bytes.Buffer
	if err := page.Execute(&b, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = b.WriteTo(w) // the browser may have gone
}

// state tells how the devices are, and which ticket is the last.
func (d *Desk) state(w http.ResponseWriter, _ *http.Request) {
	data := struct {
		Chips  map[string][]chip `json:"chips"`
		Ticket int               `json:"ticket"`
	}{make(map[string][]chip), d.last()}
	for name := range d.bench {
		data.Chips[name] = d.chips(name)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(data) // the browser may have gone
}

// order carries out one order, and says what came of it: to the script of the
// page in a word, to a browser without scripts by the page itself.
func (d *Desk) order(w http.ResponseWriter, r *http.Request) {
	order := strings.TrimSpace(r.PostFormValue("ordre") + " " + r.PostFormValue("texte"))
	said := "C’est fait."
	status := http.StatusOK
	if _, err := d.bench.Do(order); err != nil {
		said, status = french(err), http.StatusConflict
	}
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, said)
		return
	}
	http.Redirect(w, r, "/?dit="+template.URLQueryEscaper(said), http.StatusSeeOther)
}

// ticket gives the picture of a ticket.
func (d *Desk) ticket(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.PathValue("number"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	http.ServeFile(w, r, d.picture(n))
}

func (d *Desk) picture(n int) string {
	return filepath.Join(d.tickets, fmt.Sprintf("ticket-%d.png", n))
}

// last is the number of the last ticket, 0 if there is none.
func (d *Desk) last() int {
	names, _ := filepath.Glob(filepath.Join(d.tickets, "ticket-*.txt")) // the pattern is right
	last := 0
	for _, name := range names {
		var n int
		if _, err := fmt.Sscanf(filepath.Base(name), "ticket-%d.txt", &n); err != nil || n <= last {
			continue
		}
		if _, err := os.Stat(d.picture(n)); err == nil {
			last = n
		}
	}
	return last
}
