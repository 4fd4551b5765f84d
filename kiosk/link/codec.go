package link

import (
	"errors"
	"fmt"
	"mime"

	"github.com/fxamacker/cbor/v2"
)

// The media types that a borne sends and takes. People and other programs may
// speak JSON to the hub; a borne takes a problem in either.
const (
	MediaCBOR        = "application/cbor"
	MediaProblemCBOR = "application/problem+cbor"
	MediaProblemJSON = "application/problem+json"
)

// Answers are read with these bounds. A name that is not known is left out, so
// that a newer hub may say more.
var decoding = must(cbor.DecOptions{
	DupMapKey:        cbor.DupMapKeyEnforcedAPF,
	MaxNestedLevels:  8,
	MaxArrayElements: 16 << 10,
	MaxMapPairs:      16 << 10,
}.DecMode())

var encoding = must(cbor.PreferredUnsortedEncOptions().EncMode())

func must[T any](mode T, err error) T {
	if err != nil {
		panic(err) // the options above are wrong
	}
	return mode
}

// Encode writes a message of this package as CBOR.
func Encode(message any) ([]byte, error) { return encoding.Marshal(message) }

// Decode reads a message of this package from CBOR.
func Decode(data []byte, message any) error {
	if err := decoding.Unmarshal(data, message); err != nil {
		return fmt.Errorf("message illisible : %w", err)
	}
	return nil
}

var errMedia = errors.New("ce n’est pas un message du hub")

func checkMedia(header, want string) error {
	media, _, err := mime.ParseMediaType(header)
	if err != nil || media != want {
		return fmt.Errorf("%w : %q au lieu de %s", errMedia, short(header), want)
	}
	return nil
}

// short keeps what a stranger wrote to a length that fits an error.
func short(text string) string {
	const most = 100
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + "…"
}
