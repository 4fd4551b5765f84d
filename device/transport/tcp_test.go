package transport_test

import (
	"context"
	"errors"
	"io"
	"net"
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
	line, err := transport.TCP(l.Addr().String())()
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
	if _, err := transport.TCP(addr)(); err == nil || !strings.Contains(err.Error(), addr) {
		t.Errorf("error = %v, want one that names %s", err, addr)
	}
}
