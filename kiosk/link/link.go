// Package link is what a borne and the hub say to each other: the messages, the
// problems, and the client a borne speaks through. Messages travel as CBOR, to
// be small, or as JSON, to be read; the names are the same in both.
package link

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"parvis/device"
)

// Prefix starts every path of the hub's side for bornes: the version of what is said.
const Prefix = "/v1"

// ServerName is the name in the certificate of every hub. A borne knows a hub
// by the authority that made its certificate, never by its address, which may
// change and may lie behind a proxy.
const ServerName = "hub.parvis.internal"

// Every is how often a borne reports.
const Every = 30 * time.Second

// Silence is how long a borne may say nothing before it counts as offline.
const Silence = 90 * time.Second

// Wait is how long the hub at most holds a request for commands open. The
// reports go through the same connection, so no proxy finds it idle.
const Wait = 10 * time.Minute

// MaxBody is the most bytes that a message from a borne may have, but for
// files, which may have MaxFile.
const (
	MaxBody = 64 << 10
	MaxFile = 4 << 20
)

// AppState is how the touch application is.
type AppState string

// The states of the application.
const (
	AppUnknown      AppState = ""
	AppServing      AppState = "serving"        // a resident is there
	AppIdle         AppState = "idle"           // waits for a resident
	AppOutOfService AppState = "out_of_service" // put so by staff
	AppStarting     AppState = "starting"
	AppStopped      AppState = "stopped" // doesn't run
	AppFrozen       AppState = "frozen"  // runs, but the screen has stopped answering
)

// Report is what a borne says of itself every thirty seconds. It holds nothing
// personal.
type Report struct {
	// Run is drawn anew each time the agent starts, and Seq counts the reports
	// of a run from 1: together they tell a repeated report, and two machines
	// that pass for the same borne.
	Run []byte `json:"run"` // 8 bytes
	Seq uint64 `json:"seq"`
	// At is when the report was made: milliseconds since 1970, UTC, by the
	// borne's clock as the hub's has mended it. Skew says by how many seconds
	// the borne's own clock is ahead.
	At      int64    `json:"at"`
	Skew    int64    `json:"skew,omitempty"`
	Version string   `json:"ver"`
	Content string   `json:"content,omitempty"` // version of the pack in use; empty for what the program carries
	Profile string   `json:"prof,omitempty"`    // first 12 digits of the SHA-256 of the hub's profile in use; empty for the borne's own
	Tag     string   `json:"tag,omitempty"`     // of the Wanted that the borne has dealt with: it has it, or Failures say why not
	Uptime  int64    `json:"up"`                // of the machine, in seconds
	App     AppState `json:"app"`
	Devices []Device `json:"dev,omitempty"`
	Disk    int      `json:"disk"`           // percent free where the data lies
	Temp    int      `json:"temp,omitempty"` // °C of the hottest sensor; 0 where there is none
	Load    int      `json:"load"`           // percent of all cores, over the last minute
	// Faults are those of the borne itself; those of devices stand with them.
	Faults []Fault `json:"faults,omitempty"`
	// Counts are those that have changed since the hub last acknowledged a
	// report: by day ("2026-11-21") and key, the total of that day so far. A
	// total told twice, or late, does no harm.
	Counts map[string]map[string]int `json:"n,omitempty"`
	// Waiting is how many requests to be called back the hub has not taken yet.
	Waiting int `json:"wait,omitempty"`
	// Failures are what the borne is wanted to have and does not go on with.
	Failures []Failure `json:"bad,omitempty"`
}

// Device is how one device is.
type Device struct {
	Name  string       `json:"n"` // the profile's: "imprimante", "lecteur-1"
	Kind  device.Kind  `json:"k"`
	State device.State `json:"s"`
	Paper device.Paper `json:"p,omitempty"`
	Fault device.Fault `json:"f,omitempty"`
	Since int64        `json:"t"` // seconds since 1970, UTC, when state or fault last changed
}

// Fault is a fault of the borne itself that lasts: see FaultInfo.
type Fault struct {
	Fault string `json:"f"`
	Since int64  `json:"t"` // seconds since 1970, UTC
}

// ReportAnswer acknowledges a report.
type ReportAnswer struct {
	Now int64  `json:"now"`           // the hub's time, milliseconds since 1970, UTC
	Tag string `json:"tag,omitempty"` // of the borne's Wanted; empty while nothing is wanted of it
}

// CommandKind is what a borne is told to do.
type CommandKind string

// The commands.
const (
	RestartApp     CommandKind = "restart_app"
	RestartMachine CommandKind = "restart_machine"
	TestPrint      CommandKind = "test_print"
	SetVolume      CommandKind = "volume"  // Args.Level
	ShowMessage    CommandKind = "message" // Args.Text, Args.Minutes; an empty text takes the message away
	OutOfService   CommandKind = "out_of_service"
	BackInService  CommandKind = "back_in_service"
	Screenshot     CommandKind = "screenshot"
	FetchLogs      CommandKind = "logs" // of the last hour
	// Update brings what is Wanted at once; it ends when the borne has it.
	Update CommandKind = "update"
)

// Args says more about a command; which of it counts stands with the kinds.
type Args struct {
	Level   int    `json:"level,omitempty"`   // 1 to 8
	Text    string `json:"text,omitempty"`    // at most MaxMessage letters, one line
	Minutes int    `json:"minutes,omitempty"` // how long the message stands; 0: until it is taken away
}

// MaxMessage is how many letters a message on the screen may have.
const MaxMessage = 200

// Command is one thing a borne is told to do. A borne may hear the same
// command twice, and does it once.
type Command struct {
	ID      uuid.UUID   `json:"id"` // UUIDv7
	Kind    CommandKind `json:"kind"`
	Args    Args        `json:"args,omitzero"`
	Expires int64       `json:"expires"` // milliseconds since 1970, UTC: later it is no longer wanted
}

// Commands answers the held-open request, oldest first; none when the wait is over.
type Commands struct {
	Commands []Command `json:"commands"`
	Now      int64     `json:"now"`
}

// OutcomeState is how a command ended.
type OutcomeState string

// The ends of a command.
const (
	Done    OutcomeState = "done"
	Refused OutcomeState = "refused" // the borne would not, and is as before
	Failed  OutcomeState = "failed"  // the borne tried and could not
)

// Outcome says what became of a command.
type Outcome struct {
	State OutcomeState `json:"state"`
	Why   string       `json:"why,omitempty"` // for agents, in French; at most 300 letters
	// The file that was asked for, where there is one: a picture or a log.
	FileType string `json:"file_type,omitempty"` // image/png, image/jpeg, text/plain
	File     []byte `json:"file,omitempty"`
}

// Callback is a request to be called back, sealed: neither the wire nor this
// package can read it.
type Callback struct {
	Code    string `json:"code"`    // on the resident's ticket
	Created int64  `json:"created"` // milliseconds since 1970, UTC, by the borne's clock as the hub's has mended it
	Data    []byte `json:"data"`
}

// Unfound is a search that found nothing, sealed: neither the wire nor this
// package can read it.
type Unfound struct {
	Month string `json:"month"` // in which it was made: "2026-11"
	Data  []byte `json:"data"`  // at most MaxUnfound bytes
}

// MaxUnfound is the most bytes that a sealed search may have. With one recipient
// it has about 460, and about 100 more with each other.
const MaxUnfound = 4 << 10

// EnrolRequest asks for a borne's first certificate.
type EnrolRequest struct {
	Secret []byte `json:"secret"` // from the one-time code
	CSR    []byte `json:"csr"`    // PKCS #10, DER
}

// RenewRequest asks for the next certificate; the key may be the same or new.
type RenewRequest struct {
	CSR []byte `json:"csr"`
}

// Enrolled is a borne's identity, without its key.
type Enrolled struct {
	Borne     string   `json:"borne"` // "MN-01"
	Site      string   `json:"site"`  // its name, for people
	Chain     [][]byte `json:"chain"` // certificates, DER, the borne's own first
	Authority []byte   `json:"authority"`
	// Recipient is the age public key that requests to be called back are
	// sealed to.
	Recipient string `json:"recipient"`
	Now       int64  `json:"now"`
}

// Problem is what the hub answers when it refuses (RFC 9457).
type Problem struct {
	Type   string          `json:"type"` // one of the Problem… constants
	Title  string          `json:"title,omitempty"`
	Status int             `json:"status"`
	Detail string          `json:"detail,omitempty"`
	Now    int64           `json:"now,omitempty"` // with ProblemClock
	Errors json.RawMessage `json:"errors,omitempty"`
	// RetryAfter is how long the hub asks to wait, by its header; 0 where it
	// doesn't say. A borne waits for MostRetryAfter at most.
	RetryAfter time.Duration `json:"-"`
}

// The types of problems that a borne acts on. Others are mistakes of a program.
const (
	ProblemClock    = "urn:parvis:problem:clock"    // At is over five minutes away from Now: mend the clock, send again
	ProblemReplayed = "urn:parvis:problem:replayed" // this report is already there
	ProblemRevoked  = "urn:parvis:problem:revoked"  // the borne is shut out
	ProblemExpired  = "urn:parvis:problem:expired"  // the certificate is too old for anything but renewal
	ProblemToken    = "urn:parvis:problem:token"    // the enrolment code is unknown, used, expired or withdrawn
	ProblemTooLarge = "urn:parvis:problem:too-large"
	ProblemInvalid  = "urn:parvis:problem:invalid"  // what was sent makes no sense; Detail says where
	ProblemVersion  = "urn:parvis:problem:version"  // the hub doesn't speak this version
	ProblemUnknown  = "urn:parvis:problem:unknown"  // no such command or content, for this borne
	ProblemBusy     = "urn:parvis:problem:busy"     // try again later: Retry-After
	ProblemInternal = "urn:parvis:problem:internal" // the hub's own fault
)

func (p *Problem) Error() string {
	if p.Detail != "" {
		return p.Title + " : " + p.Detail
	}
	return p.Title
}

// MostRetryAfter is the longest time that a hub, or whatever answers in its
// place, can ask a borne to wait: it must come round before its watchdog barks.
const MostRetryAfter = 10 * time.Minute

// MaxSkew is how far At may be from the hub's time.
const MaxSkew = 5 * time.Minute
