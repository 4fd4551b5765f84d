package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"parvis/kiosk/agent/upgrade"
	"parvis/kiosk/link"
)

// slotScript stands for /usr/lib/parvis/slot: which root runs stands in a file,
// the other one is laid over it, and what it is told to do is noted.
const slotScript = `#!/bin/sh
set -eu
current=$(cat /run/slot-current)
other=A
[ "$current" = B ] || other=B
o=/run/parvis-slot/other
case $1 in
status) echo "current=$current other=$other"; exit 0 ;;
prepare)
	umount -R $o 2>/dev/null || true
	rm -rf /run/over
	mkdir -p $o /run/over/u /run/over/w /run/over/usr-u /run/over/usr-w
	mount -t overlay -o lowerdir=/,upperdir=/run/over/u,workdir=/run/over/w over $o
	mount -t overlay -o lowerdir=/usr,upperdir=/run/over/usr-u,workdir=/run/over/usr-w over $o/usr
	mount --rbind /dev $o/dev
	mount -t tmpfs tmpfs $o/run
	mount -t tmpfs tmpfs $o/tmp
	;;
trial)
	[ -e /run/slot-trial ] || exit 1
	rm /run/slot-trial
	echo waits >>/run/slot-log
	exit 0
	;;
try) chroot $o dpkg-query --show --showformat='tried ${Version}\n' parvis-borne >>/run/slot-log; umount -R -l $o; exit 0 ;;
esac
echo "$1" >>/run/slot-log
`

// replaceInSlots is root's half on a machine with two roots, which restarts in
// the test's hands.
func replaceInSlots() error {
	as, err := credential(agentUser)
	if err != nil {
		return err
	}
	r := &upgrade.Replacer{
		Data: borne, Agent: as.Uid, State: "/var/lib/parvis-upgrade", Slots: "/data/lib/parvis-upgrade", Cache: "/var/cache/parvis-upgrade",
		Keys: []string{"/etc/parvis/apt.asc"}, Slot: "/usr/local/lib/slot", Times: upgrade.Times{Healthy: 500 * time.Millisecond, Within: 3 * time.Second, Before: 2 * time.Second},
		Alive: (&upgradeCmd{Data: borne}).alive, Now: time.Now, Log: slog.Default(),
		Reboot: func(context.Context) error { _, err := fmt.Println("restarts"); return err },
	}
	return r.Run(context.Background())
}

// On a machine with two roots a version goes into the other, and the verdict
// falls on whichever comes up.
func TestUpgradeSlots(t *testing.T) {
	t.Parallel()
	b := newBench(t, release{version: "1.0", mode: "good"})
	b.publish(release{version: "1.1", mode: "good"})
	b.publish(release{version: "1.2", mode: "good", post: "exit 1"})
	b.mirror("1.1", "1.2")
	b.lay("/tmp/slot", strings.NewReader(slotScript))
	b.Run(t, "install", "-m", "755", "/tmp/slot", "/usr/local/lib/slot")
	run := func(current string) (restarts bool, noted string) {
		t.Helper()
		b.Run(t, "/bin/sh", "-c", "echo "+current+" >/run/slot-current")
		out, err := b.Command("root", programs+"parvis-slots").Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		log, err := os.ReadFile(b.Path("/run/slot-log"))
		if err != nil {
			t.Fatal(err)
		}
		b.Run(t, "/bin/sh", "-c", ": >/run/slot-log")
		return string(out) == "restarts\n", strings.Join(strings.Fields(string(log)), " ")
	}
	want := func(current string, wantRestart bool, want string) {
		t.Helper()
		if restarts, noted := run(current); restarts != wantRestart || noted != want {
			t.Fatalf("on %s: restarts %t, %q, want %t, %q", current, restarts, noted, wantRestart, want)
		}
	}
	ask := func(version string) {
		t.Helper()
		b.lay(borne+"upgrade/request.json", strings.NewReader(`{"version":"`+version+`"}`))
	}
	// Somebody else is at the roots until root's half stands there and waits; then
	// the root that runs is on trial.
	b.Run(t, "/bin/sh", "-c", "mkdir -m 700 -p /run/parvis-slot; : >/run/slot-trial; : >/run/slot-log")
	other := b.Command("root", "flock", "--close", "/run/parvis-slot/change", "/bin/sh", "-c", `echo held
until [ "$(ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c /run/parvis-slot/change)" -ge 2 ]; do sleep 0.1; done
echo leaves >>/run/slot-log`)
	said, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(said, make([]byte, len("held\n"))); err != nil {
		t.Fatal(err)
	}
	ask("1.1")
	want("A", true, "leaves waits prepare tried 1.1")
	if err := other.Wait(); err != nil {
		t.Error(err)
	}
	b.wantRunning("1.0") // the root that runs is as it was
	want("B", false, "good")
	b.want(b.read(), "1.0", "1.1", link.Done, "")

	ask("1.1")
	want("A", true, "prepare tried 1.1")
	want("A", false, "") // the other has not come up
	b.want(b.read(), "1.0", "1.1", link.Failed, "n’a pas démarré")

	ask("1.1")
	want("A", true, "prepare tried 1.1")
	b.Run(t, "systemctl", "stop", "parvis.service")
	want("B", true, "bad")
	want("B", true, "bad") // cut before the restart
	want("A", false, "")
	b.want(b.read(), "1.0", "1.1", link.Failed, "parvis.service ne tourne pas. L’autre système reprend, avec la version 1.0.")
	b.Run(t, "systemctl", "start", "parvis.service")

	// The other root comes up before the version is in it.
	b.Run(t, "/bin/sh", "-c", `echo '{"phase":"install","from":"1.0","to":"1.1","tries":1,"slot":"A"}' >/data/lib/parvis-upgrade/state.json`)
	want("B", false, "")
	b.want(b.read(), "1.0", "1.1", link.Failed, "pendant l’installation de la version 1.1. Il a la version 1.0")

	ask("1.2")
	want("A", false, "prepare")
	b.want(b.read(), "1.0", "1.2", link.Failed, "n’a pas pu être installée")
	b.wantRunning("1.0")
}
