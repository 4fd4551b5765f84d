// Package inventory reads what a borne is made of: its machine, disks, screens
// and what is plugged into it, and which software it runs. Nothing it cannot
// find out is guessed.
package inventory

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"parvis/kiosk/link"
)

// Tree is where the kernel and Debian tell what there is.
type Tree struct {
	Sys, Proc string
	Release   string // os-release
	Dpkg      string // dpkg's folder, with the file "status"
	Slot      string // the command that tells which root runs; it may be missing
}

// Machine is the tree of this machine.
var Machine = Tree{Sys: "/sys", Proc: "/proc", Release: "/etc/os-release", Dpkg: "/var/lib/dpkg", Slot: "/usr/lib/parvis/slot"}

// Read reads what there is. What cannot be read is left out, and the error says
// which parts; what could be read counts in spite of it.
func Read(ctx context.Context, t Tree, health Health) (link.Inventory, error) {
	var i link.Inventory
	var all []error
	part := func(what string, err error) {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = append(all, fmt.Errorf("%s : %w", what, err))
		}
	}
	t.board(&i)
	part("processeur", t.processor(&i))
	part("mémoire", t.memory(&i))
	part("système", t.system(&i))
	part("paquets", t.packages(ctx, &i))
	var err error
	i.Disks, err = t.disks(ctx, health)
	part("disques", err)
	i.Networks, err = t.networks()
	part("réseau", err)
	i.Screens, err = t.screens()
	part("écrans", err)
	i.USB, err = t.usb()
	part("USB", err)
	return i, errors.Join(all...)
}

// line is what a file of the kernel's says, or "".
func line(path ...string) string {
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		return ""
	}
	return clean(string(data))
}

// clean makes a text of a maker's, which may hold anything, fit for a page.
func clean(s string) string {
	const most = 80
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most])
	}
	return s
}

func (t Tree) board(i *link.Inventory) {
	dmi := filepath.Join(t.Sys, "class/dmi/id")
	i.Vendor, i.Model, i.Firmware = line(dmi, "sys_vendor"), line(dmi, "product_name"), line(dmi, "bios_version")
	if i.Model == "" { // not a PC
		i.Model = strings.TrimRight(line(t.Sys, "firmware/devicetree/base/model"), "\x00")
	}
	i.TPM = line(t.Sys, "class/tpm/tpm0/tpm_version_major") == "2"
}

func (t Tree) processor(i *link.Inventory) error {
	proc, err := procfs.NewFS(t.Proc)
	if err != nil {
		return err
	}
	cpus, err := proc.CPUInfo()
	if len(cpus) > 0 {
		i.CPU, i.Cores = clean(cpus[0].ModelName), len(cpus)
	}
	return err
}

func (t Tree) memory(i *link.Inventory) error {
	proc, err := procfs.NewFS(t.Proc)
	if err != nil {
		return err
	}
	memory, err := proc.Meminfo()
	if memory.MemTotalBytes != nil {
		i.Memory = int64(*memory.MemTotalBytes)
	}
	return err
}

func (t Tree) system(i *link.Inventory) error {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return err
	}
	i.Kernel = unix.ByteSliceToString(name.Release[:])
	release, err := os.ReadFile(t.Release)
	if err != nil {
		return err
	}
	for l := range strings.Lines(string(release)) {
		if value, ok := strings.CutPrefix(l, "PRETTY_NAME="); ok {
			i.OS = clean(strings.Trim(strings.TrimSpace(value), `"`))
		}
	}
	return nil
}

// told are the packages that matter, and how their names may begin.
var (
	told       = []string{"parvis-borne", "parvis-hub", "xserver-xorg-core", "cups-daemon", "pcscd", "espeak-ng", "systemd", "libc6", "openssl", "unattended-upgrades"}
	toldPrefix = []string{"linux-image-"}
)

func (t Tree) packages(ctx context.Context, i *link.Inventory) error {
	cmd := exec.CommandContext(ctx, "dpkg-query", "--admindir="+t.Dpkg, "-W", "-f=${db:Status-Abbrev}\t${Package}\t${Version}\n")
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return nil // not a Debian
	}
	if err != nil {
		return err
	}
	i.Packages = make(map[string]string)
	for l := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimSpace(l), "\t")
		if len(fields) != 3 || !strings.HasPrefix(fields[0], "ii") {
			continue
		}
		matters := slices.Contains(told, fields[1]) ||
			slices.ContainsFunc(toldPrefix, func(p string) bool { return strings.HasPrefix(fields[1], p) })
		if matters {
			i.Packages[fields[1]] = clean(fields[2])
		}
	}
	if t.Slot == "" {
		return nil
	}
	status, err := exec.CommandContext(ctx, t.Slot, "status").Output()
	if err != nil {
		return nil // one root only
	}
	for word := range bytes.FieldsSeq(status) {
		if slot, ok := bytes.CutPrefix(word, []byte("current=")); ok {
			i.Slot = clean(string(slot))
		}
	}
	return nil
}

// notDisks are what else the kernel calls a block device.
var notDisks = []string{"loop", "ram", "zram", "dm-", "sr", "md", "nbd", "fd"}

func (t Tree) disks(ctx context.Context, health Health) ([]link.Disk, error) {
	folder := filepath.Join(t.Sys, "block")
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	told := map[string]Condition{}
	if health != nil {
		told, err = health(ctx)
	}
	var disks []link.Disk
	for _, e := range entries {
		name := e.Name()
		if slices.ContainsFunc(notDisks, func(p string) bool { return strings.HasPrefix(name, p) }) || strings.Contains(name, "boot") {
			continue
		}
		sectors, _ := strconv.ParseInt(line(folder, name, "size"), 10, 64) // none is 0
		if sectors == 0 {
			continue // a card reader without a card
		}
		d := link.Disk{Name: name, Model: cmp.Or(line(folder, name, "device/model"), line(folder, name, "device/name")), Size: sectors * 512}
		d.Health, d.Hours = told[name].Health, told[name].Hours
		if d.Health == link.DiskUnknown {
			d.Health = flashHealth(line(folder, name, "device/life_time"))
		}
		disks = append(disks, d)
	}
	return disks, err
}

// flashHealth reads the life of an eMMC: two numbers, 0x01 for up to 10 % used …
// 0x0A for up to 100 %, 0x0B for over (JEDEC 84-B51, DEVICE_LIFE_TIME_EST).
func flashHealth(life string) link.DiskHealth {
	worst := int64(0)
	for word := range strings.FieldsSeq(life) {
		n, err := strconv.ParseInt(word, 0, 16)
		if err != nil {
			return link.DiskUnknown
		}
		worst = max(worst, n)
	}
	switch {
	case worst == 0:
		return link.DiskUnknown
	case worst > 10:
		return link.DiskFailing
	case worst > 8:
		return link.DiskWorn
	}
	return link.DiskGood
}

func (t Tree) networks() ([]link.Network, error) {
	folder := filepath.Join(t.Sys, "class/net")
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var networks []link.Network
	for _, e := range entries {
		at := filepath.Join(folder, e.Name())
		if _, err := os.Stat(filepath.Join(at, "device")); err != nil {
			continue // made by software
		}
		_, err := os.Stat(filepath.Join(at, "wireless"))
		networks = append(networks, link.Network{Name: e.Name(), MAC: line(at, "address"), Wifi: err == nil, Up: line(at, "operstate") == "up"})
	}
	return networks, nil
}

func (t Tree) screens() ([]link.Screen, error) {
	found, err := filepath.Glob(filepath.Join(t.Sys, "class/drm/card*-*"))
	var screens []link.Screen
	for _, at := range found {
		if line(at, "status") != "connected" {
			continue
		}
		_, name, _ := strings.Cut(filepath.Base(at), "-")
		s := link.Screen{Name: name}
		modes, _ := os.ReadFile(filepath.Join(at, "modes")) // the best first; none is ""
		mode, _, _ := strings.Cut(string(modes), "\n")
		s.Mode = clean(mode)
		edid, _ := os.ReadFile(filepath.Join(at, "edid"))
		s.Model, s.Width, s.Height = readEDID(edid)
		screens = append(screens, s)
	}
	return screens, err
}

// readEDID reads what a screen says of itself (VESA E-EDID 1.4, section 3): the
// name from the display descriptor 0xFC, the size in millimetres from the first
// timing, or in whole centimetres from the header.
func readEDID(b []byte) (model string, width, height int) {
	if len(b) < 128 || !bytes.Equal(b[:8], []byte{0, 255, 255, 255, 255, 255, 255, 0}) {
		return "", 0, 0
	}
	width, height = int(b[21])*10, int(b[22])*10
	for at := 54; at <= 108; at += 18 {
		d := b[at : at+18]
		switch {
		case d[0] == 0 && d[1] == 0 && d[3] == 0xFC:
			name, _, _ := bytes.Cut(d[5:], []byte("\n"))
			model = clean(string(name))
		case at == 54 && (d[0] != 0 || d[1] != 0):
			if w, h := int(d[12])|int(d[14]>>4)<<8, int(d[13])|int(d[14]&15)<<8; w > 0 && h > 0 {
				width, height = w, h
			}
		}
	}
	return model, width, height
}

const usbHub = "09" // class of hubs

func (t Tree) usb() ([]link.USB, error) {
	found, err := filepath.Glob(filepath.Join(t.Sys, "bus/usb/devices/*/idVendor"))
	devices := make(map[string]link.USB)
	for _, file := range found {
		at := filepath.Dir(file)
		if line(at, "bDeviceClass") == usbHub {
			continue
		}
		d := link.USB{ID: line(at, "idVendor") + ":" + line(at, "idProduct")}
		d.Name = clean(line(at, "manufacturer") + " " + line(at, "product"))
		devices[filepath.Base(at)] = d
	}
	var list []link.USB
	for _, at := range slices.Sorted(maps.Keys(devices)) {
		list = append(list, devices[at])
	}
	return list, err
}
