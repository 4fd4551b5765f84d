package transport_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/creack/pty"

	"parvis/device/transport"
)

func openPty(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close(); slave.Close() })
	return master, slave
}

func mustOpen(t *testing.T, path string) *transport.SerialLine {
	t.Helper()
	l, err := transport.OpenSerial(path, 115200)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestSerialCarriesEveryByte(t *testing.T) {
	master, slave := openPty(t)
	l := mustOpen(t, slave.Name())
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	if n, err := l.Write(within(t, time.Second), all); n != 256 || err != nil {
		t.Fatalf("Write = %d, %v", n, err)
	}
	got := make([]byte, 256)
	if _, err := io.ReadFull(master, got); err != nil || !bytes.Equal(got, all) {
		t.Fatalf("master read %x, %v", got, err)
	}
	if _, err := master.Write(all); err != nil {
		t.Fatal(err)
	}
	got = got[:0]
	for buf := make([]byte, 64); len(got) < 256; {
		n, err := l.Read(within(t, time.Second), buf)
		if err != nil {
			t.Fatalf("Read after %d bytes: %v", len(got), err)
		}
		got = append(got, buf[:n]...)
	}
	if !bytes.Equal(got, all) {
		t.Errorf("line read %x", got)
	}
}

func TestSerialReadEndsWithItsContext(t *testing.T) {
	_, slave := openPty(t)
	l := mustOpen(t, slave.Name())
	start := time.Now()
	_, err := l.Read(within(t, 150*time.Millisecond), make([]byte, 1))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Read = %v, want the context's error", err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("Read took %v", d)
	}
}

func TestSerialWriteDoesNotHangOnAFullLine(t *testing.T) {
	_, slave := openPty(t)
	l := mustOpen(t, slave.Name())
	huge := make([]byte, 1<<20) // nobody reads, and a pty holds far less
	n, err := l.Write(within(t, 300*time.Millisecond), huge)
	if !errors.Is(err, context.DeadlineExceeded) || n == 0 || n == len(huge) {
		t.Errorf("Write = %d, %v", n, err)
	}
	start := time.Now()
	if err := l.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("Close took %v", d)
	}
}

func TestSerialNoticesTheLossOfTheLine(t *testing.T) {
	for name, use := range map[string]func(context.Context, *transport.SerialLine) error{
		"read": func(ctx context.Context, l *transport.SerialLine) error {
			_, err := l.Read(ctx, make([]byte, 1))
			return err
		},
		"write": func(ctx context.Context, l *transport.SerialLine) error {
			_, err := l.Write(ctx, []byte("x"))
			return err
		},
		"discard": func(_ context.Context, l *transport.SerialLine) error { return l.Discard() },
	} {
		t.Run(name, func(t *testing.T) {
			master, slave := openPty(t)
			l := mustOpen(t, slave.Name())
			slave.Close()
			master.Close()
			if err := use(within(t, 2*time.Second), l); !errors.Is(err, transport.ErrGone) {
				t.Errorf("error = %v, want ErrGone", err)
			}
		})
	}
}

func TestSerialLossAmidReadIsNoticedAtOnce(t *testing.T) {
	master, slave := openPty(t)
	l := mustOpen(t, slave.Name())
	ctx := within(t, 5*time.Second)
	failed := make(chan error, 1)
	go func() {
		_, err := l.Read(ctx, make([]byte, 1))
		failed <- err
	}()
	slave.Close()
	start := time.Now()
	master.Close()
	if err := <-failed; !errors.Is(err, transport.ErrGone) {
		t.Errorf("Read = %v, want ErrGone", err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("the loss took %v to notice", d)
	}
}

func TestSerialDiscardForgetsWhatCame(t *testing.T) {
	master, slave := openPty(t)
	l := mustOpen(t, slave.Name())
	if _, err := master.WriteString("old"); err != nil {
		t.Fatal(err)
	}
	if n, err := l.Read(within(t, time.Second), make([]byte, 1)); n != 1 || err != nil {
		t.Fatalf("Read = %d, %v", n, err)
	}
	if err := l.Discard(); err != nil {
		t.Fatal(err)
	}
	if _, err := master.WriteString("new"); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 8)
	n, err := l.Read(within(t, time.Second), buf)
	if err != nil || buf[0] != 'n' {
		t.Errorf("Read = %q, %v, want the new bytes", buf[:n], err)
	}
}

func TestOpenSerialRefuses(t *testing.T) {
	t.Run("a path that is not there", func(t *testing.T) {
		if _, err := transport.OpenSerial(filepath.Join(t.TempDir(), "none"), 9600); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("error = %v", err)
		}
	})
	t.Run("a file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := transport.OpenSerial(path, 9600); err == nil {
			t.Error("opened")
		}
	})
	t.Run("a speed that does not exist", func(t *testing.T) {
		_, slave := openPty(t)
		if _, err := transport.OpenSerial(slave.Name(), 12345); err == nil {
			t.Error("opened")
		}
	})
	t.Run("a line in use, until it is closed", func(t *testing.T) {
		_, slave := openPty(t)
		first := mustOpen(t, slave.Name())
		if second, err := transport.OpenSerial(slave.Name(), 9600); err == nil {
			second.Close()
			t.Fatal("opened twice")
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := transport.OpenSerial(slave.Name(), 9600)
		if err != nil {
			t.Fatalf("not opened again: %v", err)
		}
		again.Close()
	})
}
