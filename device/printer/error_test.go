package printer_test

import (
	"errors"
	"io/fs"
	"testing"

	"parvis/device"
	"parvis/device/printer"
)

func TestErrorSaysWhatAndWhy(t *testing.T) {
	err := error(&printer.Error{Fault: device.Unplugged, Printed: printer.Maybe, Err: fs.ErrNotExist})
	if got, want := err.Error(), "printer: unplugged (part or all may be printed): file does not exist"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("the cause is lost")
	}
	if got, want := (&printer.Error{Fault: device.NoPaper, Printed: printer.Nothing}).Error(), "printer: no_paper"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}
