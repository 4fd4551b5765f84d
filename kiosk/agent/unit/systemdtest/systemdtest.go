// Package systemdtest boots a real systemd for tests, with its own bus, journal,
// polkit and login1, in namespaces and a root of its own that vanish with it.
// Nothing in it reaches the machine that runs the tests.
package systemdtest

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// script makes the root and becomes systemd.
//
//go:embed boot.sh
var script string

// File is a file of the machine. One with From set is a copy of a file of the
// machine that runs the tests, such as a program under test.
type File struct {
	Text string
	From string
	Mode fs.FileMode // 0o644 where zero
}

// Machine is a running systemd. It is process 1 of its namespaces.
type Machine struct {
	pid    int
	cgroup string
	log    *os.File
	ended  chan struct{}
	status syscall.WaitStatus // once ended
}

// Boot starts systemd, with files by their absolute path beside what Debian
// installs, and waits until it has started its units; units are those to start
// beside the bus, the journal, polkit and login1. The machine is switched off
// when the test ends. Needs root, as systemd does.
func Boot(t testing.TB, files map[string]File, units ...string) *Machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root may start a systemd of its own")
	}
	for _, program := range []struct{ path, pkg string }{
		{"/lib/systemd/systemd", "systemd"}, {"/usr/bin/dbus-daemon", "dbus"},
		{"/usr/lib/polkit-1/polkitd", "polkitd"}, {"/usr/bin/nsenter", "util-linux"},
	} {
		if _, err := os.Stat(program.path); err != nil {
			t.Fatalf("%v (Debian package %s)", err, program.pkg)
		}
	}
	m := &Machine{ended: make(chan struct{})}
	var err error
	if m.cgroup, err = newCgroup(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := lay(filepath.Join(dir, "files"), files); err != nil {
		t.Fatal(err)
	}
	if m.log, err = os.Create(filepath.Join(dir, "log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			said, _ := os.ReadFile(m.log.Name())
			journal, _ := exec.Command("journalctl", "--no-pager", "--lines=200", "--directory", m.Path("/run/log/journal")).CombinedOutput()
			t.Logf("systemd said:\n%s%s", said, journal)
		}
		m.Kill()
		m.log.Close()
		removeCgroup(t, m.cgroup)
	})
	if err := m.start(dir, units); err != nil {
		t.Fatalf("starting systemd: %v", err)
	}
	m.awaitBoot(t)
	return m
}

// start runs the script. The kernel kills the machine when the thread that
// started it ends, so that thread stays until the machine has ended.
func (m *Machine) start(dir string, units []string) error {
	cg, err := os.Open(m.cgroup)
	if err != nil {
		return err
	}
	defer cg.Close()
	// A namespace of cgroups is rooted where its maker is, so it is made by
	// unshare, which is in the machine's cgroup already.
	cmd := exec.Command("unshare", append([]string{"--cgroup", "sh", "-eu", "-c", script, "sh", dir}, units...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	cmd.Stdout, cmd.Stderr = m.log, m.log
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC | syscall.CLONE_NEWNET,
		Pdeathsig:   syscall.SIGKILL,
		UseCgroupFD: true, CgroupFD: int(cg.Fd()),
		Setsid: true,
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		if err == nil {
			m.pid = cmd.Process.Pid
		}
		started <- err
		if err != nil {
			return
		}
		cmd.Wait()
		m.status = cmd.ProcessState.Sys().(syscall.WaitStatus)
		close(m.ended)
	}()
	return <-started
}

func (m *Machine) awaitBoot(t testing.TB) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		if _, err := os.Stat(m.Path("/run/booted")); err == nil {
			return
		}
		select {
		case <-m.ended:
			t.Fatalf("systemd ended while starting: %v", m.status)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatal("systemd has not started after 30 s")
		}
	}
}

// Path is how a process outside names a file of the machine.
func (m *Machine) Path(inside string) string {
	return fmt.Sprintf("/proc/%d/root%s", m.pid, inside)
}

// Bus is the address of the machine's system bus, from outside.
func (m *Machine) Bus() string {
	return "unix:path=" + m.Path("/run/dbus/system_bus_socket")
}

// Command is a command inside the machine, as one of its users.
func (m *Machine) Command(user string, argv ...string) *exec.Cmd {
	args := []string{"--target", fmt.Sprint(m.pid), "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup", "--root", "--wd=/"}
	args = append(args, "--", "/usr/sbin/runuser", "-u", user, "--")
	cmd := exec.Command("nsenter", append(args, argv...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}
	return cmd
}

// Run runs a command inside the machine as root and returns what it printed.
func (m *Machine) Run(t testing.TB, argv ...string) string {
	t.Helper()
	out, err := m.Command("root", argv...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
	return string(out)
}

// Ended is closed when the machine has ended.
func (m *Machine) Ended() <-chan struct{} { return m.ended }

// Rebooted tells whether the machine ended by a restart: the kernel then ends
// process 1 of a namespace with SIGHUP (reboot(2)).
func (m *Machine) Rebooted() bool {
	<-m.ended
	return m.status.Signaled() && m.status.Signal() == syscall.SIGHUP
}

// Kill switches the machine off as a power cut does.
func (m *Machine) Kill() {
	if m.pid == 0 {
		return
	}
	select {
	case <-m.ended:
	default:
		syscall.Kill(m.pid, syscall.SIGKILL)
		<-m.ended
	}
}

// lay writes the machine's own files under dir.
func lay(dir string, files map[string]File) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		f := files[path]
		text := []byte(f.Text)
		if f.From != "" {
			var err error
			if text, err = os.ReadFile(f.From); err != nil {
				return err
			}
		}
		if f.Mode == 0 {
			f.Mode = 0o644
		}
		to := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, text, f.Mode); err != nil {
			return err
		}
	}
	return nil
}

var cgroups struct {
	sync.Mutex
	made int
}

// newCgroup makes the cgroup that the machine's systemd takes for the whole
// hierarchy. It holds processes only, no controller.
func newCgroup() (string, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(mounts)) {
		before, after, _ := strings.Cut(line, " - ")
		if fields := strings.Fields(before); strings.HasPrefix(after, "cgroup2 ") && len(fields) > 4 {
			cgroups.Lock()
			defer cgroups.Unlock()
			cgroups.made++
			dir := filepath.Join(fields[4], fmt.Sprintf("parvis-test-%d-%d", os.Getpid(), cgroups.made))
			return dir, os.Mkdir(dir, 0o755)
		}
	}
	return "", errors.New("no cgroup2 is mounted, which systemd needs: mount -t cgroup2 none /sys/fs/cgroup")
}

// removeCgroup takes away what systemd has left, from the leaves.
func removeCgroup(t testing.TB, dir string) {
	var dirs []string
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return nil
	})
	for _, d := range slices.Backward(dirs) {
		deadline := time.Now().Add(5 * time.Second)
		for {
			err := os.Remove(d) // busy while its last process is being reaped
			if err == nil {
				break
			}
			if time.Now().After(deadline) {
				t.Errorf("cgroup left behind: %v", err)
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}
