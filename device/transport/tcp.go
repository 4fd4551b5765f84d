package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

const (
	dialed = 2 * time.Second // longest wait for a connection

	// A peer that has lost its power says nothing more. Without traffic the
	// kernel asks it after probeAfter, and then every probeEvery; what it
	// does not acknowledge ends the connection after unheard.
	probeAfter = 4 * time.Second
	probeEvery = 2 * time.Second
	probes     = 3
	unheard    = 10 * time.Second
)

// siocOutqNsd asks how many bytes of a TCP socket were not sent yet
// (linux/sockios.h).
const siocOutqNsd = 0x894B

// TCP returns an Opener for the TCP port of a network printer, such as
// "192.0.2.7:9100".
func TCP(addr string) Opener {
	return func(ctx context.Context) (Line, error) { return dialTCP(ctx, addr) }
}

// TCPLine is a TCP connection. A printer serves one at a time: another program
// that holds it keeps ours waiting.
type TCPLine struct {
	d *descriptor
}

func dialTCP(ctx context.Context, addr string) (*TCPLine, error) {
	dialer := net.Dialer{
		Timeout:         dialed,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: probeAfter, Interval: probeEvery, Count: probes},
	}
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err // names the address already
	}
	// Go's own polling cannot tell that the peer left while nobody reads.
	defer conn.Close()
	fd, err := own(conn)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", addr, err)
	}
	d, err := newDescriptor(addr, fd)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &TCPLine{d}, nil
}

// own gives a descriptor of the connection that is ours to close.
func own(conn net.Conn) (int, error) {
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return -1, err
	}
	fd := -1
	var ours error
	err = raw.Control(func(theirs uintptr) {
		if fd, ours = unix.FcntlInt(theirs, unix.F_DUPFD_CLOEXEC, 0); ours != nil {
			return
		}
		ours = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unheard/time.Millisecond))
	})
	if err = errors.Join(err, ours); err != nil && fd >= 0 {
		unix.Close(fd)
	}
	return fd, err
}

// Read implements Line. The end of the stream is the end of the line.
func (l *TCPLine) Read(ctx context.Context, p []byte) (int, error) {
	return l.d.read(ctx, p, l.d.gone)
}

// Write implements Line. A byte has left once it was sent; whether it arrived,
// only an answer tells.
func (l *TCPLine) Write(ctx context.Context, p []byte) (int, error) {
	n, err := l.d.write(ctx, p)
	if err != nil {
		return n, err
	}
	return n, l.d.drain(ctx, siocOutqNsd)
}

// Discard implements Line. What was sent cannot be called back.
func (l *TCPLine) Discard() error { return l.d.discard(l.d.gone) }

// Close implements Line. Closing again does nothing. What the peer has not
// received by now it never will: the kernel would else go on sending it.
func (l *TCPLine) Close() error {
	if queued, err := unix.IoctlGetInt(l.d.fd, unix.TIOCOUTQ); err == nil && queued > 0 {
		_ = unix.SetsockoptLinger(l.d.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}) // fails on a line that is gone
	}
	return l.d.close()
}
