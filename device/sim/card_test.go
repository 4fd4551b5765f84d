package sim

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"
)

// A text too long for the short forms of NDEF and of the tag comes out whole.
func TestLongTextOnATag(t *testing.T) {
	for _, n := range []int{1, 100, 137, 138, 250, 251, 252, 253, 300, 480, 490, 800} {
		text := strings.Repeat("x", n)
		for _, tag := range []Tag{TypeTwo, TypeFour} {
			s := newSession(Card{UID: []byte{4, 1, 2, 3, 4, 5, 6}, Tag: tag, Text: text})
			var all []byte
			if tag == TypeFour {
				s.do(unhex("00A4040007D2760000850101"))
				s.do(unhex("00A4000C02E104"))
			}
			for at := 0; ; at += 16 {
				apdu := []byte{0xFF, 0xB0, 0, byte(at / 4), 16}
				if tag == TypeFour {
					apdu = []byte{0, 0xB0, byte(at >> 8), byte(at), 16}
				}
				answer := s.do(apdu)
				if bytes.Equal(answer, swBeyond) {
					break
				}
				part, ok := bytes.CutSuffix(answer, swDone)
				if !ok {
					t.Fatalf("%d bytes, tag %d: %X answers %X", n, tag, apdu, answer)
				}
				all = append(all, part...)
			}
			if !bytes.Contains(all, []byte("T\x02fr"+text)) {
				t.Errorf("%d bytes, tag %d: not there", n, tag)
			}
			if tag == TypeTwo && len(all) != 16+8*int(all[14]) {
				t.Errorf("%d bytes: the tag says it has room for %d and has %d", n, 8*int(all[14]), len(all)-16)
			}
		}
	}
}

// Whatever vpcd says, each APDU is answered by at least the two bytes at its end,
// and nothing else is.
func FuzzCard(f *testing.F) {
	f.Add([]byte("\x00\x01\x04\x00\x01\x01\x00\x05\xff\xca\x00\x00\x00\x00\x01\x00"), byte(0))
	f.Add([]byte("\x00\x0d\x00\xa4\x04\x00\x07\xd2\x76\x00\x00\x85\x01\x01\x00\x00\x07\x00\xa4\x00\x0c\x02\xe1\x04\x00\x05\x00\xb0\x00\x00\xff"), byte(2))
	f.Add([]byte("\x00\x05\xff\xb0\xff\xff\x10\x00\x00\x00\x02\x00\x00\xff\xff"), byte(1))
	f.Fuzz(func(t *testing.T, said []byte, kind byte) {
		p := presets[int(kind)%len(presets)]
		var answers bytes.Buffer
		slot := NewSlot("")
		err := slot.serve(struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(said), &answers}, newSession(p.card))
		if err == nil {
			t.Fatal("it ended before its messages")
		}
		asked := 0
		for rest := said; len(rest) >= 2; asked++ {
			n := 2 + int(binary.BigEndian.Uint16(rest))
			if len(rest) < n {
				break
			}
			if n <= 3 && (n < 3 || rest[2] != askATR) {
				asked--
			}
			rest = rest[n:]
		}
		for answers.Len() > 0 {
			answer, err := readMessage(&answers)
			if err != nil || len(answer) < 2 {
				t.Fatalf("answer %X, %v", answer, err)
			}
			asked--
		}
		if asked != 0 {
			t.Errorf("%d questions without an answer", asked)
		}
	})
}
