package session_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parvis/app/journey"
	"parvis/app/page"
	"parvis/app/session"
	"parvis/device"
	"parvis/device/printer/escpos"
	"parvis/device/reader"
	"parvis/device/reader/serialrfid"
	"parvis/device/sim"
	"parvis/device/supervise"
	"parvis/device/transport"
	"parvis/kiosk/store"
)

// wired is a desk whose ticket printer and card reader hang on real lines,
// under the supervision that a borne gives them.
type wired struct {
	*desk
	board   *supervise.Board
	hands   map[string]sim.Hand // by device: "printer", "rfid"
	mu      sync.Mutex
	tickets []sim.Ticket
}

const (
	ptyLine = "pty"
	tcpLine = "tcp"
)

// newWired plugs everything in and waits until all of it is ready.
func newWired(t *testing.T, line string) *wired {
	t.Helper()
	w := &wired{desk: newDesk(t), hands: map[string]sim.Hand{}}
	thermal := sim.NewThermal(func(ticket sim.Ticket) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.tickets = append(w.tickets, ticket)
	})
	dir := t.TempDir()
	port := filepath.Join(dir, "printer")
	var cable sim.Line = sim.NewCable(port, thermal)
	if line == tcpLine {
		cable = sim.NewSocket("127.0.0.1:0", thermal)
	}
	plug := func(l sim.Line) {
		if err := l.Plug(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
	}
	plug(cable)
	if s, ok := cable.(*sim.Socket); ok {
		port = "tcp://" + s.Addr()
	}
	w.hands["printer"] = &sim.Desk{Thermal: thermal, Cable: cable}
	rfid := sim.NewRFID(sim.RDM6300)
	t.Cleanup(func() { rfid.Close() })
	rfidLine := sim.NewCable(filepath.Join(dir, "rfid"), rfid)
	plug(rfidLine)
	w.hands["rfid"] = sim.Wired{Device: rfid, Line: rfidLine}

	p := escpos.New(transport.ForPort(port, 19200), escpos.Options{})
	badges := serialrfid.New(transport.Serial(filepath.Join(dir, "rfid"), 9600))
	var err error
	w.board, err = supervise.New(supervise.Options{
		Log: slog.New(slog.DiscardHandler),
		Changed: func(name string, s device.Status) {
			now := time.Now()
			if err := w.borne.Store.PutDevice(context.Background(), store.DeviceState{Name: name, Kind: device.CardReader, Status: s, Since: now, Seen: now}); err != nil {
				t.Error(err)
			}
			w.todo <- w.Refresh
		},
	},
		supervise.Loop{Name: "imprimante", Kind: device.TicketPrinter, Serve: p.Serve},
		supervise.Loop{Name: "lecteur", Kind: device.CardReader, Serve: func(ctx context.Context, report func(device.Status)) error {
			return badges.Serve(ctx, report, func(e reader.Event) { w.todo <- func() { w.Card(e) } })
		}})
	if err != nil {
		t.Fatal(err)
	}
	w.borne.Outputs = []journey.Output{{ID: journey.Ticket, Print: p.Print, Status: func() device.Status { return w.board.Status("imprimante") }}}
	w.borne.CardReader = func(m reader.Medium) (device.Status, bool) { return w.board.Status("lecteur"), m == reader.RFID }
	var served sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	served.Go(func() { w.board.Serve(ctx) })
	t.Cleanup(func() { cancel(); served.Wait(); p.Close() })
	w.until("the devices", func() bool { return w.board.Status("imprimante").Ready() && w.board.Status("lecteur").Ready() })
	return w
}

// until also looks when nothing is put off: devices change by themselves.
func (w *wired) until(what string, ok func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !ok() {
		select {
		case f := <-w.todo:
			f()
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("waited for %s on page %s; devices %+v; faults %s", what, w.frame.Page.Name, w.board.All(), w.faults())
		}
	}
}

func (w *wired) order(device, order string) {
	w.t.Helper()
	if answer, err := w.hands[device].Do(order); err != nil {
		w.t.Fatalf("%s %s: %s, %v", device, order, answer, err)
	}
}

func (w *wired) at(name string) {
	w.t.Helper()
	w.until("page "+name, func() bool { return w.frame.Page.Name == name })
}

// whole is how many tickets have come out from their first line to their last.
func (w *wired) whole() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, ticket := range w.tickets {
		if strings.Contains(ticket.Text, "Mairie de quartier") && strings.Contains(ticket.Text, "Service gratuit.") {
			n++
		}
	}
	return n
}

// idle waits until the printer holds nothing that could still come out.
func (w *wired) idle() {
	w.t.Helper()
	w.until("an idle printer", func() bool {
		status, err := w.hands["printer"].Do("status")
		return err == nil && strings.Contains(status, "waiting=0 ") && w.board.Status("imprimante").State != device.Busy
	})
}

func (w *wired) why() string {
	c, _ := w.frame.Page.Find("print")
	return c.Why
}

// faults lists the faults of a device that the store keeps, the newest first:
// "no_paper" while it lasts, "no_paper ended" later.
func (w *wired) faults() string {
	w.t.Helper()
	all, err := w.borne.Store.Faults(w.t.Context(), 10)
	if err != nil {
		w.t.Fatal(err)
	}
	var words []string
	for _, f := range all {
		word := string(f.Fault)
		if !f.Ended.IsZero() {
			word += " ended"
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

var printerFaults = []struct {
	name, order, mend string
	fault             device.Fault
	reads             string // by the resident who touches "Imprimer"
	lost              bool   // the end of a ticket amid which it happens
}{
	{"no paper", "paper out", "paper in", device.NoPaper, "L’imprimante n’a plus de papier.", false},
	{"cover open", "cover open", "cover close", device.CoverOpen, "Le capot de l’imprimante est ouvert.", false},
	{"cutter stuck", "error cutter", "error off", device.Jam, "L’imprimante ne répond pas.", false},
	{"head too hot", "error hot", "error off", device.Overheated, "L’imprimante ne répond pas.", false},
	{"broken", "error fatal", "error off", device.Hardware, "L’imprimante ne répond pas.", false},
	{"silent", "silent on", "silent off", device.Silent, "L’imprimante ne répond pas.", false},
	{"unplugged", "unplug", "plug", device.Unplugged, "L’imprimante ne répond pas.", true},
}

// Each fault of a printer, before, amid and after a ticket, on a pty and on a
// socket: what the resident sees, what is kept, and that nothing is printed
// that nobody asked for.
func TestPrinterFaultsAtEachMoment(t *testing.T) {
	for _, line := range []string{ptyLine, tcpLine} {
		for _, f := range printerFaults {
			broken := func(w *wired) {
				t := w.t
				w.until("the fault", func() bool { return w.board.Status("imprimante").Fault == f.fault })
				w.until("the reason on the page", func() bool { return w.why() != "" })
				for _, words := range []string{f.reads, "Vos informations sont gardées.", "photo"} {
					if why := w.why(); !strings.Contains(why, words) {
						t.Errorf("the page says %q, without %q", why, words)
					}
				}
				w.touch("print")
				if b := w.frame.Page.Banner; b == nil || b.Text != w.why() {
					t.Errorf("touched, it says %+v", b)
				}
				w.until("the fault in the store", func() bool { return w.faults() == string(f.fault) })
			}
			mended := func(w *wired) {
				w.order("printer", f.mend)
				w.until("a printer that is well", func() bool { return w.board.Status("imprimante").Ready() })
				w.until("a page that offers to print", func() bool { return w.why() == "" })
				w.until("the end of the fault in the store", func() bool { return w.faults() == string(f.fault)+" ended" })
			}
			printed := func(w *wired, n int) {
				w.idle()
				if got := w.whole(); got != n {
					w.t.Errorf("%d whole tickets, want %d", got, n)
				}
			}
			moments := map[string]func(w *wired){
				"before": func(w *wired) {
					w.order("printer", f.order)
					broken(w)
					mended(w)
					printed(w, 0)
					w.touch("print")
					w.until("the ticket", func() bool { return w.whole() == 1 })
					w.at("place")
					printed(w, 1)
				},
				"amid": func(w *wired) {
					w.order("printer", "after 150 "+f.order)
					w.touch("print")
					w.at("print.failed")
					if title := w.frame.Page.Title; title != "Le ticket est-il sorti\u00a0?" {
						w.t.Errorf("the resident reads %q", title)
					}
					w.order("printer", f.mend)
					w.until("a printer that is well", func() bool { return w.board.Status("imprimante").Ready() })
					w.idle()
					// A printer that stopped goes on where it was; what was on a
					// pulled cable may be gone. Only the resident prints it again.
					rest := w.whole()
					if rest != 1 && !(f.lost && rest == 0) {
						w.t.Errorf("mended, %d whole tickets came out", rest)
					}
					w.at("print.failed")
					w.touch("retry")
					w.until("the ticket asked for", func() bool { return w.whole() > rest })
					w.at("place")
					printed(w, rest+1)
				},
				"after": func(w *wired) {
					w.touch("print")
					w.until("the ticket", func() bool { return w.whole() == 1 })
					w.at("place")
					w.until("a page that offers to print", func() bool { return w.frame.Page.Banner != nil && w.why() == "" })
					w.order("printer", f.order)
					broken(w)
					mended(w)
					printed(w, 1)
				},
			}
			for moment, try := range moments {
				t.Run(strings.Join([]string{line, f.name, moment}, "/"), func(t *testing.T) {
					t.Parallel()
					w := newWired(t, line)
					w.touch("start", "help", "need:ordinateur", "place:demo-16")
					w.at("place")
					place := w.frame.Page.Title
					try(w)
					if title := w.frame.Page.Title; title != place {
						t.Errorf("the resident was at %q and is at %q", place, title)
					}
				})
			}
		}
	}
}

// Each fault of a card reader, before, amid and after a card: what the resident
// sees, and that what they typed is kept.
func TestReaderFaultsAtEachMoment(t *testing.T) {
	const city = "card 0006547886"
	for name, f := range map[string]struct {
		order, mend string
		fault       device.Fault // None where the reader is well all the time
		several     bool
		lasts       bool // it is only a fault when it goes on
	}{
		"half a frame": {order: "half 0006547886"},
		"noise":        {order: "noise"},
		"flood":        {order: "flood", fault: device.Noise, lasts: true},
		"two cards":    {order: "two 0006547886 0008844356", mend: "remove", several: true},
		"unplugged":    {order: "unplug", mend: "plug", fault: device.Unplugged},
	} {
		trouble := func(w *wired) {
			w.order("rfid", f.order)
			// A reader that still reads its card through the noise is well.
			if f.fault != device.None && !(f.lasts && w.board.Status("lecteur").Media == device.MediaPresent) {
				last := time.Now()
				w.until("the fault", func() bool {
					if f.lasts && time.Since(last) > 200*time.Millisecond {
						w.order("rfid", f.order)
						last = time.Now()
					}
					return w.board.Status("lecteur").Fault == f.fault
				})
			}
			if f.several {
				w.at("card.several")
			}
		}
		mend := func(w *wired) {
			if f.mend != "" {
				w.order("rfid", f.mend)
			}
			w.until("a reader that is well", func() bool { s := w.board.Status("lecteur"); return s.Ready() && s.Fault == device.None })
		}
		// reach shows the card and takes it away again.
		reach := func(w *wired) {
			w.order("rfid", city)
			w.at("card.city")
			if !strings.Contains(w.frame.Page.Title+w.frame.Page.Lead, "vous") {
				w.t.Errorf("the card's page asks %q", w.frame.Page.Title)
			}
		}
		moments := map[string]func(w *wired){
			"before": func(w *wired) {
				trouble(w)
				mend(w)
				reach(w)
			},
			"amid": func(w *wired) {
				reach(w)
				trouble(w)
				mend(w)
				if !f.several {
					w.at("card.city")
				}
			},
			"after": func(w *wired) {
				reach(w)
				w.order("rfid", "remove")
				trouble(w)
				mend(w)
			},
		}
		for moment, try := range moments {
			t.Run(name+"/"+moment, func(t *testing.T) {
				t.Parallel()
				w := newWired(t, ptyLine)
				w.touch("start", "callback", "topic:logement", "key:0", "key:1", "key:8")
				try(w)
				for w.frame.Page.Name != "callback.phone" {
					before := w.frame.Page.Name
					w.Press(session.Back)
					if w.frame.Page.Name == before {
						t.Fatalf("no way back from %s to what was typed", before)
					}
				}
				if f := w.frame.Page.Blocks[0].(page.Field); f.Value != "01 8" {
					t.Errorf("%q is left of what was typed", f.Value)
				}
			})
		}
	}
}
