package escpos

import (
	"fmt"

	"github.com/skip2/go-qrcode"
)

// qrBytes is how many bytes a QR code of each version, from 1 up, holds at
// error correction level M (ISO/IEC 18004, table 7).
var qrBytes = [...]int{
	14, 26, 42, 62, 84, 106, 122, 152, 180, 213,
	251, 287, 331, 362, 412, 450, 504, 560, 624, 666,
	711, 779, 857, 911, 997, 1059, 1125, 1190, 1264, 1370,
	1452, 1538, 1628, 1722, 1809, 1911, 1989, 2099, 2213, 2331,
}

const (
	qrWanted    = 264 // dots: 33 mm, easy for a telephone at arm's length
	qrQuiet     = 4   // modules of white each side
	qrModuleMin = 3   // dots: 0.375 mm, the least a telephone reads well
	qrModuleMax = 8
)

// qrModules tells how many modules wide the code for n bytes is at most.
func qrModules(n int) (int, error) {
	if n == 0 {
		return 0, fmt.Errorf("escpos: QR code without data")
	}
	for i, capacity := range qrBytes {
		if n <= capacity {
			return 17 + 4*(i+1), nil
		}
	}
	return 0, fmt.Errorf("escpos: %d bytes are too many for a QR code", n)
}

// qrModuleSize chooses the dots of one module so that the code is about as
// wide as wanted and, with its quiet zone, no wider than the paper.
func qrModuleSize(modules, paper int) int {
	size := min(max((qrWanted+modules/2)/modules, qrModuleMin), qrModuleMax)
	for size > 1 && (modules+2*qrQuiet)*size > paper {
		size--
	}
	return size
}

// qr prints a QR code, centred and with its quiet zone.
func (w *writer) qr(data string) error {
	modules, err := qrModules(len(data))
	if err != nil {
		return err
	}
	size := qrModuleSize(modules, w.model.Dots)
	w.set(style{align: centre, width: 1, height: 1})
	w.feed(qrQuiet * size)
	if w.model.NativeQR {
		w.nativeQR(data, size)
	} else if err := w.drawQR(data, size); err != nil {
		return err
	}
	w.feed(qrQuiet * size)
	return nil
}

// nativeQR appends the commands of GS ( k: model 2, module size, level M, data,
// print.
func (w *writer) nativeQR(data string, size int) {
	n := len(data) + 3
	w.put(gs, '(', 'k', 4, 0, 49, 65, 50, 0)
	w.put(gs, '(', 'k', 3, 0, 49, 67, byte(size))
	w.put(gs, '(', 'k', 3, 0, 49, 69, 49)
	w.put(gs, '(', 'k', byte(n), byte(n>>8), 49, 80, 48)
	w.put([]byte(data)...)
	w.put(gs, '(', 'k', 3, 0, 49, 81, 48)
	w.longest = max(w.longest, n+5)
}

// drawQR draws the code itself, which may be smaller than the most it needs.
func (w *writer) drawQR(data string, size int) error {
	code, err := qrcode.New(data, qrcode.Medium)
	if err != nil {
		return fmt.Errorf("escpos: QR code: %w", err)
	}
	code.DisableBorder = true
	modules := code.Bitmap()
	p := newPicture(len(modules)*size, len(modules)*size)
	for y, row := range modules {
		for x, dark := range row {
			if dark {
				p.fill(x*size, y*size, size, size)
			}
		}
	}
	w.picture(p, centre)
	return nil
}
