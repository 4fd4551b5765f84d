package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"parvis/device/transport"
)

// The whole desk, with the real pcscd and ippeveprinter, at the orders of a
// socket, and gone without a trace afterwards.
func TestDesk(t *testing.T) {
	t.Chdir(t.TempDir())
	var c commands
	parser, err := kong.New(&c)
	if err != nil {
		t.Fatal(err)
	}
	page := freeAddr(t)
	_, ipp, _ := net.SplitHostPort(freeAddr(t))
	if _, err := parser.Parse([]string{"desk", "--page", page, "--ipp", ipp, "--suffix", `\r\n`}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Desk.Run(ctx) }()
	conn := dial(t, "run/desk.ctl", ended)
	defer conn.Close()

	scanner, err := transport.OpenSerial("run/scanner", 9600)
	if err != nil {
		t.Fatal(err)
	}
	defer scanner.Close()
	answers := bufio.NewScanner(conn)
	for _, tt := range []struct{ order, want string }{
		{"printer paper low", "ok"},
		{"printer status", "plugged=true paper=low "},
		{"rfid card city", "ok"},
		{"rfid status", "plugged=true card=true"},
		{"card insert vitale", "ok"},
		{"card status", "inserted=true apdus=0"},
		{"office jam", "ok"},
		{"office status", "plugged=true reasons=media-jam "},
		{"scanner scan PASS0001", "ok"},
		{"paper out", "error: unknown device"},
	} {
		if _, err := fmt.Fprintln(conn, tt.order); err != nil {
			t.Fatal(err)
		}
		if !answers.Scan() || !strings.HasPrefix(answers.Text(), tt.want) {
			t.Errorf("%s: %q, %v, want %q", tt.order, answers.Text(), answers.Err(), tt.want)
		}
	}
	read, stop := context.WithTimeout(ctx, 5*time.Second)
	defer stop()
	got := make([]byte, 64)
	n := 0
	for n < len("PASS0001\r\n") {
		more, err := scanner.Read(read, got[n:])
		if err != nil {
			t.Fatalf("the scanner said %q, %v", got[:n], err)
		}
		n += more
	}
	if string(got[:n]) != "PASS0001\r\n" {
		t.Errorf("the scanner said %q", got[:n])
	}
	if res, err := http.Get("http://" + page); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("the page: %v", err)
	} else {
		res.Body.Close()
	}

	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the desk ended: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the desk does not end")
	}
	for _, gone := range []string{"printer", "rfid", "scanner", "pcsc/pcscd.comm"} {
		if _, err := os.Lstat(filepath.Join("run", gone)); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", gone, err)
		}
	}
}

func TestDeskWithout(t *testing.T) {
	t.Chdir(t.TempDir())
	var c commands
	parser, err := kong.New(&c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{"desk", "--without", "rfid,scanner,card,office,page"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Desk.Run(ctx) }()
	conn := dial(t, "run/desk.ctl", ended)
	defer conn.Close()
	if _, err := fmt.Fprintln(conn, "rfid remove"); err != nil {
		t.Fatal(err)
	}
	if answer, err := bufio.NewReader(conn).ReadString('\n'); err != nil || answer != "error: unknown device \"rfid\": say printer, and then an order\n" {
		t.Errorf("answer %q, %v", answer, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("the desk ended: %v", err)
	}
}

func TestRefusedOptions(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"a page for all the world": {[]string{"desk", "--page", "0.0.0.0:8090"}, "que sur cette machine"},
		"paper that goes back":     {[]string{"printer", "--speed=-1"}, "négative"},
		"a printer nobody makes":   {[]string{"printer", "--model=abacus"}, "custom-vkp80"},
		"a device nobody has":      {[]string{"desk", "--without=kettle"}, "kettle"},
	} {
		t.Run(name, func(t *testing.T) {
			var c commands
			parser, err := kong.New(&c)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parser.Parse(tt.args); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// dial waits for the socket of a desk that has not ended.
func dial(t *testing.T, path string, ended <-chan error) net.Conn {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("unix", path)
		if err == nil {
			return conn
		}
		select {
		case err := <-ended:
			t.Fatalf("the desk ended: %v", err)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
