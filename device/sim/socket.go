package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
)

// Socket joins a device to a TCP port, as a network printer's interface does on
// port 9100. As with Epson's UB-E interfaces one client is served at a time: the
// next may connect, but nothing it sends is read before the first has left.
// Socket is a Line.
type Socket struct {
	device Device

	mu       sync.Mutex
	addr     string
	listener net.Listener // nil while unplugged
	client   net.Conn
	served   sync.WaitGroup
}

// NewSocket makes a socket, not plugged in yet, at an address such as
// "127.0.0.1:9100". Port 0 is any free one, and then always the same.
func NewSocket(addr string, device Device) *Socket {
	return &Socket{addr: addr, device: device}
}

// Addr is where the device is found. It holds the port once the socket was
// plugged in.
func (s *Socket) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

// Plug opens the port.
func (s *Socket) Plug() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		return ErrPlugged
	}
	if host, ok := strings.CutSuffix(s.addr, ":0"); ok {
		// Not one of those that an outgoing connection could take while
		// the socket is unplugged.
		port, err := freePorts(1)
		if err != nil {
			return err
		}
		s.addr = fmt.Sprintf("%s:%d", host, port)
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", s.addr)
	if err != nil {
		return fmt.Errorf("open a TCP port: %w", err)
	}
	s.listener = l
	s.served.Go(func() { s.serve(l) })
	return nil
}

// serve takes one client after the other.
func (s *Socket) serve(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return // unplugged: nothing else closes the listener
		}
		if !s.take(l, conn) {
			conn.Close()
			return
		}
		carry(conn, s.device)
		s.leave(conn)
	}
}

// take connects the device to a client, unless the socket was unplugged
// meanwhile.
func (s *Socket) take(l net.Listener, conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != l {
		return false
	}
	s.client = conn
	s.device.Connect(patient{conn})
	return true
}

func (s *Socket) leave(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == conn {
		s.device.Connect(nil)
		s.client = nil
	}
	conn.Close()
}

// Unplug closes the port and resets the connection.
func (s *Socket) Unplug() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return ErrUnplugged
	}
	err := s.listener.Close()
	if s.client != nil {
		s.device.Connect(nil)
		if tcp, ok := s.client.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a client that has left is reset already
		}
		err = errors.Join(err, s.client.Close())
	}
	s.listener, s.client = nil, nil
	return err
}

// Plugged says whether the port is open.
func (s *Socket) Plugged() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listener != nil
}

// Close unplugs the socket and waits until it carries nothing more.
func (s *Socket) Close() error {
	err := s.Unplug()
	s.served.Wait()
	if errors.Is(err, ErrUnplugged) {
		return nil
	}
	return err
}
