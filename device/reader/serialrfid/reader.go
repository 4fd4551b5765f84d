// Package serialrfid reads 125 kHz cards on a serial RFID reader, RDM6300 or
// ID-12LA, whichever answers. They tell the number a card was made with, which
// anyone can copy: it says which card it is, never who holds it.
package serialrfid

import (
	"context"

	"parvis/device"
	"parvis/device/reader"
	"parvis/device/reader/internal/line"
	"parvis/device/transport"
)

// Reader is an RFID reader at the end of a line. It implements reader.Reader.
type Reader struct{ open transport.Opener }

// New makes a Reader whose line is opened by Serve. The readers known speak at
// 9600 baud.
func New(open transport.Opener) *Reader { return &Reader{open: open} }

// Serve implements reader.Reader.
//
// A card is told of when it comes, and again when 300 ms went by without it. An
// RDM6300 repeats a card for as long as it lies there, so that is when it was
// taken away. An ID-12LA tells of a card only once: it is said to be gone after
// the same time though it may still lie there, and the status then leaves open
// whether one does.
//
// Two cards that both go on being seen make one Several, in place of the card
// told of before. It ends when one was not seen for a second; the other is then
// told of if it is seen again. A card that takes the place of another is told
// of once the first is gone.
func (r *Reader) Serve(ctx context.Context, report func(device.Status), seen func(reader.Event)) error {
	return line.Serve(ctx, r.open, report, &field{seen: seen})
}
