package kiosk_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The other root is mounted where nobody but root may put anything in its place:
// programs are run as root in it. A unit's folder under /run is its user's.
func TestSlotIsRoots(t *testing.T) {
	t.Parallel()
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	state := regexp.MustCompile(`(?m)^state=(/run/\S+)$`).FindStringSubmatch(read("root/usr/lib/parvis/slot"))
	if state == nil || !strings.Contains(read("root/usr/lib/parvis/slot"), "\nmounted=$state/other\n") {
		t.Fatal("slot doesn't say where it mounts the other root")
	}
	for _, user := range []string{"../image/root/usr/lib/parvis/slot-debian", "../../kiosk/agent/upgrade/slots.go"} {
		if !strings.Contains(read(user), state[1]+"/other") {
			t.Errorf("%s looks for the other root elsewhere than in %s/other", user, state[1])
		}
	}
	var units []string
	for _, folder := range []string{"root/usr/lib/systemd/system", "../systemd", "../image/root/usr/lib/systemd/system"} {
		found, err := filepath.Glob(folder + "/*.service")
		if err != nil || len(found) == 0 {
			t.Fatalf("%s has no units: %v", folder, err)
		}
		units = append(units, found...)
	}
	owned := 0
	for _, unit := range units {
		text := read(unit)
		folder := regexp.MustCompile(`(?m)^RuntimeDirectory=(\S+)$`).FindStringSubmatch(text)
		if folder == nil || !regexp.MustCompile(`(?m)^User=`).MatchString(text) {
			continue
		}
		owned++
		if strings.HasPrefix(state[1]+"/", "/run/"+folder[1]+"/") {
			t.Errorf("%s is below the folder of %s, which is not root's", state[1], unit)
		}
	}
	if owned == 0 {
		t.Error("no unit with a folder of its user's was found")
	}
}
