package hid

import (
	"fmt"

	"github.com/holoplot/go-evdev"
)

// Layout is the keyboard a scanner takes the borne's to be, which must be the
// one it is set to: it presses keys, not letters.
type Layout string

// The layouts known.
const (
	AZERTY Layout = "azerty" // French, as on Windows
	QWERTY Layout = "qwerty" // American
)

// Check tells IT staff, in French, of a layout that is not known.
func (l Layout) Check() error {
	if l != AZERTY && l != QWERTY {
		return fmt.Errorf("disposition « %s » : dites « %s » ou « %s »", string(l), AZERTY, QWERTY)
	}
	return nil
}

// level is what is held down with a key.
type level int

const (
	plain level = iota
	shifted
	altGr
)

// place is a key and what is held down with it.
type place struct {
	key   evdev.EvCode
	level level
}

// rows are the keys of letters and signs as they lie, from the top left.
var rows = [][]evdev.EvCode{
	{evdev.KEY_GRAVE, evdev.KEY_1, evdev.KEY_2, evdev.KEY_3, evdev.KEY_4, evdev.KEY_5, evdev.KEY_6, evdev.KEY_7, evdev.KEY_8, evdev.KEY_9, evdev.KEY_0, evdev.KEY_MINUS, evdev.KEY_EQUAL},
	{evdev.KEY_Q, evdev.KEY_W, evdev.KEY_E, evdev.KEY_R, evdev.KEY_T, evdev.KEY_Y, evdev.KEY_U, evdev.KEY_I, evdev.KEY_O, evdev.KEY_P, evdev.KEY_LEFTBRACE, evdev.KEY_RIGHTBRACE},
	{evdev.KEY_A, evdev.KEY_S, evdev.KEY_D, evdev.KEY_F, evdev.KEY_G, evdev.KEY_H, evdev.KEY_J, evdev.KEY_K, evdev.KEY_L, evdev.KEY_SEMICOLON, evdev.KEY_APOSTROPHE, evdev.KEY_BACKSLASH},
	{evdev.KEY_102ND, evdev.KEY_Z, evdev.KEY_X, evdev.KEY_C, evdev.KEY_V, evdev.KEY_B, evdev.KEY_N, evdev.KEY_M, evdev.KEY_COMMA, evdev.KEY_DOT, evdev.KEY_SLASH},
}

// letters are what the rows of keys type, by layout and level. A space stands
// for nothing.
var letters = map[Layout][3][4]string{
	AZERTY: {
		plain:   {`²&é"'(-è_çà)=`, `azertyuiop^$`, `qsdfghjklmù*`, `<wxcvbn,;:!`},
		shifted: {` 1234567890°+`, `AZERTYUIOP¨£`, `QSDFGHJKLM%µ`, `>WXCVBN?./§`},
		altGr:   {`  ~#{[|` + "`" + `\^@]}`, `  €        ¤`},
	},
	QWERTY: {
		plain:   {"`1234567890-=", `qwertyuiop[]`, `asdfghjkl;'\`, `\zxcvbnm,./`},
		shifted: {`~!@#$%^&*()_+`, `QWERTYUIOP{}`, `ASDFGHJKL:"|`, `|ZXCVBNM<>?`},
	},
}

// accents are the keys whose sign waits for a letter to stand on.
var accents = map[Layout]map[place]bool{
	AZERTY: {
		{evdev.KEY_LEFTBRACE, plain}:   true,
		{evdev.KEY_LEFTBRACE, shifted}: true,
		{evdev.KEY_2, altGr}:           true,
		{evdev.KEY_7, altGr}:           true,
	},
}

// combining are the signs of accents as they stand on a letter.
var combining = map[rune]rune{'^': '\u0302', '¨': '\u0308', '~': '\u0303', '`': '\u0300'}

// keypad are the keys that type the same in every layout, whatever is held
// down with them.
var keypad = map[evdev.EvCode]rune{
	evdev.KEY_KP0: '0', evdev.KEY_KP1: '1', evdev.KEY_KP2: '2', evdev.KEY_KP3: '3', evdev.KEY_KP4: '4',
	evdev.KEY_KP5: '5', evdev.KEY_KP6: '6', evdev.KEY_KP7: '7', evdev.KEY_KP8: '8', evdev.KEY_KP9: '9',
	evdev.KEY_KPDOT: '.', evdev.KEY_KPSLASH: '/', evdev.KEY_KPASTERISK: '*', evdev.KEY_KPMINUS: '-', evdev.KEY_KPPLUS: '+',
	evdev.KEY_SPACE: ' ', evdev.KEY_TAB: '\t', evdev.KEY_ENTER: '\r', evdev.KEY_KPENTER: '\r',
}

// keys is what each key types in a layout.
func (l Layout) keys() map[place]rune {
	typed := make(map[place]rune)
	for held, lines := range letters[l] {
		for row, line := range lines {
			for column, r := range []rune(line) {
				if r != ' ' {
					typed[place{rows[row][column], level(held)}] = r
				}
			}
		}
	}
	return typed
}
