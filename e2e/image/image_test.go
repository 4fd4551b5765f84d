// Package image starts the disk image of a borne in an emulator, as a mini-PC
// out of its box would start it: first boot, enrolment at a real hub, updates,
// and the plug pulled at random moments. `make imagetest` runs it.
package image

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parvis/e2e/xdrive"
	"parvis/hub/store"
)

// diskSize is that of the emulated disk: small, for a borne.
const diskSize = 8 << 30

// patience is how long a start may take on a busy machine that emulates one.
const patience = 20 * time.Minute

var (
	root  string // of the source tree
	built string // the folder with the image test.raw, and deb/ with the packages
)

func TestMain(m *testing.M) {
	if built = os.Getenv("PARVIS_IMAGE"); built == "" {
		fmt.Println("the disk image is tried by make imagetest")
		return
	}
	var err error
	if root, err = xdrive.Root(); err == nil {
		err = os.MkdirAll(filepath.Join(root, "run/image"), 0o755)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// Where the image's partitions begin; see packaging/image/make-image.sh.
const (
	espOffset  = 1 << 20
	rootOffset = 257 << 20
)

// emulated is a copy of the image with what an emulator needs: it says what it
// does on the serial line, and gives programs time, as it is a hundred times
// slower than a borne. files are put into the root.
func emulated(t *testing.T, files map[string]string) *os.File {
	t.Helper()
	f, err := os.Open(prepared(t, files))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func prepared(t *testing.T, files map[string]string) (image string) {
	t.Helper()
	image = filepath.Join(t.TempDir(), "image")
	run(t, "cp", "--sparse=always", filepath.Join(built, "test.raw"), image)

	all := map[string]string{
		"/etc/systemd/journald.conf.d/emulator.conf":         "[Journal]\nForwardToConsole=yes\nTTYPath=/dev/ttyS0\n",
		"/etc/systemd/system/parvis.service.d/emulator.conf": "[Service]\nWatchdogSec=180\nTimeoutStartSec=600\n",
	}
	for name, text := range files {
		all[name] = text
	}
	var orders strings.Builder
	for name, text := range all {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&orders, "mkdir %s\nrm %s\nwrite %s %[2]s\n", filepath.Dir(name), name, file)
	}
	cmd := exec.Command("debugfs", "-w", "-f", "-", fmt.Sprintf("%s?offset=%d", image, rootOffset))
	cmd.Stdin = strings.NewReader(orders.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v (apt install e2fsprogs)\n%s", err, out)
	}
	return image
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		t.Fatalf("%s %v: %v", name, args, err)
	}
	return string(out)
}

// borneAt is what a hub knows of its only borne; nil before there is one.
func borneAt(t *testing.T, data string) *store.Borne {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	st, err := store.Open(ctx, filepath.Join(data, "hub.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	bornes, err := st.Bornes(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(bornes) == 0 {
		return nil
	}
	return &bornes[0]
}
