package api_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"parvis/kiosk/link"
)

func TestInventory(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		b := h.enrol("MN-01")
		want := link.Inventory{Vendor: "Intel", Model: "NUC", Cores: 4, Memory: 8 << 30, TPM: true, Slot: "A",
			Packages: map[string]string{"parvis-borne": "1.4.0"},
			Disks:    []link.Disk{{Name: "sda", Size: 128 << 30, Health: link.DiskWorn, Hours: 9000}},
			Networks: []link.Network{{Name: "eno1", MAC: "48:21:0b:00:00:01", Up: true}},
			Screens:  []link.Screen{{Name: "HDMI-A-1", Mode: "1080x1920", Width: 393, Height: 699}},
			USB:      []link.USB{{ID: "04b8:0e15", Name: "EPSON TM-T20II"}}}
		for _, i := range []link.Inventory{{Model: "before"}, want} { // the last one counts
			if err := b.PutInventory(t.Context(), i); err != nil {
				t.Fatal(err)
			}
		}
		got, err := h.store.Inventory(t.Context(), "MN-01")
		if err != nil || !reflect.DeepEqual(got.Inventory, want) || got.At.IsZero() {
			t.Errorf("kept %+v, %v", got, err)
		}
		many := make(map[string]string)
		for i := range 65 {
			many[fmt.Sprint(i)] = "1"
		}
		for what, bad := range map[string]link.Inventory{
			"machine":  {Model: strings.Repeat("x", 121)},
			"packages": {Packages: many},
			"disks":    {Disks: []link.Disk{{Name: "sda", Size: -1}}},
			"networks": {Networks: []link.Network{{Name: "a\nb"}}},
			"screens":  {Screens: make([]link.Screen, 65)},
			"usb":      {USB: []link.USB{{Name: "\x00"}}},
			"cores":    {Cores: -1},
		} {
			p := wantProblem(t, b.PutInventory(t.Context(), bad), link.ProblemInvalid)
			if !strings.Contains(p.Detail, what) {
				t.Errorf("%s: %s", what, p.Detail)
			}
		}
		if got, err := h.store.Inventory(t.Context(), "MN-01"); err != nil || got.Model != "NUC" {
			t.Errorf("after bad ones: %+v, %v", got, err)
		}
	})
}
