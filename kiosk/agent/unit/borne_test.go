package unit_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parvis/kiosk/agent/machine"
	"parvis/kiosk/agent/unit"
	"parvis/kiosk/agent/unit/systemdtest"
	"parvis/kiosk/store"
)

// Inside the machine of a test this program stands for the borne's own: they
// run under the units that are shipped.
func TestMain(m *testing.M) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	var err error
	switch filepath.Base(os.Args[0]) {
	case "parvis":
		err = application(ctx)
	case "parvis-agent":
		err = agent(ctx)
	case "parvis-hub":
		err = hub(ctx)
	default:
		stop()
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// The borne's folder, and files in it by which a test leads the application.
const (
	borneFolder  = "/var/lib/parvis"
	identityFile = "/var/lib/parvis/identity/identity.json"
	frozenFile   = "/var/lib/parvis/frozen" // stops its loops
	brokenFile   = "/var/lib/parvis/broken" // keeps it from starting
	agentSocket  = "/var/lib/parvis/agent"  // where the agent takes orders
	slowness     = 300 * time.Millisecond   // how long the application starts
)

func application(ctx context.Context) error {
	if _, err := os.Stat(brokenFile); err == nil {
		return fmt.Errorf("%s is there", brokenFile)
	}
	st, err := store.Open(borneFolder)
	if err != nil {
		return err
	}
	defer st.Close()
	if err := st.SetSetting(ctx, "application", "au service"); err != nil {
		return err
	}
	time.Sleep(slowness) // what a start takes; only then is it ready
	unit.Ready("au\nservice")
	err = unit.Feed(ctx, func() bool {
		_, err := os.Stat(frozenFile)
		return err != nil
	})
	unit.Stopping("au revoir")
	return err
}

// agent takes one order a connection, does it with what the unit lets it, and
// answers with the result or the error.
func agent(ctx context.Context) error {
	os.Remove(agentSocket)
	l, err := net.Listen("unix", agentSocket)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { l.Close() })
	go unit.Feed(ctx, func() bool { return true })
	unit.Ready("à l’écoute")
	for {
		c, err := l.Accept()
		if err != nil {
			return nil
		}
		line, _ := bufio.NewReader(c).ReadString('\n')
		answer, err := obey(ctx, strings.Fields(line))
		if err != nil {
			answer = "erreur : " + err.Error()
		}
		fmt.Fprint(c, answer)
		c.Close()
	}
}

func obey(ctx context.Context, order []string) (string, error) {
	switch order[0] {
	case "logs":
		text, err := machine.Logs(ctx, order[1:], time.Hour, 1<<20)
		return string(text), err
	case "facts":
		facts, err := machine.Read(borneFolder)
		return fmt.Sprintf("%+v", facts), err
	case "store":
		st, err := store.Open(borneFolder)
		if err != nil {
			return "", err
		}
		defer st.Close()
		if err := st.SetSetting(ctx, "agent", "là"); err != nil {
			return "", err
		}
		return st.Setting(ctx, "application")
	case "identity":
		return "", os.WriteFile(identityFile, []byte("secret"), 0o600)
	}
	conn, err := unit.Connect(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	switch order[0] {
	case "restart":
		return "", conn.Restart(ctx, order[1])
	case "reboot":
		return "", conn.Reboot(ctx)
	}
	return "", fmt.Errorf("unknown order %q", order)
}

// order has the agent do something and returns its answer.
func order(t *testing.T, m *systemdtest.Machine, words ...string) string {
	t.Helper()
	c, err := net.Dial("unix", m.Path(agentSocket))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintln(c, strings.Join(words, " "))
	var answer strings.Builder
	if _, err := bufio.NewReader(c).WriteTo(&answer); err != nil {
		t.Fatal(err)
	}
	return answer.String()
}

// newBorne boots a machine with what packaging installs on a borne.
func newBorne(t *testing.T, more map[string]systemdtest.File) (*systemdtest.Machine, *unit.Conn) {
	t.Helper()
	const packaging = "../../../packaging/systemd/"
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]systemdtest.File{
		"/usr/bin/parvis":                                {From: self, Mode: 0o755},
		"/usr/bin/parvis-agent":                          {From: self, Mode: 0o755},
		"/etc/systemd/system/parvis.service":             {From: packaging + "parvis.service"},
		"/etc/systemd/system/parvis-agent.service":       {From: packaging + "parvis-agent.service"},
		"/usr/lib/sysusers.d/parvis.conf":                {From: packaging + "parvis.sysusers"},
		"/usr/lib/tmpfiles.d/parvis.conf":                {From: packaging + "parvis.tmpfiles"},
		"/usr/share/polkit-1/rules.d/50-parvis.rules":    {From: packaging + "50-parvis.rules"},
		"/usr/lib/systemd/journald.conf.d/parvis.conf":   {From: packaging + "parvis.journald.conf"},
		"/etc/systemd/system/other.service":              {Text: "[Service]\nExecStart=/usr/bin/sleep infinity\n"},
		"/etc/systemd/system/parvis.service.d/test.conf": {Text: "[Service]\nWatchdogSec=2\n"},
	}
	for path, f := range more {
		files[path] = f
	}
	m := systemdtest.Boot(t, files, "parvis.service", "parvis-agent.service", "other.service")
	conn, err := unit.ConnectTo(t.Context(), m.Bus())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	awaitState(t, conn, "parvis.service", unit.Running)
	awaitState(t, conn, "parvis-agent.service", unit.Running)
	return m, conn
}

// awaitState waits until a service is as wanted.
func awaitState(t *testing.T, conn *unit.Conn, name string, want unit.Active) unit.State {
	t.Helper()
	var got unit.State
	var err error
	for range 1000 {
		got, err = conn.State(t.Context(), name)
		if err == nil && got.Active == want {
			return got
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s is %+v (%v) after 10 s, want %s", name, got, err, want)
	return got
}

func touch(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
}
