package sim_test

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"parvis/device/sim"
)

func newSocket(t *testing.T, d sim.Device) *sim.Socket {
	t.Helper()
	s := sim.NewSocket("127.0.0.1:0", d)
	if err := s.Plug(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the socket: %v", err)
		}
	})
	return s
}

func mustDial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func mustAsk(t *testing.T, conn net.Conn, question string) byte {
	t.Helper()
	answer := make([]byte, 1)
	if _, err := io.WriteString(conn, question); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, answer); err != nil {
		t.Fatalf("no answer: %v", err)
	}
	return answer[0]
}

func TestSocketServesOneClientAfterTheOther(t *testing.T) {
	t.Parallel()
	s := newSocket(t, newDesk().Thermal)
	first, second := mustDial(t, s.Addr()), mustDial(t, s.Addr())
	if got := mustAsk(t, first, "\x10\x04\x01"); got != 0x12 {
		t.Errorf("answer %x", got)
	}
	if _, err := io.WriteString(second, "\x10\x04\x04"); err != nil {
		t.Fatal(err)
	}
	if err := second.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var late net.Error
	if n, err := second.Read(make([]byte, 1)); !errors.As(err, &late) || !late.Timeout() {
		t.Fatalf("the second client was answered while the first was there: %d, %v", n, err)
	}
	first.Close()
	if err := second.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(second, make([]byte, 1)); err != nil {
		t.Errorf("the second client's turn did not come: %v", err)
	}
}

func TestSocketUnplugged(t *testing.T) {
	t.Parallel()
	s := newSocket(t, newDesk().Thermal)
	conn, queued := mustDial(t, s.Addr()), mustDial(t, s.Addr())
	mustAsk(t, conn, "\x10\x04\x01")
	if err := s.Unplug(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]net.Conn{"served": conn, "queued": queued} {
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: Read = %v, want a reset", name, err)
		}
	}
	if c, err := net.Dial("tcp", s.Addr()); err == nil {
		c.Close()
		t.Error("the port is still open")
	}
	if err := s.Unplug(); !errors.Is(err, sim.ErrUnplugged) {
		t.Errorf("the second Unplug = %v", err)
	}
}

func TestSocketPluggedAgain(t *testing.T) {
	t.Parallel()
	s := newSocket(t, newDesk().Thermal)
	addr := s.Addr()
	for range 20 {
		mustAsk(t, mustDial(t, addr), "\x10\x04\x01")
		if err := s.Unplug(); err != nil {
			t.Fatal(err)
		}
		if err := s.Plug(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Plug(); !errors.Is(err, sim.ErrPlugged) {
		t.Errorf("the second Plug = %v", err)
	}
	if got := mustAsk(t, mustDial(t, addr), "\x10\x04\x01"); got != 0x12 {
		t.Errorf("answer %x", got)
	}
}
