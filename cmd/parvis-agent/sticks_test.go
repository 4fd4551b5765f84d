package main

import (
	"os"
	"regexp"
	"testing"
	"time"

	"parvis/kiosk/agent/unit/systemdtest"
)

// patientAgent stands for the agent that reads a stick: that of sdz1 takes until
// somebody has it go on.
const patientAgent = `#!/bin/sh
[ "$1" = stick ]
if grep -q sdz1 /proc/self/cgroup; then
	touch /var/lib/parvis/begun
	until [ -e /var/lib/parvis/go-on ]; do sleep 0.05; done
fi
mountpoint "$2"
`

// A stick of two partitions is read by two units at a time: the end of the one
// takes nothing from the other.
func TestStickOfTwoPartitions(t *testing.T) {
	t.Parallel()
	const kiosk = "../../packaging/kiosk/root/"
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	// There are no disks here: nothing to be bound to, and memory to mount.
	unit := regexp.MustCompile(`(?m)^(BindsTo|After|ConditionPathExists)=.*\n`).ReplaceAllString(read(kiosk+"usr/lib/systemd/system/parvis-usb@.service"), "")
	disk := regexp.MustCompile(`mount -t vfat,exfat -o \S+ "\$device"`)
	script := read(kiosk + "usr/lib/parvis/usb-stick")
	if !disk.MatchString(script) {
		t.Fatal("usb-stick mounts no stick")
	}
	m := systemdtest.Boot(t, map[string]systemdtest.File{
		"/etc/systemd/system/parvis-usb@.service": {Text: unit},
		"/usr/lib/parvis/usb-stick":               {Text: disk.ReplaceAllString(script, "mount -t tmpfs stick"), Mode: 0o755},
		"/usr/bin/parvis-agent":                   {Text: patientAgent, Mode: 0o755},
		"/usr/lib/sysusers.d/parvis.conf":         {Text: read("../../packaging/systemd/parvis.sysusers")},
		"/usr/lib/tmpfiles.d/parvis.conf":         {Text: read("../../packaging/systemd/parvis.tmpfiles")},
	})
	first := m.Command("root", "systemctl", "start", "parvis-usb@sdz1.service")
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(m.Path("/var/lib/parvis/begun")); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the first partition is not read")
		}
	}
	m.Run(t, "systemctl", "start", "parvis-usb@sdz2.service")
	m.Run(t, "touch", "/var/lib/parvis/go-on")
	if err := first.Wait(); err != nil {
		t.Errorf("the first partition could not be read to its end: %v", err)
	}
}
