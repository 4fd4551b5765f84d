package place_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"parvis/kiosk/place"
)

// TestRulesAreTheSchemas compares every rule with the national schema's file.
func TestRulesAreTheSchemas(t *testing.T) {
	var schema struct {
		Fields []struct {
			Name, Type  string
			Constraints struct {
				Required, Unique bool
				Pattern          string
				MaxLength        int
			}
		}
	}
	if err := json.Unmarshal([]byte(MustRead(t, data(t, "places", "schema-v1.0.2.json"))), &schema); err != nil {
		t.Fatal(err)
	}
	rules := place.Rules()
	if len(rules) != len(schema.Fields) {
		t.Fatalf("%d rules, %d fields", len(rules), len(schema.Fields))
	}
	for i, f := range schema.Fields {
		r := rules[i]
		if r.Name != f.Name || r.Required != f.Constraints.Required || r.MaxRunes != f.Constraints.MaxLength ||
			r.Number != (f.Type == "number") || r.Date != (f.Type == "date") || f.Constraints.Unique != (f.Name == "id") {
			t.Errorf("%s: rule %+v is not the schema's %+v", f.Name, r, f)
		}
		const before, after = `(?:(?:^|\|)(`, `))+$`
		list, isList := strings.CutPrefix(f.Constraints.Pattern, before)
		switch {
		case isList:
			list = strings.TrimSuffix(list, after)
			values := strings.Split(list, "|")
			for i, v := range values {
				values[i] = strings.ReplaceAll(v, `\`, "")
			}
			if !slices.Equal(values, r.Values) {
				t.Errorf("%s: values %q, the schema has %q", f.Name, r.Values, values)
			}
		case r.Pattern == nil && f.Constraints.Pattern != "" || r.Pattern != nil && r.Pattern.String() != f.Constraints.Pattern:
			t.Errorf("%s: pattern %v, the schema has %s", f.Name, r.Pattern, f.Constraints.Pattern)
		}
	}
}

func TestImportTellsEachBrokenRule(t *testing.T) {
	for _, c := range []struct{ set, want string }{
		{"id=", "id: champ obligatoire vide"},
		{"pivot=", "pivot: champ obligatoire vide"},
		{"pivot=1234-5678", "pivot: « 1234-5678 » n’a pas la bonne forme : 9 à 14 lettres ou chiffres attendus (SIRET, RNA ou RIDET)"},
		{"nom=", "nom: champ obligatoire vide"},
		{"nom=   ", "nom: champ obligatoire vide"},
		{"commune=", "commune: champ obligatoire vide"},
		{"code_postal=", "code_postal: champ obligatoire vide"},
		{"code_postal=6700", "code_postal: « 6700 » n’a pas la bonne forme : 5 chiffres attendus"},
		{"code_insee=2C001", "code_insee: « 2C001 » n’a pas la bonne forme : code de commune de l’Insee attendu (5 signes)"},
		{"adresse=", "adresse: champ obligatoire vide"},
		{"latitude=48,57", "latitude: « 48,57 » n’est pas un nombre (point décimal attendu)"},
		{"latitude=NaN", "latitude: « NaN » n’est pas un nombre (point décimal attendu)"},
		{"latitude=0x1p2", "latitude: « 0x1p2 » n’est pas un nombre (point décimal attendu)"},
		{"latitude=91", "latitude: « 91 » est hors de la Terre : 90 degrés au plus"},
		{"longitude=-180.5", "longitude: « -180.5 » est hors de la Terre : 180 degrés au plus"},
		{"telephone=0388000000", "telephone: « 0388000000 » n’a pas la bonne forme : un seul numéro international sans espace attendu, par exemple +33180059880"},
		{"presentation_resume=" + strings.Repeat("é", 281), "presentation_resume: texte trop long : 281 caractères, 280 au plus"},
		{"itinerance=Parfois", "itinerance: valeur inconnue « Parfois »"},
		{"date_maj=", "date_maj: champ obligatoire vide"},
		{"date_maj=01/05/2026", "date_maj: « 01/05/2026 » n’est pas une date AAAA-MM-JJ"},
		{"date_maj=2026-02-30", "date_maj: « 2026-02-30 » n’est pas une date AAAA-MM-JJ"},
		{"services=Aide aux démarches administratives|Danse", "services: valeur inconnue « Danse »"},
		{"services=Aide aux démarches administratives|", "services: valeur inconnue «  »"},
		{"publics_specifiquement_adresses=Chats", "publics_specifiquement_adresses: valeur inconnue « Chats »"},
		{"prise_en_charge_specifique=Langues étrangères", "prise_en_charge_specifique: valeur inconnue « Langues étrangères »"},
		{"frais_a_charge=gratuit", "frais_a_charge: valeur inconnue « gratuit »"},
		{"dispositif_programmes_nationaux=CNFS", "dispositif_programmes_nationaux: valeur inconnue « CNFS »"},
		{"formations_labels=ORDI 3,0", "formations_labels: valeur inconnue « ORDI 3,0 »"},
		{"modalites_acces=Frapper", "modalites_acces: valeur inconnue « Frapper »"},
		{"modalites_accompagnement=Seul", "modalites_accompagnement: valeur inconnue « Seul »"},
		{"nom=Caf\xe9", "nom: caractères illisibles : le fichier doit être en UTF-8"},
	} {
		t.Run(c.set[:min(30, len(c.set))], func(t *testing.T) {
			d := MustOpen(t)
			// The first row spans two lines, so that the second begins on line 4.
			report, lines := MustImport(t, d, "lieux.csv", CSV([]string{"a", "presentation_detail=Été\ncomme hiver, à l’école"}, []string{"b", c.set}))
			if want := (place.Report{Read: 2, Imported: 1, Rejected: 1}); report != want {
				t.Errorf("report %+v, want %+v", report, want)
			}
			if want := "lieux.csv:4: " + c.want; len(lines) != 1 || lines[0] != want {
				t.Errorf("told %q, want %q", lines, want)
			}
		})
	}
}
