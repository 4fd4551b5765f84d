package escpos_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"parvis/device"
	"parvis/device/printer"
	"parvis/device/printer/escpos"
	"parvis/device/transport"
)

// babble says a piece of what it was given each time it hears anything, and
// returns all it heard once the line is closed.
func babble(conn net.Conn, says []byte) []byte {
	defer conn.Close()
	var heard []byte
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		heard = append(heard, buf[:n]...)
		if err != nil {
			return heard
		}
		n = min(len(says), 1+n%5)
		if _, err := conn.Write(says[:n]); err != nil {
			continue // whoever left may still have said something
		}
		says = says[n:]
	}
}

// Whatever a printer says, Print and Status end, and no ticket is sent twice.
func FuzzPrint(f *testing.F) {
	f.Add([]byte("\x12\x12\x12\x00\x00"), false)
	f.Add([]byte("\x12\x12\x12\x00\x00\x10\x00\x00\x00\x16\x12\x12\x1e\x00\x00"), false)
	f.Add([]byte("\x10\x0f\x00\x00\x00\x00\x00\x10\x0f\x20\x00\x00\x00"), true)
	f.Add([]byte("\x1a\x32\x7e\x12\xff\x13"), false)
	f.Fuzz(func(t *testing.T, says []byte, custom bool) {
		name := "epson-tm-t20"
		if custom {
			name = "custom-vkp80"
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		heard := make(chan []byte)
		go func() {
			defer close(heard)
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				heard <- babble(conn, says)
			}
		}()
		p := escpos.New(transport.TCP(l.Addr().String()), escpos.Options{Model: mustLoad(t, name), Answer: 10 * time.Millisecond, Complete: 20 * time.Millisecond})
		done := make(chan int)
		go func() { // how often the ticket was sent
			n := 0
			for b := range heard {
				n += bytes.Count(b, []byte("TICKET"))
			}
			done <- n
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err = p.Print(ctx, printer.Document{Blocks: []printer.Block{printer.Text{Text: "TICKET"}, printer.Cut{}}})
		var e *printer.Error
		if err != nil && !errors.As(err, &e) {
			t.Errorf("Print = %v", err)
		}
		s, statusErr := p.Status(ctx)
		if statusErr != nil && s != (device.Status{}) {
			t.Errorf("Status = %+v, %v", s, statusErr)
		}
		if ctx.Err() != nil {
			t.Error("Print went on and on")
		}
		if err := errors.Join(p.Close(), l.Close()); err != nil {
			t.Fatal(err)
		}
		sent := <-done
		if sent > 1 || err == nil && sent != 1 || e != nil && e.Printed == printer.Nothing && sent != 0 {
			t.Errorf("Print = %v, and the ticket was sent %d times", err, sent)
		}
	})
}
