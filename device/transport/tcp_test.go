package transport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"parvis/device/transport"
)

// A printer that loses its power says nothing. A socket in repair mode closes
// as silently.
func TestTCPNoticesAPeerThatVanishes(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	line, err := transport.TCP(l.Addr().String())(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var set error
	if err := raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_REPAIR, 1) }); err != nil {
		t.Fatal(err)
	}
	if errors.Is(set, unix.EPERM) {
		t.Skip("only root may let a connection vanish (CAP_NET_ADMIN)")
	}
	if set != nil {
		t.Fatal(set)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := line.Read(within(t, 50*time.Millisecond), make([]byte, 1)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Read = %v: the peer did not vanish silently", err)
	}
	start := time.Now()
	if _, err := line.Read(within(t, 20*time.Second), make([]byte, 1)); !errors.Is(err, transport.ErrGone) {
		t.Errorf("Read = %v, want ErrGone", err)
	}
	if d := time.Since(start); d > 12*time.Second {
		t.Errorf("it took %v to notice", d)
	}
}

// Half a ticket must not come out once nobody wants it any more.
func TestTCPCloseDiscardsWhatWaits(t *testing.T) {
	f := kinds["tcp"](t)
	l := f.mustOpen(t)
	n, err := l.Write(within(t, 200*time.Millisecond), make([]byte, 16<<20))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Write = %d, %v", n, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := io.Copy(io.Discard, f)
	if !errors.Is(err, unix.ECONNRESET) || got >= int64(n) {
		t.Errorf("of %d bytes %d came out, %v", n, got, err)
	}
}

func TestTCPRefusesWhatIsNotThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	if _, err := transport.TCP(addr)(t.Context()); err == nil || !strings.Contains(err.Error(), addr) {
		t.Errorf("error = %v, want one that names %s", err, addr)
	}
}

// Whoever waits for the line may not have to wait for a printer that is off.
func TestTCPGivesUpConnectingWithItsContext(t *testing.T) {
	t.Parallel()
	addr := deaf(t)
	ctx, cancel := context.WithCancel(t.Context())
	opened := make(chan error, 1)
	go func() {
		_, err := transport.TCP(addr)(ctx)
		opened <- err
	}()
	select {
	case err := <-opened:
		t.Fatalf("error = %v before the end of the context: the address is not deaf", err)
	case <-time.After(100 * time.Millisecond):
	}
	start := time.Now()
	cancel()
	if err := <-opened; !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want the context's", err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("it took %v", d)
	}
}

// deaf is an address where nobody answers who wants to connect: the queue of
// those who wait is full.
func deaf(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*unix.SockaddrInet4).Port))
	first, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { first.Close() })
	return addr
}
