package command

import (
	"context"
	"io/fs"
	"log/slog"
	"sync"

	"parvis/kiosk/fiche"
)

// LoadFiches reads a folder of official fiches while the borne already serves
// residents, since thousands of them take seconds, and hands them to keep. The
// log names the files that can't be used. Stop gives up and waits.
func LoadFiches(ctx context.Context, folder fs.FS, keep func(*fiche.Library)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		library, err := fiche.Open(untilDone{folder, ctx})
		switch {
		case ctx.Err() != nil:
		case err != nil:
			slog.Warn("fiches", "erreur", err)
		default:
			for _, p := range library.Problems() {
				slog.Warn("fiches", "erreur", p)
			}
			keep(library)
		}
	})
	return func() {
		cancel()
		done.Wait()
	}
}

// untilDone is a folder that can no longer be opened once ctx is done. What it
// opened stays.
type untilDone struct {
	fs.FS
	ctx context.Context
}

func (u untilDone) Open(name string) (fs.File, error) {
	if err := u.ctx.Err(); err != nil {
		return nil, err
	}
	return u.FS.Open(name)
}
