package printer

import "context"

// Printer prints documents, one after the other; its methods may be called at
// the same time. A document is never sent twice: whether to print it again is
// for people to decide.
type Printer interface {
	// Print returns when the printer has said that it printed everything.
	// Any error is an *Error. Print ends soon after ctx does.
	Print(ctx context.Context, doc Document) error

	// Status asks the printer how it is. It prints nothing. A printer that
	// answers "no paper" gives a Status with that fault and no error; one
	// that gives no answer gives an *Error and the zero Status.
	Status(ctx context.Context) (Status, error)

	// Close lets go of the line. The next Print or Status takes it again.
	Close() error
}

// Status is what a printer says of itself. Its zero value knows nothing, and
// unknown is not fine.
type Status struct {
	Known     bool // the printer has answered
	Paper     Paper
	CoverOpen bool
	Fault     Fault // why it cannot print now, or None
}

// Ready tells whether the printer has said that it can print.
func (s Status) Ready() bool { return s.Known && s.Fault == None }

// Paper is how much paper is left.
type Paper string

// What a printer may say of its paper.
const (
	PaperUnknown Paper = ""
	PaperFull    Paper = "full"
	PaperLow     Paper = "low"
	PaperOut     Paper = "out"
)
