package packages

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// needed are the programs that the test starts, and what Debian calls them.
var needed = map[string]string{
	"apt-get": "apt", "dpkg-deb": "dpkg", "findmnt": "util-linux", "ip": "iproute2", "lintian": "lintian", "mmdebstrap": "mmdebstrap",
	"nsenter": "util-linux", "systemd-nspawn": "systemd-container", "Xvfb": "xvfb",
}

// brought is the folder of a machine with the packages that a test brings.
const brought = "/essai/"

// network is a network of its own, in which the machines of a test find each
// other as one computer: nothing that listens here is in their way.
type network struct{ path string }

// newNetwork makes a network that vanishes with the test.
func newNetwork(t *testing.T) network {
	t.Helper()
	cmd := keep(t, exec.Command("unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep infinity"))
	n := network{fmt.Sprintf("/proc/%d/ns/net", cmd.Process.Pid)}
	out := cmd.Stdout.(*os.File).Name()
	await(t, 10*time.Second, "a network", func() error {
		if said, err := os.ReadFile(out); err != nil || string(said) != "up\n" {
			return fmt.Errorf("unshare says %q (%v)", said, err)
		}
		return nil
	})
	return n
}

// keep starts a command that is killed when the test ends, and told to end when
// this program does. What it writes goes into a file.
func keep(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	log, err := os.CreateTemp(t.TempDir(), filepath.Base(cmd.Path)+"-*.log")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setsid: true}
	started, ended := make(chan error), make(chan struct{})
	go func() {
		// The kernel tells the process when the thread that started it ends.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait()
		}
		close(ended)
	}()
	if err := <-started; err != nil {
		t.Fatalf("%v (Debian package %s)", err, needed[filepath.Base(cmd.Path)])
	}
	t.Cleanup(func() {
		syscall.Kill(cmd.Process.Pid, syscall.SIGKILL)
		<-ended
		log.Close()
	})
	return cmd
}

// machine is a Debian 12 in a folder, with its own systemd as process 1 once it
// has booted.
type machine struct {
	root   string
	name   string
	leader int // process 1, as seen from here; 0 until booted
}

// unpack makes a machine of the fresh system in an archive.
func unpack(t *testing.T, archive, name string) *machine {
	t.Helper()
	m := &machine{root: filepath.Join(t.TempDir(), name), name: fmt.Sprintf("parvis-%s-%d", name, os.Getpid())}
	if err := os.Mkdir(m.root, 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, "tar", "--extract", "--numeric-owner", "--file", archive, "--directory", m.root)
	// What a package needs it has to depend on; Debian is out of reach by then; and
	// this disk is cut from no power.
	m.write(t, "/etc/apt/apt.conf.d/99essai", "APT::Install-Recommends \"false\";\nAcquire::Retries \"0\";\n")
	m.write(t, "/etc/dpkg/dpkg.cfg.d/essai", "force-unsafe-io\n")
	return m
}

// write writes a file of the machine.
func (m *machine) write(t *testing.T, path, text string) {
	t.Helper()
	path = filepath.Join(m.root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// nspawn is the machine as a container; none of it shows outside.
func (m *machine) nspawn(args ...string) *exec.Cmd {
	args = append([]string{"--quiet", "--register=no", "--keep-unit", "--machine=" + m.name, "--directory=" + m.root, "--link-journal=no"}, args...)
	cmd := exec.Command("systemd-nspawn", args...)
	cmd.Env = append(os.Environ(), "LANG=C.UTF-8")
	return cmd
}

// fetch fetches what packages depend on into a folder that is kept from one test
// to the next: the only thing that takes the network of this computer.
func (m *machine) fetch(t *testing.T, archives string, debs ...string) {
	t.Helper()
	for _, deb := range debs {
		text, err := os.ReadFile(deb)
		if err != nil {
			t.Fatal(err)
		}
		m.write(t, brought+filepath.Base(deb), string(text))
	}
	cmd := m.nspawn("--pipe", "--bind="+archives+":/var/cache/apt/archives", "sh", "-c",
		"apt-get -q update && cd "+brought+" && apt-get -q -y --download-only install ./*.deb && rm ./*.deb")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("fetching what the packages depend on: %v\n%s", err, out)
	}
}

// inCgroup has a command begin in a cgroup of its own, which is the whole
// hierarchy to the machine's systemd: two of them in one would end each other's
// services. It vanishes with the test.
func (m *machine) inCgroup(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	var dirs []string
	for line := range strings.Lines(run(t, "findmnt", "--noheadings", "--raw", "--output=FSTYPE,OPTIONS,TARGET", "--types=cgroup,cgroup2")) {
		fields := strings.Fields(line)
		if len(fields) == 3 && (fields[0] == "cgroup2" || strings.Contains(fields[1], "name=systemd")) {
			dirs = append(dirs, filepath.Join(fields[2], m.name))
		}
	}
	for _, dir := range dirs {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			await(t, 10*time.Second, "the end of "+dir, func() error {
				_, err := exec.Command("find", dir, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";").CombinedOutput()
				if _, gone := os.Stat(dir); gone == nil {
					return fmt.Errorf("still there (%v)", err)
				}
				return nil
			})
		})
	}
	const enter = `while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs"; shift; done; shift; exec "$@"`
	inside := exec.Command("sh", append(append([]string{"-euc", enter, "sh"}, dirs...), append([]string{"--"}, cmd.Args...)...)...)
	inside.Env = append(cmd.Env, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1")
	return inside
}

// boot starts the machine's systemd and waits until it has started its units.
func (m *machine) boot(t *testing.T, n network, archives string) {
	t.Helper()
	cmd := keep(t, m.inCgroup(t, m.nspawn("--boot", "--console=passive", "--network-namespace-path="+n.path, "--bind="+archives+":/var/cache/apt/archives", "--bind-ro=/usr:/mnt")))
	t.Cleanup(func() {
		if t.Failed() {
			said, err := m.try("journalctl", "--no-pager", "--lines=150")
			t.Logf("%s: its journal ends with\n%s%v", m.name, said, err)
		}
		os.Remove(filepath.Join("/run/systemd/nspawn/propagate", m.name))
		m.kill(t)
	})
	pid := cmd.Process.Pid
	await(t, time.Minute, "the start of "+m.name, func() error {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
		if err != nil {
			return err
		}
		first, _, _ := strings.Cut(string(children), " ")
		leader, err := strconv.Atoi(first)
		if err != nil {
			return err
		}
		if comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", leader)); err != nil || string(comm) != "systemd\n" {
			return fmt.Errorf("process 1 is %q, %v", comm, err)
		}
		m.leader = leader
		out, err := m.command("systemctl", "is-system-running").Output()
		if state := strings.TrimSpace(string(out)); state != "running" && state != "degraded" {
			return fmt.Errorf("systemd is %q, %v", state, err)
		}
		return nil
	})
}

// kill ends the machine as a power cut does: systemd-nspawn that is killed would
// leave it running.
func (m *machine) kill(t *testing.T) {
	t.Helper()
	if m.leader == 0 {
		return
	}
	syscall.Kill(m.leader, syscall.SIGKILL)
	await(t, 10*time.Second, "the end of "+m.name, func() error {
		if syscall.Kill(m.leader, 0) == nil {
			return errors.New("process 1 is there")
		}
		return nil
	})
}

// command is a command of root's in the booted machine.
func (m *machine) command(argv ...string) *exec.Cmd {
	args := []string{"--target", strconv.Itoa(m.leader), "--all", "--wd=/", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
		"HOME=/root", "DEBIAN_FRONTEND=noninteractive"}
	return exec.Command("nsenter", append(args, argv...)...)
}

// try runs a command in the booted machine; what it wrote is in the error too.
func (m *machine) try(argv ...string) (string, error) {
	cmd := m.command(argv...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", strings.Join(argv, " "), err, out.String(), complaint.String())
	}
	return out.String(), nil
}

// run runs a command in the booted machine, and returns what it printed.
func (m *machine) run(t *testing.T, argv ...string) string {
	t.Helper()
	out, err := m.try(argv...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// awaitUnits waits until units are active.
func (m *machine) awaitUnits(t *testing.T, units ...string) {
	t.Helper()
	await(t, time.Minute, strings.Join(units, ", "), func() error {
		_, err := m.try(append([]string{"systemctl", "is-active"}, units...)...)
		return err
	})
}

// run runs a command here, and returns what it printed.
func run(t *testing.T, argv ...string) string {
	t.Helper()
	var complaint bytes.Buffer
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		t.Fatalf("%v (Debian package %s)", err, needed[argv[0]])
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(argv, " "), err, out, complaint.String())
	}
	return string(out)
}

// await looks until something is so.
func await(t *testing.T, within time.Duration, what string, look func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := look()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v: %v", what, within, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
