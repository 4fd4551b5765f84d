package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parvis/hub/api"
	"parvis/hub/seal"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/provisioning/enrol"
)

// TestSwarm enrols a few bornes at a real hub, and lets each report once.
func TestSwarm(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t))
	key, err := seal.Open(filepath.Join(t.TempDir(), "hub.key"))
	must(t, err)
	authority, err := key.Authority(t.Context(), s, time.Now())
	must(t, err)
	recipient, err := key.CallbackRecipient(t.Context(), s)
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- api.New(api.Options{Store: s, Authority: authority, Recipient: recipient}).Serve(ctx, l)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})

	dir := t.TempDir()
	codes, err := os.Create(filepath.Join(dir, "codes"))
	must(t, err)
	site := store.Site{ID: "essai", Name: "Essai", Created: time.Now()}
	must(t, s.PutSite(t.Context(), site))
	for range 5 {
		code := enrol.NewCode(authority.Fingerprint())
		token, err := s.CreateToken(t.Context(), store.Token{Hash: code.Hash(), Site: site, Created: time.Now(), Expires: time.Now().Add(time.Hour)})
		must(t, err)
		must(t, json.NewEncoder(codes).Encode(map[string]string{"code": code.Text(), "borne": token.Borne}))
	}
	must(t, codes.Close())
	e := enrolCmd{Hub: l.Addr().String(), Codes: codes.Name(), Dir: filepath.Join(dir, "bornes"), Tasks: 2}
	must(t, e.Run(t.Context()))

	reporting, enough := context.WithCancel(t.Context())
	defer enough()
	r := reportCmd{Hubs: []string{l.Addr().String()}, Dir: e.Dir, Late: time.Second, For: time.Hour} // no ramp: all at once
	done := make(chan error, 1)
	go func() { done <- r.Run(reporting) }()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		bornes, err := s.Bornes(t.Context())
		must(t, err)
		seen := 0
		for _, b := range bornes {
			if len(b.State.Devices) == 4 {
				seen++
			}
		}
		if seen == 5 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d bornes have reported", seen, len(bornes))
		}
	}
	enough()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

func TestVerdict(t *testing.T) {
	from := time.Now()
	fresh := func() *figures { return &figures{late: time.Second, from: from, until: from.Add(time.Minute)} }
	f := fresh()
	if f.verdict() == nil {
		t.Error("nothing measured passes for good")
	}
	f.note(from.Add(-time.Second), time.Hour, nil) // before the measure
	f.note(from.Add(time.Second), time.Millisecond, nil)
	must(t, f.verdict())
	f.note(from.Add(time.Second), 2*time.Second, nil)
	if err := f.verdict(); err == nil || !strings.Contains(err.Error(), "1 rapports en retard") {
		t.Errorf("a late report: %v", err)
	}
	f = fresh()
	f.note(from.Add(time.Second), time.Millisecond, nil)
	f.note(from.Add(time.Second), 0, errors.New("refused"))
	if err := f.verdict(); err == nil || !strings.Contains(err.Error(), "1 échecs") {
		t.Errorf("a failed report: %v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
