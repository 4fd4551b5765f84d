package api

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"parvis/kiosk/link"
)

//go:embed docs.html
var docsText string

var docsPage = template.Must(template.New("docs").Funcs(template.FuncMap{"fr": french.Replace}).Parse(docsText))

// french keeps punctuation on the line of its word.
var french = strings.NewReplacer(" :", "\u00a0:", " ;", "\u202f;", " ?", "\u202f?", " !", "\u202f!", "« ", "«\u00a0", " »", "\u00a0»", " %", "\u00a0%")

// docs serves the description of the API: made once, as it never changes.
type docs struct {
	json, yaml, page []byte
}

func newDocs(oapi *huma.OpenAPI) *docs {
	// huma's own errors, which transform lets nobody see.
	delete(oapi.Components.Schemas.Map(), "ErrorModel")
	delete(oapi.Components.Schemas.Map(), "ErrorDetail")
	describeFields(oapi)
	d := &docs{json: must(json.Marshal(oapi)), yaml: must(oapi.YAML())}
	var page bytes.Buffer
	if err := docsPage.Execute(&page, pageOf(oapi)); err != nil {
		panic(err) // the template and the description are constants
	}
	d.page = page.Bytes()
	return d
}

func (d *docs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	var data []byte
	switch r.URL.Path {
	case "/openapi.json":
		h.Set("Content-Type", "application/openapi+json")
		data = d.json
	case "/openapi.yaml":
		h.Set("Content-Type", "application/openapi+yaml")
		data = d.yaml
	case "/docs":
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		data = d.page
	default:
		http.NotFound(w, r)
		return
	}
	h.Set("Cache-Control", "max-age=300")
	h.Set("X-Content-Type-Options", "nosniff")
	w.Write(data) // who asked may be gone
}

// The page's own view of the description: lists in order, French only.
type (
	docsView struct {
		Title, Version, Description string
		Operations                  []docsOperation
		Schemas                     []docsSchema
		Problems                    []docsProblem
	}
	docsOperation struct {
		ID, Method, Path, Summary, Description, Body string
		NeedsCertificate                             bool
		Parameters                                   []docsField
		Responses                                    []docsField
	}
	docsSchema struct {
		Name   string
		Fields []docsField
	}
	docsField   struct{ Name, Kind, Text string }
	docsProblem struct{ Type, Text string }
)

func pageOf(oapi *huma.OpenAPI) docsView {
	v := docsView{Title: oapi.Info.Title, Version: oapi.Info.Version, Description: oapi.Info.Description, Problems: docsProblems}
	for path, item := range oapi.Paths {
		for method, op := range map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put} {
			if op != nil {
				v.Operations = append(v.Operations, operationOf(method, path, op))
			}
		}
	}
	slices.SortFunc(v.Operations, func(a, b docsOperation) int { return strings.Compare(a.Path, b.Path) })
	for name, s := range oapi.Components.Schemas.Map() {
		one := docsSchema{Name: name}
		for field, p := range s.Properties {
			one.Fields = append(one.Fields, docsField{field, kindOf(p), p.Description})
		}
		slices.SortFunc(one.Fields, byName)
		v.Schemas = append(v.Schemas, one)
	}
	slices.SortFunc(v.Schemas, func(a, b docsSchema) int { return strings.Compare(a.Name, b.Name) })
	return v
}

func operationOf(method, path string, op *huma.Operation) docsOperation {
	one := docsOperation{ID: op.OperationID, Method: method, Path: path, Summary: op.Summary, Description: op.Description, NeedsCertificate: len(op.Security) > 0}
	for _, p := range op.Parameters {
		one.Parameters = append(one.Parameters, docsField{Name: p.Name, Text: p.Description})
	}
	if op.RequestBody != nil {
		one.Body = kindOf(op.RequestBody.Content[typeJSON].Schema)
	}
	for status, r := range op.Responses {
		f := docsField{Name: status, Text: r.Description}
		if m := r.Content[typeJSON]; m != nil {
			f.Kind = kindOf(m.Schema)
		}
		one.Responses = append(one.Responses, f)
	}
	slices.SortFunc(one.Responses, byName)
	return one
}

func byName(a, b docsField) int { return strings.Compare(a.Name, b.Name) }

// kindOf names what a schema is, for people.
func kindOf(s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
	case len(s.AllOf) > 0:
		return kindOf(s.AllOf[0])
	case s.ContentEncoding == "base64":
		return "octets"
	}
	switch s.Type {
	case huma.TypeInteger:
		return "nombre entier"
	case huma.TypeString:
		return "texte"
	case huma.TypeArray:
		return "liste de : " + kindOf(s.Items)
	case huma.TypeObject:
		if inner, ok := s.AdditionalProperties.(*huma.Schema); ok {
			return "par nom : " + kindOf(inner)
		}
	}
	return ""
}

var docsProblems = []docsProblem{
	{link.ProblemClock, "Elle corrige son heure par « now » et envoie de nouveau."},
	{link.ProblemReplayed, "Rien : le hub a déjà ce rapport."},
	{link.ProblemRevoked, "Elle ne parle plus au hub avant un nouvel enrôlement, et continue de servir."},
	{link.ProblemExpired, "Elle renouvelle son certificat."},
	{link.ProblemToken, "Il faut un autre code d’enrôlement."},
	{link.ProblemTooLarge, "Elle n’envoie plus ce message : il passe la limite."},
	{link.ProblemInvalid, "C’est une erreur de programme : le détail dit où."},
	{link.ProblemVersion, "La borne et le hub ne sont pas de la même version : mettez l’un à jour."},
	{link.ProblemUnknown, "Elle oublie cette commande ou ces contenus."},
	{link.ProblemBusy, "Elle recommence plus tard : Retry-After dit quand."},
	{link.ProblemInternal, "Elle recommence plus tard ; le journal du hub dit ce qui s’est passé."},
}
