package ipp_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/OpenPrinting/goipp"

	"parvis/device"
	"parvis/device/printer"
	"parvis/device/printer/ipp"
)

// odd is a printer that does to a job what real ones do on bad days only.
type odd struct {
	busy    int    // requests for a job to turn away first
	refuses bool   // the document
	states  []int  // of the job, one a question; the last stays
	reason  string // of the job
	renames bool   // the job: it is another one's
	forgets bool   // the job, once it has been asked for it
	stuck   bool   // does not cancel

	mu       sync.Mutex
	name     goipp.Value
	asked    int
	sent     int
	canceled bool
}

func (o *odd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var in goipp.Message
	if err := in.Decode(r.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
	_, _ = io.Copy(io.Discard, r.Body) // the document
	status, job := o.do(&in)
	out := goipp.NewResponse(goipp.DefaultVersion, status, in.RequestID)
	out.Operation.Add(goipp.MakeAttribute("attributes-charset", goipp.TagCharset, goipp.String("utf-8")))
	out.Job = job
	out.Printer.Add(goipp.MakeAttribute("printer-state", goipp.TagEnum, goipp.Integer(3)))
	w.Header().Set("Content-Type", goipp.ContentType)
	_ = out.Encode(w) // the client may have left
}

func (o *odd) do(in *goipp.Message) (goipp.Status, goipp.Attributes) {
	switch goipp.Op(in.Code) {
	case goipp.OpCreateJob:
		if o.busy > 0 {
			o.busy--
			return goipp.StatusErrorBusy, nil
		}
		for _, a := range in.Operation {
			if a.Name == "job-name" {
				o.name = a.Values[0].V
			}
		}
		return goipp.StatusOk, goipp.Attributes{goipp.MakeAttribute("job-id", goipp.TagInteger, goipp.Integer(7))}
	case goipp.OpSendDocument:
		o.sent++
		if o.refuses {
			return goipp.StatusErrorDocumentFormatNotSupported, nil
		}
	case goipp.OpCancelJob:
		o.canceled = true
	case goipp.OpGetJobAttributes:
		state := o.states[min(o.asked, len(o.states)-1)]
		o.asked++
		if o.canceled && !o.stuck {
			state = 7
		}
		if o.forgets && o.asked > 1 {
			return goipp.StatusErrorNotFound, nil
		}
		if o.renames {
			o.name = goipp.String("Courrier")
		}
		return goipp.StatusOk, goipp.Attributes{
			goipp.MakeAttribute("job-name", goipp.TagName, o.name),
			goipp.MakeAttribute("job-state", goipp.TagEnum, goipp.Integer(state)),
			goipp.MakeAttribute("job-state-reasons", goipp.TagKeyword, goipp.String(o.reason)),
		}
	}
	return goipp.StatusOk, nil
}

func TestOddJobs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		odd      *odd
		want     device.Fault // None: it is printed
		printed  printer.Printed
		canceled bool
	}{
		"waits, warms up, prints":     {&odd{states: []int{3, 5, 5, 5, 5, 9}, reason: "job-completed-successfully"}, device.None, "", false},
		"busy at first":               {&odd{busy: 1, states: []int{5, 9}}, device.None, "", false},
		"busy for long":               {&odd{busy: 99}, device.Silent, printer.Nothing, false},
		"never begins":                {&odd{states: []int{3}}, device.Silent, printer.Nothing, true},
		"never ends":                  {&odd{states: []int{3, 5}}, device.Silent, printer.Maybe, true},
		"never ends, nor is canceled": {&odd{states: []int{3}, stuck: true}, device.Silent, printer.Maybe, true},
		"held":                        {&odd{states: []int{4}}, device.Stopped, printer.Nothing, true},
		"stopped":                     {&odd{states: []int{5, 6}}, device.Stopped, printer.Maybe, true},
		"flickers":                    {&odd{states: slices.Repeat([]int{5, 6}, 30)}, device.Silent, printer.Maybe, true},
		"canceled by hand":            {&odd{states: []int{5, 7}, reason: "job-canceled-at-device"}, device.Stopped, printer.Maybe, false},
		"aborted":                     {&odd{states: []int{5, 8}, reason: "aborted-by-system"}, device.Hardware, printer.Maybe, false},
		"not understood":              {&odd{states: []int{5, 8}, reason: "document-format-error"}, device.Unprintable, printer.Maybe, false},
		"completed with errors":       {&odd{states: []int{5, 9}, reason: "job-completed-with-errors"}, device.Hardware, printer.Maybe, false},
		"document refused":            {&odd{states: []int{3}, refuses: true}, device.Unprintable, printer.Nothing, true},
		"forgotten":                   {&odd{states: []int{5}, forgets: true}, device.Silent, printer.Maybe, false},
		"another one's":               {&odd{states: []int{9}, renames: true}, device.Silent, printer.Maybe, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(c.odd)
			defer server.Close()
			options := patient
			if c.want != device.None {
				options.Mend, options.Progress = time.Second, 1500*time.Millisecond
			}
			p := ipp.New("ipp://"+strings.TrimPrefix(server.URL, "http://")+"/ipp/print", options)
			err := p.Print(t.Context(), doc("Une fois"))
			if c.want != device.None {
				wantError(t, err, c.want, c.printed)
			} else if err != nil {
				t.Error(err)
			}
			if c.odd.sent > 1 {
				t.Errorf("the document was sent %d times", c.odd.sent)
			}
			if c.odd.canceled != c.canceled {
				t.Errorf("canceled: %t, want %t", c.odd.canceled, c.canceled)
			}
		})
	}
}

// A fault that is mended again and again, each time soon, does not keep a
// resident waiting without end.
func TestFaultThatComesBack(t *testing.T) {
	t.Parallel()
	o := &odd{states: slices.Repeat([]int{6, 6, 6, 6, 5}, 12)}
	server := httptest.NewServer(o)
	defer server.Close()
	options := patient
	options.Mend, options.Progress = 5*time.Second, 1500*time.Millisecond
	p := ipp.New("ipp://"+strings.TrimPrefix(server.URL, "http://")+"/ipp/print", options)
	wantError(t, p.Print(t.Context(), doc("Une fois")), device.Stopped, printer.Maybe)
	if !o.canceled || o.asked > 20 {
		t.Errorf("asked %d times, canceled: %t", o.asked, o.canceled)
	}
}
