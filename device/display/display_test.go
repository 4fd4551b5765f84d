package display_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/screensaver"
	"github.com/jezek/xgb/xproto"

	"parvis/device/display"
)

// server is the other end of the wire: as much of an X server as a panel's power
// needs. No virtual X server has DPMS.
type server struct {
	power, capable bool
	asked          chan string // what it was asked to do with the panel
}

// The numbers of requests (X protocol, appendix B; DPMS protocol).
const (
	getInputFocus, queryExtension, setScreenSaver, forceScreenSaver = 43, 98, 107, 115

	major                                = 130
	capable, setTimeouts, enable, levels = 1, 3, 4, 6
)

// start serves one client at a time and returns the display's name.
func (s *server) start(t *testing.T) string {
	t.Helper()
	s.asked = make(chan string, 20)
	path := filepath.Join(t.TempDir(), "x")
	l, err := net.Listen("unix", path+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.serve(c)
		}
	}()
	return path + ":0"
}

func (s *server) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	var hello [12]byte
	if _, err := io.ReadFull(r, hello[:]); err != nil {
		return
	}
	pad := func(n uint16) int { return (int(n) + 3) &^ 3 }
	r.Discard(pad(binary.LittleEndian.Uint16(hello[6:])) + pad(binary.LittleEndian.Uint16(hello[8:])))
	c.Write(welcome())
	for n := uint16(1); ; n++ {
		var head [4]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return
		}
		body := make([]byte, 4*int(binary.LittleEndian.Uint16(head[2:]))-4)
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		reply := make([]byte, 32)
		reply[0] = 1
		binary.LittleEndian.PutUint16(reply[2:], n)
		switch op := [2]byte{head[0], head[1]}; {
		case head[0] == getInputFocus:
			c.Write(reply)
		case head[0] == queryExtension:
			if s.power && string(body[4:8]) == "DPMS" {
				reply[8], reply[9] = 1, major
			}
			c.Write(reply)
		case op == [2]byte{major, capable}:
			if s.capable {
				reply[8] = 1
			}
			c.Write(reply)
		case op == [2]byte{major, setTimeouts}:
			s.asked <- fmt.Sprint("timeouts ", body[:6])
		case op == [2]byte{major, enable}:
			s.asked <- "enable"
		case op == [2]byte{major, levels}:
			s.asked <- fmt.Sprint("level ", binary.LittleEndian.Uint16(body))
		case head[0] == setScreenSaver:
			s.asked <- fmt.Sprint("saver after ", binary.LittleEndian.Uint16(body))
		case head[0] == forceScreenSaver:
			s.asked <- fmt.Sprint("saver ", head[1])
		default:
			s.asked <- fmt.Sprint("request ", op)
		}
	}
}

// welcome is the answer to a connection: one screen of 1080×1920.
func welcome() []byte {
	const vendor = "pane"
	screen := make([]byte, 40)
	binary.LittleEndian.PutUint32(screen, 0x100)
	binary.LittleEndian.PutUint16(screen[20:], 1080)
	binary.LittleEndian.PutUint16(screen[22:], 1920)
	body := make([]byte, 32, 32+len(vendor)+len(screen))
	binary.LittleEndian.PutUint32(body[4:], 0x200000) // ids
	binary.LittleEndian.PutUint32(body[8:], 0x1fffff) // of one client
	binary.LittleEndian.PutUint16(body[16:], uint16(len(vendor)))
	binary.LittleEndian.PutUint16(body[18:], 0xffff)
	body[20] = 1 // screens
	body = append(append(body, vendor...), screen...)
	head := []byte{1, 0, 11, 0, 0, 0, 0, 0}
	binary.LittleEndian.PutUint16(head[6:], uint16(len(body)/4))
	return append(head, body...)
}

// all is what the server was asked so far.
func (s *server) all() []string {
	var all []string
	for {
		select {
		case a := <-s.asked:
			all = append(all, a)
		default:
			return all
		}
	}
}

func TestPower(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server                     server
		opened, asleep, awakeAgain []string
	}{
		"DPMS": {server{power: true, capable: true},
			[]string{"saver after 0", "timeouts [0 0 0 0 0 0]", "enable", "level 0"}, []string{"enable", "level 3"}, []string{"enable", "level 0"}},
		"a panel that has none":  {server{power: true}, []string{"saver after 0"}, []string{"saver 1"}, []string{"saver 0"}},
		"a server that has none": {server{}, []string{"saver after 0"}, []string{"saver 1"}, []string{"saver 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &c.server
			d, err := display.Open(s.start(t))
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if w, h := d.Size(); w != 1080 || h != 1920 {
				t.Errorf("%d×%d", w, h)
			}
			for _, step := range []struct {
				name string
				do   func() error
				want []string
			}{
				{"opening", func() error { return nil }, c.opened}, {"sleeping", d.Sleep, c.asleep}, {"waking", d.Wake, c.awakeAgain},
			} {
				if err := step.do(); err != nil {
					t.Errorf("%s: %v", step.name, err)
				}
				if got := s.all(); !slices.Equal(got, step.want) {
					t.Errorf("%s: the server was asked for %q, want %q", step.name, got, step.want)
				}
			}
		})
	}
}

func TestNoServer(t *testing.T) {
	t.Parallel()
	if _, err := display.Open(filepath.Join(t.TempDir(), "x") + ":0"); err == nil || !strings.Contains(err.Error(), "écran") {
		t.Errorf("%v", err)
	}
}

// A server that goes is an error at the next wish, not an end.
func TestServerGoes(t *testing.T) {
	t.Parallel()
	xvfb, name := startXvfb(t)
	d, err := display.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	xvfb.Process.Kill()
	xvfb.Wait()
	if err := d.Sleep(); err == nil {
		t.Error("no error without a server")
	}
}

// On a real server without DPMS the glass is black until somebody touches it.
func TestBlack(t *testing.T) {
	t.Parallel()
	_, name := startXvfb(t)
	d, err := display.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if w, h := d.Size(); w != 200 || h != 300 {
		t.Errorf("%d×%d", w, h)
	}
	conn, err := xgb.NewConnDisplay(name)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := screensaver.Init(conn); err != nil {
		t.Fatal(err)
	}
	black := func() bool {
		t.Helper()
		info, err := screensaver.QueryInfo(conn, xproto.Drawable(xproto.Setup(conn).DefaultScreen(conn).Root)).Reply()
		if err != nil {
			t.Fatal(err)
		}
		return info.State == screensaver.StateOn
	}
	for _, step := range []struct {
		do   func() error
		want bool
	}{{d.Sleep, true}, {d.Sleep, true}, {d.Wake, false}, {d.Wake, false}, {d.Sleep, true}} {
		if err := step.do(); err != nil || black() != step.want {
			t.Errorf("black: %t, want %t (%v)", black(), step.want, err)
		}
	}
}

func startXvfb(t *testing.T) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command("Xvfb", "-displayfd", "1", "-screen", "0", "200x300x24", "-nolisten", "tcp")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v (Debian package xvfb)", err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	timer := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	defer timer.Stop()
	number, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb: %v", err)
	}
	return cmd, ":" + strings.TrimSpace(number)
}
