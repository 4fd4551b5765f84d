package device_test

import (
	"io/fs"
	"testing"

	"parvis/device"
)

func TestUnknownIsNotReady(t *testing.T) {
	for _, s := range []device.Status{
		{},
		{State: device.Starting},
		{State: device.Offline},
		{State: device.Online, Fault: device.NoPaper},
		{State: device.Online, Fault: "never heard of"},
	} {
		if s.Ready() {
			t.Errorf("%+v passes for ready", s)
		}
	}
	for _, s := range []device.Status{{State: device.Online}, {State: device.Busy}, {State: device.Online, Fault: device.PaperEnds}} {
		if !s.Ready() {
			t.Errorf("%+v does not pass for ready", s)
		}
	}
}

func TestFaultsAreWhole(t *testing.T) {
	seen := map[device.Fault]bool{device.None: true}
	for _, f := range device.Faults() {
		if seen[f.Fault] {
			t.Errorf("%q stands twice, or for no fault", f.Fault)
		}
		seen[f.Fault] = true
		if f.Title == "" || f.Do == "" || f.State == device.Unknown {
			t.Errorf("%q lacks a title, what to do, or a state", f.Fault)
		}
		if critical := f.Severity == device.Critical; critical && f.Resident == "" {
			t.Errorf("%q stops the device, and the resident reads nothing", f.Fault)
		}
		if (device.Status{State: f.State, Fault: f.Fault}).Ready() == (f.Severity == device.Critical) {
			t.Errorf("%q: severity %s does not fit state %s", f.Fault, f.Severity, f.State)
		}
	}
}

func TestWithKeepsTheCause(t *testing.T) {
	s := device.Unplugged.With(fs.ErrNotExist)
	if s.State != device.NoDevice || s.Fault != device.Unplugged || s.Cause != "file does not exist" {
		t.Errorf("status %+v", s)
	}
}
