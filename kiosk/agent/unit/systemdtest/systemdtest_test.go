package systemdtest_test

import (
	"os"
	"strings"
	"testing"

	"parvis/kiosk/agent/unit/systemdtest"
)

func TestBoot(t *testing.T) {
	t.Parallel()
	m := systemdtest.Boot(t, map[string]systemdtest.File{
		"/etc/systemd/system/hello.service": {Text: "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/local/bin/hello\n"},
		"/usr/local/bin/hello":              {Text: "#!/bin/sh\necho hello >/var/lib/hello\n", Mode: 0o755},
	}, "hello.service")
	m.Run(t, "systemctl", "is-active", "--wait", "hello.service", "dbus.service", "systemd-journald.service")
	if said, err := os.ReadFile(m.Path("/var/lib/hello")); err != nil || string(said) != "hello\n" {
		t.Errorf("the unit wrote %q, %v", said, err)
	}
	if _, err := os.Stat("/usr/local/bin/hello"); err == nil {
		t.Error("a file of the machine shows outside of it")
	}
	who, err := m.Command("nobody", "/usr/bin/id", "-un").Output()
	if err != nil || strings.TrimSpace(string(who)) != "nobody" {
		t.Errorf("a command as nobody ran as %q, %v", who, err)
	}
	m.Run(t, "systemctl", "--no-block", "reboot")
	if !m.Rebooted() {
		t.Error("the machine ended otherwise than by a restart")
	}
}

func TestPowerCut(t *testing.T) {
	t.Parallel()
	m := systemdtest.Boot(t, nil)
	m.Kill()
	select {
	case <-m.Ended():
	default:
		t.Error("the machine runs on")
	}
	if m.Rebooted() {
		t.Error("a power cut is taken for a restart")
	}
}
