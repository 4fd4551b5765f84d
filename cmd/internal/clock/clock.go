// Package clock is the time that programs go by.
package clock

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // people read French time whatever the system carries
)

// Setting is the variable of the environment that moves the clock, for tests and
// pictures.
const Setting = "PARVIS_NOW"

// Open gives French time. A setting moves its start, and makes it run faster:
// "2026-11-24T10:42:00+01:00" or, twenty times as fast,
// "2026-11-24T10:42:00+01:00 x20".
func Open(setting string) (func() time.Time, error) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		return nil, err
	}
	if setting == "" {
		return func() time.Time { return time.Now().In(paris) }, nil
	}
	start, haste, fast := strings.Cut(setting, " x")
	speed := 1
	if fast {
		if speed, err = strconv.Atoi(haste); err != nil {
			return nil, fmt.Errorf("%s: %w", Setting, err)
		}
	}
	from, err := time.Parse(time.RFC3339, start)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Setting, err)
	}
	began := time.Now()
	return func() time.Time { return from.Add(time.Since(began) * time.Duration(speed)).In(paris) }, nil
}
