package sim

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
)

// Desk takes orders, one a line, for a printer and its cable.
type Desk struct {
	Thermal *Thermal
	Cable   *Cable
}

// Orders is what a desk understands.
const Orders = "paper in|low|out, cover open|close, error cutter|fatal|off, silent on|off, unplug, plug, status, after DOTS ORDER"

// Do carries out one order and returns the answer: "ok", or for "status" one
// line about the printer.
func (d *Desk) Do(order string) (string, error) {
	word, rest, _ := strings.Cut(strings.TrimSpace(order), " ")
	rest = strings.TrimSpace(rest)
	switch word + " " + rest {
	case "paper in", "paper low", "paper out":
		d.Thermal.SetPaper(Paper(rest))
	case "cover open", "cover close":
		d.Thermal.SetCover(rest == "open")
	case "error cutter", "error fatal", "error off":
		d.Thermal.SetFault(Fault(rest))
	case "silent on", "silent off":
		d.Thermal.SetSilent(rest == "on")
	case "plug ":
		return "ok", d.Cable.Plug()
	case "unplug ":
		return "ok", d.Cable.Unplug()
	case "status ":
		return d.Thermal.String(), nil
	default:
		if word != "after" {
			return "", fmt.Errorf("unknown order %q: say %s", order, Orders)
		}
		return "ok", d.after(rest)
	}
	return "ok", nil
}

func (d *Desk) after(rest string) error {
	dots, order, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(dots)
	if err != nil || n < 1 || order == "" {
		return fmt.Errorf("after %q: say after DOTS ORDER", rest)
	}
	d.Thermal.After(n, func() {
		_, _ = d.Do(order) // nobody is left to hear of it
	})
	return nil
}

// Obey reads orders from r and writes an answer a line to w, until r ends.
func (d *Desk) Obey(r io.Reader, w io.Writer) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		answer, err := d.Do(lines.Text())
		if err != nil {
			answer = "error: " + err.Error()
		}
		if _, err := fmt.Fprintln(w, answer); err != nil {
			return err
		}
	}
	return lines.Err()
}

// Serve takes orders from whoever connects to l, until ctx ends. It closes l.
func (d *Desk) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var guests sync.WaitGroup
	defer guests.Wait()
	defer cancel()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		guests.Go(func() {
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			_ = d.Obey(conn, conn) // a guest may leave at any moment
		})
	}
}
