package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// process is a program that runs until it is stopped, together with whatever it
// starts itself.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed once it has ended
	out  tail
}

// lookPath finds a program, also where only root looks for it.
func lookPath(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/" + name)
}

// startProcess starts a program; setup may change how.
func startProcess(ctx context.Context, setup func(*exec.Cmd), name string, args ...string) (*process, error) {
	path, err := lookPath(name)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, path, args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	// Nor does it outlive us, should we be killed.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p.cmd.Cancel = p.kill
	p.cmd.WaitDelay = 5 * time.Second
	setup(p.cmd)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // how it ended does not matter
	}()
	return p, nil
}

// await waits until the program is ready, or has ended, or ten seconds are over.
func (p *process) await(ready func() bool) error {
	late := time.After(10 * time.Second)
	for !ready() {
		select {
		case <-p.done:
			return fmt.Errorf("%s ended at once: %s", p.cmd.Path, p.said())
		case <-late:
			return fmt.Errorf("%s is not ready after 10 s: %s", p.cmd.Path, p.said())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// kill ends the program and its children at once: as pulling the plug does.
func (p *process) kill() error {
	err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// stop kills the program and waits for its end.
func (p *process) stop() error {
	select {
	case <-p.done:
		return nil
	default:
	}
	err := p.kill()
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	<-p.done
	return err
}

// said is the end of what the program printed.
func (p *process) said() string { return p.out.String() }

// tail keeps the last kilobyte written to it.
type tail struct {
	mu  sync.Mutex
	end []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, b...)
	t.end = bytes.Clone(t.end[max(0, len(t.end)-1024):])
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.end))
}
