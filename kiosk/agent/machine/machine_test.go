package machine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"parvis/kiosk/agent/machine"
)

func TestRead(t *testing.T) {
	t.Parallel()
	got, err := machine.Read(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var kernel unix.Sysinfo_t
	if err := unix.Sysinfo(&kernel); err != nil {
		t.Fatal(err)
	}
	if off := got.Uptime - time.Duration(kernel.Uptime)*time.Second; off.Abs() > 2*time.Second {
		t.Errorf("uptime %v, sysinfo says %d s", got.Uptime, kernel.Uptime)
	}
	if got.Disk < 0 || got.Disk > 100 || got.Load < 0 || got.Temp < 0 || got.Temp > 125 {
		t.Errorf("got %+v", got)
	}
	if len(got.BootID) != 36 {
		t.Errorf("boot id %q", got.BootID)
	}
	again, err := machine.Read(t.TempDir())
	if err != nil || again.BootID != got.BootID {
		t.Errorf("the boot id changes: %q, %q, %v", got.BootID, again.BootID, err)
	}
}

// tree is a part of the kernel's trees, by path.
type tree map[string]string

// sound is a machine with everything.
func sound() tree {
	return tree{
		"proc/uptime":                          "12345.67 23456.78\n",
		"proc/loadavg":                         "1.50 0.70 0.50 2/180 4711\n",
		"proc/stat":                            "cpu  1 2 3 4\ncpu0 1 2 3 4\ncpu1 1 2 3 4\ncpu2 0 0 0 0\ncpu3 0 0 0 0\nbtime 1\n",
		"proc/sys/kernel/random/boot_id":       "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0\n",
		"sys/class/thermal/thermal_zone0/temp": "47200\n",
		"sys/class/thermal/thermal_zone0/type": "x86_pkg_temp\n",
		"sys/class/hwmon/hwmon0/name":          "coretemp\n",
		"sys/class/hwmon/hwmon0/temp1_input":   "51600\n",
		"sys/class/hwmon/hwmon0/temp2_input":   "49000\n",
		"sys/class/hwmon/hwmon1/name":          "nct6775\n", // nothing is wired to its second input
		"sys/class/hwmon/hwmon1/temp1_input":   "40000\n",
		"sys/class/hwmon/hwmon1/temp2_input":   "112000\n",
	}
}

func (tr tree) write(t *testing.T) (proc, sys string) {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"proc", "sys"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for path, text := range tr {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(root, "proc"), filepath.Join(root, "sys")
}

func TestReadFromTrees(t *testing.T) {
	t.Parallel()
	whole := machine.Facts{Uptime: 12345 * time.Second, Temp: 52, Load: 38, BootID: "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"}
	with := func(change func(*machine.Facts)) machine.Facts {
		f := whole
		change(&f)
		return f
	}
	tests := []struct {
		name   string
		change func(tree)
		want   machine.Facts // but for the disk
		errors string
	}{
		{"everything", func(tree) {}, whole, ""},
		{"no sensors", func(tr tree) {
			for path := range tr {
				if strings.HasPrefix(path, "sys/") {
					delete(tr, path)
				}
			}
		}, with(func(f *machine.Facts) { f.Temp = 0 }), ""},
		{"only a zone", func(tr tree) { delete(tr, "sys/class/hwmon/hwmon0/name") }, with(func(f *machine.Facts) { f.Temp = 47 }), ""},
		{"a sensor gone mad", func(tr tree) {
			tr["sys/class/hwmon/hwmon0/temp1_input"] = "-274000\n"
			tr["sys/class/hwmon/hwmon0/temp2_input"] = "hot\n"
			tr["sys/class/thermal/thermal_zone0/temp"] = "200000\n"
		}, with(func(f *machine.Facts) { f.Temp = 0 }), ""},
		{"overloaded", func(tr tree) { tr["proc/loadavg"] = "9.99 1 1 1/1 1\n" }, with(func(f *machine.Facts) { f.Load = 250 }), ""},
		{"no load", func(tr tree) { delete(tr, "proc/loadavg") }, with(func(f *machine.Facts) { f.Load = machine.Unknown }), "charge"},
		{"no cores", func(tr tree) { tr["proc/stat"] = "btime 1\n" }, with(func(f *machine.Facts) { f.Load = machine.Unknown }), "aucun processeur"},
		{"uptime in words", func(tr tree) { tr["proc/uptime"] = "long\n" }, with(func(f *machine.Facts) { f.Uptime = 0 }), "durée de fonctionnement"},
		{"no boot id", func(tr tree) { delete(tr, "proc/sys/kernel/random/boot_id") }, with(func(f *machine.Facts) { f.BootID = "" }), "numéro du démarrage"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr := sound()
			tt.change(tr)
			proc, sys := tr.write(t)
			got, err := machine.ReadFrom(proc, sys, t.TempDir())
			if got.Disk < 0 || got.Disk > 100 {
				t.Errorf("disk %d", got.Disk)
			}
			got.Disk = 0
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if (err == nil) != (tt.errors == "") || err != nil && !strings.Contains(err.Error(), tt.errors) {
				t.Errorf("error %v, want %q", err, tt.errors)
			}
		})
	}
}

func TestDisk(t *testing.T) {
	t.Parallel()
	proc, sys := sound().write(t)
	got, err := machine.ReadFrom(proc, sys, filepath.Join(t.TempDir(), "gone"))
	if got.Disk != machine.Unknown || err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("a folder that isn't there: %+v, %v", got, err)
	}
	if got.Load != 38 {
		t.Errorf("the other facts went with it: %+v", got)
	}
	tests := []struct {
		blocks, free, available uint64
		want                    int
	}{
		{1000, 1000, 1000, 100},
		{1000, 500, 500, 50},
		{1000, 145, 95, 10},        // 50 are root's: 95 of 950
		{1000, 144, 94, 9},         // rounded down: a fault begins under ten
		{1000, 50, 0, 0},           // all that is left is root's
		{0, 0, 0, machine.Unknown}, // /proc and the like
	}
	for _, tt := range tests {
		got, err := machine.PercentFree(tt.blocks, tt.free, tt.available)
		if got != tt.want || (err == nil) != (tt.want != machine.Unknown) {
			t.Errorf("PercentFree(%d, %d, %d) = %d, %v; want %d", tt.blocks, tt.free, tt.available, got, err, tt.want)
		}
	}
}
