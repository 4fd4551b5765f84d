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

import "runtime/debug"

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
