package image

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"parvis/e2e/fleet"
)

// up is what systemd says when the application has drawn its first page.
const up = "Started parvis.service"

// The colours behind the page that a borne in service waits with, and behind the
// others.
var (
	attract = color.RGBA{0x0b, 0x55, 0x61, 0xff}
	paper   = color.RGBA{0xfb, 0xf6, 0xf0, 0xff}
)

// share is how much of a picture has about a colour, from 0 to 1.
func share(img image.Image, c color.RGBA) float64 {
	if img == nil {
		return 0
	}
	near := func(a uint32, b uint8) bool { return max(int(a>>8), int(b))-min(int(a>>8), int(b)) < 8 }
	var same, all int
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y += 4 {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x += 4 {
			r, g, b, _ := img.At(x, y).RGBA()
			all++
			if near(r, c.R) && near(g, c.G) && near(b, c.B) {
				same++
			}
		}
	}
	return float64(same) / float64(all)
}

func inService(img image.Image) bool { return share(img, attract) > 0.5 }

func asksForCode(img image.Image) bool { return share(img, paper) > 0.3 }

// untilAsked waits for the page that asks for the code.
func (m *machine) untilAsked() {
	m.t.Helper()
	m.until("page that asks for the code", patience, func() bool { return m.serial.has(up) && asksForCode(m.picture()) })
}

// untilServing waits for the page that residents see, and for the hub to know.
func (m *machine) untilServing(hub *fleet.Hub) {
	m.t.Helper()
	m.until("report to the hub", patience, func() bool { return seen(m.t, hub, m.began, oldVersion) })
	m.until("page that residents see", patience, func() bool { return inService(m.picture()) })
}

// TestFirstBoot takes a machine from its first start to the page that residents
// see, as IT would: the code is typed on the glass.
func TestFirstBoot(t *testing.T) {
	hub := fleet.StartHub(t, fleet.HubOptions{})
	m := newMachine(t, "first-boot", newDisk(t, emulated(t, nil), diskSize))
	m.tpm = true
	m.start()
	m.untilAsked()
	t.Logf("from the power button to the page that asks for the code: %v", m.age())
	m.keepPicture("1-first-boot")
	if !m.serial.has("sa clé est liée au TPM") {
		t.Error("the data is not bound to the TPM")
	}

	m.write(invitation(hub))
	m.keepPicture("2-code")
	began := time.Now()
	m.touch(enterKey)
	m.untilServing(hub)
	t.Logf("from the last key to the page that residents see: %v", time.Since(began).Round(100*time.Millisecond))
	m.keepPicture("3-in-service")

	m.touch(startKey)
	m.until("home page", patience, func() bool { return share(m.picture(), paper) > 0.3 })
	m.keepPicture("4-home")

	m.kill()
	m.start()
	m.untilServing(hub)
	t.Logf("from the power button to the page that residents see, every other day: %v", m.age())
	m.keepPicture("5-every-day")
}

// TestBrokenRoot has a root on trial that does not even start: after three tries
// the machine is back on the other one.
func TestBrokenRoot(t *testing.T) {
	image := prepared(t, nil)
	esp := image + "@@" + strconv.Itoa(espOffset)
	entry := run(t, "mtype", "-i", esp, "::loader/entries/parvis-a.conf")
	broken := strings.NewReplacer("version 1", "version 2", "parvis.slot=a", "parvis.slot=b", "PARTLABEL=parvis-a", "PARTLABEL=parvis-b").Replace(entry)
	put := exec.Command("mcopy", "-i", esp, "-", "::loader/entries/parvis-b+3.conf")
	put.Stdin = strings.NewReader(broken)
	if out, err := put.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	f, err := os.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()

	m := newMachine(t, "broken-root", newDisk(t, f, diskSize))
	m.start()
	m.untilAsked()
	if n := m.serial.count("BdsDxe: starting"); n != 4 {
		t.Errorf("the boot loader was started %d times", n)
	}
	t.Logf("three starts that fail and one that doesn't: %v", m.age())
}

// The keys of the page that asks for the code.
var keyRows = []string{"1234567890", "AZERTYUIOP", "QSDFGHJKLM", "WXCVBN-.:@"}

// Where they are.
var (
	firstKey = image.Pt(109, 860)
	enterKey = image.Pt(540, 1533)
	startKey = image.Pt(540, 1360) // of the page that residents see first
	field    = image.Rect(70, 470, 1010, 610)
)

const keyWidth, keyHeight = 95.5, 124.6

// write types on the glass, each sign after the one before has shown.
func (m *machine) write(text string) {
	m.t.Helper()
	for _, r := range strings.ToUpper(text) {
		before := crop(m.picture(), field)
		m.touch(keyOf(m.t, r))
		m.until("sign on the glass", patience, func() bool { return !bytes.Equal(before, crop(m.picture(), field)) })
	}
}

func keyOf(t *testing.T, r rune) image.Point {
	t.Helper()
	for row, keys := range keyRows {
		if i := strings.IndexRune(keys, r); i >= 0 {
			return firstKey.Add(image.Pt(int(float64(i)*keyWidth), int(float64(row)*keyHeight)))
		}
	}
	t.Fatalf("there is no key %q", r)
	return image.Point{}
}

// crop is a part of a picture as bytes, to see whether it changes.
func crop(img image.Image, r image.Rectangle) []byte {
	if img == nil {
		return nil
	}
	part := image.NewRGBA(r)
	draw.Draw(part, r, img, r.Min, draw.Src)
	return part.Pix
}
