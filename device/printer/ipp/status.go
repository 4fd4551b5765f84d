package ipp

import (
	"slices"
	"strings"

	"github.com/OpenPrinting/goipp"

	"parvis/device"
)

// meanings says which fault stands behind a printer-state-reason (RFC 8011,
// PWG 5100.9 and CUPS), without its ending: CUPS passes on an error of the
// printer as a warning of its own. The gravest stand first: what lies behind an
// open cover, or beyond a cable that is out, cannot be known.
var meanings = []struct {
	fault   device.Fault
	reasons []string
}{
	{device.Unplugged, []string{"offline", "shutdown", "deactivated"}},
	{device.Silent, []string{"connecting-to-device", "timed-out"}},
	{device.CoverOpen, []string{"cover-open", "door-open", "interlock-open"}},
	{device.NoPaper, []string{"media-empty", "media-needed", "input-tray-missing"}},
	{device.Jam, []string{"media-jam", "output-area-full"}},
	{device.NoInk, []string{"toner-empty", "marker-supply-empty", "marker-supply-missing", "marker-waste-full", "developer-empty", "opc-life-over"}},
	{device.Overheated, []string{"fuser-over-temp"}},
	{device.Hardware, nil}, // any other error
	{device.Stopped, []string{"paused", "moving-to-paused", "stopped-partly", "stopping", "hold-new-jobs"}},
	{device.PaperEnds, []string{"media-low"}},
	{device.InkEnds, []string{"toner-low", "marker-supply-low", "marker-waste-almost-full", "developer-low", "opc-near-eol"}},
}

// The states of a printer (RFC 8011, 5.4.11).
const (
	printerProcessing = 4
	printerStopped    = 5
)

// maxCause is how many bytes of a printer's reasons are kept.
const maxCause = 200

// faultOf tells what the reasons of a printer come to. None of them is fine:
// a warning that nobody has heard of does not keep a printer from printing.
func faultOf(reasons []string) device.Fault {
	gravest := len(meanings)
	for _, reason := range reasons {
		name, isError := strings.CutSuffix(reason, "-error")
		name = strings.TrimSuffix(strings.TrimSuffix(name, "-warning"), "-report")
		n := slices.IndexFunc(meanings, func(m struct {
			fault   device.Fault
			reasons []string
		}) bool {
			return slices.Contains(m.reasons, name) || m.fault == device.Hardware && isError && !known(name)
		})
		if n >= 0 {
			gravest = min(gravest, n)
		}
	}
	if gravest == len(meanings) {
		return device.None
	}
	return meanings[gravest].fault
}

func known(name string) bool {
	for _, m := range meanings {
		if slices.Contains(m.reasons, name) {
			return true
		}
	}
	return false
}

// statusOf reads the status from the attributes of a printer or of a queue.
// What is no status at all gives Unknown.
func statusOf(a goipp.Attributes) device.Status {
	state, ok := integer(a, "printer-state")
	if !ok {
		return device.Status{Cause: "the answer holds no printer-state"}
	}
	reasons := keywords(a, "printer-state-reasons")
	s := device.Status{State: device.Online, Fault: faultOf(reasons)}
	if state == printerProcessing {
		s.State = device.Busy
	}
	accepts, told := boolean(a, "printer-is-accepting-jobs")
	switch {
	case s.Fault.Info().Severity == device.Critical:
	case told && !accepts:
		s.Fault = device.Stopped
		reasons = append(reasons, "not accepting jobs")
	case state == printerStopped:
		s.Fault = device.Hardware
		reasons = append(reasons, "stopped without a reason")
	case s.Fault == device.None && inkEnds(a):
		s.Fault = device.InkEnds
		reasons = append(reasons, "marker-levels")
	}
	switch s.Fault {
	case device.NoPaper:
		s.Paper = device.PaperOut
	case device.Jam:
		s.Paper = device.PaperJammed
	case device.PaperEnds:
		s.Paper = device.PaperLow
	}
	if s.Fault != device.None {
		s.Cause = cause(reasons)
	}
	if i := s.Fault.Info(); i.Severity == device.Critical {
		s.State = i.State
	}
	return s
}

// inkEnds tells whether a cartridge is at the level its maker calls low.
// Negative levels are unknown (PWG 5100.13), and a waste box fills up instead.
func inkEnds(a goipp.Attributes) bool {
	levels, low, types := integers(a, "marker-levels"), integers(a, "marker-low-levels"), keywords(a, "marker-types")
	for i, level := range levels {
		if i >= len(low) || i < len(types) && strings.Contains(types[i], "waste") {
			continue
		}
		if level >= 0 && level <= low[i] {
			return true
		}
	}
	return false
}

// cause is what a technician reads: keywords, and nothing a printer might have
// put into them beside.
func cause(reasons []string) string {
	s := strings.Join(reasons, ", ")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), maxCause)]
}

// values finds an attribute.
func values(a goipp.Attributes, name string) goipp.Values {
	for _, attr := range a {
		if attr.Name == name {
			return attr.Values
		}
	}
	return nil
}

func integers(a goipp.Attributes, name string) []int {
	var all []int
	for _, v := range values(a, name) {
		if n, ok := v.V.(goipp.Integer); ok {
			all = append(all, int(n))
		}
	}
	return all
}

func integer(a goipp.Attributes, name string) (int, bool) {
	all := integers(a, name)
	if len(all) == 0 {
		return 0, false
	}
	return all[0], true
}

func boolean(a goipp.Attributes, name string) (value, ok bool) {
	for _, v := range values(a, name) {
		b, ok := v.V.(goipp.Boolean)
		return bool(b), ok
	}
	return false, false
}

func keywords(a goipp.Attributes, name string) []string {
	var all []string
	for _, v := range values(a, name) {
		if s, ok := v.V.(goipp.String); ok {
			all = append(all, string(s))
		}
	}
	return all
}
