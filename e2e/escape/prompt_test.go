package escape_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"parvis/kiosk/agent/unit/systemdtest"
)

// shells are the units by which Debian lets somebody log in at the machine.
var shells = []string{"getty@tty2.service", "serial-getty@ttyS0.service", "console-getty.service", "container-getty@1.service", "debug-shell.service", "emergency.service", "rescue.service"}

var consoles = regexp.MustCompile(`(?m)^(BindsTo=dev-|ConditionPathExists=/dev/).*\n`)

// A borne asks nobody for a password; a machine that IT keeps open does, and is no
// borne then.
func TestNoShell(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]bool{"a borne": false, "an open machine": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := installed(t)
			for _, unit := range shells {
				template := unit
				if before, _, ok := strings.Cut(unit, "@"); ok {
					template = before + "@.service"
				}
				text, err := os.ReadFile("/usr/lib/systemd/system/" + template)
				if err != nil {
					t.Fatalf("%v (Debian package systemd)", err)
				}
				// The machine of the test has no consoles to wait for.
				files["/etc/systemd/system/"+template] = systemdtest.File{Text: consoles.ReplaceAllString(string(text), "")}
			}
			// Nothing has to run to see who would: not a shell, nor the borne.
			for _, unit := range append([]string{"parvis.service", "parvis-x.service", "parvis-verrou.service"}, shells...) {
				files["/etc/systemd/system/"+unit+".d/zz-test.conf"] = systemdtest.File{Text: "[Service]\nType=oneshot\nUser=root\nTTYPath=\nStandardInput=null\nBindPaths=\nExecStartPre=\nExecStart=\nExecStart=/bin/true\nExecStop=\nExecStopPost=\nRestart=no\nRemainAfterExit=yes\n"}
			}
			if open {
				files["/etc/parvis/ouvert"] = systemdtest.File{Text: "\n"}
			}
			m := systemdtest.Boot(t, files)
			for _, unit := range append([]string{"parvis.service", "parvis-x.service", "parvis-verrou.service"}, shells...) {
				m.Command("root", "systemctl", "start", unit).Run()
				want := "no"
				if strings.HasPrefix(unit, "parvis") != open {
					want = "yes"
				}
				if got := strings.TrimSpace(m.Run(t, "systemctl", "show", "--property=ConditionResult", "--value", unit)); got != want {
					t.Errorf("%s may start: %s, want %s\n%s", unit, got, want, m.Run(t, "systemctl", "status", "--no-pager", "--lines=5", "--full", "-a", unit))
				}
			}
		})
	}
}

// Where the borne cannot start it tries again, and shows no shell.
func TestEmergencyTriesAgain(t *testing.T) {
	t.Parallel()
	files := installed(t)
	for _, unit := range []string{"emergency.service", "emergency.target"} {
		files["/etc/systemd/system/"+unit] = systemdtest.File{From: "/usr/lib/systemd/system/" + unit}
	}
	files["/etc/systemd/system/parvis-secours.service.d/test.conf"] = systemdtest.File{Text: "[Service]\nExecStart=\nExecStart=/usr/bin/sleep 1\n"}
	m := systemdtest.Boot(t, files)
	m.Command("root", "systemctl", "--no-block", "isolate", "emergency.target").Run()
	if !m.Rebooted() {
		t.Error("the machine ended otherwise than by a restart")
	}
}

// The kernel hands the keys Ctrl, Alt and Del to systemd as SIGINT. On Debian it
// restarts the machine, and at the eighth press within two seconds by force.
func TestCtrlAltDel(t *testing.T) {
	t.Parallel()
	const target = "/etc/systemd/system/ctrl-alt-del.target"
	// Signals at once would be one. The shell is the machine's own child: what came
	// in from outside would hold up its end.
	const press = "(for i in 1 2 3 4 5 6 7 8 9; do kill -INT 1; sleep 0.01; done) >/dev/null 2>&1 &"
	for name, borne := range map[string]bool{"a borne": true, "Debian": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := installed(t)
			if _, ours := files[target]; !ours {
				t.Fatalf("the borne has no %s", target)
			}
			if !borne {
				delete(files, target)
				delete(files, "/usr/lib/systemd/system.conf.d/parvis.conf")
			}
			m := systemdtest.Boot(t, files)
			m.Run(t, "sh", "-c", press)
			if !borne {
				if !m.Rebooted() {
					t.Error("without our files, the keys don't restart the machine")
				}
				return
			}
			for late := time.Now().Add(time.Minute); m.Command("root", "systemctl", "is-active", "ctrl-alt-del.target").Run() != nil; {
				if time.Now().After(late) {
					t.Fatal("systemd has not seen the keys")
				}
				time.Sleep(10 * time.Millisecond)
			}
			if jobs := m.Run(t, "systemctl", "list-units", "--no-legend", "--plain", "reboot.target", "systemd-reboot.service", "shutdown.target"); jobs != "" {
				t.Errorf("the keys have begun %s", jobs)
			}
		})
	}
}
