// Package devices makes the devices that a profile names, each with the loop
// that keeps an eye on it. The borne's window works with them, and doctor looks
// at them.
package devices

import (
	"context"
	"fmt"

	"parvis/device"
	"parvis/device/audio"
	"parvis/device/printer"
	"parvis/device/printer/escpos"
	"parvis/device/printer/ipp"
	"parvis/device/reader"
	"parvis/device/reader/hid"
	"parvis/device/reader/pcsc"
	"parvis/device/reader/scanner"
	"parvis/device/reader/serialrfid"
	"parvis/device/supervise"
	"parvis/device/transport"
	"parvis/provisioning/profile"
)

// The names of devices of which a site has one at most. Readers are called
// "lecteur-1", "lecteur-2" …, in the profile's order.
const (
	Ticket  = "imprimante"
	Sheet   = "imprimante-a4"
	Sound   = "son"
	Headset = "casque"
)

// Hands are called when something happens at a device, from its own loop. None
// may be nil.
type Hands struct {
	Seen    func(reader.Event) // a card or a code was shown, or taken away
	Headset func(in bool)
	// Count adds to how often a device did something: pages, cuts, reads.
	Count func(name, key string, n int)
}

// Set is all the devices of a borne.
type Set struct {
	Loops []supervise.Loop
	// Printers by their names: Ticket, Sheet, or neither.
	Printers map[string]printer.Printer
	Readers  []string // names

	titles map[string]string
}

// Open makes the devices of a profile. It touches none of them yet: their
// loops and Print do. An error names the profile's key.
func Open(prof *profile.Profile, h Hands) (*Set, error) {
	s := &Set{Printers: map[string]printer.Printer{}, titles: map[string]string{}}
	if prof.Printer.Port != "" {
		name := prof.Printer.Model
		if name == "" {
			name = escpos.Default
		}
		model, err := escpos.LoadModel(name)
		if err != nil {
			return nil, fmt.Errorf("imprimante.modele : %w", err)
		}
		p := escpos.New(transport.ForPort(prof.Printer.Port, prof.Printer.Baud), escpos.Options{Model: model})
		s.addPrinter(Ticket, device.TicketPrinter, "Imprimante de tickets", p, h)
	}
	if prof.Office.Queue != "" {
		s.addPrinter(Sheet, device.OfficePrinter, "Imprimante A4", ipp.New(prof.Office.Queue, ipp.Options{}), h)
	}
	for i, r := range prof.Readers {
		if err := s.addReader(i, r, h); err != nil {
			return nil, fmt.Errorf("lecteurs n° %d : %w", i+1, err)
		}
	}
	s.add(Sound, device.Sound, "Son", audio.NewCard(audio.Mixer{}).Serve)
	if prof.Sound.Jack != "" {
		s.add(Headset, device.Sound, "Prise casque", func(ctx context.Context, report func(device.Status)) error {
			return audio.NewHeadset(prof.Sound.Jack).Serve(ctx, report, h.Headset)
		})
	}
	return s, nil
}

// Title is the name of a device as people read it.
func (s *Set) Title(name string) string { return s.titles[name] }

// Close lets go of the printers, once the loops have ended.
func (s *Set) Close() {
	for _, p := range s.Printers {
		_ = p.Close() // nothing waits to be written: Print has returned
	}
}

func (s *Set) add(name string, kind device.Kind, title string, serve func(context.Context, func(device.Status)) error) {
	s.Loops = append(s.Loops, supervise.Loop{Name: name, Kind: kind, Serve: serve})
	s.titles[name] = title
}

func (s *Set) addPrinter(name string, kind device.Kind, title string, p printer.Printer, h Hands) {
	s.Printers[name] = counted{Printer: p, add: func(key string, n int) { h.Count(name, key, n) }}
	s.add(name, kind, title, p.Serve)
}

func (s *Set) addReader(i int, r profile.Reader, h Hands) error {
	var dev reader.Reader
	format := scanner.Format{Prefix: r.Prefix, Suffix: r.Suffix, NoSuffix: r.Suffix == "", MinLength: r.MinLength, MaxLength: r.MaxLength}
	if err := format.Check(); err != nil {
		return err
	}
	title := ""
	switch r.Type {
	case "rfid":
		dev, title = serialrfid.New(transport.Serial(r.Port, r.Baud)), "Lecteur de badges"
	case "code":
		dev, title = scanner.New(transport.Serial(r.Port, r.Baud), format), "Lecteur de codes"
	case "pcsc":
		var names []string
		if r.Name != "" {
			names = []string{r.Name}
		}
		dev, title = pcsc.New(pcsc.Options{Readers: names}), "Lecteur de cartes à puce"
	case "clavier":
		dev, title = hid.New(hid.Options{Path: r.Port, Layout: hid.Layout(r.Layout), Format: format}), "Douchette"
	default:
		return fmt.Errorf("type : « %s » n’existe pas", r.Type)
	}
	name := fmt.Sprintf("lecteur-%d", i+1)
	s.Readers = append(s.Readers, name)
	s.add(name, device.CardReader, title, func(ctx context.Context, report func(device.Status)) error {
		return dev.Serve(ctx, report, func(e reader.Event) {
			if e.Present {
				h.Count(name, "reads", 1)
			}
			h.Seen(e)
		})
	})
	return nil
}

// counted counts what a printer has surely printed.
type counted struct {
	printer.Printer
	add func(key string, n int)
}

// Print implements printer.Printer.
func (c counted) Print(ctx context.Context, doc printer.Document) error {
	if err := c.Printer.Print(ctx, doc); err != nil {
		return err
	}
	c.add("pages", 1)
	for _, b := range doc.Blocks {
		if _, cut := b.(printer.Cut); cut {
			c.add("cuts", 1)
		}
	}
	return nil
}
