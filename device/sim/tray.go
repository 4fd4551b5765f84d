package sim

import (
	"errors"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"sync"
)

// Tray keeps tickets in a folder as ticket-N.png and ticket-N.txt, from the
// first free number on. The text appears last: once it is there, so is the
// picture.
type Tray struct {
	dir string

	mu   sync.Mutex
	next int
}

// NewTray makes the folder.
func NewTray(dir string) (*Tray, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	next := 1
	for {
		_, err := os.Stat(filepath.Join(dir, fmt.Sprintf("ticket-%d.png", next)))
		if errors.Is(err, os.ErrNotExist) {
			return &Tray{dir: dir, next: next}, nil
		}
		if err != nil {
			return nil, err
		}
		next++
	}
}

// Put keeps one ticket and returns its number.
func (t *Tray) Put(ticket Ticket) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := filepath.Join(t.dir, fmt.Sprintf("ticket-%d", t.next))
	err := replace(name+".png", func(f *os.File) error { return png.Encode(f, ticket.Image()) })
	if err != nil {
		return 0, err
	}
	err = replace(name+".txt", func(f *os.File) error {
		_, err := f.WriteString(ticket.Text)
		return err
	})
	if err != nil {
		return 0, err
	}
	t.next++
	return t.next - 1, nil
}

// replace writes a file that appears only when it is whole.
func replace(path string, write func(*os.File) error) error {
	f, err := os.Create(path + ".part")
	if err != nil {
		return err
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}
