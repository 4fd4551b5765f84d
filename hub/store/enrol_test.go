package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
)

func TestSites(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		for id, name := range map[string]string{"z": "Zénith", "e": "École du Neuhof", "m": "Mairie", "e2": "Espace Égalité"} {
			must(t, s.PutSite(ctx, store.Site{ID: id, Name: name, Created: noon}))
		}
		must(t, s.PutSite(ctx, store.Site{ID: "m", Name: "Mairie centrale", Created: noon.Add(time.Hour)}))
		sites, err := s.Sites(ctx)
		must(t, err)
		var names []string
		for _, site := range sites {
			names = append(names, site.Name)
			if !site.Created.Equal(noon) {
				t.Errorf("%s was made at %v", site.ID, site.Created)
			}
		}
		if got, want := fmt.Sprint(names), "[École du Neuhof Espace Égalité Mairie centrale Zénith]"; got != want {
			t.Errorf("sites: %s, want %s", got, want)
		}
		if site, err := s.Site(ctx, "m"); err != nil || site.Name != "Mairie centrale" || !site.Created.Equal(noon) {
			t.Errorf("one site: %+v, %v", site, err)
		}
		if _, err := s.Site(ctx, "nowhere"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("no such site: %v", err)
		}
		for _, bad := range []store.Site{{ID: "", Name: "a"}, {ID: "Neudorf", Name: "a"}, {ID: "a b", Name: "a"}, {ID: "a", Name: " "}} {
			if s.PutSite(ctx, bad) == nil {
				t.Errorf("%+v was taken", bad)
			}
		}
	})
}

func TestCreateToken(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		mustSite(t, s)
		must(t, s.PutSite(ctx, store.Site{ID: "ecole", Name: "École Élisée-Reclus", Created: noon}))
		must(t, s.PutSite(ctx, store.Site{ID: "quartier", Name: "maison de quartier", Created: noon}))
		n := 0
		create := func(site string, created time.Time) (store.Token, error) {
			n++
			return s.CreateToken(ctx, store.Token{Hash: key(fmt.Sprint("t", n)), Site: store.Site{ID: site},
				Created: created, Expires: created.Add(24 * time.Hour)})
		}
		wantID := func(site string, created time.Time, want string) store.Token {
			t.Helper()
			token, err := create(site, created)
			must(t, err)
			if token.Borne != want || token.ID == "" {
				t.Errorf("token %q for %q, want %q", token.ID, token.Borne, want)
			}
			return token
		}
		wantID("neudorf", noon, "MN-01")
		second := wantID("neudorf", noon, "MN-02")
		wantID("ecole", noon, "EER-01")
		wantID("quartier", noon, "QU-01")
		must(t, s.WithdrawToken(ctx, second.ID))
		wantID("neudorf", noon, "MN-02") // it is free again
		wantID("neudorf", noon.Add(48*time.Hour), "MN-01")
		mustEnrol(t, s, "MN-07")
		must(t, s.Revoke(ctx, "MN-07", noon))
		wantID("neudorf", noon, "MN-08")

		if _, err := create("nowhere", noon); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a token for a site that isn't there: %v", err)
		}
		_, err := s.CreateToken(ctx, store.Token{Hash: key("t1"), Site: store.Site{ID: "neudorf"}, Created: noon, Expires: noon.Add(1)})
		if err == nil {
			t.Error("a hash was taken twice, or a token that ends within its millisecond")
		}
		_, err = s.CreateToken(ctx, store.Token{Hash: key("t1"), Site: store.Site{ID: "neudorf"}, Created: noon, Expires: noon.Add(time.Hour)})
		if !errors.Is(err, store.ErrExists) {
			t.Errorf("a hash twice: %v", err)
		}
		_, err = s.CreateToken(ctx, store.Token{Hash: key("x"), Site: store.Site{ID: "neudorf"}, Borne: "../x", Created: noon, Expires: noon.Add(time.Hour)})
		if err == nil {
			t.Error("a borne called ../x")
		}
		if err := s.WithdrawToken(ctx, second.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("withdrawn twice: %v", err)
		}

		tokens, err := s.Tokens(ctx, noon.Add(time.Hour))
		must(t, err)
		if len(tokens) != 6 {
			t.Errorf("%d tokens, want 6", len(tokens))
		}
		for i, token := range tokens {
			if i > 0 && token.Created.After(tokens[i-1].Created) {
				t.Error("the newest don't come first")
			}
			if token.Site.Name == "" || len(token.Hash) != 32 {
				t.Errorf("token %+v", token)
			}
		}
	})
}

// Two hubs give out IDs at once: no two bornes get the same.
func TestCreateTokenAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		hubs := []*store.Store{open(), open()}
		mustSite(t, hubs[0])
		var mu sync.Mutex
		given := make(map[string]bool)
		var group sync.WaitGroup
		for i := range 12 {
			group.Go(func() {
				token, err := hubs[i%2].CreateToken(ctx, store.Token{Hash: key(fmt.Sprint(i)), Site: store.Site{ID: "neudorf"},
					Created: noon, Expires: noon.Add(time.Hour)})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				if given[token.Borne] {
					t.Errorf("%s twice", token.Borne)
				}
				given[token.Borne] = true
			})
		}
		group.Wait()
	})
}

func TestEnrol(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		mustSite(t, s)
		mustToken(t, s, "code", "MN-01")
		wantNone := func(when, code, holder, serial string, now time.Time) {
			t.Helper()
			if _, err := s.Enrol(ctx, key(code), key(holder), certificate(serial), now); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: %v", when, err)
			}
		}
		wantNone("an altered code", "kode", "a", "s1", noon)
		wantNone("an expired code", "code", "a", "s1", noon.Add(24*time.Hour))

		b, err := s.Enrol(ctx, key("code"), key("a"), certificate("s1"), noon.Add(time.Minute))
		must(t, err)
		if b.ID != "MN-01" || b.Serial != "s1" || b.Site.Name != "Mairie de Neudorf" || !b.Enrolled.Equal(noon.Add(time.Minute)) ||
			!b.CertEnds.Equal(certificate("").Ends) || !b.Seen.IsZero() || !b.Revoked.IsZero() {
			t.Errorf("enrolled: %+v", b)
		}
		wantNone("a used code with another key", "code", "b", "s2", noon)
		if tokens, err := s.Tokens(ctx, noon); err != nil || len(tokens) != 0 {
			t.Errorf("a used token is listed: %v, %v", tokens, err)
		}

		// The answer was lost, and the borne asks again.
		b, err = s.Enrol(ctx, key("code"), key("a"), certificate("s2"), noon.Add(2*time.Minute))
		must(t, err)
		if b.Serial != "s2" || !b.Enrolled.Equal(noon.Add(time.Minute)) {
			t.Errorf("asked again: %+v", b)
		}
		id, err := s.Identity(ctx, "MN-01")
		must(t, err)
		if id.Serial != "s2" || id.Revoked || !id.Trusts("s1") || !id.Trusts("s2") || id.Trusts("s3") {
			t.Errorf("identity: %+v", id)
		}
		wantNone("after its life, even with the same key", "code", "a", "s3", noon.Add(24*time.Hour))

		must(t, s.Revoke(ctx, "MN-01", noon.Add(time.Hour)))
		wantNone("the used code does not undo a revocation", "code", "a", "s3", noon.Add(time.Hour))

		mustToken(t, s, "withdrawn", "MN-02")
		tokens, err := s.Tokens(ctx, noon)
		must(t, err)
		must(t, s.WithdrawToken(ctx, tokens[0].ID))
		wantNone("a withdrawn code", "withdrawn", "c", "s4", noon)
		if _, err := s.Identity(ctx, "MN-02"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a borne came of it: %v", err)
		}
	})
}

func TestEnrolAnew(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		mustEnrol(t, s, "MN-01")
		old := report("MN-01", 1, 1, noon)
		old.Report.Faults = []link.Fault{{Fault: "disk", Since: noon.Unix()}}
		mustPut(t, s, old)
		must(t, s.SetCloned(ctx, "MN-01", noon))
		must(t, s.PutCommand(ctx, command(t, "MN-01", "restart_app", noon)))
		must(t, s.Revoke(ctx, "MN-01", noon.Add(time.Minute)))

		mustToken(t, s, "second", "MN-01")
		b, err := s.Enrol(ctx, key("second"), key("new machine"), certificate("2-MN-01"), noon.Add(time.Hour))
		must(t, err)
		if !b.Revoked.IsZero() || !b.Cloned.IsZero() || !b.Seen.IsZero() || b.Serial != "2-MN-01" || !b.Enrolled.Equal(noon.Add(time.Hour)) {
			t.Errorf("enrolled anew: %+v", b)
		}
		id, err := s.Identity(ctx, "MN-01")
		must(t, err)
		if id.Revoked || !id.Trusts("2-MN-01") || id.Trusts("1-MN-01") {
			t.Errorf("identity: %+v", id)
		}
		if taken := mustPut(t, s, report("MN-01", 1, 2, noon.Add(time.Hour))); !taken[0].Refused {
			t.Errorf("a report with the old certificate: %+v", taken)
		}
		fresh := report("MN-01", 2, 1, noon.Add(time.Hour))
		fresh.Serial = "2-MN-01"
		if taken := mustPut(t, s, fresh); taken[0] != (store.Taken{}) {
			t.Errorf("the first report of the new machine: %+v", taken)
		}
		if faults, err := s.OpenFaults(ctx); err != nil || len(faults) != 0 {
			t.Errorf("the old machine's faults last: %v, %v", faults, err)
		}
		if commands, err := s.TakeCommands(ctx, "MN-01", noon); err != nil || len(commands) != 0 {
			t.Errorf("the new machine gets the old one's commands: %v, %v", commands, err)
		}
		samples, err := s.Samples(ctx, "MN-01", noon.Add(-time.Hour))
		must(t, err)
		if len(samples) != 2 || samples[0].Reports != 1 || samples[1].Reports != 1 {
			t.Errorf("hours of both machines: %+v", samples)
		}
		// The first machine's code is good for nothing now.
		if _, err := s.Enrol(ctx, key("token MN-01"), key("MN-01"), certificate("3"), noon); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the first code: %v", err)
		}
	})
}

// Twenty at once with one code and two keys: one key wins, wholly.
func TestEnrolRace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		hubs := []*store.Store{open(), open()}
		mustSite(t, hubs[0])
		mustToken(t, hubs[0], "code", "MN-01")
		won := make([]bool, 20)
		var group sync.WaitGroup
		start := make(chan struct{})
		for i := range won {
			group.Go(func() {
				<-start
				holder := []string{"a", "b"}[i%2]
				b, err := hubs[i/2%2].Enrol(ctx, key("code"), key(holder), certificate(fmt.Sprintf("%s%d", holder, i)), noon)
				won[i] = err == nil
				if err != nil && !errors.Is(err, store.ErrNotFound) || err == nil && b.ID != "MN-01" {
					t.Errorf("%d: %+v, %v", i, b, err)
				}
			})
		}
		close(start)
		group.Wait()
		id, err := hubs[1].Identity(ctx, "MN-01")
		must(t, err)
		winner := id.Serial[:1]
		for i, ok := range won {
			if holder := []string{"a", "b"}[i%2]; ok != (holder == winner) {
				t.Errorf("%d, with key %s: %v, but the winner is %s", i, holder, ok, winner)
			}
		}
		for _, serial := range id.Serials {
			if serial[:1] != winner {
				t.Errorf("the loser's certificate %s is trusted", serial)
			}
		}
	})
}

func TestRenew(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		mustEnrol(t, s, "MN-01")
		mustPut(t, s, report("MN-01", 1, 1, noon))
		// Thirty renewals whose answers were lost don't lock the borne out.
		for i := range 30 {
			must(t, s.Renew(ctx, "MN-01", key("next"), certificate(fmt.Sprint("lost", i)), noon))
		}
		id, err := s.Identity(ctx, "MN-01")
		must(t, err)
		if !id.Trusts("1-MN-01") || !id.Trusts("lost29") || id.Serial != "lost29" || len(id.Serials) > 20 {
			t.Errorf("identity: %+v", id)
		}
		if taken := mustPut(t, s, report("MN-01", 1, 2, noon)); taken[0] != (store.Taken{}) {
			t.Errorf("a report with the certificate that it has: %+v", taken)
		}
		if err := s.Renew(ctx, "MN-99", key("x"), certificate("x"), noon); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an unknown borne renews: %v", err)
		}
		must(t, s.Revoke(ctx, "MN-01", noon))
		if err := s.Renew(ctx, "MN-01", key("x"), certificate("x"), noon); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a revoked borne renews: %v", err)
		}
	})
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		mustEnrol(t, s, "MN-01", "MN-02")
		broken := report("MN-01", 1, 1, noon)
		broken.Report.Faults = []link.Fault{{Fault: "disk", Since: noon.Unix()}}
		mustPut(t, s, broken)
		must(t, s.Revoke(ctx, "MN-01", noon.Add(time.Minute)))
		must(t, s.Revoke(ctx, "MN-01", noon.Add(time.Hour)))
		if b := mustBorne(t, s, "MN-01"); !b.Revoked.Equal(noon.Add(time.Minute)) {
			t.Errorf("revoked at %v", b.Revoked)
		}
		id, err := s.Identity(ctx, "MN-01")
		must(t, err)
		if !id.Revoked || id.Trusts("1-MN-01") {
			t.Errorf("identity: %+v", id)
		}
		bornes, err := s.Bornes(ctx)
		must(t, err)
		if len(bornes) != 1 || bornes[0].ID != "MN-02" {
			t.Errorf("bornes: %+v", bornes)
		}
		if faults, err := s.OpenFaults(ctx); err != nil || len(faults) != 0 {
			t.Errorf("open faults: %v, %v", faults, err)
		}
		if taken := mustPut(t, s, report("MN-01", 1, 2, noon), report("MN-02", 1, 1, noon)); !taken[0].Refused || taken[1].Refused {
			t.Errorf("reports of a revoked borne and of another: %+v", taken)
		}
		if err := s.Revoke(ctx, "MN-99", noon); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an unknown borne: %v", err)
		}
	})
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		hubs := []*store.Store{open(), open()}
		if _, err := hubs[0].Secret(ctx, "ca"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a secret that isn't there: %v", err)
		}
		got := make([][]byte, 10)
		var group sync.WaitGroup
		for i := range got {
			group.Go(func() {
				var err error
				if got[i], err = hubs[i%2].PutSecretOnce(ctx, "ca", []byte{byte(i), 0, 255}); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		for i := range got {
			if !bytes.Equal(got[i], got[0]) || len(got[i]) != 3 {
				t.Errorf("%d got %v, the first %v", i, got[i], got[0])
			}
		}
		must(t, hubs[0].PutSecret(ctx, "ca", []byte("other")))
		if data, err := hubs[1].Secret(ctx, "ca"); err != nil || string(data) != "other" {
			t.Errorf("put anew: %q, %v", data, err)
		}

		if value, err := hubs[0].Setting(ctx, "mail"); err != nil || value != "" {
			t.Errorf("a setting that isn't there: %q, %v", value, err)
		}
		must(t, hubs[0].SetSetting(ctx, "mail", "é"))
		must(t, hubs[0].SetSetting(ctx, "mail", "è"))
		if value, err := hubs[1].Setting(ctx, "mail"); err != nil || value != "è" {
			t.Errorf("setting: %q, %v", value, err)
		}
		must(t, hubs[0].SetSetting(ctx, "mail", ""))
		if value, err := hubs[1].Setting(ctx, "mail"); err != nil || value != "" {
			t.Errorf("removed: %q, %v", value, err)
		}
	})
}

func TestLease(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		hubs := []*store.Store{open(), open()}
		steps := []struct {
			hub    int
			holder string
			now    time.Duration
			want   bool
		}{
			{0, "a", 0, true},
			{1, "b", time.Second, false},
			{0, "a", 30 * time.Second, true}, // prolongs it to 90 s
			{1, "b", 70 * time.Second, false},
			{1, "b", 90 * time.Second, true},
			{0, "a", 91 * time.Second, false},
		}
		for i, step := range steps {
			now := noon.Add(step.now)
			got, err := hubs[step.hub].Lease(ctx, "alerts", step.holder, now, now.Add(time.Minute))
			if err != nil || got != step.want {
				t.Errorf("step %d: %v, %v", i, got, err)
			}
		}
		var mu sync.Mutex
		held := 0
		var group sync.WaitGroup
		for i := range 10 {
			group.Go(func() {
				got, err := hubs[i%2].Lease(ctx, "mail", fmt.Sprint(i), noon, noon.Add(time.Minute))
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				if got {
					held++
				}
			})
		}
		group.Wait()
		if held != 1 {
			t.Errorf("%d hold it", held)
		}
	})
}
