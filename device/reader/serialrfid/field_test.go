package serialrfid_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parvis/device/reader/internal/line/linetest"
	"parvis/device/reader/serialrfid"
	"parvis/device/transport"
)

const (
	beat = 65 * time.Millisecond // between two frames of an RDM6300
	gone = 400 * time.Millisecond

	a = "100086F444" // the number of first
	b = "010063E9AE" // the number of second
)

// field is a reader in fake time, and the hand that holds cards to it.
type field struct {
	*linetest.Wire
	linetest.Record
	ctx    context.Context
	served chan error
}

// bench serves a reader in a bubble of fake time while test plays with it.
func bench(t *testing.T, test func(t *testing.T, f *field)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := &field{Wire: linetest.NewWire(), ctx: ctx}
		f.serve()
		f.expect(t, "starting online")
		test(t, f)
		cancel()
		if err := <-f.served; err == nil {
			t.Error("Serve ended without an error")
		}
	})
}

func (f *field) serve() {
	f.served = make(chan error, 1)
	r := serialrfid.New(f.Open)
	go func() { f.served <- r.Serve(f.ctx, f.Report, f.Seen) }()
}

// hold lets frames come as an RDM6300 sends them, in turn.
func (f *field) hold(times int, frames ...string) {
	for i := range times {
		f.Send(frames[i%len(frames)])
		time.Sleep(beat)
	}
}

func (f *field) expect(t *testing.T, want string) {
	t.Helper()
	synctest.Wait()
	if got := f.Take(); got != want {
		t.Errorf("the reader said\n%s\nwant\n%s", got, want)
	}
}

func TestCardIsToldOfOnce(t *testing.T) {
	bench(t, func(t *testing.T, f *field) {
		f.hold(1, frame(first))
		f.expect(t, "+"+a+" online/present")
		f.hold(30, frame(first))
		f.expect(t, "")
		time.Sleep(gone)
		f.expect(t, "- online/not_present")
		f.hold(3, frame(first))
		f.expect(t, "+"+a+" online/present")
	})
}

// Three frames may be lost without the card having been taken away.
func TestLostFramesAreNoRemoval(t *testing.T) {
	bench(t, func(t *testing.T, f *field) {
		f.hold(1, frame(first))
		time.Sleep(3 * beat)
		f.hold(1, frame(first))
		f.expect(t, "+"+a+" online/present")
	})
}

// A card pulled away slowly, or a plug put in, is no fault of the reader's.
func TestTwoLoudSecondsAreNoNoise(t *testing.T) {
	bench(t, func(t *testing.T, f *field) {
		for range 20 {
			f.Send(strings.Repeat("\xff", 50))
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(5 * time.Second)
		f.expect(t, "")
	})
}

func TestReaderThatTellsOnce(t *testing.T) {
	bench(t, func(t *testing.T, f *field) {
		f.hold(1, "\x02"+first+"\r\n\x03")
		f.expect(t, "+"+a+" online/present")
		time.Sleep(gone)
		f.expect(t, "- online") // it may lie there still
	})
}

func TestTwoCards(t *testing.T) {
	for name, tc := range map[string]struct {
		frames []string
		want   string
	}{
		"alternate":                 {[]string{first, second, first, second, first, second}, "+" + a + " online/present +several"},
		"in bursts":                 {[]string{first, first, second, second, first, second}, "+" + a + " online/present +several"},
		"three":                     {[]string{first, second, "0000000000" + "00"}, "+" + a + " online/present +several"},
		"one takes another's place": {[]string{first, first, second, second, second, second, second}, "+" + a + " online/present - +" + b},
	} {
		t.Run(name, func(t *testing.T) {
			bench(t, func(t *testing.T, f *field) {
				for _, digits := range tc.frames {
					f.hold(1, frame(digits))
				}
				f.expect(t, tc.want)
			})
		})
	}
}

func TestOneOfTwoIsTakenAway(t *testing.T) {
	bench(t, func(t *testing.T, f *field) {
		f.hold(6, frame(first), frame(second))
		f.Take()
		f.hold(20, frame(second))
		f.expect(t, "-several online/not_present +"+b+" online/present")
	})
}

func TestBothOfTwoAreTakenAway(t *testing.T) {
	bench(t, func(t *testing.T, f *field) {
		f.hold(6, frame(first), frame(second))
		f.Take()
		time.Sleep(time.Second)
		f.expect(t, "-several online/not_present")
	})
}

// Two cards spoil most of each other's frames. That makes them no less several.
func TestTwoCardsRarelyHeard(t *testing.T) {
	bench(t, func(t *testing.T, f *field) {
		spoiled := frame(first[:6] + second[6:])
		f.hold(100, frame(first), frame(second), spoiled, spoiled, frame(first), spoiled, spoiled, spoiled)
		f.expect(t, "+"+a+" online/present +several")
	})
}

// Each fault, before, amid and after a card: what the reader says of it, and
// that it tells of the next card.
func TestFaults(t *testing.T) {
	const noise = "\xff\x80\x00\x55"
	for name, fault := range map[string]struct {
		strike func(t *testing.T, f *field)
		alone  string // what is said with no card about, before there was one
		amid   string // and while a card lies there, which is then seen again
		after  string // and once a card was taken away
	}{
		"half a frame":     {func(t *testing.T, f *field) { f.hold(1, frame(first)[:8]) }, "", "", ""},
		"the other half":   {func(t *testing.T, f *field) { f.hold(1, frame(first)[8:]) }, "", "", ""},
		"a wrong checksum": {func(t *testing.T, f *field) { f.hold(3, frame(broken)) }, "", "", ""},
		"noise":            {func(t *testing.T, f *field) { f.hold(3, noise) }, "", "", ""},
		"a flood": {
			func(t *testing.T, f *field) {
				for range 40 {
					f.Send(strings.Repeat(noise, 20) + frame(second)[:5])
					time.Sleep(100 * time.Millisecond)
				}
				time.Sleep(3 * time.Second)
			},
			"online//noise online",
			"- online/not_present online/not_present/noise online/not_present +" + a + " online/present",
			"online/not_present/noise online/not_present",
		},
		"another card": {
			func(t *testing.T, f *field) { f.hold(20, frame(second)); time.Sleep(gone) },
			"+" + b + " online/present - online/not_present",
			"- +" + b + " - online/not_present +" + a + " online/present",
			"+" + b + " online/present - online/not_present",
		},
		"two cards": {
			func(t *testing.T, f *field) { f.hold(20, frame(first), frame(second)); time.Sleep(time.Second) },
			"+" + a + " online/present +several -several online/not_present",
			"+several -several online/not_present +" + a + " online/present",
			"+" + a + " online/present +several -several online/not_present",
		},
		"the line lost": {
			func(t *testing.T, f *field) {
				f.Unplug()
				if err := <-f.served; !errors.Is(err, transport.ErrGone) {
					t.Errorf("Serve = %v, want ErrGone", err)
				}
				f.serve()
				if err := <-f.served; !errors.Is(err, transport.ErrGone) {
					t.Errorf("Serve of an unplugged reader = %v, want ErrGone", err)
				}
				f.Plug()
				f.serve()
				synctest.Wait()
			},
			"no_device//unplugged starting no_device//unplugged starting online",
			"- no_device//unplugged starting no_device//unplugged starting online +" + a + " online/present",
			"no_device//unplugged starting no_device//unplugged starting online",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Run("before", func(t *testing.T) {
				bench(t, func(t *testing.T, f *field) {
					fault.strike(t, f)
					f.expect(t, fault.alone)
					f.hold(20, frame(first))
					f.expect(t, "+"+a+" online/present")
				})
			})
			t.Run("amid", func(t *testing.T) {
				bench(t, func(t *testing.T, f *field) {
					f.hold(5, frame(first))
					f.expect(t, "+"+a+" online/present")
					fault.strike(t, f)
					f.hold(20, frame(first))
					f.expect(t, fault.amid)
				})
			})
			t.Run("after", func(t *testing.T) {
				bench(t, func(t *testing.T, f *field) {
					f.hold(5, frame(first))
					time.Sleep(gone)
					f.expect(t, "+"+a+" online/present - online/not_present")
					fault.strike(t, f)
					f.expect(t, fault.after)
					f.hold(20, frame(first))
					f.expect(t, "+"+a+" online/present")
				})
			})
		})
	}
}

// What stands in an error goes to the log.
func TestErrorsHoldNoNumber(t *testing.T) {
	bench(t, func(t *testing.T, f *field) {
		f.hold(3, frame(first))
		f.Unplug()
		err := <-f.served
		f.served <- err
		if err == nil || strings.Contains(err.Error(), a) {
			t.Errorf("error = %v", err)
		}
	})
}
