package kiosk_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sockets is a pretend /sys, and the marks of the lock.
type sockets struct {
	t                   *testing.T
	sys, marks, allowed string
}

func newSockets(t *testing.T) *sockets {
	t.Helper()
	dir := t.TempDir()
	s := &sockets{t, filepath.Join(dir, "sys"), filepath.Join(dir, "verrou"), filepath.Join(dir, "usb-open")}
	s.write("bus/usb/drivers_probe", "")
	return s
}

// plug plugs a device of one interface in, with a disk below it where number,
// the disk's, is set.
func (s *sockets) plug(name, vendor, product, class, number string) (face string) {
	s.t.Helper()
	device := "bus/usb/devices/" + name
	face = device + ":1.0"
	s.write(device+"/idVendor", vendor)
	s.write(device+"/idProduct", product)
	s.write(face+"/bInterfaceClass", class)
	s.write(face+"/authorized", "1")
	if number != "" {
		s.write(face+"/host0/block/sdz/dev", number)
		s.write(face+"/host0/block/sdz/uevent", "")
	}
	return face
}

func (s *sockets) write(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.sys, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text+"\n"), 0o644)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sockets) read(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.sys, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// verrou is the shipped script, at work on the pretend sockets.
func (s *sockets) verrou(args ...string) *exec.Cmd {
	cmd := exec.Command("root/usr/lib/parvis/verrou", args...)
	cmd.Env = append(os.Environ(), "PARVIS_SYS="+s.sys, "PARVIS_VERROU="+s.marks, "PARVIS_USB_OPEN="+s.allowed)
	return cmd
}

func (s *sockets) run(args ...string) string {
	s.t.Helper()
	out, err := s.verrou(args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("verrou %q: %v\n%s", args, err, out)
	}
	return string(out)
}

func TestLock(t *testing.T) {
	t.Parallel()
	s := newSockets(t)
	keypad, stick := s.plug("1-1", "2047", "09d0", "03", ""), s.plug("1-2", "0951", "1666", "08", "8:240")
	system := s.plug("1-3", "174c", "55aa", "08", mounted(t))
	if said := s.run("fermer"); !strings.Contains(said, "refusé : stockage 1-2:1.0") {
		t.Errorf("the journal is told %q", said)
	}
	for face, want := range map[string]string{keypad: "1", stick: "0", system: "1"} {
		if got := s.read(face + "/authorized"); got != want {
			t.Errorf("%s: authorized %s, want %s", face, got, want)
		}
	}
	for _, mark := range []string{"ferme", "connus/2047:09d0", "connus/0951:1666"} {
		if _, err := os.Stat(filepath.Join(s.marks, mark)); err != nil {
			t.Error(err)
		}
	}
	s.run("ouvrir")
	if _, err := os.Stat(filepath.Join(s.marks, "ferme")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the mark after unlocking: %v", err)
	}
}

// mounted is the number of a file system that is in use, as the one that the
// system runs from.
func mounted(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(text))[2]
}

// A stick is let in for as long as staff say, and no longer.
func TestStorageWhileStaffAllowIt(t *testing.T) {
	t.Parallel()
	s := newSockets(t)
	s.run("fermer")
	early := s.plug("1-2", "0951", "1666", "08", "8:240")
	if err := os.WriteFile(filepath.Join(s.sys, early, "authorized"), []byte("0\n"), 0o644); err != nil { // as the rule does
		t.Fatal(err)
	}
	there := s.plug("1-4", "0951", "1667", "08", "8:241")
	if err := os.WriteFile(s.allowed, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := s.verrou("stockage")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	s.wait("the stick", func() bool { return s.read(early+"/authorized") == "1" && s.read("bus/usb/drivers_probe") == "1-2:1.0" })
	s.wait("another look at the one that was there", func() bool { return s.read(there+"/host0/block/sdz/uevent") == "add" })
	if err := os.Remove(s.allowed); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, face := range []string{early, there} {
		if got := s.read(face + "/authorized"); got != "0" {
			t.Errorf("%s afterwards: authorized %s", face, got)
		}
	}
}

func (s *sockets) wait(what string, ok func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("%s: not after 10 s", what)
		}
	}
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	s := newSockets(t)
	face := s.plug("1-2", "1234", "5678", "03", "")
	s.write(face+"/input/input5/event5/dev", "13:69")
	if said := s.run("refuser", filepath.Join(s.sys, face, "input/input5/event5")); !strings.Contains(said, "refusé : 1-2:1.0") {
		t.Errorf("the journal is told %q", said)
	}
	if got := s.read(face + "/authorized"); got != "0" {
		t.Errorf("authorized %s", got)
	}
	if out, err := s.verrou("refuser", s.sys).CombinedOutput(); err == nil {
		t.Errorf("what is below no interface: %s", out)
	}
}

// The cookie is one that X programs read, new each time, and only its group's.
func TestCookie(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "Xauthority")
	var before string
	for range 2 {
		if out, err := exec.Command("root/usr/lib/parvis/x-cookie", file).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("mode %v %v", info.Mode(), err)
		}
		cmd := exec.Command("xauth", "-f", file, "list")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("xauth (Debian package xauth): %v", err)
		}
		fields := strings.Fields(string(out))
		if len(fields) != 3 || fields[1] != "MIT-MAGIC-COOKIE-1" || len(fields[2]) != 32 || fields[2] == before {
			t.Errorf("xauth reads %q, after %s", out, before)
		}
		before = fields[2]
	}
}
