package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
)

// serve answers one emulator at a time at a socket, until the test ends.
func (d *disk) serve(t *testing.T, socket string) {
	t.Helper()
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var talking sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		talking.Wait()
	})
	talking.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if err := d.talk(c); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
				t.Logf("disk: %v", err)
			}
			c.Close()
		}
	})
}

// The NBD protocol: https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
const (
	nbdMagic   = 0x4e42444d41474943
	nbdOption  = 0x49484156454f5054
	nbdAnswer  = 0x3e889045565a9
	nbdRequest = 0x25609513
	nbdReply   = 0x67446698

	optInfo, optGo, optAbort           = 6, 7, 2
	repAck, repInfo, repUnknown        = 1, 3, 0x80000001
	cmdRead, cmdWrite, cmdEnd          = 0, 1, 2
	cmdFlush, cmdTrim                  = 3, 4
	canFlush, canTrim                  = 4, 32
	errIO, errInvalid           uint32 = 5, 22
)

var be = binary.BigEndian

func (d *disk) talk(c net.Conn) error {
	if err := d.greet(c); err != nil {
		return err
	}
	head := make([]byte, 28)
	for {
		if _, err := io.ReadFull(c, head); err != nil {
			return err
		}
		if be.Uint32(head) != nbdRequest {
			return errors.New("not a request")
		}
		kind := be.Uint16(head[6:])
		off, length := int64(be.Uint64(head[16:])), be.Uint32(head[24:])
		reply := make([]byte, 16, 16+length)
		be.PutUint32(reply, nbdReply)
		copy(reply[8:], head[8:16])
		var data []byte
		if kind == cmdWrite {
			data = make([]byte, length)
			if _, err := io.ReadFull(c, data); err != nil {
				return err
			}
		}
		var err error
		switch kind {
		case cmdRead:
			reply = reply[:16+length]
			err = d.read(off, reply[16:])
		case cmdWrite:
			err = d.write(off, data)
		case cmdEnd:
			return nil
		case cmdFlush:
			err = d.sync()
		case cmdTrim: // what is trimmed stays readable here
		default:
			be.PutUint32(reply[4:], errInvalid)
		}
		if err != nil {
			be.PutUint32(reply[4:], errIO)
		}
		if _, err := c.Write(reply); err != nil {
			return err
		}
	}
}

// greet agrees on the disk's size and what it can do.
func (d *disk) greet(c net.Conn) error {
	hello := be.AppendUint64(nil, nbdMagic)
	hello = be.AppendUint64(hello, nbdOption)
	if _, err := c.Write(be.AppendUint16(hello, 3)); err != nil {
		return err
	}
	if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
		return err
	}
	for {
		head := make([]byte, 16)
		if _, err := io.ReadFull(c, head); err != nil {
			return err
		}
		option, length := be.Uint32(head[8:]), be.Uint32(head[12:])
		if _, err := io.CopyN(io.Discard, c, int64(length)); err != nil {
			return err
		}
		answer := func(kind uint32, data []byte) error {
			out := be.AppendUint64(nil, nbdAnswer)
			out = be.AppendUint32(out, option)
			out = be.AppendUint32(out, kind)
			out = be.AppendUint32(out, uint32(len(data)))
			_, err := c.Write(append(out, data...))
			return err
		}
		switch option {
		case optGo, optInfo:
			export := be.AppendUint16(nil, 0)
			export = be.AppendUint64(export, uint64(d.size))
			export = be.AppendUint16(export, 1|canFlush|canTrim)
			if err := errors.Join(answer(repInfo, export), answer(repAck, nil)); err != nil || option == optGo {
				return err
			}
		case optAbort:
			return io.EOF
		default:
			if err := answer(repUnknown, nil); err != nil {
				return fmt.Errorf("option %d: %w", option, err)
			}
		}
	}
}
