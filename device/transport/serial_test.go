package transport_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/creack/pty"

	"parvis/device"
	"parvis/device/transport"
)

func openPty(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close(); slave.Close() })
	return master, slave
}

func mustOpen(t *testing.T, path string) *transport.SerialLine {
	t.Helper()
	l, err := transport.OpenSerial(path, 115200)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestOpenSerialRefuses(t *testing.T) {
	t.Run("a path that is not there", func(t *testing.T) {
		if _, err := transport.OpenSerial(filepath.Join(t.TempDir(), "none"), 9600); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("error = %v", err)
		}
	})
	t.Run("a file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := transport.OpenSerial(path, 9600); err == nil {
			t.Error("opened")
		}
	})
	t.Run("a speed that does not exist", func(t *testing.T) {
		_, slave := openPty(t)
		if _, err := transport.OpenSerial(slave.Name(), 12345); err == nil {
			t.Error("opened")
		}
	})
	t.Run("a line in use, until it is closed", func(t *testing.T) {
		_, slave := openPty(t)
		first := mustOpen(t, slave.Name())
		if second, err := transport.OpenSerial(slave.Name(), 9600); err == nil {
			second.Close()
			t.Fatal("opened twice")
		} else if transport.OpenFault(err) != device.InUse || !errors.Is(err, transport.ErrHeld) {
			t.Errorf("error %v, want that another has it", err)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := transport.OpenSerial(slave.Name(), 9600)
		if err != nil {
			t.Fatalf("not opened again: %v", err)
		}
		again.Close()
	})
}
