package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"parvis/hub/api"
	"parvis/kiosk/link"
)

// object is any JSON object.
type object = map[string]any

func description(t testing.TB, h *hub) object {
	t.Helper()
	a := h.ask(h.stranger(), http.MethodGet, "/openapi.json", nil)
	if got := a.header.Get("Content-Type"); a.status != http.StatusOK || got != "application/openapi+json" {
		t.Fatalf("%d %s", a.status, got)
	}
	var d object
	if err := json.Unmarshal(a.body, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// operations lists the operations of a description as "GET /path".
func operations(d object) map[string]object {
	all := make(map[string]object)
	for path, item := range d["paths"].(object) {
		for method, op := range item.(object) {
			all[strings.ToUpper(method)+" "+path] = op.(object)
		}
	}
	return all
}

var placeholders = regexp.MustCompile(`{([^}]+)}`)

// The description holds to what OpenAPI 3.1 asks of a document, as far as this
// API uses it: every object has what it must have, and every reference leads
// somewhere.
func TestDescriptionIsOpenAPI(t *testing.T) {
	t.Parallel()
	h := startHub(t, openSQLite(t))
	d := description(t, h)
	info := d["info"].(object)
	if d["openapi"] != "3.1.0" || info["title"] == "" || info["version"] == "" {
		t.Errorf("openapi %v, info %v", d["openapi"], info)
	}
	allowed := []string{"openapi", "info", "paths", "components"}
	for key := range d {
		if !slices.Contains(allowed, key) {
			t.Errorf("unknown part %q", key)
		}
	}
	schemes := d["components"].(object)["securitySchemes"].(object)
	ids := make(map[string]bool)
	for name, op := range operations(d) {
		id, _ := op["operationId"].(string)
		if id == "" || ids[id] {
			t.Errorf("%s: operationId %q", name, id)
		}
		ids[id] = true
		if op["summary"] == "" || op["description"] == "" {
			t.Errorf("%s: not described", name)
		}
		declared := make(map[string]bool)
		for _, p := range list(op["parameters"]) {
			p := p.(object)
			if p["in"] == "path" {
				declared[p["name"].(string)] = true
			}
			if p["in"] == "path" && p["required"] != true || p["schema"] == nil || p["description"] == nil {
				t.Errorf("%s: parameter %v", name, p)
			}
		}
		for _, m := range placeholders.FindAllStringSubmatch(name, -1) {
			if !declared[m[1]] {
				t.Errorf("%s: %s is not declared", name, m[1])
			}
			delete(declared, m[1])
		}
		if len(declared) > 0 {
			t.Errorf("%s: %v are not in the path", name, declared)
		}
		responses, _ := op["responses"].(object)
		if len(responses) < 2 {
			t.Errorf("%s: responses %v", name, responses)
		}
		for status, r := range responses {
			r := r.(object)
			if text, _ := r["description"].(string); text == "" || !regexp.MustCompile(`^[1-5]\d\d$`).MatchString(status) {
				t.Errorf("%s: response %s: %v", name, status, r)
			}
			content, _ := r["content"].(object)
			if status >= "400" && (content[link.MediaProblemJSON] == nil || content[link.MediaProblemCBOR] == nil) {
				t.Errorf("%s: response %s is no problem document", name, status)
			}
			checkContent(t, name+" "+status, content)
		}
		if body, ok := op["requestBody"].(object); ok {
			content := body["content"].(object)
			if body["required"] != true || content["application/json"] == nil || content["application/cbor"] == nil {
				t.Errorf("%s: body %v", name, body)
			}
			checkContent(t, name, content)
		}
		for _, s := range list(op["security"]) {
			for scheme := range s.(object) {
				if schemes[scheme] == nil {
					t.Errorf("%s: no scheme %q", name, scheme)
				}
			}
		}
	}
	walk(d, func(o object) {
		ref, ok := o["$ref"].(string)
		if !ok {
			return
		}
		at := any(d)
		for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			inner, _ := at.(object)
			at = inner[part]
		}
		if at == nil {
			t.Errorf("%s leads nowhere", ref)
		}
	})
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func checkContent(t *testing.T, where string, content object) {
	t.Helper()
	for media, m := range content {
		if m.(object)["schema"] == nil || !strings.Contains(media, "/") {
			t.Errorf("%s: content %s: %v", where, media, m)
		}
	}
}

func walk(v any, f func(object)) {
	switch v := v.(type) {
	case object:
		f(v)
		for _, inner := range v {
			walk(inner, f)
		}
	case []any:
		for _, inner := range v {
			walk(inner, f)
		}
	}
}

// Every path that is described is served, and every path that a borne's client
// asks for is described. Those of enrolment, and no other, are open to all.
func TestDescribedPathsAreServed(t *testing.T) {
	t.Parallel()
	o := &paths{}
	st := openSQLite(t)
	h := startHub(t, st, func(options *api.Options) { options.Observer, options.Apt = o, openApt(t, st) })
	described := operations(description(t, h))
	for name, op := range described {
		method, path, _ := strings.Cut(name, " ")
		path = strings.ReplaceAll(strings.ReplaceAll(path, "{id}", newID(t).String()), "{sha256}", zeros)
		a := h.ask(h.stranger(), method, path, []byte("{}"), "Content-Type: application/json")
		switch open := op["security"] == nil; {
		case !open && a.status != http.StatusUnauthorized:
			t.Errorf("%s without a certificate: %d %s", name, a.status, a.body)
		case open && (a.status == http.StatusUnauthorized || a.status == http.StatusNotFound || a.status == http.StatusMethodNotAllowed):
			t.Errorf("%s, open to all: %d %s", name, a.status, a.body)
		case open && !strings.HasSuffix(name, "/enrol"):
			t.Errorf("%s is open to all", name)
		}
		if op["responses"].(object)[itoa(a.status)] == nil {
			t.Errorf("%s: %d is not described", name, a.status)
		}
	}
	b := h.enrol("MN-01")
	b.mustReport(h)
	id := h.command("MN-01", link.TestPrint)
	data, sum := random(10, 1)
	h.keep(data)
	_, err := b.Commands(t.Context(), 0)
	body, _, _, err2 := b.File(t.Context(), "/files/"+sum, 0)
	openPacks(t, st, h.clock)
	signed, _, _, err6 := b.File(t.Context(), "/pack/timestamp.json", 0)
	index, _, _, err5 := b.File(t.Context(), "/apt/"+url.PathEscape("dists/parvis/InRelease"), 0)
	_, err3 := b.PutCallback(t.Context(), newID(t), link.Callback{Code: "ABC123", Data: []byte("sealed")})
	_, err4 := b.Wanted(t.Context())
	err4 = errors.Join(err4, b.PutInventory(t.Context(), link.Inventory{Model: "NUC"}),
		b.PutUnfound(t.Context(), newID(t), link.Unfound{Month: h.clock.now().UTC().Format("2006-01"), Data: []byte("sealed")}))
	for _, err := range []error{err, err2, err3, err4, err5, err6, b.PutOutcome(t.Context(), id, link.Outcome{State: link.Done}), b.self.Renew(t.Context(), b.Renew)} {
		if err != nil {
			t.Error(err)
		}
	}
	if _, err := io.Copy(io.Discard, io.MultiReader(body, index, signed)); err != nil {
		t.Error(err)
	}
	body.Close()
	index.Close()
	signed.Close()
	h.stop()
	asked := make(map[string]bool)
	for _, line := range o.all() {
		name, status, _ := strings.Cut(line, " /v1")
		path, status, _ := strings.Cut(status, " ")
		name += " /v1" + path
		if op := described[name]; op != nil && op["responses"].(object)[status] == nil {
			t.Errorf("%s: %s is not described", name, status)
		}
		if described[name] != nil && status < "400" {
			asked[name] = true
		}
	}
	if len(asked) != len(described) {
		t.Errorf("a borne's life asks for %v, of %v", slices.Sorted(maps.Keys(asked)), slices.Sorted(maps.Keys(described)))
	}
}

func itoa(n int) string { data, _ := json.Marshal(n); return string(data) }

// The schemas are JSON Schema 2020-12, and what is really said holds to them.
func TestSchemas(t *testing.T) {
	t.Parallel()
	h := startHub(t, openSQLite(t))
	d := description(t, h)
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	if err := compiler.AddResource("openapi.json", d); err != nil {
		t.Fatal(err)
	}
	schemas := make(map[string]*jsonschema.Schema)
	for name := range d["components"].(object)["schemas"].(object) {
		s, err := compiler.Compile("openapi.json#/components/schemas/" + name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		schemas[name] = s
	}
	check := func(name string, data []byte) error {
		t.Helper()
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		return schemas[name].Validate(v)
	}
	toJSON := func(v any) []byte {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	b := h.enrol("MN-01")
	report := b.report(time.Now())
	report.Faults = []link.Fault{{Fault: link.FaultHot, Since: 1}}
	if err := check("Report", toJSON(report)); err != nil {
		t.Error(err)
	}
	report.Disk = 101
	if check("Report", toJSON(report)) == nil {
		t.Error("the schema takes a disk 101 % free")
	}
	report.Disk = 50
	a := h.ask(b.raw(), http.MethodPost, "/v1/report", toJSON(report), "Content-Type: application/json")
	if err := check("ReportAnswer", a.body); err != nil || a.status != http.StatusOK {
		t.Errorf("%d %s: %v", a.status, a.body, err)
	}
	a = h.ask(b.raw(), http.MethodPost, "/v1/report", toJSON(report), "Content-Type: application/json")
	if err := check("Problem", a.body); err != nil || a.status != http.StatusConflict {
		t.Errorf("%d %s: %v", a.status, a.body, err)
	}
	h.command("MN-01", link.ShowMessage)
	a = h.ask(b.raw(), http.MethodGet, "/v1/commands", nil)
	if err := check("Commands", a.body); err != nil || a.status != http.StatusOK {
		t.Errorf("%d %s: %v", a.status, a.body, err)
	}
	a = h.ask(b.raw(), http.MethodPost, "/v1/renew", toJSON(link.RenewRequest{CSR: csr(t)}), "Content-Type: application/json")
	if err := check("Enrolled", a.body); err != nil || a.status != http.StatusOK {
		t.Errorf("%d: %v", a.status, err)
	}
}

// Every field has its words, and no words are left of a field that is gone.
func TestFieldsAreDescribed(t *testing.T) {
	t.Parallel()
	h := startHub(t, openSQLite(t))
	left := maps.Clone(api.FieldWords())
	for name, s := range description(t, h)["components"].(object)["schemas"].(object) {
		properties, _ := s.(object)["properties"].(object)
		for field, p := range properties {
			if text, _ := p.(object)["description"].(string); text == "" {
				t.Errorf("%s.%s: no words", name, field)
			}
			delete(left, name+"."+field)
		}
	}
	if len(left) > 0 {
		t.Errorf("words of no field: %v", slices.Sorted(maps.Keys(left)))
	}
}

// The same is served as YAML and as a page, with nothing from elsewhere.
func TestDocs(t *testing.T) {
	t.Parallel()
	h := startHub(t, openSQLite(t))
	a := h.ask(h.stranger(), http.MethodGet, "/openapi.yaml", nil)
	var fromYAML object
	if err := yaml.Unmarshal(a.body, &fromYAML); err != nil {
		t.Fatal(err)
	}
	if got := len(operations(fromYAML)); got != len(operations(description(t, h))) {
		t.Errorf("%d operations in YAML", got)
	}
	a = h.ask(h.stranger(), http.MethodGet, "/docs", nil)
	page := string(a.body)
	if a.status != http.StatusOK || !strings.HasPrefix(a.header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%d %v", a.status, a.header)
	}
	for _, want := range []string{`<html lang="fr">`, "POST /v1/report", "Toutes les 30 secondes", "urn:parvis:problem:clock", `id="Report"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	for _, bad := range []string{"<script", "<link", "src=", "@import", "url(", "ZgotmplZ", "%!"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	// Before : ; ? and ! French wants a space that doesn't break.
	if m := regexp.MustCompile(`.{0,20}[^\x{00a0}\x{202f}\s][?!]|.{0,20} :|« | »`).FindString(text(page)); m != "" {
		t.Errorf("spaces that may break: %q", m)
	}
	for _, anchor := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if !strings.Contains(page, `id="`+anchor[1]+`"`) {
			t.Errorf("#%s leads nowhere", anchor[1])
		}
	}
}

// text is what a page shows.
func text(page string) string {
	_, page, _ = strings.Cut(page, "<body>")
	return regexp.MustCompile(`<code>[^<]*</code>|<[^>]+>`).ReplaceAllString(page, " ")
}
