package unit_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parvis/kiosk/agent/unit"
	"parvis/kiosk/agent/unit/systemdtest"
)

// hub stands for parvis-hub: it takes what a hub needs, or ends.
func hub(ctx context.Context) error {
	state := os.Getenv("STATE_DIRECTORY")
	if err := os.WriteFile(filepath.Join(state, "hub.key"), nil, 0o600); err != nil {
		return err
	}
	l, err := net.Listen("tcp", ":443")
	if err != nil {
		return err
	}
	defer l.Close()
	unit.Ready(state + " " + os.Getenv("PARVIS_DATABASE"))
	<-ctx.Done()
	return nil
}

func TestHubUnit(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const packaging = "../../../packaging/systemd/"
	m := systemdtest.Boot(t, map[string]systemdtest.File{
		"/usr/bin/parvis-hub":                    {From: self, Mode: 0o755},
		"/etc/systemd/system/parvis-hub.service": {From: packaging + "parvis-hub.service"},
		"/usr/lib/sysusers.d/parvis-hub.conf":    {From: packaging + "parvis-hub.sysusers"},
		"/etc/parvis/hub.env":                    {Text: "PARVIS_DATABASE=postgres://ailleurs/\n", Mode: 0o600},
	}, "parvis-hub.service")
	conn, err := unit.ConnectTo(t.Context(), m.Bus())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := awaitState(t, conn, "parvis-hub.service", unit.Running)
	if want := "/var/lib/parvis-hub postgres://ailleurs/"; s.Status != want {
		t.Errorf("the hub has %q, want %q", s.Status, want)
	}
	if got := m.Run(t, "stat", "--format=%U %a", "/var/lib/parvis-hub"); got != "parvis-hub 700\n" {
		t.Errorf("the hub's folder: %s", got)
	}
	// What the kernel grants of it is for the machine outside to say.
	if got := m.Run(t, "systemctl", "show", "--value", "--property=LimitNOFILE", "parvis-hub.service"); got != "65536\n" {
		t.Errorf("the hub may open %s files", got)
	}
	if env := m.Run(t, "systemctl", "show", "--property=Environment", "parvis-hub.service"); strings.Contains(env, "ailleurs") {
		t.Errorf("anybody may read the hub's secrets: %s", env)
	}
}
