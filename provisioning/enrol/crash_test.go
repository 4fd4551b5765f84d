package enrol_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"parvis/kiosk/link"
	"parvis/provisioning/enrol"
)

// childDir, when set, makes this test binary one program of a borne whose
// folder that is: one that enrols at childHub with childCode, or without a code
// one that renews.
const (
	childDir  = "PARVIS_TEST_BORNE_DIR"
	childHub  = "PARVIS_TEST_BORNE_HUB"
	childCode = "PARVIS_TEST_BORNE_CODE"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := runBorne(dir, os.Getenv(childHub), os.Getenv(childCode)); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func runBorne(dir, hub, text string) error {
	runtime.LockOSThread() // strace counts by thread
	if text != "" {
		code, err := enrol.ParseCode(text)
		if err != nil {
			return err
		}
		_, err = enrol.Enrol(context.Background(), hub, code, dir, enrol.Options{})
		return err
	}
	id, err := enrol.Load(dir)
	if err != nil {
		return err
	}
	c, err := link.NewClient(link.ClientOptions{Hub: hub, TLS: id.TLS()})
	if err != nil {
		return err
	}
	defer c.Close()
	return id.Renew(context.Background(), c.Renew)
}

// changing are the system calls by which the program changes its folder.
var changing = []string{"mkdirat", "openat", "flock", "write", "fsync", "renameat", "unlinkat"}

// step is the n-th call of one kind, from 1, that touches the borne's folder.
type step struct {
	call string
	n    int
}

// run runs the program under strace and returns the calls that touched its
// folder. With a step, the program is killed just before it takes it.
func run(t *testing.T, dir, hub, code string, kill step) (calls []string, killed bool) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal("strace is missing: install the Debian package strace")
	}
	log := filepath.Join(t.TempDir(), "log")
	args := []string{"-f", "-y", "-qq", "-o", log, "-e", "signal=none", "-e", "trace=" + strings.Join(changing, ",")}
	if kill.n > 0 {
		args = append(args, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", kill.call, kill.n))
	}
	for _, name := range []string{"", "identity", "identity/identity.json", "identity/previous.json", "identity/next.key"} {
		args = append(args, "-P", filepath.Join(dir, name), "-P", filepath.Join(dir, name)+".new")
	}
	cmd := exec.CommandContext(t.Context(), strace, append(args, os.Args[0])...)
	cmd.Env = append(os.Environ(), childDir+"="+dir, childHub+"="+hub, childCode+"="+code)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	killed = errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
	if err != nil && !killed {
		t.Fatalf("%s %d: %v\n%s", kill.call, kill.n, err, out)
	}
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if _, call, ok := strings.Cut(line, " "); ok && strings.Contains(call, "(") {
			calls = append(calls, strings.TrimSpace(call))
		}
	}
	return calls, killed
}

// steps lists all places where a program that made these calls can be cut.
func steps(t *testing.T, calls []string, least int) []step {
	t.Helper()
	var all []step
	counts := map[string]int{}
	for _, c := range calls {
		name, _, _ := strings.Cut(c, "(")
		counts[name]++
		all = append(all, step{name, counts[name]})
	}
	if len(all) < least {
		t.Fatalf("strace saw %d calls only:\n%s", len(all), strings.Join(calls, "\n"))
	}
	return all
}

// The program that enrols is killed before each call that touches the disk.
// Either there is an identity that works, or there is none; and the same
// command given again makes one.
func TestKilledEnrolling(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	calls, _ := run(t, t.TempDir(), h.URL, h.code("MN-00").Text(), step{})
	checkOrder(t, calls)
	for n, s := range steps(t, calls, 15) {
		t.Run(fmt.Sprintf("%02d %s %d", n, s.call, s.n), func(t *testing.T) {
			t.Parallel()
			dir, code := t.TempDir(), h.code(fmt.Sprintf("MN-%02d", n+1))
			if _, killed := run(t, dir, h.URL, code.Text(), s); !killed {
				t.Fatal("not killed")
			}
			id, err := enrol.Load(dir)
			if err == nil {
				err = report(t, id)
			}
			if err != nil && !errors.Is(err, enrol.ErrNotEnrolled) {
				t.Errorf("after the kill: %v", err)
			}
			if id, err = enrol.Enrol(t.Context(), h.URL, code, dir, enrol.Options{}); err != nil {
				t.Fatalf("the same command again: %v", err)
			}
			if err := report(t, mustLoad(t, dir)); err != nil || mustLoad(t, dir).Serial() != id.Serial() {
				t.Errorf("after all: %v", err)
			}
		})
	}
}

// The program that renews is killed before each call that touches the disk. The
// identity that is there works, and can be renewed.
func TestKilledRenewing(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	first := t.TempDir()
	renewedOnce := func(t *testing.T, borne, dir string) {
		t.Helper()
		id := mustEnrol(t, h, borne, dir)
		for _, err := range []error{renew(t, id), report(t, id)} { // so that there is one before
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	renewedOnce(t, "MN-00", first)
	calls, _ := run(t, first, h.URL, "", step{})
	checkOrder(t, calls)
	for n, s := range steps(t, calls, 20) {
		t.Run(fmt.Sprintf("%02d %s %d", n, s.call, s.n), func(t *testing.T) {
			t.Parallel()
			dir, borne := t.TempDir(), fmt.Sprintf("MN-%02d", n+1)
			renewedOnce(t, borne, dir)
			if _, killed := run(t, dir, h.URL, "", s); !killed {
				t.Fatal("not killed")
			}
			id := mustLoad(t, dir)
			for _, err := range []error{report(t, id), renew(t, id), report(t, id), report(t, mustLoad(t, dir))} {
				if err != nil {
					t.Error(err)
				}
			}
			if n := h.registry.clones(borne); n != 0 {
				t.Errorf("%d alerts of two machines", n)
			}
		})
	}
}

// checkOrder is for what a kill doesn't show and a power cut does: each file is
// on the disk before it takes its name, and the name is before all that follows.
func checkOrder(t *testing.T, calls []string) {
	t.Helper()
	renames := 0
	for i, c := range calls {
		if !strings.HasPrefix(c, "renameat(") {
			continue
		}
		renames++
		from := strings.Split(c, `"`)[1]
		if i == 0 || !strings.HasPrefix(calls[i-1], "fsync(") || !strings.Contains(calls[i-1], "<"+from+">") {
			t.Errorf("%s takes its name before it is on the disk:\n%s", from, strings.Join(calls[max(0, i-2):i+1], "\n"))
		}
		// The folder is opened, and brought to the disk.
		if i+2 >= len(calls) || !strings.HasPrefix(calls[i+2], "fsync(") || !strings.Contains(calls[i+2], "<"+filepath.Dir(from)+">") {
			t.Errorf("the name of %s is not brought to the disk:\n%s", from, strings.Join(calls[i:min(len(calls), i+3)], "\n"))
		}
	}
	if renames < 2 {
		t.Errorf("%d files written", renames)
	}
}

// Killed at random moments, with the network in it, many times over.
func TestKilledAtRandom(t *testing.T) {
	t.Parallel()
	h, dir := newHub(t), t.TempDir()
	mustEnrol(t, h, "MN-01", dir)
	kills, renewed := 0, 0
	for n := range 40 {
		before := mustLoad(t, dir).Serial()
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir, childHub+"="+h.URL, childCode+"=")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(n)*500*time.Microsecond, func() { cmd.Process.Kill() })
		if err := cmd.Wait(); err != nil {
			kills++
		}
		kill.Stop()
		id := mustLoad(t, dir)
		if id.Serial() != before {
			renewed++
		}
		if err := report(t, id); err != nil {
			t.Fatalf("kill %d: %v", n, err)
		}
	}
	t.Logf("%d kills, %d renewals", kills, renewed)
	if n := h.registry.clones("MN-01"); n != 0 {
		t.Errorf("%d alerts of two machines", n)
	}
}
