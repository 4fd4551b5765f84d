// Package xdrive drives a program from outside, as a person in front of the
// glass would: it points, presses keys, looks at pixels and times what it sees.
// It speaks to the X server itself and knows nothing of the toolkit inside.
package xdrive

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// A Display is a running virtual X server.
type Display struct {
	Name string // as DISPLAY wants it: ":1"

	server *exec.Cmd
	says   *bytes.Buffer
}

// startPatience is how long a virtual screen may take to come up.
const startPatience = 20 * time.Second

// StartDisplay starts an Xvfb of the given size in pixels on a display number
// of its own choosing. It is the caller's to Close.
func StartDisplay(ctx context.Context, width, height int) (*Display, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("xvfb: %w", err)
	}
	defer read.Close()
	d := &Display{says: new(bytes.Buffer)}
	d.server = exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", fmt.Sprintf("%dx%dx24", width, height),
		"-nolisten", "tcp", "-noreset", "-dpi", "96")
	d.server.ExtraFiles = []*os.File{write}
	d.server.Stderr = d.says
	// A test that is killed must not leave a screen behind.
	d.server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	err = d.server.Start()
	write.Close()
	if err != nil {
		return nil, fmt.Errorf("xvfb: %w", err)
	}

	deadline := time.Now().Add(startPatience)
	if end, ok := ctx.Deadline(); ok && end.Before(deadline) {
		deadline = end
	}
	if err := read.SetReadDeadline(deadline); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	// To the end of the line: Xvfb dies if it cannot write that.
	number, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		d.Close()
		return nil, fmt.Errorf("xvfb did not start: %w: %s", err, d.says)
	}
	d.Name = ":" + strings.TrimSpace(number)
	return d, nil
}

// Close ends the X server and everything shown on it.
func (d *Display) Close() error {
	if err := d.server.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("xvfb: %w", err)
	}
	killer := time.AfterFunc(5*time.Second, func() { d.server.Process.Kill() })
	defer killer.Stop()
	var exit *exec.ExitError
	if err := d.server.Wait(); err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("xvfb: %w", err)
	}
	return nil
}
