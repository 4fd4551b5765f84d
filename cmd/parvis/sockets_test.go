package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestSockets(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("RUNTIME_DIRECTORY", dir)
	s := usbSockets()
	open := func() bool {
		_, err := os.Stat(filepath.Join(dir, "usb-open"))
		return err == nil
	}
	if err := s.openFor(0); err != nil || !open() {
		t.Fatalf("open %t, %v", open(), err)
	}
	s.shut()
	if open() {
		t.Error("it stays open")
	}
	if err := s.openFor(20 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	for late := time.Now().Add(5 * time.Second); open(); {
		if time.Now().After(late) {
			t.Fatal("it does not shut by itself")
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Setenv("RUNTIME_DIRECTORY", "")
	if usbSockets() != nil {
		t.Error("a desk has sockets to open")
	}
}
