package pcsc

import (
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"

	"parvis/device/reader"
)

// longest is the longest NDEF message that is read, in bytes. Those of cards
// hold a line or two.
const longest = 2048

// errNDEF says no more: what a card holds must not get into an error.
var errNDEF = errors.New("not a whole NDEF message")

// record is one of an NDEF message (NFC Forum, NDEF 1.0).
type record struct {
	format  byte // of the name of its type; 1 is well known
	name    string
	payload []byte
}

// wellKnown is the format of types that the NFC Forum names.
const wellKnown = 1

// messageText is the text of a message: that of its first text record, or else
// the address in its first URI record, or else empty.
func messageText(message []byte) (string, error) {
	records, err := parseNDEF(message)
	if err != nil {
		return "", err
	}
	for _, read := range []struct {
		name string
		text func([]byte) (string, error)
	}{{"T", textOf}, {"U", uriOf}} {
		for _, r := range records {
			if r.format == wellKnown && r.name == read.name {
				s, err := read.text(r.payload)
				return reader.Visible(s), err
			}
		}
	}
	return "", nil
}

// parseNDEF takes a whole message apart. Records in pieces, which only streams
// need, are refused.
func parseNDEF(b []byte) ([]record, error) {
	if len(b) > longest {
		return nil, errNDEF
	}
	var records []record
	for first := true; len(b) > 0; first = false {
		const begin, end, chunk, reserved = 0x80, 0x40, 0x20, 5
		flags := b[0]
		if first != (flags&begin != 0) || flags&chunk != 0 || flags&0x07 >= reserved {
			return nil, errNDEF
		}
		r, rest, err := parseRecord(b)
		if err != nil {
			return nil, err
		}
		records, b = append(records, r), rest
		if last := flags&end != 0; last != (len(b) == 0) {
			return nil, errNDEF
		}
	}
	return records, nil
}

func parseRecord(b []byte) (r record, rest []byte, err error) {
	const short, identified = 0x10, 0x08
	flags := b[0]
	b = b[1:]
	take := func(n uint64) []byte {
		if err != nil || n > uint64(len(b)) {
			err = errNDEF
			return nil
		}
		taken := b[:n]
		b = b[n:]
		return taken
	}
	number := func(width uint64) uint64 {
		var n uint64
		for _, digit := range take(width) {
			n = n<<8 | uint64(digit)
		}
		return n
	}
	nameLength := number(1)
	width := uint64(4)
	if flags&short != 0 {
		width = 1
	}
	payloadLength := number(width)
	idLength := uint64(0)
	if flags&identified != 0 {
		idLength = number(1)
	}
	r.format = flags & 0x07
	r.name = string(take(nameLength))
	take(idLength)
	r.payload = take(payloadLength)
	if r.format == 0 && nameLength+idLength+payloadLength > 0 {
		err = errNDEF // an empty record with something in it
	}
	return r, b, err
}

// textOf reads a text record (NFC Forum, Text RTD 1.0): a status byte, the
// language, the text.
func textOf(p []byte) (string, error) {
	if len(p) == 0 || p[0]&0x40 != 0 {
		return "", errNDEF
	}
	language := int(p[0] & 0x3F)
	if len(p) < 1+language {
		return "", errNDEF
	}
	wide := p[0]&0x80 != 0
	for _, c := range p[1 : 1+language] {
		if c > 0x7F {
			return "", errNDEF
		}
	}
	text := p[1+language:]
	if !wide {
		if !utf8.Valid(text) {
			return "", errNDEF
		}
		return string(text), nil
	}
	decoded, err := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder().Bytes(text)
	if err != nil || len(text)%2 != 0 || strings.ContainsRune(string(decoded), utf8.RuneError) {
		return "", errNDEF
	}
	return string(decoded), nil
}

// uriStarts are the beginnings that a URI record (NFC Forum, URI RTD 1.0)
// shortens to its first byte.
var uriStarts = []string{
	"", "http://www.", "https://www.", "http://", "https://", "tel:", "mailto:",
	"ftp://anonymous:anonymous@", "ftp://ftp.", "ftps://", "sftp://", "smb://",
	"nfs://", "ftp://", "dav://", "news:", "telnet://", "imap:", "rtsp://",
	"urn:", "pop:", "sip:", "sips:", "tftp:", "btspp://", "btl2cap://",
	"btgoep://", "tcpobex://", "irdaobex://", "file://", "urn:epc:id:",
	"urn:epc:tag:", "urn:epc:pat:", "urn:epc:raw:", "urn:epc:", "urn:nfc:",
}

func uriOf(p []byte) (string, error) {
	if len(p) == 0 || int(p[0]) >= len(uriStarts) || !utf8.Valid(p[1:]) {
		return "", errNDEF
	}
	return uriStarts[p[0]] + string(p[1:]), nil
}

// findMessage looks for the message in the memory of a type 2 tag (NFC Forum,
// T2T 1.2), of which b is the beginning. It tells whether more must be read.
func findMessage(b []byte) (message []byte, more bool) {
	const null, found, end = 0x00, 0x03, 0xFE
	for len(b) > 0 {
		kind := b[0]
		b = b[1:]
		switch kind {
		case null:
			continue
		case end:
			return nil, false
		}
		if len(b) == 0 {
			break
		}
		length, size := int(b[0]), 1
		if length == 0xFF {
			if len(b) < 3 {
				return nil, true
			}
			length, size = int(binary.BigEndian.Uint16(b[1:])), 3
		}
		if length > longest {
			return nil, false
		}
		if len(b) < size+length {
			return nil, true
		}
		if kind == found {
			return b[size : size+length], false
		}
		b = b[size+length:]
	}
	return nil, true
}
