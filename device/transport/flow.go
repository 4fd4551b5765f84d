package transport

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Option sets up a serial line beyond its speed.
type Option func(fd int) error

// Flow is how a device holds us up while its buffer is full. The zero value is
// not at all: what comes then is lost.
type Flow string

// The kinds of flow control.
const (
	FlowNone Flow = ""
	// FlowRTS needs the wires: we send while the device's DTR or RTS, which
	// the cable leads to our CTS, allows it.
	FlowRTS Flow = "rts"
	// FlowXON needs no wire, but the bytes 11 and 13 (hexadecimal), which mean
	// "go on" and "stop", are then never read as data.
	FlowXON Flow = "xon"
)

// WithFlow makes a serial line heed the device's flow control. tarm/serial, which
// sets all else, leaves it off.
func WithFlow(f Flow) Option {
	return func(fd int) error {
		t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil {
			return fmt.Errorf("flow control: %w", err)
		}
		t.Cflag &^= unix.CRTSCTS
		t.Iflag &^= unix.IXON | unix.IXOFF | unix.IXANY
		switch f {
		case FlowNone:
		case FlowRTS:
			t.Cflag |= unix.CRTSCTS
		case FlowXON:
			t.Iflag |= unix.IXON
			t.Cc[unix.VSTART], t.Cc[unix.VSTOP] = 0x11, 0x13
		default:
			return fmt.Errorf("flow control %q is not known", f)
		}
		if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != nil {
			return fmt.Errorf("flow control: %w", err)
		}
		return nil
	}
}
