package main

import (
	"bytes"
	"net"
	"regexp"
	"testing"

	"github.com/alecthomas/kong"

	"parvis/cmd/internal/french"
)

func TestReached(t *testing.T) {
	for _, tt := range []struct{ listens, console, want string }{
		{"127.0.0.1", "http://127.0.0.1:8080", "127.0.0.1:8443"},
		{"::", "https://parvis.ville.fr", "parvis.ville.fr:8443"},
		{"0.0.0.0", "https://[2001:db8::1]:444", "[2001:db8::1]:8443"},
	} {
		if got := reached(&net.TCPAddr{IP: net.ParseIP(tt.listens), Port: 8443}, tt.console); got != tt.want {
			t.Errorf("%s, %s: %s, not %s", tt.listens, tt.console, got, tt.want)
		}
	}
}

// What IT reads is French.
func TestHelpAndErrorsAreFrench(t *testing.T) {
	english := regexp.MustCompile(`(?i)\b(usage|flags|commands|unexpected|unknown|expected|missing|the|show context|error)\b`)
	for _, args := range [][]string{
		{"--help"}, {"serve", "--help"}, {"token", "create", "--help"}, {"token", "create"}, {"nonsense"}, {"serve", "--nonsense"},
		{"token", "create", "--site", "a", "--count", "0"}, {"serve", "--cert", "main.go"}, {"person", "link", "--help"}, {"profile", "put", "--help"}, {"profile", "check"}, {"publish", "/nowhere"}, {"publish", "--help"}, {"publish", "keys", "--help"}, {"publish", "rotate", "--help"}, {"publish", "rotate", "x"},
	} {
		var out bytes.Buffer
		var cli commands
		k, err := kong.New(&cli, kong.Name("parvis-hub"), kong.Exit(func(int) {}), kong.UsageOnError(),
			kong.Writers(french.Writer{Writer: &out}, french.Writer{Writer: &out}))
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
