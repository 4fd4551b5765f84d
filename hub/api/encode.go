package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/negotiation"
	"github.com/fxamacker/cbor/v2"

	"parvis/kiosk/link"
)

const (
	typeCBOR = link.MediaCBOR
	typeJSON = "application/json"
)

// The bounds keep a small body from becoming large in memory.
var (
	decodeCBOR = must(cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		MaxNestedLevels:  8,
		MaxArrayElements: 1024,
		MaxMapPairs:      1024,
	}.DecMode())
	encodeCBOR = must(cbor.CoreDetEncOptions().EncMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // the options above are constants
	}
	return v
}

// formats are what huma reads and writes with. It looks a problem's type up by
// its ending.
var formats = map[string]huma.Format{
	typeJSON: formatJSON, "json": formatJSON,
	typeCBOR: formatCBOR, "cbor": formatCBOR,
}

var (
	formatJSON = huma.Format{Marshal: marshalJSON, Unmarshal: intoMessage(unmarshalJSON)}
	formatCBOR = huma.Format{Marshal: marshalCBOR, Unmarshal: intoMessage(unmarshalCBOR)}
)

// intoMessage lets a message keep what is wrong with it.
func intoMessage(unmarshal func([]byte, any) error) func([]byte, any) error {
	return func(data []byte, v any) error {
		v.(decoded).decode(unmarshal, data) // huma reads nothing else here
		return nil
	}
}

func marshalJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func marshalCBOR(w io.Writer, v any) error {
	data, err := encodeCBOR.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// The errors name where and what, never the value: it may be a secret.

func unmarshalJSON(data []byte, v any) error {
	err := json.Unmarshal(data, v)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		return fmt.Errorf("JSON mal formé vers l’octet %d", syntax.Offset)
	case errors.As(err, &kind):
		return wrongKind(kind.Field)
	}
	return errors.New("JSON mal formé")
}

func unmarshalCBOR(data []byte, v any) error {
	err := decodeCBOR.Unmarshal(data, v)
	var kind *cbor.UnmarshalTypeError
	var dup *cbor.DupMapKeyError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &kind):
		// The field comes with the name of the Go type before it.
		name := kind.StructFieldName[strings.LastIndexByte(kind.StructFieldName, '.')+1:]
		return wrongKind(name)
	case errors.As(err, &dup):
		return errors.New("un champ y est deux fois")
	}
	return errors.New("CBOR mal formé")
}

func wrongKind(field string) error {
	if field == "" {
		return errors.New("le message n’est pas de la bonne sorte")
	}
	return fmt.Errorf("champ « %s » : la valeur n’est pas de la bonne sorte", field)
}

// sentence makes one of an error's words.
func sentence(err error) string {
	first, size := utf8.DecodeRuneInString(err.Error())
	return string(unicode.ToUpper(first)) + err.Error()[size:] + "."
}

// answerType is what to answer in: what Accept prefers, else what the request
// came in, else JSON.
func answerType(accept, content string) string {
	if accept != "" && accept != "*/*" {
		if ct := negotiation.SelectQValue(accept, []string{typeJSON, typeCBOR}); ct != "" {
			return ct
		}
	}
	if bodyType(content) == typeCBOR {
		return typeCBOR
	}
	return typeJSON
}

// bodyType is the media type of a message without its parameters, or "" when
// the hub doesn't read it.
func bodyType(content string) string {
	if content == typeCBOR || content == typeJSON {
		return content
	}
	ct, _, err := mime.ParseMediaType(content)
	if err != nil || ct != typeCBOR && ct != typeJSON {
		return ""
	}
	return ct
}

// writeProblem answers with a problem outside of huma.
func writeProblem(w http.ResponseWriter, r *http.Request, p *problem) {
	ct := answerType(r.Header.Get("Accept"), r.Header.Get("Content-Type"))
	p.setHeaders(w.Header().Set)
	w.Header().Set("Content-Type", p.ContentType(ct))
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		formats[ct].Marshal(w, p.Problem) // a client that is gone needs no answer
	}
}
