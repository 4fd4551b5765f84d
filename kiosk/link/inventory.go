package link

import (
	"context"
	"net/http"
)

// Inventory is what a borne is made of. A borne tells it when its agent starts,
// when it has changed, and once a day. It holds nothing personal.
type Inventory struct {
	Vendor   string `json:"vendor,omitempty"` // of the machine: "Intel"
	Model    string `json:"model,omitempty"`
	Firmware string `json:"firmware,omitempty"` // version of BIOS or UEFI
	CPU      string `json:"cpu,omitempty"`
	Cores    int    `json:"cores,omitempty"`
	Memory   int64  `json:"memory,omitempty"` // bytes
	TPM      bool   `json:"tpm,omitempty"`    // version 2
	OS       string `json:"os,omitempty"`     // "Debian GNU/Linux 12 (bookworm)"
	Kernel   string `json:"kernel,omitempty"`
	Slot     string `json:"slot,omitempty"` // which root runs: "A" or "B"; empty where there is one
	// Packages are those of Debian that matter here, by name, with their versions.
	Packages map[string]string `json:"packages,omitempty"`
	Disks    []Disk            `json:"disks,omitempty"`
	Networks []Network         `json:"networks,omitempty"`
	Screens  []Screen          `json:"screens,omitempty"`
	USB      []USB             `json:"usb,omitempty"` // plugged in, without hubs
}

// DiskHealth is how long a disk may last.
type DiskHealth string

// The states of a disk.
const (
	DiskUnknown DiskHealth = "" // it doesn't say, or nobody can ask it
	DiskGood    DiskHealth = "good"
	DiskWorn    DiskHealth = "worn"    // 80 % of its life is over, or sectors were lost
	DiskFailing DiskHealth = "failing" // it says so itself
)

// Disk is one disk of a borne.
type Disk struct {
	Name   string     `json:"name"` // "nvme0n1"
	Model  string     `json:"model,omitempty"`
	Size   int64      `json:"size"` // bytes
	Health DiskHealth `json:"health,omitempty"`
	Hours  int64      `json:"hours,omitempty"` // it has run
}

// Network is one interface to a network.
type Network struct {
	Name string `json:"name"` // "eno1"
	MAC  string `json:"mac"`
	Wifi bool   `json:"wifi,omitempty"`
	Up   bool   `json:"up,omitempty"`
}

// Screen is one screen that is plugged in.
type Screen struct {
	Name   string `json:"name"` // of the socket: "HDMI-A-1"
	Model  string `json:"model,omitempty"`
	Mode   string `json:"mode,omitempty"`   // the best it can: "1920x1080"
	Width  int    `json:"width,omitempty"`  // of the picture, in millimetres, as it says
	Height int    `json:"height,omitempty"` // in millimetres
}

// USB is one device on the bus.
type USB struct {
	ID   string `json:"id"` // vendor and product: "04b8:0e15"
	Name string `json:"name,omitempty"`
}

// PutInventory tells the hub what the borne is made of.
func (c *Client) PutInventory(ctx context.Context, i Inventory) error {
	_, err := c.send(ctx, http.MethodPut, "/inventory", i, nil)
	return err
}
