// Package scanner reads the QR codes and barcodes that a scanner sends over a
// serial line. What is common to all scanners, serial or not, is the Assembler.
package scanner

import (
	"context"

	"parvis/device"
	"parvis/device/reader"
	"parvis/device/reader/internal/line"
	"parvis/device/transport"
)

// Reader is a scanner at the end of a line. It implements reader.Reader.
type Reader struct {
	open   transport.Opener
	format Format
}

// New makes a Reader whose line is opened by Serve. The format should pass its
// Check.
func New(open transport.Opener, f Format) *Reader { return &Reader{open: open, format: f} }

// Serve implements reader.Reader. A code is told of when it comes; that it is
// taken away nobody knows. Shown again within 2 s, it is the same showing.
//
// What is too long or too short, lacks the prefix, or is no text is dropped
// whole; so is a code whose suffix is missing for half a second. Of the rest,
// control characters and other unseen ones are taken out.
func (r *Reader) Serve(ctx context.Context, report func(device.Status), seen func(reader.Event)) error {
	return line.Serve(ctx, r.open, report, NewAssembler(r.format, func(text string) {
		seen(reader.Event{Medium: reader.Code, Present: true, Text: text})
	}))
}
