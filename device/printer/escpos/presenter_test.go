package escpos_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"parvis/device"
	"parvis/device/printer"
	"parvis/device/printer/escpos"
	"parvis/device/sim"
)

func newPresenter(t *testing.T, wait time.Duration, then escpos.After) *bench {
	t.Helper()
	return newPresenterAt(t, 0, wait, then)
}

func newPresenterAt(t *testing.T, speed float64, wait time.Duration, then escpos.After) *bench {
	t.Helper()
	b := newBenchOf(t, setup{model: "custom-vkp80", speed: speed}, func(o *escpos.Options) {
		o.Model.Presenter.Wait, o.Model.Presenter.Then = wait, then
	})
	b.hand = false
	return b
}

func (b *bench) wantMouth(t *testing.T, want sim.Mouth) {
	t.Helper()
	if got := b.thermal.Mouth(); got != want {
		t.Errorf("the ticket is %s, want %s", got, want)
	}
}

func (b *bench) awaitMedia(t *testing.T, media device.Media) {
	t.Helper()
	b.await(t, string(media), func(s device.Status) bool { return s.Media == media && s.State != device.Busy })
}

func TestPresentedTicketIsTaken(t *testing.T) {
	t.Parallel()
	b := newPresenter(t, time.Minute, escpos.Retract)
	b.serve(t)
	b.awaitMedia(t, device.MediaNotPresent)
	start := time.Now()
	b.mustPrint(t, "A") // does not wait for the hand
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("Print took %v", d)
	}
	b.wantMouth(t, sim.MouthPresent)
	b.awaitMedia(t, device.MediaPresent)
	if s := b.last(); s.Fault != device.None || !s.Ready() {
		t.Errorf("status %+v while its owner may still take it", s)
	}
	b.thermal.SetPaper(sim.PaperLow)
	b.awaitFault(t, device.PaperEnds)
	b.thermal.SetPaper(sim.PaperIn)
	if err := b.thermal.Take(); err != nil {
		t.Fatal(err)
	}
	b.awaitMedia(t, device.MediaTaken)
	if s := b.last(); s.Fault != device.None || s.State != device.Online {
		t.Errorf("status %+v once it was taken", s)
	}
	b.mustPrint(t, "B")
	if strings.Contains(b.wire(), "\x1de\x02") {
		t.Error("a ticket that was taken was drawn back")
	}
	b.noDoubles(t)
}

func TestTicketThatNobodyTakes(t *testing.T) {
	t.Parallel()
	for then, want := range map[escpos.After]struct {
		mouth sim.Mouth
		media device.Media
	}{
		escpos.Retract: {sim.MouthRetracted, device.MediaRetracted},
		escpos.Eject:   {sim.MouthEjected, device.MediaNotPresent},
	} {
		t.Run(string(then), func(t *testing.T) {
			t.Parallel()
			b := newPresenter(t, 700*time.Millisecond, then)
			b.serve(t)
			b.awaitReady(t)
			b.mustPrint(t, "A")
			b.awaitMedia(t, device.MediaPresent)
			b.awaitMedia(t, want.media)
			b.wantMouth(t, want.mouth)
			if s := b.last(); s.Fault != device.None {
				t.Errorf("status %+v once it is gone", s)
			}
			if n := b.seen("A-end"); n != 1 {
				t.Errorf("the ticket came out %d times", n)
			}
		})
	}
}

// Nobody gets somebody else's ticket, whether Serve is at work or not.
func TestNextTicketClearsTheMouth(t *testing.T) {
	t.Parallel()
	b := newPresenter(t, time.Second, escpos.Retract)
	b.mustPrint(t, "A")
	b.wantMouth(t, sim.MouthPresent)
	b.mustPrint(t, "B")
	b.wantMouth(t, sim.MouthPresent)
	wire := b.wire()
	back, next := strings.Index(wire, "\x1de\x02"), strings.LastIndex(wire, "\x1b@")
	if back < 0 || back > next || strings.Count(wire, "\x1de\x02") != 1 {
		t.Errorf("drawn back at %d, next ticket at %d of %d", back, next, len(wire))
	}
}

func TestTicketThatCannotBeCleared(t *testing.T) {
	t.Parallel()
	b := newPresenter(t, time.Second, escpos.Retract)
	b.mustPrint(t, "A")
	b.lose("\x1de\x02", 1)
	wantError(t, b.Print(t.Context(), ticket("B")), device.TicketLeft, printer.Nothing)
	b.wantMouth(t, sim.MouthPresent)
	b.mustPrint(t, "C")
	if n := b.seen("B"); n != 0 {
		t.Errorf("the refused ticket came out %d times", n)
	}
}

// A stump of a torn ticket is drawn back before the next comes out.
func TestTornTicketIsNotHandedOut(t *testing.T) {
	t.Parallel()
	b := newPresenter(t, time.Minute, escpos.Retract)
	b.torn = true
	b.thermal.After(300, func() { _ = b.line.Unplug() })
	wantError(t, b.Print(t.Context(), ticket("OLD")), device.Unplugged, printer.Maybe)
	b.mustPlug(t)
	b.mustPrint(t, "NEW")
	b.wantMouth(t, sim.MouthPresent)
	b.mu.Lock()
	defer b.mu.Unlock()
	if last := b.tickets[len(b.tickets)-1]; strings.Contains(last, "OLD") {
		t.Errorf("the ticket held out is\n%s", last)
	}
	if len(b.tickets) > 1 && !strings.Contains(string(b.heard), "\x1de\x02") {
		t.Error("the stump was not drawn back")
	}
}

// A ticket that stopped amid its printing is finished by the printer itself, once
// it can: it is drawn back before the next resident's comes out.
func TestTicketThatFinishesByItselfIsNotHandedOver(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(t *testing.T, b *bench){
		"paper out": func(t *testing.T, b *bench) {
			b.thermal.After(300, func() { b.thermal.SetPaper(sim.PaperOut) })
			wantError(t, b.Print(t.Context(), ticket("A")), device.NoPaper, printer.Maybe)
			go b.thermal.SetPaper(sim.PaperIn) // comes back when all is printed
			time.Sleep(50 * time.Millisecond)  // it has begun to print again
		},
		"caller gave up": func(t *testing.T, b *bench) {
			ctx, cancel := context.WithCancel(t.Context())
			b.thermal.After(300, cancel)
			wantError(t, b.Print(ctx, ticket("A")), device.Interrupted, printer.Maybe)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newPresenterAt(t, 120, time.Minute, escpos.Retract)
			stop(t, b)
			b.mustPrint(t, "B")
			b.wantMouth(t, sim.MouthPresent)
			b.mu.Lock()
			defer b.mu.Unlock()
			if len(b.mouths) != 2 || b.mouths[1] != sim.MouthRetracted {
				t.Errorf("when the tickets began the mouth was %v", b.mouths)
			}
			if n := len(b.tickets); n != 2 {
				t.Errorf("%d tickets", n)
			}
		})
	}
}

// Whoever prints again at once has their hand on the first ticket.
func TestNextTicketWaitsForTheHand(t *testing.T) {
	t.Parallel()
	b := newPresenter(t, time.Minute, escpos.Retract)
	b.mustPrint(t, "A")
	printed := make(chan error, 1)
	go func() { printed <- b.Print(within(t, 20*time.Second), ticket("B")) }()
	asked := strings.Count(b.wire(), "\x10\x04\x14")
	for deadline := time.Now().Add(10 * time.Second); strings.Count(b.wire(), "\x10\x04\x14") < asked+4; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody looks at the mouth")
		}
	}
	if err := b.thermal.Take(); err != nil {
		t.Fatal(err)
	}
	if err := <-printed; err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.wire(), "\x1de\x02") {
		t.Error("the ticket was drawn back from under the hand")
	}
}

// A ticket whose time is over, and that does not go, is for an agent.
func TestTicketLeftIsAFaultOnceItsTimeIsOver(t *testing.T) {
	t.Parallel()
	b := newPresenter(t, 700*time.Millisecond, escpos.Retract)
	b.serve(t)
	b.awaitReady(t)
	b.lose("\x1de\x02", 1)
	b.mustPrint(t, "A")
	b.awaitFault(t, device.TicketLeft)
	if s := b.last(); s.Media != device.MediaPresent || !s.Ready() {
		t.Errorf("status %+v", s)
	}
	b.awaitMedia(t, device.MediaRetracted) // tried again
}
