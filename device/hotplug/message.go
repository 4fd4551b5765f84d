package hotplug

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// A message of udev is a header of these fields, in the machine's byte order
// save for the magic, and properties "KEY=VALUE" that each end in a zero byte
// (systemd, src/libsystemd/sd-device/device-monitor.c).
//
//	prefix            8 bytes, "libudev" and a zero
//	magic             4 bytes, big-endian
//	header size       4 bytes
//	properties offset 4 bytes
//	properties length 4 bytes
//	filter hashes     4 × 4 bytes
const (
	prefix       = "libudev\x00"
	magic        = 0xfeedcafe
	headerLength = 40
)

// parse reads a message of udev. It refuses what is none.
func parse(msg []byte) (Event, bool) {
	if len(msg) < headerLength || !bytes.HasPrefix(msg, []byte(prefix)) || binary.BigEndian.Uint32(msg[8:]) != magic {
		return Event{}, false
	}
	offset, length := uint64(binary.NativeEndian.Uint32(msg[16:])), uint64(binary.NativeEndian.Uint32(msg[20:]))
	if offset < headerLength || offset+length > uint64(len(msg)) {
		return Event{}, false
	}
	var e Event
	for property := range strings.SplitSeq(string(msg[offset:offset+length]), "\x00") {
		key, value, _ := strings.Cut(property, "=")
		switch key {
		case "ACTION":
			e.Action = value
		case "SUBSYSTEM":
			e.Subsystem = value
		case "DEVNAME":
			e.DevName = value
		}
	}
	if e.Action == "" {
		return Event{}, false
	}
	return e, true
}
