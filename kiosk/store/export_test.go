package store

import (
	"context"
	"io/fs"
)

// Migrate does what a program with these migrations does when it opens the file.
func Migrate(ctx context.Context, s *Store, files fs.FS) error { return s.migrate(ctx, files) }
