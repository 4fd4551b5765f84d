package fiche_test

import (
	"slices"
	"testing"

	"parvis/kiosk/fiche"
)

func TestFacts(t *testing.T) {
	tests := []struct {
		name  string
		table fiche.Table
		want  []fiche.Fact
	}{
		{"no rows", fiche.Table{Header: true}, nil},
		{"one column", fiche.Table{Rows: [][]string{{"a"}, {"b"}}}, []fiche.Fact{{Label: "a"}, {Label: "b"}}},
		{"two columns", fiche.Table{Header: true, Rows: [][]string{{"Âge", "Prix"}, {"16 ans", "5 €"}}},
			[]fiche.Fact{{"Âge", "Prix", true}, {"16 ans", "5 €", false}}},
		{"two columns without names", fiche.Table{Rows: [][]string{{"16 ans", "5 €"}, {"17 ans", ""}, {"", ""}}},
			[]fiche.Fact{{"16 ans", "5 €", false}, {"17 ans", "", false}}},
		{"cell over all columns", fiche.Table{Rows: [][]string{{"Adultes", "Adultes"}, {"18 ans", "9 €"}}},
			[]fiche.Fact{{"Adultes", "", true}, {"18 ans", "9 €", false}}},
		{"three columns", fiche.Table{Header: true, Rows: [][]string{{"Âge", "Paris", "Lyon"}, {"16 ans", "5 €", ""}, {"Tarif unique", "Tarif unique", "Tarif unique"}}},
			[]fiche.Fact{{"Âge\u00a0: 16 ans", "", true}, {"Paris", "5 €", false}, {"Lyon", "", false}, {"Tarif unique", "", true}}},
		{"three columns without names", fiche.Table{Rows: [][]string{{"16 ans", "5 €", "6 €"}, {"", "7 €", ""}}},
			[]fiche.Fact{{"16 ans", "", true}, {"5 €", "", false}, {"6 €", "", false}, {"7 €", "", false}}},
		{"names only", fiche.Table{Header: true, Rows: [][]string{{"Âge", "Paris", "Lyon"}}},
			[]fiche.Fact{{"Âge", "", true}, {"Paris", "", false}, {"Lyon", "", false}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.table.Facts(); !slices.Equal(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
