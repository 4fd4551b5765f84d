// Package device says, in the same words for every kind of hardware, how it is
// and what is wrong with it. The words follow CEN XFS4IoT, the standard of
// kiosks and cash machines; the packages below this one each serve one kind of
// hardware.
package device

// Kind is what a device is for.
type Kind string

// The kinds of devices of a borne.
const (
	TicketPrinter Kind = "ticket_printer"
	OfficePrinter Kind = "office_printer"
	CardReader    Kind = "card_reader" // also reads codes
	Sound         Kind = "sound"
)

// State is whether a device can work. The zero value is Unknown, and unknown is
// not fine.
type State string

// The states of all devices.
const (
	Unknown       State = ""
	Starting      State = "starting"
	Online        State = "online"
	Busy          State = "busy"           // online, at work
	Offline       State = "offline"        // there, but not answering, or set offline
	NoDevice      State = "no_device"      // nothing at the end of the line
	HardwareError State = "hardware_error" // only a technician can mend it
	UserError     State = "user_error"     // any hand can: no paper, open cover
)

// Paper is how much paper a printer has.
type Paper string

// What a printer may say of its paper.
const (
	PaperUnknown Paper = ""
	PaperFull    Paper = "full"
	PaperLow     Paper = "low"
	PaperOut     Paper = "out"
	PaperJammed  Paper = "jammed"
)

// Media is the ticket in a printer's mouth, or the card in a reader.
type Media string

// Where a ticket or a card may be.
const (
	MediaUnknown    Media = ""
	MediaPresent    Media = "present"
	MediaNotPresent Media = "not_present"
	MediaJammed     Media = "jammed"
	MediaTaken      Media = "taken"
	MediaRetracted  Media = "retracted"
)

// Status is what is known of a device at one moment. It holds nothing personal.
type Status struct {
	State State `json:"state"`
	Paper Paper `json:"paper,omitempty"`
	Media Media `json:"media,omitempty"`
	Fault Fault `json:"fault,omitempty"` // what most keeps it from working well
	// Cause is for the log and for technicians: the error as the system or the
	// device put it.
	Cause string `json:"cause,omitempty"`
}

// Ready reports whether the device has said that it can work.
func (s Status) Ready() bool {
	return (s.State == Online || s.State == Busy) && s.Fault.Info().Severity != Critical
}
