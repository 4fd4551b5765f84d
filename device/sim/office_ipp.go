package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/OpenPrinting/goipp"
)

// over says whether none of our own documents is in the way of others.
func (o *Office) over(ctx context.Context) (bool, error) {
	answer, err := o.ask(ctx, goipp.OpGetJobs)
	if err != nil {
		return false, err
	}
	for _, a := range answer.Job {
		if a.Name == "job-name" && a.Values.String() == orderName {
			return false, nil
		}
	}
	return true, nil
}

// orderName is by what the command knows our own documents.
const orderName = "parvis-sim-order"

// errBusy is the printer's answer while it has a job.
var errBusy = errors.New("busy")

// ask sends one request to the printer.
func (o *Office) ask(ctx context.Context, op goipp.Op) (goipp.Message, error) {
	m := goipp.NewRequest(goipp.DefaultVersion, op, 1)
	add := func(name string, tag goipp.Tag, value goipp.Value) {
		m.Operation.Add(goipp.MakeAttribute(name, tag, value))
	}
	add("attributes-charset", goipp.TagCharset, goipp.String("utf-8"))
	add("attributes-natural-language", goipp.TagLanguage, goipp.String("fr"))
	add("printer-uri", goipp.TagURI, goipp.String(o.URI()))
	add("requesting-user-name", goipp.TagName, goipp.String("parvis-sim"))
	document := ""
	switch op {
	case goipp.OpPrintJob:
		add("job-name", goipp.TagName, goipp.String(orderName))
		add("document-format", goipp.TagMimeType, goipp.String("application/pdf"))
		document = "%PDF-1.4\n"
	case goipp.OpGetJobs:
		add("requested-attributes", goipp.TagKeyword, goipp.String("job-name"))
	}
	body, err := m.EncodeBytes()
	if err != nil {
		return goipp.Message{}, err
	}
	answer, err := fetch(ctx, http.MethodPost, o.page("/ipp/print"), append(body, document...))
	if err != nil {
		return goipp.Message{}, err
	}
	var got goipp.Message
	if err := got.DecodeBytes(answer); err != nil {
		return goipp.Message{}, fmt.Errorf("%s: %w", op, err)
	}
	switch status := goipp.Status(got.Code); {
	case status == goipp.StatusErrorBusy:
		return got, errBusy
	case status >= goipp.StatusErrorBadRequest:
		return got, fmt.Errorf("%s: %s", op, status)
	}
	return got, nil
}

// reasons are those in an answer of the printer, as wants writes them: without
// media-needed, which comes and goes with the jobs.
func reasons(answer goipp.Message) string {
	var all []string
	for _, a := range answer.Printer {
		if a.Name != "printer-state-reasons" {
			continue
		}
		for _, v := range a.Values {
			if reason := bare(v.V.String()); reason != "media-needed" {
				all = append(all, reason)
			}
		}
	}
	slices.Sort(all)
	return strings.Join(all, ",")
}

// bare is a reason without how grave it is.
func bare(reason string) string {
	for _, end := range []string{"-error", "-warning", "-report"} {
		reason = strings.TrimSuffix(reason, end)
	}
	return reason
}

// page is the printer's own web page at path.
func (o *Office) page(path string) string { return fmt.Sprintf("http://localhost:%d%s", o.port, path) }

func fetch(ctx context.Context, method, url string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", goipp.ContentType)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, res.Status)
	}
	return io.ReadAll(res.Body)
}
