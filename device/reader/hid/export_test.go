package hid

// Keyboard is the hardware, for tests that have none.
type Keyboard = keyboard

// NewFrom makes a Reader of a keyboard that is opened otherwise.
func NewFrom(open func() (Keyboard, error), o Options) *Reader {
	return &Reader{open: open, options: o}
}
