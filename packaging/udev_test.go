// Package packaging_test checks what packaging installs.
package packaging_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// udevadm itself reads the rules, in a mount namespace of its own so that the
// machine's stay as they are.
const readRules = `set -e
mount -t tmpfs none /run
mkdir -p /run/udev/rules.d
cp "$1" /run/udev/rules.d/
udevadm test --action=add /sys/class/net/lo 2>&1`

func TestUdevReadsOurRules(t *testing.T) {
	const rules = "udev/70-parvis.rules"
	args := []string{"--mount", "sh", "-c", readRules, "sh", rules}
	if os.Geteuid() != 0 { // root needs no user namespace, and gets none in a chroot
		args = append([]string{"--map-root-user"}, args...)
	}
	out, err := exec.Command("unshare", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("udevadm (Debian package udev): %v\n%s", err, out)
	}
	read := false
	for line := range strings.Lines(string(out)) {
		switch {
		case strings.HasPrefix(line, "Reading rules file") && strings.Contains(line, rules[len("udev/"):]):
			read = true
		case strings.Contains(line, "70-parvis.rules:"):
			t.Errorf("udev refuses a rule: %s", line)
		}
	}
	if !read {
		t.Errorf("udevadm did not read the rules:\n%s", out)
	}
}
