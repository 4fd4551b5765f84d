package escape_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jezek/xgb"

	"parvis/e2e/escape"
	"parvis/e2e/xdrive"
)

func TestMain(m *testing.M) {
	xgb.Logger.SetOutput(io.Discard) // it writes what it also returns
	os.Exit(xdrive.Main(m.Run))
}

// Nobody gets out of the application by what a keyboard or a glass can do.
func TestNoWayOut(t *testing.T) {
	s := start(t, 1080, 1920)
	window, application, server := s.alone(), s.pid("parvis.service"), s.pid("parvis-x.service")
	same := func(after string) {
		t.Helper()
		if now := s.alone(); now != window {
			t.Fatalf("after %s the window %+v is %+v", after, window, now)
		}
	}
	s.tap("start")
	// Keys and fingers reach the application, or all that follows shows nothing.
	for range 3 { // larger text, and back again
		drawn := len(s.pages())
		s.must(s.keyboard.press(escape.Chord{{Code: 68}}))
		s.wait("what F2 does", 10*time.Second, func() bool { return len(s.pages()) > drawn })
	}
	for _, c := range append(escape.Chords(), escape.SysRq()...) {
		s.must(s.keyboard.press(c))
		same(c.String())
	}
	for _, fingers := range []int{1, 2, 3, 5} {
		for name, from := range map[string][4]float64{
			"left": {0, 0.5, 0.6, 0.5}, "right": {1, 0.5, 0.4, 0.5}, "top": {0.5, 0, 0.5, 0.6}, "bottom": {0.5, 1, 0.5, 0.4},
			"corner": {0, 0, 1, 1}, "other corner": {1, 0, 0, 1},
		} {
			s.must(s.hand.swipe(fingers, from[0], from[1], from[2], from[3]))
			same(fmt.Sprintf("%d fingers from the %s", fingers, name))
		}
	}
	if a, x := s.pid("parvis.service"), s.pid("parvis-x.service"); a != application || x != server {
		t.Errorf("the application was process %s and is %s, the X server %s and is %s", application, a, server, x)
	}
	// It still does what it is there for. With F1 somebody may have speech on: the
	// first touch reads the choice out, the second acts.
	s.wait("the topics of a callback", 20*time.Second, func() bool {
		if s.page().Page != "home" {
			s.tap("nav.home")
		}
		s.tap("callback")
		return s.page().Page == "callback.topic"
	})
}

// The window takes the whole of any panel, without a window manager, and whatever
// size the profile has.
func TestFillsAnyPanel(t *testing.T) {
	for _, size := range [][2]int{{1920, 1080}, {1440, 2560}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			s := start(t, size[0], size[1])
			s.alone()
			for _, target := range s.page().Targets {
				if b := target.Bounds(); b.Max.X > size[0] || b.Max.Y > size[1] {
					t.Errorf("%s lies at %v", target.ID, b)
				}
			}
			s.tap("start", "demarches")
		})
	}
}

// Nobody but the application may show anything.
func TestScreenIsClosedToOthers(t *testing.T) {
	s := start(t, 1080, 1920)
	for user, want := range map[string]bool{"parvis": true, "parvis-agent": false, "nobody": false} {
		cmd := s.Command(user, "/usr/bin/xdpyinfo")
		cmd.Env = append(cmd.Env, "DISPLAY=:0", "XAUTHORITY=/run/parvis-x/Xauthority")
		out, err := cmd.CombinedOutput()
		if got := err == nil; got != want || !got && !strings.Contains(string(out), "unable to open display") {
			t.Errorf("%s may show something: %t, want %t: %v %.200s", user, got, want, err, out)
		}
	}
	// And by no other way than that socket.
	sockets, err := os.ReadFile(s.Path("/proc/1/net/unix"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(sockets)) {
		if strings.Contains(line, "@/tmp/.X11-unix") {
			t.Errorf("the X server also listens at %s", line)
		}
	}
}

// How long the borne may be away when something has crashed, and when the
// application has frozen, which its watchdog has to notice first.
const (
	back     = 10 * time.Second
	unfrozen = 20 * time.Second
)

// Whatever is killed, the borne is back soon.
func TestComesBack(t *testing.T) {
	s := start(t, 1080, 1920)
	for _, c := range []struct{ unit, signal string }{
		{"parvis.service", "SIGKILL"}, {"parvis.service", "SIGSEGV"}, {"parvis.service", "SIGSTOP"},
		{"parvis-x.service", "SIGKILL"}, {"parvis-x.service", "SIGTERM"},
	} {
		s.tap("start")
		before, pages := s.pid(c.unit), len(s.pages())
		s.Run(t, "systemctl", "kill", "--signal="+c.signal, "--kill-whom=main", c.unit)
		killed := time.Now()
		most := back
		if c.signal == "SIGSTOP" {
			most = unfrozen
		}
		s.wait("the page after "+c.signal+" of "+c.unit, 2*most, func() bool {
			drawn := s.pages()
			if len(drawn) < pages { // its folder in /run went with it
				pages = 0
			}
			return len(drawn) > pages && drawn[len(drawn)-1].Page == "attract" && s.pid(c.unit) != before
		})
		took := time.Since(killed)
		t.Logf("%s of %s: back after %v", c.signal, c.unit, took.Round(10*time.Millisecond))
		if took > most {
			t.Errorf("%s of %s: back after %v, %v at most", c.signal, c.unit, took, most)
		}
		if c.unit == "parvis-x.service" {
			s.connect()
		}
		s.wait("the window", back, func() bool { return len(s.windows()) > 0 })
		s.alone()
	}
}

// A full disk neither ends the application nor loses what it has promised to keep.
func TestFullDisk(t *testing.T) {
	s := start(t, 1080, 1920)
	s.Run(t, "systemctl", "stop", "parvis.service")
	s.Run(t, "mount", "-t", "tmpfs", "-o", "size=24m,mode=2770,uid=0,gid="+gid(t, s), "data", "/var/lib/parvis")
	pages := len(s.pages())
	s.Run(t, "systemctl", "start", "parvis.service")
	s.wait("the first page", 10*time.Second, func() bool {
		drawn := s.pages()
		return len(drawn) > 0 && len(drawn) != pages
	})
	request := func() string {
		s.tap("start", "callback", "topic:logement")
		for _, digit := range "0699999999" {
			s.tap("key:" + string(digit))
		}
		s.tap("continue", "slot:any", "continue", "continue", "consent", "send")
		s.wait("an answer", 10*time.Second, func() bool {
			return strings.HasPrefix(s.page().Page, "callback.") && s.page().Page != "callback.review"
		})
		return s.page().Page
	}
	if got := request(); got != "callback.done" {
		t.Fatalf("with room on the disk: %q", got)
	}
	kept := s.requests()
	s.end()
	application := s.pid("parvis.service")
	if out, err := s.Command("root", "dd", "if=/dev/zero", "of=/var/lib/parvis/plein", "bs=4k").CombinedOutput(); err == nil || !strings.Contains(string(out), "No space left") {
		t.Fatalf("filling the disk: %v %s", err, out)
	}
	got := request()
	switch now := s.requests(); {
	case got == "callback.done" && now != kept+1:
		t.Errorf("a request that was confirmed is not there: %d, then %d", kept, now)
	case got == "callback.failed" && now != kept:
		t.Errorf("a request that was refused is there: %d, then %d", kept, now)
	case got != "callback.done" && got != "callback.failed":
		t.Errorf("with a full disk: %q", got)
	}
	t.Logf("with a full disk a request to be called back leads to %s", got)
	s.end()
	s.tap("start", "demarches")
	if now := s.pid("parvis.service"); now != application {
		t.Errorf("the application was process %s and is %s", application, now)
	}
	s.end()
	s.Run(t, "rm", "/var/lib/parvis/plein")
	if got := request(); got != "callback.done" {
		t.Errorf("with room again: %q", got)
	}
}

// end leaves the visit.
func (s *session) end() {
	s.t.Helper()
	if s.page().Page == "attract" {
		return
	}
	s.tap("nav.home", "nav.leave", "leaving.finish")
}

// requests is how many requests wait in the borne's outbox.
func (s *session) requests() int {
	s.t.Helper()
	out := s.Run(s.t, "/usr/bin/parvis", "callback", "list", "--data", "/var/lib/parvis")
	return strings.Count(out, "\n")
}

func gid(t *testing.T, s *session) string {
	t.Helper()
	out, err := s.Command("parvis", "/usr/bin/id", "-g").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// A network that goes in the midst of a visit is none of the resident's business.
func TestNetworkGone(t *testing.T) {
	s := start(t, 1080, 1920)
	s.Run(t, "ip", "link", "set", "lo", "up")
	s.Run(t, "ip", "link", "add", "eth0", "type", "veth", "peer", "eth1")
	s.Run(t, "ip", "address", "add", "192.0.2.2/24", "dev", "eth0")
	s.Run(t, "ip", "link", "set", "eth0", "up")
	s.tap("start", "demarches")
	application, at := s.pid("parvis.service"), s.page().Page
	s.Run(t, "ip", "link", "delete", "eth0")
	s.Run(t, "ip", "link", "set", "lo", "down")
	s.tap("nav.home", "callback")
	if now := s.pid("parvis.service"); now != application {
		t.Errorf("on %s the application was process %s and is %s", at, application, now)
	}
	s.alone()
}
