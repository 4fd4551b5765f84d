package escape_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"

	"parvis/e2e/xdrive"
	"parvis/kiosk/agent/unit/systemdtest"
)

// session is a borne as it is installed: systemd, the shipped units and settings,
// a real X server in front of a panel that is none, and the real application.
type session struct {
	*systemdtest.Machine
	t        *testing.T
	conn     *xgb.Conn
	root     xproto.Window
	keyboard *device
	hand     *device
}

// hardware is what the X server has in place of a borne's: a panel of memory, a
// keyboard and a touch panel behind sockets. Its seat is not the first one, so that
// the server leaves the consoles of the machine that runs the tests alone.
const hardware = `
Section "Device"
	Identifier "essai"
	Driver "dummy"
	VideoRam 65536
EndSection
Section "Monitor"
	Identifier "ecran"
	HorizSync 5-1000
	VertRefresh 5-200
	Modeline "essai" 200 %[1]d %[3]d %[4]d %[5]d %[2]d %[6]d %[7]d %[8]d
EndSection
Section "Screen"
	Identifier "ecran"
	Monitor "ecran"
	Device "essai"
	DefaultDepth 24
	SubSection "Display"
		Modes "essai"
	EndSubSection
EndSection
Section "InputDevice"
	Identifier "clavier"
	Driver "inputtest"
	Option "DeviceType" "Keyboard"
	Option "SocketPath" "/run/parvis-x/clavier"
%[9]s
EndSection
Section "InputDevice"
	Identifier "doigt"
	Driver "inputtest"
	Option "DeviceType" "Touch"
	Option "TouchCount" "5"
	Option "SocketPath" "/run/parvis-x/doigt"
EndSection
Section "ServerLayout"
	Identifier "essai"
	Screen "ecran"
	InputDevice "clavier" "CoreKeyboard"
	InputDevice "doigt" "CorePointer"
EndSection
`

// shipped is a file of the kiosk.
func shipped(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), "packaging/kiosk/root", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := xdrive.Root()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

var keyOptions = regexp.MustCompile(`(?m)^\s*Option "(?:Xkb\w+|AutoRepeat)" .*$`)

// settings are those of the hardware. The keyboard has the keys that the shipped
// settings give to one that is plugged in.
func settings(t *testing.T, width, height int) string {
	t.Helper()
	keys := keyOptions.FindAllString(shipped(t, "usr/share/parvis/xorg.conf"), -1)
	if len(keys) < 4 {
		t.Fatalf("the shipped settings of keys: %q", keys)
	}
	return fmt.Sprintf(hardware, width, height, width+64, width+128, width+256, height+3, height+8, height+40, strings.Join(keys, "\n"))
}

// The demonstration's key: its secret is public.
const profile = `[site]
id = "essai"
nom = "Mairie d’essai"
langues = ["fr", "en"]
[ecran]
largeur_px = 1080
hauteur_px = 1920
largeur_mm = 398
[rappel]
destinataires = ["age1x68cvhkhu660nkaw89mwz9zkp5zvgtr904zclrk94k6q282psvqs2jnvfu"]
`

// morning is a Tuesday's.
const morning = "2026-11-24T10:42:00+01:00"

// start boots a borne with a panel of a size in pixels, and waits for its first
// page.
func start(t *testing.T, width, height int) *session {
	t.Helper()
	return startAt(t, width, height, profile, morning)
}

// startAt is start with another profile, and another clock (as PARVIS_NOW has it).
func startAt(t *testing.T, width, height int, profile, clock string) *session {
	t.Helper()
	for path, pkg := range map[string]string{
		"/usr/lib/xorg/Xorg": "xserver-xorg-core", "/usr/lib/xorg/modules/drivers/dummy_drv.so": "xserver-xorg-video-dummy",
		"/usr/lib/xorg/modules/input/inputtest_drv.so": "xserver-xorg-core",
	} {
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("%v (Debian package %s)", err, pkg)
		}
	}
	files := installed(t)
	for path, text := range map[string]string{
		"/etc/parvis/profil.toml":                        profile,
		"/etc/parvis/ecran.conf":                         "ROTATION=essai\n",
		"/usr/share/parvis/xorg.conf.d/essai/ecran.conf": settings(t, width, height),
		// The shipped command, but for the console.
		"/etc/systemd/system/parvis-x.service.d/test.conf": "[Service]\nTTYPath=\nStandardInput=null\nExecStart=\nExecStart=" + xCommand(t) + "\n",
		"/etc/systemd/system/parvis.service.d/test.conf": "[Service]\nEnvironment=LIBGL_ALWAYS_SOFTWARE=1 PARVIS_VOICE=log:/dev/null PARVIS_TRACE=" + traceFile + "\n" +
			"Environment=\"PARVIS_NOW=" + clock + "\"\n",
		// As Debian does it at each start, but for this folder alone.
		"/etc/systemd/system/systemd-tmpfiles-setup.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/systemd-tmpfiles --create parvis-x.conf\n",
	} {
		files[path] = systemdtest.File{Text: text}
	}
	s := &session{t: t, Machine: systemdtest.Boot(t, files, "systemd-tmpfiles-setup.service", "parvis.service")}
	s.connect()
	s.wait("the first page", 20*time.Second, func() bool { return len(s.pages()) > 0 && len(s.windows()) > 0 })
	return s
}

// traceFile is where the application tells what it draws. /run is no disk: it
// goes on when the borne's folder is full.
const traceFile = "/run/parvis/trace.jsonl"

// xCommand is how the shipped unit starts the X server, on another seat than the
// machine's.
func xCommand(t *testing.T) string {
	t.Helper()
	unit := strings.ReplaceAll(shipped(t, "usr/lib/systemd/system/parvis-x.service"), "\\\n", "")
	_, after, _ := strings.Cut(unit, "\nExecStart=")
	line, _, _ := strings.Cut(after, "\n")
	if !strings.Contains(line, " vt1 ") {
		t.Fatalf("the X server's command: %q", line)
	}
	return strings.Replace(line, " vt1 ", " vt1 -seat essai ", 1)
}

// installed is what the package installs, with the units where the test's systemd
// looks for them.
func installed(t *testing.T) map[string]systemdtest.File {
	t.Helper()
	dir := root(t)
	files := map[string]systemdtest.File{
		"/usr/bin/parvis":                    {From: filepath.Join(dir, "bin/parvis"), Mode: 0o755},
		"/etc/systemd/system/parvis.service": {From: filepath.Join(dir, "packaging/systemd/parvis.service")},
		"/usr/lib/sysusers.d/parvis.conf":    {From: filepath.Join(dir, "packaging/systemd/parvis.sysusers")},
		"/usr/lib/tmpfiles.d/parvis.conf":    {From: filepath.Join(dir, "packaging/systemd/parvis.tmpfiles")},
	}
	kiosk := filepath.Join(dir, "packaging/kiosk/root")
	err := filepath.WalkDir(kiosk, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		to := strings.Replace(strings.TrimPrefix(path, kiosk), "/usr/lib/systemd/system/", "/etc/systemd/system/", 1)
		files[to] = systemdtest.File{From: path, Mode: info.Mode().Perm()}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// connect reaches the X server from outside, to look and to touch.
func (s *session) connect() {
	s.t.Helper()
	s.t.Setenv("XAUTHORITY", s.Path("/run/parvis-x/Xauthority"))
	var err error
	s.wait("the X server", 20*time.Second, func() bool {
		s.conn, err = xgb.NewConnDisplay(s.display())
		return err == nil
	})
	s.t.Cleanup(s.conn.Close)
	s.root = xproto.Setup(s.conn).DefaultScreen(s.conn).Root
	for socket, d := range map[string]**device{"clavier": &s.keyboard, "doigt": &s.hand} {
		if *d, err = openDevice(s.Path("/run/parvis-x/" + socket)); err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() { (*d).conn.Close() })
	}
}

// display is the X server's name as seen from outside.
func (s *session) display() string {
	s.t.Helper()
	link := filepath.Join(s.t.TempDir(), "x:0")
	if err := os.Symlink(s.Path("/tmp/.X11-unix/X0"), link); err != nil {
		s.t.Fatal(err)
	}
	return link
}

// window is the one window that is seen, and how it lies.
type window struct {
	ID            xproto.Window
	X, Y          int16
	Width, Height uint16
}

// windows are all that are on the glass.
func (s *session) windows() []window {
	s.t.Helper()
	tree, err := xproto.QueryTree(s.conn, s.root).Reply()
	if err != nil {
		s.t.Fatalf("the X server: %v", err)
	}
	var seen []window
	for _, id := range tree.Children {
		a, err := xproto.GetWindowAttributes(s.conn, id).Reply()
		if err != nil || a.MapState != xproto.MapStateViewable || a.Class != xproto.WindowClassInputOutput {
			continue
		}
		g, err := xproto.GetGeometry(s.conn, xproto.Drawable(id)).Reply()
		if err != nil {
			continue
		}
		seen = append(seen, window{id, g.X, g.Y, g.Width, g.Height})
	}
	return seen
}

// alone ends the test unless there is one window and it fills the glass.
func (s *session) alone() window {
	s.t.Helper()
	screen := xproto.Setup(s.conn).DefaultScreen(s.conn)
	seen := s.windows()
	if len(seen) != 1 || seen[0].X != 0 || seen[0].Y != 0 || seen[0].Width != screen.WidthInPixels || seen[0].Height != screen.HeightInPixels {
		s.t.Fatalf("on a glass of %d×%d: %+v", screen.WidthInPixels, screen.HeightInPixels, seen)
	}
	return seen[0]
}

// pid is the number of a unit's process inside the machine; "0" while it has none.
func (s *session) pid(unit string) string {
	s.t.Helper()
	return strings.TrimSpace(s.Run(s.t, "systemctl", "show", "--property=MainPID", "--value", unit))
}

// pages are all that the application has drawn.
func (s *session) pages() []xdrive.Page {
	text, err := os.ReadFile(s.Path(traceFile))
	if err != nil {
		return nil
	}
	var pages []xdrive.Page
	for line := range strings.Lines(string(text)) {
		var p xdrive.Page
		if json.Unmarshal([]byte(line), &p) == nil {
			pages = append(pages, p)
		}
	}
	return pages
}

// page is the one in sight.
func (s *session) page() xdrive.Page {
	s.t.Helper()
	pages := s.pages()
	if len(pages) == 0 {
		s.t.Fatal("nothing has been drawn")
	}
	return pages[len(pages)-1]
}

// tap touches a choice with a finger, and waits until something else is drawn.
func (s *session) tap(ids ...string) {
	s.t.Helper()
	for _, id := range ids {
		var at xdrive.Target
		s.wait("the choice "+id, 10*time.Second, func() bool {
			targets := s.page().Targets
			i := slices.IndexFunc(targets, func(t xdrive.Target) bool { return t.ID == id && !t.Disabled })
			if i >= 0 {
				at = targets[i]
			}
			return i >= 0
		})
		before := len(s.pages())
		x, y := at.Middle()
		s.touch(x, y)
		s.wait("a page after "+id, 10*time.Second, func() bool { return len(s.pages()) > before })
	}
}

// touch puts a finger on a pixel and lifts it.
func (s *session) touch(x, y int) {
	s.t.Helper()
	screen := xproto.Setup(s.conn).DefaultScreen(s.conn)
	fx, fy := float64(x)/float64(screen.WidthInPixels), float64(y)/float64(screen.HeightInPixels)
	s.must(s.hand.finger(0, touchBegin, fx, fy))
	s.must(s.hand.sync())
	s.must(s.hand.finger(0, touchEnd, fx, fy))
	s.must(s.hand.sync())
}

func (s *session) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *session) wait(what string, patience time.Duration, ok func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			s.t.Fatalf("%s: not after %v", what, patience)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
