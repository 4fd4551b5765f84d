package main

import (
	"bytes"
	"regexp"
	"testing"

	"github.com/alecthomas/kong"

	"parvis/cmd/internal/french"
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
		k, err := kong.New(&cli, kong.Name("parvis"), kong.Exit(func(int) {}), kong.UsageOnError(), kong.Writers(french.Writer{Writer: &out}, french.Writer{Writer: &out}))
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
