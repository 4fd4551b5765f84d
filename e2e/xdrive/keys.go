package xdrive

import (
	"fmt"
	"unicode/utf8"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// named are the keysyms of the keys that write no letter, by X's own names.
var named = map[string]xproto.Keysym{
	"BackSpace": 0xff08, "Tab": 0xff09, "Return": 0xff0d, "Escape": 0xff1b, "Delete": 0xffff,
	"Home": 0xff50, "Left": 0xff51, "Up": 0xff52, "Right": 0xff53, "Down": 0xff54,
	"Prior": 0xff55, "Next": 0xff56, "End": 0xff57,
	"F1": 0xffbe, "F2": 0xffbf, "F3": 0xffc0, "F4": 0xffc1,
	"space": ' ', "plus": '+', "minus": '-', "KP_Add": 0xffab, "KP_Subtract": 0xffad,
}

const shiftKeysym = 0xffe1

// A stroke is the key to press for a keysym, with Shift or without.
type stroke struct {
	key   xproto.Keycode
	shift bool
}

// keyMap reads from the server which key makes which keysym.
func keyMap(conn *xgb.Conn) (map[xproto.Keysym]stroke, error) {
	setup := xproto.Setup(conn)
	first := setup.MinKeycode
	reply, err := xproto.GetKeyboardMapping(conn, first, byte(setup.MaxKeycode-first+1)).Reply()
	if err != nil {
		return nil, fmt.Errorf("keyboard: %w", err)
	}
	keys := make(map[xproto.Keysym]stroke)
	per := int(reply.KeysymsPerKeycode)
	for level := range min(2, per) { // plain keys win over shifted ones
		for i := 0; i*per+level < len(reply.Keysyms); i++ {
			sym := reply.Keysyms[i*per+level]
			if _, known := keys[sym]; sym != 0 && !known {
				keys[sym] = stroke{key: first + xproto.Keycode(i), shift: level == 1}
			}
		}
	}
	return keys, nil
}

// Key presses and releases the key of the given name: "Down", "Return",
// "space", "F1", "plus" …, or one ASCII sign.
func (s *Screen) Key(name string) error {
	sym, ok := named[name]
	if r, size := utf8.DecodeRuneInString(name); !ok && size == len(name) && r >= ' ' && r <= '~' {
		sym, ok = xproto.Keysym(r), true
	}
	k, there := s.keys[sym]
	if !ok || !there {
		return fmt.Errorf("no key %q on this keyboard", name)
	}
	if k.shift {
		shift := byte(s.keys[shiftKeysym].key)
		if err := s.fake(xproto.KeyPress, shift, 0, 0); err != nil {
			return err
		}
		defer s.fake(xproto.KeyRelease, shift, 0, 0)
	}
	if err := s.fake(xproto.KeyPress, byte(k.key), 0, 0); err != nil {
		return err
	}
	return s.fakeAfter(held, xproto.KeyRelease, byte(k.key), 0, 0)
}

// held is how long a key is down, in milliseconds. GLFW takes two presses of a
// key within the same millisecond of the server's clock for one.
const held = 2
