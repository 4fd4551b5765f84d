package sim_test

import (
	"errors"
	"fmt"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"parvis/device/sim"
	"parvis/packaging/npmtest"
)

// receiptio is a print program of others, used by shops: what it understands of
// our printer, a real one would have said in the same words.
type receiptio struct {
	script  string
	thermal *sim.Thermal
	host    string
	tickets chan sim.Ticket
}

func newReceiptio(t *testing.T) *receiptio {
	t.Helper()
	home, err := npmtest.Install("device/sim/testdata/receiptio") // in the version that package-lock.json holds
	if err != nil {
		t.Fatal(err)
	}
	r := &receiptio{script: filepath.Join(home, "node_modules/receiptio/bin/cli.js"), tickets: make(chan sim.Ticket, 4)}
	r.thermal = sim.NewThermal(func(k sim.Ticket) { r.tickets <- k })
	for range 20 {
		// receiptio knows but port 9100.
		r.host = fmt.Sprintf("127.9.%d.%d", rand.IntN(256), 1+rand.IntN(254))
		socket := sim.NewSocket(r.host+":9100", r.thermal)
		err := socket.Plug()
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := socket.Close(); err != nil {
				t.Error(err)
			}
		})
		return r
	}
	t.Fatal("no address of 127.9/16 has its port 9100 free")
	return nil
}

// run runs the program and returns what it says.
func (r *receiptio) run(t *testing.T, args ...string) string {
	t.Helper()
	node := exec.CommandContext(t.Context(), "node", append([]string{r.script, "-d", r.host}, args...)...)
	out, err := node.CombinedOutput()
	var exit *exec.ExitError // its code is its answer, said in words as well
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func TestReceiptioKnowsHowThePrinterIs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		make func(*sim.Thermal)
		want string
	}{
		{"online", func(*sim.Thermal) {}, "online"},
		{"paper low", func(d *sim.Thermal) { d.SetPaper(sim.PaperLow) }, "online"},
		{"no paper", func(d *sim.Thermal) { d.SetPaper(sim.PaperOut) }, "paperempty"},
		{"cover open", func(d *sim.Thermal) { d.SetCover(true) }, "coveropen"},
		{"cutter", func(d *sim.Thermal) { d.SetFault(sim.FaultCutter) }, "error"},
		{"beyond repair", func(d *sim.Thermal) { d.SetFault(sim.FaultFatal) }, "error"},
		{"mended", func(d *sim.Thermal) { d.SetFault(sim.FaultHot); d.SetFault(sim.FaultNone) }, "online"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newReceiptio(t)
			tt.make(r.thermal)
			if got := r.run(t, "-p", "escpos", "-q"); got != tt.want {
				t.Errorf("receiptio says %q, want %q", got, tt.want)
			}
		})
	}
}

func TestReceiptioPrints(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		args    []string
		unknown string
	}{
		{"told that it is ESC/POS", []string{"-p", "escpos"}, "map[]"},
		// It asks in Star's language first, then for our name.
		{"finding out by itself", nil, "map[01:1 1B 06:1]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newReceiptio(t)
			if got := r.run(t, append(tt.args, "-l", "fr", "testdata/receiptio/ticket.receipt")...); got != "success" {
				t.Fatalf("receiptio says %q", got)
			}
			ticket := <-r.tickets
			for _, want := range []string{"Maison France services\n", "Votre démarche : carte d'identité\n", "Photo d'identité", strings.Repeat("─", 48) + "\n"} {
				if !strings.Contains(ticket.Text, want) {
					t.Errorf("the ticket has no %q:\n%s", want, ticket.Text)
				}
			}
			if got := fmt.Sprint(r.thermal.Unknown()); got != tt.unknown {
				t.Errorf("unknown commands %s, want %s", got, tt.unknown)
			}
			if got, want := mustZbar(t, ticket), "https://www.service-public.gouv.fr/particuliers/vosdroits/F1341"; got != want {
				t.Errorf("zbarimg read %q, want %q", got, want)
			}
		})
	}
}

func TestReceiptioIsToldOfPaperThatEnds(t *testing.T) {
	t.Parallel()
	r := newReceiptio(t)
	r.thermal.After(150, func() { r.thermal.SetPaper(sim.PaperOut) })
	if got := r.run(t, "-p", "escpos", "testdata/receiptio/ticket.receipt"); got != "paperempty" {
		t.Errorf("receiptio says %q", got)
	}
	if len(r.tickets) != 0 {
		t.Error("a ticket came out")
	}
}

// mustZbar reads the one code on the ticket's picture.
func mustZbar(t *testing.T, ticket sim.Ticket) string {
	t.Helper()
	zbarimg, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Fatal("zbarimg is not installed (Debian package zbar-tools)")
	}
	path := filepath.Join(t.TempDir(), "ticket.png")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(f, ticket.Image()), f.Close()); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), zbarimg, "--quiet", "--raw", "--nodbus", path).Output()
	if err != nil {
		t.Fatalf("zbarimg: %v", err)
	}
	return strings.TrimRight(string(out), "\n")
}
