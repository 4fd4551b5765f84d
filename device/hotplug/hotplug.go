// Package hotplug tells what is plugged into the borne and pulled out of it.
// It only saves time: where it cannot listen, whoever waits for a device has to
// look again by itself.
package hotplug

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Event is one device that came, went or changed. The zero Event says that
// some were lost because they came too fast: look at every device.
type Event struct {
	Action    string // "add", "remove", "change", "bind" …
	Subsystem string // "tty", "usb", "usbmisc", "sound", "input" …
	DevName   string // "/dev/ttyUSB0"; empty where the device has no file
}

// udevGroup is the multicast group in which udev sends each event on once its
// rules have run. In group 1 the kernel itself sends it earlier: then the
// device has neither its stable name nor its permissions yet, and whoever
// opens it at once is refused.
const udevGroup = 2

// maxMessage is more than udev sends.
const maxMessage = 64 << 10

// Watch calls changed with every event, in their order, until ctx ends: it then
// returns ctx's error. Any other error says that nothing can be heard here, as
// in many containers. Only what root sends is listened to. Where udev does not
// run, nothing is ever heard.
func Watch(ctx context.Context, changed func(Event)) error {
	sock, err := listen()
	if err != nil {
		return fmt.Errorf("uevents: %w", err)
	}
	defer sock.Close()
	defer context.AfterFunc(ctx, func() { sock.Close() })()
	raw, err := sock.SyscallConn()
	if err != nil {
		return fmt.Errorf("uevents: %w", err)
	}
	for buf := make([]byte, maxMessage); ; {
		msg, err := receive(raw, buf)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, unix.ENOBUFS):
			changed(Event{})
			continue
		case err != nil:
			return fmt.Errorf("uevents: %w", err)
		}
		if e, ok := parse(msg); ok {
			changed(e)
		}
	}
}

// listen opens the socket. It does not block, so that closing it ends a read.
func listen() (*os.File, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 1); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("setsockopt", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: udevGroup}); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("bind", err)
	}
	return os.NewFile(uintptr(fd), "uevents"), nil
}

// receive waits for one message. It gives an empty one for what is too long or
// not from root.
func receive(raw syscall.RawConn, buf []byte) ([]byte, error) {
	var n, oobn, flags int
	var err error
	oob := make([]byte, unix.CmsgSpace(unix.SizeofUcred))
	readErr := raw.Read(func(fd uintptr) bool {
		n, oobn, flags, _, err = unix.Recvmsg(int(fd), buf, oob, 0)
		return !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR)
	})
	if readErr != nil {
		return nil, readErr
	}
	if err != nil {
		return nil, os.NewSyscallError("recvmsg", err)
	}
	if flags&unix.MSG_TRUNC != 0 || !fromRoot(oob[:oobn]) {
		return nil, nil
	}
	return buf[:n], nil
}

func fromRoot(oob []byte) bool {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(messages) != 1 {
		return false
	}
	cred, err := unix.ParseUnixCredentials(&messages[0])
	return err == nil && cred.Uid == 0
}
