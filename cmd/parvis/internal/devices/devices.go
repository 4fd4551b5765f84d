// Package devices makes the devices that a profile names, each with the loop
// that keeps an eye on it. The borne's window works with them, and doctor looks
// at them.
package devices

import (
	"context"
	"fmt"
	"slices"

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

// The names of devices of which a site has one at most. Other readers are called
// "lecteur-1", "lecteur-2" …, by their place in the profile.
const (
	Ticket     = "imprimante"
	Sheet      = "imprimante-a4"
	SmartCards = "cartes-a-puce"
	Sound      = "son"
	Headset    = "casque"
)

// Mixer is the sound card's own loudness, as the profile wants it.
func Mixer(s profile.Sound) audio.Mixer {
	m := audio.Mixer{Device: s.Speaker, Control: s.Mixer, Percent: s.Level}
	if m.Device == "" {
		m.Device = "default"
	}
	return m
}

// outputs are those that the profile names.
func outputs(s profile.Sound) []string {
	return slices.DeleteFunc([]string{s.Speaker, s.Headset}, func(name string) bool { return name == "" })
}

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
	Readers  []string                   // names
	Media    map[string][]reader.Medium // what each of Readers reads

	titles map[string]string
}

// Open makes the devices of a profile. It touches none of them yet: their
// loops and Print do. An error names the profile's key.
func Open(prof *profile.Profile, h Hands) (*Set, error) {
	s := &Set{Printers: map[string]printer.Printer{}, Media: map[string][]reader.Medium{}, titles: map[string]string{}}
	if prof.Printer.Port != "" {
		name := prof.Printer.Model
		if name == "" {
			name = escpos.Default
		}
		model, err := escpos.LoadModel(name)
		if err != nil {
			return nil, fmt.Errorf("imprimante.modele : %w", err)
		}
		flow, err := flowOf(prof.Printer.Flow, model)
		if err != nil {
			return nil, fmt.Errorf("imprimante.flux : %w", err)
		}
		open := transport.ForPort(prof.Printer.Port, prof.Printer.Baud, transport.WithFlow(flow))
		p := escpos.New(open, escpos.Options{Model: model})
		s.addPrinter(Ticket, device.TicketPrinter, "Imprimante de tickets", p, h)
	}
	if prof.Office.Queue != "" {
		s.addPrinter(Sheet, device.OfficePrinter, "Imprimante A4", ipp.New(prof.Office.Queue, ipp.Options{}), h)
	}
	var smart []string // all PC/SC readers are watched together: libpcsclite wants one caller
	for i, r := range prof.Readers {
		if r.Type == "pcsc" {
			smart = append(smart, r.Name)
			continue
		}
		if err := s.addReader(i, r, h); err != nil {
			return nil, fmt.Errorf("lecteurs n° %d : %w", i+1, err)
		}
	}
	if smart != nil {
		s.addSmartCards(smart, h)
	}
	s.add(Sound, device.Sound, "Son", audio.NewCard(Mixer(prof.Sound), outputs(prof.Sound)...).Serve)
	if prof.Sound.Jack != "" {
		s.add(Headset, device.Sound, "Prise casque", func(ctx context.Context, report func(device.Status)) error {
			return audio.NewHeadset(prof.Sound.Jack).Serve(ctx, report, h.Headset)
		})
	}
	return s, nil
}

// flowOf is the flow control that a profile names.
func flowOf(word string, m escpos.Model) (transport.Flow, error) {
	switch word {
	case "rts":
		return transport.FlowRTS, nil
	case "xon":
		if m.Status == escpos.StatusCustom {
			return "", fmt.Errorf("« xon » ne va pas avec « %s », dont l’état contient ces mêmes octets : prenez « rts »", m.Name)
		}
		return transport.FlowXON, nil
	}
	return transport.FlowNone, nil
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
	s.Printers[name] = counted{Printer: p, cuts: kind == device.TicketPrinter, add: func(key string, n int) { h.Count(name, key, n) }}
	s.add(name, kind, title, p.Serve)
}

func (s *Set) addReader(i int, r profile.Reader, h Hands) error {
	var dev reader.Reader
	format := scanner.Format{Prefix: r.Prefix, Suffix: r.Suffix, NoSuffix: r.NoSuffix, MinLength: r.MinLength, MaxLength: r.MaxLength}
	if err := format.Check(); err != nil {
		return err
	}
	title, medium := "", reader.Code
	switch r.Type {
	case "rfid":
		dev, title, medium = serialrfid.New(transport.Serial(r.Port, r.Baud)), "Lecteur de badges", reader.RFID
	case "code":
		dev, title = scanner.New(transport.Serial(r.Port, r.Baud), format), "Lecteur de codes"
	case "clavier":
		options := hid.Options{Path: r.Port, Layout: hid.Layout(r.Layout), Format: format}
		title = "Douchette"
		if r.Medium == "rfid" {
			options.Medium, title, medium = reader.RFID, "Lecteur de badges", reader.RFID
		}
		if err := options.Check(); err != nil {
			return err
		}
		dev = hid.New(options)
	default:
		return fmt.Errorf("type : « %s » n’existe pas", r.Type)
	}
	s.watch(fmt.Sprintf("lecteur-%d", i+1), title, dev, h, medium)
	return nil
}

// addSmartCards adds the readers whose names hold one of the words; an empty
// word means them all.
func (s *Set) addSmartCards(words []string, h Hands) {
	if slices.Contains(words, "") {
		words = nil
	}
	s.watch(SmartCards, "Lecteur de cartes à puce", pcsc.New(pcsc.Options{Readers: words}), h, reader.Contact, reader.Contactless)
}

func (s *Set) watch(name, title string, dev reader.Reader, h Hands, media ...reader.Medium) {
	s.Readers = append(s.Readers, name)
	s.Media[name] = media
	s.add(name, device.CardReader, title, func(ctx context.Context, report func(device.Status)) error {
		return dev.Serve(ctx, report, func(e reader.Event) {
			if e.Present {
				h.Count(name, "reads", 1)
			}
			h.Seen(e)
		})
	})
}

// counted counts what a printer has surely printed.
type counted struct {
	printer.Printer
	cuts bool // it has a cutter
	add  func(key string, n int)
}

// Print implements printer.Printer.
func (c counted) Print(ctx context.Context, doc printer.Document) error {
	if err := c.Printer.Print(ctx, doc); err != nil {
		return err
	}
	c.add("pages", 1)
	for _, b := range doc.Blocks {
		if _, cut := b.(printer.Cut); cut && c.cuts {
			c.add("cuts", 1)
		}
	}
	return nil
}
