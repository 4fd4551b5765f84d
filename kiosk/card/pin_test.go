package card_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"parvis/kiosk/card"
)

func TestPIN(t *testing.T) {
	hash, err := card.HashPIN([]byte("2468"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := card.HashPIN([]byte("2468"))
	if err != nil || again == hash {
		t.Errorf("the same code has the same hash twice (%v)", err)
	}
	p, err := card.ParsePIN(hash)
	if err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[string]bool{"2468": true, "2469": false, "246": false, "24680": false, "": false} {
		if p.Check([]byte(typed)) != want {
			t.Errorf("%q is taken: %t", typed, !want)
		}
	}
	if none, err := card.ParsePIN(""); err != nil || none.Set() || none.Check(nil) || none.Check([]byte("2468")) {
		t.Errorf("no code opens (%v)", err)
	}
}

// Another program's hash, from the reference implementation's own test vectors
// (argon2 test.c, version 0x13, t=2 m=2^8 p=1).
func TestPINOfAnotherProgram(t *testing.T) {
	p, err := card.ParsePIN("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4")
	if err != nil {
		t.Fatal(err)
	}
	if !p.Check([]byte("password")) || p.Check([]byte("passwort")) {
		t.Error("the reference's hash is not understood")
	}
}

func TestPINForms(t *testing.T) {
	for _, pin := range []string{"", "123", "1234567890123", "12a4", "１２３４"} {
		if _, err := card.HashPIN([]byte(pin)); !errors.Is(err, card.ErrPIN) {
			t.Errorf("%q: %v", pin, err)
		}
	}
	good, err := card.HashPIN([]byte("2468"))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		"2468", "$argon2i" + strings.TrimPrefix(good, "$argon2id"), strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "t=2", "t=0", 1), strings.Replace(good, "m=19456", "m=4000000", 1),
		strings.Replace(good, "m=19456", "m=-1", 1), strings.Replace(good, "p=1$", "p=1x$", 1), good[:len(good)-30], good + "$",
	} {
		if _, err := card.ParsePIN(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// keep is what outlives a restart.
type keep struct {
	text string
	err  error
	now  time.Time
}

func (k *keep) limit() *card.Limit {
	return &card.Limit{
		Load: func(context.Context) (string, error) { return k.text, k.err },
		Save: func(_ context.Context, s string) error {
			if k.err == nil {
				k.text = s
			}
			return k.err
		},
		Now: func() time.Time { return k.now },
	}
}

func TestLimit(t *testing.T) {
	k := &keep{now: time.Date(2026, 11, 24, 10, 42, 0, 0, time.UTC)}
	l := k.limit()
	try := func(want time.Duration) {
		t.Helper()
		got, err := l.Try(t.Context())
		if err != nil || got != want {
			t.Fatalf("wait %v, %v, want %v", got, err, want)
		}
	}
	try(0)
	try(0)
	try(0)
	for _, wait := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, time.Hour, time.Hour} {
		try(wait)
		k.now = k.now.Add(wait / 2)
		l = k.limit() // a restart gives no new tries
		try(wait / 2)
		if w, err := l.Wait(t.Context()); w != wait/2 || err != nil {
			t.Errorf("wait %v, %v", w, err)
		}
		if w := l.Left(); w != wait/2 {
			t.Errorf("in memory the wait is %v", w)
		}
		k.now = k.now.Add(wait / 2)
		try(0)
	}
	k.now = k.now.Add(time.Hour)
	try(0)
	if err := l.Passed(t.Context()); err != nil {
		t.Fatal(err)
	}
	l = k.limit()
	try(0)
	try(0)
	try(0)
	try(time.Minute)
}

// A clock set back doesn't lock the borne for longer, one set forward for less
// than nothing.
func TestLimitClockSetBack(t *testing.T) {
	k := &keep{now: time.Date(2026, 11, 24, 10, 42, 0, 0, time.UTC)}
	l := k.limit()
	for range 3 {
		if w, err := l.Try(t.Context()); w != 0 || err != nil {
			t.Fatal(w, err)
		}
	}
	k.now = k.now.AddDate(-10, 0, 0)
	if w, err := l.Try(t.Context()); w != time.Minute || err != nil {
		t.Errorf("wait %v, %v after the clock was set back", w, err)
	}
}

// A try that cannot be counted is not granted.
func TestLimitWithoutDisk(t *testing.T) {
	full := errors.New("disk full")
	k := &keep{err: full}
	if _, err := k.limit().Try(t.Context()); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
	k.err = nil
	l := k.limit()
	if w, err := l.Wait(t.Context()); w != 0 || err != nil {
		t.Fatal(w, err)
	}
	k.err = full
	if _, err := l.Try(t.Context()); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
	if err := l.Passed(t.Context()); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
}

// What is left to wait is known at once, however long the disk takes.
func TestLeftNeverReadsTheDisk(t *testing.T) {
	stuck, release := make(chan struct{}), make(chan struct{})
	l := &card.Limit{
		Load: func(context.Context) (string, error) { return "4 0", nil },
		Save: func(context.Context, string) error { close(stuck); <-release; return nil },
		Now:  func() time.Time { return time.Unix(60, 0) },
	}
	if w := l.Left(); w != 0 {
		t.Errorf("wait %v before anything was loaded", w)
	}
	if w, err := l.Wait(t.Context()); w != 4*time.Minute || err != nil {
		t.Errorf("wait %v, %v", w, err)
	}
	done := make(chan error)
	go func() { done <- l.Passed(t.Context()) }()
	<-stuck
	if w := l.Left(); w != 0 {
		t.Errorf("wait %v after the right code", w)
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A count that somebody has spoilt is as strict as can be.
func TestLimitSpoilt(t *testing.T) {
	for _, text := range []string{"x", "-5 0", "1"} {
		k := &keep{now: time.Date(2026, 11, 24, 10, 42, 0, 0, time.UTC), text: text}
		if w, err := k.limit().Try(t.Context()); w != time.Hour || err != nil {
			t.Errorf("%q: wait %v, %v", text, w, err)
		}
	}
}
