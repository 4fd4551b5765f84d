package main

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// socketsOpen is how long staff have to plug a stick in.
const socketsOpen = 3 * time.Minute

// sockets are those for USB: the session lets sticks in while a file is there.
type sockets struct {
	file string

	mu    sync.Mutex
	close *time.Timer
}

// usbSockets are nil where no session of systemd's watches over them.
func usbSockets() *sockets {
	dir := os.Getenv("RUNTIME_DIRECTORY")
	if dir == "" {
		return nil
	}
	return &sockets{file: filepath.Join(dir, "usb-open")}
}

// openFor lets sticks in for some time, or with 0 until shut.
func (s *sockets) openFor(d time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.close != nil {
		s.close.Stop()
	}
	if err := os.WriteFile(s.file, nil, 0o644); err != nil {
		return err
	}
	if d > 0 {
		s.close = time.AfterFunc(d, s.shut)
	}
	return nil
}

// shut lets no stick in any more.
func (s *sockets) shut() {
	if err := os.Remove(s.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		slog.Error("prises USB non refermées", "erreur", err)
	}
}
