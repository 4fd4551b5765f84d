package serialrfid_test

import (
	"testing"

	"parvis/device/reader"
	"parvis/device/reader/internal/line/linetest"
	"parvis/device/reader/serialrfid"
	"parvis/device/transport"
)

func TestPluggedInAHundredTimes(t *testing.T) {
	linetest.PlugAHundredTimes(t, func(open transport.Opener) reader.Reader { return serialrfid.New(open) },
		frame(first), func(e reader.Event) bool { return e.Present && e.Number == a })
}
