package sim_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image/png"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parvis/device/sim"
	"parvis/device/transport"
)

func newCable(t *testing.T, d *sim.Thermal) (*sim.Cable, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run", "printer")
	c := sim.NewCable(path, d)
	if err := c.Plug(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close the cable: %v", err)
		}
	})
	return c, path
}

func TestDeskObeys(t *testing.T) {
	d := newDesk()
	cable, _ := newCable(t, d.Thermal)
	d.Connect(&d.answers)
	desk := &sim.Desk{Thermal: d.Thermal, Cable: cable}
	tests := []struct{ order, want, status string }{
		{"paper out", "ok", "paper=out"},
		{"paper low", "ok", "paper=low"},
		{" paper  in ", "ok", "paper=in"},
		{"cover open", "ok", "cover=open"},
		{"cover close", "ok", "cover=close"},
		{"error cutter", "ok", "error=cutter"},
		{"error fatal", "ok", "error=fatal"},
		{"error jam", "ok", "error=jam"},
		{"error hot", "ok", "error=hot"},
		{"error off", "ok", "error=off"},
		{"take", "error: no ticket hangs in the mouth", ""},
		{"silent on", "ok", "silent=true"},
		{"silent off", "ok", "silent=false"},
		{"unplug", "ok", ""},
		{"unplug", "error: already unplugged", ""},
		{"plug", "ok", ""},
		{"plug", "error: already plugged in", ""},
		{"paper blue", `error: unknown order "paper blue"`, ""},
		{"dance", `error: unknown order "dance"`, ""},
		{"after x paper out", "error: after", ""},
		{"after 5", "error: after", ""},
	}
	for _, tt := range tests {
		t.Run(tt.order, func(t *testing.T) {
			var out strings.Builder
			if err := sim.Obey(desk, strings.NewReader(tt.order+"\n\n"), &out); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(out.String(), tt.want) || strings.Count(out.String(), "\n") != 1 {
				t.Errorf("answer %q, want one line %q", out.String(), tt.want)
			}
			if got, err := desk.Do("status"); err != nil || !strings.Contains(got, tt.status) {
				t.Errorf("status %q, %v, want %q", got, err, tt.status)
			}
		})
	}
}

func TestDeskActsAmidATicket(t *testing.T) {
	d := newDesk()
	desk := &sim.Desk{Thermal: d.Thermal}
	if _, err := desk.Do("after 40 paper out"); err != nil {
		t.Fatal(err)
	}
	d.Receive([]byte("one\ntwo\nthree\n" + cut))
	if got := d.String(); !strings.Contains(got, "paper=out") || len(d.tickets) != 0 {
		t.Errorf("%s, %d tickets", got, len(d.tickets))
	}
}

func TestDeskServesASocket(t *testing.T) {
	d := newDesk()
	path := filepath.Join(t.TempDir(), "ctl")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- sim.Serve(ctx, l, &sim.Desk{Thermal: d.Thermal}) }()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewScanner(conn)
	for order, want := range map[string]string{"cover open": "ok", "nonsense": "error: "} {
		if _, err := fmt.Fprintln(conn, order); err != nil {
			t.Fatal(err)
		}
		if !answers.Scan() || !strings.HasPrefix(answers.Text(), want) {
			t.Errorf("%s: answer %q, %v", order, answers.Text(), answers.Err())
		}
	}
	cancel() // with a guest still there
	select {
	case err := <-served:
		if err != nil {
			t.Errorf("Serve = %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("Serve goes on")
	}
}

func TestCableCarriesBothWays(t *testing.T) {
	d := newDesk()
	cut := make(chan sim.Ticket, 1)
	thermal := sim.NewThermal(func(k sim.Ticket) { cut <- k })
	d.Thermal = thermal
	_, path := newCable(t, thermal)
	line, err := transport.OpenSerial(path, 115200)
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := line.Write(ctx, []byte("Bonjour\n\x1dVB\x00\x10\x04\x01")); err != nil {
		t.Fatal(err)
	}
	if k := <-cut; k.Text != "Bonjour\n" {
		t.Errorf("ticket %q", k.Text)
	}
	buf := make([]byte, 8)
	if n, err := line.Read(ctx, buf); err != nil || n != 1 || buf[0] != 0x12 {
		t.Errorf("answer %q, %v", buf[:n], err)
	}
}

// A printer without paper soon has no room for what a host goes on to send; with
// paper again it prints all of it.
func TestFullBufferHoldsUpTheHost(t *testing.T) {
	t.Parallel()
	job := []byte("\x1dv0\x00\x48\x00\x00\x04" + strings.Repeat("\xff", 72*1024) + "\x1dVB\x00") // 72 KiB
	for name, after := range map[string]func(*testing.T, *sim.Thermal, *sim.Cable){
		"paper again": func(_ *testing.T, d *sim.Thermal, _ *sim.Cable) { d.SetPaper(sim.PaperIn) },
		"unplugged": func(t *testing.T, d *sim.Thermal, c *sim.Cable) {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cut := make(chan sim.Ticket, 1)
			d := sim.NewThermal(func(k sim.Ticket) { cut <- k })
			d.SetBuffer(4096)
			cable, path := newCable(t, d)
			line, err := transport.OpenSerial(path, 115200)
			if err != nil {
				t.Fatal(err)
			}
			defer line.Close()
			d.SetPaper(sim.PaperOut)
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			n, err := line.Write(ctx, job)
			if !errors.Is(err, context.DeadlineExceeded) || n < 4096 || n == len(job) {
				t.Fatalf("Write = %d, %v, want to be held up", n, err)
			}
			after(t, d, cable)
			if name == "unplugged" {
				return
			}
			ctx, cancel = context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if _, err := line.Write(ctx, job[n:]); err != nil {
				t.Fatal(err)
			}
			if k := <-cut; k.Image().Rect.Dy() != 1024+96 {
				t.Errorf("a ticket of %v", k.Image().Rect)
			}
		})
	}
}

// A command longer than the buffer does not hold itself up.
func TestBufferSmallerThanACommand(t *testing.T) {
	t.Parallel()
	cut := make(chan sim.Ticket, 1)
	d := sim.NewThermal(func(k sim.Ticket) { cut <- k })
	d.SetBuffer(256)
	_, path := newCable(t, d)
	line, err := transport.OpenSerial(path, 115200)
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	job := "\x1d8L\x0a\x12\x00\x00\x30\x70\x30\x01\x01\x31\x40\x02\x40\x00" + strings.Repeat("\xff", 72*64) + "\x1d(L\x02\x00\x30\x32\x1dVB\x00"
	if _, err := line.Write(ctx, []byte(job)); err != nil {
		t.Fatal(err)
	}
	select {
	case k := <-cut:
		if k.Image().Rect.Dy() != 64+96 {
			t.Errorf("a ticket of %v", k.Image().Rect)
		}
	case <-ctx.Done():
		t.Error("no ticket came out")
	}
}

func TestCableUnplugged(t *testing.T) {
	d := newDesk()
	cable, path := newCable(t, d.Thermal)
	line, err := transport.OpenSerial(path, 115200)
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	if err := cable.Unplug(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the path is still there: %v", err)
	}
	if err := line.Discard(); !errors.Is(err, transport.ErrGone) {
		t.Errorf("Discard = %v, want ErrGone", err)
	}
}

func TestCableDoesNotReplaceAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "printer")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sim.NewCable(path, newDesk().Thermal).Plug(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Plug = %v", err)
	}
}

func TestTrayKeepsEveryTicket(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tickets")
	d := newDesk()
	for want := 1; want <= 3; want++ {
		tray, err := sim.NewTray(dir) // as after a restart
		if err != nil {
			t.Fatal(err)
		}
		if n, err := tray.Put(d.mustCut(t, fmt.Sprintf("numéro %d\n", want))); err != nil || n != want {
			t.Fatalf("Put = %d, %v, want %d", n, err, want)
		}
	}
	for i := 1; i <= 3; i++ {
		name := filepath.Join(dir, fmt.Sprintf("ticket-%d", i))
		if text, err := os.ReadFile(name + ".txt"); err != nil || !strings.HasPrefix(string(text), "num") {
			t.Errorf("%s.txt: %q, %v", name, text, err)
		}
		f, err := os.Open(name + ".png")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if img, err := png.Decode(f); err != nil || img.Bounds().Dx() != 576 {
			t.Errorf("%s.png: %v", name, err)
		}
	}
}
