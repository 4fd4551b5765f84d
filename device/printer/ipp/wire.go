package ipp

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"

	"github.com/OpenPrinting/goipp"

	"parvis/device"
	"parvis/device/printer"
)

const (
	port      = "631"
	maxAnswer = 1 << 20 // bytes; a printer's whole description is some 50 kB
)

// target is one printer or queue that answers IPP.
type target struct {
	uri  string // as IPP names it
	http string // where it is reached
	cups bool   // a queue of CUPS, not a printer itself
	here bool   // on this machine
}

// parse reads an address such as "ipp://localhost:631/printers/A4".
func parse(uri string) (target, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return target{}, fmt.Errorf("ipp: the printer’s address cannot be read: %w", err)
	}
	web := *u
	switch u.Scheme {
	case "ipp":
		web.Scheme = "http"
	case "ipps":
		web.Scheme = "https"
	default:
		return target{}, fmt.Errorf("ipp: address %q: it must begin with ipp:// or ipps://", u.Redacted())
	}
	if u.Hostname() == "" || u.User != nil {
		return target{}, fmt.Errorf("ipp: address %q: it must name a host, and no user", u.Redacted())
	}
	if u.Port() == "" {
		web.Host = net.JoinHostPort(u.Hostname(), port)
	}
	ip := net.ParseIP(u.Hostname())
	return target{
		uri:  uri,
		http: web.String(),
		cups: strings.HasPrefix(u.Path, "/printers/") || strings.HasPrefix(u.Path, "/classes/"),
		here: u.Hostname() == "localhost" || ip != nil && ip.IsLoopback(),
	}, nil
}

// newClient makes an HTTP client that goes where it is sent and nowhere else.
func newClient(config *tls.Config) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			TLSClientConfig:        config,
			MaxResponseHeaderBytes: 64 << 10,
			// A line that the other end has just closed would lose a request.
			DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// user is who asks. CUPS lets no other cancel a job.
const user = "parvis"

// request begins an operation on a target.
func request(t target, op goipp.Op, more ...goipp.Attribute) *goipp.Message {
	m := goipp.NewRequest(goipp.DefaultVersion, op, 1)
	m.Operation = append(goipp.Attributes{
		goipp.MakeAttribute("attributes-charset", goipp.TagCharset, goipp.String("utf-8")),
		goipp.MakeAttribute("attributes-natural-language", goipp.TagLanguage, goipp.String("en")),
		goipp.MakeAttribute("printer-uri", goipp.TagURI, goipp.String(t.uri)),
		goipp.MakeAttribute("requesting-user-name", goipp.TagName, goipp.String(user)),
	}, more...)
	return m
}

// wanted names the attributes to answer with.
func wanted(names ...string) goipp.Attribute {
	a := goipp.Attribute{Name: "requested-attributes"}
	for _, name := range names {
		a.Values.Add(goipp.TagKeyword, goipp.String(name))
	}
	return a
}

// refused is an answer that says no.
type refused struct{ status goipp.Status }

func (r refused) Error() string { return "the printer answered " + r.status.String() }

// errAnswer is an answer that is not IPP.
var errAnswer = errors.New("the answer is not IPP")

// exchange sends a request, with a document or nil behind it, and returns the
// answer if it says yes.
func exchange(ctx context.Context, client *http.Client, t target, m *goipp.Message, doc []byte) (*goipp.Message, error) {
	head, err := m.EncodeBytes()
	if err != nil {
		return nil, err
	}
	body := io.MultiReader(bytes.NewReader(head), bytes.NewReader(doc))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.http, body)
	if err != nil {
		return nil, err
	}
	// A known length, and no GetBody: nothing is ever sent a second time.
	req.ContentLength = int64(len(head) + len(doc))
	req.Header.Set("Content-Type", goipp.ContentType)
	req.Header.Set("Accept", goipp.ContentType)
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: HTTP %s", errAnswer, resp.Status)
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != goipp.ContentType {
		return nil, fmt.Errorf("%w: its type is %.100q", errAnswer, kind)
	}
	answer, err := decode(resp.Body)
	if err != nil {
		return nil, err
	}
	if status := goipp.Status(answer.Code); status >= goipp.StatusRedirectionOtherSite {
		return nil, refused{status}
	}
	return answer, nil
}

// decode reads an answer of at most maxAnswer bytes.
func decode(r io.Reader) (*goipp.Message, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxAnswer {
		return nil, fmt.Errorf("%w: it has no end", errAnswer)
	}
	var m goipp.Message
	if err := m.DecodeBytes(b); err != nil {
		return nil, fmt.Errorf("%w: %w", errAnswer, err)
	}
	return &m, nil
}

// unprintable are the answers that are about the document, not the printer.
var unprintable = []goipp.Status{
	goipp.StatusErrorDocumentFormatNotSupported, goipp.StatusErrorDocumentFormatError,
	goipp.StatusErrorDocumentUnprintable, goipp.StatusErrorRequestEntity,
}

// failure says what an error in an exchange with t means, as long as nothing
// has been printed.
func (t target) failure(err error) *printer.Error {
	e := &printer.Error{Fault: device.Unplugged, Printed: printer.Nothing, Err: err}
	var no refused
	var netErr net.Error
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &no) && no.status == goipp.StatusErrorNotFound:
		e.Err = fmt.Errorf("there is no printer or queue at %s: %w", t.uri, err)
	case errors.As(err, &no) && no.status == goipp.StatusErrorNotAcceptingJobs:
		e.Fault = device.Stopped
	case errors.As(err, &no) && slices.Contains(unprintable, no.status):
		e.Fault = device.Unprintable
	case errors.As(err, &no) && no.status == goipp.StatusErrorBusy:
		e.Fault = device.Silent
	case errors.As(err, &no):
		e.Fault = device.Hardware
	case errors.Is(err, errAnswer):
		e.Fault = device.Silent // as far as printing goes
		e.Err = fmt.Errorf("%s: %w", t.uri, err)
	case errors.Is(err, context.Canceled):
		e.Fault = device.Interrupted
	case errors.As(err, &untrusted):
		e.Fault = device.Silent
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		e.Fault = device.Silent
	case t.cups && t.here && (errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF)):
		e.Fault = device.NoService
	}
	return e
}
