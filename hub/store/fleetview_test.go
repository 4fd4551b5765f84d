package store_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
)

func TestHeads(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		mustEnrol(t, s, "MN-03", "MN-01", "MN-02", "MN-04")
		// "É" comes between "D" and "F", whatever the database thinks.
		for id, name := range map[string]string{"ecole": "École", "zoo": "Zoo"} {
			must(t, s.PutSite(ctx, store.Site{ID: id, Name: name, Created: noon}))
			_, err := s.CreateToken(ctx, store.Token{Hash: key("token " + id), Site: store.Site{ID: id}, Borne: strings.ToUpper(id), Created: noon, Expires: noon.Add(time.Hour)})
			must(t, err)
			_, err = s.Enrol(ctx, key("token "+id), key(id), certificate("1-"+strings.ToUpper(id)), noon)
			must(t, err)
		}
		must(t, s.Revoke(ctx, "MN-04", noon))
		must(t, s.SetCloned(ctx, "MN-02", noon.Add(time.Minute)))
		sick := report("MN-01", 1, 1, noon)
		sick.Report.App = link.AppServing
		sick.Report.Faults = []link.Fault{{Fault: link.FaultDisk, Since: noon.Unix()}}
		sick.Report.Devices = []link.Device{
			{Name: "a", Kind: "ticket_printer", State: "user_error", Fault: "no_paper", Since: noon.Unix()},
			{Name: "b", Kind: "office_printer", State: "user_error", Fault: "no_paper", Since: noon.Unix()},
		}
		mustPut(t, s, sick, report("MN-02", 1, 1, noon))
		must(t, s.PutCommand(ctx, store.Command{Command: link.Command{ID: uuid.Must(uuid.NewV7()), Kind: link.Update, Expires: noon.Add(time.Hour).UnixMilli()}, Borne: "MN-02", Created: noon}))

		heads, err := s.Heads(ctx)
		must(t, err)
		var got []string
		for _, h := range heads {
			faults := slices.Sorted(slices.Values(h.Faults))
			got = append(got, fmt.Sprintf("%s %s %q %v seen %v cloned %v updating %v", h.Site.Name, h.ID, h.App, faults, !h.Seen.IsZero(), !h.Cloned.IsZero(), h.Updating))
		}
		want := []string{
			`École ECOLE "" [] seen false cloned false updating false`,
			`Mairie de Neudorf MN-01 "serving" [disk no_paper] seen true cloned false updating false`,
			`Mairie de Neudorf MN-02 "idle" [] seen true cloned true updating true`,
			`Mairie de Neudorf MN-03 "" [] seen false cloned false updating false`,
			`Zoo ZOO "" [] seen false cloned false updating false`,
		}
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}

		some, err := s.Heads(ctx, "ZOO", "MN-01", "MN-04", "XX-01")
		must(t, err)
		if len(some) != 2 {
			t.Errorf("of four IDs, two are there and trusted; got %+v", some)
		}
		bornes, err := s.BornesByID(ctx, []string{"MN-01", "MN-04", "XX-01"})
		must(t, err)
		if len(bornes) != 2 || bornes["MN-01"].State.App != link.AppServing || bornes["MN-04"].Revoked.IsZero() {
			t.Errorf("bornes by ID: %+v", bornes)
		}
	})
}

func TestHeadsOfMany(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		var ids []string
		for i := range 200 { // more than one statement asks for
			ids = append(ids, fmt.Sprintf("MN-%03d", i))
		}
		mustEnrolMany(t, s, ids)
		var reports []store.Incoming
		for i, id := range ids {
			r := report(id, 1, 1, noon)
			r.Report.Counts = map[string]map[string]int{"2026-11-21": {"visit": i, "visit.h09": i, "visit.h23": 1, "visit.h99": 5, "visitor.h09": 9}, "2026-11-20": {"visit.h09": 1000}}
			reports = append(reports, r)
		}
		mustPut(t, s, reports...)
		for _, n := range []int{1, 3, 64, 65, 200} {
			heads, err := s.Heads(ctx, ids[:n]...)
			must(t, err)
			bornes, err := s.BornesByID(ctx, ids[:n])
			must(t, err)
			visits, err := s.VisitsOf(ctx, "2026-11-21", ids[:n])
			must(t, err)
			if len(heads) != n || len(bornes) != n || len(visits) != n {
				t.Errorf("of %d: %d heads, %d bornes, visits of %d", n, len(heads), len(bornes), len(visits))
			}
			if last := visits[ids[n-1]]; last[9] != n-1 || last[23] != 1 {
				t.Errorf("visits of %s: %v", ids[n-1], last)
			}
		}
		fives := 0
		for i := range 200 {
			fives += i / 5 * 5
		}
		for _, day := range []struct {
			day        string
			hour, step int
			want       int
		}{
			{"2026-11-20", 10, 1, 200 * 1000}, {"2026-11-20", 9, 1, 0}, {"2026-11-19", 24, 1, 0},
			{"2026-11-21", 23, 1, 199 * 200 / 2}, {"2026-11-21", 23, 5, fives}, {"2026-11-21", 10, 300, 0},
		} {
			if sum, err := s.VisitsOn(ctx, day.day, day.hour, day.step); err != nil || sum != day.want {
				t.Errorf("%+v: %d visits, %v", day, sum, err)
			}
		}
	})
}

func TestIdentities(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		var ids []string
		for i := range 150 { // more than one statement asks for
			ids = append(ids, fmt.Sprintf("MN-%03d", i))
		}
		mustEnrolMany(t, s, ids)
		must(t, s.Revoke(ctx, "MN-149", noon))
		known, err := s.Identities(ctx, append(ids, "XX-01"))
		must(t, err)
		if len(known) != len(ids) {
			t.Errorf("%d of %d", len(known), len(ids))
		}
		for _, id := range ids {
			want, err := s.Identity(ctx, id)
			must(t, err)
			if !reflect.DeepEqual(known[id], want) || want.Trusts("1-"+id) == want.Revoked {
				t.Errorf("%s: %+v, not %+v", id, known[id], want)
			}
		}
	})
}
