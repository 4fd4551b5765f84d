package command_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/alecthomas/kong"

	"parvis/cmd/parvis/internal/command"
	"parvis/content"
	"parvis/device/sim"
)

// runTicket runs "parvis ticket ARGS".
func runTicket(t *testing.T, rt *command.Runtime, args ...string) error {
	t.Helper()
	var root struct {
		Ticket command.Ticket `cmd:""`
	}
	parser, err := kong.New(&root, kong.Writers(io.Discard, io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.Parse(append([]string{"ticket"}, args...))
	if err != nil {
		return err
	}
	return parsed.Run(rt)
}

// missing is the id of a sentence, printed for want of the sentence.
var missing = regexp.MustCompile(`\b(ticket|weekday|month|slot)\.[a-z]+`)

func demoRuntime() *command.Runtime {
	return &command.Runtime{
		Stdout: io.Discard, Stderr: io.Discard, Content: content.FS,
		Now: func() time.Time { return time.Date(2026, 11, 23, 9, 42, 0, 0, time.UTC) },
	}
}

func TestTicketDemo(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want []string // on the paper
	}{
		"démarche": {[]string{"--kind", "demarche"},
			[]string{"Mairie de quartier", "Lundi 23 novembre · 10 h 42", "À apporter", "[ ] ", "Où aller", "QR: https://", "Informations vérifiées le "}},
		"place": {[]string{"--kind", "place"},
			[]string{"Médiathèque du centre", "Samedi 28 : 10 h – 17 h 30", "Dimanche 29 : fermé", "À 7 minutes à pied", "QR: https://mediatheque.example.org/"}},
		"callback": {[]string{"--kind", "callback"},
			[]string{"On vous rappelle", "Quand : lundi après-midi", "CODE: ", "ni votre nom"}},
		"the démarche unless told otherwise": {nil, []string{"À apporter"}},
		"English":                            {[]string{"--kind", "place", "--lang", "en"}, []string{"Monday 23 November · 10:42", "Saturday 28: 10:00 – 17:30"}},
		"facile à lire":                      {[]string{"--kind", "callback", "--lang", "falc"}, []string{"Votre nom n’est pas sur ce ticket."}},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "ticket.bin")
			if err := runTicket(t, demoRuntime(), append([]string{"demo", "--out", out}, tt.args...)...); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasPrefix(b, []byte("\x1b@\x1bt\x10")) {
				t.Errorf("the bytes begin with %q", b[:min(len(b), 8)])
			}
			var tickets []string
			thermal := sim.NewThermal(func(k sim.Ticket) { tickets = append(tickets, k.Text) })
			thermal.Receive(b)
			if len(tickets) != 1 || len(thermal.Unknown()) > 0 {
				t.Fatalf("%d tickets, unknown commands %v", len(tickets), thermal.Unknown())
			}
			for _, want := range tt.want {
				if !strings.Contains(tickets[0], want) {
					t.Errorf("%q is missing from\n%s", want, tickets[0])
				}
			}
			if id := missing.FindString(tickets[0]); id != "" {
				t.Errorf("the sentence %s is missing:\n%s", id, tickets[0])
			}
		})
	}
}

func TestTicketDemoRefuses(t *testing.T) {
	out := filepath.Join(t.TempDir(), "ticket.bin")
	t.Run("an unknown kind", func(t *testing.T) {
		if err := runTicket(t, demoRuntime(), "demo", "--kind", "poem", "--out", out); err == nil || !strings.Contains(err.Error(), "poem") {
			t.Errorf("error = %v", err)
		}
	})
	t.Run("no file named", func(t *testing.T) {
		if err := runTicket(t, demoRuntime(), "demo"); err == nil || !strings.Contains(err.Error(), "--out") {
			t.Errorf("error = %v", err)
		}
	})
	t.Run("a folder that is not there", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "none", "ticket.bin")
		if err := runTicket(t, demoRuntime(), "demo", "--out", path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("error = %v", err)
		}
	})
	t.Run("no démarche", func(t *testing.T) {
		rt := demoRuntime()
		rt.Content = fstest.MapFS{}
		if err := runTicket(t, rt, "demo", "--out", out); err == nil {
			t.Error("no error")
		}
	})
	if _, err := os.Stat(out); err == nil {
		t.Error("a file was written")
	}
}
