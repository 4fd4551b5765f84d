package sim

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Tag is how a contactless card keeps its NDEF message.
type Tag int

// The kinds of tags.
const (
	NoTag    Tag = iota // none
	TypeTwo             // pages of memory, read with FF B0: NTAG21x
	TypeFour            // files, selected and read as on a contact card
)

// Card is a smart card as a PC/SC reader shows it.
type Card struct {
	ATR []byte
	// UID is what FF CA 00 00 gives. Without one the card has contacts, and
	// refuses whatever it is told.
	UID  []byte
	Tag  Tag
	Text string // of the NDEF message, in French; at most 800 bytes
}

// The answers at the end of what a card says, after ISO 7816-4.
var (
	swDone       = []byte{0x90, 0x00}
	swNoFile     = []byte{0x6A, 0x82}
	swNotAllowed = []byte{0x69, 0x86}
	swBeyond     = []byte{0x6B, 0x00}
	swLength     = []byte{0x67, 0x00}
	swNoCommand  = []byte{0x6D, 0x00}
	swNoClass    = []byte{0x6E, 0x00}
	swNoFunction = []byte{0x6A, 0x81}
)

// The ATRs that readers make up for contactless cards, after part 3 of PC/SC:
// of an Ultralight or NTAG, and of a card that says nothing of itself.
var (
	atrTypeTwo  = unhex("3B8F8001804F0CA0000003060300030000000068")
	atrTypeFour = unhex("3B80800101")
)

// presets are the cards of a city, and those that are not its own. The ATR of
// the carte Vitale is one of those in smartcard_list.txt of pcsc-tools.
var presets = []struct {
	name string
	card Card
}{
	{"city", Card{ATR: atrTypeTwo, UID: unhex("04A23F1B5C6480"), Tag: TypeTwo, Text: "Carte de la ville"}},
	{"mediator", Card{ATR: atrTypeTwo, UID: unhex("04B1770A5C6481"), Tag: TypeTwo, Text: "Médiation numérique"}},
	{"ambassador", Card{ATR: atrTypeTwo, UID: unhex("04B2660A5C6483"), Tag: TypeTwo, Text: "Ambassade numérique"}},
	{"staff", Card{ATR: atrTypeFour, UID: unhex("04C0DE0A5C6482"), Tag: TypeFour, Text: "Agent"}},
	{"unknown", Card{ATR: atrTypeFour, UID: unhex("08D1E2F3")}},
	{"vitale", Card{ATR: unhex("3B 75 13 00 00 44 09 EA 90 00")}},
	{"contact", Card{ATR: unhex("3B6500002063CBA000")}}, // a bank's
}

// unhex reads hexadecimal that is part of the program.
func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// CardNames lists the cards that NewCard knows by name.
func CardNames() []string {
	var names []string
	for _, p := range presets {
		names = append(names, p.name)
	}
	return names
}

// NewCard gives a card of CardNames, or, for hexadecimal such as 04A23F1B5C6480,
// a contactless card of this UID with nothing on it.
func NewCard(kind string) (Card, error) {
	for _, p := range presets {
		if p.name == kind {
			return p.card, nil
		}
	}
	uid, err := hex.DecodeString(kind)
	if err != nil || !slices.Contains([]int{4, 7, 10}, len(uid)) {
		return Card{}, fmt.Errorf("card %q: say %s, or a UID of 4, 7 or 10 bytes in hexadecimal", kind, strings.Join(CardNames(), ", "))
	}
	return Card{ATR: atrTypeFour, UID: uid}, nil
}

// session is a card with power on: what it has been told so far counts.
type session struct {
	card     Card
	memory   []byte // of a type 2 tag
	ndef     []byte // the file of a type 4 tag, after its length
	selected bool   // the NDEF application
	file     []byte
}

func newSession(c Card) *session {
	s := &session{card: c}
	message := ndefText(c.Text)
	switch c.Tag {
	case TypeTwo:
		s.memory = pagesOf(c.UID, message)
	case TypeFour:
		s.ndef = append([]byte{byte(len(message) >> 8), byte(len(message))}, message...)
	}
	return s
}

// reset forgets what the card was told, as when its power goes.
func (s *session) reset() { s.selected, s.file = false, nil }

// do answers one APDU.
func (s *session) do(apdu []byte) []byte {
	switch {
	case len(apdu) < 4:
		return swLength
	case s.card.UID == nil && apdu[0] != 0:
		return swNoClass
	case s.card.UID == nil:
		return swNoCommand
	case apdu[0] == 0xFF:
		return s.reader(apdu)
	case apdu[0] != 0:
		return swNoClass
	case s.card.Tag != TypeFour:
		return swNoCommand
	}
	switch apdu[1] {
	case 0xA4:
		return s.choose(apdu)
	case 0xB0:
		if s.file == nil {
			return swNotAllowed
		}
		return cutOut(s.file, int(apdu[2])<<8|int(apdu[3]), apdu[4:], 0xFF)
	}
	return swNoCommand
}

// reader answers what is for the reader: the UID, and pages of a tag.
func (s *session) reader(apdu []byte) []byte {
	switch {
	case apdu[1] == 0xCA && apdu[2] == 0 && apdu[3] == 0:
		return append(bytes.Clone(s.card.UID), swDone...)
	case apdu[1] == 0xCA:
		return swNoFunction
	case apdu[1] == 0xB0 && s.memory != nil:
		return cutOut(s.memory, 4*(int(apdu[2])<<8|int(apdu[3])), apdu[4:], 16)
	}
	return swNoCommand
}

// choose does SELECT: the NDEF application by its name, then its two files.
func (s *session) choose(apdu []byte) []byte {
	if len(apdu) < 5 || len(apdu) < 5+int(apdu[4]) {
		return swLength
	}
	name := apdu[5 : 5+int(apdu[4])]
	switch {
	case apdu[2] == 4 && bytes.Equal(name, unhex("D2760000850101")):
		s.selected, s.file = true, nil
	case apdu[2] == 0 && s.selected && bytes.Equal(name, unhex("E103")):
		// Version 2.0, 59 bytes at a time, and the file E104, read-only.
		s.file = unhex("000F 20 003B 0034 04 06 E104 0400 00 FF")
	case apdu[2] == 0 && s.selected && bytes.Equal(name, unhex("E104")):
		s.file = s.ndef
	default:
		return swNoFile
	}
	return swDone
}

// cutOut answers a READ BINARY from offset on, of as many bytes as the length at
// the end of the APDU says, 0 being most.
func cutOut(from []byte, offset int, length []byte, most int) []byte {
	if len(length) != 1 {
		return swLength
	}
	n := int(length[0])
	if n == 0 {
		n = most
	}
	if offset >= len(from) || n > most {
		return swBeyond
	}
	return append(bytes.Clone(from[offset:min(offset+n, len(from))]), swDone...)
}

// ndefText is an NDEF message of one text record in French.
func ndefText(text string) []byte {
	if text == "" {
		return nil
	}
	payload := append([]byte{2, 'f', 'r'}, text...)
	if len(payload) < 256 {
		return append([]byte{0xD1, 1, byte(len(payload)), 'T'}, payload...)
	}
	return append([]byte{0xC1, 1, 0, 0, byte(len(payload) >> 8), byte(len(payload)), 'T'}, payload...)
}

// pagesOf is the memory of an NTAG: serial number, locks, what it can do, and the
// message. It is the smallest of the family (213, 215, 216) with room for it.
func pagesOf(uid, message []byte) []byte {
	tlv := []byte{3, byte(len(message))}
	if len(message) >= 0xFF {
		tlv = []byte{3, 0xFF, byte(len(message) >> 8), byte(len(message))}
	}
	tlv = append(append(tlv, message...), 0xFE)
	room := 144
	for _, larger := range []int{496, 872} {
		if len(tlv) > room {
			room = larger
		}
	}
	memory := make([]byte, 16+room)
	copy(memory, uid)
	copy(memory[12:], []byte{0xE1, 0x10, byte(room / 8), 0})
	copy(memory[16:], tlv)
	return memory
}
