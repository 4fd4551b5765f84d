// Package kiosk_test has Debian's own tools judge what the kiosk session ships:
// udev its rules, on devices that are not there, and a shell its scripts.
package kiosk_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// judge has udevadm try our rules on one device of a pretend /sys, in a mount
// namespace of its own so that the machine's /run and /etc stay as they are.
const judge = `set -e
mount -t tmpfs none /run
mkdir -p /run/udev/rules.d /run/up /run/work
mount -t overlay -o lowerdir=/etc,upperdir=/run/up,workdir=/run/work none /etc
mkdir -p /etc/parvis
cp root/usr/lib/udev/rules.d/*.rules ../udev/*.rules /run/udev/rules.d/
%s
umockdev-run --device "$1" -- sh -c 'udevadm test --action=add "$1" 2>&1; cat "$1/authorized" 2>/dev/null | sed s/^/authorized=/' sh "$2"`

// What a borne's sockets know when something is plugged in.
const (
	starting = ":" // the borne's own devices come
	locked   = "mkdir -p /run/parvis-verrou/connus; : >/run/parvis-verrou/ferme\n"
	known    = locked + ": >/run/parvis-verrou/connus/1234:5678\n"
	opened   = locked + "mkdir /run/parvis; : >/run/parvis/usb-open\n"
	knownAll = known + "mkdir /run/parvis; : >/run/parvis/usb-open\n"
)

const (
	usb  = "/devices/pci0000:00/0000:00:14.0/usb1/1-2"
	face = usb + "/1-2:1.0"
)

// plug is a pretend USB device of one interface, with the lines of what the kernel
// makes of it.
func plug(vendor, product, class, subclass, protocol string, more ...string) string {
	return fmt.Sprintf("P: %s\nE: DEVTYPE=usb_device\nE: SUBSYSTEM=usb\nA: idVendor=%s\\n\nA: idProduct=%s\\n\nA: authorized=1\\n\n\n"+
		"P: %s\nE: DEVTYPE=usb_interface\nE: SUBSYSTEM=usb\nA: bInterfaceClass=%s\\n\nA: bInterfaceSubClass=%s\\n\nA: bInterfaceProtocol=%s\\n\nA: authorized=1\\n\n\n",
		usb, vendor, product, face, class, subclass, protocol) + strings.Join(more, "\n")
}

// input is what the kernel makes of a HID interface: properties are what input_id
// would find.
func input(properties ...string) string {
	return "P: " + face + "/input/input5\nE: SUBSYSTEM=input\nA: name=Essai\\n\n\n" +
		"P: " + face + "/input/input5/event5\nN: input/event5\nE: DEVNAME=/dev/input/event5\nE: SUBSYSTEM=input\nE: MAJOR=13\nE: MINOR=69\nE: " +
		strings.Join(properties, "\nE: ") + "\n"
}

const (
	event     = face + "/input/input5/event5"
	network   = face + "/net/eth9"
	partition = face + "/host6/target6:0:0/6:0:0:0/block/sdb/sdb1"
)

func udev(t *testing.T, before, devices, path string) string {
	t.Helper()
	for _, program := range []struct{ name, pkg string }{{"udevadm", "udev"}, {"umockdev-run", "umockdev"}} {
		if _, err := exec.LookPath(program.name); err != nil {
			t.Fatalf("%v (Debian package %s)", err, program.pkg)
		}
	}
	file := filepath.Join(t.TempDir(), "devices.umockdev")
	if err := os.WriteFile(file, []byte(devices), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"--mount", "sh", "-c", fmt.Sprintf(judge, before), "sh", file, "/sys" + path}
	if os.Geteuid() != 0 {
		args = append([]string{"--map-root-user"}, args...)
	}
	out, err := exec.Command("unshare", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("udevadm: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "80-parvis") && (strings.Contains(line, "nvalid") || strings.Contains(line, "gnoring")) {
			t.Errorf("udev refuses a rule: %s", line)
		}
	}
	return string(out)
}

func TestWhatMayBePluggedIn(t *testing.T) {
	t.Parallel()
	keyboard := plug("1234", "5678", "03", "01", "01")
	stick := plug("1234", "5678", "08", "06", "50")
	for _, c := range []struct {
		name, before, devices string
		refused               bool
	}{
		{"a keyboard while the borne starts", starting, keyboard, false},
		{"a keyboard", locked, keyboard, true},
		{"the borne's keypad after a loose cable", known, keyboard, false},
		{"a scanner that is known for one", locked, plug("05e0", "1200", "03", "01", "01"), false},
		{"another keyboard while sticks are let in", opened, keyboard, true},
		{"a touch panel", locked, plug("1234", "5678", "03", "00", "00"), false},
		{"a stick", locked, stick, true},
		{"a stick that was there at the start", known, stick, true},
		{"a stick when staff let it in", opened, stick, false},
		{"Ethernet", locked, plug("1234", "5678", "02", "06", "00"), true},
		{"NCM", locked, plug("1234", "5678", "02", "0d", "00"), true},
		{"the borne's own modem after a reset", known, plug("1234", "5678", "02", "0e", "00"), false},
		{"Bluetooth", locked, plug("1234", "5678", "e0", "01", "01"), true},
		{"a phone that shares its line", locked, plug("1234", "5678", "ef", "04", "01"), true},
		{"a serial line", locked, plug("1234", "5678", "02", "02", "01"), false},
		{"a serial adapter", locked, plug("0403", "6001", "ff", "ff", "ff"), false},
		{"a printer", locked, plug("04b8", "0e15", "07", "01", "02"), false},
		{"a sound card", locked, plug("1234", "5678", "01", "01", "00"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out := udev(t, c.before, c.devices, face)
			want := "authorized=1"
			if c.refused {
				want = "authorized=0"
			}
			if !strings.Contains(out, want) {
				t.Errorf("want %s:\n%s", want, tail(out))
			}
			if said := strings.Contains(out, "parvis-verrou refusé : 1234:5678 1-2:1.0"); said != c.refused {
				t.Errorf("the journal is told: %t\n%s", said, tail(out))
			}
		})
	}
}

// What doesn't say what it is shows it by what the kernel makes of it.
func TestWhatHidesItsKind(t *testing.T) {
	t.Parallel()
	keys := input("ID_INPUT=1", "ID_INPUT_KEY=1", "ID_INPUT_KEYBOARD=1")
	touch := input("ID_INPUT=1", "ID_INPUT_TOUCHSCREEN=1")
	card := "P: " + network + "\nE: SUBSYSTEM=net\nE: INTERFACE=eth9\nE: IFINDEX=9\nA: address=02:00:00:00:00:01\\n\nA: type=1\\n\n"
	const refuse, taken = "/usr/lib/parvis/verrou refuser ", "ID_INPUT.tags=parvis"
	for _, c := range []struct {
		name, before, class, more, path string
		refused, listened               bool
	}{
		{"keys of the borne", starting, "03", keys, event, false, true},
		{"keys under another name", locked, "03", keys, event, true, false},
		{"keys of the borne again", known, "03", keys, event, false, true},
		{"a touch panel", locked, "03", touch, event, false, false},
		{"a network of a maker's own kind", locked, "ff", card, network, true, false},
		{"the borne's own", known, "ff", card, network, false, false},
		{"the borne's own at the start", starting, "ff", card, network, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out := udev(t, c.before, plug("1234", "5678", c.class, "00", "00", c.more), c.path)
			if got := strings.Contains(out, "run: '"+refuse+"/sys"+c.path+"'"); got != c.refused {
				t.Errorf("refused: %t, want %t\n%s", got, c.refused, tail(out))
			}
			if got := strings.Contains(out, taken); got != c.listened {
				t.Errorf("X listens to it: %t, want %t\n%s", got, c.listened, tail(out))
			}
		})
	}
}

// A name can be put on: that of a scanner lets keys in that nobody listens to, and
// no network.
func TestScannersNameBringsNoNetwork(t *testing.T) {
	t.Parallel()
	card := "P: " + network + "\nE: SUBSYSTEM=net\nE: INTERFACE=eth9\nE: IFINDEX=9\nA: address=02:00:00:00:00:01\\n\nA: type=1\\n\n"
	for _, vendor := range []string{"05e0", "ffff"} {
		if out := udev(t, locked, plug(vendor, "5678", "02", "06", "00"), face); !strings.Contains(out, "authorized=0") {
			t.Errorf("Ethernet of %s is let in\n%s", vendor, tail(out))
		}
		if out := udev(t, locked, plug(vendor, "5678", "ff", "00", "00", card), network); !strings.Contains(out, "verrou refuser /sys"+network) {
			t.Errorf("a network of %s's own kind is let in\n%s", vendor, tail(out))
		}
		keys := plug(vendor, "5678", "03", "00", "00", input("ID_INPUT=1", "ID_INPUT_KEY=1", "ID_INPUT_KEYBOARD=1"))
		if out := udev(t, locked, keys, event); strings.Contains(out, "verrou refuser") || strings.Contains(out, "ID_INPUT.tags=parvis") {
			t.Errorf("the scanner %s is refused, or X listens to it\n%s", vendor, tail(out))
		}
	}
}

func TestStickIsRead(t *testing.T) {
	t.Parallel()
	stick := func(system string) string {
		return plug("1234", "5678", "08", "06", "50", "P: "+partition+"\nN: sdb1\nE: DEVNAME=/dev/sdb1\nE: DEVTYPE=partition\nE: SUBSYSTEM=block\nE: MAJOR=8\nE: MINOR=17\nE: ID_BUS=usb\nE: ID_FS_USAGE=filesystem\nE: ID_FS_TYPE="+system+"\n")
	}
	for _, c := range []struct {
		before, system string
		read           bool
	}{
		{opened, "vfat", true}, {opened, "exfat", true}, {knownAll, "vfat", true},
		{opened, "ext4", false}, {locked, "vfat", false}, {starting, "vfat", false},
	} {
		out := udev(t, c.before, stick(c.system), partition)
		if got := strings.Contains(out, "SYSTEMD_WANTS=parvis-usb@sdb1.service"); got != c.read {
			t.Errorf("%q, %s: read: %t, want %t\n%s", c.before, c.system, got, c.read, tail(out))
		}
	}
}

func TestTouchPanelTurnsWithPicture(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]string{
		"ROTATION=normale": "", "ROTATION=gauche": "0 -1 1 1 0 0", "ROTATION=droite": "0 1 0 -1 0 1", "ROTATION=inversee": "-1 0 1 0 -1 1",
		"ROTATION=gauche\nCALIBRATION=\"0 -1.1 1.05 1.1 0 -0.05\"": "0 -1.1 1.05 1.1 0 -0.05",
	} {
		out := udev(t, "cat >/etc/parvis/ecran.conf <<'E'\n"+setting+"\nE\n", plug("1234", "5678", "03", "00", "00", input("ID_INPUT=1", "ID_INPUT_TOUCHSCREEN=1")), event)
		_, after, _ := strings.Cut(out, "\nLIBINPUT_CALIBRATION_MATRIX=")
		if got, _, _ := strings.Cut(after, "\n"); got != want {
			t.Errorf("%q turns by %q, want %q\n%s", setting, got, want, tail(out))
		}
	}
}

// tail is what matters of udevadm's words.
func tail(out string) string {
	var lines []string
	for line := range strings.Lines(out) {
		if strings.Contains(line, "parvis") || !strings.Contains(line, "rules.d") && !strings.HasPrefix(line, "Reading") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}
