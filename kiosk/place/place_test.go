package place_test

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parvis/kiosk/hours"
	"parvis/kiosk/place"
	"parvis/kiosk/store"
)

// MustOpen gives an empty directory on a fresh database.
func MustOpen(t testing.TB) *place.Directory {
	t.Helper()
	return MustOpenAt(t, t.TempDir())
}

func MustOpenAt(t testing.TB, dir string) *place.Directory {
	t.Helper()
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	d, err := place.Open(context.Background(), s.DB(), hours.AlsaceMoselle)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// MustImport imports a text and gives the report and the rejections as lines.
func MustImport(t testing.TB, d *place.Directory, name, text string) (place.Report, []string) {
	t.Helper()
	var lines []string
	report, err := d.Import(context.Background(), strings.NewReader(text), name, func(r place.Rejection) {
		lines = append(lines, r.String())
	})
	if err != nil {
		t.Fatalf("import of %s: %v", name, err)
	}
	return report, lines
}

func MustSearch(t testing.TB, d *place.Directory, q place.Query) place.Result {
	t.Helper()
	r, err := d.Search(context.Background(), q)
	if err != nil {
		t.Fatalf("search %+v: %v", q, err)
	}
	return r
}

// IDs gives the ids of the hits, "a b c".
func IDs(r place.Result) string {
	var ids []string
	for _, h := range r.Hits {
		ids = append(ids, h.ID)
	}
	return strings.Join(ids, " ")
}

// header is the first line of a v1 file.
var header = func() []string {
	var names []string
	for _, r := range place.Rules() {
		names = append(names, r.Name)
	}
	return names
}()

// CSV writes rows given as "field=value" over a valid row; the first value is
// the id.
func CSV(rows ...[]string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Write(header)
	for _, r := range rows {
		w.Write(record(r))
	}
	w.Flush()
	return b.String()
}

func record(set []string) []string {
	values := map[string]string{"id": set[0], "pivot": "00000000000000", "nom": "Lieu " + set[0], "commune": "Strasbourg",
		"code_postal": "67000", "adresse": "1 rue du Test", "date_maj": "2026-05-01", "source": "test"}
	for _, s := range set[1:] {
		name, v, ok := strings.Cut(s, "=")
		if !ok {
			panic("no = in " + s)
		}
		values[name] = v
	}
	out := make([]string, len(header))
	for i, n := range header {
		out[i] = values[n]
		delete(values, n)
	}
	if len(values) > 0 {
		panic("unknown field")
	}
	return out
}

// data gives a file of the real data, or skips the test.
func data(t testing.TB, path ...string) string {
	t.Helper()
	dir := os.Getenv("PARVIS_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	file := filepath.Join(append([]string{dir}, path...)...)
	if _, err := os.Stat(file); err != nil {
		t.Skipf("real data not here (set PARVIS_DATA): %v", err)
	}
	return file
}

func MustRead(t testing.TB, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func at(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", s, hours.Paris)
	if err != nil {
		panic(err)
	}
	return t
}
