package cards_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"parvis/hub/cards"
	"parvis/hub/seal"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
)

func open(t *testing.T, st *store.Store) *cards.List {
	t.Helper()
	key, err := seal.Open(filepath.Join(t.TempDir(), "hub.key"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := cards.Open(t.Context(), key, st)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestImport reads files as cities write them, and finds who holds a card.
func TestImport(t *testing.T) {
	t.Parallel()
	léa := cards.Holder{Phone: "+33612345652", FirstName: "Léa"}
	for name, tt := range map[string]struct {
		file   string
		n      int
		faults []cards.Fault
		err    string
		card   string
		want   cards.Holder
	}{
		"plain":                    {file: "carte,telephone,prenom\n04A2B3C4,06 12 34 56 52,Léa\n", n: 1, card: "04A2B3C4", want: léa},
		"as people read it out":    {file: "carte,telephone,prenom\n04A2B3C4,0612345652,Léa\n", n: 1, card: "04:a2:b3:c4", want: léa},
		"a spreadsheet's":          {file: "\xef\xbb\xbfPrénom;N° client;Carte;Téléphone\r\nLéa;12;04 A2 B3 C4;612345652\r\n", n: 1, card: "04A2B3C4", want: léa},
		"Windows-1252":             {file: "carte\ttelephone\tprenom\n04A2B3C4\t0612345652\tL\xe9a\n", n: 1, card: "04A2B3C4", want: léa},
		"no names":                 {file: "telephone,carte\n0388601234,VILLE-0017\n", n: 1, card: "VILLE 0017", want: cards.Holder{Phone: "+33388601234"}},
		"a row without a number":   {file: "carte,telephone\n,0612345652\nA1,0612345652\n", n: 1, faults: []cards.Fault{{2, "carte", "vide, trop longue, ou avec des signes qu’une carte n’a pas"}}, card: "A1", want: cards.Holder{Phone: "+33612345652"}},
		"one card twice":           {file: "carte,telephone\nA1,0612345652\na-1,0388601234\n", n: 1, faults: []cards.Fault{{3, "carte", "déjà à la ligne 2"}}, card: "A1", want: cards.Holder{Phone: "+33612345652"}},
		"a number that is none":    {file: "carte,telephone\nA1,0899123456\nA2,12\nA3,0612345652\n", n: 1, faults: []cards.Fault{{2, "telephone", "ce n’est pas un numéro français où joindre quelqu’un"}, {3, "telephone", "ce n’est pas un numéro français où joindre quelqu’un"}}, card: "A3", want: cards.Holder{Phone: "+33612345652"}},
		"a row that is too short":  {file: "carte,telephone\nA1\nA3,0612345652\n", n: 1, faults: []cards.Fault{{2, "telephone", "ce n’est pas un numéro français où joindre quelqu’un"}}, card: "A3", want: cards.Holder{Phone: "+33612345652"}},
		"a name that is a novel":   {file: "carte,telephone,prenom\nA1,0612345652," + strings.Repeat("é", 41) + "\nA3,0612345652,\n", n: 1, faults: []cards.Fault{{2, "prenom", "plus de 40 lettres"}}, card: "A3", want: cards.Holder{Phone: "+33612345652"}},
		"no column of telephones":  {file: "carte,tel\nA1,0612345652\n", err: "ligne 1 : il manque la colonne « telephone »"},
		"nothing":                  {file: "", err: "ligne 1 : l’en-tête manque ou n’est pas du CSV"},
		"a head only":              {file: "carte,telephone\n", err: cards.ErrNothing.Error()},
		"a quote that never ends":  {file: "carte,telephone\nA1,0612345652\n\"A2,0612345652\nA3,0612345652\n", err: "ligne 3 : guillemets mal placés dans la ligne qui commence ici"},
		"a formula for a number":   {file: "carte,telephone\nA1,\"=HYPERLINK(\"\"x\"\")\"\n", err: cards.ErrNothing.Error()},
		"more than what is needed": {file: "carte,telephone,adresse\nA1,0612345652,\"1, rue\ndu Dôme\"\nA2,06\n", n: 1, faults: []cards.Fault{{4, "telephone", "ce n’est pas un numéro français où joindre quelqu’un"}}, card: "A1", want: cards.Holder{Phone: "+33612345652"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := open(t, storetest.Open(t, storetest.SQLite(t)))
			if _, _, err := list.Import(t.Context(), strings.NewReader("carte,telephone\nAVANT,0188888888\n")); err != nil {
				t.Fatal(err)
			}
			n, faults, err := list.Import(t.Context(), strings.NewReader(tt.file))
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Fatalf("%v; want %s", err, tt.err)
				}
				if h, err := list.Resolve(t.Context(), "avant"); err != nil || h.Phone != "+33188888888" {
					t.Errorf("the list before: %v %v", h, err)
				}
				return
			}
			if err != nil || n != tt.n || !reflect.DeepEqual(faults, tt.faults) {
				t.Errorf("%d %v %v; want %d %v", n, faults, err, tt.n, tt.faults)
			}
			if h, err := list.Resolve(t.Context(), tt.card); err != nil || h != tt.want {
				t.Errorf("card %s: %v %v; want %v", tt.card, h, err, tt.want)
			}
			if _, err := list.Resolve(t.Context(), "avant"); !errors.Is(err, cards.ErrUnknown) {
				t.Errorf("a card of the list before: %v", err)
			}
		})
	}
}

// TestKept has a large list in both databases, and finds no number and no name
// in the files of one.
func TestKept(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	file.WriteString("carte,telephone,prenom\n")
	const many = 20000
	for i := range many {
		fmt.Fprintf(&file, "VILLE%05d,06%08d,Habitante%05d\n", i, 10_000_000+i*3541, i)
	}
	storetest.Each(t, func(t *testing.T, open2 func() *store.Store, dsn string) {
		st := open2()
		list := open(t, st)
		n, faults, err := list.Import(t.Context(), bytes.NewReader(file.Bytes()))
		if err != nil || n+len(faults) != many || n < many*9/10 {
			t.Fatalf("%d, %d faults, %v", n, len(faults), err)
		}
		if known, err := list.Count(t.Context()); err != nil || known != n {
			t.Errorf("%d of %d, %v", known, n, err)
		}
		if h, err := list.Resolve(t.Context(), "ville00000"); err != nil || h.FirstName != "Habitante00000" {
			t.Errorf("%v %v", h, err)
		}
		if err := list.Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := list.Resolve(t.Context(), "ville00000"); !errors.Is(err, cards.ErrUnknown) {
			t.Errorf("after all was forgotten: %v", err)
		}
	})
	dsn := storetest.SQLite(t)
	list := open(t, storetest.Open(t, dsn))
	if _, _, err := list.Import(t.Context(), strings.NewReader("carte,telephone,prenom\nVILLE00017,0612345652,Habitante\n")); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(dsn + "*")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v %v", files, err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"VILLE00017", "12345652", "Habitante"} {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s holds %q", name, secret)
			}
		}
	}
}
