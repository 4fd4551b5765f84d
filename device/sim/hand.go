package sim

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
)

// Hand carries out orders in plain words, such as "paper out".
type Hand interface {
	// Do returns the answer: "ok", or what was asked for, in one line.
	Do(order string) (string, error)
}

// Obey reads orders from r, one a line, and writes an answer a line to w, until r
// ends.
func Obey(h Hand, r io.Reader, w io.Writer) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		answer, err := h.Do(lines.Text())
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
func Serve(ctx context.Context, l net.Listener, h Hand) error {
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
			_ = Obey(h, conn, conn) // a guest may leave at any moment
		})
	}
}

// Wired takes the orders "plug" and "unplug" for a line, and all others for the
// device at its end. To "status" it adds whether the line is plugged in.
type Wired struct {
	Device Hand
	Line   Line
}

// Do implements Hand.
func (w Wired) Do(order string) (string, error) {
	switch strings.TrimSpace(order) {
	case "plug":
		return "ok", w.Line.Plug()
	case "unplug":
		return "ok", w.Line.Unplug()
	case "status":
		status, err := w.Device.Do(order)
		return strings.TrimSpace(fmt.Sprintf("plugged=%t %s", w.Line.Plugged(), status)), err
	}
	return w.Device.Do(order)
}

// Bench is all the devices of a desk by their names. Its orders begin with the
// name: "printer paper out".
type Bench map[string]Hand

// Do implements Hand.
func (b Bench) Do(order string) (string, error) {
	name, rest, _ := strings.Cut(strings.TrimSpace(order), " ")
	h, ok := b[name]
	if !ok {
		return "", fmt.Errorf("unknown device %q: say %s, and then an order", name, strings.Join(slices.Sorted(maps.Keys(b)), ", "))
	}
	return h.Do(strings.TrimSpace(rest))
}
