package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"parvis/kiosk/agent/unit/systemdtest"
)

// Inside the machine of a test this program is the borne.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "parvis" {
		main()
		return
	}
	os.Exit(m.Run())
}

const profileText = `[site]
id = "essai"
nom = "Mairie d’essai"
telephone = "03 53 01 00 00"
latitude = 48.5734
longitude = 7.7521
region = "metropole"
mediateurs = "Mo-Fr 09:00-12:00"
langues = ["fr"]

[ecran]
largeur_px = 540
hauteur_px = 960
largeur_mm = 398
hauteur_sol_mm = 700
`

// The borne's real program, under the unit that is shipped, on an X server: as
// long as it draws it lives, and when its drawing loop stands still, though
// every other thread goes on, systemd starts it anew.
func TestFrozenScreenIsRestarted(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("Xvfb"); err != nil {
		t.Fatalf("%v (Debian package xvfb)", err)
	}
	const packaging = "../../packaging/systemd/"
	m := systemdtest.Boot(t, map[string]systemdtest.File{
		"/usr/bin/parvis":                    {From: self, Mode: 0o755},
		"/etc/parvis/profil.toml":            {Text: profileText},
		"/etc/systemd/system/parvis.service": {From: packaging + "parvis.service"},
		"/usr/lib/sysusers.d/parvis.conf":    {From: packaging + "parvis.sysusers"},
		"/usr/lib/tmpfiles.d/parvis.conf":    {From: packaging + "parvis.tmpfiles"},
		"/etc/systemd/system/xvfb.service": {Text: "[Service]\n" +
			"ExecStart=/usr/bin/Xvfb :0 -ac -nolisten tcp -screen 0 540x960x24\nExecStartPost=/bin/sh -c 'until test -e /tmp/.X11-unix/X0; do sleep .02; done'\n"},
		"/etc/systemd/system/parvis.service.d/test.conf": {Text: "[Unit]\nAfter=xvfb.service\n" +
			"[Service]\nWatchdogSec=3\nEnvironment=LIBGL_ALWAYS_SOFTWARE=1\n"},
	}, "xvfb.service", "parvis.service")
	show := func(property string) string {
		return strings.TrimSpace(m.Run(t, "systemctl", "show", "--value", "--property="+property, "parvis.service"))
	}
	await := func(what string, is func() bool) {
		t.Helper()
		deadline := time.Now().Add(30 * time.Second)
		for !is() {
			if time.Now().After(deadline) {
				t.Fatalf("%s: not after 30 s", what)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	await("the borne is up", func() bool { return show("ActiveState") == "active" })
	pid := show("MainPID")
	time.Sleep(4 * time.Second) // longer than WatchdogSec: what draws is left alone
	if got := show("MainPID"); got != pid || show("NRestarts") != "0" {
		t.Fatalf("the borne was restarted while it drew: process %s, then %s", pid, got)
	}

	freeze(t, outside(t, m, pid))
	await("the borne is restarted", func() bool { return show("NRestarts") == "1" && show("ActiveState") == "active" })
	if show("MainPID") == pid {
		t.Error("the frozen process lives on")
	}
	log := m.Run(t, "journalctl", "--no-pager", "--output=cat", "UNIT=parvis.service", "+", "_SYSTEMD_UNIT=parvis.service")
	for _, want := range []string{"Watchdog timeout", "SIGABRT"} {
		if !strings.Contains(log, want) {
			t.Errorf("the journal lacks %q:\n%s", want, log)
		}
	}
}

// outside is the number by which this machine knows a process of another.
func outside(t *testing.T, m *systemdtest.Machine, pid string) int {
	t.Helper()
	statuses, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.Stat(m.Path("/usr/bin/parvis"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range statuses {
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(text), "\t"+pid+"\n") {
			continue
		}
		dir := filepath.Dir(path)
		if exe, err := os.Stat(dir + "/exe"); err == nil && os.SameFile(exe, want) {
			n, _ := strconv.Atoi(filepath.Base(dir))
			return n
		}
	}
	t.Fatalf("process %s of the machine is not to be seen from outside", pid)
	return 0
}

// freeze stops the first thread of a process, which is the one that draws, and
// no other, for as long as the process lives.
func freeze(t *testing.T, pid int) {
	t.Helper()
	frozen := make(chan error)
	go func() {
		runtime.LockOSThread() // ends with the thread, which must be the same throughout
		err := unix.PtraceSeize(pid)
		if err == nil {
			err = unix.PtraceInterrupt(pid)
		}
		frozen <- err
		// A process that is traced is gone only when the tracer has seen its end.
		for ended := false; !ended; {
			var status unix.WaitStatus
			_, err := unix.Wait4(pid, &status, unix.WALL, nil)
			ended = err != unix.EINTR && (err != nil || status.Exited() || status.Signaled())
		}
	}()
	if err := <-frozen; err != nil {
		t.Fatalf("freezing thread %d: %v", pid, err)
	}
}

// A systemd that no longer listens costs the drawing loop nothing.
func TestDrawingLoopNeverWaitsForSystemd(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	deaf, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", fmt.Sprint(4*time.Millisecond.Microseconds()))
	t.Setenv("WATCHDOG_PID", "")

	tasks := make(chan func(), 1000)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		feedWatchdog(ctx, func(task func()) { tasks <- task })
		close(ended)
	}()
	// The loop does its tasks until the feeder has got stuck, at some ten.
	for {
		select {
		case task := <-tasks:
			began := time.Now()
			task()
			if took := time.Since(began); took > 100*time.Millisecond {
				t.Fatalf("the drawing loop waited %v for systemd", took)
			}
			continue
		case <-time.After(500 * time.Millisecond):
		}
		break
	}
	cancel()
	for range 100 { // it is heard again
		deaf.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if _, err := deaf.Read(make([]byte, 100)); err != nil {
			break
		}
	}
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("the feeder doesn't end")
	}
}
