package transport_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"parvis/device/transport"
)

func TestFlowControlIsSet(t *testing.T) {
	for flow, want := range map[transport.Flow]struct{ rts, xon bool }{
		transport.FlowNone: {}, transport.FlowRTS: {rts: true}, transport.FlowXON: {xon: true},
	} {
		t.Run("flow "+string(flow), func(t *testing.T) {
			_, slave := openPty(t)
			l, err := transport.ForPort(slave.Name(), 9600, transport.WithFlow(flow))(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			set, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
			if err != nil {
				t.Fatal(err)
			}
			if got := set.Cflag&unix.CRTSCTS != 0; got != want.rts {
				t.Errorf("CRTSCTS is %t", got)
			}
			if got := set.Iflag&unix.IXON != 0; got != want.xon {
				t.Errorf("IXON is %t", got)
			}
			if set.Iflag&(unix.IXOFF|unix.IXANY) != 0 || set.Lflag&unix.ICANON != 0 {
				t.Errorf("flags %x, %x", set.Iflag, set.Lflag)
			}
		})
	}
	_, slave := openPty(t)
	if l, err := transport.Serial(slave.Name(), 9600, transport.WithFlow("dsr"))(t.Context()); err == nil {
		l.Close()
		t.Error("an unknown flow control was taken")
	}
}

// A printer that says XOFF gets nothing before it says XON.
func TestXOFFHoldsTheLine(t *testing.T) {
	master, slave := openPty(t)
	l, err := transport.OpenSerial(slave.Name(), 115200, transport.WithFlow(transport.FlowXON))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := master.Write([]byte{0x13}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Read(within(t, 50*time.Millisecond), make([]byte, 1)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Read = %v: XOFF is no data", err)
	}
	if n, err := l.Write(within(t, 100*time.Millisecond), []byte("ticket")); n != 0 || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Write = %d, %v while the printer holds us up", n, err)
	}
	if _, err := master.Write([]byte{0x11}); err != nil {
		t.Fatal(err)
	}
	if n, err := l.Write(within(t, 2*time.Second), []byte("ticket")); n != 6 || err != nil {
		t.Fatalf("Write = %d, %v", n, err)
	}
	got := make([]byte, 6)
	if _, err := io.ReadFull(master, got); err != nil || string(got) != "ticket" {
		t.Errorf("the printer got %q, %v", got, err)
	}
}
