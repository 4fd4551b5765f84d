package ipp_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/OpenPrinting/goipp"
	"golang.org/x/sys/unix"

	"parvis/device"
	"parvis/device/printer"
	"parvis/device/printer/ipp"
)

// doc is a document that says s.
func doc(s string) printer.Document {
	return printer.Document{Lang: "fr", Blocks: []printer.Block{
		printer.Heading{Level: 1, Text: s}, printer.Checkbox{Text: "Une pièce d’identité"}, printer.QR{Data: "https://example.org/"},
	}}
}

func wantError(t *testing.T, err error, fault device.Fault, printed printer.Printed) {
	t.Helper()
	var e *printer.Error
	if !errors.As(err, &e) || e.Fault != fault || e.Printed != printed {
		t.Errorf("error %v, want fault %s, printed %s", err, fault, printed)
	}
}

// idle is the answer of a printer that waits.
func idle(t *testing.T, more ...goipp.Attribute) []byte {
	t.Helper()
	m := goipp.NewResponse(goipp.DefaultVersion, goipp.StatusOk, 1)
	m.Printer = append(goipp.Attributes{goipp.MakeAttribute("printer-state", goipp.TagEnum, goipp.Integer(3))}, more...)
	b, err := m.EncodeBytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func says(kind string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(body) // the client may have left
	}
}

func TestBadAnswers(t *testing.T) {
	t.Parallel()
	refusal, err := goipp.NewResponse(goipp.DefaultVersion, goipp.StatusErrorNotFound, 1).EncodeBytes()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   device.Fault
		cause  string
	}{
		"a web page":     {says("text/html", []byte("<html>")), device.Silent, `not IPP: its type is "text/html"`},
		"nothing":        {says(goipp.ContentType, nil), device.Silent, "truncated"},
		"half an answer": {says(goipp.ContentType, idle(t)[:20]), device.Silent, "truncated"},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", goipp.ContentType)
			for range 64 {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}, device.Silent, "it has no end"},
		"401": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, device.Silent, "HTTP 401"},
		"404": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, device.Silent, "HTTP 404"},
		"500": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, device.Silent, "HTTP 500"},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusTemporaryRedirect)
		}, device.Silent, "HTTP 307"},
		"not found": {says(goipp.ContentType, refusal), device.Unplugged, "there is no printer or queue at ipp://"},
		"mute":      {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, device.Silent, "deadline"},
		"gone":      {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, device.Unplugged, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				// A server that has not heard all resets the line, and does not
				// notice that the client has left.
				_, _ = io.Copy(io.Discard, r.Body)
				c.answer(w, r)
			}))
			defer server.Close()
			options := ipp.Options{Answer: time.Minute}
			if name == "mute" {
				options.Answer = 300 * time.Millisecond
			}
			p := ipp.New("ipp://"+strings.TrimPrefix(server.URL, "http://")+"/ipp/print", options)
			s, err := p.Status(t.Context())
			wantError(t, err, c.want, printer.Nothing)
			if err == nil || !strings.Contains(err.Error(), c.cause) {
				t.Errorf("error %v, want one that says %q", err, c.cause)
			}
			if s != (device.Status{}) {
				t.Errorf("status %+v beside an error", s)
			}
			wantError(t, p.Print(t.Context(), doc("Rien")), c.want, printer.Nothing)
		})
	}
}

// A printer that does not say how it is is not ready.
func TestUnknownStatus(t *testing.T) {
	t.Parallel()
	m, err := goipp.NewResponse(goipp.DefaultVersion, goipp.StatusOk, 1).EncodeBytes()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(says(goipp.ContentType, m))
	defer server.Close()
	p := ipp.New("ipp://"+strings.TrimPrefix(server.URL, "http://")+"/ipp/print", ipp.Options{})
	if s, err := p.Status(t.Context()); err != nil || s.State != device.Unknown || s.Ready() {
		t.Errorf("status %+v, %v", s, err)
	}
	wantError(t, p.Print(t.Context(), doc("Rien")), device.Silent, printer.Nothing)
}

// A printer that can never print our documents says so before it is tried.
func TestUnsuitablePrinter(t *testing.T) {
	t.Parallel()
	for cause, a := range map[string]goipp.Attribute{
		"takes no PDF":             goipp.MakeAttribute("document-format-supported", goipp.TagMimeType, goipp.String("image/urf")),
		"does not know Create-Job": goipp.MakeAttribute("operations-supported", goipp.TagEnum, goipp.Integer(goipp.OpPrintJob)),
	} {
		server := httptest.NewServer(says(goipp.ContentType, idle(t, a)))
		defer server.Close()
		p := ipp.New("ipp://"+strings.TrimPrefix(server.URL, "http://")+"/ipp/print", ipp.Options{})
		if s, err := p.Status(t.Context()); err != nil || s.Ready() || !strings.Contains(s.Cause, cause) {
			t.Errorf("status %+v, %v; want one that says %q", s, err, cause)
		}
		wantError(t, p.Print(t.Context(), doc("Rien")), device.Hardware, printer.Nothing)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	free := refusing(t)
	for uri, c := range map[string]struct {
		want  device.Fault
		cause string
	}{
		"":                                 {device.Unplugged, "must begin with ipp://"},
		"A4":                               {device.Unplugged, "must begin with ipp://"},
		"http://localhost/printers/A4":     {device.Unplugged, "must begin with ipp://"},
		"ipp:///printers/A4":               {device.Unplugged, "must name a host"},
		"ipp://anna:geheim@host/printers/": {device.Unplugged, "no user"},
		"ipp://host:port/":                 {device.Unplugged, "cannot be read"},
		"ipp://" + free + "/printers/A4":   {device.NoService, "refused"},
		"ipp://" + free + "/ipp/print":     {device.Unplugged, "refused"},
		"ipp://nowhere.invalid/ipp/print":  {device.Unplugged, "nowhere.invalid"},
	} {
		_, err := ipp.New(uri, ipp.Options{}).Status(t.Context())
		wantError(t, err, c.want, printer.Nothing)
		if err == nil || !strings.Contains(err.Error(), c.cause) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: error %v, want one that says %q", uri, err, c.cause)
		}
	}
}

// refusing is an address where nobody listens, and which no other test can be
// given meanwhile: it is bound.
func refusing(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	at, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", at.(*unix.SockaddrInet4).Port)
}

func TestUnprintableDocument(t *testing.T) {
	t.Parallel()
	p := ipp.New("ipp://localhost:1/printers/A4", ipp.Options{})
	wantError(t, p.Print(t.Context(), printer.Document{}), device.Unprintable, printer.Nothing)
}

// Whatever a printer answers, it is a status or an error.
func FuzzAnswer(f *testing.F) {
	m := goipp.NewResponse(goipp.DefaultVersion, goipp.StatusOk, 1)
	m.Printer = goipp.Attributes{
		goipp.MakeAttribute("printer-state", goipp.TagEnum, goipp.Integer(5)),
		goipp.MakeAttr("printer-state-reasons", goipp.TagKeyword, goipp.String("media-empty-error"), goipp.String("cover-open")),
		goipp.MakeAttribute("printer-is-accepting-jobs", goipp.TagBoolean, goipp.Boolean(false)),
		goipp.MakeAttr("marker-levels", goipp.TagInteger, goipp.Integer(-2), goipp.Integer(5)),
		goipp.MakeAttr("marker-low-levels", goipp.TagInteger, goipp.Integer(10), goipp.Integer(10)),
		goipp.MakeAttribute("marker-types", goipp.TagKeyword, goipp.String("toner")),
	}
	good, err := m.EncodeBytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte{2, 0, 0, 0, 0, 0, 0, 1, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ipp.Decode(bytes.NewReader(b))
		if err == nil && s.State == device.Unknown && s.Cause == "" || err != nil && s != (device.Status{}) {
			t.Errorf("status %+v, error %v", s, err)
		}
	})
}
