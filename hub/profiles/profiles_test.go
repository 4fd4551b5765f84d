package profiles_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parvis/hub/profiles"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/provisioning/profile"
)

var (
	ctx  = context.Background()
	noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// enrol puts a borne into the fleet, and makes its site where it is missing.
func enrol(t testing.TB, s *store.Store, site, borne string) {
	t.Helper()
	must(t, s.PutSite(ctx, store.Site{ID: site, Name: "Mairie de " + site, Created: noon}))
	hash := sha256.Sum256([]byte("token " + borne))
	key := sha256.Sum256([]byte(borne))
	_, err := s.CreateToken(ctx, store.Token{Hash: hash[:], Site: store.Site{ID: site}, Borne: borne, Created: noon, Expires: noon.Add(time.Hour)})
	must(t, err)
	_, err = s.Enrol(ctx, hash[:], key[:], store.Certificate{Serial: "1-" + borne, Ends: noon.AddDate(0, 0, 14)}, noon)
	must(t, err)
}

// hub is one hub over a database.
func hub(s *store.Store) *profiles.Profiles {
	return profiles.New(profiles.Options{Store: s, Now: func() time.Time { return noon }, Further: []profile.Further{noRadio}})
}

// noRadio stands for the checks that only the program can make.
func noRadio(p *profile.Profile) map[string]error {
	if p.Site.Opening == "never" {
		return map[string]error{"site.ouverture": errors.New("heures illisibles")}
	}
	return nil
}

var (
	city    = profiles.Layer{Scope: store.CityProfile}
	neudorf = profiles.Layer{Scope: store.SiteProfile, Object: "neudorf"}
	south   = profiles.Layer{Scope: store.GroupProfile, Object: "sud"}
)

// save changes a layer as somebody does who has just looked at it.
func save(t testing.TB, p *profiles.Profiles, l profiles.Layer, text string) (*profiles.Effect, error) {
	t.Helper()
	history, err := p.Store.ProfileHistory(ctx, l.Scope, l.Object, 1)
	must(t, err)
	base := int64(0)
	if len(history) > 0 {
		base = history[0].N
	}
	return p.Save(ctx, profiles.Change{Layer: l, Text: text, By: "Anne", Why: "pour voir", Base: base})
}

// wanted reads the profile that a borne should have, as the borne does: once more
// where it was another meanwhile. It is nil for none.
func wanted(t testing.TB, s *store.Store, borne string) *profile.Profile {
	t.Helper()
	w, err := s.Wanted(ctx, borne)
	must(t, err)
	if w.Profile == nil {
		return nil
	}
	file, err := s.File(ctx, w.Profile.SHA256)
	if now, _ := s.Wanted(ctx, borne); errors.Is(err, store.ErrNotFound) && now.Tag != w.Tag {
		return wanted(t, s, borne)
	}
	must(t, err)
	data, err := io.ReadAll(file)
	must(t, err)
	if int64(len(data)) != w.Profile.Size {
		t.Errorf("%s: %d bytes, not %d", borne, len(data), w.Profile.Size)
	}
	p, err := profile.Parse("profil.toml", data)
	must(t, err)
	return p
}

// Layers reach the bornes that they are for, the lower over the higher.
func TestLayers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		p := hub(s)
		enrol(t, s, "neudorf", "MN-01")
		enrol(t, s, "neudorf", "MN-02")
		enrol(t, s, "centre", "MC-01")
		must(t, p.Refresh(ctx))
		if wanted(t, s, "MN-01") != nil {
			t.Error("without any layer, a borne is wanted to have a profile")
		}
		must(t, s.PutGroup(ctx, store.Group{ID: "sud", Name: "Quartiers sud", Created: noon}))
		_, err := p.Move(ctx, "neudorf", "sud")
		must(t, err)

		_, err = save(t, p, neudorf, "[son]\nvolume = 5\n")
		must(t, err)
		if got := wanted(t, s, "MN-02"); got.Sound.Volume != 5 || got.Site.ID != "neudorf" || got.Site.Name != "Mairie de neudorf" {
			t.Errorf("MN-02: %+v", got)
		}
		if wanted(t, s, "MC-01") != nil {
			t.Error("another site's borne has got the layer")
		}
		_, err = save(t, p, south, "[son]\nvolume = 6\nniveau = 40\n")
		must(t, err)
		effect, err := save(t, p, city, "[son]\nniveau = 50\nsortie = \"casque\"\n")
		must(t, err)
		if !slices.Equal(effect.First, []string{"MC-01"}) || len(effect.Changed) != 3 {
			t.Errorf("effect %+v", effect)
		}
		_, err = save(t, p, profiles.Layer{Scope: store.BorneProfile, Object: "MN-01"}, "[site]\nnom = \"Accueil\"\n")
		must(t, err)
		one, two, other := wanted(t, s, "MN-01"), wanted(t, s, "MN-02"), wanted(t, s, "MC-01")
		if one.Site.Name != "Accueil" || two.Site.Name != "Mairie de neudorf" {
			t.Errorf("names %q, %q", one.Site.Name, two.Site.Name)
		}
		if one.Sound.Volume != 5 || one.Sound.Level != 40 || one.Sound.Output != "casque" || other.Sound.Level != 50 || other.Sound.Volume != 3 {
			t.Errorf("sound %+v, %+v", one.Sound, other.Sound)
		}
		_, err = p.Move(ctx, "neudorf", "")
		must(t, err)
		if got := wanted(t, s, "MN-02"); got.Sound.Level != 50 {
			t.Errorf("out of the group: %+v", got.Sound)
		}
	})
}

// A profile that no borne is to have any more is not kept: it may hold secrets.
func TestOldProfilesGo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		p := hub(s)
		enrol(t, s, "neudorf", "MN-01")
		enrol(t, s, "neudorf", "MN-02")
		sums := func() (sums [2]string) {
			t.Helper()
			for i, borne := range []string{"MN-01", "MN-02"} {
				wanted(t, s, borne) // whose file is there
				w, err := s.Wanted(ctx, borne)
				must(t, err)
				sums[i] = w.Profile.SHA256
			}
			return sums
		}
		kept := func(sum string, want bool) {
			t.Helper()
			if _, err := s.File(ctx, sum); (err == nil) != want || err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: %v, want %t", sum, err, want)
			}
		}
		_, err := save(t, p, neudorf, "[son]\nvolume = 5\n")
		must(t, err)
		both := sums()
		if both[0] != both[1] {
			t.Fatal("two profiles of the same layers")
		}
		one := profiles.Layer{Scope: store.BorneProfile, Object: "MN-01"}
		_, err = save(t, p, one, "[son]\nvolume = 6\n")
		must(t, err)
		apart := sums()
		kept(both[0], true) // the other's
		_, err = save(t, p, neudorf, "[son]\nvolume = 7\n")
		must(t, err)
		kept(both[0], false)
		_, err = save(t, p, one, "")
		must(t, err)
		kept(apart[0], false)
		_, err = save(t, p, neudorf, "[son]\nvolume = 5\n") // as it was
		must(t, err)
		if sums() != both {
			t.Error("the profile of before has another name")
		}
	})
}

// A change that would break a borne is refused, says which and why, and nothing
// is changed.
func TestRefused(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.SQLite(t))
	p := hub(s)
	enrol(t, s, "neudorf", "MN-01")
	enrol(t, s, "centre", "MC-01")
	_, err := save(t, p, neudorf, "[[lecteurs]]\ntype = \"rfid\"\nport = \"/dev/a\"\n")
	must(t, err)
	before := wanted(t, s, "MN-01")

	_, err = save(t, p, city, "[imprimante]\nport = \"/dev/a\"\n")
	var breaks profiles.BreaksError
	if !errors.As(err, &breaks) || len(breaks) != 1 || breaks[0].Borne != "MN-01" {
		t.Fatalf("error %v", err)
	}
	if !strings.Contains(err.Error(), "Site Mairie de neudorf:3: lecteurs n° 1: port: ce port est déjà") {
		t.Errorf("the error doesn't say where: %v", err)
	}
	for text, want := range map[string]string{
		"[ecran]\ndiagonal = 32\n":             "Ville:2: «\u00a0ecran.diagonal\u00a0» n’existe pas, vouliez-vous «\u00a0ecran.diagonale\u00a0»\u00a0?",
		"[site]\nouverture = \"never\"\n":      "Ville:2: site.ouverture: heures illisibles",
		"[site]\nid = \n":                      "Ville:2: ",
		"retirer = [\"site.nim\"]\n":           "vouliez-vous «\u00a0site.nom\u00a0»",
		"retirer = [\"site.nom\"]\n":           "site.nom",
		"[son]\nvolume = 9\nsortie = \"radi\"": "Ville:2: son.volume",
	} {
		if _, err := save(t, p, city, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %q", text, err, want)
		}
	}
	if after := wanted(t, s, "MN-01"); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("changed: %+v", after)
	}
	if history, err := s.ProfileHistory(ctx, store.CityProfile, "", 10); err != nil || len(history) > 0 {
		t.Errorf("history %+v, %v", history, err)
	}
	for _, l := range []profiles.Layer{{Scope: store.SiteProfile, Object: "x"}, {Scope: store.GroupProfile, Object: "x"}, {Scope: store.BorneProfile, Object: "x"}, {Scope: "pays"}} {
		if _, err := save(t, p, l, "[son]\nvolume = 4\n"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%v: %v", l, err)
		}
	}
}

// What somebody else has written meanwhile is not overwritten.
func TestOutdated(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.SQLite(t))
	p := hub(s)
	enrol(t, s, "neudorf", "MN-01")
	_, err := p.Save(ctx, profiles.Change{Layer: city, Text: "[son]\nvolume = 4\n"})
	must(t, err)
	if _, err := p.Save(ctx, profiles.Change{Layer: city, Text: "[son]\nvolume = 5\n"}); !errors.Is(err, profiles.ErrOutdated) {
		t.Errorf("over a version that came in between: %v", err)
	}
	if _, err := p.Save(ctx, profiles.Change{Layer: city, Text: "[son]\nvolume = 4\n", Base: 1}); !errors.Is(err, profiles.ErrSame) {
		t.Errorf("the same again: %v", err)
	}
	if _, err := p.Save(ctx, profiles.Change{Layer: neudorf, Text: "[son]\nvolume = 5\n"}); err != nil {
		t.Errorf("another layer: %v", err)
	}
}

// Bornes that come later get theirs, and those of a renamed site too, by
// whichever hub looks first; a hub that was cut off catches up.
func TestServe(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		served, other := open(), open()
		enrol(t, other, "neudorf", "MN-01")
		_, err := save(t, hub(other), city, "[son]\nvolume = 4\n")
		must(t, err)
		running, stop := context.WithCancel(ctx)
		var done sync.WaitGroup
		done.Go(func() { _ = hub(served).Serve(running) })
		defer done.Wait()
		defer stop()
		enrol(t, other, "centre", "MC-01")
		until(t, func() bool { p := wanted(t, other, "MC-01"); return p != nil && p.Sound.Volume == 4 })
		must(t, other.PutSite(ctx, store.Site{ID: "neudorf", Name: "Mairie du Neudorf", Created: noon}))
		until(t, func() bool { return wanted(t, other, "MN-01").Site.Name == "Mairie du Neudorf" })
	})
}

func until(t testing.TB, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never so")
		}
	}
}

// Several hubs change different layers at once: all changes are there in the
// end, and no two that break a borne only together.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		for i := range 6 {
			enrol(t, s, "neudorf", fmt.Sprintf("MN-%02d", i+1))
		}
		hubs := []*profiles.Profiles{hub(open()), hub(open())}
		var done sync.WaitGroup
		for i := range 6 {
			done.Go(func() {
				l := profiles.Layer{Scope: store.BorneProfile, Object: fmt.Sprintf("MN-%02d", i+1)}
				_, err := hubs[i%2].Save(ctx, profiles.Change{Layer: l, Text: fmt.Sprintf("[son]\nvolume = %d\n", i+1)})
				if err != nil {
					t.Error(err)
				}
			})
		}
		done.Wait()
		for i := range 6 {
			if got := wanted(t, s, fmt.Sprintf("MN-%02d", i+1)); got == nil || got.Sound.Volume != i+1 {
				t.Errorf("borne %d: %+v", i+1, got)
			}
		}
		results := make([]error, 2)
		for i, c := range []profiles.Change{
			{Layer: city, Text: "[imprimante]\nport = \"/dev/a\"\n"},
			{Layer: neudorf, Text: "[[lecteurs]]\ntype = \"rfid\"\nport = \"/dev/a\"\n"},
		} {
			done.Go(func() { _, results[i] = hubs[i].Save(ctx, c) })
		}
		done.Wait()
		if (results[0] == nil) == (results[1] == nil) {
			t.Errorf("two changes that break bornes together: %v", results)
		}
		broken, err := hubs[0].Broken(ctx)
		if err != nil || len(broken) > 0 {
			t.Errorf("broken: %v, %v", broken, err)
		}
	})
}

// A borne that breaks without a change of its layers keeps the profile it has,
// and is told of.
func TestBroken(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.SQLite(t))
	enrol(t, s, "neudorf", "MN-01")
	_, err := save(t, hub(s), city, "[son]\nvolume = 4\n")
	must(t, err)
	stricter := profiles.New(profiles.Options{Store: s, Further: []profile.Further{func(p *profile.Profile) map[string]error {
		return map[string]error{"son.volume": errors.New("trop fort")}
	}}})
	must(t, stricter.Refresh(ctx))
	if got := wanted(t, s, "MN-01"); got.Sound.Volume != 4 {
		t.Errorf("%+v", got.Sound)
	}
	broken, err := stricter.Broken(ctx)
	must(t, err)
	if len(broken) != 1 || broken[0].Borne != "MN-01" || !strings.Contains(broken[0].Err.Error(), "Ville:2: son.volume: trop fort") {
		t.Errorf("%v", broken)
	}
}

// A group that is removed takes its layer with it.
func TestRemoveGroup(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.SQLite(t))
	p := hub(s)
	enrol(t, s, "neudorf", "MN-01")
	must(t, s.PutGroup(ctx, store.Group{ID: "sud", Name: "Quartiers sud", Created: noon}))
	_, err := p.Move(ctx, "neudorf", "sud")
	must(t, err)
	_, err = save(t, p, south, "[son]\nvolume = 6\n")
	must(t, err)
	_, err = p.RemoveGroup(ctx, "sud", "Anne")
	must(t, err)
	if got := wanted(t, s, "MN-01"); got.Sound.Volume != 3 {
		t.Errorf("%+v", got.Sound)
	}
	must(t, s.PutGroup(ctx, store.Group{ID: "sud", Name: "Quartiers sud", Created: noon}))
	_, err = p.Move(ctx, "neudorf", "sud")
	must(t, err)
	if got := wanted(t, s, "MN-01"); got.Sound.Volume != 3 {
		t.Errorf("the layer of the group before is back: %+v", got.Sound)
	}
}
