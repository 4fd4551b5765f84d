package sim

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/OpenPrinting/goipp"
)

// Office is an A4 printer that speaks IPP: a real ippeveprinter with A4 paper in
// its tray, on a port of its own and a D-Bus of its own, so that it needs neither
// root nor avahi. It stops at what is in its way and goes on where it stopped,
// and keeps each PDF that it printed.
//
// As ippeveprinter does not know the state "stopped", a printer without paper
// says that it is "processing" while it holds a job and "idle" while it has none:
// only printer-state-reasons tells. It takes one job at a time and answers
// server-error-busy to the next, also for a moment after the last page. Out of
// paper it says nothing else but that, and does not let go of a canceled job
// before there is paper again.
type Office struct {
	ctx  context.Context // of its whole life, through all unplugging
	dir  string
	port int

	mu      sync.Mutex
	reasons map[string]bool // why it does not work as it should
	bus     *process
	printer *process // nil while unplugged
}

//go:embed office.sh
var officeScript []byte

//go:embed office.test
var officeCanceled []byte

//go:embed office.xml
var officeBus []byte

// StartOffice starts a printer that keeps everything in dir, a short path, at
// the TCP port given, 0 being any free one. It returns once the printer answers.
// The printer ends when ctx does, or with Close.
func StartOffice(ctx context.Context, dir string, port int) (*Office, error) {
	for program, debian := range map[string]string{"ippeveprinter": "cups-ipp-utils", "ipptool": "cups-ipp-utils", "dbus-daemon": "dbus-daemon"} {
		if _, err := lookPath(program); err != nil {
			return nil, fmt.Errorf("%s is not installed (Debian package %s)", program, debian)
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if port == 0 {
		if port, err = freePorts(1); err != nil {
			return nil, err
		}
	}
	o := &Office{ctx: ctx, dir: dir, port: port, reasons: make(map[string]bool)}
	if err := checkSocket(o.path("bus")); err != nil {
		return nil, err
	}
	if err := o.lay(); err != nil {
		return nil, err
	}
	o.bus, err = startProcess(ctx, func(*exec.Cmd) {}, "dbus-daemon", "--config-file="+o.path("bus.xml"), "--address=unix:path="+o.path("bus"), "--nofork", "--nopidfile", "--nosyslog")
	if err != nil {
		return nil, err
	}
	err = o.bus.await(func() bool {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", o.path("bus"))
		return err == nil && conn.Close() == nil
	})
	if err == nil {
		err = o.plug()
	}
	if err != nil {
		return nil, errors.Join(err, o.bus.stop())
	}
	return o, nil
}

func (o *Office) path(name string) string { return filepath.Join(o.dir, name) }

// Printed is the folder where document-1.pdf and so on appear once they are
// printed, each as a whole.
func (o *Office) Printed() string { return o.path("printed") }

// URI is the address for clients such as CUPS: ipp://localhost:8631/ipp/print.
func (o *Office) URI() string { return fmt.Sprintf("ipp://localhost:%d/ipp/print", o.port) }

// lay puts down the files that the printer needs.
func (o *Office) lay() error {
	for _, dir := range []string{"printed", "spool", "keys"} {
		if err := os.MkdirAll(o.path(dir), 0o755); err != nil {
			return err
		}
	}
	for name, content := range map[string][]byte{"canceled.test": officeCanceled, "bus.xml": officeBus, "told": nil, "want": nil} {
		if err := os.WriteFile(o.path(name), content, 0o644); err != nil {
			return err
		}
	}
	if err := os.Remove(o.path("bus")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.WriteFile(o.path("command.sh"), officeScript, 0o755)
}

// plug starts ippeveprinter, and waits until it answers and has A4 paper.
func (o *Office) plug() error {
	if err := os.WriteFile(o.path("told"), nil, 0o644); err != nil {
		return err
	}
	env := func(c *exec.Cmd) {
		c.Env = append(os.Environ(), "DBUS_SYSTEM_BUS_ADDRESS=unix:path="+o.path("bus"), "HOME="+o.dir)
	}
	p, err := startProcess(o.ctx, env, "ippeveprinter", "-r", "off", "-p", fmt.Sprint(o.port), "-n", "localhost",
		"-c", o.path("command.sh"), "-d", o.path("spool"), "-K", o.path("keys"), "-f", "application/pdf", "Imprimante A4")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(o.ctx, 10*time.Second)
	defer cancel()
	err = p.await(func() bool {
		_, err := o.ask(ctx, goipp.OpGetPrinterAttributes)
		return err == nil
	})
	if err != nil {
		return errors.Join(err, p.stop())
	}
	o.printer = p
	if err := o.tell(ctx); err != nil {
		return errors.Join(err, o.unplug())
	}
	return nil
}

func (o *Office) unplug() error {
	err := o.printer.stop()
	o.printer = nil
	return err
}

// Plug starts the printer again; what was wrong with it still is. Its error is
// ErrPlugged where it runs.
func (o *Office) Plug() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.printer != nil {
		return ErrPlugged
	}
	return o.plug()
}

// Unplug ends the printer amid whatever it does; the jobs in it are lost. Its
// error is ErrUnplugged where it does not run.
func (o *Office) Unplug() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.printer == nil {
		return ErrUnplugged
	}
	return o.unplug()
}

// Close ends the printer for good.
func (o *Office) Close() error {
	err := o.Unplug()
	if errors.Is(err, ErrUnplugged) {
		err = nil
	}
	return errors.Join(err, o.bus.stop())
}

// OfficeOrders is what an Office understands.
const OfficeOrders = "paper in|low|out, toner ok|low|empty, jam, jam off, cover open|close, stop, start, unplug, plug, status"

// officeOrders say which reasons an order takes away, and which it brings. They
// are those of printer-state-reasons, RFC 8011 section 5.4.12.
var officeOrders = map[string]struct{ off, on []string }{
	"paper in":    {off: []string{"media-empty", "media-low"}},
	"paper low":   {off: []string{"media-empty"}, on: []string{"media-low"}},
	"paper out":   {off: []string{"media-low"}, on: []string{"media-empty"}},
	"toner ok":    {off: []string{"toner-empty", "toner-low"}},
	"toner low":   {off: []string{"toner-empty"}, on: []string{"toner-low"}},
	"toner empty": {off: []string{"toner-low"}, on: []string{"toner-empty"}},
	"jam":         {on: []string{"media-jam"}},
	"jam off":     {off: []string{"media-jam"}},
	"cover open":  {on: []string{"cover-open"}},
	"cover close": {off: []string{"cover-open"}},
	"stop":        {on: []string{"paused"}},
	"start":       {off: []string{"paused"}},
}

// Do implements Hand. Once it returns the printer says how it is.
func (o *Office) Do(order string) (string, error) {
	order = strings.Join(strings.Fields(order), " ")
	switch order {
	case "plug":
		return "ok", o.Plug()
	case "unplug":
		return "ok", o.Unplug()
	case "status":
		return o.String(), nil
	}
	change, ok := officeOrders[order]
	if !ok {
		return "", fmt.Errorf("unknown order %q: say %s", order, OfficeOrders)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, reason := range change.off {
		delete(o.reasons, reason)
	}
	for _, reason := range change.on {
		o.reasons[reason] = true
	}
	if o.printer == nil {
		return "ok", nil
	}
	ctx, cancel := context.WithTimeout(o.ctx, 10*time.Second)
	defer cancel()
	return "ok", o.tell(ctx)
}

// String tells how the printer is, on one line.
func (o *Office) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	printed, _ := filepath.Glob(filepath.Join(o.Printed(), "document-*.pdf")) // the pattern is right
	return fmt.Sprintf("plugged=%t reasons=%s printed=%d", o.printer != nil, o.wants(), len(printed))
}

// wants are the reasons as the files hold them, or "none".
func (o *Office) wants() string {
	if len(o.reasons) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(maps.Keys(o.reasons)), ",")
}

// tell lets the printer say how it is. Paper and toner are set on its web page.
// For the rest it listens only to the command that it runs for a job: an empty
// document makes it run. While it holds another job it takes none, but then the
// command of that one tells.
func (o *Office) tell(ctx context.Context) error {
	err := replace(o.path("want"), func(f *os.File) error {
		_, err := f.WriteString(strings.TrimPrefix(strings.ReplaceAll(o.wants(), ",", " "), "none"))
		return err
	})
	if err != nil {
		return err
	}
	for _, path := range []string{
		fmt.Sprintf("/media?size1=iso_a4_210x297mm&type1=stationery&level1=%d&size3=&type3=&level3=-2", o.level("media", 250)),
		fmt.Sprintf("/supplies?supply0=25&supply1=%d", o.level("toner", 75)),
	} {
		if _, err := fetch(ctx, http.MethodGet, o.page(path), nil); err != nil {
			return fmt.Errorf("set paper and toner: %w", err)
		}
	}
	for {
		answer, err := o.ask(ctx, goipp.OpGetPrinterAttributes)
		if err != nil {
			return err
		}
		told := reasons(answer)
		over, err := o.over(ctx)
		if err != nil {
			return err
		}
		switch {
		case over && (told == o.wants() || o.reasons["media-empty"]):
			return nil
		case over:
			_, err := o.ask(ctx, goipp.OpPrintJob)
			if err != nil && !errors.Is(err, errBusy) {
				return fmt.Errorf("tell the printer how it is: %w", err)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the printer says %s, not %s: %w", told, o.wants(), ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// level is how much is left of something, of the full number given.
func (o *Office) level(of string, full int) int {
	switch {
	case o.reasons[of+"-empty"]:
		return 0
	case o.reasons[of+"-low"]:
		return 5
	}
	return full
}
