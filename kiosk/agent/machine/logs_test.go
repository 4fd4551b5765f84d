package machine_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parvis/kiosk/agent/machine"
	"parvis/kiosk/agent/unit/systemdtest"
)

// Inside the machine of a test this program is one that asks for logs.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "asks-for-logs" {
		os.Exit(m.Run())
	}
	text, err := machine.Logs(context.Background(), os.Args[1:], time.Hour, 1<<20)
	if err != nil {
		fmt.Println(err)
	}
	os.Stdout.Write(text)
}

var borneUnits = []string{"parvis.service", "parvis-agent.service"}

// says starts a unit inside the machine that prints text and stays.
func says(text string) systemdtest.File {
	return systemdtest.File{Text: "[Service]\nType=oneshot\nRemainAfterExit=yes\nStandardInput=data\n" +
		"StandardInputText=" + text + "\nExecStart=/bin/cat\n"}
}

// A real journald has written what is read here; only the kernel is played.
func TestLogs(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	m := systemdtest.Boot(t, map[string]systemdtest.File{
		"/usr/bin/asks-for-logs":                   {From: self, Mode: 0o755},
		"/etc/systemd/system/parvis.service":       says("l’écran est prêt\\ndemande 0612345678 06 12 34 56 78 +33 6 12 34 56 78 port 127.0.0.1:5432 pid 1234567"),
		"/etc/systemd/system/parvis-agent.service": says("premier rapport"),
		"/etc/systemd/system/later.service":        says("tard"),
		"/etc/systemd/system/other.service":        says("rien à voir"),
		"/etc/systemd/system/flood.service": {Text: "[Service]\nType=oneshot\nRemainAfterExit=yes\nLogRateLimitIntervalSec=0\n" +
			"ExecStart=/bin/sh -c 'seq -f \"ligne %%g de la crue\" 1 20000'\n"},
	}, "parvis.service", "parvis-agent.service", "other.service")
	kernel, err := os.OpenFile(m.Path("/dev/kmsg"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer kernel.Close()
	// priority, number, microseconds since the start, flags; message
	fmt.Fprint(kernel, "4,900001,5000000,-;usb 1-1: device descriptor read/64, error -110\n")
	fmt.Fprint(kernel, "6,900002,5000001,-;usb 1-2: new full-speed USB device\n")

	m.Run(t, "systemctl", "start", "parvis.service", "parvis-agent.service", "other.service") // and wait for their ends
	// logs asks until last has arrived: what is printed goes through journald.
	logs := func(units []string, from time.Time, max int, last ...string) string {
		t.Helper()
		deadline := time.Now().Add(10 * time.Second)
		for {
			text, err := machine.LogsOf(t.Context(), m.Path("/run/log/journal"), units, time.Since(from), max)
			if err != nil {
				t.Fatal(err)
			}
			if len(text) > max {
				t.Errorf("%d bytes, over %d", len(text), max)
			}
			missing := slices.ContainsFunc(last, func(l string) bool { return !strings.Contains(string(text), l) })
			if !missing || time.Now().After(deadline) {
				return string(text)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	hourAgo := time.Now().Add(-time.Hour)
	all := logs(borneUnits, hourAgo, 1<<20, "error -110", "pid 1234567", "premier rapport", "Finished parvis.service")
	for _, want := range []string{
		"l’écran est prêt\n", "premier rapport\n", "usb 1-1: device descriptor read/64, error -110\n",
		"Finished parvis.service", // what systemd says of it
		"demande ******** ******** ******** port 127.0.0.1:5432 pid 1234567\n",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	for _, not := range []string{"rien à voir", "other.service", "full-speed", "0612345678", "34 56"} {
		if strings.Contains(all, not) {
			t.Errorf("the log has %q", not)
		}
	}
	if t.Failed() {
		t.Log(all)
	}

	began := time.Now()
	m.Run(t, "systemctl", "start", "later.service")
	late := logs([]string{"later.service", "parvis.service"}, began, 1<<20, "tard\n")
	if !strings.Contains(late, "tard\n") || strings.Contains(late, "prêt") {
		t.Errorf("since %v: %s", began, late)
	}
	if got := logs([]string{"nobody-has-this.service"}, time.Now(), 1<<20); got != "" {
		t.Errorf("nothing was said, but: %q", got)
	}

	m.Run(t, "systemctl", "start", "flood.service")
	const max = 4096
	end := logs([]string{"flood.service"}, hourAgo, max, "ligne 20000 de la crue\n")
	if !strings.Contains(end, "ligne 20000 de la crue\n") || strings.Contains(end, "ligne 19000 ") {
		t.Errorf("not the newest lines: %s", end)
	}
	if len(end) < max-200 || !strings.HasPrefix(end, "20") {
		t.Errorf("%d bytes, the first line is cut: %.60q", len(end), end)
	}

	out, _ := m.Command("nobody", "/usr/bin/asks-for-logs", "parvis.service").CombinedOutput()
	if got := strings.TrimSpace(string(out)); got != machine.ErrJournalDenied.Error() {
		t.Errorf("a user who may not read the journal: %q", got)
	}
	out, _ = m.Command("root", "/usr/bin/asks-for-logs", "parvis.service").CombinedOutput()
	if !strings.Contains(string(out), "l’écran est prêt") {
		t.Errorf("Logs inside the machine: %q", out)
	}
}

func TestNoJournal(t *testing.T) {
	t.Parallel()
	if text, err := machine.LogsOf(t.Context(), t.TempDir(), borneUnits, time.Hour, 1000); !errors.Is(err, machine.ErrNoJournal) {
		t.Errorf("%q, %v", text, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := machine.LogsOf(ctx, t.TempDir(), borneUnits, time.Hour, 1000); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestNoJournalctl(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := machine.Logs(t.Context(), borneUnits, time.Hour, 1000); !errors.Is(err, machine.ErrNoJournal) {
		t.Error(err)
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	long := write("long", strings.Repeat("une ligne de trop\n", 10_000)+"la dernière 0612345678\n")
	short := write("short", "sans fin de ligne")
	endless := write("endless", strings.Repeat("é", 200_000))
	binary := write("binary", "\xff\xfe\n")
	tests := []struct {
		name  string
		files []string
		max   int
		want  string
	}{
		{"nothing", nil, 100, ""},
		{"newest, masked", []string{long}, 30, "la dernière ********\n"},
		{"a line that nearly fits", []string{long}, 39, "la dernière ********\n"},
		{"a line that just fits", []string{long}, 40, "une ligne de trop\nla dernière ********\n"},
		{"two files share", []string{short, long}, 60, "sans fin de ligne\nla dernière ********\n"},
		{"a line without end", []string{endless}, 1000, ""},
		{"no text", []string{binary}, 100, "?\n"},
		{"no room", []string{short}, 3, ""},
	}
	for _, tt := range tests {
		got, err := machine.Tail(tt.files, tt.max)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
	if _, err := machine.Tail([]string{filepath.Join(dir, "gone")}, 100); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "--logs") {
		t.Errorf("no such file: %v", err)
	}
}
