package ipp

import (
	"io"

	"parvis/device"
)

// FaultOf is how reasons are understood.
var FaultOf = faultOf

// Decode reads the status from an answer as it comes from the wire.
func Decode(r io.Reader) (device.Status, error) {
	m, err := decode(r)
	if err != nil {
		return device.Status{}, err
	}
	return statusOf(m.Printer), nil
}
