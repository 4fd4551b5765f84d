package console

import (
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"parvis/hub/people"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

func (c *Console) inventoryRoutes() []route {
	return []route{
		{method: "GET", pattern: "/inventaire", permission: people.EnrolManage, handler: c.inventoryPage, menu: menu{title: "Inventaire", icon: "list-details"}},
		{method: "GET", pattern: "/inventaire/export.csv", permission: people.EnrolManage, handler: c.inventoryCSV},
	}
}

// inventoryRow is one borne and what it is made of.
type inventoryRow struct {
	store.Borne
	Told   bool // it has told its inventory
	Inv    store.Inventory
	Health diskState
	Cert   certState
}

// diskState is how the worst of a borne's disks is.
type diskState struct{ Text, Tone string }

// certState is until when the borne may speak with the hub.
type certState struct {
	Ends time.Time
	Late bool // it should have been renewed by now
}

// renewedBefore is how long before its end a certificate that is still the same
// tells that renewing fails: a borne renews when a third of its life is left.
const renewedBefore = 3 * 24 * time.Hour

func (c *Console) inventory(r *http.Request) ([]inventoryRow, error) {
	bornes, err := c.Store.Bornes(r.Context())
	if err != nil {
		return nil, err
	}
	told, err := c.Store.Inventories(r.Context())
	if err != nil {
		return nil, err
	}
	rows := make([]inventoryRow, 0, len(bornes))
	for _, b := range bornes {
		row := inventoryRow{Borne: b, Cert: certState{b.CertEnds, b.CertEnds.Sub(c.Now()) < renewedBefore}}
		row.Inv, row.Told = told[b.ID]
		row.Health = healthOf(row.Inv.Disks)
		rows = append(rows, row)
	}
	return rows, nil
}

func healthOf(disks []link.Disk) diskState {
	has := func(h link.DiskHealth) bool {
		return slices.ContainsFunc(disks, func(d link.Disk) bool { return d.Health == h })
	}
	switch {
	case has(link.DiskFailing):
		return diskState{"Va lâcher : remplacez-le", "bad"}
	case has(link.DiskWorn):
		return diskState{"Usé", "bad"}
	case has(link.DiskGood):
		return diskState{"Bon", "good"}
	}
	return diskState{"Inconnu", ""}
}

func (c *Console) inventoryPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	rows, err := c.inventory(r)
	if err != nil {
		return err
	}
	return c.render(w, r, v, "inventory", view{Title: "Inventaire", Data: rows})
}

// inventoryColumns head the file for spreadsheets.
var inventoryColumns = []string{"Borne", "Site", "Fabricant", "Modèle", "BIOS", "Processeur", "Cœurs", "Mémoire (Mo)", "TPM", "Système", "Noyau",
	"Racine", "Logiciel", "Contenus", "Profil", "Disques", "Santé des disques", "Heures des disques", "Réseau", "Écrans", "USB", "Paquets",
	"Fin du certificat", "Enrôlée le", "Dernier rapport", "Inventaire du"}

// inventoryCSV gives the inventory to a spreadsheet.
func (c *Console) inventoryCSV(w http.ResponseWriter, r *http.Request, v *visitor) error {
	rows, err := c.inventory(r)
	if err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: people.InventoryExported}); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="inventaire-parvis-`+c.Now().In(c.Zone).Format(time.DateOnly)+`.csv"`)
	if _, err := w.Write([]byte("\ufeff")); err != nil {
		return errAnswered
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = ';', true
	if err := out.Write(inventoryColumns); err != nil {
		return errAnswered
	}
	for _, row := range rows {
		if err := out.Write(c.inventoryCells(row)); err != nil {
			return errAnswered
		}
	}
	out.Flush()
	if out.Error() != nil {
		return errAnswered
	}
	return nil
}

func (c *Console) inventoryCells(row inventoryRow) []string {
	i := row.Inv
	day := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(c.Zone).Format("2006-01-02 15:04")
	}
	count := func(n int64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
	var packages []string
	for _, name := range sortedKeys(i.Packages) {
		packages = append(packages, name+" "+i.Packages[name])
	}
	var hours []string
	for _, d := range i.Disks {
		hours = append(hours, count(d.Hours))
	}
	tpm := ""
	if row.Told {
		tpm = map[bool]string{true: "oui", false: "non"}[i.TPM]
	}
	health := row.Health.Text
	if !row.Told {
		health = ""
	}
	return cells(row.ID, row.Site.Name, i.Vendor, i.Model, i.Firmware, i.CPU, count(int64(i.Cores)), count(i.Memory>>20), tpm, i.OS, i.Kernel,
		i.Slot, row.State.Version, row.State.Content, row.State.Profile, strings.Join(row.Disks(), ", "), health, strings.Join(hours, ", "),
		strings.Join(row.Networks(), ", "), strings.Join(row.Screens(), ", "), strings.Join(row.Devices(), ", "),
		strings.Join(packages, ", "), day(row.Cert.Ends), day(row.Enrolled), day(row.Seen), day(i.At))
}

// Networks, Screens, Devices and Disks are lines for people.
func (r inventoryRow) Networks() []string {
	var texts []string
	for _, n := range r.Inv.Networks {
		kind := "filaire"
		if n.Wifi {
			kind = "Wi-Fi"
		}
		if !n.Up {
			kind += ", débranché"
		}
		texts = append(texts, n.Name+" "+n.MAC+" ("+kind+")")
	}
	return texts
}

// Screens is described with Networks.
func (r inventoryRow) Screens() []string {
	var texts []string
	for _, s := range r.Inv.Screens {
		text := strings.Join(strings.Fields(s.Model+" "+s.Mode), " ")
		if s.Width > 0 {
			text += " (" + strconv.Itoa(s.Width) + " × " + strconv.Itoa(s.Height) + " mm)"
		}
		texts = append(texts, strings.TrimSpace(s.Name+" "+text))
	}
	return texts
}

// Devices is described with Networks.
func (r inventoryRow) Devices() []string {
	var texts []string
	for _, d := range r.Inv.USB {
		texts = append(texts, strings.TrimSpace(d.Name+" "+d.ID))
	}
	return texts
}

// Disks is described with Networks.
func (r inventoryRow) Disks() []string {
	var texts []string
	for _, d := range r.Inv.Disks {
		texts = append(texts, strings.TrimSpace(d.Name+" "+d.Model)+", "+number(d.Size/1e9)+" Go") // as makers count
	}
	return texts
}

// Memory is in gigabytes, as makers count.
func (r inventoryRow) Memory() string {
	if r.Inv.Memory == 0 {
		return ""
	}
	return number((r.Inv.Memory+1<<29)>>30) + " Go"
}
