package printer

import (
	"strings"

	"parvis/device"
)

// Printed is how much of a document may be on paper after an error.
type Printed string

// Nothing is certain; after Maybe only a person's eyes can tell.
const (
	Nothing Printed = "nothing"
	Maybe   Printed = "maybe"
)

// Error is why a document was not printed, or may not have been.
type Error struct {
	Fault   device.Fault
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
