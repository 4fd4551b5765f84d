package escape_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"net"
	"time"

	"parvis/e2e/escape"
)

// device is a keyboard or a touch panel of the X server's driver "inputtest"
// (inputtestdrv(4)): to the server it is hardware like any other, with the keys
// that the shipped settings give it.
type device struct{ conn net.Conn }

// What the driver calls its messages (xf86-input-inputtest-protocol.h).
const (
	clientVersion = 0
	waitForSync   = 1
	keyEvent      = 5
	touchEvent    = 6

	touchBegin, touchUpdate, touchEnd = 18, 19, 20 // XI2proto.h

	axes = 64 // of each message, used or not
)

func openDevice(path string) (*device, error) {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return nil, err
	}
	d := &device{conn}
	if err := d.send(clientVersion, []uint16{1, 1}); err != nil {
		return nil, err
	}
	return d, d.receive()
}

// send writes a message: its length, its kind, its fields.
func (d *device) send(kind uint32, fields any) error {
	size := binary.Size(fields)
	if fields == nil {
		size = 0
	}
	msg := binary.NativeEndian.AppendUint32(nil, uint32(8+size))
	msg = binary.NativeEndian.AppendUint32(msg, kind)
	if fields != nil {
		var err error
		if msg, err = binary.Append(msg, binary.NativeEndian, fields); err != nil {
			return err
		}
	}
	_, err := d.conn.Write(msg)
	return err
}

func (d *device) receive() error {
	var head [2]uint32
	if err := d.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if err := binary.Read(d.conn, binary.NativeEndian, &head); err != nil {
		return fmt.Errorf("the X server's driver inputtest: %w", err)
	}
	_, err := io.CopyN(io.Discard, d.conn, int64(head[0])-8)
	return err
}

// sync waits until the server has dealt with all that was sent.
func (d *device) sync() error {
	if err := d.send(waitForSync, nil); err != nil {
		return err
	}
	return d.receive()
}

func (d *device) key(k escape.Key, down bool) error {
	press := uint32(0)
	if down {
		press = 1
	}
	return d.send(keyEvent, []uint32{uint32(k.Code), press})
}

// press presses a chord and lets it go.
func (d *device) press(c escape.Chord) error {
	for _, k := range c {
		if err := d.key(k, true); err != nil {
			return err
		}
	}
	if err := d.sync(); err != nil {
		return err
	}
	for i := len(c) - 1; i >= 0; i-- {
		if err := d.key(c[i], false); err != nil {
			return err
		}
	}
	return d.sync()
}

// finger moves a finger to a point of the panel, given in parts of its width and
// height from 0 to 1.
func (d *device) finger(n uint32, kind uint32, x, y float64) error {
	var msg struct {
		Finger, Kind   uint32
		Unaccelerated  uint32
		Mask           [axes / 8]byte
		_              uint32
		Values, Unused [axes]float64
	}
	msg.Finger, msg.Kind = n, kind
	msg.Mask[0] = 0b11
	msg.Values[0], msg.Values[1] = math.Round(x*panelUnits), math.Round(y*panelUnits)
	return d.send(touchEvent, msg)
}

// panelUnits is how fine the driver's panel is.
const panelUnits = 0xffff

// swipe draws fingers across the glass, side by side, from one point to another.
func (d *device) swipe(fingers int, x0, y0, x1, y1 float64) error {
	const steps = 12
	for i := range steps + 1 {
		kind := uint32(touchUpdate)
		switch i {
		case 0:
			kind = touchBegin
		case steps:
			kind = touchEnd
		}
		at := float64(i) / steps
		for n := range fingers {
			beside := float64(n) * 0.05
			if err := d.finger(uint32(n), kind, min(1, x0+(x1-x0)*at+beside), min(1, y0+(y1-y0)*at+beside)); err != nil {
				return err
			}
		}
		if err := d.sync(); err != nil {
			return err
		}
	}
	return nil
}
