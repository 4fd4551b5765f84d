package main

/*
#include <malloc.h>

// Mesa keeps textures in the C heap. With these bounds what it frees goes back
// to the system at once instead of staying as holes between what is left.
static void keep_heap_small(void) {
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 64 << 10);
	mallopt(M_TRIM_THRESHOLD, 128 << 10);
}
*/
import "C"

import (
	"runtime"
	"runtime/debug"
)

// keepMemorySmall makes the program give memory back soon: a borne runs for
// months, often with 2 GB.
func keepMemorySmall() {
	C.keep_heap_small()
	debug.SetGCPercent(40)
}

// giveMemoryBack returns what a visit left as garbage to the system, which
// clears it.
func giveMemoryBack() {
	debug.FreeOSMemory()
	C.malloc_trim(0)
}

// forget clears what a visit has left in memory; do runs a function on the
// drawing loop.
func forget(do func(func())) {
	do(overwriteStack)
	giveMemoryBack()
}

// The goroutine that draws never ends, and the collector clears no stack: what a
// deep call had of a resident's number would stay below shallower ones for hours.
// And a stack that grows or shrinks is copied, the one before left as it is.

// deepest is more than drawing a page takes of a stack, in bytes.
const deepest = 64 << 10

// onFixedStack calls run on a stack that neither grows nor shrinks: it is large
// enough from the start, and the collector leaves a stack alone of which a quarter
// is in use.
//
//go:noinline
func onFixedStack(run func()) {
	var inUse [deepest]byte
	overwriteStack()
	run()
	runtime.KeepAlive(&inUse)
}

// overwriteStack clears what earlier calls have left on this goroutine's stack.
//
//go:noinline
func overwriteStack() {
	var below [deepest]byte
	clear(below[:])
	runtime.KeepAlive(&below)
}
