package printer

import "strings"

// Fault is a stable code for what keeps a printer from printing. The sentences
// people read about a fault are kept with the texts of the screen.
type Fault string

// The faults of all printers.
const (
	None        Fault = ""
	NoPaper     Fault = "no_paper"
	CoverOpen   Fault = "cover_open"
	Jam         Fault = "jam"         // the cutter or the paper path is stuck
	Hardware    Fault = "hardware"    // the printer reports another error, or is offline without a reason
	Unplugged   Fault = "unplugged"   // the line is gone or cannot be opened; Err says why
	Silent      Fault = "silent"      // the line is there, but the printer does not answer
	Interrupted Fault = "interrupted" // the caller's context ended first
	Unprintable Fault = "unprintable" // the document cannot be put in the printer's terms
)

// Faults lists every fault, for those who keep a sentence for each.
func Faults() []Fault {
	return []Fault{NoPaper, CoverOpen, Jam, Hardware, Unplugged, Silent, Interrupted, Unprintable}
}

// Printed is how much of a document may be on paper after an error.
type Printed string

// Nothing is certain; after Maybe only a person's eyes can tell.
const (
	Nothing Printed = "nothing"
	Maybe   Printed = "maybe"
)

// Error is why a document was not printed, or may not have been.
type Error struct {
	Fault   Fault
	Printed Printed
	Err     error // the cause, for the log; may be nil
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("printer: ")
	b.WriteString(string(e.Fault))
	if e.Printed == Maybe {
		b.WriteString(" (part or all may be printed)")
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }
