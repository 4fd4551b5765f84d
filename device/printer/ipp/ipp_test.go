package ipp_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/OpenPrinting/goipp"

	"parvis/device"
	"parvis/device/printer"
	"parvis/device/printer/a4"
	"parvis/device/printer/ipp"
)

// hasty gives up soon, so that tests are short; patient never does while a test
// runs.
var (
	hasty   = ipp.Options{Answer: time.Minute, Mend: 1500 * time.Millisecond}
	patient = ipp.Options{Answer: time.Minute, Mend: time.Minute, Progress: time.Minute}
)

var _ printer.Printer = (*ipp.Printer)(nil)

func TestPrint(t *testing.T) {
	t.Parallel()
	for way, start := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			d := start(t)
			p := ipp.New(d.tap.uri, patient)
			eventually(t, 30*time.Second, "online with paper", func() bool {
				s, err := p.Status(t.Context())
				return err == nil && s == device.Status{State: device.Online, Paper: device.PaperFull}
			})
			for range 2 {
				if err := p.Print(t.Context(), doc("Carte d’identité")); err != nil {
					t.Fatal(err)
				}
			}
			// Once Print has returned all is on paper.
			sheets := d.sheets(t)
			if len(sheets) != 2 || d.tap.count(goipp.OpSendDocument) != 2 {
				t.Fatalf("%d documents came out, %d were sent; want 2", len(sheets), d.tap.count(goipp.OpSendDocument))
			}
			sent, err := a4.Render(doc("Carte d’identité"))
			if err != nil {
				t.Fatal(err)
			}
			came, err := os.ReadFile(sheets[1])
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(picture(t, came), picture(t, sent)) {
				t.Error("what came out does not look like what was sent")
			}
		})
	}
}

func TestPrintOverTLS(t *testing.T) {
	t.Parallel()
	d := alone(t)
	uri := strings.Replace(d.URI(), "ipp:", "ipps:", 1)
	// The printer made its certificate itself.
	wantError(t, ipp.New(uri, hasty).Print(t.Context(), doc("Trop tard")), device.Silent, printer.Nothing)
	onlyThisPrints(t, d, ipp.New(uri, ipp.Options{TLS: &tls.Config{InsecureSkipVerify: true}}))
}

// Faults that are there before a document: it is not sent.
func TestFaultBefore(t *testing.T) {
	t.Parallel()
	for way, start := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			d := start(t)
			p := ipp.New(d.tap.uri, hasty)
			for _, c := range []struct {
				fault, mend string
				want        device.Status
			}{
				{"paper out", "paper in", device.Status{State: device.UserError, Paper: device.PaperOut, Fault: device.NoPaper}},
				{"cover open", "cover close", device.Status{State: device.UserError, Fault: device.CoverOpen}},
				{"jam", "jam off", device.Status{State: device.UserError, Paper: device.PaperJammed, Fault: device.Jam}},
				{"toner empty", "toner ok", device.Status{State: device.UserError, Fault: device.NoInk}},
				{"stop", "start", device.Status{State: device.Offline, Fault: device.Stopped}},
				{"unplug", "plug", device.Status{State: device.NoDevice, Fault: device.Unplugged}},
			} {
				d.do(t, c.fault)
				s, err := p.Status(t.Context())
				var known *printer.Error
				if errors.As(err, &known) { // nobody answers at all
					s = known.Fault.With(known.Err)
				}
				if s.Cause == "" {
					t.Errorf("%s: no cause", c.fault)
				}
				if s.Cause = ""; s != c.want {
					t.Errorf("%s: status %+v, want %+v", c.fault, s, c.want)
				}
				wantError(t, p.Print(t.Context(), doc("Trop tard")), c.want.Fault, printer.Nothing)
				d.do(t, c.mend)
			}
			d.do(t, "toner low")
			if s, err := p.Status(t.Context()); err != nil || s.State != device.Online || s.Fault != device.InkEnds {
				t.Errorf("toner low: status %+v, %v", s, err)
			}
			onlyThisPrints(t, d, p)
		})
	}
}

func TestPaperRefilledAmidAJob(t *testing.T) {
	t.Parallel()
	for way, start := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			d := start(t)
			p := ipp.New(d.tap.uri, patient)
			d.tap.on(goipp.OpCreateJob, 1, func() { d.do(t, "paper out") })
			d.tap.on(goipp.OpGetJobAttributes, 6, func() {
				if n := len(d.sheets(t)); n != 0 {
					t.Errorf("%d documents came out without paper", n)
				}
				d.do(t, "paper in")
			})
			if err := p.Print(t.Context(), doc("Patience")); err != nil {
				t.Fatal(err)
			}
			if n := len(d.sheets(t)); n != 1 {
				t.Errorf("%d documents came out, want 1", n)
			}
		})
	}
}

// What is given up is cancelled: it does not come out once paper is back.
func TestFaultAmidAJob(t *testing.T) {
	t.Parallel()
	for way, start := range ways {
		for _, c := range []struct {
			fault, mend string
			want        device.Fault
		}{
			{"paper out", "paper in", device.NoPaper},
			{"cover open", "cover close", device.CoverOpen},
			{"jam", "jam off", device.Jam},
		} {
			t.Run(way+", "+c.fault, func(t *testing.T) {
				t.Parallel()
				d := start(t)
				p := ipp.New(d.tap.uri, hasty)
				d.tap.on(goipp.OpCreateJob, 1, func() { d.do(t, c.fault) })
				wantError(t, p.Print(t.Context(), doc("Trop tard")), c.want, printer.Maybe)
				d.do(t, c.mend)
				onlyThisPrints(t, d, p)
			})
		}
	}
}

func TestGivenUpByTheCaller(t *testing.T) {
	t.Parallel()
	for way, start := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			d := start(t)
			p := ipp.New(d.tap.uri, patient)
			ctx, cancel := context.WithCancel(t.Context())
			var since time.Time
			d.tap.on(goipp.OpCreateJob, 1, func() { d.do(t, "paper out") })
			d.tap.on(goipp.OpGetJobAttributes, 5, func() { since = time.Now(); cancel() })
			wantError(t, p.Print(ctx, doc("Trop tard")), device.Interrupted, printer.Maybe)
			if late := time.Since(since); late > 15*time.Second {
				t.Errorf("it took %s to give up", late)
			}
			wantError(t, p.Print(ctx, doc("Trop tard")), device.Interrupted, printer.Nothing)
			d.do(t, "paper in")
			onlyThisPrints(t, d, p)
		})
	}
}

func TestPrinterUnpluggedAmidAJob(t *testing.T) {
	t.Parallel()
	for way, start := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			d := start(t)
			p := ipp.New(d.tap.uri, hasty)
			d.tap.on(goipp.OpCreateJob, 1, func() { d.do(t, "paper out") })
			d.tap.on(goipp.OpGetJobAttributes, 4, func() { d.do(t, "unplug") })
			err := p.Print(t.Context(), doc("Trop tard"))
			var e *printer.Error
			if !errors.As(err, &e) || e.Fault.Info().Severity != device.Critical || e.Printed != printer.Maybe {
				t.Errorf("error %v", err)
			}
			d.do(t, "paper in")
			d.do(t, "plug")
			onlyThisPrints(t, d, p)
		})
	}
}

// onlyThisPrints prints a document and sees that nothing else came out. A
// printer prints in order: what was left in it would have come first.
func onlyThisPrints(t *testing.T, d *desk, p *ipp.Printer) {
	t.Helper()
	eventually(t, 30*time.Second, "ready again", func() bool {
		s, err := p.Status(t.Context())
		return err == nil && s.State == device.Online
	})
	if err := p.Print(t.Context(), doc("Celui-ci")); err != nil {
		t.Fatal(err)
	}
	sheets := d.sheets(t)
	if len(sheets) != 1 {
		t.Fatalf("%d documents came out, want 1", len(sheets))
	}
	b, err := os.ReadFile(sheets[0])
	if err != nil {
		t.Fatal(err)
	}
	if text := string(tool(t, b, "pdftotext", "-", "-")); !strings.Contains(text, "Celui-ci") {
		t.Errorf("what came out says %q", text)
	}
	if d.cups == nil {
		return
	}
	// CUPS keeps the jobs, by which we know their end, but not what they said.
	eventually(t, 10*time.Second, "without documents on disk", func() bool {
		documents, err := filepath.Glob(filepath.Join(d.cups.Dir, "spool", "d*-*"))
		return err == nil && len(documents) == 0
	})
}

// picture prints a PDF.
func picture(t *testing.T, pdf []byte) []byte {
	t.Helper()
	return tool(t, pdf, "pdftoppm", "-r", "50", "-gray")
}

func tool(t *testing.T, in []byte, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil || len(out) == 0 {
		t.Fatalf("%s (Debian package poppler-utils): %v", name, err)
	}
	return out
}
