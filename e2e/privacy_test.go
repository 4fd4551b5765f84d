package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"parvis/e2e/xdrive"
	"parvis/kiosk/callback"
)

// A secret is bytes that betray a resident, in lower case, and what they are.
type secret struct {
	what  string
	bytes []byte
}

// secrets are all ways to write a French number 0… and a first name, each in
// all the ways a program may store it. An ending of nine digits betrays the
// number behind 0, +33, 0033 or (0) alike.
func secrets(number, name string) []secret {
	var texts []string
	pairs := slices.Collect(slices.Chunk([]byte(number), 2))
	for _, between := range []string{"", " ", ".", "-", "/", "_", ",", ", ", "\n", "\u00a0", "\u202f", "\x00"} {
		texts = append(texts, string(bytes.Join(pairs, []byte(between)))[1:])
	}
	for _, between := range []string{" ", ", ", "\n"} { // digit by digit, and three by three
		texts = append(texts, strings.Join(strings.Split(number[1:], ""), between),
			number[1:4]+between+number[4:7]+between+number[7:])
	}
	composed := strings.NewReplacer("é", "e\u0301", "è", "e\u0300")
	bare := strings.NewReplacer("é", "e", "è", "e")
	latin1 := strings.NewReplacer("é", "\xe9", "è", "\xe8")
	for _, n := range []string{name, strings.ToUpper(name)} {
		texts = append(texts, n, composed.Replace(n), bare.Replace(n), latin1.Replace(n))
	}
	var all []secret
	for _, text := range texts {
		all = append(all, stored(text)...)
	}
	return append(all, numbers(number)...)
}

// stored is one text in the ways a program may keep it.
func stored(text string) []secret {
	name := fmt.Sprintf("%q", text)
	backwards := []rune(text)
	slices.Reverse(backwards)
	all := []secret{
		{name, []byte(text)},
		{name + " backwards", []byte(string(backwards))},
		{name + " in hex", []byte(hex.EncodeToString([]byte(text)))},
	}
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		var wide []byte
		for _, unit := range utf16.Encode([]rune(text)) {
			wide = order.AppendUint16(wide, unit)
		}
		all = append(all, secret{name + " in UTF-16", wide})
	}
	for before := range 3 { // what comes in front moves the text against the groups of base64
		coded := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), text...))
		whole := coded[(before*8+5)/6 : (before+len(text))*8/6]
		all = append(all, secret{name + " in base64", []byte(whole)})
	}
	for i := range all {
		all[i].bytes = lower(all[i].bytes)
	}
	return all
}

// numbers are a telephone number as a number.
func numbers(number string) []secret {
	bcd, err := hex.DecodeString(number)
	if err != nil {
		panic(err)
	}
	all := []secret{{"the number in decimal halves of bytes", lower(bcd)}}
	for _, prefix := range []string{"", "33"} {
		var n uint64
		fmt.Sscan(prefix+number[1:], &n)
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			all = append(all, secret{"the number as an integer", lower(order.AppendUint64(nil, n))})
		}
	}
	return all
}

// lower is ASCII in lower case; all other bytes stay.
func lower(b []byte) []byte {
	low := slices.Clone(b)
	for i, c := range low {
		if 'A' <= c && c <= 'Z' {
			low[i] = c + 'a' - 'A'
		}
	}
	return low
}

// betrayed tells which of the secrets the text holds.
func betrayed(text []byte, all []secret) []string {
	text = lower(text)
	var found []string
	for _, s := range all {
		if bytes.Contains(text, s.bytes) {
			found = append(found, s.what)
		}
	}
	return found
}

// search looks for secrets in the name and in every byte of each file under
// dir, and returns how many bytes it has read.
func search(t *testing.T, dir string, all []secret) (read int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if found := betrayed([]byte(path), all); len(found) > 0 {
			t.Errorf("the name %s holds %s", path, found)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		read += len(text)
		if found := betrayed(text, all); len(found) > 0 {
			t.Errorf("%s holds %s", path, found)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// The search finds what it is meant to find.
func TestBetrayed(t *testing.T) {
	all := secrets("0687914253", "Zélinda")
	for _, c := range []struct {
		name, text string
		want       bool
	}{
		{"as typed", "tel=0687914253;", true},
		{"as shown", "06 87 91 42 53", true},
		{"with no-break spaces", "06\u00a087\u00a091\u00a042\u00a053", true},
		{"E.164", "+33687914253", true},
		{"international with spaces", "0033 6 87 91 42 53", true},
		{"with brackets", "+33 (0)6.87.91.42.53", true},
		{"as spoken", "zéro 6, 87, 91, 42, 53", true},
		{"in JSON", `{"phone":"+33687914253","first_name":"Z\u00e9linda"}`, true},
		{"inside base64", base64.StdEncoding.EncodeToString([]byte(`{"phone":"+33687914253"}`)), true},
		{"inside base64, moved", base64.URLEncoding.EncodeToString([]byte(`{"a":1,"phone":"0687914253"}`)), true},
		{"inside hex", hex.EncodeToString([]byte("x0687914253x")), true},
		{"UTF-16", "0\x006\x008\x007\x009\x001\x004\x002\x005\x003\x00", true},
		{"reversed", "3524197860", true},
		{"as a number", string(binary.LittleEndian.AppendUint64(nil, 33687914253)), true},
		{"name in capitals", "ZÉLINDA", true},
		{"name without accent", "zelinda", true},
		{"name in Latin-1", "Z\xe9linda", true},
		{"name inside base64", base64.StdEncoding.EncodeToString([]byte("Bonjour Zélinda !")), true},
		{"the masked number", "06 •• •• •• 53", false},
		{"another number", "0687914252", false},
		{"another name", "Linda", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if found := betrayed([]byte(c.text), all); len(found) > 0 != c.want {
				t.Errorf("found %q", found)
			}
		})
	}
}

// TestNothingLies lets a resident be called back, with speech on the
// loudspeaker, then stops the borne and searches all that it has left.
func TestNothingLies(t *testing.T) {
	const number, name = "0687914253", "Zélinda"
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning}})
	tap(b, "start", "callback")
	find(b, "topic:justice")
	write(b, number)
	hearPage(b, "Continuer")
	find(b, "continue", "slot:any", "continue")
	write(b, "Z")
	write(b, "élinda")
	hearPage(b, "Continuer")
	find(b, "continue")
	hearPage(b, "J'accepte")
	b.Screenshot(filepath.Join(t.TempDir(), "review.png")) // as a service of the house may take one
	find(b, "consent", "send")
	b.WaitPage("callback.done")
	hearPage(b, "C'est noté")
	print(t, b)
	tap(b, "leave", "face:yes", "leaving.finish")
	b.WaitPage("attract")
	sent := requestOf(t, b, "+33687914253")
	b.Stop()

	all := secrets(number, name)
	if read := search(t, b.Dir, all); read < 100_000 {
		t.Errorf("%d bytes in the borne's folder are too few to be all", read)
	}
	wantRequest(t, sent, callback.Request{
		Topic: "justice", Phone: "+33687914253", FirstName: name, Lang: "fr", Site: "demo", Consent: true,
		Slots: []callback.Slot{{}},
	})
}
