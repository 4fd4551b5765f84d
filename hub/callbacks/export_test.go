package callbacks

// What tests look at from within.
var (
	FirstDeadline = firstDeadline
	NextTry       = nextTry
)
