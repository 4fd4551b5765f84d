package main

import (
	"bytes"
	"regexp"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// What the command-line library says by itself is French too.
func TestHelpAndErrorsAreFrench(t *testing.T) {
	english := regexp.MustCompile(`(?i)\b(usage|flags|commands|unexpected|unknown|expected|missing|the|show|error)\b`)
	for _, args := range [][]string{
		{"--help"}, {"places", "search", "--help"}, {"hours", "--help"},
		{"places"}, {"nonsense"}, {"run"}, {"run", "--nonsense"}, {"demarche", "walk"}, {"places", "search", "--data", "/x", "--limit", "many"},
	} {
		var out bytes.Buffer
		var cli commands
		k, err := kong.New(&cli, kong.Name("parvis"), kong.Exit(func(int) {}), kong.UsageOnError(), kong.Writers(frenchWriter{&out}, frenchWriter{&out}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.Parse(args); err != nil {
			k.FatalIfErrorf(err)
		}
		if found := english.FindAllString(out.String(), -1); found != nil || out.Len() == 0 {
			t.Errorf("%v: %v in\n%s", args, found, out.String())
		}
	}
}

func TestClock(t *testing.T) {
	now, err := clock("2026-11-24T09:42:00Z")
	if err != nil {
		t.Fatal(err)
	}
	if got := now(); got.Format("15:04 MST") != "10:42 CET" {
		t.Errorf("it is %v", got)
	}
	fast, err := clock("2026-11-24T09:42:00Z x1000000")
	if err != nil {
		t.Fatal(err)
	}
	began, first := time.Now(), fast()
	for time.Since(began) < time.Millisecond {
	}
	if gone, real := fast().Sub(first), time.Since(began); gone < 900*time.Second || gone > 1_000_001*real {
		t.Errorf("a clock a million times as fast went %v in %v", gone, real)
	}
	for _, bad := range []string{"noon", "2026-11-24T09:42:00Z xfast", "2026-11-24"} {
		if _, err := clock(bad); err == nil {
			t.Errorf("%q is taken for a time", bad)
		}
	}
}
