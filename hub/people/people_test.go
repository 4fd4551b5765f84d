package people_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"parvis/hub/people"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
)

// The table of who may do what, spelled out once more.
func TestPermissions(t *testing.T) {
	t.Parallel()
	may := map[people.Role][]people.Permission{
		people.NoRole:   {},
		"made up":       {},
		people.Reader:   {people.FleetSee, people.AlertsSee, people.StatsSee},
		people.Mediator: {people.FleetSee, people.AlertsSee, people.StatsSee, people.BorneMessage, people.CallbacksSee},
		people.Agent:    {people.FleetSee, people.AlertsSee, people.StatsSee, people.BorneMessage, people.BorneCommand, people.BorneScreenshot},
		people.IT: {people.FleetSee, people.AlertsSee, people.StatsSee, people.BorneMessage, people.BorneCommand, people.BorneScreenshot,
			people.BorneMaintain, people.BorneLogs, people.EnrolManage, people.ProfilesManage, people.RolloutManage, people.AlertsManage, people.AuditSee},
		people.Admin: people.Permissions(),
	}
	for role, list := range may {
		for _, p := range people.Permissions() {
			if got := role.May(p); got != slices.Contains(list, p) {
				t.Errorf("role %q, %s: %v", role, p, got)
			}
		}
		if role.May("made.up") {
			t.Errorf("role %q may do what isn't in the table", role)
		}
	}
	if len(people.Permissions()) != 18 {
		t.Errorf("%d permissions", len(people.Permissions()))
	}
}

func TestCreate(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		p, err := h.Create(ctx, "  Claire   Weber ", "Claire.Weber@Ville.fr", people.Agent)
		must(t, err)
		if p.Name != "Claire Weber" || p.Email != "claire.weber@ville.fr" || !p.Invited() {
			t.Errorf("made %+v", p)
		}
		for _, tt := range []struct {
			name, email string
			role        people.Role
			field       string
		}{
			{"", "a@ville.fr", people.Agent, "name"},
			{"A\x00B", "a@ville.fr", people.Agent, "name"},
			{"Anne", "", people.Agent, "email"},
			{"Anne", "ville.fr", people.Agent, "email"},
			{"Anne", "Anne <a@ville.fr>", people.Agent, "email"},
			{"Anne", "CLAIRE.weber@ville.fr", people.Agent, "email"},
			{"Anne", "a@ville.fr", people.NoRole, "role"},
			{"Anne", "a@ville.fr", "root", "role"},
		} {
			_, err := h.Create(ctx, tt.name, tt.email, tt.role)
			wantField(t, err, tt.field)
		}
		other, err := h.Create(ctx, "Anne", "a@ville.fr", people.Reader)
		must(t, err)
		_, err = h.Rename(ctx, other.ID, "Anne", "claire.weber@ville.fr")
		wantField(t, err, "email")
		_, err = h.Rename(ctx, "nobody", "Anne", "b@ville.fr")
		want(t, err, people.ErrNotFound)
		list, err := h.List(ctx)
		must(t, err)
		if len(list) != 2 || list[0].Name != "Anne" {
			t.Errorf("listed %+v", list)
		}
	})
}

func TestSetupLink(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		first, err := h.SetupLink(ctx)
		must(t, err)
		second, err := h.SetupLink(ctx) // another hub starts
		must(t, err)
		if first == second {
			t.Error("both links are the same")
		}
		_, err = h.Accept(ctx, token(t, first), "", "anne@ville.fr", good)
		wantField(t, err, "name")
		_, err = h.Accept(ctx, token(t, first), "Anne Roth", "anne@ville.fr", "annerothanneroth")
		wantField(t, err, "password")
		p, err := h.Linked(ctx, token(t, first))
		must(t, err)
		if p.ID != "" {
			t.Errorf("the link is for %+v", p)
		}
		anne, err := h.Accept(ctx, token(t, first), "Anne Roth", "anne@ville.fr", good)
		must(t, err)
		if anne.Role != people.Admin {
			t.Errorf("the first person is %q", anne.Role)
		}
		for _, path := range []string{first, second} {
			_, err = h.Accept(ctx, token(t, path), "Eve", "eve@example.org", good)
			want(t, err, people.ErrNotFound)
		}
		if path, err := h.SetupLink(ctx); err != nil || path != "" {
			t.Errorf("there is another link: %q, %v", path, err)
		}
	})
}

func TestSetupLinkUsedAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		path, err := h.SetupLink(ctx)
		must(t, err)
		errs := make([]error, 4)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() {
				_, errs[i] = h.Accept(ctx, token(t, path), "Anne Roth", string(rune('a'+i))+"@ville.fr", good)
			})
		}
		all.Wait()
		in := 0
		for _, err := range errs {
			if err == nil {
				in++
			} else if !errors.Is(err, people.ErrNotFound) {
				t.Error(err)
			}
		}
		list, err := h.List(ctx)
		must(t, err)
		if in != 1 || len(list) != 1 {
			t.Errorf("%d came in, %d are there", in, len(list))
		}
	})
}

func TestLinksEnd(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		setup, err := h.SetupLink(ctx)
		must(t, err)
		h.clock.Add(people.LinkLife)
		_, err = h.Accept(ctx, token(t, setup), "Anne Roth", "anne@ville.fr", good)
		want(t, err, people.ErrNotFound)

		h.mustFirst()
		bruno, err := h.Create(ctx, "Bruno Klein", "bruno@ville.fr", people.Agent)
		must(t, err)
		old, err := h.Invite(ctx, bruno.ID)
		must(t, err)
		path, err := h.Invite(ctx, bruno.ID) // the first was lost
		must(t, err)
		if open, err := h.Invitations(ctx); err != nil || !open[bruno.ID].Equal(h.clock.Now().Add(people.LinkLife)) {
			t.Errorf("open until %v, %v", open, err)
		}
		_, err = h.Linked(ctx, token(t, old))
		want(t, err, people.ErrNotFound)
		h.clock.Add(people.LinkLife - time.Second)
		_, err = h.Accept(ctx, token(t, path), "Eve", "eve@example.org", good)
		must(t, err)
		p, err := h.Person(ctx, bruno.ID)
		must(t, err)
		if p.Name != "Bruno Klein" || p.Email != "bruno@ville.fr" || p.Invited() {
			t.Errorf("the link has changed more than the password: %+v", p)
		}
		_, err = h.Accept(ctx, token(t, path), "", "", other)
		want(t, err, people.ErrNotFound)

		_, err = h.Disable(ctx, bruno.ID)
		must(t, err)
		path, err = h.Invite(ctx, bruno.ID)
		must(t, err)
		_, err = h.Accept(ctx, token(t, path), "", "", other)
		want(t, err, people.ErrDisabled)
		_, err = h.Invite(ctx, "nobody")
		want(t, err, people.ErrNotFound)
	})
}

func TestLastAdminStays(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		anne := h.mustFirst()
		// An administrator who has never signed in is no help.
		_, err := h.Create(ctx, "Claire Weber", "claire@ville.fr", people.Admin)
		must(t, err)
		gone := h.mustPerson("David Muller", "david@ville.fr", people.Admin)
		_, err = h.Disable(ctx, gone.ID)
		must(t, err)
		_, err = h.SetRole(ctx, anne.ID, people.Agent)
		want(t, err, people.ErrLastAdmin)
		_, err = h.Disable(ctx, anne.ID)
		want(t, err, people.ErrLastAdmin)
		want(t, h.Remove(ctx, anne.ID), people.ErrLastAdmin)
		_, err = h.SetRole(ctx, anne.ID, people.Admin)
		must(t, err)
		_, err = h.Enable(ctx, gone.ID)
		must(t, err)
		must(t, h.Remove(ctx, anne.ID))
		_, err = h.Person(ctx, anne.ID)
		want(t, err, people.ErrNotFound)
	})
}

// Two administrators who take the role from each other at once: one stays.
func TestAdminsDemoteEachOther(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		anne := h.mustFirst()
		bruno := h.mustPerson("Bruno Klein", "bruno@ville.fr", people.Admin)
		for range 5 {
			var all sync.WaitGroup
			for _, id := range []string{anne.ID, bruno.ID} {
				all.Go(func() {
					if _, err := h.SetRole(ctx, id, people.Reader); err != nil && !errors.Is(err, people.ErrLastAdmin) {
						t.Error(err)
					}
				})
			}
			all.Wait()
			list, err := h.List(ctx)
			must(t, err)
			admins := slices.DeleteFunc(list, func(p people.Person) bool { return p.Role != people.Admin })
			if len(admins) != 1 {
				t.Fatalf("%d administrators are left", len(admins))
			}
			for _, id := range []string{anne.ID, bruno.ID} {
				_, err := h.SetRole(ctx, id, people.Admin)
				must(t, err)
			}
		}
	})
}

func TestAudit(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		for i, e := range []people.Entry{
			{Person: "1", Name: "Anne", Action: people.SignedIn, Address: desk},
			{Person: "1", Name: "Anne", Action: people.CommandGiven, Borne: "MN-01", Detail: map[string]string{"commande": "relance"}},
			{Person: "2", Name: "Bruno", Action: people.ScreenshotSeen, Borne: "MN-01"},
			{Person: "2", Name: "Bruno", Action: people.ScreenshotSeen, Borne: "MM-02"},
			{Name: "Compte inconnu", Action: people.SignInFailed, Address: far},
		} {
			h.clock.Add(time.Duration(i) * 24 * time.Hour)
			must(t, h.Audit(ctx, e))
		}
		for _, tt := range []struct {
			name   string
			filter people.Filter
			want   int
		}{
			{"all", people.Filter{}, 5},
			{"person", people.Filter{Person: "2"}, 2},
			{"action", people.Filter{Action: people.ScreenshotSeen}, 2},
			{"borne", people.Filter{Borne: "MN-01"}, 2},
			{"both", people.Filter{Borne: "MN-01", Person: "1"}, 1},
			{"day", people.Filter{From: noon.Add(23 * time.Hour), To: noon.Add(25 * time.Hour)}, 1},
			{"limit", people.Filter{Limit: 3}, 3},
		} {
			lines, err := h.Log(ctx, tt.filter)
			must(t, err)
			if len(lines) != tt.want {
				t.Errorf("%s: %d lines", tt.name, len(lines))
			}
		}
		lines, err := h.Log(ctx, people.Filter{Limit: 2})
		must(t, err)
		older, err := h.Log(ctx, people.Filter{Before: lines[1].ID})
		must(t, err)
		if lines[0].Name != "Compte inconnu" || len(older) != 3 || older[0].Borne != "MN-01" {
			t.Errorf("out of order: %+v, %+v", lines, older)
		}
		if older[1].Detail["commande"] != "relance" || !older[2].At.Equal(noon) || older[2].Address != desk {
			t.Errorf("something is lost: %+v", older)
		}
		names, err := h.LogPeople(ctx)
		must(t, err)
		if len(names) != 2 || names["2"] != "Bruno" {
			t.Errorf("names %v", names)
		}
		h.clock.Add(people.KeepLog - 8*24*time.Hour) // ten days lie between the first and the last
		must(t, h.Tidy(ctx))
		if lines, err = h.Log(ctx, people.Filter{}); err != nil || len(lines) != 3 {
			t.Errorf("%d lines are kept (%v)", len(lines), err)
		}
	})
}

// Whoever has the database alone has neither passwords nor codes nor links.
func TestNothingSecretOnDisk(t *testing.T) {
	t.Parallel()
	path := storetest.SQLite(t)
	h := newHub(t, storetest.Open(t, path))
	anne := h.mustFirst()
	secret, recovery := h.mustFactor(anne)
	link, err := h.Invite(ctx, anne.ID)
	must(t, err)
	sessions := h.Sessions()
	must(t, sessions.CommitCtx(ctx, "hashed-token", mustData(t, map[string]any{people.KeyPerson: anne.ID, people.KeyNew: "1"}), time.Time{}))
	must(t, h.store.Close())
	files, err := filepath.Glob(path + "*")
	must(t, err)
	for _, file := range files {
		b, err := os.ReadFile(file)
		must(t, err)
		for what, word := range map[string]string{"password": good, "second factor": secret, "recovery code": recovery[0], "link": token(t, link)} {
			if bytes.Contains(b, []byte(word)) {
				t.Errorf("%s holds the %s", filepath.Base(file), what)
			}
		}
		if file == path && !bytes.Contains(b, []byte("anne@ville.fr")) {
			t.Error("this is not the database")
		}
	}
}

func mustData(t *testing.T, values map[string]any) []byte {
	t.Helper()
	b, err := people.Codec{}.Encode(noon, values)
	must(t, err)
	return b
}

func TestSessions(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		anne := h.mustFirst()
		s := h.Sessions()
		begin := func(token string) {
			t.Helper()
			must(t, s.CommitCtx(ctx, token, mustData(t, map[string]any{
				people.KeyPerson: anne.ID, people.KeyNew: "1", people.KeyAddress: desk, people.KeyBrowser: "Firefox",
			}), time.Time{}))
		}
		open := func(token string) bool {
			t.Helper()
			_, ok, err := s.FindCtx(ctx, token)
			must(t, err)
			again, err := h.SessionOpen(ctx, token)
			must(t, err)
			if ok != again {
				t.Errorf("%s is found: %v, open: %v", token, ok, again)
			}
			return ok
		}
		begin("one")
		begin("two")
		list, err := h.SessionList(ctx, anne.ID)
		must(t, err)
		if len(list) != 2 || list[0].Address != desk || list[0].Browser != "Firefox" {
			t.Errorf("listed %+v", list)
		}
		// Ended is ended, even if a request that was under way writes it again.
		must(t, h.EndSession(ctx, anne.ID, "two"))
		must(t, s.CommitCtx(ctx, "two", mustData(t, map[string]any{people.KeyPerson: anne.ID, "flash": "…"}), time.Time{}))
		if open("two") {
			t.Error("the session has come back")
		}
		want(t, h.EndSession(ctx, "somebody", "one"), people.ErrNotFound)
		// Two hours without anybody, twelve at most.
		h.clock.Add(people.SessionIdle - time.Second)
		if !open("one") {
			t.Fatal("the session ended early")
		}
		for range 5 {
			must(t, h.Touch(ctx, "one"))
			h.clock.Add(people.SessionIdle - time.Second)
			if !open("one") {
				t.Fatal("a session in use ended")
			}
		}
		must(t, h.Touch(ctx, "one"))
		h.clock.Add(6 * time.Second)
		if open("one") {
			t.Error("the session is older than twelve hours")
		}
		begin("three")
		h.clock.Add(people.SessionIdle)
		if open("three") {
			t.Error("nobody was there for two hours")
		}
		begin("four")
		must(t, h.Tidy(ctx))
		if _, err := h.store.Session(ctx, "one"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an old session is kept: %v", err)
		}
		if !open("four") {
			t.Error("an open session was tidied away")
		}
		// Who is shut out, or gets another password by a link, is out everywhere.
		bruno := h.mustPerson("Bruno Klein", "bruno@ville.fr", people.Admin)
		_, err = h.Disable(ctx, anne.ID)
		must(t, err)
		if open("four") {
			t.Error("a session of somebody shut out is open")
		}
		must(t, s.CommitCtx(ctx, "five", mustData(t, map[string]any{people.KeyPerson: bruno.ID, people.KeyNew: "1"}), time.Time{}))
		path, err := h.Invite(ctx, bruno.ID)
		must(t, err)
		_, err = h.Accept(ctx, token(t, path), "", "", other)
		must(t, err)
		if open("five") {
			t.Error("a session from before the new password is open")
		}
	})
}
