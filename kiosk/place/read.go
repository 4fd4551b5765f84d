package place

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// maxFile bounds what is read into memory, in bytes: 100,000 places take 45 MB.
const maxFile = 256 << 20

// record is one row of a file, before it is checked.
type record struct {
	line   int
	get    func(name string) string
	broken string // why its fields cannot be told apart; "" is fine
}

// readFile recognises CSV (comma, semicolon or tab) and JSON, and hands out the
// records in order. The error is about the file as a whole.
func readFile(r io.Reader, each func(v0 bool, rec record)) error {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return err
	}
	if len(data) > maxFile {
		return fmt.Errorf("fichier trop gros : %d Mo au plus", maxFile>>20)
	}
	if data, err = toUTF8(data); err != nil {
		return err
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("fichier vide")
	}
	switch c := bytes.TrimSpace(data)[0]; c {
	case '[':
		return readJSON(data, each)
	case '{':
		return errors.New("un tableau JSON est attendu : [ { … }, { … } ]")
	}
	return readCSV(data, each)
}

// toUTF8 takes off the byte-order mark and reads the Windows-1252 of older
// spreadsheets. In a file that is UTF-8 but for a few bytes these are left, so
// that only their rows are refused.
func toUTF8(data []byte) ([]byte, error) {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, errors.New("fichier en UTF-16 : enregistrez-le en UTF-8")
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if utf8.Valid(data) {
		return data, nil
	}
	good, wrong := 0, 0
	for rest := data; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 {
			wrong++
		} else if size > 1 {
			good++
		}
		rest = rest[size:]
	}
	if good > wrong {
		return data, nil
	}
	return charmap.Windows1252.NewDecoder().Bytes(data)
}

func readCSV(data []byte, each func(v0 bool, rec record)) error {
	cr := csv.NewReader(bytes.NewReader(data))
	cr.Comma = delimiter(data)
	cr.FieldsPerRecord = -1
	cr.ReuseRecord = true
	names, err := cr.Read()
	if err != nil {
		return fmt.Errorf("ligne 1 : en-tête illisible : %w", err)
	}
	names = slices.Clone(names)
	column := map[string]int{}
	for i, n := range names {
		names[i] = strings.ToLower(strings.TrimSpace(n))
		if _, twice := column[names[i]]; twice && names[i] != "" {
			return fmt.Errorf("ligne 1 : la colonne « %s » apparaît deux fois", short(names[i]))
		}
		column[names[i]] = i
	}
	v0 := isV0(names)
	for _, f := range schema {
		if _, there := column[f.name]; f.required && !there {
			return fmt.Errorf("ligne 1 : il manque la colonne « %s »", f.name)
		}
	}
	for {
		fields, err := cr.Read()
		if err == io.EOF {
			return nil
		}
		var broken *csv.ParseError
		if errors.As(err, &broken) {
			// A quote that never ends swallows every row after it: half a file
			// must not replace a whole source.
			return fmt.Errorf("ligne %d : guillemets mal placés dans la fiche qui commence ici", broken.StartLine)
		}
		if err != nil {
			return err
		}
		line, _ := cr.FieldPos(0)
		rec := record{line: line, get: func(name string) string {
			i, ok := column[name]
			if !ok || i >= len(fields) {
				return ""
			}
			return clean(fields[i])
		}}
		if len(fields) != len(names) {
			rec.broken = fmt.Sprintf("%d champs au lieu de %d", len(fields), len(names))
		}
		each(v0, rec)
	}
}

// delimiter looks at which sign parts the first line.
func delimiter(data []byte) rune {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	best := ','
	for _, c := range []rune{';', '\t'} {
		if bytes.Count(line, []byte(string(c))) > bytes.Count(line, []byte(string(best))) {
			best = c
		}
	}
	return best
}

func readJSON(data []byte, each func(v0 bool, rec record)) error {
	// Whether this is v0 has to be known at the first row.
	var lines lineCounter
	v0 := false
	for pass := range 2 {
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber()
		lines = lineCounter{data: data, line: 1}
		if _, err := dec.Token(); err != nil {
			return fmt.Errorf("JSON illisible : %w", err)
		}
		for dec.More() {
			start := lines.at(objectStart(data, int(dec.InputOffset())))
			var raw json.RawMessage
			if err := dec.Decode(&raw); err != nil {
				return fmt.Errorf("ligne %d : JSON illisible : %w", start, err)
			}
			fields, broken := jsonFields(raw)
			if pass == 0 {
				for name := range fields {
					v0 = v0 || slices.Contains(v0Names, name)
				}
				continue
			}
			each(v0, record{line: start, broken: broken, get: func(name string) string { return clean(fields[name]) }})
		}
		if _, err := dec.Token(); err != nil {
			return fmt.Errorf("ligne %d : JSON illisible : la fin du tableau manque", lines.at(len(data)))
		}
	}
	return nil
}

// objectStart skips what lies between two values.
func objectStart(data []byte, i int) int {
	for i < len(data) && strings.IndexByte(" \t\r\n,", data[i]) >= 0 {
		i++
	}
	return i
}

// lineCounter counts lines while going forward.
type lineCounter struct {
	data         []byte
	offset, line int
}

func (c *lineCounter) at(offset int) int {
	offset = min(offset, len(c.data))
	if offset > c.offset {
		c.line += bytes.Count(c.data[c.offset:offset], []byte("\n"))
		c.offset = offset
	}
	return c.line
}

// jsonFields reads an object of texts, numbers and lists of texts.
func jsonFields(raw json.RawMessage) (fields map[string]string, broken string) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var object map[string]any
	if err := dec.Decode(&object); err != nil || object == nil {
		return nil, "un objet { … } est attendu"
	}
	fields = make(map[string]string, len(object))
	for name, v := range object {
		name = strings.ToLower(strings.TrimSpace(name))
		switch v := v.(type) {
		case nil:
		case string:
			fields[name] = v
		case json.Number:
			fields[name] = v.String()
		case []any:
			var parts []string
			for _, e := range v {
				s, ok := e.(string)
				if !ok {
					broken = fmt.Sprintf("le champ « %s » contient autre chose que des textes", short(name))
				}
				parts = append(parts, s)
			}
			fields[name] = strings.Join(parts, "|")
		default:
			broken = fmt.Sprintf("le champ « %s » n’est ni un texte ni un nombre", short(name))
		}
	}
	return fields, broken
}

// clean takes off outer spaces and the control characters that would upset a
// screen or a printer; line ends stay.
func clean(s string) string {
	s = strings.TrimSpace(s)
	if strings.IndexFunc(s, isControl) < 0 {
		return s
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if isControl(r) {
			return ' '
		}
		return r
	}, strings.ReplaceAll(s, "\r\n", "\n")))
}

func isControl(r rune) bool { return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 }
