package machine

import (
	"context"
	"time"
)

// ReadFrom is Read of other kernel trees.
func ReadFrom(proc, sys, dataDir string) (Facts, error) { return read(proc, sys, dataDir) }

// LogsOf is Logs of the journal that lies in a folder.
func LogsOf(ctx context.Context, journalDir string, units []string, since time.Duration, max int) ([]byte, error) {
	return journal(ctx, []string{"--directory=" + journalDir}, units, since, max)
}

// PercentFree is how free a file system is.
var PercentFree = percentFree
