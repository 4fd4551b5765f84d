package sim

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// Cable joins a device to a path, as a serial adapter does: a pty whose slave
// is found under the path for as long as it is plugged in. It is a Line.
type Cable struct {
	path   string
	device Device

	mu     sync.Mutex
	master *os.File
	slave  *os.File // held open, so that the line outlives those who use it
	reader sync.WaitGroup
}

// NewCable makes a cable, not plugged in yet, that will be found at path.
func NewCable(path string, device Device) *Cable {
	return &Cable{path: path, device: device}
}

// Plug makes the path appear. It replaces a link left by another process.
func (c *Cable) Plug() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.master != nil {
		return ErrPlugged
	}
	master, slave, err := openPty()
	if err != nil {
		return fmt.Errorf("open a pty: %w", err)
	}
	if err := link(slave.Name(), c.path); err != nil {
		master.Close()
		slave.Close()
		return err
	}
	c.master, c.slave = master, slave
	c.device.Connect(patient{master})
	c.reader.Go(func() { carry(master, c.device) })
	return nil
}

// Unplug makes the path vanish. What is on the line is lost.
func (c *Cable) Unplug() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.master == nil {
		return ErrUnplugged
	}
	c.device.Connect(nil)
	err := errors.Join(os.Remove(c.path), c.master.Close(), c.slave.Close())
	c.master, c.slave = nil, nil
	return err
}

// Plugged says whether the path is there.
func (c *Cable) Plugged() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.master != nil
}

// Close unplugs the cable and waits until it carries nothing more.
func (c *Cable) Close() error {
	err := c.Unplug()
	c.reader.Wait()
	if errors.Is(err, ErrUnplugged) {
		return nil
	}
	return err
}

// openPty opens a pty in raw mode, whose master can be closed while it is read.
func openPty() (master, slave *os.File, err error) {
	blocking, slave, err := pty.Open()
	if err != nil {
		return nil, nil, err
	}
	defer blocking.Close()
	if err := unix.IoctlSetTermios(int(slave.Fd()), unix.TCSETS, &unix.Termios{Cflag: unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200}); err != nil {
		slave.Close()
		return nil, nil, err
	}
	fd, err := unix.FcntlInt(blocking.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		slave.Close()
		return nil, nil, err
	}
	return os.NewFile(uintptr(fd), blocking.Name()), slave, nil
}

// link points path at target in one step.
func link(target, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if st, err := os.Lstat(path); err == nil && st.Mode()&os.ModeSymlink == 0 {
		return fmt.Errorf("%s: is there and not a link", path)
	}
	next := fmt.Sprintf("%s.%d", path, os.Getpid())
	if err := os.Symlink(target, next); err != nil {
		return err
	}
	if err := os.Rename(next, path); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	return nil
}
