package place_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"parvis/kiosk/place"
)

// full has a value in each of the 32 fields.
var full = []string{"plein", "pivot=43493312300029", "nom=Médiathèque du Quai", "commune=Strasbourg", "code_postal=67000", "code_insee=67482",
	"adresse=2 quai des Essais", "complement_adresse=1er étage", "latitude=48.5734", "longitude=7.7521", "typologie=BIB|ASSO",
	"telephone=+33388000000", "courriels=a@exemple.fr|b@exemple.fr", "site_web=https://exemple.fr|https://exemple.org",
	"horaires=Mo-Fr 09:00-12:00", "presentation_resume=Un résumé", "presentation_detail=Un détail", "source=test", "itinerance=Itinérant|Fixe",
	"structure_parente=Ville", "date_maj=2026-05-01", "services=Aide aux démarches administratives|Utilisation sécurisée du numérique",
	"publics_specifiquement_adresses=Jeunes|Seniors", "prise_en_charge_specifique=Illettrisme|Langues étrangères (autres)",
	"frais_a_charge=Gratuit|Payant", "dispositif_programmes_nationaux=France Services|Point d'accès numérique CAF",
	"formations_labels=ORDI 3.0|Étapes numériques(La Poste)", "autres_formations_labels=Label A|Label B",
	"modalites_acces=Se présenter|Téléphoner", "modalites_accompagnement=En autonomie|À distance",
	"fiche_acces_libre=https://acceslibre.exemple.fr/1", "prise_rdv=https://rdv.exemple.fr/1"}

var fullPlace = place.Place{ID: "plein", Pivot: "43493312300029", Name: "Médiathèque du Quai", City: "Strasbourg", Postcode: "67000",
	Insee: "67482", Address: "2 quai des Essais", AddressExtra: "1er étage", Position: &place.Point{Lat: 48.5734, Lon: 7.7521},
	Kinds: []string{"BIB", "ASSO"}, Phone: "+33388000000", Emails: []string{"a@exemple.fr", "b@exemple.fr"},
	Websites: []string{"https://exemple.fr", "https://exemple.org"}, Hours: "Mo-Fr 09:00-12:00", Summary: "Un résumé", Detail: "Un détail",
	Source: "test", Itinerance: []string{"Itinérant", "Fixe"}, Parent: "Ville", Updated: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC),
	Services:  []string{"Aide aux démarches administratives", "Utilisation sécurisée du numérique"},
	Audiences: []string{"Jeunes", "Seniors"}, SpecificCare: []string{"Illettrisme", "Langues étrangères (autres)"},
	Fees: []string{"Gratuit", "Payant"}, Programmes: []string{"France Services", "Point d'accès numérique CAF"},
	Labels: []string{"ORDI 3.0", "Étapes numériques(La Poste)"}, OtherLabels: []string{"Label A", "Label B"},
	AccessModes: []string{"Se présenter", "Téléphoner"}, SupportModes: []string{"En autonomie", "À distance"},
	AccesLibreURL: "https://acceslibre.exemple.fr/1", BookingURL: "https://rdv.exemple.fr/1"}

func asJSON(t *testing.T, sets ...[]string) string {
	t.Helper()
	var rows []map[string]any
	for _, set := range sets {
		values := record(set)
		object := map[string]any{}
		for i, n := range header {
			object[n] = values[i]
		}
		rows = append(rows, object)
	}
	b, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestImportKeepsEveryField(t *testing.T) {
	csv := CSV(full)
	latin, err := charmap.Windows1252.NewEncoder().String(csv)
	if err != nil {
		t.Fatal(err)
	}
	semicolon := strings.ReplaceAll(csv, ",", ";")
	for name, text := range map[string]string{
		"csv": csv, "bom": "\ufeff" + csv, "crlf": strings.ReplaceAll(csv, "\n", "\r\n"), "latin-1": latin,
		"semicolon": semicolon, "tab": strings.ReplaceAll(csv, ",", "\t"), "json": asJSON(t, full),
		"json with bom":              "\ufeff" + asJSON(t, full),
		"json with numbers and null": strings.NewReplacer(`"48.5734"`, "48.5734", `"7.7521"`, "7.7521").Replace(asJSON(t, full)),
		"json with lists":            strings.Replace(asJSON(t, full), `"BIB|ASSO"`, `["BIB", "ASSO"]`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			d := MustOpen(t)
			report, lines := MustImport(t, d, "lieux", text)
			if want := (place.Report{Read: 1, Imported: 1}); report != want {
				t.Fatalf("report %+v %q", report, lines)
			}
			got, err := d.Get(context.Background(), "plein")
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, fullPlace) {
				t.Errorf("got  %+v\nwant %+v", got, fullPlace)
			}
		})
	}
	t.Run("unknown place", func(t *testing.T) {
		if _, err := MustOpen(t).Get(context.Background(), "rien"); !errors.Is(err, place.ErrNotFound) {
			t.Errorf("got %v, want ErrNotFound", err)
		}
	})
}

func TestImportJSONTellsTheLineOfTheObject(t *testing.T) {
	text := "[\n {\"id\": \"a\",\n  \"pivot\": \"000000000\", \"nom\": \"N\", \"commune\": \"C\", \"code_postal\": 67000, \"adresse\": \"A\", \"date_maj\": \"2026-05-01\"},\n\n {\"id\": \"b\"},\n 12, {\"id\": \"c\", \"nom\": {\"x\": 1}}\n]\n"
	report, lines := MustImport(t, MustOpen(t), "l.json", text)
	if want := (place.Report{Read: 4, Imported: 1, Rejected: 3}); report != want {
		t.Errorf("report %+v, want %+v", report, want)
	}
	got := strings.Join(lines, "\n")
	for _, want := range []string{"l.json:5: pivot: champ obligatoire vide", "l.json:5: nom: champ obligatoire vide",
		"l.json:6: ligne: un objet { … } est attendu", "l.json:6: ligne: le champ « nom » n’est ni un texte ni un nombre"} {
		if !strings.Contains(got, want) {
			t.Errorf("not told: %s\ntold:\n%s", want, got)
		}
	}
}

func TestImportRefusesAWholeFile(t *testing.T) {
	good := CSV([]string{"a"})
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "fichier vide"},
		{"blank", " \n\n", "fichier vide"},
		{"other columns", "a,b\n1,2\n", "il manque la colonne « id »"},
		{"no name", strings.Replace(good, "nom,", "name,", 1), "il manque la colonne « nom »"},
		{"column twice", strings.Replace(good, "typologie", "nom", 1), "la colonne « nom » apparaît deux fois"},
		{"endless quote", good + "b,\"oops\nc,d\n", "ligne 3 : guillemets mal placés"},
		{"utf-16", "\xff\xfei\x00d\x00", "UTF-16"},
		{"object", `{"id": "a"}`, "un tableau JSON est attendu"},
		{"broken json", `[{"id": "a"}, {`, "JSON illisible"},
		{"unfinished json", `[{"id": "a"}`, "la fin du tableau manque"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := MustOpen(t)
			MustImport(t, d, "lieux.csv", good)
			_, err := d.Import(context.Background(), strings.NewReader(c.text), "lieux.csv", nil)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "lieux.csv : ") {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if got := MustSearch(t, d, place.Query{}); got.Total != 1 {
				t.Errorf("%d places after a refused file, want the one from before", got.Total)
			}
		})
	}
}

func TestImportRowWithOtherNumberOfFields(t *testing.T) {
	report, lines := MustImport(t, MustOpen(t), "l.csv", CSV([]string{"a"})+"b,c\n")
	if report.Rejected != 1 || len(lines) != 1 || lines[0] != "l.csv:3: ligne: 2 champs au lieu de 32" {
		t.Errorf("%+v %q", report, lines)
	}
}

func TestImportAgain(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second string
		want          place.Report
		ids           string
	}{
		{"the same file changes nothing", CSV([]string{"a"}, []string{"b"}), CSV([]string{"a"}, []string{"b"}),
			place.Report{Read: 2, Imported: 2}, "a b"},
		{"a changed row is updated", CSV([]string{"a"}, []string{"b"}), CSV([]string{"a", "commune=Kehl"}, []string{"b"}),
			place.Report{Read: 2, Imported: 2, Updated: 1}, "a b"},
		{"a new row is added", CSV([]string{"a"}), CSV([]string{"a"}, []string{"b"}), place.Report{Read: 2, Imported: 2}, "a b"},
		{"a vanished row is removed", CSV([]string{"a"}, []string{"b"}), CSV([]string{"b"}), place.Report{Read: 1, Imported: 1, Removed: 1}, "b"},
		{"another source is left alone", CSV([]string{"a", "source=x"}, []string{"b", "source=y"}), CSV([]string{"c", "source=y"}),
			place.Report{Read: 1, Imported: 1, Removed: 1}, "a c"},
		{"a row that became faulty stays as it was", CSV([]string{"a"}, []string{"b"}), CSV([]string{"a", "date_maj=hier"}, []string{"b"}),
			place.Report{Read: 2, Imported: 1, Rejected: 1}, "a b"},
		{"rows without a source are the file's", CSV([]string{"a", "source="}, []string{"b", "source="}), CSV([]string{"b", "source="}),
			place.Report{Read: 1, Imported: 1, Removed: 1}, "b"},
		{"of two rows with one id the later is refused", "", CSV([]string{"a", "nom=Un"}, []string{"a", "nom=Deux"}),
			place.Report{Read: 2, Imported: 1, Rejected: 1}, "a"},
		{"a faulty row does not take the id from a good one", "", CSV([]string{"a", "date_maj="}, []string{"a"}),
			place.Report{Read: 2, Imported: 1, Rejected: 1}, "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := MustOpen(t)
			if c.first != "" {
				MustImport(t, d, "lieux.csv", c.first)
			}
			report, lines := MustImport(t, d, "lieux.csv", c.second)
			if report != c.want {
				t.Errorf("report %+v, want %+v (%q)", report, c.want, lines)
			}
			if got := IDs(MustSearch(t, d, place.Query{})); got != c.ids {
				t.Errorf("places %q, want %q", got, c.ids)
			}
		})
	}
}

func TestImportDuplicateNamesTheFirst(t *testing.T) {
	_, lines := MustImport(t, MustOpen(t), "l.csv", CSV([]string{"a"}, []string{"b"}, []string{"a"}))
	if len(lines) != 1 || lines[0] != "l.csv:4: id: identifiant déjà utilisé à la ligne 2" {
		t.Errorf("%q", lines)
	}
}

func TestImportStoppedHalfwayChangesNothing(t *testing.T) {
	d := MustOpen(t)
	MustImport(t, d, "l.csv", CSV([]string{"a"}))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := d.Import(ctx, strings.NewReader(CSV([]string{"b"})), "l.csv", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if got := IDs(MustSearch(t, d, place.Query{})); got != "a" {
		t.Errorf("places %q, want a", got)
	}
}

func TestImportV0(t *testing.T) {
	const head = "id,pivot,nom,commune,code_postal,code_insee,adresse,complement_adresse,latitude,longitude,cle_ban,typologie,telephone,courriel," +
		"site_web,horaires,presentation_resume,presentation_detail,source,structure_parente,date_maj,services,publics_accueillis,conditions_acces," +
		"labels_nationaux,labels_autres,modalites_accompagnement,accessibilite,prise_rdv\n"
	row := `v,43493312300029,Lieu v0,Reims,51100,51454,12 rue Un,,49.25,4.03,51454_1,TIERS_LIEUX;ASSO,+33180059880,a@exemple.fr,` +
		`https://exemple.fr;https://exemple.org,Mo 09:00-12:00,` + strings.Repeat("r", 400) + `,Détail,Hubik,,2022-06-02,` +
		`Devenir autonome dans les démarches administratives;S’équiper en matériel informatique;Accéder à du matériel;Accéder à une connexion internet,` +
		`Familles/enfants;Adultes;Déficience visuelle;Seniors (+ 65 ans);Personnes en situation d’illettrisme,` +
		`"Payant : L'accès au lieu et/ou à ses services est payant;Accepte le Pass numérique : Il est possible d'utiliser un Pass numérique",` +
		`France Services;CNFS;APTIC;Fabriques de Territoire,SudLabs;Nièvre médiation numérique,` +
		`"Seul : j'ai accès à du matériel;Avec de l'aide : je suis accompagné",https://acceslibre.exemple.fr/1,https://rdv.exemple.fr` + "\n"
	want := place.Place{ID: "v", Pivot: "43493312300029", Name: "Lieu v0", City: "Reims", Postcode: "51100", Insee: "51454", Address: "12 rue Un",
		Position: &place.Point{Lat: 49.25, Lon: 4.03}, Kinds: []string{"TIERS_LIEUX", "ASSO"}, Phone: "+33180059880",
		Emails: []string{"a@exemple.fr"}, Websites: []string{"https://exemple.fr", "https://exemple.org"}, Hours: "Mo 09:00-12:00",
		Summary: strings.Repeat("r", 400), Detail: "Détail", Source: "Hubik", Updated: time.Date(2022, 6, 2, 0, 0, 0, 0, time.UTC),
		Services:  []string{"Aide aux démarches administratives", "Acquisition de matériel informatique à prix solidaire", "Accès internet et matériel informatique"},
		Audiences: []string{"Familles et/ou enfants", "Seniors"}, SpecificCare: []string{"Déficience visuelle", "Illettrisme"},
		Fees: []string{"Payant"}, Programmes: []string{"France Services", "Conseillers numériques"}, Labels: []string{"Fabriques de Territoire"},
		OtherLabels:  []string{"SudLabs", "Nièvre médiation numérique", "Accepte le Pass numérique", "APTIC"},
		SupportModes: []string{"En autonomie", "Accompagnement individuel"}, AccesLibreURL: "https://acceslibre.exemple.fr/1",
		BookingURL: "https://rdv.exemple.fr"}
	d := MustOpen(t)
	report, lines := MustImport(t, d, "v0.csv", head+row+strings.Replace(row, "v,4349", "w,4349", 1)+
		strings.NewReplacer("v,4349", "x,4349", "Accéder à du matériel", "Danser").Replace(row))
	if want := (place.Report{Read: 3, Imported: 2, Rejected: 1}); report != want {
		t.Fatalf("report %+v, want %+v: %q", report, want, lines)
	}
	if len(lines) != 1 || lines[0] != "v0.csv:4: services: valeur inconnue « Danser »" {
		t.Errorf("told %q", lines)
	}
	got, err := d.Get(context.Background(), "v")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestImportRealData(t *testing.T) {
	text := MustRead(t, data(t, "places", "lieux.csv"))
	d := MustOpen(t)
	start := time.Now()
	report, lines := MustImport(t, d, "lieux.csv", text)
	t.Logf("%+v in %v", report, time.Since(start))
	if want := (place.Report{Read: 8749, Imported: 8749}); report != want {
		t.Fatalf("report %+v, want %+v: %.5q", report, want, lines)
	}
	if report, _ := MustImport(t, d, "lieux.csv", text); report.Updated != 0 || report.Removed != 0 || report.Imported != 8749 {
		t.Errorf("the same file again: %+v", report)
	}
}

// TestImportRealFaults compares our verdict on each faulty row with the one in
// the data set.
func TestImportRealFaults(t *testing.T) {
	text := MustRead(t, data(t, "places", "lieux-fautifs.csv"))
	var reasons []string
	if err := json.Unmarshal([]byte(MustRead(t, data(t, "places", "lieux-fautifs.raisons.json"))), &reasons); err != nil {
		t.Fatal(err)
	}
	// The lines on which the records begin, found without our reader.
	var starts []int
	inQuotes, atStart := false, true
	line := 1
	for _, c := range text {
		if atStart {
			starts = append(starts, line)
			atStart = false
		}
		switch {
		case c == '"':
			inQuotes = !inQuotes
		case c == '\n':
			line++
			atStart = !inQuotes
		}
	}
	starts = starts[1:] // the header
	if len(starts) != len(reasons) {
		t.Fatalf("%d records, %d reasons", len(starts), len(reasons))
	}
	want := map[int]string{}
	byThemselves := 0
	for i, reason := range reasons {
		var fields []string
		for part := range strings.SplitSeq(reason, "; ") {
			if f, ok := strings.CutPrefix(part, "missing "); ok {
				fields = append(fields, f)
			}
		}
		if fields != nil {
			byThemselves++
			want[starts[i]] = strings.Join(fields, " ")
		}
	}
	got := map[int]string{}
	d := MustOpen(t)
	report, err := d.Import(context.Background(), strings.NewReader(text), "f.csv", func(r place.Rejection) {
		got[r.Line] = strings.TrimSpace(got[r.Line] + " " + r.Field)
	})
	if err != nil {
		t.Fatal(err)
	}
	if byThemselves != 404 || !reflect.DeepEqual(got, want) {
		t.Errorf("%d faulty rows, %d told; the lines and fields differ", byThemselves, len(got))
		for l, f := range want {
			if got[l] != f {
				t.Errorf("line %d: told %q, want %q", l, got[l], f)
			}
		}
	}
	if report.Rejected != 404 || report.Imported != 17 {
		t.Errorf("report %+v, want 404 rejected and the 17 others imported", report)
	}
}

func FuzzImport(f *testing.F) {
	f.Add([]byte(CSV(full)))
	f.Add([]byte("\ufeff" + strings.ReplaceAll(CSV([]string{"a"}), ",", ";")))
	f.Add([]byte(`[{"id":"a","pivot":"000000000","nom":"N","commune":"C","code_postal":"67000","adresse":"A","date_maj":"2026-05-01","services":["x"]}, 3]`))
	f.Add([]byte("id,pivot,nom,commune,code_postal,adresse,date_maj,labels_nationaux,services\na,000000000,N,C,67000,A,2022-01-01,CNFS;X,Accéder à du matériel\n"))
	f.Add([]byte("id,pivot\n\"a\nb\",\xe9\n"))
	d := MustOpen(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		rejected := map[int]bool{}
		report, err := d.Import(context.Background(), strings.NewReader(string(data)), "f", func(r place.Rejection) {
			rejected[r.Line] = true
			if r.Line < 1 || r.Line > strings.Count(string(data), "\n")+1 || r.Field == "" || r.Reason == "" {
				t.Fatalf("rejection %+v", r)
			}
		})
		if err != nil {
			return
		}
		if report.Read != report.Imported+report.Rejected || report.Rejected < len(rejected) {
			t.Fatalf("report %+v, %d lines told", report, len(rejected))
		}
		again, err := d.Import(context.Background(), strings.NewReader(string(data)), "f", nil)
		if err != nil || again.Updated != 0 || again.Removed != 0 || again.Imported != report.Imported {
			t.Fatalf("again: %+v after %+v, %v", again, report, err)
		}
		if _, err := d.Search(context.Background(), place.Query{Text: "lieu", Limit: 100}); err != nil {
			t.Fatal(err)
		}
	})
}
