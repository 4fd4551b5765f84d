package transport

import (
	"context"
	"strings"

	"golang.org/x/sys/unix"
)

// ForPort returns an Opener for a port as a profile names it: "tcp://HOST:PORT"
// is a network printer, any other a path. What the path leads to is found out
// each time it is opened, since a name such as /dev/parvis/imprimante may stand
// for a tty on one day and for a USB printer on the next; baud and the options are
// for ttys.
func ForPort(port string, baud int, options ...Option) Opener {
	if addr, ok := strings.CutPrefix(port, "tcp://"); ok {
		return TCP(addr)
	}
	return func(context.Context) (Line, error) {
		fd, err := openDevice(port)
		if err != nil {
			return nil, err
		}
		if tty(fd) != nil {
			return fileOn(port, fd)
		}
		return serialOn(port, baud, fd, options)
	}
}

// tty tells why a descriptor is no tty; nil is that it is one.
func tty(fd int) error {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err
}
