package inventory

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/godbus/dbus/v5"

	"parvis/kiosk/link"
)

// Condition is what a disk says of its own health.
type Condition struct {
	Health link.DiskHealth
	Hours  int64 // it has run
}

// Health asks the disks, by the kernel's name of each. It needs no right to read
// them.
type Health func(ctx context.Context) (map[string]Condition, error)

const udisks = "org.freedesktop.UDisks2"

// FromUDisks is what the service UDisks2 tells, which reads the disks' SMART.
// Without the service, or a bus to reach it by, nothing is known, and that is no
// error.
func FromUDisks(ctx context.Context) (map[string]Condition, error) {
	// ConnectSystemBus looks for the socket itself, and its error where there is
	// none cannot be told from others.
	bus, err := dbus.Connect(cmp.Or(os.Getenv("DBUS_SYSTEM_BUS_ADDRESS"), "unix:path=/run/dbus/system_bus_socket"), dbus.WithContext(ctx))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer bus.Close()
	var objects map[dbus.ObjectPath]map[string]map[string]dbus.Variant
	err = bus.Object(udisks, "/org/freedesktop/UDisks2").CallWithContext(ctx, "org.freedesktop.DBus.ObjectManager.GetManagedObjects", 0).Store(&objects)
	var refused dbus.Error
	if errors.As(err, &refused) && refused.Name == "org.freedesktop.DBus.Error.ServiceUnknown" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return conditions(objects), nil
}

// conditions joins what UDisks2 keeps apart: the block device has the name, the
// drive the health.
func conditions(objects map[dbus.ObjectPath]map[string]map[string]dbus.Variant) map[string]Condition {
	found := make(map[string]Condition)
	for at, interfaces := range objects {
		block, ok := interfaces[udisks+".Block"]
		if !ok {
			continue
		}
		if _, part := interfaces[udisks+".Partition"]; part {
			continue
		}
		drive, _ := block["Drive"].Value().(dbus.ObjectPath)
		if c, ok := conditionOf(objects[drive]); ok {
			found[filepath.Base(string(at))] = c
		}
	}
	return found
}

func conditionOf(drive map[string]map[string]dbus.Variant) (c Condition, ok bool) {
	if ata, there := drive[udisks+".Drive.Ata"]; there && truth(ata["SmartEnabled"]) && number(ata["SmartUpdated"]) > 0 {
		c.Hours = number(ata["SmartPowerOnSeconds"]) / 3600
		switch {
		case truth(ata["SmartFailing"]):
			c.Health = link.DiskFailing
		case number(ata["SmartNumBadSectors"]) > 0, number(ata["SmartNumAttributesFailedInThePast"]) > 0:
			c.Health = link.DiskWorn
		default:
			c.Health = link.DiskGood
		}
		return c, true
	}
	if nvme, there := drive[udisks+".NVMe.Controller"]; there && number(nvme["SmartUpdated"]) > 0 {
		c.Hours = number(nvme["SmartPowerOnHours"])
		c.Health = link.DiskGood
		warnings, _ := nvme["SmartCriticalWarning"].Value().([]string)
		if len(warnings) > 0 {
			c.Health = link.DiskFailing
		}
		return c, true
	}
	return c, false
}

func truth(v dbus.Variant) bool {
	b, _ := v.Value().(bool)
	return b
}

func number(v dbus.Variant) int64 {
	switch n := v.Value().(type) {
	case uint64:
		return int64(n)
	case int64:
		return n
	case int32:
		return int64(n)
	case uint32:
		return int64(n)
	case uint16:
		return int64(n)
	}
	return 0
}
