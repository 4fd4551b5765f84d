package devices_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parvis/cmd/parvis/internal/devices"
	"parvis/device"
	"parvis/device/printer"
	"parvis/device/reader"
	"parvis/device/sim"
	"parvis/provisioning/profile"
)

func load(t *testing.T, lines string) *profile.Profile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "profil.toml")
	if err := os.WriteFile(path, []byte("[site]\nid = \"x\"\nnom = \"X\"\n"+lines), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := profile.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func idle() devices.Hands {
	return devices.Hands{Seen: func(reader.Event) {}, Headset: func(bool) {}, Count: func(string, string, int) {}}
}

func TestOpenMakesWhatTheProfileNames(t *testing.T) {
	set, err := devices.Open(load(t, `
[imprimante]
modele = "custom-vkp80"
port = "tcp://192.0.2.1:9100"
[imprimante_a4]
file = "ipp://localhost:631/printers/A4"
[[lecteurs]]
type = "pcsc"
nom = "ACR122"
[[lecteurs]]
type = "rfid"
port = "/dev/rfid"
[[lecteurs]]
type = "pcsc"
nom = "Gem"
[[lecteurs]]
type = "clavier"
port = "/dev/input/event9"
lecture = "rfid"
[[lecteurs]]
type = "code"
port = "/dev/scanner"
sans_suffixe = true
[son]
prise_casque = "/dev/input/event3"
`), idle())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range set.Loops {
		names = append(names, l.Name)
		if set.Title(l.Name) == "" {
			t.Errorf("%s has no title", l.Name)
		}
	}
	want := []string{"imprimante", "imprimante-a4", "lecteur-2", "lecteur-4", "lecteur-5", "cartes-a-puce", "son", "casque"}
	if !slices.Equal(names, want) {
		t.Errorf("loops %v, want %v", names, want)
	}
	if want := []string{"lecteur-2", "lecteur-4", "lecteur-5", "cartes-a-puce"}; !slices.Equal(set.Readers, want) {
		t.Errorf("readers %v, want %v", set.Readers, want)
	}
	if len(set.Printers) != 2 {
		t.Errorf("%d printers", len(set.Printers))
	}
}

func TestOpenNamesTheKeyThatIsWrong(t *testing.T) {
	_, err := devices.Open(load(t, "[imprimante]\nport = \"x\"\nmodele = \"epson\"\n"), idle())
	if err == nil || !strings.Contains(err.Error(), "imprimante.modele") || !strings.Contains(err.Error(), "custom-vkp80") {
		t.Errorf("error %v, want one with the key and the models there are", err)
	}
}

func TestOpenRefusesXONWhereStatusIsBinary(t *testing.T) {
	_, err := devices.Open(load(t, "[imprimante]\nport = \"x\"\nmodele = \"custom-vkp80\"\nflux = \"xon\"\n"), idle())
	if err == nil || !strings.Contains(err.Error(), "imprimante.flux") || !strings.Contains(err.Error(), "rts") {
		t.Errorf("error %v, want one with the key and what to take", err)
	}
	set, err := devices.Open(load(t, "[imprimante]\nport = \"x\"\nmodele = \"epson-tm-t20\"\nflux = \"xon\"\n"), idle())
	if err != nil {
		t.Fatal(err)
	}
	set.Close()
}

// What a printer has printed, and nothing else, is counted.
func TestPagesAreCounted(t *testing.T) {
	port := filepath.Join(t.TempDir(), "printer")
	thermal := sim.NewThermal(func(sim.Ticket) {})
	cable := sim.NewCable(port, thermal)
	if err := cable.Plug(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cable.Close() })
	counts := map[string]int{}
	hands := idle()
	hands.Count = func(name, key string, n int) { counts[name+" "+key] += n }
	set, err := devices.Open(load(t, "[imprimante]\nport = \""+port+"\"\n"), hands)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(set.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	doc := printer.Document{Blocks: []printer.Block{printer.Text{Text: "Bonjour"}, printer.Cut{}}}
	if err := set.Printers[devices.Ticket].Print(ctx, doc); err != nil {
		t.Fatal(err)
	}
	thermal.SetPaper(sim.PaperOut)
	if err := set.Printers[devices.Ticket].Print(ctx, doc); err == nil {
		t.Fatal("printed without paper")
	}
	if len(counts) != 2 || counts["imprimante pages"] != 1 || counts["imprimante cuts"] != 1 {
		t.Errorf("counts %v", counts)
	}
	if s, err := set.Printers[devices.Ticket].Status(ctx); err != nil || s.Fault != device.NoPaper {
		t.Errorf("status %+v, %v", s, err)
	}
}
