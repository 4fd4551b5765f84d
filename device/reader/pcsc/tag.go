package pcsc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// transmit sends a command to a contactless card and returns its answer. Its
// errors are those of pcscd: the card is gone, or pcscd is.
type transmit func(command []byte) ([]byte, error)

var (
	errSilent = errors.New("the card gives no answer")
	// errBroken is also what a card looks like that is pulled away: some
	// readers then refuse in its place.
	errBroken = errors.New("the card refuses amid reading")
)

// ask returns what a card answers, and false when it refuses.
func (t transmit) ask(command ...byte) ([]byte, bool, error) {
	answer, err := t(command)
	if err != nil {
		return nil, false, err
	}
	if len(answer) < 2 {
		return nil, false, errSilent
	}
	data, done := bytes.CutSuffix(answer, []byte{0x90, 0x00})
	return data, done, nil
}

// mustAsk is ask amid something that the card has begun to tell: n bytes at
// least are due.
func (t transmit) mustAsk(n int, command ...byte) ([]byte, error) {
	data, ok, err := t.ask(command...)
	if err == nil && (!ok || len(data) < n) {
		return nil, errBroken
	}
	return data, err
}

// number reads the UID, in upper-case hexadecimal; empty when there is none.
func (t transmit) number() (string, error) {
	uid, ok, err := t.ask(0xFF, 0xCA, 0, 0, 0)
	const shortest, longest = 4, 10
	if err != nil || !ok || len(uid) < shortest || len(uid) > longest {
		return "", err
	}
	return fmt.Sprintf("%X", uid), nil
}

// text reads the NDEF text of a tag; empty when there is none, or none that
// holds to its form.
func (t transmit) text(kind tag) (string, error) {
	var message []byte
	var err error
	switch kind {
	case typeTwo:
		message, err = t.typeTwo()
	case typeFour:
		message, err = t.typeFour()
	}
	if err != nil {
		return "", err
	}
	text, err := messageText(message)
	if err != nil {
		return "", nil // somebody else's format; the card still has its number
	}
	return text, nil
}

// typeTwo reads the message of a type 2 tag, no further than its end.
func (t transmit) typeTwo() ([]byte, error) {
	const page, atOnce = 4, 16 // bytes
	head, ok, err := t.ask(0xFF, 0xB0, 0, 3, atOnce)
	if err != nil || !ok || len(head) < page || head[0] != 0xE1 || head[1]>>4 != 1 {
		return nil, err
	}
	size := 8 * int(head[2])
	memory := head[page:]
	for {
		memory = memory[:min(len(memory), size)]
		message, more := findMessage(memory)
		if !more || len(memory) == size {
			return message, nil
		}
		at := 4 + len(memory)/page
		b, err := t.mustAsk(page, 0xFF, 0xB0, byte(at>>8), byte(at), atOnce)
		if err != nil {
			return nil, err
		}
		memory = append(memory, b[:len(b)/page*page]...)
	}
}

// typeFour reads the message of a type 4 tag (NFC Forum, T4T 2.0): the NDEF
// application's file E103 says which file holds it.
func (t transmit) typeFour() ([]byte, error) {
	_, ok, err := t.ask(0x00, 0xA4, 4, 0, 7, 0xD2, 0x76, 0, 0, 0x85, 1, 1, 0)
	if err != nil || !ok {
		return nil, err
	}
	about, err := t.file(0xE103, 0, 15, 15)
	if err != nil || about[7] != 4 || about[8] < 6 || about[13] != 0 {
		return nil, err
	}
	atOnce := min(int(binary.BigEndian.Uint16(about[3:])), 240)
	file := binary.BigEndian.Uint16(about[9:])
	size := min(int(binary.BigEndian.Uint16(about[11:])), 2+longest)
	if atOnce == 0 {
		return nil, nil
	}
	length, err := t.file(file, 0, 2, 2)
	if err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(length))
	if n == 0 || 2+n > size {
		return nil, nil
	}
	return t.file(file, 2, n, atOnce)
}

// file selects a file and reads n bytes of it from an offset, some at once.
func (t transmit) file(id uint16, offset, n, atOnce int) ([]byte, error) {
	if _, err := t.mustAsk(0, 0x00, 0xA4, 0, 0x0C, 2, byte(id>>8), byte(id)); err != nil {
		return nil, err
	}
	var all []byte
	for len(all) < n {
		at := offset + len(all)
		b, err := t.mustAsk(1, 0x00, 0xB0, byte(at>>8), byte(at), byte(min(n-len(all), atOnce)))
		if err != nil {
			return nil, err
		}
		all = append(all, b...)
	}
	return all[:n], nil
}
