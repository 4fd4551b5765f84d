package main

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const theme = "packaging/kiosk/root/usr/share/plymouth/themes/parvis"

// The shipped pictures are those that this program draws, and all that the theme
// asks for.
func TestShippedPictures(t *testing.T) {
	t.Chdir("../../..")
	dir := t.TempDir()
	if err := write(dir); err != nil {
		t.Fatal(err)
	}
	drawn, err := filepath.Glob(filepath.Join(dir, "*.png"))
	if err != nil || len(drawn) != len(words)+2 {
		t.Fatalf("drawn: %q %v", drawn, err)
	}
	script, err := os.ReadFile(filepath.Join(theme, "parvis.script"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range drawn {
		name := filepath.Base(path)
		if !strings.Contains(string(script), `"`+name+`"`) {
			t.Errorf("the theme does not show %s", name)
		}
		if !same(open(t, path), open(t, filepath.Join(theme, name))) {
			t.Errorf("%s is not what is shipped: go run ./packaging/kiosk/splash %s", name, theme)
		}
	}
	for _, name := range regexp.MustCompile(`"([^"]+\.png)"`).FindAllStringSubmatch(string(script), -1) {
		if _, err := os.Stat(filepath.Join(theme, name[1])); err != nil {
			t.Error(err)
		}
	}
}

func open(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func same(a, b image.Image) bool {
	if a.Bounds() != b.Bounds() {
		return false
	}
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			if color.NRGBAModel.Convert(a.At(x, y)) != color.NRGBAModel.Convert(b.At(x, y)) {
				return false
			}
		}
	}
	return true
}
