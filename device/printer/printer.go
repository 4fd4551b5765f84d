package printer

import (
	"context"

	"parvis/device"
)

// Printer prints documents, one after the other; its methods may be called at
// the same time. A document is never sent twice: whether to print it again is
// for people to decide.
type Printer interface {
	// Print returns when the printer has said that it printed everything.
	// Any error is an *Error. Print ends soon after ctx does.
	Print(ctx context.Context, doc Document) error
	// Status asks the printer how it is. It prints nothing. A printer that
	// answers "no paper" gives a status with that fault and no error; one
	// that gives no answer gives an *Error and the zero Status.
	Status(ctx context.Context) (device.Status, error)
	// Serve keeps an eye on the printer between documents and reports each
	// change of its status, until ctx ends (it then returns ctx's error) or
	// the printer is lost (an *Error). It never delays a Print.
	Serve(ctx context.Context, report func(device.Status)) error
	// Close lets go of the line. The next Print or Status takes it again.
	Close() error
}
