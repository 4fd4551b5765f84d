package cards

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"parvis/kiosk/callback"
)

// The columns of the city's file.
const (
	numberColumn = "carte"
	phoneColumn  = "telephone"
	nameColumn   = "prenom" // may be missing
)

const (
	maxFile      = 64 << 20 // bytes: about a million cards
	maxFirstName = 40       // letters, as residents may type
)

// Fault is a row of a file that was left out. It never repeats what stands in
// the row.
type Fault struct {
	Line   int
	Column string
	Why    string
}

func (f Fault) String() string {
	return fmt.Sprintf("ligne %d, colonne « %s » : %s", f.Line, f.Column, f.Why)
}

// ErrNothing says that a file has no row that can be used. The list before
// stays.
var ErrNothing = errors.New("aucune ligne n’est utilisable : la liste d’avant reste")

// Import puts the list of a CSV file in place of the one before: the columns
// « carte », « telephone » and, if there is one, « prenom », parted by commas,
// semicolons or tabs, in UTF-8 or Windows-1252. Rows with faults are left out
// and told; a file that can't be told into rows changes nothing.
func (l *List) Import(ctx context.Context, r io.Reader) (n int, faults []Fault, err error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return 0, nil, err
	}
	if len(data) > maxFile {
		return 0, nil, fmt.Errorf("fichier trop gros : %d Mo au plus", maxFile>>20)
	}
	defer clear(data)
	holders, faults, err := read(data)
	if err != nil {
		return 0, nil, err
	}
	if len(holders) == 0 {
		return 0, faults, ErrNothing
	}
	sealed := make(map[string][]byte, len(holders))
	for number, h := range holders {
		mark := l.mark(number)
		if sealed[string(mark)], err = l.seal(mark, h); err != nil {
			return 0, nil, err
		}
	}
	return len(sealed), faults, l.store.PutCards(ctx, sealed)
}

// read tells a file into holders by number.
func read(data []byte) (map[string]Holder, []Fault, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		var err error
		if data, err = charmap.Windows1252.NewDecoder().Bytes(data); err != nil {
			return nil, nil, err
		}
	}
	rows := csv.NewReader(bytes.NewReader(data))
	rows.Comma = separator(data)
	rows.FieldsPerRecord = -1
	head, err := rows.Read()
	if err != nil {
		return nil, nil, errors.New("ligne 1 : l’en-tête manque ou n’est pas du CSV")
	}
	column := func(name string) int {
		return slices.IndexFunc(head, func(h string) bool {
			return strings.NewReplacer("é", "e", "°", "").Replace(strings.ToLower(strings.TrimSpace(h))) == name
		})
	}
	number, phone, name := column(numberColumn), column(phoneColumn), column(nameColumn)
	for at, want := range map[int]string{number: numberColumn, phone: phoneColumn} {
		if at < 0 {
			return nil, nil, fmt.Errorf("ligne 1 : il manque la colonne « %s »", want)
		}
	}
	holders, first := make(map[string]Holder), make(map[string]int)
	var faults []Fault
	for {
		fields, err := rows.Read()
		var broken *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return holders, faults, nil
		case errors.As(err, &broken):
			return nil, nil, fmt.Errorf("ligne %d : guillemets mal placés dans la ligne qui commence ici", broken.StartLine)
		case err != nil:
			return nil, nil, err
		}
		line, _ := rows.FieldPos(0)
		get := func(i int) string {
			if i < 0 || i >= len(fields) {
				return ""
			}
			return strings.TrimSpace(fields[i])
		}
		card, fault := plainNumber(get(number)), Fault{Line: line}
		typed := get(phone)
		if len(typed) == 9 && typed[0] != '0' { // spreadsheets take the 0 away
			typed = "0" + typed
		}
		tel := callback.CheckPhone(typed)
		switch {
		case !callback.ValidCard(card):
			fault.Column, fault.Why = numberColumn, "vide, trop longue, ou avec des signes qu’une carte n’a pas"
		case first[card] > 0:
			fault.Column, fault.Why = numberColumn, fmt.Sprintf("déjà à la ligne %d", first[card])
		case !tel.Valid:
			fault.Column, fault.Why = phoneColumn, "ce n’est pas un numéro français où joindre quelqu’un"
		case utf8.RuneCountInString(get(name)) > maxFirstName:
			fault.Column, fault.Why = nameColumn, fmt.Sprintf("plus de %d lettres", maxFirstName)
		default:
			holders[card], first[card] = Holder{Phone: tel.E164, FirstName: get(name)}, line
			continue
		}
		faults = append(faults, fault)
	}
}

// separator looks at which sign parts the first line.
func separator(data []byte) rune {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	best := ','
	for _, c := range ";\t" {
		if bytes.Count(line, []byte(string(c))) > bytes.Count(line, []byte(string(best))) {
			best = c
		}
	}
	return best
}
