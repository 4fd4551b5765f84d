// Package place is the directory of places that help with digital matters: it
// imports the national schema, and finds places by words, distance, filters and
// opening hours. The rows lie in the borne's SQLite; what a search looks at is
// kept in memory.
package place

import (
	"errors"
	"time"

	"parvis/kiosk/hours"
)

// Point is a position in degrees (WGS 84).
type Point struct{ Lat, Lon float64 }

// Place is one row of the national schema v1.0.2. Empty fields are unknown.
type Place struct {
	ID, Pivot, Name, City, Postcode, Insee, Address, AddressExtra string

	Position         *Point   // nil if unknown
	Kinds            []string // typologie, such as "BIB"
	Phone            string   // international: +33388000000
	Emails, Websites []string
	Hours            string // opening_hours as written
	Summary, Detail  string
	Source           string
	Itinerance       []string
	Parent           string
	Updated          time.Time // date_maj at midnight UTC

	Services, Audiences, SpecificCare, Fees, Programmes []string
	Labels, OtherLabels, AccessModes, SupportModes      []string
	AccesLibreURL, BookingURL                           string
}

// Sort is an order of results.
type Sort int

// ByWalk puts the nearest first, places without a position last. ByOpening puts
// open places first, then those that open soonest, then those whose hours are
// unknown; within the same moment the nearest first. Equals are in the order of
// their names.
const (
	ByWalk Sort = iota
	ByOpening
)

// Query says what to look for. Its zero value finds everything. Within one list
// any value will do, all lists and marks must be met. A value is written as in
// the schema or in lower snake case ("aide_aux_demarches_administratives").
type Query struct {
	Near *Point
	// Text is words in any order. All must occur, whatever their accents, case
	// and endings; the last may be unfinished; one typing error in a word is
	// forgiven where nothing fits it as written.
	Text string

	Services, Audiences, SpecificCare, Fees, Programmes, SupportModes, AccessModes []string

	// See derive.go for what each of these stands for.
	Computers, WiFi, Mediator, Accessible, Free, Booking, Weekend bool

	OpenAt time.Time // only places open then; zero = any
	Now    time.Time // for State and Stale; zero = OpenAt
	Sort   Sort
	Limit  int // 0 = DefaultLimit
	Offset int
}

// DefaultLimit is how many hits a query without a limit gets.
const DefaultLimit = 20

// Hit is a place found.
type Hit struct {
	Place
	Metres float64       // in a straight line; 0 if unknown
	Walk   time.Duration // 0 if unknown
	State  hours.State   // at Query.OpenAt, else at Query.Now
	Stale  bool          // the data is over one year old at Query.Now
}

// Result is one page of hits and how many there are in all.
type Result struct {
	Total     int
	Hits      []Hit
	Corrected string // the words searched, if a typing error was forgiven
}

// ErrNotFound says that the directory has no place of that id.
var ErrNotFound = errors.New("lieu inconnu")
