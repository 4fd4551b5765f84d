package sim

import (
	"errors"
	"io"
	"time"
)

// Device is what hangs at the end of a Line.
type Device interface {
	// Connect says where what the device says goes from now on; nil is
	// nowhere.
	Connect(wire io.Writer)
	// Hear takes bytes off the line. It may wait for Work to make room for
	// them, but no longer than the device is connected.
	Hear(b []byte)
	// Work does what was heard, and takes the time that this takes.
	Work()
}

// Line is how the software in front reaches a device: a Cable or a Socket.
type Line interface {
	// Plug makes the device reachable. Its error is ErrPlugged where it is.
	Plug() error
	// Unplug makes it unreachable; what is on the line is lost. Its error
	// is ErrUnplugged where it is so already.
	Unplug() error
	// Plugged says whether the device is reachable.
	Plugged() bool
	// Close unplugs the line and waits until it carries nothing more.
	Close() error
}

// ErrPlugged and ErrUnplugged refuse to do what is done.
var (
	ErrPlugged   = errors.New("already plugged in")
	ErrUnplugged = errors.New("already unplugged")
)

// carry brings what r says to the device, until r ends and the device has done
// its work. The device's ear is quicker than its hands: it answers while it
// prints.
func carry(r io.Reader, device Device) {
	heard := make(chan struct{}, 1)
	worked := make(chan struct{})
	go func() {
		defer close(worked)
		for range heard {
			device.Work()
		}
	}()
	// As little at a time as a UART, so that pulling the cable loses what
	// has not arrived.
	buf := make([]byte, 32)
	for {
		n, err := r.Read(buf)
		if err != nil {
			break
		}
		device.Hear(buf[:n])
		select {
		case heard <- struct{}{}:
		default:
		}
	}
	close(heard)
	<-worked
}

// patient gives up on a host that does not read.
type patient struct {
	to interface {
		io.Writer
		SetWriteDeadline(time.Time) error
	}
}

func (p patient) Write(b []byte) (int, error) {
	if err := p.to.SetWriteDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		return 0, err
	}
	return p.to.Write(b)
}
