package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
)

func TestParseStage(t *testing.T) {
	for text, want := range map[string]store.RolloutStage{
		"pilote":             {Groups: []string{"pilote"}},
		"10%":                {Percent: 10},
		"pilote, sud, 10 % ": {Groups: []string{"pilote", "sud"}, Percent: 10},
		",":                  {},
	} {
		if got, err := parseStage(text); err != nil || got.Percent != want.Percent || !slices.Equal(got.Groups, want.Groups) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"0%", "101%", "x%", "10%,20%", "%"} {
		if got, err := parseStage(text); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

// From the beginning to the end, as IT would type it.
func TestRolloutCommands(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, dsn, dir string) {
		s := storetest.Open(t, dsn)
		sum, err := s.PutFile(t.Context(), []byte("a package"), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, arch := range []string{"amd64", "arm64"} {
			p := store.Software{Package: "parvis-borne", Version: "1.5.0", Architecture: arch, SHA256: sum, Size: 9, Added: time.Now()}
			if err := s.PutSoftware(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
		with := func(args ...string) []string { return append(args, "--data", dir, "--database", dsn) }
		refused := func(words string, args ...string) {
			t.Helper()
			_, err := do(t.Context(), with(args...)...)
			wantError(t, err, nil, words)
		}
		refused("n’existe pas", "rollout", "pause")
		refused("Le hub n’a pas la version « 2026-12 ».", "rollout", "start", "contenus", "2026-12")
		refused("le groupe « pilote » n’existe pas", "rollout", "start", "logiciel", "1.5.0", "--stage", "pilote", "--stage", "100%")
		if err := s.PutGroup(t.Context(), store.Group{ID: "pilote", Name: "Pilote", Created: time.Now()}); err != nil {
			t.Fatal(err)
		}
		out := mustDo(t, with("rollout", "start", "logiciel", "1.5.0", "--stage", "pilote,5%", "--stage", "100%", "--quiet", "36h", "--threshold", "20", "--why", "correctif")...)
		if !regexp.MustCompile(`^Déploiement [0-9a-f-]{36} commencé : logiciel 1\.5\.0, 2 étapes\.`).MatchString(out) {
			t.Errorf("it says %q", out)
		}
		all, err := s.Rollouts(t.Context())
		if err != nil || len(all) != 1 {
			t.Fatalf("%+v, %v", all, err)
		}
		r := all[0]
		if r.Kind != link.KindSoftware || r.Quiet != 36*time.Hour || r.Threshold != 20 || r.Note != "correctif" || r.By != "parvis-hub" || r.Stages[0].Percent != 5 || r.Stages[0].Groups[0] != "pilote" {
			t.Errorf("%+v", r)
		}
		refused("déjà en cours", "rollout", "start", "logiciel", "1.5.0")
		refused("ne s’y prête pas", "rollout", "resume")

		is := func(state store.RolloutState, args ...string) {
			t.Helper()
			mustDo(t, with(append([]string{"rollout"}, args...)...)...)
			if r, err := s.Rollout(t.Context(), r.ID); err != nil || r.State != state {
				t.Errorf("%v: %s, %v", args, r.State, err)
			}
		}
		is(store.RolloutPaused, "pause")
		is(store.RolloutRunning, "resume", r.ID)
		is(store.RolloutStopped, "stop", r.ID[len(r.ID)-8:], "--why", "trop de pannes")
		if out := mustDo(t, with("rollout", "list")...); !regexp.MustCompile(r.ID + ` +logiciel +1\.5\.0 +arrêté +1/2 +0/0 +0 +trop de pannes`).MatchString(out) {
			t.Errorf("the list:\n%s", out)
		}
		is(store.RolloutBack, "back")
		refused("n’existe pas", "rollout", "back", "nothing")
		lines, err := s.Audit(t.Context(), store.AuditFilter{Limit: 20})
		if err != nil || len(lines) != 5 || lines[0].Name != "parvis-hub" || lines[0].Action != "rollout.change" || lines[4].Action != "rollout.start" {
			t.Errorf("the audit log: %+v, %v", lines, err)
		}
	})
}
