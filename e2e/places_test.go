package e2e

import (
	"encoding/csv"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"parvis/e2e/xdrive"
)

// directory is the demo places, by the names of their columns.
type directory []map[string]string

// demoPlaces reads the demo directory, nearest to the demo site first and those
// without a position last.
func demoPlaces(t *testing.T) directory {
	t.Helper()
	f, err := os.Open("../content/demo/places.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var all directory
	for _, row := range rows[1:] {
		place := make(map[string]string)
		for i, column := range rows[0] {
			place[column] = row[i]
		}
		all = append(all, place)
	}
	slices.SortStableFunc(all, func(a, b map[string]string) int { return int(away(a) - away(b)) })
	return all
}

// away is how far a place is from the demo site, in metres.
func away(place map[string]string) float64 {
	if place["latitude"] == "" {
		return 1e9
	}
	lat, err1 := strconv.ParseFloat(place["latitude"], 64)
	lon, err2 := strconv.ParseFloat(place["longitude"], 64)
	if err1 != nil || err2 != nil {
		return -1
	}
	const metres = 111195 // a degree of latitude
	return math.Hypot((lat-48.5734)*metres, (lon-7.7521)*metres*math.Cos(48.5734*math.Pi/180))
}

// with keeps the places that have the value in the column.
func (d directory) with(column, value string) directory {
	var kept directory
	for _, place := range d {
		if slices.Contains(strings.Split(place[column], "|"), value) {
			kept = append(kept, place)
		}
	}
	return kept
}

// only keeps the places with these ids.
func (d directory) only(ids ...string) directory {
	var kept directory
	for _, place := range d {
		if slices.Contains(ids, place["id"]) {
			kept = append(kept, place)
		}
	}
	return kept
}

func (d directory) ids() []string {
	var ids []string
	for _, place := range d {
		ids = append(ids, place["id"])
	}
	return ids
}

// want compares the list on the glass with the places, nearest first.
func want(t *testing.T, b *xdrive.Borne, what string, places directory) {
	t.Helper()
	if got := offered(b, "place:"); !slices.Equal(got, places.ids()) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, places.ids())
	}
}
