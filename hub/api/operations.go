package api

import (
	"context"
	"net/http"
	"net/netip"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"parvis/kiosk/link"
)

// The paths bornes know.
const (
	pathReport   = link.Prefix + "/report"
	pathCommands = link.Prefix + "/commands"
	pathOutcome  = link.Prefix + "/commands/{id}/outcome"
	pathCallback = link.Prefix + "/callbacks/{id}"
	pathUnfound  = link.Prefix + "/unfound/{id}"
	pathWanted   = link.Prefix + "/wanted"
	pathFile     = link.Prefix + "/files/{sha256}"
	pathEnrol    = link.Prefix + "/enrol"
	pathRenew    = link.Prefix + "/renew"
)

// maxOutcome leaves room for the file in base64, as JSON has it.
const maxOutcome = link.MaxFile*4/3 + link.MaxBody

// message is the body of a request. huma reads it once, into Value; what is
// wrong with it waits in problem, so that the answer can say so in our words.
type message[T any] struct {
	Value   T
	problem *problem
}

// Schema describes what is in the message.
func (m *message[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

// decoded is what the formats look for.
type decoded interface {
	decode(unmarshal func([]byte, any) error, data []byte)
}

func (m *message[T]) decode(unmarshal func([]byte, any) error, data []byte) {
	if err := unmarshal(data, &m.Value); err != nil {
		m.problem = malformed(sentence(err))
	}
}

type (
	reportInput struct {
		Body message[link.Report]
	}
	reportOutput struct {
		Body link.ReportAnswer
	}
	commandsInput struct {
		Wait string `query:"wait"`
	}
	commandsOutput struct {
		Body link.Commands
	}
	outcomeInput struct {
		ID   string `path:"id"`
		Body message[link.Outcome]
	}
	callbackInput struct {
		ID   string `path:"id"`
		Body message[link.Callback]
	}
	statusOutput struct {
		Status int
	}
	wantedOutput struct {
		Body link.Wanted
	}
	fileInput struct {
		SHA256 string `path:"sha256"`
	}
	fileOutput struct {
		Body func(huma.Context)
	}
	enrolInput struct {
		Body    message[link.EnrolRequest]
		address netip.Addr
	}
	renewInput struct {
		Body message[link.RenewRequest]
	}
	enrolOutput struct {
		Body link.Enrolled
	}
)

// Resolve notes where a code is tried from.
func (in *enrolInput) Resolve(ctx huma.Context) []error {
	r, _ := humago.Unwrap(ctx)
	in.address = addressOf(r)
	return nil
}

// routes makes the handler of the bornes' port, and the description of it.
func (a *API) routes(version string) (http.Handler, *docs) {
	mux := http.NewServeMux()
	api := humago.New(mux, huma.Config{
		OpenAPI:       describe(version),
		Formats:       formats,
		DefaultFormat: typeJSON,
		Transformers:  []huma.Transformer{a.transform},
	})
	api.UseMiddleware(a.authorise, a.checkBody)

	own := []map[string][]string{{byCertificate: {}}}
	register(api, huma.Operation{
		Method: http.MethodPost, Path: pathReport, Security: own, MaxBodyBytes: link.MaxBody,
		Errors: []int{400, 401, 403, 408, 409, 413, 415, 422, 503},
	}, a.report)
	register(api, huma.Operation{
		Method: http.MethodGet, Path: pathCommands, Security: own,
		Errors: []int{401, 403, 422, 503},
	}, a.commands)
	register(api, huma.Operation{
		Method: http.MethodPut, Path: pathOutcome, Security: own, MaxBodyBytes: maxOutcome, BodyReadTimeout: 5 * time.Minute,
		Errors: []int{400, 401, 403, 404, 408, 413, 415, 422},
	}, a.outcome)
	register(api, huma.Operation{
		Method: http.MethodPut, Path: pathCallback, Security: own, MaxBodyBytes: link.MaxBody, DefaultStatus: http.StatusCreated,
		Errors: []int{400, 401, 403, 408, 413, 415, 422, 429},
	}, a.callback)
	register(api, huma.Operation{
		Method: http.MethodPut, Path: pathUnfound, Security: own, MaxBodyBytes: 2 * link.MaxUnfound, DefaultStatus: http.StatusNoContent,
		Errors: []int{400, 401, 403, 408, 413, 415, 422},
	}, a.unfound)
	register(api, huma.Operation{
		Method: http.MethodPut, Path: pathInventory, Security: own, MaxBodyBytes: link.MaxBody, DefaultStatus: http.StatusNoContent,
		Errors: []int{400, 401, 403, 408, 413, 415, 422},
	}, a.inventory)
	register(api, huma.Operation{
		Method: http.MethodGet, Path: pathWanted, Security: own,
		Errors: []int{401, 403},
	}, a.wanted)
	register(api, huma.Operation{
		Method: http.MethodGet, Path: pathFile, Security: own,
		Errors: []int{401, 403, 404, 416, 503},
	}, a.file)
	register(api, huma.Operation{
		Method: http.MethodGet, Path: pathApt, Security: own,
		Errors: []int{401, 403, 404, 416, 503},
	}, a.aptFile)
	register(api, huma.Operation{
		Method: http.MethodGet, Path: pathPack, Security: own,
		Errors: []int{401, 403, 404, 416},
	}, a.packFile)
	register(api, huma.Operation{
		Method: http.MethodPost, Path: pathEnrol, MaxBodyBytes: link.MaxBody,
		Errors: []int{400, 403, 408, 413, 415, 422, 429},
	}, a.enrol)
	register(api, huma.Operation{
		Method: http.MethodPost, Path: pathRenew, Security: own, MaxBodyBytes: link.MaxBody,
		Metadata: map[string]any{evenExpired: true},
		Errors:   []int{400, 401, 403, 408, 413, 415, 422},
	}, a.renew)

	d := newDocs(api.OpenAPI())
	f := &front{api: a, mux: mux}
	for _, path := range []string{"/openapi.json", "/openapi.yaml", "/docs"} {
		mux.Handle("GET "+path, d)
	}
	mux.Handle("GET /healthz", a.Live())
	mux.Handle("GET /readyz", a.Ready())
	mux.HandleFunc("/", f.other)
	return link.Inflate(f), d
}

// register adds an operation with what all have in common.
func register[I, O any](api huma.API, op huma.Operation, handle func(context.Context, *I) (*O, *problem)) {
	op.SkipValidateBody = true // checkReport and the others do, in words for IT staff
	op.SkipValidateParams = true
	if op.MaxBodyBytes > 0 {
		op.MaxBodyBytes++ // huma refuses what has exactly as many
	}
	if op.BodyReadTimeout == 0 {
		op.BodyReadTimeout = 30 * time.Second
	}
	errs := op.Errors
	op.Errors = nil
	document(api.OpenAPI(), &op, errs)
	huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
		out, p := handle(ctx, in)
		if p != nil {
			return nil, p // never as a nil *problem in an error
		}
		return out, nil
	})
	bothFormats(find(api.OpenAPI(), &op))
}

// find returns the operation as huma has put it into the description.
func find(oapi *huma.OpenAPI, op *huma.Operation) *huma.Operation {
	item := oapi.Paths[op.Path]
	for _, found := range []*huma.Operation{item.Get, item.Post, item.Put} {
		if found != nil && found.OperationID == op.OperationID {
			return found
		}
	}
	panic("no such operation: " + op.OperationID)
}

// transform makes every answer of huma's that is not a success a problem of
// ours.
func (a *API) transform(ctx huma.Context, _ string, v any) (any, error) {
	p, ok := v.(*problem)
	if m, huma := v.(*huma.ErrorModel); huma {
		p, ok = translate(ctx.Operation().MaxBodyBytes-1, m), true
	}
	if !ok {
		return v, nil
	}
	r, w := humago.Unwrap(ctx)
	a.note(r.Context(), p, r.URL.Path)
	p.setHeaders(w.Header().Set)
	return p.Problem, nil
}

// checkBody refuses, before it is read, a body that is too large or in no
// format of ours.
func (a *API) checkBody(ctx huma.Context, next func(huma.Context)) {
	limit := ctx.Operation().MaxBodyBytes - 1
	if limit < 0 {
		next(ctx)
		return
	}
	r, w := humago.Unwrap(ctx)
	switch {
	case r.ContentLength > limit:
		a.refuse(w, r, tooLarge(limit))
	case bodyType(r.Header.Get("Content-Type")) == "", r.Header.Get("Content-Encoding") != "":
		a.refuse(w, r, wrongType())
	default:
		next(ctx)
	}
}
