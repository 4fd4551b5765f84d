// Package escape holds what a resident might try to get out of the borne's
// application: keys, edges of the glass, things plugged in. Its tests try them on
// the session as it is shipped; the test of the disk image, in an emulator, tries
// the same lists on the whole machine.
package escape

// Key is a key of a PC's keyboard.
type Key struct {
	Name string
	Code byte   // as X numbers it: Linux's number (input-event-codes.h) and 8
	QEMU string // as QEMU's monitor names it (sendkey, send-key)
}

// The keys that are held while another is pressed.
var (
	Ctrl  = Key{"Ctrl", 37, "ctrl"}
	Alt   = Key{"Alt", 64, "alt"}
	Super = Key{"Super", 133, "meta_l"}
	Shift = Key{"Shift", 50, "shift"}
)

// held are the keys above.
var held = []Key{Ctrl, Alt, Super, Shift}

// pressed are the keys that mean something to a kernel, an X server or a desktop.
var pressed = []Key{
	{"F1", 67, "f1"}, {"F2", 68, "f2"}, {"F3", 69, "f3"}, {"F4", 70, "f4"}, {"F5", 71, "f5"}, {"F6", 72, "f6"},
	{"F7", 73, "f7"}, {"F8", 74, "f8"}, {"F9", 75, "f9"}, {"F10", 76, "f10"}, {"F11", 95, "f11"}, {"F12", 96, "f12"},
	{"SysRq", 107, "sysrq"}, {"Tab", 23, "tab"}, {"Esc", 9, "esc"}, {"Backspace", 22, "backspace"},
	{"Delete", 119, "delete"}, {"Insert", 118, "insert"}, {"Menu", 135, "compose"}, {"Pause", 127, "pause"},
	{"Enter", 36, "ret"}, {"Space", 65, "spc"}, {"Left", 113, "left"}, {"Right", 114, "right"},
	{"Q", 24, "q"}, {"W", 25, "w"}, {"C", 54, "c"}, {"T", 28, "t"}, {"KP *", 63, "kp_multiply"}, {"KP /", 106, "kp_divide"},
}

// Chord is keys that are pressed together, in order; the last is let go first.
type Chord []Key

// String is the chord as people write it: "Ctrl+Alt+F1".
func (c Chord) String() string { return c.join("+", func(k Key) string { return k.Name }) }

// QEMU is the chord as the command sendkey of QEMU's monitor wants it.
func (c Chord) QEMU() string { return c.join("-", func(k Key) string { return k.QEMU }) }

func (c Chord) join(between string, name func(Key) string) string {
	var s string
	for i, k := range c {
		if i > 0 {
			s += between
		}
		s += name(k)
	}
	return s
}

// Chords are all keys with each choice of those that are held, and those alone.
func Chords() []Chord {
	var all []Chord
	for set := range 1 << len(held) {
		var with Chord
		for i, k := range held {
			if set&(1<<i) != 0 {
				with = append(with, k)
			}
		}
		if len(with) > 0 {
			all = append(all, with)
		}
		for _, k := range pressed {
			all = append(all, append(with[:len(with):len(with)], k))
		}
	}
	return all
}

// SysRq are the kernel's own keys, in the order of "Raising Elephants": each with
// Alt and SysRq held.
func SysRq() []Chord {
	var all []Chord
	for _, k := range []Key{{"R", 27, "r"}, {"E", 26, "e"}, {"I", 31, "i"}, {"S", 39, "s"}, {"U", 30, "u"}, {"B", 56, "b"}, {"C", 54, "c"}, {"F", 41, "f"}, {"K", 45, "k"}} {
		all = append(all, Chord{Alt, Key{"SysRq", 107, "sysrq"}, k})
	}
	return all
}

// Plug is something plugged into a USB socket of a borne that is in service.
type Plug struct {
	Name string
	// Add are QEMU's arguments: device_add Add; a disk wants a drive "escape"
	// first, a network a netdev "escape".
	Add string
	// Refused says that the borne takes the driver away from it: the journal of
	// parvis-verrou then says « refusé ».
	Refused bool
}

// Plugs are things plugged in, and what has to become of each.
func Plugs() []Plug {
	return []Plug{
		{"a keyboard", "usb-kbd,id=escape-kbd", true},
		{"a stick", "usb-storage,id=escape-disk,drive=escape,removable=on", true},
		{"a network", "usb-net,id=escape-net,netdev=escape", true},
		{"a touch panel", "usb-tablet,id=escape-tablet", false},
		{"a serial line", "usb-serial,id=escape-serial,chardev=escape", false},
	}
}
