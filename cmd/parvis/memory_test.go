package main

import (
	"bytes"
	"os"
	"runtime"
	"testing"
	"unsafe"
)

// leaveBelow leaves a text far below its caller's part of the stack, and returns
// where: deeper than what reads it there reaches.
//
//go:noinline
func leaveBelow(text string, depth int) (at int64) {
	var frame [1 << 10]byte
	if depth > 0 {
		at = leaveBelow(text, depth-1)
	} else {
		copy(frame[:], text)
		at = int64(uintptr(unsafe.Pointer(&frame)))
	}
	runtime.KeepAlive(&frame)
	return at
}

// What a call has left on the stack is there until it is overwritten, and the
// stack stays where it is: else a copy of it would be left.
func TestOverwriteStack(t *testing.T) {
	mem, err := os.Open("/proc/self/mem")
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	secret := []byte("0687914253 Zélinda")
	onFixedStack(func() {
		var here byte
		before := uintptr(unsafe.Pointer(&here))
		found := make([]byte, len(secret))
		at := leaveBelow(string(secret), 40)
		if _, err := mem.ReadAt(found, at); err != nil || !bytes.Equal(found, secret) {
			t.Fatalf("below there is %q (%v): the test sees nothing", found, err)
		}
		overwriteStack()
		if _, err := mem.ReadAt(found, at); err != nil || bytes.Equal(found, secret) {
			t.Errorf("below there is still %q (%v)", found, err)
		}
		for range 5 { // each time the collector halves a stack of which little is in use
			runtime.GC()
		}
		leaveBelow("", 40)
		if after := uintptr(unsafe.Pointer(&here)); after != before {
			t.Errorf("the stack was at %x and is at %x", before, after)
		}
	})
}
