package hotplug_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"parvis/device/hotplug"
)

const patience = time.Minute

// watch listens until the test ends.
func watch(t *testing.T, changed func(hotplug.Event)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- hotplug.Watch(ctx, changed) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Watch = %v", err)
			}
		case <-time.After(patience):
			t.Error("Watch does not end")
		}
	})
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root may make uevents")
	}
}

// sender says what udev would, as the user uid.
func sender(t *testing.T) (send func(msg []byte, uid uint32)) {
	t.Helper()
	needRoot(t)
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return func(msg []byte, uid uint32) {
		t.Helper()
		cred := unix.UnixCredentials(&unix.Ucred{Pid: int32(os.Getpid()), Uid: uid, Gid: uid})
		err := unix.Sendmsg(fd, msg, cred, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 2}, 0)
		if err != nil && !errors.Is(err, unix.ECONNREFUSED) { // refused: nobody listens yet
			t.Fatal(err)
		}
	}
}

// named is the real message, about a device with another name.
func named(t *testing.T, name string) []byte {
	t.Helper()
	if len(name) != len("null") {
		t.Fatal("the message would be longer or shorter")
	}
	return bytes.Replace(real(t), []byte("=/dev/null"), []byte("=/dev/"+name), 1)
}

// await sends a message again and again until it is heard.
func await(t *testing.T, heard <-chan hotplug.Event, name string, again func()) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); ; {
		select {
		case e := <-heard:
			if e.DevName == "/dev/"+name {
				return
			}
		case <-tick.C:
			again()
		case <-deadline:
			t.Fatalf("nothing heard of /dev/%s", name)
		}
	}
}

func TestWatchHearsRootAlone(t *testing.T) {
	send := sender(t)
	heard := make(chan hotplug.Event, 1000)
	watch(t, func(e hotplug.Event) { heard <- e })
	await(t, heard, "aaaa", func() { send(named(t, "aaaa"), 0) })
	send(named(t, "evil"), 1000)
	send([]byte("nonsense"), 0)
	send(named(t, "bbbb"), 0)
	for {
		select {
		case e := <-heard:
			switch e.DevName {
			case "/dev/bbbb":
				return
			case "/dev/evil", "":
				t.Errorf("heard %+v", e)
			}
		case <-time.After(patience):
			t.Fatal("nothing heard of /dev/bbbb")
		}
	}
}

func TestWatchTellsThatEventsWereLost(t *testing.T) {
	send := sender(t)
	first, flooded := make(chan struct{}), make(chan struct{})
	lost := make(chan struct{}, 1)
	seen := false
	watch(t, func(e hotplug.Event) {
		if !seen {
			seen = true
			close(first)
			<-flooded // as one that is slow
		}
		if e == (hotplug.Event{}) {
			select {
			case lost <- struct{}{}:
			default:
			}
		}
	})
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for begun := false; !begun; {
		send(named(t, "aaaa"), 0)
		select {
		case <-first:
			begun = true
		case <-tick.C:
		}
	}
	for range 5000 {
		send(named(t, "bbbb"), 0)
	}
	close(flooded)
	select {
	case <-lost:
	case <-time.After(patience):
		t.Error("the loss was not told")
	}
}

// The real udev, with its runtime files in a place of its own where none runs
// already.
func TestWatchHearsUdev(t *testing.T) {
	needRoot(t)
	const udevd = "/lib/systemd/systemd-udevd"
	if _, err := os.Stat("/run/udev/control"); err != nil {
		if _, err := os.Stat(udevd); err != nil {
			t.Fatalf("%v: install the Debian package udev", err)
		}
		cmd := exec.Command("unshare", "--mount", "sh", "-c", "mount -t tmpfs tmpfs /run && exec "+udevd)
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			_ = cmd.Wait() // SIGTERM is how it ends
		})
	}
	heard := make(chan hotplug.Event, 1000)
	watch(t, func(e hotplug.Event) { heard <- e })
	await(t, heard, "null", func() {
		if err := os.WriteFile("/sys/class/mem/null/uevent", []byte("change"), 0); err != nil {
			t.Fatal(err)
		}
	})
}
