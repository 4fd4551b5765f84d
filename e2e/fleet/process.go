// Package fleet runs the real hub and the real agents of bornes for tests, and
// the wire between them, which it can cut.
package fleet

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"parvis/e2e/xdrive"
)

// patience is how long one thing may take on a busy machine.
const patience = time.Minute

// Process is a program of ours that a test starts, kills and starts again. One
// goroutine at a time may do so.
type Process struct {
	t    testing.TB
	name string // in bin/
	args []string
	env  []string
	dir  string
	log  string // path; what it writes is added

	cmd    *exec.Cmd
	exited chan struct{} // closed once it has ended
}

// logFile is a new file for what a process writes. It is kept after the test
// with go test -artifacts.
func logFile(t testing.TB, name string) string {
	t.Helper()
	f, err := os.CreateTemp(t.ArtifactDir(), name+"-*.log")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// Launch starts the program, which must not run, and waits for nothing.
func (p *Process) Launch() error {
	root, err := xdrive.Root()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(p.log, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(root, "bin", p.name), p.args...)
	cmd.Dir = p.dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "HOME=" + p.dir, "TMPDIR=" + os.TempDir()}, p.env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	exited := make(chan struct{})
	p.cmd, p.exited = cmd, exited
	go func() {
		cmd.Wait()
		close(exited)
	}()
	return nil
}

// Running reports whether the program runs, be it paused.
func (p *Process) Running() bool {
	if p.exited == nil {
		return false
	}
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// Stop ends the program as systemd would.
func (p *Process) Stop() { p.end(syscall.SIGTERM) }

// Kill ends the program as a power cut would.
func (p *Process) Kill() { p.end(syscall.SIGKILL) }

// Pause lets the program do nothing more until Resume, nor end by Stop.
func (p *Process) Pause() { p.signal(syscall.SIGSTOP) }

// Resume lets the program go on after Pause.
func (p *Process) Resume() { p.signal(syscall.SIGCONT) }

// PID is the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

func (p *Process) signal(signal syscall.Signal) {
	if p.Running() {
		syscall.Kill(-p.cmd.Process.Pid, signal)
	}
}

// end sends the program a signal and waits for its end.
func (p *Process) end(signal syscall.Signal) {
	if !p.Running() {
		return
	}
	p.signal(signal)
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.signal(syscall.SIGKILL)
		<-p.exited
	}
}

// Says is the end of what the program has written.
func (p *Process) Says() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(text[max(0, len(text)-4000):]))
}

// keep starts the program, and sees to it that it ends with the test.
func (p *Process) keep() {
	p.t.Helper()
	p.t.Cleanup(func() {
		p.Resume()
		p.Stop()
		if p.t.Failed() {
			p.t.Logf("the last words of %s:\n%s", p.name, p.Says())
		}
	})
	p.mustLaunch()
}

func (p *Process) mustLaunch() {
	p.t.Helper()
	if err := p.Launch(); err != nil {
		p.t.Fatal(err)
	}
}

// wait ends the test when ok doesn't come true in time, or the program ends.
func (p *Process) wait(what string, ok func() bool) {
	p.t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if !p.Running() {
			p.t.Fatalf("waiting for %s, %s ended:\n%s", what, p.name, p.Says())
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("waited %v for %s of %s:\n%s", patience, what, p.name, p.Says())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// run runs a command of the program to its end and returns what it wrote.
func (p *Process) run(args ...string) (string, error) {
	root, err := xdrive.Root()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(filepath.Join(root, "bin", p.name), args...)
	cmd.Dir, cmd.Env = p.dir, append([]string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "HOME=" + p.dir}, p.env...)
	var says bytes.Buffer
	cmd.Stderr = &says
	out, err := cmd.Output()
	if err != nil {
		return "", errors.Join(err, errors.New(says.String()))
	}
	return string(out), nil
}

// Address finds an address on this machine that stays the same over restarts:
// below the ports that the system gives away.
func Address(t testing.TB) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := 12000 + l.Addr().(*net.TCPAddr).Port%20000
		l.Close()
		address := (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}).String()
		if l, err = net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("no free port")
	return ""
}
