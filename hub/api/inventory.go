package api

import (
	"context"
	"net/http"

	"parvis/hub/store"
	"parvis/kiosk/link"
)

const pathInventory = link.Prefix + "/inventory"

type inventoryInput struct {
	Body message[link.Inventory]
}

// inventory keeps what the borne is made of.
func (a *API) inventory(ctx context.Context, in *inventoryInput) (*statusOutput, *problem) {
	if p := in.Body.problem; p != nil {
		return nil, p
	}
	i := in.Body.Value
	if p := checkInventory(&i); p != nil {
		return nil, p
	}
	err := a.store.PutInventory(ctx, store.Inventory{Borne: callerOf(ctx).borne, At: a.now(), Inventory: i})
	if err != nil {
		return nil, a.failed(ctx, err)
	}
	return &statusOutput{http.StatusNoContent}, nil
}

// The bounds of an inventory.
const (
	mostParts  = 64 // of a sort
	partLength = 120
)

// checkInventory refuses an inventory that makes no sense. The error says which
// field, never what was in it.
func checkInventory(i *link.Inventory) *problem {
	short := func(field string, texts ...string) *problem {
		for _, text := range texts {
			if !plain(text, 0, partLength) {
				return invalid("Champ « %s » : %d caractères au plus, sur une ligne.", field, partLength)
			}
		}
		return nil
	}
	for field, n := range map[string]int{"packages": len(i.Packages), "disks": len(i.Disks), "networks": len(i.Networks), "screens": len(i.Screens), "usb": len(i.USB)} {
		if n > mostParts {
			return invalid("Champ « %s » : %d au plus.", field, mostParts)
		}
	}
	if i.Cores < 0 || i.Memory < 0 {
		return invalid("Champs « cores » et « memory » : nombres attendus.")
	}
	all := []*problem{short("machine", i.Vendor, i.Model, i.Firmware, i.CPU, i.OS, i.Kernel, i.Slot)}
	for name, version := range i.Packages {
		all = append(all, short("packages", name, version))
	}
	for _, d := range i.Disks {
		all = append(all, short("disks", d.Name, d.Model))
		if d.Size < 0 || d.Hours < 0 || d.Health != "" && !isWord(string(d.Health), nameLength) {
			return invalid("Champ « disks » : taille, heures et état attendus.")
		}
	}
	for _, n := range i.Networks {
		all = append(all, short("networks", n.Name, n.MAC))
	}
	for _, s := range i.Screens {
		all = append(all, short("screens", s.Name, s.Model, s.Mode))
	}
	for _, d := range i.USB {
		all = append(all, short("usb", d.ID, d.Name))
	}
	for _, p := range all {
		if p != nil {
			return p
		}
	}
	return nil
}
