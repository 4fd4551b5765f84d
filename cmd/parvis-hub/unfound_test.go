package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"parvis/app/journey/journeytest"
	"parvis/hub/seal"
	"parvis/hub/store"
	"parvis/kiosk/callback"
	"parvis/kiosk/link"
	"parvis/kiosk/unfound"
	"parvis/kiosk/visit"
	"parvis/provisioning/enrol"
)

// output is what a hub that runs has written.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// eventually waits for something to come true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// serve runs a hub at a time until stop, and returns where bornes reach it.
func serve(t *testing.T, now time.Time, dsn, dir string) (address string, said *output, stop func()) {
	t.Helper()
	said = &output{}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- run(&runtime{ctx: ctx, stdout: said, stderr: said, now: func() time.Time { return now }},
			[]string{"serve", "--bornes", "127.0.0.1:0", "--people", "127.0.0.1:0", "--internal", "127.0.0.1:0", "--data", dir, "--database", dsn})
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the hub ends with %v", err)
		}
	})
	t.Cleanup(stop)
	where := regexp.MustCompile(`Bornes +: (\S+)`)
	eventually(t, "the hub", func() bool {
		found := where.FindStringSubmatch(said.String())
		if found != nil {
			address = found[1]
		}
		return found != nil
	})
	return address, said, stop
}

// From a resident who finds nothing on a borne, five times, to the city's figures;
// and nothing from what four do.
func TestSearchReachesTheCity(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, dsn, dir string) {
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		now := time.Now()
		address, _, stop := serve(t, now, dsn, dir)
		st, err := store.Open(t.Context(), dsn)
		must(err)
		defer st.Close()
		key, err := seal.OpenFor(t.Context(), st, filepath.Join(dir, "hub.key"))
		must(err)
		authority, err := key.Authority(t.Context(), st, now)
		must(err)
		code := enrol.NewCode(authority.Fingerprint())
		_, err = st.CreateToken(t.Context(), store.Token{Hash: code.Hash(), Site: store.Site{ID: "neudorf"}, Borne: "MN-01", Created: now, Expires: now.Add(time.Hour)})
		must(err)
		self, err := enrol.Enrol(t.Context(), address, code, t.TempDir(), enrol.Options{})
		must(err)
		client, err := link.NewClient(link.ClientOptions{Hub: address, TLS: self.TLS()})
		must(err)
		defer client.Close()

		b := journeytest.New(t)
		b.Desk.Recipients, err = callback.ParseRecipients([]string{self.Recipient()})
		must(err)
		first := time.Date(now.Year(), now.Month(), 1, 10, 0, 0, 0, time.UTC)
		desk := unfound.Desk{Put: func(month string, sealed []byte) { must(b.Store.PutUnfound(t.Context(), month, sealed)) }}
		b.Unfound = func(words []unfound.Word) { must(desk.Take(words, b.Desk.Recipients, b.Clock)) }
		search := func(text string) {
			v := visit.New(1, "")
			b.Choose(t, v, "start", "demarches", "search")
			b.Type(t, v, text)
			b.Choose(t, v, "nav.home")
			b.End(v, b.Clock)
		}
		for day := range 5 {
			b.Clock = first.AddDate(0, 0, day)
			for range 3 { // one resident insists
				search("vélo cargo")
			}
			if day > 0 {
				search("patinoire")
			}
		}
		waiting, err := b.Store.Unfound(t.Context())
		must(err)
		if len(waiting) != 9 {
			t.Errorf("%d searches wait", len(waiting))
		}
		for _, u := range waiting {
			must(client.PutUnfound(t.Context(), u.ID, link.Unfound{Month: u.Month, Data: u.Data}))
		}
		_, err = client.Report(t.Context(), link.Report{Run: []byte("12345678"), Seq: 1, At: now.UnixMilli(), Version: "1.4.0",
			Counts: map[string]map[string]int{first.Format(time.DateOnly): {"visit": 19, "visit.h10": 19}}})
		must(err)
		stop()

		month := first.Format("2006-01")
		_, said, stop := serve(t, first.AddDate(0, 1, 5), dsn, dir)
		figures := func() string {
			all, err := st.Statistics(t.Context(), month)
			must(err)
			return fmt.Sprint(all)
		}
		eventually(t, "the month's figures", func() bool { return strings.Contains(figures(), "visit 15") })
		if all := figures(); !strings.Contains(all, "unfound.demarche.velo cargo 5}") || strings.Contains(all, "patinoire") {
			t.Errorf("told is %s", all)
		}
		eventually(t, "the searches to be gone", func() bool {
			there, err := st.HasUnfound(t.Context(), month)
			must(err)
			return !there
		})
		stop()
		if text := said.String(); strings.Contains(text, "velo") || strings.Contains(text, "patinoire") {
			t.Error("what was searched for is in the hub's log")
		}
	})
}
