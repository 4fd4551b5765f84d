// Package systemd_test lets systemd's own tools judge the units and what goes
// with them. That they work in a running systemd is tested where there is a
// program to run: in parvis/kiosk/agent/unit.
package systemd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// kiosk mirrors the file system of a borne.
const kiosk = "../kiosk/root"

var units = []struct {
	name string
	// exposure is what `systemd-analyze security` may give at most, out of 10.
	exposure float64
}{
	{"parvis.service", 2.0}, // the devices of a borne, a screen, a renderer that compiles
	{"parvis-agent.service", 1.5},
	{"parvis-hub.service", 1.8},
	{"parvis-x.service", 1.5},        // a panel, a console
	{"parvis-usb@.service", 2.1},     // mounts a stick, as root
	{"parvis-verrou.service", 1.3},   // writes into /sys, as root
	{"parvis-usb-open.service", 1.3}, // as well
	{"parvis-secours.service", 1.3},
	{"parvis-reseau.service", 1.5},           // tells systemd-networkd, as root
	{"parvis-reseau-demarrage.service", 1.3}, // writes for it, as root
}

// pathOf is where a unit stands in the sources.
func pathOf(unit string) string {
	if _, err := os.Stat(unit); err == nil {
		return unit
	}
	return filepath.Join(kiosk, "usr/lib/systemd/system", unit)
}

// run runs one of systemd's tools and returns what it printed.
func run(t *testing.T, argv ...string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath(argv[0]); err != nil {
		t.Fatalf("%v (Debian package systemd)", err)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// newRoot is a root with Debian's units, ours, and programs for them to start.
func newRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	lib := filepath.Join(root, "usr/lib/systemd")
	if err := os.MkdirAll(lib, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := run(t, "cp", "-a", "/usr/lib/systemd/system", lib); err != nil {
		t.Fatalf("Debian's units (Debian package systemd): %s", out)
	}
	if out, err := run(t, "cp", "-a", kiosk+"/.", root); err != nil {
		t.Fatalf("the kiosk's files: %s", out)
	}
	for _, u := range units {
		install(t, pathOf(u.name), filepath.Join(lib, "system", u.name), 0o644)
	}
	for _, program := range []string{"bin/parvis", "bin/parvis-agent", "bin/parvis-hub", "bin/sleep", "bin/rm", "lib/xorg/Xorg", "sbin/cupsd", "bin/plymouth"} {
		install(t, "/bin/true", filepath.Join(root, "usr", program), 0o755)
	}
	return root
}

func install(t *testing.T, from, to string, mode os.FileMode) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, mode); err != nil {
		t.Fatal(err)
	}
}

func TestSystemdUnderstandsUnits(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	names := []string{"parvis-usb-open.path", "apt-daily.timer", "apt-daily-upgrade.timer", "emergency.target", "rescue.target"}
	for _, u := range units {
		names = append(names, u.name)
	}
	for _, name := range names {
		// It says what it doesn't understand and still ends well.
		if out, err := run(t, "systemd-analyze", "verify", "--recursive-errors=no", "--root="+root, name); err != nil || out != "" {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// The judge itself finds a mistake where there is one.
func TestVerifyFindsMistakes(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	unit := filepath.Join(root, "usr/lib/systemd/system/parvis.service")
	text, err := os.ReadFile(unit)
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.Replace(string(text), "\nRestart=", "\nRestrat=", 1))
	if err := os.WriteFile(unit, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, _ := run(t, "systemd-analyze", "verify", "--root="+root, "parvis.service"); !strings.Contains(out, "Restrat") {
		t.Errorf("a key that doesn't exist goes unseen: %q", out)
	}
}

var overall = regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`)

func TestUnitsAreHardened(t *testing.T) {
	t.Parallel()
	for _, u := range units {
		out, err := run(t, "systemd-analyze", "security", "--offline=true", "--no-pager", pathOf(u.name))
		if err != nil {
			t.Errorf("%s: %v\n%s", u.name, err, out)
			continue
		}
		m := overall.FindStringSubmatch(out)
		if m == nil {
			t.Errorf("%s: no verdict in:\n%s", u.name, out)
			continue
		}
		got, err := strconv.ParseFloat(m[1], 64)
		if err != nil || got > u.exposure {
			t.Errorf("%s: exposure %s, want %.1f at most:\n%s", u.name, m[1], u.exposure, out)
		}
	}
}
