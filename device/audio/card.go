package audio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"parvis/device"
)

// glance is how often the list of sound cards is looked at.
const glance = 5 * time.Second

// patience is how long a program of ALSA may take.
const patience = 5 * time.Second

// Mixer is how loud the sound card itself is, below the steps of the voice.
type Mixer struct {
	Device  string // ALSA's name, such as "default" or "hw:1"
	Control string // such as "Master" or "PCM"; without one the loudness is left alone
	Percent int    // the level that is safe for ears, 0 to 100
}

// Reset sets the safe level. It runs amixer, of the Debian package alsa-utils,
// and waits for it, some 10 ms.
func (m Mixer) Reset(ctx context.Context) error {
	if m.Control == "" {
		return nil
	}
	level := strconv.Itoa(min(max(m.Percent, 0), 100)) + "%"
	return alsa(ctx, "amixer", "-q", "-D", m.Device, "sset", m.Control, level)
}

// Card is the borne's sound card.
type Card struct {
	mixer   Mixer
	outputs []string
	list    string // the kernel's list of cards
}

// NewCard returns the card whose loudness m sets, and which must have these ALSA
// outputs; without any, "default".
func NewCard(m Mixer, outputs ...string) *Card {
	return &Card{mixer: m, outputs: outputs, list: "/proc/asound/cards"}
}

// Serve reports whether sound can be heard, and sets the safe level each time
// that a card appears, until ctx ends: it then returns ctx's error. It opens the
// outputs only when the cards have changed, or while there is no sound, and so
// hardly ever keeps the voice from one.
func (c *Card) Serve(ctx context.Context, report func(device.Status)) error {
	t := time.NewTicker(glance)
	defer t.Stop()
	var status device.Status
	var last []byte // the list
	for {
		list, err := os.ReadFile(c.list)
		if !status.Ready() || !bytes.Equal(list, last) {
			status = c.look(ctx, list, err)
			last = list
		}
		if ctx.Err() == nil {
			report(status)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
}

var errNoCard = errors.New("no sound card")

// look finds out how sound is with a list of cards, and sets the safe level.
func (c *Card) look(ctx context.Context, list []byte, err error) device.Status {
	switch {
	case err != nil:
		return device.NoSound.With(fmt.Errorf("%w: %w", errNoCard, err))
	case !bytes.Contains(list, []byte("]: ")): // such as " 0 [PCH            ]: HDA-Intel - HDA Intel PCH"
		return device.NoSound.With(errNoCard)
	}
	if s := Check(ctx, c.outputs...); !s.Ready() {
		return device.NoSound.With(errors.New(s.Cause))
	}
	if err := c.mixer.Reset(ctx); err != nil {
		return device.Hardware.With(err)
	}
	return device.Status{State: device.Online}
}

// Check opens each of the ALSA outputs, or "default" when none is given, and
// plays nothing on it. It says how the worst of them is. It may keep the voice
// from an output for a moment: it is for when nobody is in front of the borne.
func Check(ctx context.Context, outputs ...string) device.Status {
	if len(outputs) == 0 {
		outputs = []string{"default"}
	}
	status := device.Status{State: device.Online}
	for _, output := range outputs {
		err := alsa(ctx, "aplay", "-q", "-D", output, "-t", "raw", "-f", "S16_LE", "-r", "22050", os.DevNull)
		switch {
		case err == nil:
		case strings.Contains(err.Error(), "resource busy"):
			status.State = device.Busy // somebody plays on it: so it works
		case strings.Contains(err.Error(), "No such file"), strings.Contains(err.Error(), "No such device"):
			return device.NoSound.With(fmt.Errorf("output %s: %w", output, err))
		default:
			return device.Hardware.With(fmt.Errorf("output %s: %w", output, err))
		}
	}
	return status
}

// alsa runs one of ALSA's programs. Its error ends with what the program said
// last.
func alsa(ctx context.Context, program string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C") // Check reads the errors
	var said bytes.Buffer
	cmd.Stderr = &said
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%w: install the Debian package alsa-utils", err)
	}
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	return fmt.Errorf("%s: %w: %s", program, err, lines[len(lines)-1])
}
