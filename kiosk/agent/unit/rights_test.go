package unit_test

import (
	"strings"
	"testing"
	"time"

	"parvis/kiosk/agent/unit"
	"parvis/kiosk/agent/unit/systemdtest"
)

// The agent, under its hardened unit and with our polkit rule, may do what its
// work needs, and nothing else.
func TestAgentRights(t *testing.T) {
	t.Parallel()
	m, conn := newBorne(t, nil)
	before := awaitState(t, conn, "parvis.service", unit.Running)
	if got := order(t, m, "restart", "parvis.service"); got != "" {
		t.Fatalf("restarting the application: %s", got)
	}
	if after := awaitState(t, conn, "parvis.service", unit.Running); after.PID == before.PID {
		t.Error("the application was not restarted")
	}
	if got := order(t, m, "restart", "other.service"); !strings.Contains(got, "droit refusé") {
		t.Errorf("restarting something else: %q", got)
	}
	// The same program without the user.
	out, err := m.Command("nobody", "/bin/busctl", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
		"org.freedesktop.systemd1.Manager", "RestartUnit", "ss", "parvis.service", "replace").CombinedOutput()
	if err == nil {
		t.Errorf("nobody may restart the application: %s", out)
	}

	// Two users, one database; the borne's identity is the agent's alone.
	if got := order(t, m, "store"); got != "au service" {
		t.Errorf("the agent in the application's database: %q", got)
	}
	if got := order(t, m, "identity"); got != "" {
		t.Errorf("the agent's own folder: %s", got)
	}
	if out, err := m.Command("parvis", "/bin/cat", identityFile).CombinedOutput(); err == nil {
		t.Errorf("the application's user may read the identity: %s", out)
	}
	m.Run(t, "chown", "root:root", identityFile) // enrolled by root
	if got := order(t, m, "identity"); !strings.Contains(got, "permission denied") {
		t.Errorf("a file of root's: %q", got)
	}
	m.Run(t, "systemd-tmpfiles", "--create", "parvis.conf") // at each start
	if got := order(t, m, "identity"); got != "" {
		t.Errorf("the agent's folder after root has been in it: %s", got)
	}
	if err := conn.Restart(t.Context(), "parvis.service"); err != nil {
		t.Errorf("the application after the agent has used its database: %v", err)
	}

	await(t, "the journal, as the agent reads it", func() bool {
		return strings.Contains(order(t, m, "logs", "parvis.service"), "Started parvis.service")
	})
	if got := order(t, m, "facts"); strings.HasPrefix(got, "erreur") || strings.Contains(got, "-1") || !strings.Contains(got, "BootID:") {
		t.Errorf("facts, as the agent reads them: %s", got)
	}

	m.Run(t, "systemd-run", "--unit=hold", "systemd-inhibit", "--what=shutdown", "--who=apt", "--why=Mise à jour", "sleep", "infinity")
	await(t, "the inhibitor", func() bool {
		return strings.Contains(m.Run(t, "systemd-inhibit", "--list", "--no-legend"), "apt")
	})
	if got := order(t, m, "reboot"); !strings.Contains(got, "retenu par apt (Mise à jour)") {
		t.Errorf("restarting against an inhibitor: %q", got)
	}
	m.Run(t, "systemctl", "stop", "hold.service")
	await(t, "the inhibitor's end", func() bool {
		return !strings.Contains(m.Run(t, "systemd-inhibit", "--list", "--no-legend"), "apt")
	})
	if got := order(t, m, "reboot"); got != "" {
		t.Fatalf("restarting the machine: %s", got)
	}
	select {
	case <-m.Ended():
	case <-time.After(30 * time.Second):
		t.Fatal("the machine has not restarted")
	}
	if !m.Rebooted() {
		t.Error("the machine ended otherwise than by a restart")
	}
}

// Without the rule the agent is told what is missing.
func TestAgentWithoutRule(t *testing.T) {
	t.Parallel()
	m, _ := newBorne(t, map[string]systemdtest.File{"/usr/share/polkit-1/rules.d/50-parvis.rules": {Text: "\n"}})
	for _, o := range [][]string{{"restart", "parvis.service"}, {"reboot"}} {
		got := order(t, m, o...)
		if !strings.Contains(got, "droit refusé") || !strings.Contains(got, "50-parvis.rules") {
			t.Errorf("%s: %q", o, got)
		}
	}
	select {
	case <-m.Ended():
		t.Error("the machine restarted all the same")
	default:
	}
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 500 {
		if is() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%s: not after 10 s", what)
}
