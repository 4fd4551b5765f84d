package printer_test

import (
	"errors"
	"io/fs"
	"testing"

	"parvis/device/printer"
)

func TestErrorSaysWhatAndWhy(t *testing.T) {
	err := error(&printer.Error{Fault: printer.Unplugged, Printed: printer.Maybe, Err: fs.ErrNotExist})
	if got, want := err.Error(), "printer: unplugged (part or all may be printed): file does not exist"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("the cause is lost")
	}
	if got, want := (&printer.Error{Fault: printer.NoPaper, Printed: printer.Nothing}).Error(), "printer: no_paper"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func TestFaultsAreToldApart(t *testing.T) {
	seen := map[printer.Fault]bool{printer.None: true}
	for _, f := range printer.Faults() {
		if seen[f] {
			t.Errorf("%q stands twice, or for no fault", f)
		}
		seen[f] = true
	}
}

func TestUnknownIsNotReady(t *testing.T) {
	if (printer.Status{}).Ready() {
		t.Error("a printer that never answered passes for ready")
	}
	if !(printer.Status{Known: true, Paper: printer.PaperLow}).Ready() {
		t.Error("a printer with little paper does not pass for ready")
	}
}
