package image

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"

	"parvis/e2e/xdrive"
)

// The borne's screen, in pixels.
const (
	screenWidth  = 1080
	screenHeight = 1920
)

// machine is a borne's computer in QEMU: UEFI, a disk, a network cable, a screen
// and a finger.
type machine struct {
	t    *testing.T
	name string
	dir  string
	disk *disk
	tpm  bool

	qemu, swtpm *exec.Cmd
	exited      chan struct{}
	began       time.Time
	qmp         *qmp
	serial      *serial

	// The emulated graphics card draws on a display of this machine: its own
	// processor would need ten seconds for each picture.
	display *xdrive.Display
	glass   *xdrive.Screen
	x       *xgb.Conn
}

// newMachine is a computer that has never been switched on.
func newMachine(t *testing.T, name string, d *disk) *machine {
	t.Helper()
	dir, err := os.MkdirTemp("", "borne-") // short: it holds sockets
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, name: name, dir: dir, disk: d}
	os.Remove(filepath.Join(root, "run/image", name+".log"))
	t.Cleanup(func() { os.RemoveAll(dir) })
	vars, err := os.ReadFile("/usr/share/OVMF/OVMF_VARS_4M.fd")
	if err != nil {
		t.Fatalf("%v (apt install ovmf)", err)
	}
	if err := os.WriteFile(m.path("vars"), vars, 0o600); err != nil {
		t.Fatal(err)
	}
	d.serve(t, m.path("disk"))
	m.openDisplay()
	t.Cleanup(func() { // before the others: its disk waits for it
		m.kill()
		if m.swtpm != nil {
			m.swtpm.Process.Kill()
			m.swtpm.Wait()
		}
	})
	return m
}

func (m *machine) openDisplay() {
	m.t.Helper()
	var err error
	if m.display, err = xdrive.StartDisplay(m.t.Context(), screenWidth, screenHeight); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { m.display.Close() })
	if m.glass, err = xdrive.OpenScreen(m.display.Name); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { m.glass.Close() })
	if m.x, err = xgb.NewConnDisplay(m.display.Name); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(m.x.Close)
}

func (m *machine) path(name string) string { return filepath.Join(m.dir, name) }

// start switches the machine on. PARVIS_CPUS are its processors: one is quicker
// where the machine that emulates it has other work, too.
func (m *machine) start() {
	m.t.Helper()
	args := []string{
		"-accel", "tcg,thread=multi", "-cpu", "Nehalem", "-machine", "q35", "-smp", strconv.FormatUint(number(m.t, "PARVIS_CPUS", 2), 10), "-m", "2048", "-nodefaults", "-display", "sdl,gl=on",
		"-drive", "if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd",
		"-drive", "if=pflash,format=raw,unit=1,file=" + m.path("vars"),
		"-blockdev", "driver=nbd,node-name=disk,server.type=unix,server.path=" + m.path("disk"),
		"-device", "virtio-blk-pci,drive=disk,bootindex=1,physical_block_size=4096,write-cache=on",
		"-device", fmt.Sprintf("virtio-vga-gl,xres=%d,yres=%d", screenWidth, screenHeight),
		"-device", "qemu-xhci,id=usb,p2=8,p3=8", "-device", "virtio-tablet-pci",
		"-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile=",
		"-device", "virtio-rng-pci",
		"-serial", "unix:" + m.path("serial") + ",server=on,wait=off",
		"-qmp", "unix:" + m.path("qmp") + ",server=on,wait=off",
	}
	if m.tpm {
		m.startTPM()
		args = append(args, "-chardev", "socket,id=tpm,path="+m.path("tpm.sock"),
			"-tpmdev", "emulator,id=tpm,chardev=tpm", "-device", "tpm-crb,tpmdev=tpm")
	}
	for _, name := range []string{"serial", "qmp"} {
		os.Remove(m.path(name))
	}
	m.qemu = exec.Command("qemu-system-x86_64", args...)
	m.qemu.Env = append(os.Environ(), "DISPLAY="+m.display.Name, "SDL_VIDEODRIVER=x11", "LIBGL_ALWAYS_SOFTWARE=1")
	m.qemu.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // no test leaves one behind
	var said bytes.Buffer
	m.qemu.Stderr = &said
	if err := m.qemu.Start(); err != nil {
		m.t.Fatalf("%v (apt install qemu-system-x86)", err)
	}
	m.began = time.Now()
	m.exited = make(chan struct{})
	go func() {
		m.qemu.Wait()
		close(m.exited)
	}()
	m.serial = &serial{}
	line := m.dial("serial", &said)
	log, err := os.OpenFile(filepath.Join(root, "run/image", m.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		m.t.Fatal(err)
	}
	go func() {
		defer log.Close()
		m.serial.read(io.TeeReader(line, log))
	}()
	m.qmp = newQMP(m.t, m.dial("qmp", &said))
}

func (m *machine) dial(name string, said *bytes.Buffer) net.Conn {
	m.t.Helper()
	for {
		c, err := net.Dial("unix", m.path(name))
		if err == nil {
			return c
		}
		select {
		case <-m.exited:
			m.t.Fatalf("%s: the emulator has ended: %s", m.name, said)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (m *machine) startTPM() {
	m.t.Helper()
	if m.swtpm != nil {
		m.swtpm.Process.Kill()
		m.swtpm.Wait()
	}
	if err := os.MkdirAll(m.path("tpm"), 0o700); err != nil {
		m.t.Fatal(err)
	}
	m.swtpm = exec.Command("swtpm", "socket", "--tpm2", "--tpmstate", "dir="+m.path("tpm"),
		"--ctrl", "type=unixio,path="+m.path("tpm.sock"), "--flags", "startup-clear")
	m.swtpm.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := m.swtpm.Start(); err != nil {
		m.t.Fatalf("%v (apt install swtpm)", err)
	}
	m.until("a TPM", time.Minute, func() bool {
		_, err := os.Stat(m.path("tpm.sock"))
		return err == nil
	})
}

// kill pulls the plug.
func (m *machine) kill() {
	if m.qemu == nil {
		return
	}
	m.qemu.Process.Kill()
	<-m.exited
	m.qemu = nil
}

// until polls for something that takes time.
func (m *machine) until(what string, most time.Duration, there func() bool) {
	m.t.Helper()
	for deadline := time.Now().Add(most); !there(); time.Sleep(time.Second) {
		if time.Now().After(deadline) {
			m.keepPicture("failure-" + m.name)
			m.t.Fatalf("%s: no %s within %v. The end of its log:\n%s", m.name, what, most, m.serial.tail())
		}
	}
}

// age is how long the machine is on.
func (m *machine) age() time.Duration { return time.Since(m.began).Round(100 * time.Millisecond) }

// picture is what the screen shows; nil before there is one.
func (m *machine) picture() image.Image {
	m.t.Helper()
	if err := m.place(); err != nil {
		m.t.Fatal(err)
	}
	img, err := m.glass.Screenshot()
	if err != nil {
		m.t.Fatal(err)
	}
	return img
}

// place puts the emulator's window where the display begins: nobody else does.
func (m *machine) place() error {
	tree, err := xproto.QueryTree(m.x, xproto.Setup(m.x).DefaultScreen(m.x).Root).Reply()
	if err != nil {
		return err
	}
	for _, window := range tree.Children {
		xproto.ConfigureWindow(m.x, window, xproto.ConfigWindowX|xproto.ConfigWindowY, []uint32{0, 0})
	}
	_, err = xproto.GetInputFocus(m.x).Reply() // it is done when this is answered
	return err
}

// keepPicture keeps what the screen shows under run/image, when it stands still.
func (m *machine) keepPicture(name string) {
	m.t.Helper()
	img := m.picture()
	for range 20 {
		time.Sleep(100 * time.Millisecond)
		last := img
		if img = m.picture(); img != nil && last != nil && bytes.Equal(crop(last, last.Bounds()), crop(img, img.Bounds())) {
			break
		}
	}
	if img == nil {
		return
	}
	f, err := os.Create(filepath.Join(root, "run/image", name+".png"))
	if err != nil {
		m.t.Log(err)
		return
	}
	if err := errors.Join(png.Encode(f, img), f.Close()); err != nil {
		m.t.Log(err)
		return
	}
	m.t.Logf("%s after %v: %s", m.name, m.age(), f.Name())
}

// touch puts a finger on a place of the screen and lifts it.
func (m *machine) touch(p image.Point) {
	m.t.Helper()
	axis := func(name string, at, of int) map[string]any {
		return map[string]any{"type": "abs", "data": map[string]any{"axis": name, "value": at * 0x7fff / of}}
	}
	button := func(down bool) map[string]any {
		return map[string]any{"type": "btn", "data": map[string]any{"button": "left", "down": down}}
	}
	for _, events := range [][]map[string]any{{axis("x", p.X, screenWidth), axis("y", p.Y, screenHeight)}, {button(true)}, {button(false)}} {
		m.order("input-send-event", map[string]any{"events": events})
	}
}

// order has the emulator do something.
func (m *machine) order(command string, args map[string]any) {
	m.t.Helper()
	if err := m.qmp.do(command, args, nil); err != nil {
		m.t.Fatal(err)
	}
}

// serial is what the machine says on its serial line.
type serial struct {
	mu   sync.Mutex
	text []byte
}

func (s *serial) read(from io.Reader) {
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		s.mu.Lock()
		s.text = append(s.text, buf[:n]...)
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *serial) count(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Count(s.text, []byte(what))
}

func (s *serial) has(what string) bool { return s.count(what) > 0 }

func (s *serial) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.text)
}

func (s *serial) tail() string { return lastLines(s.all(), 60) }

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// qmp is the emulator's control line:
// https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html
type qmp struct {
	mu  sync.Mutex
	out io.Writer
	in  *bufio.Scanner
}

func newQMP(t *testing.T, c net.Conn) *qmp {
	t.Helper()
	q := &qmp{out: c, in: bufio.NewScanner(c)}
	if !q.in.Scan() {
		t.Fatal("the emulator has no control line")
	}
	if err := q.do("qmp_capabilities", nil, nil); err != nil {
		t.Fatal(err)
	}
	return q
}

func (q *qmp) do(command string, args map[string]any, into any) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	line := map[string]any{"execute": command}
	if args != nil {
		line["arguments"] = args
	}
	if err := json.NewEncoder(q.out).Encode(line); err != nil {
		return err
	}
	for q.in.Scan() {
		var answer struct {
			Return json.RawMessage
			Error  *struct{ Desc string }
		}
		if err := json.Unmarshal(q.in.Bytes(), &answer); err != nil {
			return err
		}
		switch {
		case answer.Error != nil:
			return fmt.Errorf("%s: %s", command, answer.Error.Desc)
		case answer.Return != nil && into != nil:
			return json.Unmarshal(answer.Return, into)
		case answer.Return != nil:
			return nil
		} // else an event
	}
	return fmt.Errorf("%s: the emulator has ended", command)
}
