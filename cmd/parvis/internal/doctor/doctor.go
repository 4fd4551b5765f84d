// Package doctor looks a borne over: its settings, its devices and the machine
// under it. Each finding says in plain French what was seen and what to do.
package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"time"
	"unicode"
	"unicode/utf8"

	"parvis/cmd/parvis/internal/siteprofile"
	"parvis/device"
	wiring "parvis/kiosk/agent/network"
)

// Finding is what one check found.
type Finding struct {
	Check    string          `json:"check"` // "imprimante", "disque" …
	Severity device.Severity `json:"severity,omitempty"`
	Device   string          `json:"device,omitempty"` // its name, in French
	Fault    device.Fault    `json:"fault,omitempty"`  // of the device
	Seen     string          `json:"seen"`             // what was seen, one sentence
	Do       string          `json:"do,omitempty"`     // what to do about it
	Cause    string          `json:"cause,omitempty"`  // as the system put it
}

// NeedsHand reports whether somebody has to do something.
func (f Finding) NeedsHand() bool {
	return f.Severity == device.Warning || f.Severity == device.Critical
}

// A check looks at one thing. It may find several faults of it, and says what
// it saw where there is none.
type check struct {
	name string
	look func(context.Context) []Finding
}

// patience is how long one check may last.
const patience = 10 * time.Second

// run does the checks one after the other and hands each finding to tell at once:
// a slow device does not keep back what is known of the others.
func run(ctx context.Context, checks []check, tell func(Finding)) {
	for _, c := range checks {
		one, cancel := context.WithTimeout(ctx, patience)
		for _, f := range c.look(one) {
			f.Check = c.name
			tell(f)
		}
		cancel()
		if ctx.Err() != nil {
			return
		}
	}
}

func fine(seen string, args ...any) []Finding { return []Finding{{Seen: fmt.Sprintf(seen, args...)}} }

func warn(do, seen string, args ...any) []Finding {
	return []Finding{{Severity: device.Warning, Seen: fmt.Sprintf(seen, args...), Do: do}}
}

func critical(do, seen string, args ...any) []Finding {
	return []Finding{{Severity: device.Critical, Seen: fmt.Sprintf(seen, args...), Do: do}}
}

// because adds what the system said.
func because(f []Finding, err error) []Finding {
	if err != nil {
		f[len(f)-1].Cause = err.Error()
	}
	return f
}

// Borne is what doctor looks at.
type Borne struct {
	Profile string // path
	Data    string // the borne's folder
	Content fs.FS
	Display string // as DISPLAY
	Now     func() time.Time
}

// Examine looks at everything and hands each finding to tell as it is made.
// With a profile that cannot be read it looks at what needs none.
func (b Borne) Examine(ctx context.Context, tell func(Finding)) {
	found, err := siteprofile.Find(b.Data, b.Profile)
	prof := found.Profile
	checks := []check{
		{"profil", settings(found, b.Data, err)},
		{"contenus", contents(b.Content)},
		{"disque", disk(b.Data, little, tooLittle)},
		{"base", database(b.Data, prof, b.Now)},
		{"hub", hub(b.Data, b.Now)},
		{"horloge", clock(b.Now)},
		{"reseau", network(procRoutes, procRoutes6, "/sys")},
		{"reseau", wired(wiring.StateDir)},
	}
	if err == nil {
		checks = append(checks,
			check{"contact", support(prof.Contacts.IT)},
			check{"ecran", screen(b.Display, kiosk, prof.Screen)},
			check{"tactile", touch(procInputs)},
			check{"voix", voices(prof.Sound)},
			check{"appareils", hardware(b.Data, prof)},
		)
	}
	run(ctx, checks, tell)
}

func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[n:]
}
