package e2e

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parvis/e2e/xdrive"
)

// The borne tells systemd when its first page is there, and from then on, as
// often as systemd asks, that its drawing loop moves.
func TestSystemdHearsOfTheScreen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	xdrive.StartBorne(t, xdrive.Options{Bare: true, Env: []string{"NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=4000000"}})
	if err := socket.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var heard []string
	buf := make([]byte, 1000)
	for len(heard) < 3 {
		n, err := socket.Read(buf)
		if err != nil {
			t.Fatalf("after %q: %v", heard, err)
		}
		heard = append(heard, string(buf[:n]))
	}
	if !strings.Contains(heard[0], daemonReady) || heard[1] != daemonAlive || heard[2] != daemonAlive {
		t.Errorf("systemd heard %q", heard)
	}
}

// What systemd's protocol calls these (sd_notify(3)).
const (
	daemonReady = "READY=1"
	daemonAlive = "WATCHDOG=1"
)
