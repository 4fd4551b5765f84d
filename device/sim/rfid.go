package sim

import (
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

// RFIDModel is the reader that an RFID behaves as.
type RFIDModel string

// The readers of 125 kHz tags, under the names that a command line takes.
const (
	// RDM6300 says a card again and again for as long as it lies there.
	RDM6300 RFIDModel = "rdm6300"
	// ID12LA says a card once, with CR LF before the end of the frame.
	ID12LA RFIDModel = "id12la"
)

// RFID is a serial reader of 125 kHz tags. Its frames are 02, ten hexadecimal
// digits, the exclusive or of these five bytes in two more, and 03. That a card
// was taken away is silence.
type RFID struct {
	model RFIDModel

	mu      sync.Mutex
	wire    io.Writer
	frames  []string // of what lies there, said in turn
	stop    chan struct{}
	talking sync.WaitGroup
}

// again is how often an RDM6300 says a card.
const again = 65 * time.Millisecond

// NewRFID makes a reader with no card on it.
func NewRFID(m RFIDModel) *RFID { return &RFID{model: m} }

// Connect implements Device. A card that lies there when an ID-12LA gets its
// power is said anew.
func (r *RFID) Connect(wire io.Writer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wire = wire
	if r.model == ID12LA && len(r.frames) > 0 {
		r.say(r.frames[0])
	}
}

// Hear implements Device: the reader is deaf.
func (r *RFID) Hear([]byte) {}

// Work implements Device.
func (r *RFID) Work() {}

// RFIDOrders is what an RFID understands. A NUMBER is the one printed on the card,
// up to ten decimal digits, the ten hexadecimal digits of its tag after 0x, or
// city, mediator, ambassador, staff or unknown for those of the demonstration.
const RFIDOrders = "card NUMBER, two NUMBER NUMBER, half NUMBER, remove, noise, flood, status"

// Do implements Hand.
func (r *RFID) Do(order string) (string, error) {
	words := strings.Fields(order)
	if len(words) == 0 {
		words = []string{""}
	}
	var frames []string
	for _, number := range words[1:] {
		tag, err := parseTag(number)
		if err != nil {
			return "", err
		}
		frames = append(frames, r.frame(tag))
	}
	switch fmt.Sprintf("%s %d", words[0], len(frames)) {
	case "card 1":
		r.put(frames...)
	case "two 2":
		// Each spoils what the other says: the wrong sum, too long a frame.
		a, b := frames[0], frames[1]
		r.put(a, b, a[:11]+b[11:], a, b[:6]+a[3:])
	case "half 1":
		r.put()
		r.Say(frames[0][:len(frames[0])/2])
	case "remove 0":
		r.put()
	case "noise 0":
		r.Say("\x00\xff\x02\x7f1\x030G\x02\x02\xfe\x03\x8012\x00")
	case "flood 0":
		r.Say("\x02" + strings.Repeat("0", 64<<10))
	case "status 0":
		r.mu.Lock()
		defer r.mu.Unlock()
		return fmt.Sprintf("card=%t", len(r.frames) > 0), nil
	default:
		return "", fmt.Errorf("unknown order %q: say %s", order, RFIDOrders)
	}
	return "ok", nil
}

// tags are those of the demonstration site.
var tags = map[string]string{
	"city": "0x010063E9AE", "mediator": "0x100086F444", "ambassador": "0x0C00112233", "staff": "0x0A00C0FFEE", "unknown": "0x0D00ABCDEF",
}

// parseTag reads the five bytes of a tag. A printed number is the last four; the
// first, which tells the customer of the maker, is then 10.
func parseTag(number string) ([]byte, error) {
	if known, ok := tags[number]; ok {
		number = known
	}
	if digits, ok := strings.CutPrefix(number, "0x"); ok {
		tag, err := hex.DecodeString(digits)
		if err != nil || len(tag) != 5 {
			return nil, fmt.Errorf("tag %q: not ten hexadecimal digits after 0x", number)
		}
		return tag, nil
	}
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("card %q: not a number as printed on a card, such as 0008844356", number)
	}
	return []byte{0x10, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, nil
}

// frame is how the reader says a tag.
func (r *RFID) frame(tag []byte) string {
	var sum byte
	for _, b := range tag {
		sum ^= b
	}
	end := "\x03"
	if r.model == ID12LA {
		end = "\r\n\x03"
	}
	return fmt.Sprintf("\x02%X%02X%s", tag, sum, end)
}

// put lays something on the reader in place of what lies there; without frames,
// nothing.
func (r *RFID) put(frames ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stop != nil {
		close(r.stop)
		r.stop = nil
	}
	r.frames = frames
	if len(frames) == 0 {
		return
	}
	r.say(frames[0])
	if r.model == ID12LA && len(frames) == 1 {
		return
	}
	stop := make(chan struct{})
	r.stop = stop
	r.talking.Go(func() { r.repeat(frames, stop) })
}

// repeat says the frames after the first, and all of them again, until stop.
func (r *RFID) repeat(frames []string, stop <-chan struct{}) {
	tick := time.NewTicker(again)
	defer tick.Stop()
	for i := 1; ; i++ {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		r.mu.Lock()
		select {
		case <-stop:
		default:
			r.say(frames[i%len(frames)])
		}
		r.mu.Unlock()
	}
}

// Say sends s as it is, in between what the reader says.
func (r *RFID) Say(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.say(s)
}

func (r *RFID) say(s string) {
	if r.wire != nil {
		_, _ = io.WriteString(r.wire, s) // a reader does not know whether it is heard
	}
}

// Close takes away what lies there and waits until nothing is said of it any
// more.
func (r *RFID) Close() error {
	r.put()
	r.talking.Wait()
	return nil
}
