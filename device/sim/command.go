package sim

import (
	"bytes"
	"fmt"
	"image"

	"golang.org/x/text/encoding/charmap"
)

const (
	esc = 0x1B
	fs  = 0x1C
	gs  = 0x1D
	dle = 0x10
)

// mode is what ESC @ brings back to its start.
type mode struct {
	page                   *charmap.Charmap
	france                 bool // ESC R 1: some signs of ASCII are accented letters
	align                  byte
	bold, underline, fontB bool
	width, height          int
	spacing                int // dots from line to line
	qrSize                 int // dots of a module
	qrLevel                byte
	qrData                 []byte
}

func startMode() mode {
	return mode{page: charmap.CodePage437, width: 1, height: 1, spacing: 30, qrSize: 3, qrLevel: 48}
}

var pages = map[byte]*charmap.Charmap{
	0: charmap.CodePage437, 1: katakana, 2: charmap.CodePage850, 16: charmap.Windows1252, 19: charmap.CodePage858,
}

// katakana stands for page 1. Of that page only the lines of tables are drawn;
// the rest comes out as in page 0.
var katakana = func() *charmap.Charmap { page := *charmap.CodePage437; return &page }()

var tables = map[byte]rune{
	0x90: '┴', 0x91: '┬', 0x92: '┤', 0x93: '├', 0x95: '─', 0x96: '│',
	0x98: '┌', 0x99: '┐', 0x9A: '└', 0x9B: '┘', 0x9C: '╭', 0x9D: '╮', 0x9E: '╰', 0x9F: '╯',
}

var french = map[rune]rune{'@': 'à', '[': '°', '\\': 'ç', ']': '§', '{': 'é', '|': 'ù', '}': 'è', '~': '¨'}

// execute takes one command or letter off the front of b and does it. It
// returns 0 while the command is not there as a whole.
func (t *Thermal) execute(b []byte) int {
	switch b[0] {
	case '\n':
		t.newLine()
		return 1
	case '\r', 0:
		return 1
	case esc, fs, gs, dle:
		if len(b) < 2 {
			return 0
		}
		switch b[0] {
		case esc:
			return t.escape(b)
		case fs:
			return t.field(b)
		case gs:
			return t.group(b)
		}
		if b[1] == eot || b[1] == enq { // done when it arrived; here only passed over
			return need(b, 3)
		}
		t.strange(b[:2])
		return 2
	}
	if b[0] < ' ' {
		t.strange(b[:1])
		return 1
	}
	r := t.mode.page.DecodeByte(b[0])
	if line, ok := tables[b[0]]; ok && t.mode.page == katakana {
		r = line
	}
	if f, ok := french[r]; ok && t.mode.france {
		r = f
	}
	t.letter(r)
	return 1
}

// need returns n when b is that long, else 0.
func need(b []byte, n int) int {
	if len(b) < n {
		return 0
	}
	return n
}

// word is the number in the first two bytes of b, the lower one first.
func word(b []byte) int { return int(b[0]) | int(b[1])<<8 }

// strange counts a command the printer does not know.
func (t *Thermal) strange(b []byte) {
	name := fmt.Sprintf("% X", b)
	if len(b) > 1 && b[1] > ' ' && b[1] < 0x7F {
		name += fmt.Sprintf(" %q", b[1])
	}
	t.report(name)
}

// report counts what the printer could not do, and tells of it in the transcript.
func (t *Thermal) report(what string) {
	t.unknown[what]++
	t.print(mark{text: "UNKNOWN: " + what, draw: func(*image.Gray, *typeface, int) {}}, 0)
}

// escape does the commands that begin with ESC.
func (t *Thermal) escape(b []byte) int {
	switch b[1] {
	case '@':
		// What GS a asked for is forgotten too, as on a real one.
		t.line, t.stored, t.mode, t.asb = nil, nil, startMode(), 0
		return 2
	case '2':
		t.mode.spacing = 30
		return 2
	}
	var do func(n byte)
	switch b[1] {
	case '$', '\\':
		return t.position(b)
	case 'p': // opens a drawer, which is not there
		if len(b) < 5 {
			return 0
		}
		t.unknown["drawer"]++
		return 5
	case 'i', 'm':
		if t.model == CustomVKP80 {
			t.feed(0)
			t.cut()
			return 2
		}
		t.strange(b[:2])
		return 2
	case ' ', '{': // space between letters, upside down: neither is done
		return need(b, 3)
	case 't':
		do = func(n byte) {
			page, ok := pages[n]
			if !ok {
				t.strange(b[:3])
				return
			}
			t.mode.page = page
		}
	case 'R':
		do = func(n byte) { t.mode.france = n == 1 }
	case 'a':
		do = func(n byte) {
			if len(t.line) == 0 { // it works only where a line begins
				t.mode.align = n % 48
			}
		}
	case 'E', 'G':
		do = func(n byte) { t.mode.bold = n&1 != 0 }
	case '-':
		do = func(n byte) { t.mode.underline = n%48 != 0 }
	case '3':
		do = func(n byte) { t.mode.spacing = int(n) }
	case 'M':
		do = func(n byte) { t.mode.fontB = n%48 == 1 }
	case '!':
		do = func(n byte) {
			m := &t.mode
			m.fontB, m.bold, m.underline = n&1 != 0, n&8 != 0, n&0x80 != 0
			m.height, m.width = 1+int(n>>4&1), 1+int(n>>5&1)
		}
	case 'J':
		do = func(n byte) { t.feed(int(n)) }
	case 'd':
		do = func(n byte) {
			if len(t.line) > 0 {
				t.endLine(0)
			}
			for range n {
				t.newLine()
			}
		}
	default:
		t.strange(b[:2])
		return 2
	}
	if len(b) < 3 {
		return 0
	}
	do(b[2])
	return 3
}

// position does ESC $ and ESC \: the next letter stands so many dots from the
// beginning of the line, or from here. It never goes back.
func (t *Thermal) position(b []byte) int {
	if len(b) < 4 {
		return 0
	}
	n := int(int16(word(b[2:])))
	if b[1] == '$' {
		n -= t.lineWidth()
	}
	if n > 0 && t.lineWidth()+n <= dots {
		t.line = append(t.line, cell{width: n})
	}
	return 4
}

// field does the commands that begin with FS. They are for Chinese and Japanese
// letters, which this printer has not: it only knows how long they are.
func (t *Thermal) field(b []byte) int {
	switch b[1] {
	case '.', '&':
		return 2
	case '-', 'C', '!':
		return need(b, 3)
	case 'S':
		return need(b, 4)
	case '(':
		if len(b) < 5 {
			return 0
		}
		return need(b, 5+word(b[3:]))
	}
	t.strange(b[:2])
	return 2
}

// feed prints what is in the line, and goes on by n dots.
func (t *Thermal) feed(n int) {
	if len(t.line) > 0 {
		t.endLine(n)
		return
	}
	t.advance(n)
}

// group does the commands that begin with GS.
func (t *Thermal) group(b []byte) int {
	switch b[1] {
	case '!':
		if len(b) < 3 {
			return 0
		}
		t.mode.width, t.mode.height = 1+int(b[2]>>4&7), 1+int(b[2]&7)
		return 3
	case 'a':
		if len(b) < 3 {
			return 0
		}
		t.asb = b[2]
		if t.asb != 0 {
			status := t.automatic()
			t.reply(status[:]...)
		}
		return 3
	case 'I':
		if len(b) < 3 {
			return 0
		}
		t.identity(b[2])
		return 3
	case 'e':
		if t.model.presenter() {
			return t.presenter(b)
		}
	case 'B': // white on black: printed black on white
		return need(b, 3)
	case 'L', 'W', 'P': // margin, width and units: those of the whole paper
		return need(b, 4)
	case 'r':
		if len(b) < 3 {
			return 0
		}
		t.reply(t.paperSensor())
		return 3
	case 'V':
		return t.cutter(b)
	case '(':
		if len(b) > 2 && b[2] == 'L' {
			return t.graphics(b, 5)
		}
		return t.symbol(b)
	case '8':
		return t.graphics(b, 7)
	case 'v':
		if len(b) < 8 {
			return 0
		}
		across, rows := word(b[4:]), word(b[6:])
		if b[2] != '0' || across == 0 || rows == 0 {
			t.strange(b[:2])
			return 2
		}
		t.begin(&picture{across: across, left: rows, sx: 1 + int(b[3]&1), sy: 1 + int(b[3]>>1&1)})
		return 8
	}
	t.strange(b[:2])
	return 2
}

// cutter does GS V: at once (0, 1, 48, 49), or after feeding what was printed
// past the cutter (65, 66).
func (t *Thermal) cutter(b []byte) int {
	if len(b) < 3 {
		return 0
	}
	switch b[2] {
	case 0, 1, 48, 49:
		t.feed(0)
		t.cut()
		return 3
	case 65, 66:
		if len(b) < 4 {
			return 0
		}
		t.feed(0)
		t.advance(headToCutter + int(b[3]))
		t.cut()
		return 4
	}
	t.strange(b[:2])
	return 3
}

// graphics does GS ( L and GS 8 L, of which only the length in front of what they
// say differs: store a picture, and print it.
func (t *Thermal) graphics(b []byte, head int) int {
	if len(b) < head {
		return 0
	}
	n := 0
	for i := head - 1; i > 2; i-- {
		n = n<<8 | int(b[i])
	}
	if b[2] != 'L' || n > 1<<20 {
		t.strange(b[:3])
		return head
	}
	if len(b) < head+n {
		return 0
	}
	arg := b[head : head+n]
	switch {
	case len(arg) == 2 && arg[0] == 48 && (arg[1] == 2 || arg[1] == 50):
		if t.stored != nil {
			t.begin(t.stored)
			t.stored = nil
		}
	case len(arg) > 10 && arg[0] == 48 && arg[1] == 112 && arg[2] == 48:
		sx, sy := int(arg[3]), int(arg[4])
		across, rows := (word(arg[6:])+7)/8, word(arg[8:])
		if sx < 1 || sx > 2 || sy < 1 || sy > 2 || across*rows == 0 || len(arg) != 10+across*rows {
			t.strange(b[:3])
			break
		}
		t.stored = &picture{across: across, left: rows, sx: sx, sy: sy, stored: bytes.Clone(arg[10:])}
	default:
		t.strange(b[:3])
	}
	return head + n
}

// symbol does GS ( k for QR codes.
func (t *Thermal) symbol(b []byte) int {
	if len(b) < 5 {
		return 0
	}
	n := 5 + word(b[3:])
	if len(b) < n {
		return 0
	}
	arg := b[5:n]
	if b[2] != 'k' || len(arg) < 3 || arg[0] != 49 {
		t.strange(b[:3])
		return n
	}
	switch arg[1] {
	case 65: // the model: only 2 is left in use
	case 67:
		t.mode.qrSize = int(arg[2])
	case 69:
		t.mode.qrLevel = arg[2]
	case 80:
		t.mode.qrData = append([]byte(nil), arg[3:]...)
	case 81:
		t.qr()
	default:
		t.strange(b[:3])
	}
	return n
}
