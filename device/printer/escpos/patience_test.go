package escpos_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"parvis/device"
	"parvis/device/printer"
	"parvis/device/printer/escpos"
	"parvis/device/sim"
	"parvis/device/transport"
)

// A printer whose buffer is full hears no question before it has made room. Its
// ticket is fine all the same, and must not be printed twice.
func TestBusyPrinterIsNoSilentOne(t *testing.T) {
	t.Parallel()
	b := newBenchOf(t, setup{model: "epson-tm-t20", tcp: true, speed: 40, buffer: 256}, func(o *escpos.Options) { o.Answer = 0 })
	start := time.Now()
	b.mustPrint(t, "A")
	if d := time.Since(start); d < 2*time.Second {
		t.Errorf("it took but %v: the printer was never busy", d)
	}
}

// talk plays a printer on a pty, line by line.
type talk struct {
	t      *testing.T
	master *os.File
}

// expect waits for what the driver says, and answers.
func (k talk) expect(want string, reply ...byte) {
	k.t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(k.master, got); err != nil || string(got) != want {
		k.t.Fatalf("got %q, %v, want %q", got, err, want)
	}
	if _, err := k.master.Write(reply); err != nil {
		k.t.Fatal(err)
	}
}

// startTicket begins a Print, up to the moment when the printer has all of the
// ticket.
func startTicket(t *testing.T, o escpos.Options) (talk, chan error) {
	t.Helper()
	master, slave := mustPty(t)
	p := escpos.New(transport.Serial(slave.Name(), 115200), o)
	t.Cleanup(func() { p.Close() })
	job, err := escpos.Encode(ticket("A"))
	if err != nil {
		t.Fatal(err)
	}
	printed := make(chan error, 1)
	go func() { printed <- p.Print(within(t, 20*time.Second), ticket("A")) }()
	k := talk{t, master}
	for _, question := range []string{"\x10\x04\x01", "\x10\x04\x02", "\x10\x04\x04"} {
		k.expect(question, 0x12)
	}
	k.expect("\x1dr\x01", 0x00)
	k.expect(string(job) + "\x1dr\x01")
	return k, printed
}

func TestCompletionAmidAQuestion(t *testing.T) {
	t.Parallel()
	k, printed := startTicket(t, escpos.Options{Answer: time.Second})
	k.expect("\x10\x04\x01", 0x00) // the question is never answered, the ticket is out
	if err := <-printed; err != nil {
		t.Errorf("Print = %v", err)
	}
}

// While an answer is late nothing more is asked, and a late one is no news.
func TestLateAnswer(t *testing.T) {
	t.Parallel()
	k, printed := startTicket(t, escpos.Options{Answer: 300 * time.Millisecond})
	k.expect("\x10\x04\x01")
	time.Sleep(time.Second) // longer than the answer is waited for
	k.expect("", 0x12)
	k.expect("\x10\x04\x01", 0x12) // and not twice or more what was asked before
	k.expect("\x10\x04\x02", 0x16) // the cover
	k.expect("\x10\x04\x04", 0x12)
	wantError(t, <-printed, device.CoverOpen, printer.Maybe)
}

func TestSilenceEndsPatience(t *testing.T) {
	t.Parallel()
	k, printed := startTicket(t, escpos.Options{Answer: 200 * time.Millisecond, Complete: time.Second})
	k.expect("\x10\x04\x01")
	wantError(t, <-printed, device.Silent, printer.Maybe)
}

// An automatic status that lost a byte does not swallow the completion.
func TestStatusCutShort(t *testing.T) {
	t.Parallel()
	k, printed := startTicket(t, escpos.Options{})
	k.expect("", 0x10, 0x00, 0x00)
	time.Sleep(250 * time.Millisecond) // silence amid it
	k.expect("", 0x00)
	if err := <-printed; err != nil {
		t.Errorf("Print = %v", err)
	}
}

// Without flow control the printer loses what its buffer does not take, and may
// take every later question for the rest of a picture.
func TestBytesLostToAFullBuffer(t *testing.T) {
	t.Parallel()
	doc := ticket("OLD")
	doc.Blocks = append(doc.Blocks[:len(doc.Blocks)-1], printer.QR{Data: strings.Repeat("x", 1200)}, printer.Cut{})
	deaf := make(chan bool, 2)
	t.Run("buffers", func(t *testing.T) {
		for _, buffer := range []int{1400, 1600} {
			t.Run(fmt.Sprint(buffer), func(t *testing.T) {
				t.Parallel()
				b := newBenchOf(t, setup{model: "epson-tm-t20", buffer: buffer, flow: sim.FlowNone}, func(o *escpos.Options) { o.Complete = 2 * time.Second })
				b.torn = true
				b.thermal.After(300, func() { b.thermal.SetPaper(sim.PaperOut) })
				wantError(t, b.Print(t.Context(), doc), device.NoPaper, printer.Maybe)
				b.thermal.SetPaper(sim.PaperIn)
				err := b.Print(t.Context(), ticket("NEW"))
				deaf <- err != nil
				if err != nil {
					wantError(t, err, device.Silent, printer.Nothing)
					b.mustPrint(t, "NEW")
				}
				b.mu.Lock()
				defer b.mu.Unlock()
				if last := b.tickets[len(b.tickets)-1]; err != nil && (!strings.HasPrefix(last, "NEW\n") || strings.Contains(last, "OLD")) {
					t.Errorf("the new ticket is\n%s", last)
				}
			})
		}
	})
	if first, second := <-deaf, <-deaf; !first && !second {
		t.Error("no loss made the printer deaf: the test tries nothing")
	}
}

// With flow control nothing is lost.
func TestFlowControlHoldsUpTheHost(t *testing.T) {
	t.Parallel()
	b := newBenchOf(t, setup{model: "epson-tm-t20", buffer: 128 << 10, flow: sim.FlowXON, heeds: transport.FlowXON}, func(*escpos.Options) {})
	doc := ticket("A")
	doc.Blocks = doc.Blocks[:3]
	for range 10000 {
		doc.Blocks = append(doc.Blocks, printer.Text{Text: strings.Repeat("x", 40)})
	}
	doc.Blocks = append(doc.Blocks, printer.Text{Text: "A-end"}, printer.Cut{})
	held := make(chan struct{})
	b.thermal.After(300, func() { b.thermal.SetPaper(sim.PaperLow); <-held })
	printed := make(chan error, 1)
	go func() { printed <- b.Print(within(t, 20*time.Second), doc) }()
	// The host stops before all has left.
	for before := -1; before != len(b.wire()) || before < 64<<10; time.Sleep(200 * time.Millisecond) {
		before = len(b.wire())
	}
	close(held)
	if err := <-printed; err != nil {
		t.Fatal(err)
	}
	if n := b.seen(strings.Repeat("x", 40)); n != 10000 || b.seen("A-end") != 1 {
		t.Errorf("%d lines of 10000 came out", n)
	}
}
