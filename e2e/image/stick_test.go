package image

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"parvis/e2e/fleet"
)

// invitation is all that a new borne has to be told, as it is typed or lies on a
// stick. The emulator reaches this machine at 10.0.2.2.
func invitation(hub *fleet.Hub) string {
	_, port, _ := strings.Cut(hub.Bornes, ":")
	return hub.Code("demo", "Mairie de quartier", "MQ-01") + "@10.0.2.2:" + port
}

// plugStick plugs a USB stick with one file in.
func (m *machine) plugStick(name, text string) {
	m.t.Helper()
	m.order("blockdev-add", map[string]any{"driver": "file", "node-name": "stick", "filename": m.stick(name, text), "read-only": true})
	m.order("device_add", map[string]any{"driver": "usb-storage", "bus": "usb.0", "drive": "stick", "id": "stick"})
}

// stick makes a USB stick with one file, and returns the name of its image.
func (m *machine) stick(name, text string) string {
	m.t.Helper()
	f, err := os.CreateTemp(m.dir, "stick-")
	if err != nil {
		m.t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(16<<20), f.Close()); err != nil {
		m.t.Fatal(err)
	}
	run(m.t, "mkfs.vfat", f.Name())
	put := exec.Command("mcopy", "-i", f.Name(), "-", "::"+name)
	put.Stdin = strings.NewReader(text)
	if out, err := put.CombinedOutput(); err != nil {
		m.t.Fatalf("%v (apt install mtools)\n%s", err, out)
	}
	return f.Name()
}

// TestStick has a new borne take its code from a stick. Then it is locked.
func TestStick(t *testing.T) {
	hub := fleet.StartHub(t, fleet.HubOptions{})
	m := newMachine(t, "stick", newDisk(t, emulated(t, nil), diskSize))
	m.start()
	m.untilAsked()
	m.plugStick("parvis-enrolement.txt", invitation(hub)+"\n")
	m.untilServing(hub)
	m.keepPicture("7-stick")
	m.until("lock", patience, func() bool { return m.serial.has("refusé : stockage") })
	m.touch(startKey)
	m.until("home page", patience, func() bool { return share(m.picture(), paper) > 0.3 })
	m.resists()
	since := time.Now()
	m.until("report", patience, func() bool { return seen(t, hub, since, oldVersion) })
}
