package image

import (
	"strings"
	"time"

	"parvis/e2e/escape"
)

// pages tells whether the screen shows one of the borne's pages.
func (m *machine) pages() bool {
	img := m.picture()
	return inService(img) || share(img, paper) > 0.3
}

// resists has all keys pressed and things plugged into a borne that is in
// service: it stays on its pages, in the same start, and takes no stick.
func (m *machine) resists() {
	m.t.Helper()
	said := len(m.serial.all())
	chords := append(escape.Chords(), escape.SysRq()...)
	for _, chord := range chords {
		m.press(chord)
		m.until("borne's page after "+chord.String(), time.Minute, m.pages)
	}
	m.t.Logf("%d chords pressed", len(chords))
	m.keepPicture("8-after-keys")

	m.order("blockdev-add", map[string]any{"driver": "file", "node-name": "escape", "filename": m.stick("parvis-enrolement.txt", "CODE@hub"), "read-only": true})
	m.order("netdev_add", map[string]any{"type": "user", "id": "escape"})
	m.order("chardev-add", map[string]any{"id": "escape", "backend": map[string]any{"type": "null", "data": map[string]any{}}})
	for _, thing := range escape.Plugs() {
		before := m.serial.count("refusé")
		m.order("device_add", device(thing.Add))
		if thing.Refused {
			m.until("refusal of "+thing.Name, 2*time.Minute, func() bool { return m.serial.count("refusé") > before })
		}
	}
	m.until("borne's page", time.Minute, m.pages)
	m.keepPicture("9-after-plugs")

	since := m.serial.all()[said:]
	for _, sign := range []string{"BdsDxe", "Stopping parvis.service", "Stopping parvis-x.service", "Main process exited", "Starting parvis-usb@", "s’enrôle", "Started getty@", "login:", "Reached target reboot", "Reached target poweroff"} {
		if strings.Contains(since, sign) {
			m.t.Errorf("the machine has said %q meanwhile", sign)
		}
	}
}

// press presses keys together, and waits until they are let go.
func (m *machine) press(chord escape.Chord) {
	m.t.Helper()
	send := func(down bool) {
		m.t.Helper()
		var events []map[string]any
		for _, key := range chord {
			events = append(events, map[string]any{"type": "key", "data": map[string]any{"down": down, "key": map[string]any{"type": "qcode", "data": key.QEMU}}})
		}
		m.order("input-send-event", map[string]any{"events": events})
	}
	send(true)
	send(false)
}

// device turns an argument of QEMU's into that of its control line.
func device(text string) map[string]any {
	driver, rest, _ := strings.Cut(text, ",")
	args := map[string]any{"driver": driver, "bus": "usb.0"}
	for _, pair := range strings.Split(rest, ",") {
		key, value, _ := strings.Cut(pair, "=")
		args[key] = value
		if value == "on" || value == "off" {
			args[key] = value == "on"
		}
	}
	return args
}
