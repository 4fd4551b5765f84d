package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"

	"parvis/kiosk/agent/shelf"
	"parvis/kiosk/link"
)

// The folder of a borne, and what its new profile says, for the child that is
// killed.
const (
	killedDir  = "PARVIS_TEST_KILLED_DIR"
	killedSays = "PARVIS_TEST_KILLED_SAYS"
)

// goOver has a borne that goes by the profile "old" go over to "new", and play
// on until that has ended. life tells the starts of the machine apart.
func goOver(t *testing.T, dir, says string, life int) (s *stage, err error) {
	t.Helper()
	s = newStage(t, dir)
	t.Cleanup(func() { s.st.Close() })
	s.app.starts = 100 * life // all lives begin at the same moment of the tests' time
	ctx, cancel := context.WithCancel(t.Context())
	var playing sync.WaitGroup
	defer playing.Wait()
	defer cancel()
	s.app.start()
	s.app.tick()
	playing.Go(func() { s.app.live(ctx) })
	if err := s.a.resume(ctx); err != nil && !errors.Is(err, ErrUnfit) {
		return s, err
	}
	_, err = s.a.adopt(ctx, ctx, s.change("new", says))
	return s, err
}

// TestKilledChild is the agent that TestKilled kills.
func TestKilledChild(t *testing.T) {
	dir := os.Getenv(killedDir)
	if dir == "" {
		t.Skip("a part of TestKilled")
	}
	synctest.Test(t, func(t *testing.T) {
		runtime.LockOSThread() // strace counts by thread
		if _, err := goOver(t, dir, os.Getenv(killedSays), 0); err != nil && !errors.Is(err, ErrUnfit) {
			t.Error(err)
		}
	})
}

// changing are the system calls by which the agent changes the borne's folder.
var changing = []string{"write", "pwrite64", "renameat", "symlinkat", "unlinkat", "fchmod", "fchmodat", "syncfs", "fdatasync"}

// strace runs the child, kills it before its n-th call of a kind, and gives how
// many of each there were of one thread.
func strace(t *testing.T, dir, says, call string, n int) (calls map[string]int, killed bool) {
	t.Helper()
	program, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal("strace is missing: install the Debian package strace")
	}
	log := filepath.Join(t.TempDir(), "log")
	args := []string{"-f", "-qq", "-o", log, "-e", "signal=none", "-e", "trace=" + strings.Join(changing, ",")}
	if n > 0 {
		args = append(args, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n))
	}
	for _, name := range []string{"profile", "profile/new.toml", "profile/.switch", "profile/current", "profile/.previous", "borne.sqlite-wal"} {
		args = append(args, "-P", filepath.Join(dir, name))
	}
	cmd := exec.CommandContext(t.Context(), program, append(args, os.Args[0], "-test.run=^TestKilledChild$", "-test.count=1")...)
	cmd.Env = append(os.Environ(), killedDir+"="+dir, killedSays+"="+says)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	killed = errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
	if err != nil && !killed {
		t.Fatalf("%s %d: %v\n%s", call, n, err, out)
	}
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	threads := map[string]int{}
	calls = map[string]int{}
	for line := range strings.Lines(string(data)) {
		thread, rest, _ := strings.Cut(line, " ")
		name, _, ok := strings.Cut(strings.TrimSpace(rest), "(")
		if ok {
			threads[thread+name]++
			calls[name] = max(calls[name], threads[thread+name])
		}
	}
	return calls, killed
}

// The agent is killed before each call that changes the borne's folder, as by a
// power cut. At every moment the link leads to a profile that is whole; and the
// next life of the agent ends what was begun, for better or worse.
func TestKilled(t *testing.T) {
	t.Parallel()
	for says, want := range map[string]string{"good": "new", "unreadable": "old"} {
		calls, _ := strace(t, t.TempDir(), says, "", 0)
		total := 0
		for call, times := range calls {
			total += times
			for n := 0; n < times; n += 1 + times/40 { // of the many writes of the database not each
				t.Run(fmt.Sprintf("%s %s %d", says, call, n+1), func(t *testing.T) {
					t.Parallel()
					dir := t.TempDir()
					strace(t, dir, says, call, n+1) // it may be another thread's, after the end
					s := shelf.Shelf{Dir: filepath.Join(dir, "profile"), Ending: ".toml"}
					current, err := s.Version(shelf.Current)
					if err != nil {
						t.Fatal(err)
					}
					if current != "" {
						data, err := os.ReadFile(s.Path(current))
						if text := map[string]string{"old": "good", "new": says}[current]; err != nil || text == "" || string(data) != text {
							t.Errorf("%s says %q: %v", current, data, err)
						}
					}
					synctest.Test(t, func(t *testing.T) {
						s, err := goOver(t, dir, says, 1)
						if (want == "old") != errors.Is(err, ErrUnfit) || want == "new" && err != nil {
							t.Errorf("the next life: %v", err)
						}
						s.settled(want, "old")
						f, err := s.a.failure(t.Context(), link.KindProfile)
						if err != nil || (f.Version == "new") != (want == "old") {
							t.Errorf("failure %+v, %v", f, err)
						}
					})
				})
			}
		}
		if calls["renameat"] < 2 || calls["symlinkat"] < 2 || calls["pwrite64"] < 5 || total < 20 {
			t.Errorf("%s: strace saw only %v", says, calls)
		}
		t.Logf("%s: %v", says, calls)
	}
}
