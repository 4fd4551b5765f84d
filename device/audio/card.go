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
	mixer Mixer
	list  string // the kernel's list of cards
}

// NewCard returns the card whose loudness m sets.
func NewCard(m Mixer) *Card { return &Card{mixer: m, list: "/proc/asound/cards"} }

// Serve reports whether there is a sound card, and sets the safe level each
// time one appears, until ctx ends: it then returns ctx's error. It opens no
// output, and so never keeps the voice from one.
func (c *Card) Serve(ctx context.Context, report func(device.Status)) error {
	t := time.NewTicker(glance)
	defer t.Stop()
	set := false
	for {
		err := c.present()
		status := device.NoSound.With(err)
		if err == nil {
			status = device.Status{State: device.Online}
			if !set {
				if err := c.mixer.Reset(ctx); err != nil {
					status = device.Hardware.With(err)
				}
			}
		}
		if ctx.Err() == nil {
			report(status)
		}
		set = status.Ready()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
}

var errNoCard = errors.New("no sound card")

// present looks for a line such as " 0 [PCH            ]: HDA-Intel - HDA Intel PCH".
func (c *Card) present() error {
	list, err := os.ReadFile(c.list)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoCard, err)
	}
	if !bytes.Contains(list, []byte("]: ")) {
		return errNoCard
	}
	return nil
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
