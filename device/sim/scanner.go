package sim

import (
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"sync"
)

// Scanner is a serial reader of barcodes and QR codes: for each code it says a
// prefix, what the code says, and a suffix.
type Scanner struct {
	prefix, suffix string

	mu   sync.Mutex
	wire io.Writer
}

// NewScanner makes a scanner. The suffix of most is a carriage return.
func NewScanner(prefix, suffix string) *Scanner { return &Scanner{prefix: prefix, suffix: suffix} }

// Connect implements Device.
func (s *Scanner) Connect(wire io.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wire = wire
}

// Hear implements Device: the scanner is deaf.
func (s *Scanner) Hear([]byte) {}

// Work implements Device.
func (s *Scanner) Work() {}

// ScannerOrders is what a Scanner understands.
const ScannerOrders = "scan TEXT, scan-raw HEX, noise, long, flood"

// Do implements Hand.
func (s *Scanner) Do(order string) (string, error) {
	word, rest, _ := strings.Cut(strings.TrimSpace(order), " ")
	switch {
	case word == "scan" && rest != "":
		s.Scan(rest)
	case word == "scan-raw" && rest != "":
		raw, err := hex.DecodeString(strings.ReplaceAll(rest, " ", ""))
		if err != nil {
			return "", fmt.Errorf("scan-raw: not hexadecimal: %w", err)
		}
		s.Say(string(raw))
	case word == "noise" && rest == "":
		s.Say("\x00\xff\x1b[A\x7f\x80\x01" + s.suffix)
	case word == "long" && rest == "":
		s.Scan(strings.Repeat("0123456789", 800))
	case word == "flood" && rest == "":
		s.Say(strings.Repeat("0", 64<<10))
	case word == "status" && rest == "":
		return "", nil // there is nothing to say of it
	default:
		return "", fmt.Errorf("unknown order: say %s", ScannerOrders)
	}
	return "ok", nil
}

// Scan shows the scanner a code.
func (s *Scanner) Scan(text string) { s.Say(s.prefix + text + s.suffix) }

// Say sends text as it is, without prefix or suffix.
func (s *Scanner) Say(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wire != nil {
		_, _ = io.WriteString(s.wire, text) // a scanner does not know whether it is heard
	}
}
