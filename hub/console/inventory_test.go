package console_test

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"

	"parvis/hub/people"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

// boxes are what two of the city's bornes are made of.
func (h *fleetHub) boxes() {
	h.t.Helper()
	for _, i := range []store.Inventory{
		{Borne: "MN-01", At: h.clock.Now(), Inventory: link.Inventory{Vendor: "Intel(R) Client Systems", Model: "NUC11ATKC2", Firmware: "ATJSLCPX.0037",
			CPU: "Intel(R) Celeron(R) N4505", Cores: 2, Memory: 7983140 << 10, TPM: true, OS: "Debian GNU/Linux 12 (bookworm)", Kernel: "6.1.0-41-amd64", Slot: "B",
			Packages: map[string]string{"parvis-borne": "1.4.0", "cups-daemon": "2.4.2-3"},
			Disks:    []link.Disk{{Name: "nvme0n1", Model: "KINGSTON SNV2S", Size: 128e9, Health: link.DiskGood, Hours: 8123}},
			Networks: []link.Network{{Name: "eno1", MAC: "48:21:0b:00:00:01", Up: true}, {Name: "wlan0", MAC: "48:21:0b:00:00:02", Wifi: true}},
			Screens:  []link.Screen{{Name: "HDMI-A-1", Model: "PCT-32", Mode: "1080x1920", Width: 393, Height: 699}},
			USB:      []link.USB{{ID: "04b8:0e15", Name: "EPSON TM-T20II"}}}},
		{Borne: "MM-01", At: h.clock.Now(), Inventory: link.Inventory{Model: "=HYPERLINK(\"http://x\")",
			Disks: []link.Disk{{Name: "sda", Size: 64e9, Health: link.DiskWorn}, {Name: "sdb", Size: 1e12, Health: link.DiskFailing}}}},
	} {
		must(h.t, h.store.PutInventory(h.t.Context(), i))
	}
}

func TestInventoryPage(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	it := h.as(people.IT)
	_, body := it.get("/inventaire")
	contains(t, plain(body), "Aucune borne n’est enrôlée")
	h.cityFleet()
	h.boxes()
	_, body = it.get("/inventaire")
	contains(t, plain(body), "NUC11ATKC2 Intel(R) Client Systems Intel(R) Celeron(R) N4505, 2 cœurs, 8 Go TPM 2.0, BIOS ATJSLCPX.0037",
		"Noyau 6.1.0-41-amd64 Système B", "parvis-borne 1.4.0", "Bon nvme0n1 KINGSTON SNV2S, 128 Go",
		"HDMI-A-1 PCT-32 1080x1920 (393 × 699 mm) EPSON TM-T20II 04b8:0e15 eno1 48:21:0b:00:00:01 (filaire) wlan0 48:21:0b:00:00:02 (Wi-Fi, débranché)",
		"Va lâcher : remplacez-le sda, 64 Go sdb, 1 000 Go", "La borne n’a pas encore dit de quoi elle est faite.")

	status, body := it.get("/inventaire/export.csv")
	table := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff")))
	table.Comma = ';'
	rows, err := table.ReadAll()
	if status != http.StatusOK || err != nil || len(rows) != 7 {
		t.Fatalf("status %d, %d rows, %v", status, len(rows), err)
	}
	cell := func(borne, column string) string {
		t.Helper()
		for _, row := range rows[1:] {
			for i, name := range rows[0] {
				if row[0] == borne && name == column {
					return row[i]
				}
			}
		}
		t.Fatalf("no %s of %s", column, borne)
		return ""
	}
	for column, want := range map[string]string{"Site": "Mairie de Neudorf", "Mémoire (Mo)": "7796", "TPM": "oui", "Santé des disques": "Bon",
		"Heures des disques": "8123", "Paquets": "cups-daemon 2.4.2-3, parvis-borne 1.4.0"} {
		if got := cell("MN-01", column); got != want {
			t.Errorf("%s: %q, want %q", column, got, want)
		}
	}
	if got := cell("MM-01", "Modèle"); !strings.HasPrefix(got, "'=") {
		t.Errorf("a spreadsheet would take %q for a formula", got)
	}
	if cell("MN-01", "Fin du certificat") == "" || cell("MC-01", "TPM") != "" {
		t.Error("a certificate without end, or a TPM of which nothing is known")
	}
	seen, err := h.People.Log(t.Context(), people.Filter{Action: people.InventoryExported})
	if err != nil || len(seen) != 1 {
		t.Errorf("the log has %v, %v", seen, err)
	}
}

func TestInventoryLooks(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	h.boxes()
	b := h.As(people.IT)
	b.Open("/inventaire")
	b.Check("inventaire")
}
