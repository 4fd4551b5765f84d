// Package unit asks systemd how the services of a borne are, restarts them, and
// restarts the machine; and it tells systemd how the program that uses it is.
// Both speak to what runs as process 1: over D-Bus, and over NOTIFY_SOCKET.
package unit

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/dbus"
	godbus "github.com/godbus/dbus/v5"
)

// Conn speaks with systemd and login1. It connects anew when the bus has gone
// away. It is safe for concurrent use.
type Conn struct {
	address string // of the bus; empty for the system's

	mu      sync.Mutex
	systemd *dbus.Conn
	bus     *godbus.Conn // for what go-systemd doesn't do, or does without an error
}

// Connect opens the system's bus: ErrBus where there is none.
func Connect(ctx context.Context) (*Conn, error) { return connect(ctx, "") }

func connect(ctx context.Context, address string) (*Conn, error) {
	c := &Conn{address: address}
	if _, _, err := c.open(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// Close ends the connection. A call after it connects anew.
func (c *Conn) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop()
}

func (c *Conn) drop() {
	if c.systemd != nil {
		c.systemd.Close()
	}
	if c.bus != nil {
		c.bus.Close()
	}
	c.systemd, c.bus = nil, nil
}

// open gives both connections, anew where one has gone.
func (c *Conn) open(ctx context.Context) (*dbus.Conn, *godbus.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.systemd != nil && c.systemd.Connected() && c.bus.Connected() {
		return c.systemd, c.bus, nil
	}
	c.drop()
	dial := func() (*godbus.Conn, error) { return dial(ctx, c.address) }
	var err error
	if c.bus, err = dial(); err != nil {
		return nil, nil, err
	}
	if c.systemd, err = dbus.NewConnection(dial); err != nil {
		c.drop()
		return nil, nil, err
	}
	return c.systemd, c.bus, nil
}

// dial opens one connection, which outlives ctx.
func dial(ctx context.Context, address string) (*godbus.Conn, error) {
	open := godbus.SystemBusPrivate
	if address != "" {
		open = func(opts ...godbus.ConnOption) (*godbus.Conn, error) { return godbus.Dial(address, opts...) }
	}
	conn, err := open()
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrBus, err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	// By number: a name would want the C library.
	err = conn.Auth([]godbus.Auth{godbus.AuthExternal(strconv.Itoa(os.Getuid()))})
	if err == nil {
		err = conn.Hello()
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("%w (%w)", ErrBus, err)
	}
	return conn, nil
}

// Restart starts a service again, or starts it where it doesn't run, and waits
// until it says that it is ready: ErrDenied where polkit forbids it, ErrFailed
// where it doesn't come up.
func (c *Conn) Restart(ctx context.Context, unit string) error {
	systemd, _, err := c.open(ctx)
	if err != nil {
		return err
	}
	ended := make(chan string, 1)
	if _, err := systemd.RestartUnitContext(ctx, unit, "replace", ended); err != nil {
		return explain(err, "relancer "+unit)
	}
	alive := time.NewTicker(time.Second) // go-systemd doesn't say when the bus goes
	defer alive.Stop()
	for {
		select {
		case result := <-ended:
			if result != "done" {
				return fmt.Errorf("%w : %s (%s). Voyez « journalctl -u %s »", ErrFailed, unit, result, unit)
			}
			return nil
		case <-alive.C:
			if !systemd.Connected() {
				return fmt.Errorf("%w pendant la relance de %s", ErrBus, unit)
			}
		case <-ctx.Done():
			return fmt.Errorf("relance de %s demandée, sans réponse : %w", unit, ctx.Err())
		}
	}
}
