package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// PCSCD is a real pcscd apart from the system's, with two virtual readers of
// vpcd, "Virtual PCD 00 00" and "Virtual PCD 00 01". It may run beside others:
// it is handed its own socket, as systemd would, has its own settings and its own
// ports, and needs no root where the folder /run/pcscd exists.
//
// A client finds it by the environment variable PCSCLITE_CSOCK_NAME, set to
// Socket before its first call. libpcsclite reads that once in the life of a
// process: all tests of a package must share one folder, and start a PCSCD there
// after the other.
//
//	dir := … // one for the process, with a short path
//	t.Setenv("PCSCLITE_CSOCK_NAME", filepath.Join(dir, "pcscd.comm"))
//	p, err := sim.StartPCSCD(ctx, dir)
//	…
//	err = p.Slots[0].Insert(card)
type PCSCD struct {
	Socket string   // the path of its socket
	Slots  [2]*Slot // where cards are put on its readers

	process *process
}

// vpcd is the driver, from the Debian package vsmartcard-vpcd.
const vpcd = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"

// StartPCSCD starts pcscd in dir, with the socket dir/pcscd.comm, and returns
// once it serves. It ends when ctx does or with Stop; in dir another may then be
// started in its place.
func StartPCSCD(ctx context.Context, dir string) (*PCSCD, error) {
	if _, err := os.Stat(vpcd); err != nil {
		return nil, errors.New("vpcd is not installed (Debian package vsmartcard-vpcd)")
	}
	program, err := lookPath("pcscd")
	if err != nil {
		return nil, errors.New("pcscd is not installed (Debian package pcscd)")
	}
	p := &PCSCD{Socket: filepath.Join(dir, "pcscd.comm")}
	port, err := freePorts(len(p.Slots))
	if err != nil {
		return nil, err
	}
	for i := range p.Slots {
		p.Slots[i] = NewSlot(fmt.Sprintf("127.0.0.1:%d", port+i))
	}
	settings := filepath.Join(dir, "reader.conf.d")
	if err := os.MkdirAll(settings, 0o755); err != nil {
		return nil, err
	}
	reader := fmt.Sprintf("FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME /dev/null:0x%X\nLIBPATH %s\nCHANNELID 0x%X\n", port, vpcd, port)
	if err := os.WriteFile(filepath.Join(settings, "vpcd"), []byte(reader), 0o644); err != nil {
		return nil, err
	}
	if err := p.start(ctx, program, settings); err != nil {
		return nil, fmt.Errorf("start pcscd: %w", err)
	}
	return p, nil
}

// start runs pcscd and waits until it says that it is ready.
func (p *PCSCD) start(ctx context.Context, program, settings string) error {
	socket, err := listenFile(p.Socket)
	if err != nil {
		return err
	}
	defer socket.Close()
	// The number of the process must stand in the environment: only a shell
	// that becomes pcscd knows it.
	p.process, err = startProcess(ctx, func(c *exec.Cmd) {
		c.ExtraFiles = []*os.File{socket}
		c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	}, "sh", "-c", `LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" --foreground --info --config "$1"`, program, settings)
	if err != nil {
		return err
	}
	return p.process.await(func() bool { return strings.Contains(p.process.said(), "daemon ready") })
}

// Freeze makes pcscd hang: it is there and answers nothing, until Thaw.
func (p *PCSCD) Freeze() error { return p.process.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw ends what Freeze began.
func (p *PCSCD) Thaw() error { return p.process.cmd.Process.Signal(syscall.SIGCONT) }

// Stop ends pcscd as if it had crashed: its clients lose it, and its socket is
// gone.
func (p *PCSCD) Stop() error {
	err := p.process.cmd.Process.Signal(syscall.SIGTERM)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	<-p.process.done
	for _, s := range p.Slots {
		err = errors.Join(err, s.Close())
	}
	if gone := os.Remove(p.Socket); !errors.Is(gone, os.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// listenFile opens a Unix socket to hand to another process, in place of one
// that is left over.
func listenFile(path string) (*os.File, error) {
	if err := checkSocket(path); err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	f, err := l.File()
	return f, errors.Join(err, l.Close())
}

// checkSocket refuses a path that is too long for a Unix socket.
func checkSocket(path string) error {
	const most = 107
	if len(path) > most {
		return fmt.Errorf("socket %s: the path is longer than %d bytes: choose a shorter folder", path, most)
	}
	return nil
}

// freePorts finds n TCP ports in a row that nobody uses, and gives the first. They
// are below those that the kernel takes for outgoing connections, so that none
// of them comes in between before a program has opened its port.
func freePorts(n int) (int, error) {
	const first, last = 20000, 32000
	for range 100 {
		port := first + rand.IntN(last-first)
		if arePortsFree(port, n) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no %d free TCP ports in a row", n)
}

func arePortsFree(first, n int) bool {
	for i := range n {
		l, err := net.Listen("tcp", fmt.Sprintf(":%d", first+i))
		if err != nil {
			return false
		}
		defer l.Close()
	}
	return true
}
