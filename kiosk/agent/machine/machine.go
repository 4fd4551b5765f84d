// Package machine tells how a borne is as a computer, and what its journal has
// said lately. It reads what the kernel and systemd's journal show to any
// process, and changes nothing.
package machine

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/procfs"
	"github.com/prometheus/procfs/sysfs"
	"golang.org/x/sys/unix"
)

// Unknown is a Disk or a Load that could not be read.
const Unknown = -1

// Facts are how the borne is as a computer.
type Facts struct {
	Uptime time.Duration // since the kernel started; 0 where unknown
	Disk   int           // percent of the data's file system that an ordinary user may still fill, rounded down; or Unknown
	Temp   int           // °C of the hottest sensor of the machine's core; 0 where there is none
	// Load is the load average of the last minute in percent of all cores: over
	// 100, some work had to wait. Or Unknown.
	Load   int
	BootID string // drawn anew by the kernel at each start; empty where unknown
}

// Read reads the facts; dataDir is the borne's folder. The error says which
// facts are unknown; the others stand.
func Read(dataDir string) (Facts, error) { return read("/proc", "/sys", dataDir) }

func read(proc, sys, dataDir string) (Facts, error) {
	uptime, uptimeErr := readUptime(proc)
	disk, diskErr := readDisk(dataDir)
	load, loadErr := readLoad(proc)
	boot, bootErr := readBootID(proc)
	facts := Facts{Uptime: uptime, Disk: disk, Temp: hottest(sys), Load: load, BootID: boot}
	return facts, errors.Join(uptimeErr, diskErr, loadErr, bootErr)
}

// readUptime doesn't reckon from the time of the start: the clock may jump.
func readUptime(proc string) (time.Duration, error) {
	text, err := os.ReadFile(filepath.Join(proc, "uptime"))
	if err != nil {
		return 0, fmt.Errorf("durée de fonctionnement : %w", err)
	}
	first, _, _ := strings.Cut(string(text), " ")
	up, err := time.ParseDuration(strings.TrimSpace(first) + "s")
	if err != nil || up < 0 {
		return 0, fmt.Errorf("durée de fonctionnement : %s/uptime ne se lit pas : %q", proc, text)
	}
	return up.Truncate(time.Second), nil
}

func readDisk(dir string) (int, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return Unknown, fmt.Errorf("place sur le disque : %s : %w", dir, err)
	}
	return percentFree(fs.Blocks, fs.Bfree, fs.Bavail)
}

// percentFree leaves out what only root may fill, as df does.
func percentFree(blocks, free, available uint64) (int, error) {
	mine := blocks - free + available
	if mine == 0 || free > blocks {
		return Unknown, errors.New("place sur le disque : ce système de fichiers ne la dit pas")
	}
	return int(float64(available) / float64(mine) * 100), nil
}

func readLoad(proc string) (int, error) {
	fs, err := procfs.NewFS(proc)
	if err != nil {
		return Unknown, fmt.Errorf("charge : %w", err)
	}
	average, err := fs.LoadAvg()
	if err != nil {
		return Unknown, fmt.Errorf("charge : %w", err)
	}
	stat, err := fs.Stat()
	if err != nil {
		return Unknown, fmt.Errorf("charge : %w", err)
	}
	if len(stat.CPU) == 0 {
		return Unknown, fmt.Errorf("charge : %s/stat ne nomme aucun processeur", proc)
	}
	return int(math.Round(average.Load1 / float64(len(stat.CPU)) * 100)), nil
}

func readBootID(proc string) (string, error) {
	text, err := os.ReadFile(filepath.Join(proc, "sys/kernel/random/boot_id"))
	if err != nil {
		return "", fmt.Errorf("numéro du démarrage : %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// sensors are the drivers whose temperatures are believed: processors, graphics
// and disks. Chips of the board (nct6775, it87 …) report 127 °C and the like
// for inputs that nothing is wired to.
var sensors = []string{
	"coretemp", "k10temp", "zenpower", "cpu_thermal", "soc_thermal", "scpi_sensors", "amdgpu", "nvme", "drivetemp",
}

// hottest looks at the kernel's thermal zones and at the sensors; one that does
// not answer, or tells what no borne survives, is passed over.
func hottest(sys string) int {
	var temps []int
	if fs, err := sysfs.NewFS(sys); err == nil {
		zones, _ := fs.ClassThermalZoneStats()
		for _, z := range zones {
			temps = append(temps, int(z.Temp))
		}
	}
	chips, _ := filepath.Glob(filepath.Join(sys, "class/hwmon/hwmon*"))
	for _, chip := range chips {
		name, _ := os.ReadFile(filepath.Join(chip, "name"))
		if !slices.Contains(sensors, strings.TrimSpace(string(name))) {
			continue
		}
		inputs, _ := filepath.Glob(filepath.Join(chip, "temp*_input"))
		for _, input := range inputs {
			text, _ := os.ReadFile(input)
			if milli, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
				temps = append(temps, milli)
			}
		}
	}
	most := 0
	for _, milli := range temps {
		if t := int(math.Round(float64(milli) / 1000)); t > most && t < 126 {
			most = t
		}
	}
	return most
}
