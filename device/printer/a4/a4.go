// Package a4 sets documents on A4 paper, as PDF that any office printer takes.
// Latin text stays text, so that it can be searched; every other script is
// drawn as shapes, in the order and the forms its readers expect.
package a4

import (
	"errors"
	"fmt"
	"strconv"

	"parvis/device/printer"
)

// The paper, in points of 1/72 inch.
const (
	mm         = 72 / 25.4
	pageWidth  = 210 * mm
	pageHeight = 297 * mm
	margin     = 18 * mm
	width      = pageWidth - 2*margin
	footer     = 24 // kept for the page's number, within the margins
	height     = pageHeight - 2*margin - footer
)

// sizes are those of body text, in points. A smaller one is taken where it
// saves a sheet; none is smaller than 12, since many who take a sheet home read
// it with difficulty.
var sizes = [...]float64{14, 13, smallest}

const smallest = 12

// Render sets doc as a PDF. The same document gives the same bytes. Cut says
// nothing on paper that is already in sheets. Its errors name the block that
// cannot be printed.
func Render(doc printer.Document) ([]byte, error) {
	s := newSetter(doc.Lang)
	var pages [][]placed
	for _, size := range sizes {
		set, err := s.pages(doc, size)
		if err != nil {
			return nil, err
		}
		if pages == nil || len(set) < len(pages) {
			pages = set
		}
	}
	p := newPen(doc)
	for i, page := range pages {
		p.pdf.AddPage()
		for _, a := range page {
			a.draw(p, a.top)
		}
		if len(pages) > 1 {
			number := strconv.Itoa(i+1) + "/" + strconv.Itoa(len(pages))
			s.number(number).draw(p, pageHeight-margin-footer)
		}
	}
	return p.bytes()
}

// pages sets the whole document with body text of one size.
func (s *setter) pages(doc printer.Document, size float64) ([][]placed, error) {
	s.size, s.atoms, s.gap = size, nil, 0
	for i, hold := range bonds(doc.Blocks) {
		if err := s.set(doc.Blocks[i]); err != nil {
			return nil, fmt.Errorf("a4: block %d: %w", i+1, err)
		}
		if n := len(s.atoms); n > 0 {
			s.atoms[n-1].bond = hold
		}
	}
	if len(s.atoms) == 0 {
		return nil, errors.New("a4: the document has nothing to print")
	}
	return paginate(s.atoms), nil
}
