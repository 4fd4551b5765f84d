package sim

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// Slot is where a card is put on a virtual reader of vsmartcard's vpcd, a driver
// of pcscd that waits on a TCP port: whoever connects there is a card. pcscd
// looks every 400 ms whether a card has come or gone.
type Slot struct {
	addr string

	mu     sync.Mutex
	conn   net.Conn // nil while no card is there
	apdus  int
	served sync.WaitGroup
}

// ErrInserted and ErrRemoved refuse to do what is done.
var (
	ErrInserted = errors.New("a card is there already")
	ErrRemoved  = errors.New("no card is there")
)

// NewSlot makes the slot of a vpcd that waits at addr: "127.0.0.1:35963" for the
// first slot as Debian sets it up, one port further for the second. A PCSCD has
// its own slots.
func NewSlot(addr string) *Slot { return &Slot{addr: addr} }

// Insert puts a card in. Its error is ErrInserted where there is one.
func (s *Slot) Insert(c Card) error {
	if len(c.Text) > 800 {
		return fmt.Errorf("a text of %d bytes on a card: at most 800 fit", len(c.Text))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		return ErrInserted
	}
	conn, err := net.DialTimeout("tcp", s.addr, time.Second)
	if err != nil {
		return fmt.Errorf("insert a card: is pcscd running with vpcd (Debian package vsmartcard-vpcd)? %w", err)
	}
	s.conn, s.apdus = conn, 0
	s.served.Go(func() {
		_ = s.serve(conn, newSession(c)) // pcscd may go at any moment
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.conn == conn {
			s.conn = nil
		}
		conn.Close()
	})
	return nil
}

// Remove takes the card away. Its error is ErrRemoved where there is none.
func (s *Slot) Remove() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return ErrRemoved
	}
	err := s.conn.Close()
	s.conn = nil
	return err
}

// APDUs counts what the card was told, or the last one that was there: 0 proves
// that nothing was read of it.
func (s *Slot) APDUs() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.apdus
}

// Close removes the card, if any, and waits until it says nothing more.
func (s *Slot) Close() error {
	err := s.Remove()
	s.served.Wait()
	if errors.Is(err, ErrRemoved) {
		return nil
	}
	return err
}

// CardOrders is what a Slot understands.
const CardOrders = "insert KIND, insert UID, remove, status"

// Do implements Hand.
func (s *Slot) Do(order string) (string, error) {
	words := strings.Fields(order)
	switch {
	case len(words) == 2 && words[0] == "insert":
		c, err := NewCard(words[1])
		if err != nil {
			return "", err
		}
		return "ok", s.Insert(c)
	case len(words) == 1 && words[0] == "remove":
		return "ok", s.Remove()
	case len(words) == 1 && words[0] == "status":
		s.mu.Lock()
		defer s.mu.Unlock()
		return fmt.Sprintf("inserted=%t apdus=%d", s.conn != nil, s.apdus), nil
	}
	return "", fmt.Errorf("unknown order %q: say %s; KIND is %s", order, CardOrders, strings.Join(CardNames(), ", "))
}

// askATR is the only message of a single byte that is answered; 0 is off, 1 on and 2
// reset.
const askATR = 4

// serve speaks vpcd's language: each message has its length in front, in two
// bytes, the higher one first.
func (s *Slot) serve(conn io.ReadWriter, card *session) error {
	for {
		message, err := readMessage(conn)
		if err != nil {
			return err
		}
		var answer []byte
		switch {
		case len(message) == 0:
			continue
		case len(message) == 1 && message[0] == askATR:
			answer = card.card.ATR
		case len(message) == 1:
			card.reset()
			continue
		default:
			s.mu.Lock()
			s.apdus++
			s.mu.Unlock()
			answer = card.do(message)
		}
		framed := binary.BigEndian.AppendUint16(nil, uint16(len(answer)))
		if _, err := conn.Write(append(framed, answer...)); err != nil {
			return err
		}
	}
}

func readMessage(r io.Reader) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	message := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(r, message)
	return message, err
}
