package console

import (
	"strconv"
	"strings"

	"parvis/hub/statistics"
	"parvis/hub/store"
)

// Words for what bornes count. What is not here is shown by its key.
var (
	languageNames = map[string]string{"falc": "Facile à lire", "en": "Anglais", "ar": "Arabe", "de": "Allemand", "tr": "Turc", "es": "Espagnol",
		"pt": "Portugais", "it": "Italien", "ru": "Russe", "uk": "Ukrainien", "als": "Alsacien"}
	missingNames = map[string]string{"person": "Parler à quelqu’un", "demarche": "Une autre démarche", "internet": "Internet",
		"scan": "Scanner un papier", "language": "Une autre langue", "long": "C’était trop long"}
	faceNames = map[string]string{"yes": "Oui", "some": "Un peu", "no": "Non"}
	aidNames  = map[string]string{"bigger": "Texte agrandi", "contrast": "Contraste renforcé", "speech": "Lecture à voix haute",
		"keypad": "Clavier sous l’écran", "low": "Écran abaissé", "falc": "Facile à lire"}
	outcomeNames = map[string]string{"reached": "Personne jointe", "appointment_kept": "Rendez-vous tenu", "redirected": "Réorientée",
		"unreachable": "Injoignable", "other": "Autre issue"}
	levelNames = map[string]string{"accompagnement": "Accompagnement", "formation": "Formation", "coup_de_pouce": "Coup de pouce"}
	needNames  = map[string]string{"demarches": "Faire une démarche avec quelqu’un", "apprendre": "Apprendre à se servir du numérique",
		"ordinateur": "Utiliser un ordinateur ou le Wi-Fi", "securite": "Se protéger sur internet", "materiel": "Avoir un ordinateur moins cher"}
)

// detailTables are those that are told of all sites and whole quarters; démarches
// have the names that their content gives them.
func detailTables(now, old statistics.Figures, compared bool, demarches map[string]string) []statTable {
	if now.Detail == nil {
		return nil
	}
	d := detail{now, old, compared, demarches}
	tables := []statTable{d.demarches()}
	add := func(id, title, first, column, prefix string, names map[string]string) {
		if t := d.family(id, title, first, column, prefix, names); len(t.Rows) > 0 {
			tables = append(tables, t)
		}
	}
	add("etapes", "Où les démarches sont quittées", "Question", "Démarches quittées", "left.demarche.", nil)
	add("langues", "Langues autres que le français", "Langue", "Visites", "language.", languageNames)
	add("aides", "Aides utilisées", "Aide", "Visites", "aid.", aidNames)
	add("avis", "« Cette borne vous a-t-elle aidé ? »", "Réponse", "Réponses", "leaving.", faceNames)
	add("manques", "Ce qui a manqué", "Manque", "Réponses", "missing.", missingNames)
	add("profils", "Profils trouvés en faisant le point", "Profil", "Visites", "level.", levelNames)
	add("besoins", "Aides cherchées dans l’annuaire", "Besoin", "Recherches", "need.", needNames)
	add("issues", "Comment les demandes de rappel se terminent", "Issue", "Demandes", store.CallOutcome, outcomeNames)
	return tables
}

// detail makes tables of Figures.Detail.
type detail struct {
	now, old statistics.Figures
	compared bool
	names    map[string]string // of démarches
}

// withheld is the note of a breakdown that is not told whole.
func (d detail) withheld(names ...string) string {
	for _, name := range names {
		if d.now.Withheld[name] {
			return "Incomplet : pour un trimestre au moins, le détail révélerait de petits nombres."
		}
	}
	return ""
}

func (d detail) demarches() statTable {
	t := statTable{ID: "demarches", Title: "Démarches", First: "Démarche", Columns: []string{"Menées au bout", "Quittées"}, Compared: d.compared,
		Note: d.withheld("demarches.done", "demarches.left")}
	key := func(id, end string) string { return "demarche." + id + "." + end }
	seen := map[string]bool{}
	for _, f := range append(d.now.Family("demarche.", ".done"), d.now.Family("demarche.", ".left")...) {
		if seen[f.Key] {
			continue
		}
		seen[f.Key] = true
		row := statRow{Label: named(d.names, f.Key), Values: residents(d.now.Detail[key(f.Key, "done")], d.now.Detail[key(f.Key, "left")])}
		if d.compared {
			row.Before = residents(d.old.Detail[key(f.Key, "done")], d.old.Detail[key(f.Key, "left")])
		}
		t.Rows = append(t.Rows, row)
	}
	t.bars()
	return t
}

func (d detail) family(id, title, first, column, prefix string, names map[string]string) statTable {
	t := statTable{ID: id, Title: title, First: first, Columns: []string{column}, Compared: d.compared}
	if prefix == "left.demarche." {
		t.Note = d.withheld("pages")
	}
	for _, f := range d.now.Family(prefix, "") {
		label := named(names, f.Key)
		if n, err := strconv.Atoi(strings.TrimPrefix(f.Key, "q")); err == nil {
			label = "Question " + strconv.Itoa(n)
		}
		row := statRow{Label: label, Values: residents(f.N)}
		if d.compared {
			row.Before = residents(d.old.Detail[prefix+f.Key])
		}
		t.Rows = append(t.Rows, row)
	}
	t.bars()
	return t
}

func named(names map[string]string, key string) string {
	if name, ok := names[key]; ok {
		return name
	}
	return strings.ReplaceAll(key, "_", " ")
}
