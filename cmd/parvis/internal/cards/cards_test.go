package cards_test

import (
	"strings"
	"testing"
	"time"

	"parvis/cmd/parvis/internal/cards"
	"parvis/device/reader"
	"parvis/kiosk/card"
	"parvis/kiosk/store"
	"parvis/provisioning/profile"
)

// The cards that the demo profile's comments name are what they are said to be.
func TestDemoCards(t *testing.T) {
	prof, err := profile.Load("../../../../packaging/demo.toml")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := cards.Rules(prof)
	if err != nil {
		t.Fatal(err)
	}
	for uid, want := range map[string]card.Kind{
		"010063E9AE": card.City, "100086F444": card.Mediator, "0C00112233": card.Mediator, "0A00C0FFEE": card.Staff, "07FFFFFFFF": card.Unknown,
	} {
		if c := rules.Recognise(reader.Event{Medium: reader.RFID, Present: true, Number: uid}); c.Kind != want {
			t.Errorf("%s is %v, want %s", uid, c, want)
		}
	}
	for uid, want := range map[string]card.Kind{
		"04A23F1B5C6480": card.City, "04B1770A5C6481": card.Mediator, "04C0DE0A5C6482": card.Staff, "08D1E2F3": card.Unknown,
	} {
		if c := rules.Recognise(reader.Event{Medium: reader.Contactless, Present: true, Number: uid}); c.Kind != want {
			t.Errorf("%s is %v, want %s", uid, c, want)
		}
	}
	if c := rules.Recognise(reader.Event{Medium: reader.Code, Present: true, Text: "AB12CD34EF"}); c.Kind != card.Pass {
		t.Errorf("the code is %v", c)
	}
}

// The demo's code opens, and wrong ones are counted in the borne's database.
func TestDemoPIN(t *testing.T) {
	prof, err := profile.Load("../../../../packaging/demo.toml")
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	pin, limit, err := cards.PIN(prof, st, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if !pin.Check([]byte("2468")) || pin.Check([]byte("2469")) {
		t.Error("the code is not 2468")
	}
	for range 3 {
		if wait, err := limit.Try(t.Context()); wait != 0 || err != nil {
			t.Fatal(wait, err)
		}
	}
	_, limit, err = cards.PIN(prof, st, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if wait, err := limit.Wait(t.Context()); wait < 50*time.Second || err != nil {
		t.Errorf("after three wrong codes and a restart the wait is %v, %v", wait, err)
	}
}

func TestBadPIN(t *testing.T) {
	_, _, err := cards.PIN(&profile.Profile{Maintenance: profile.Maintenance{Code: "$argon2id$2468"}}, nil, time.Now)
	if err == nil || !strings.Contains(err.Error(), "maintenance.code") || strings.Contains(err.Error(), "2468") {
		t.Errorf("error %v", err)
	}
}
