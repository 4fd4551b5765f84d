// Package display lights the borne's panel and switches it off, and tells how
// large its picture is, over X: DPMS (VESA Display Power Management Signaling)
// where the server has it, else the core protocol's screen saver.
package display

import (
	"fmt"
	"io"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/dpms"
	"github.com/jezek/xgb/xproto"
)

// xgb writes to stderr what it also returns.
func init() { xgb.Logger.SetOutput(io.Discard) }

// Display is the panel behind one X server. Its methods may be called from any
// goroutine, and wait for the server.
type Display struct {
	conn          *xgb.Conn
	width, height int
	power         bool // the server has DPMS
}

// Open connects to the X server named as in DISPLAY (":0"), with the cookie of
// XAUTHORITY where there is one. The panel never sleeps by itself from then on.
func Open(name string) (*Display, error) {
	conn, err := xgb.NewConnDisplay(name)
	if err != nil {
		return nil, fmt.Errorf("écran %s : %w", name, err)
	}
	d := &Display{conn: conn}
	root := xproto.Setup(conn).DefaultScreen(conn)
	d.width, d.height = int(root.WidthInPixels), int(root.HeightInPixels)
	if err := d.prepare(); err != nil {
		conn.Close()
		return nil, fmt.Errorf("écran %s : %w", name, err)
	}
	return d, nil
}

func (d *Display) prepare() error {
	// In seconds; 0 is never.
	err := xproto.SetScreenSaverChecked(d.conn, 0, 0, xproto.BlankingPreferred, xproto.ExposuresNotAllowed).Check()
	if err != nil {
		return err
	}
	if dpms.Init(d.conn) != nil {
		return nil
	}
	capable, err := dpms.Capable(d.conn).Reply()
	if err != nil || !capable.Capable {
		return err
	}
	d.power = true
	if err := dpms.SetTimeoutsChecked(d.conn, 0, 0, 0).Check(); err != nil {
		return err
	}
	// A panel that an application before this one has switched off.
	return d.Wake()
}

// Size is how large the picture was when the connection was made, in pixels,
// turned as it is seen.
func (d *Display) Size() (width, height int) { return d.width, d.height }

// Sleep switches the panel off, or where it can't be draws it black. The server
// lights it again by itself at the next touch or key.
func (d *Display) Sleep() error {
	if !d.power {
		return named("mise en veille", xproto.ForceScreenSaverChecked(d.conn, xproto.ScreenSaverActive).Check())
	}
	// The server refuses levels while it manages none.
	if err := dpms.EnableChecked(d.conn).Check(); err != nil {
		return named("mise en veille", err)
	}
	return named("mise en veille", dpms.ForceLevelChecked(d.conn, dpms.DPMSModeOff).Check())
}

// Wake lights the panel.
func (d *Display) Wake() error {
	if !d.power {
		return named("réveil", xproto.ForceScreenSaverChecked(d.conn, xproto.ScreenSaverReset).Check())
	}
	if err := dpms.EnableChecked(d.conn).Check(); err != nil {
		return named("réveil", err)
	}
	return named("réveil", dpms.ForceLevelChecked(d.conn, dpms.DPMSModeOn).Check())
}

// Close ends the connection. A panel that sleeps does so until it is touched.
func (d *Display) Close() { d.conn.Close() }

func named(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("écran, %s : %w", what, err)
}
