package store_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"parvis/kiosk/store"
)

// childDo, when set, makes this test binary another program of the borne: it
// does what is asked with the store in childDir, and ends with its stdin.
const (
	childDo  = "PARVIS_TEST_STORE_DO"
	childDir = "PARVIS_TEST_STORE_DIR"
)

func TestMain(m *testing.M) {
	if what := os.Getenv(childDo); what != "" {
		if err := child(what, os.Getenv(childDir)); err != nil {
			fmt.Println("ERROR", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(what, dir string) error {
	ctx := context.Background()
	s, err := store.Open(dir)
	if err != nil {
		return err
	}
	fmt.Println("READY")
	over := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(over)
	}()
	for {
		switch what {
		case "begin":
			e, ok, err := s.BeginErrand(ctx, true)
			if err != nil {
				return err
			}
			if ok {
				fmt.Println("BEGAN", e.ID)
				continue
			}
		case "count":
			if err := s.Count(ctx, time.Now(), "visit", 1); err != nil {
				return err
			}
		}
		select {
		case <-over:
			return s.Close()
		case <-time.After(time.Millisecond):
		}
	}
}

// process is a running child.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	out   *bufio.Scanner
	stdin io.Closer
}

// start runs a child, as another user where one is named, and waits until it
// has the store open.
func start(t *testing.T, what, dir string, as *syscall.Credential) *process {
	t.Helper()
	program, err := os.Executable()
	if err == nil && as != nil { // where Go builds, only its own user may look
		program, err = copied(program, filepath.Join(reachable(t), "program"))
	}
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(program)}
	p.cmd.Env = append(os.Environ(), childDo+"="+what, childDir+"="+dir)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as, Pdeathsig: syscall.SIGKILL}
	p.cmd.Dir = "/"
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewScanner(out)
	if !p.out.Scan() || p.out.Text() != "READY" {
		p.stdin.Close()
		t.Fatalf("the other program says %q: %v", p.out.Text(), p.cmd.Wait())
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			p.cmd.Process.Kill()
			p.cmd.Wait()
		}
	})
	return p
}

func copied(from, to string) (string, error) {
	b, err := os.ReadFile(from)
	if err != nil {
		return "", err
	}
	return to, os.WriteFile(to, b, 0o755)
}

// end lets a child end, and returns what it has said.
func (p *process) end() []string {
	p.t.Helper()
	p.stdin.Close()
	var lines []string
	for p.out.Scan() {
		lines = append(lines, p.out.Text())
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Fatalf("%v: %q", err, lines)
	}
	return lines
}

// Two programs look for errands at once while a third adds them: each is given
// to one of them, once.
func TestErrandsAreGivenOnce(t *testing.T) {
	dir := t.TempDir()
	s := MustOpen(t, dir)
	one, two := start(t, "begin", dir, nil), start(t, "begin", dir, nil)
	const n = 100
	for range n {
		MustAdd(t, s, errand("screenshot"))
	}
	deadline := time.Now().Add(20 * time.Second)
	for left := n; left > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("%d errands were given to nobody", left)
		}
		left = 0
		for _, e := range errands(t, s) {
			if !e.Began {
				left++
			}
		}
	}
	given := map[string]int{}
	for _, line := range append(one.end(), two.end()...) {
		given[strings.TrimPrefix(line, "BEGAN ")]++
	}
	for _, e := range errands(t, s) {
		if given[e.ID.String()] != 1 {
			t.Errorf("errand %s was given %d times", e.ID, given[e.ID.String()])
		}
	}
	if len(given) != n {
		t.Errorf("%d errands were given, want %d", len(given), n)
	}
}

// Application and agent are two users of one group: whoever comes first, both
// write. Nobody else reads.
func TestTwoUsersOfOneGroup(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be two other users")
	}
	const group = 61001
	app := &syscall.Credential{Uid: 61002, Gid: 61002, Groups: []uint32{group}}
	agent := &syscall.Credential{Uid: 61003, Gid: 61003, Groups: []uint32{group}}
	for _, mode := range []os.FileMode{0o770, 0o770 | os.ModeSetgid} {
		t.Run(mode.String(), func(t *testing.T) {
			dir := filepath.Join(reachable(t), "data")
			if err := errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, 61002, group), os.Chmod(dir, mode)); err != nil {
				t.Fatal(err)
			}
			first := start(t, "count", dir, app)
			second := start(t, "count", dir, agent)
			checkModes(t, dir, 0o660, group)
			first.end()
			// The one that came first made the log; it goes with the last.
			third := start(t, "count", dir, app)
			second.end()
			third.end()
			second = start(t, "count", dir, agent)
			first = start(t, "count", dir, app)
			checkModes(t, dir, 0o660, group)
			second.end()
			first.end()
			info, err := os.Stat(filepath.Join(dir, store.FileName))
			if err != nil || info.Sys().(*syscall.Stat_t).Uid != 61002 {
				t.Errorf("the database belongs to %v, %v", info.Sys(), err)
			}
			MustOpen(t, dir)
			stranger := &syscall.Credential{Uid: 61004, Gid: 61004}
			cmd := exec.Command("cat", filepath.Join(dir, store.FileName))
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: stranger}
			if out, err := cmd.Output(); err == nil || len(out) > 0 {
				t.Errorf("somebody else reads %d bytes", len(out))
			}
		})
	}
}

// A database of before the group had a part in it is opened to the group.
func TestGroupComesLater(t *testing.T) {
	dir := t.TempDir()
	MustOpen(t, dir).Close()
	if err := os.Chmod(dir, 0o770); err != nil {
		t.Fatal(err)
	}
	MustOpen(t, dir)
	checkModes(t, dir, 0o660, uint32(os.Getegid()))
}

// What root begins, as IT does with a command, the borne's user goes on with.
func TestRootBegins(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can try it")
	}
	dir := filepath.Join(reachable(t), "data")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, 61002, 61002)); err != nil {
		t.Fatal(err)
	}
	s := MustOpen(t, dir)
	checkModes(t, dir, 0o600, 61002)
	start(t, "count", dir, &syscall.Credential{Uid: 61002, Gid: 61002}).end()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// The folder is the application's to write: what lies there for root to open
// must not lead root elsewhere.
func TestLinksAreNotFollowed(t *testing.T) {
	link := func(make func(old, new string) error, name string) func(dir, victim string) error {
		return func(dir, victim string) error { return make(victim, filepath.Join(dir, name)) }
	}
	for name, put := range map[string]func(dir, victim string) error{
		"symbolic link":        link(os.Symlink, store.FileName),
		"link to nowhere":      func(dir, victim string) error { return os.Symlink(victim+"-new", filepath.Join(dir, store.FileName)) },
		"symbolic link as log": link(os.Symlink, store.FileName+"-wal"),
		"folder":               func(dir, _ string) error { return os.Mkdir(filepath.Join(dir, store.FileName), 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			dir, victim := filepath.Join(top, "data"), filepath.Join(top, "shadow")
			if err := errors.Join(os.Mkdir(dir, 0o770), os.Chmod(dir, 0o770), os.WriteFile(victim, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(name, "log") {
				MustOpen(t, dir).Close()
			}
			if err := put(dir, victim); err != nil {
				t.Fatal(err)
			}
			if s, err := store.Open(dir); err == nil {
				s.Close()
				t.Error("it was opened")
			} else if !strings.Contains(err.Error(), "fichier ordinaire") {
				t.Error(err)
			}
			info, err := os.Stat(victim)
			if err != nil || info.Mode().Perm() != 0o600 || info.Size() != 0 {
				t.Errorf("the file elsewhere: %v, %v", info, err)
			}
			if _, err := os.Stat(victim + "-new"); err == nil {
				t.Error("a file was made elsewhere")
			}
		})
	}
}

// A file that has a name elsewhere too keeps its rights.
func TestHardLinkKeepsItsRights(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "data")
	MustOpen(t, dir).Close()
	err := errors.Join(os.Link(filepath.Join(dir, store.FileName), filepath.Join(top, "backup")), os.Chmod(dir, 0o770))
	if err != nil {
		t.Fatal(err)
	}
	MustOpen(t, dir)
	if info, err := os.Stat(filepath.Join(top, "backup")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// reachable is a temporary folder that other users can look into.
func reachable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "parvis-store-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

func checkModes(t *testing.T, dir string, mode os.FileMode, group uint32) {
	t.Helper()
	for _, name := range []string{store.FileName, store.FileName + "-wal", store.FileName + "-shm"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if gid := info.Sys().(*syscall.Stat_t).Gid; info.Mode().Perm() != mode || gid != group {
			t.Errorf("%s: %v of group %d, want %v of group %d", name, info.Mode(), gid, mode, group)
		}
	}
}

// What the hub has taken leaves no byte behind, in the file or in its log.
func TestForgetErrandErases(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := MustOpen(t, dir)
	picture := bytes.Repeat([]byte("une image de la borne "), 2000)
	e := errand("message")
	e.Args = `{"text":"la porte de derrière"}`
	MustAdd(t, s, e)
	if err := s.EndErrand(ctx, e.ID, "done", "parce que c’est ainsi", "image/png", picture); err != nil {
		t.Fatal(err)
	}
	holds := func(words string) bool {
		t.Helper()
		for _, name := range []string{"", "-wal"} {
			b, err := os.ReadFile(filepath.Join(dir, store.FileName+name))
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(b, []byte(words)) {
				return true
			}
		}
		return false
	}
	secrets := []string{"une image de la borne", "la porte de derrière", "parce que c’est ainsi"}
	for _, words := range secrets {
		if !holds(words) {
			t.Fatalf("%q is nowhere to be found", words)
		}
	}
	if err := s.ForgetErrand(ctx, e.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, words := range secrets {
		if holds(words) {
			t.Errorf("%q is still there", words)
		}
	}
}

func errand(kind string) store.Errand {
	now := time.Now().UTC().Truncate(time.Millisecond)
	return store.Errand{ID: uuid.Must(uuid.NewV7()), Kind: kind, Created: now, Expires: now.Add(time.Minute), ForApp: true}
}

func MustAdd(t *testing.T, s *store.Store, e store.Errand) {
	t.Helper()
	if fresh, err := s.AddErrand(context.Background(), e); err != nil || !fresh {
		t.Fatalf("fresh %t, %v", fresh, err)
	}
}

func errands(t *testing.T, s *store.Store) []store.Errand {
	t.Helper()
	all, err := s.Errands(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return all
}
