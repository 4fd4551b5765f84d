package a4_test

import (
	"bytes"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"parvis/device/printer"
	"parvis/device/printer/a4"
)

func render(t *testing.T, doc printer.Document) []byte {
	t.Helper()
	pdf, err := a4.Render(doc)
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}

// tool runs a program on in and returns what it writes.
func tool(t *testing.T, debian string, in []byte, name string, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("%s is missing: install Debian’s %s", name, debian)
	}
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdin = bytes.NewReader(in)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", name, err, complaints.String())
	}
	if name != "zbarimg" && complaints.Len() > 0 {
		t.Errorf("%s complains: %s", name, complaints.String())
	}
	return out
}

var blanks = regexp.MustCompile(`[ \x{00a0}\x{202f}]+`)

// text is what can be searched for on each page, with single spaces.
func text(t *testing.T, pdf []byte) []string {
	t.Helper()
	out := blanks.ReplaceAllString(string(tool(t, "poppler-utils", pdf, "pdftotext", "-layout", "-", "-")), " ")
	return strings.Split(strings.TrimSuffix(out, "\f"), "\f")
}

const dpi = 100

// pictures prints a PDF as a printer would.
func pictures(t *testing.T, pdf []byte) []*image.Gray {
	t.Helper()
	dir := t.TempDir()
	tool(t, "poppler-utils", pdf, "pdftoppm", "-gray", "-r", fmt.Sprint(dpi), "-", filepath.Join(dir, "page"))
	names, err := filepath.Glob(filepath.Join(dir, "*.pgm"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no pictures of the pages: %v", err)
	}
	var pages []*image.Gray
	for _, name := range names {
		pages = append(pages, pgm(t, name))
	}
	return pages
}

// pgm reads the plain format of grey pictures.
func pgm(t *testing.T, name string) *image.Gray {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var w, h, top int
	if _, err := fmt.Sscanf(string(b[:30]), "P5\n%d %d\n%d\n", &w, &h, &top); err != nil || len(b) < w*h {
		t.Fatalf("%s: %v", name, err)
	}
	return &image.Gray{Pix: b[len(b)-w*h:], Stride: w, Rect: image.Rect(0, 0, w, h)}
}

// frame is where ink may be: A4 but for margins of 18 mm.
func frame(img *image.Gray) image.Rectangle {
	m := 18 * dpi * 10 / 254
	return img.Rect.Inset(m)
}

// decode reads the QR code of the first page.
func decode(t *testing.T, pdf []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "page")
	tool(t, "poppler-utils", pdf, "pdftoppm", "-r", "150", "-png", "-singlefile", "-", name)
	return strings.TrimSuffix(string(tool(t, "zbar-tools", nil, "zbarimg", "-q", "--raw", name+".png")), "\n")
}

// components counts the shapes of ink on a picture.
func components(img *image.Gray) int {
	seen := make([]bool, len(img.Pix))
	n := 0
	for start := range img.Pix {
		if seen[start] || img.Pix[start] > 127 {
			continue
		}
		n++
		seen[start] = true
		for todo := []int{start}; len(todo) > 0; {
			p := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			for _, q := range []int{p - 1, p + 1, p - img.Stride, p + img.Stride, p - img.Stride - 1, p - img.Stride + 1, p + img.Stride - 1, p + img.Stride + 1} {
				if q >= 0 && q < len(seen) && !seen[q] && img.Pix[q] <= 127 {
					seen[q] = true
					todo = append(todo, q)
				}
			}
		}
	}
	return n
}
