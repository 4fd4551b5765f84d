package sim

import (
	"bytes"
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
	"time"
)

// CUPS is a real cupsd apart from the system's, with Debian's own rules of who
// may do what. It runs as root, since cupsd does.
//
//	c, err := sim.StartCUPS(ctx, dir)
//	…
//	err = c.Add(ctx, "A4", "ipp://localhost:8631/ipp/print")
//	p := ipp.New(c.Queue("A4"), ipp.Options{})
type CUPS struct {
	Addr string // where it listens, such as "127.0.0.1:40631"

	Dir  string // where it keeps everything, its error_log too
	cmd  *exec.Cmd
	done chan struct{} // closed once it has ended
}

// cupsFolders are what cupsd wants in its folder.
var cupsFolders = []string{"etc", "cache", "state", "spool", "tmp"}

// cupsFiles says where cupsd keeps things; %[1]s is its folder.
const cupsFiles = `ServerRoot %[1]s/etc
CacheDir %[1]s/cache
StateDir %[1]s/state
RequestRoot %[1]s/spool
TempDir %[1]s/tmp
AccessLog %[1]s/access_log
ErrorLog %[1]s/error_log
PageLog %[1]s/page_log
ServerBin /usr/lib/cups
DataDir /usr/share/cups
Printcap
SystemGroup root
`

// StartCUPS starts cupsd in dir and returns once it serves. The user lp, as
// which CUPS prints, must be able to reach dir. It ends when ctx does or with
// Stop.
func StartCUPS(ctx context.Context, dir string) (*CUPS, error) {
	rules, err := os.ReadFile("/usr/share/cups/cupsd.conf.default")
	if err != nil {
		return nil, errors.New("cupsd is not installed (Debian package cups-daemon)")
	}
	port, err := lastingPort()
	if err != nil {
		return nil, err
	}
	c := &CUPS{Addr: fmt.Sprintf("127.0.0.1:%d", port), Dir: dir}
	for _, name := range cupsFolders {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(filepath.Join(dir, "tmp"), 0o1777)); err != nil {
		return nil, err
	}
	// A borne's CUPS keeps no document once it is printed.
	settings := []string{"Listen " + c.Addr, "Listen " + c.socket(), "PreserveJobFiles No"}
	for line := range strings.SplitSeq(string(rules), "\n") {
		switch word, _, _ := strings.Cut(strings.TrimSpace(line), " "); word {
		case "Listen", "Browsing", "BrowseLocalProtocols", "WebInterface", "IdleExitTimeout", "PageLogFormat":
		default:
			settings = append(settings, line)
		}
	}
	err = errors.Join(
		os.WriteFile(c.path("etc/cupsd.conf"), []byte(strings.Join(settings, "\n")), 0o644),
		os.WriteFile(c.path("etc/cups-files.conf"), fmt.Appendf(nil, cupsFiles, dir), 0o644),
	)
	if err != nil {
		return nil, err
	}
	return c, c.Start(ctx)
}

// lastingPort finds a TCP port that nobody uses and that the system gives to
// nobody by itself: it is still there for a second start.
func lastingPort() (int, error) {
	for range 50 {
		port := 20000 + rand.IntN(10000)
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("no free TCP port from 20000 to 29999")
}

func (c *CUPS) path(name string) string { return filepath.Join(c.Dir, name) }

func (c *CUPS) socket() string { return c.path("sock") }

// Queue is the address of a queue.
func (c *CUPS) Queue(name string) string { return "ipp://" + c.Addr + "/printers/" + name }

// Start starts cupsd again after Stop, with its queues and the jobs they hold.
func (c *CUPS) Start(ctx context.Context) error {
	program, err := lookPath("cupsd")
	if err != nil {
		return errors.New("cupsd is not installed (Debian package cups-daemon)")
	}
	var said tail
	c.cmd = exec.CommandContext(ctx, program, "-f", "-c", c.path("etc/cupsd.conf"), "-s", c.path("etc/cups-files.conf"))
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(syscall.SIGTERM) }
	c.cmd.WaitDelay = 5 * time.Second
	c.cmd.Stdout, c.cmd.Stderr = &said, &said
	if err := c.cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	c.done = done
	go func() {
		defer close(done)
		_ = c.cmd.Wait() // it was told to end
	}()
	for !answers("tcp", c.Addr) || !answers("unix", c.socket()) {
		select {
		case <-done:
			return fmt.Errorf("cupsd ended at once: %s", said.String())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

func answers(network, addr string) bool {
	conn, err := net.Dial(network, addr)
	return err == nil && conn.Close() == nil
}

// Stop ends cupsd. It keeps its jobs, as when a machine is switched off.
func (c *CUPS) Stop() error {
	err := c.cmd.Process.Signal(syscall.SIGTERM)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	<-c.done
	return err
}

// Add makes a queue for a printer that speaks IPP Everywhere and answers now.
func (c *CUPS) Add(ctx context.Context, name, device string) error {
	return c.run(ctx, "lpadmin", "-p", name, "-E", "-v", device, "-m", "everywhere")
}

// Disable stops a queue: it takes documents, but prints none.
func (c *CUPS) Disable(ctx context.Context, name string) error {
	return c.run(ctx, "cupsdisable", name)
}

// Enable lets a queue print again.
func (c *CUPS) Enable(ctx context.Context, name string) error { return c.run(ctx, "cupsenable", name) }

// Reject lets a queue take no more documents.
func (c *CUPS) Reject(ctx context.Context, name string) error { return c.run(ctx, "cupsreject", name) }

// Accept lets a queue take documents again.
func (c *CUPS) Accept(ctx context.Context, name string) error { return c.run(ctx, "cupsaccept", name) }

// run runs one of CUPS' own commands.
func (c *CUPS) run(ctx context.Context, name string, args ...string) error {
	program, err := lookPath(name)
	if err != nil {
		return fmt.Errorf("%s is not installed (Debian package cups-client)", name)
	}
	args = append([]string{"-h", c.socket()}, args...)
	if out, err := exec.CommandContext(ctx, program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(out))
	}
	return nil
}
