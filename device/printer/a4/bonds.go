package a4

import "parvis/device/printer"

// bonds tells for each block how firmly it holds to the next one that prints.
func bonds(blocks []printer.Block) []bond {
	b := make([]bond, len(blocks))
	end := len(blocks) - 1
	for end >= 0 && !prints(blocks[end]) {
		end--
	}
	foot := footerOf(blocks)
	var titled, coded bool // below a title in bold, below a QR code
	for i := 0; i < end; i++ {
		next := blocks[i+1]
		text, isText := blocks[i].(printer.Text)
		_, isQR := blocks[i].(printer.QR)
		_, toQR := next.(printer.QR)
		below, toText := next.(printer.Text)
		titled = isText && (titled || text.Bold)
		coded = isQR || coded && isText && text.Centred

		switch blocks[i].(type) {
		case printer.Heading, printer.Rule:
			b[i] = hard
		case printer.Space, printer.Cut:
			if i > 0 {
				b[i] = b[i-1] // they change nothing
			}
		}
		switch {
		case isText && text.Centred && toQR, coded && toText && below.Centred:
			b[i] = hard // a code and its captions
		case isText && text.Bold && prints(next):
			b[i] = hard // a title and its text
		case titled && toText && !below.Bold:
			b[i] = max(b[i], soft) // a place and its address
		case i >= foot:
			b[i] = max(b[i], soft)
		}
	}
	// The last line never stands on a page of its own.
	for i := end - 1; i >= 0; i-- {
		b[i] = max(b[i], soft)
		if prints(blocks[i]) {
			break
		}
	}
	return b
}

func prints(b printer.Block) bool {
	switch b.(type) {
	case printer.Space, printer.Cut:
		return false
	}
	return true
}

// footerOf tells where the footer begins: at the last rule, where nothing but
// plain lines follows it. Without one it is beyond the end.
func footerOf(blocks []printer.Block) int {
	for i := len(blocks) - 1; i >= 0; i-- {
		switch blocks[i].(type) {
		case printer.Rule:
			return i
		case printer.Text, printer.Space, printer.Cut:
		default:
			return len(blocks)
		}
	}
	return len(blocks)
}
