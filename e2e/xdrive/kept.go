package xdrive

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"

	"parvis/kiosk/callback"
	"parvis/kiosk/store"
)

// OpenStore opens the borne's database. The caller closes it.
func (b *Borne) OpenStore() *store.Store {
	b.t.Helper()
	st, err := store.Open(filepath.Join(b.Dir, "run/data"))
	b.must(err)
	return st
}

// Waiting is a request as IT sees it while it waits for the hub.
type Waiting struct {
	Code string `json:"code"`
	ID   string `json:"id"`
}

// Waiting lists the requests that wait for the hub, as IT's command does.
func (b *Borne) Waiting() []Waiting {
	b.t.Helper()
	var all []Waiting
	lines := bufio.NewScanner(strings.NewReader(b.Command("callback", "list", "--data", "run/data", "--json")))
	for lines.Scan() {
		var w Waiting
		if err := json.Unmarshal(lines.Bytes(), &w); err != nil {
			b.t.Fatalf("%v in %s", err, lines.Text())
		}
		all = append(all, w)
	}
	return all
}

// Requests opens the requests that wait with the key of the demo hub, as the hub
// will.
func (b *Borne) Requests() []callback.Request {
	b.t.Helper()
	root, err := Root()
	b.must(err)
	key, err := os.Open(filepath.Join(root, "content/demo/demo-hub.key"))
	b.must(err)
	defer key.Close()
	ids, err := age.ParseIdentities(key)
	b.must(err)
	st := b.OpenStore()
	defer st.Close()
	sealed, err := st.Outbox(b.t.Context())
	b.must(err)
	var all []callback.Request
	for _, s := range sealed {
		r, err := callback.Unseal(s.Data, ids...)
		if err != nil {
			b.t.Fatalf("%s: %v", s.Code, err)
		}
		if r.Code != s.Code || r.ID != s.ID {
			b.t.Errorf("%s (%s) holds the request %s (%s)", s.Code, s.ID, r.Code, r.ID)
		}
		all = append(all, r)
	}
	return all
}
