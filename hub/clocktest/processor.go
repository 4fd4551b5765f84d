package clocktest

import (
	"syscall"
	"testing"
	"time"
)

// Processor is how much of the processors' time this program has used: a
// measure of its work that doesn't grow while other programs share the machine.
func Processor(t testing.TB) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
