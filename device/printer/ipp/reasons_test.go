package ipp_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/OpenPrinting/goipp"

	"parvis/device"
	"parvis/device/printer/ipp"
)

func TestReasons(t *testing.T) {
	t.Parallel()
	for reasons, want := range map[string]device.Fault{
		"":                               device.None,
		"none":                           device.None,
		"media-empty-error,media-needed": device.NoPaper,
		"media-empty-warning":            device.NoPaper, // CUPS' word for the printer's error
		"input-tray-missing":             device.NoPaper,
		"media-low-report":               device.PaperEnds,
		"cover-open-error,media-empty":   device.CoverOpen,
		"door-open":                      device.CoverOpen,
		"interlock-open-error":           device.CoverOpen,
		"media-jam-error,paused":         device.Jam,
		"toner-empty-error":              device.NoInk,
		"marker-supply-empty":            device.NoInk,
		"toner-low-warning,media-low":    device.PaperEnds,
		"marker-supply-low-report":       device.InkEnds,
		"paused":                         device.Stopped,
		"paused,fuser-over-temp":         device.Overheated,
		"connecting-to-device":           device.Silent,
		"timed-out-error":                device.Silent,
		"offline-report,media-empty":     device.Unplugged,
		"shutdown":                       device.Unplugged,
		"flux-capacitor-error":           device.Hardware,
		"flux-capacitor-warning":         device.None,
		"flux-capacitor":                 device.None,
		"cups-waiting-for-job-completed": device.None,
		"-error":                         device.Hardware,
	} {
		if got := ipp.FaultOf(strings.Split(reasons, ",")); got != want {
			t.Errorf("%s: fault %q, want %q", reasons, got, want)
		}
	}
}

func TestStatusOfAnswers(t *testing.T) {
	t.Parallel()
	state := func(n int) goipp.Attribute {
		return goipp.MakeAttribute("printer-state", goipp.TagEnum, goipp.Integer(n))
	}
	ints := func(name string, n ...int) goipp.Attribute {
		a := goipp.Attribute{Name: name}
		for _, i := range n {
			a.Values.Add(goipp.TagInteger, goipp.Integer(i))
		}
		return a
	}
	types := goipp.MakeAttr("marker-types", goipp.TagKeyword, goipp.String("toner"), goipp.String("waste-toner"))
	reason := func(s string) goipp.Attribute {
		return goipp.MakeAttribute("printer-state-reasons", goipp.TagKeyword, goipp.String(s))
	}
	for name, c := range map[string]struct {
		answer goipp.Attributes
		want   device.Status
	}{
		"nothing known":      {nil, device.Status{Cause: "the answer holds no printer-state"}},
		"idle":               {goipp.Attributes{state(3)}, device.Status{State: device.Online}},
		"printing":           {goipp.Attributes{state(4)}, device.Status{State: device.Busy}},
		"printing, ends":     {goipp.Attributes{state(4), reason("media-low")}, device.Status{State: device.Busy, Paper: device.PaperLow, Fault: device.PaperEnds, Cause: "media-low"}},
		"stopped, no reason": {goipp.Attributes{state(5), reason("none")}, device.Status{State: device.HardwareError, Fault: device.Hardware, Cause: "none, stopped without a reason"}},
		"stopped":            {goipp.Attributes{state(5), reason("paused")}, device.Status{State: device.Offline, Fault: device.Stopped, Cause: "paused"}},
		"takes nothing": {goipp.Attributes{state(3), goipp.MakeAttribute("printer-is-accepting-jobs", goipp.TagBoolean, goipp.Boolean(false))},
			device.Status{State: device.Offline, Fault: device.Stopped, Cause: "not accepting jobs"}},
		"little toner":    {goipp.Attributes{state(3), types, ints("marker-levels", 5, 90), ints("marker-low-levels", 10, 95)}, device.Status{State: device.Online, Fault: device.InkEnds, Cause: "marker-levels"}},
		"waste box":       {goipp.Attributes{state(3), types, ints("marker-levels", 50, 5), ints("marker-low-levels", 10, 10)}, device.Status{State: device.Online}},
		"level not known": {goipp.Attributes{state(3), ints("marker-levels", -2), ints("marker-low-levels", 10)}, device.Status{State: device.Online}},
		"no low level":    {goipp.Attributes{state(3), ints("marker-levels", 0)}, device.Status{State: device.Online}},
		"rude reason": {goipp.Attributes{state(3), reason("bad\x1b[31m-error" + strings.Repeat("é", 20))},
			device.Status{State: device.Online}},
	} {
		m := goipp.NewResponse(goipp.DefaultVersion, goipp.StatusOk, 1)
		m.Printer = c.answer
		b, err := m.EncodeBytes()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ipp.Decode(bytes.NewReader(b)); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, c.want)
		}
	}
}

// Whatever reasons a printer gives, they come to one fault, in whatever order
// they stand.
func FuzzReasons(f *testing.F) {
	f.Add("media-empty-error,media-needed,paused")
	f.Add("none")
	f.Add("-error,-warning,,é")
	f.Fuzz(func(t *testing.T, s string) {
		reasons := strings.Split(s, ",")
		got := ipp.FaultOf(reasons)
		for i := range reasons {
			turned := append(append([]string(nil), reasons[i:]...), reasons[:i]...)
			if again := ipp.FaultOf(turned); again != got {
				t.Errorf("%q: %q, but %q in another order", s, got, again)
			}
		}
		if got != device.None && got.Info().Title == "" {
			t.Errorf("%q: fault %q is in no table", s, got)
		}
	})
}
