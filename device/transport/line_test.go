package transport_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"parvis/device/transport"
)

// far is the device's end of a line.
type far struct {
	io.ReadWriteCloser
	opener transport.Opener
}

// kinds opens one of each line. A pty in raw mode stands for /dev/usb/lp0: a
// character device that is polled, read and written without being set up.
var kinds = map[string]func(*testing.T) far{
	"serial": func(t *testing.T) far {
		master, slave := rawPty(t)
		return far{master, transport.Serial(slave, 115200)}
	},
	"file": func(t *testing.T) far {
		master, slave := rawPty(t)
		return far{master, transport.File(slave)}
	},
	"tcp": func(t *testing.T) far {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		conn := make(chan net.Conn, 1)
		go func() {
			if c, err := l.Accept(); err == nil {
				conn <- c
			}
		}()
		peer := &later{conn: conn}
		t.Cleanup(func() { peer.Close() })
		return far{peer, func(ctx context.Context) (transport.Line, error) {
			line, err := transport.TCP(l.Addr().String())(ctx)
			if err == nil {
				peer.accept()
			}
			return line, err
		}}
	},
}

// later is a connection that is there once the line was opened.
type later struct {
	conn chan net.Conn
	net.Conn
}

func (l *later) accept() { l.Conn = <-l.conn }

func (l *later) Close() error {
	if l.Conn == nil {
		return nil
	}
	return l.Conn.Close()
}

// rawPty returns the master of a pty and the path of its slave, which only the
// line will hold open.
func rawPty(t *testing.T) (master *os.File, path string) {
	t.Helper()
	master, slave := openPty(t)
	if err := unix.IoctlSetTermios(int(slave.Fd()), unix.TCSETS, &unix.Termios{Cflag: unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200}); err != nil {
		t.Fatal(err)
	}
	return master, slave.Name()
}

func (f far) mustOpen(t *testing.T) transport.Line {
	t.Helper()
	l, err := f.opener(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func eachKind(t *testing.T, test func(t *testing.T, f far)) {
	for name, open := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func TestLineCarriesEveryByte(t *testing.T) {
	eachKind(t, func(t *testing.T, f far) {
		l := f.mustOpen(t)
		all := make([]byte, 256)
		for i := range all {
			all[i] = byte(i)
		}
		if n, err := l.Write(within(t, time.Second), all); n != 256 || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
		got := make([]byte, 256)
		if _, err := io.ReadFull(f, got); err != nil || !bytes.Equal(got, all) {
			t.Fatalf("the device read %x, %v", got, err)
		}
		if _, err := f.Write(all); err != nil {
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
			t.Errorf("the line read %x", got)
		}
	})
}

// A Print must not wait for whoever reads.
func TestLineReadEndsAtOnceWithItsContext(t *testing.T) {
	eachKind(t, func(t *testing.T, f far) {
		l := f.mustOpen(t)
		longest := time.Duration(0)
		for range 50 {
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan time.Time, 1)
			time.AfterFunc(2*time.Millisecond, func() { ended <- time.Now(); cancel() })
			_, err := l.Read(ctx, make([]byte, 1))
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("Read = %v, want the context's error", err)
			}
			longest = max(longest, time.Since(<-ended))
		}
		// 50 ms is what a poll from time to time would need, again and again.
		if longest > 40*time.Millisecond {
			t.Errorf("Read went on for %v", longest)
		}
		// The end of one context is not that of the next.
		if _, err := f.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if n, err := l.Read(within(t, time.Second), make([]byte, 1)); n != 1 || err != nil {
			t.Errorf("Read = %d, %v", n, err)
		}
	})
}

func TestLineWriteDoesNotHangOnADeviceThatReadsNothing(t *testing.T) {
	eachKind(t, func(t *testing.T, f far) {
		l := f.mustOpen(t)
		huge := make([]byte, 16<<20)
		n, err := l.Write(within(t, 200*time.Millisecond), huge)
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
	})
}

func TestLineNoticesItsLoss(t *testing.T) {
	uses := map[string]func(context.Context, transport.Line) error{
		"read": func(ctx context.Context, l transport.Line) error {
			_, err := l.Read(ctx, make([]byte, 1))
			return err
		},
		"write": func(ctx context.Context, l transport.Line) error {
			for { // TCP learns it from the answer to the first bytes
				if _, err := l.Write(ctx, []byte("x")); err != nil {
					return err
				}
			}
		},
	}
	for kind, open := range kinds {
		for use, do := range uses {
			t.Run(kind+" before a "+use, func(t *testing.T) {
				t.Parallel()
				f := open(t)
				l := f.mustOpen(t)
				f.Close()
				if err := do(within(t, 2*time.Second), l); !errors.Is(err, transport.ErrGone) {
					t.Errorf("error = %v, want ErrGone", err)
				}
			})
			t.Run(kind+" amid a "+use, func(t *testing.T) {
				t.Parallel()
				f := open(t)
				l := f.mustOpen(t)
				ctx := within(t, 5*time.Second)
				if use == "write" { // until the line is full, so that Write waits
					if _, err := l.Write(within(t, 100*time.Millisecond), make([]byte, 16<<20)); !errors.Is(err, context.DeadlineExceeded) {
						t.Fatal(err)
					}
				}
				failed := make(chan error, 1)
				go func() { failed <- do(ctx, l) }()
				start := time.Now()
				f.Close()
				if err := <-failed; !errors.Is(err, transport.ErrGone) {
					t.Errorf("error = %v, want ErrGone", err)
				}
				if d := time.Since(start); d > time.Second {
					t.Errorf("the loss took %v to notice", d)
				}
			})
		}
		t.Run(kind+" in Discard", func(t *testing.T) {
			t.Parallel()
			f := open(t)
			l := f.mustOpen(t)
			f.Close()
			if err := l.Discard(); !errors.Is(err, transport.ErrGone) {
				t.Errorf("Discard = %v, want ErrGone", err)
			}
		})
	}
}

func TestLineDiscardForgetsWhatCame(t *testing.T) {
	eachKind(t, func(t *testing.T, f far) {
		l := f.mustOpen(t)
		if _, err := io.WriteString(f, "old"); err != nil {
			t.Fatal(err)
		}
		if n, err := l.Read(within(t, time.Second), make([]byte, 1)); n != 1 || err != nil {
			t.Fatalf("Read = %d, %v", n, err)
		}
		if err := l.Discard(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, "new"); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 8)
		n, err := l.Read(within(t, time.Second), buf)
		if err != nil || buf[0] != 'n' {
			t.Errorf("Read = %q, %v, want the new bytes", buf[:n], err)
		}
	})
}

func TestFileIsForOneProgram(t *testing.T) {
	_, path := rawPty(t)
	first, err := transport.File(path)(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if second, err := transport.File(path)(t.Context()); err == nil {
		second.Close()
		t.Error("opened twice")
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := transport.File(path)(t.Context())
	if err != nil {
		t.Fatalf("not opened again: %v", err)
	}
	again.Close()
}

func TestForPort(t *testing.T) {
	master, path := rawPty(t)
	link := filepath.Join(t.TempDir(), "imprimante")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	opened := func(port string) transport.Line {
		line, err := transport.ForPort(port, 9600)(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := line.Close(); err != nil {
			t.Errorf("%s: Close = %v", port, err)
		}
		return line
	}
	if _, ok := opened(link).(*transport.SerialLine); !ok {
		t.Error("a link to a tty is no serial line")
	}
	if _, ok := opened("tcp://" + l.Addr().String()).(*transport.TCPLine); !ok {
		t.Error("an address is no TCP line")
	}
	if _, ok := opened("/dev/null").(*transport.FileLine); !ok {
		t.Error("a device that is no tty is no file line")
	}
	for _, wrong := range []string{file, filepath.Join(t.TempDir(), "none"), "tcp://127.0.0.1"} {
		if line, err := transport.ForPort(wrong, 9600)(t.Context()); err == nil {
			line.Close()
			t.Errorf("%s: opened", wrong)
		}
	}
	// The name may stand for something else by the next time.
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/null", link); err != nil {
		t.Fatal(err)
	}
	if _, ok := opened(link).(*transport.FileLine); !ok {
		t.Error("the name still leads to the old device")
	}
	master.Close()
}

// Not parallel: it counts what the whole process holds.
func TestLinesLeaveNothingBehind(t *testing.T) {
	for kind, open := range kinds {
		t.Run(kind, func(t *testing.T) {
			var files, routines int
			for i := range 30 {
				if i == 1 {
					files, routines = openFiles(t), runtime.NumGoroutine()
				}
				t.Run("", func(t *testing.T) { // closes the far end as well
					f := open(t)
					l := f.mustOpen(t)
					if _, err := l.Read(within(t, time.Millisecond), make([]byte, 1)); !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("Read = %v", err)
					}
					if _, err := l.Write(within(t, time.Second), []byte("x")); err != nil {
						t.Errorf("Write = %v", err)
					}
					if err := errors.Join(l.Close(), l.Close()); err != nil {
						t.Errorf("Close = %v", err)
					}
				})
			}
			if n := openFiles(t); n > files {
				t.Errorf("%d open files, %d before", n, files)
			}
			deadline := time.Now().Add(2 * time.Second)
			for runtime.NumGoroutine() > routines && time.Now().Before(deadline) {
				time.Sleep(time.Millisecond)
			}
			if n := runtime.NumGoroutine(); n > routines {
				t.Errorf("%d goroutines, %d before", n, routines)
			}
		})
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
