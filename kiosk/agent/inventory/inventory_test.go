package inventory

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"

	"parvis/kiosk/link"
)

// tree makes the kernel's and Debian's files of a made-up borne.
func tree(t *testing.T, files map[string]string) Tree {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return Tree{Sys: filepath.Join(dir, "sys"), Proc: filepath.Join(dir, "proc"), Release: filepath.Join(dir, "os-release"),
		Dpkg: filepath.Join(dir, "dpkg"), Slot: filepath.Join(dir, "slot")}
}

// edid is what a screen of 1080x1920 says of itself: 393 by 699 mm, "PCT-32".
func edid() string {
	b := make([]byte, 128)
	copy(b, []byte{0, 255, 255, 255, 255, 255, 255, 0})
	b[21], b[22] = 39, 70
	copy(b[54:], []byte{0x02, 0x3a, 0x80, 0x18, 0x71, 0x38, 0x2d, 0x40, 0x58, 0x2c, 0x45, 0x00, 393 & 255, 699 & 255, 393>>8<<4 | 699>>8})
	copy(b[72:], "\x00\x00\x00\xfc\x00PCT-32\n     ")
	return string(b)
}

func TestRead(t *testing.T) {
	t.Parallel()
	tr := tree(t, map[string]string{
		"sys/class/dmi/id/sys_vendor":                   "Intel(R) Client\x01Systems\n",
		"sys/class/dmi/id/product_name":                 "NUC11ATKC2\n",
		"sys/class/dmi/id/bios_version":                 "ATJSLCPX.0037\n",
		"sys/class/tpm/tpm0/tpm_version_major":          "2\n",
		"proc/cpuinfo":                                  "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Celeron(R) N4505 @ 2.00GHz\n\nprocessor\t: 1\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Celeron(R) N4505 @ 2.00GHz\n",
		"proc/meminfo":                                  "MemTotal:        7983140 kB\n",
		"os-release":                                    "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
		"dpkg/status":                                   "Package: parvis-borne\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.4.0\nMaintainer: x\nDescription: x\n\nPackage: cups-daemon\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 2.4.2\nMaintainer: x\nDescription: x\n\nPackage: vim\nStatus: install ok installed\nArchitecture: amd64\nVersion: 9\nMaintainer: x\nDescription: x\n\n",
		"dpkg/info/format":                              "1\n",
		"dpkg/updates/.keep":                            "",
		"slot":                                          "#!/bin/sh\necho current=B other=A\n",
		"sys/block/nvme0n1/size":                        "250069680\n",
		"sys/block/nvme0n1/device/model":                "KINGSTON SNV2S\n",
		"sys/block/mmcblk0/size":                        "61071360\n",
		"sys/block/mmcblk0/device/name":                 "DG4032\n",
		"sys/block/mmcblk0/device/life_time":            "0x02 0x09\n",
		"sys/block/mmcblk0boot0/size":                   "8192\n",
		"sys/block/loop0/size":                          "2048\n",
		"sys/block/sda/size":                            "0\n",
		"sys/class/net/lo/address":                      "00:00:00:00:00:00\n",
		"sys/class/net/eno1/address":                    "48:21:0b:00:00:01\n",
		"sys/class/net/eno1/operstate":                  "up\n",
		"sys/class/net/eno1/device/vendor":              "x",
		"sys/class/net/wlan0/address":                   "48:21:0b:00:00:02\n",
		"sys/class/net/wlan0/wireless/x":                "",
		"sys/class/net/wlan0/device/vendor":             "x",
		"sys/class/drm/card0-HDMI-A-1/status":           "connected\n",
		"sys/class/drm/card0-HDMI-A-1/modes":            "1080x1920\n1920x1080\n",
		"sys/class/drm/card0-HDMI-A-1/edid":             edid(),
		"sys/class/drm/card0-DP-1/status":               "disconnected\n",
		"sys/bus/usb/devices/usb1/idVendor":             "1d6b\n",
		"sys/bus/usb/devices/usb1/bDeviceClass":         "09\n",
		"sys/bus/usb/devices/1-2/idVendor":              "04b8\n",
		"sys/bus/usb/devices/1-2/idProduct":             "0e15\n",
		"sys/bus/usb/devices/1-2/manufacturer":          "EPSON\n",
		"sys/bus/usb/devices/1-2/product":               "TM-T20II\n",
		"sys/bus/usb/devices/1-2/bDeviceClass":          "00\n",
		"sys/bus/usb/devices/1-2/1-2:1.0/bInterfaceNum": "00\n",
	})
	health := func(context.Context) (map[string]Condition, error) {
		return map[string]Condition{"nvme0n1": {link.DiskGood, 8123}}, nil
	}
	got, err := Read(t.Context(), tr, health)
	if err != nil {
		t.Fatal(err)
	}
	if got.Kernel == "" {
		t.Error("no kernel")
	}
	got.Kernel = ""
	want := link.Inventory{
		Vendor: "Intel(R) Client Systems", Model: "NUC11ATKC2", Firmware: "ATJSLCPX.0037",
		CPU: "Intel(R) Celeron(R) N4505 @ 2.00GHz", Cores: 2, Memory: 7983140 << 10, TPM: true,
		OS: "Debian GNU/Linux 12 (bookworm)", Slot: "B", Packages: map[string]string{"parvis-borne": "1.4.0"},
		Disks: []link.Disk{
			{Name: "mmcblk0", Model: "DG4032", Size: 61071360 * 512, Health: link.DiskWorn},
			{Name: "nvme0n1", Model: "KINGSTON SNV2S", Size: 250069680 * 512, Health: link.DiskGood, Hours: 8123},
		},
		Networks: []link.Network{{Name: "eno1", MAC: "48:21:0b:00:00:01", Up: true}, {Name: "wlan0", MAC: "48:21:0b:00:00:02", Wifi: true}},
		Screens:  []link.Screen{{Name: "HDMI-A-1", Model: "PCT-32", Mode: "1080x1920", Width: 393, Height: 699}},
		USB:      []link.USB{{ID: "04b8:0e15", Name: "EPSON TM-T20II"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// What is missing is left out, and is no error; what is broken is told.
func TestReadLittle(t *testing.T) {
	t.Parallel()
	tr := tree(t, map[string]string{"sys/block/sda/size": "2048\n", "sys/class/drm/card0-DP-1/status": "connected\n",
		"sys/class/drm/card0-DP-1/edid": strings.Repeat("x", 128), "proc/meminfo": "MemTotal: many\n"})
	got, err := Read(t.Context(), tr, nil)
	if len(got.Disks) != 1 || got.Disks[0].Size != 1<<20 || got.Disks[0].Health != link.DiskUnknown {
		t.Errorf("disks %+v", got.Disks)
	}
	if len(got.Screens) != 1 || got.Screens[0] != (link.Screen{Name: "DP-1"}) {
		t.Errorf("screens %+v", got.Screens)
	}
	if err == nil || !strings.Contains(err.Error(), "mémoire") {
		t.Errorf("a broken meminfo: %v", err)
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	v := dbus.MakeVariant
	objects := map[dbus.ObjectPath]map[string]map[string]dbus.Variant{
		"/org/freedesktop/UDisks2/block_devices/sda":  {udisks + ".Block": {"Drive": v(dbus.ObjectPath("/d/ata"))}},
		"/org/freedesktop/UDisks2/block_devices/sda1": {udisks + ".Block": {"Drive": v(dbus.ObjectPath("/d/ata"))}, udisks + ".Partition": {}},
		"/org/freedesktop/UDisks2/block_devices/sdb":  {udisks + ".Block": {"Drive": v(dbus.ObjectPath("/d/old"))}},
		"/org/freedesktop/UDisks2/block_devices/sdc":  {udisks + ".Block": {"Drive": v(dbus.ObjectPath("/d/mute"))}},
		"/org/freedesktop/UDisks2/block_devices/nv0":  {udisks + ".Block": {"Drive": v(dbus.ObjectPath("/d/nvme"))}},
		"/d/ata": {udisks + ".Drive.Ata": {"SmartEnabled": v(true), "SmartUpdated": v(uint64(9)), "SmartPowerOnSeconds": v(uint64(7200)),
			"SmartFailing": v(false), "SmartNumBadSectors": v(int64(0)), "SmartNumAttributesFailedInThePast": v(int32(0))}},
		"/d/old":  {udisks + ".Drive.Ata": {"SmartEnabled": v(true), "SmartUpdated": v(uint64(9)), "SmartFailing": v(true)}},
		"/d/mute": {udisks + ".Drive": {}},
		"/d/nvme": {udisks + ".NVMe.Controller": {"SmartUpdated": v(uint64(9)), "SmartPowerOnHours": v(uint64(5)), "SmartCriticalWarning": v([]string{"spare"})}},
	}
	want := map[string]Condition{"sda": {link.DiskGood, 2}, "sdb": {link.DiskFailing, 0}, "nv0": {link.DiskFailing, 5}}
	if got := conditions(objects); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A machine without a bus, or with one that has died, tells nothing of its disks.
func TestNoBus(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "bus")
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+socket)
	want := func(name string) {
		t.Helper()
		if told, err := FromUDisks(t.Context()); err != nil || told != nil {
			t.Errorf("%s: %v, %v", name, told, err)
		}
	}
	want("none")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()
	want("dead")
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+strings.Repeat("x", 200))
	if _, err := FromUDisks(t.Context()); err == nil {
		t.Error("an address that is none is no error")
	}
	// As it is on this machine, be there a bus or not.
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "")
	if _, err := FromUDisks(t.Context()); err != nil {
		t.Error(err)
	}
}
