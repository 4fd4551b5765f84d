package console

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"parvis/hub/people"
	"parvis/hub/statistics"
	"parvis/hub/store"
)

// openDataKey is the setting that says whether the figures are open data.
const openDataKey = "opendata"

// Names of the files: "parvis-bornes-2026-T4.csv", and the schema of all.
const (
	openDataPrefix = "parvis-bornes-"
	openDataSchema = "schema.json"
)

func (c *Console) openData(r *http.Request) (bool, error) {
	value, err := c.Store.Setting(r.Context(), openDataKey)
	return value != "", err
}

// openDataView is what the pages about open data show.
type openDataView struct {
	On    bool
	Files []choice // address and name
}

func (c *Console) openDataSettings(w http.ResponseWriter, r *http.Request, v *visitor) error {
	return c.drawOpenData(w, r, v, "statisticsopenset", "Données ouvertes")
}

// openDataPage lists the files for everybody, where they are open.
func (c *Console) openDataPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	if on, err := c.openData(r); err != nil || !on {
		return errors.Join(err, errNoPage)
	}
	return c.drawOpenData(w, r, v, "statisticsopen", "Données ouvertes des bornes numériques")
}

func (c *Console) drawOpenData(w http.ResponseWriter, r *http.Request, v *visitor, page, title string) error {
	on, err := c.openData(r)
	if err != nil {
		return err
	}
	if err := c.stats.Close(r.Context(), c.Now()); err != nil {
		return err
	}
	quarters, err := c.stats.Closed(r.Context(), statistics.Quarter)
	if err != nil {
		return err
	}
	data := openDataView{On: on}
	for _, q := range quarters {
		data.Files = append(data.Files, choice{"/donnees-ouvertes/" + openDataPrefix + q.String() + ".csv", periodName(q)})
	}
	return c.render(w, r, v, page, view{Title: title, Data: data})
}

func (c *Console) openDataForm(w http.ResponseWriter, r *http.Request, v *visitor) error {
	value, state := "", "arrêtées"
	if r.PostFormValue("on") != "" {
		value, state = "oui", "publiées"
	}
	if err := c.Store.SetSetting(r.Context(), openDataKey, value); err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: people.OpenDataChanged, Detail: map[string]string{"état": state}}); err != nil {
		return err
	}
	return c.redirect(w, r, "/statistiques/donnees-ouvertes", "Les données ouvertes sont "+state+".")
}

func (c *Console) openDataFile(w http.ResponseWriter, r *http.Request, v *visitor) error {
	if on, err := c.openData(r); err != nil || !on {
		return errors.Join(err, errNoPage)
	}
	// Anybody's page may read them.
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	name := r.PathValue("file")
	if name == openDataSchema {
		return c.openDataDescription(w)
	}
	period, ok := strings.CutPrefix(strings.TrimSuffix(name, ".csv"), openDataPrefix)
	q, err := statistics.ParsePeriod(period)
	if !ok || err != nil || !strings.HasSuffix(name, ".csv") {
		return errNoPage
	}
	if err := c.stats.Close(r.Context(), c.Now()); err != nil {
		return err
	}
	cells, err := c.stats.Cells(r.Context(), q)
	if err != nil {
		return err
	}
	sites, err := c.Store.Sites(r.Context())
	if err != nil {
		return err
	}
	return writeOpenData(w, name, cells, sites)
}

// writeOpenData writes the kept figures of a quarter as they are.
func writeOpenData(w http.ResponseWriter, name string, figures []store.Statistic, sites []store.Site) error {
	names := map[string]string{"": ""}
	for _, s := range sites {
		names[s.ID] = s.Name
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	out := csv.NewWriter(w)
	out.Write(openDataColumns()) //nolint:errcheck // told by Error
	for _, f := range figures {
		if statistics.Withheld(f.Key) {
			continue
		}
		out.Write(cells(f.Period, f.Site, names[f.Site], f.Key, strconv.Itoa(f.N))) //nolint:errcheck // told by Error
	}
	out.Flush()
	if out.Error() != nil {
		return errAnswered
	}
	return nil
}

// openDataFields describe the columns, in the words of Table Schema.
var openDataFields = []schemaField{
	{"periode", "string", "Mois (2026-11) ou trimestre (2026-T4) que le nombre concerne.", "2026-11", schemaRules{true, `^\d{4}-(0[1-9]|1[0-2]|T[1-4])$`, nil}},
	{"site_id", "string", "Identifiant du site ; vide pour l’ensemble des sites.", "mairie-neudorf", schemaRules{}},
	{"site", "string", "Nom du site ; vide pour l’ensemble des sites.", "Mairie de Neudorf", schemaRules{}},
	{"indicateur", "string", "Ce qui est compté. visit : visites ; visit.h10 : visites commencées entre 10 h et 11 h ; day.05 : visites du 5 du mois ; demarche.done et demarche.left : démarches guidées menées au bout, ou quittées ; demarche.X.done et demarche.X.left : celles de la démarche X ; left.demarche.qN : démarches quittées à la question N ; language.X : visites dans une langue autre que le français ; aid.X : aides utilisées ; missing.X : ce qui a manqué ; leaving.X : réponses à « Cette borne vous a-t-elle aidé ? » ; level.X : profils trouvés en faisant le point ; need.X : aides cherchées ; call.in_time et call.late : demandes de rappel appelées dans le délai, ou trop tard ; call.outcome.X : leur issue ; fault.count et fault.minutes : pannes, et leur durée ; presence.due et presence.silent : heures où des nouvelles des bornes étaient attendues, et ont manqué.", "visit", schemaRules{true, "", nil}},
	{"valeur", "integer", "Nombre de personnes ou de réponses, arrondi au multiple de 5 inférieur. Un nombre inférieur à 5 n’a pas de ligne. Les pannes et les heures sont exactes.", "595", schemaRules{true, "", new(int)}},
}

type schemaField struct {
	Name        string      `json:"name"`
	Type        string      `json:"type"`
	Description string      `json:"description"`
	Example     string      `json:"example"`
	Constraints schemaRules `json:"constraints"`
}

type schemaRules struct {
	Required bool   `json:"required"`
	Pattern  string `json:"pattern,omitempty"`
	Minimum  *int   `json:"minimum,omitempty"`
}

func openDataColumns() []string {
	var names []string
	for _, f := range openDataFields {
		names = append(names, f.Name)
	}
	return names
}

// openDataDescription writes the schema: https://specs.frictionlessdata.io/table-schema/
func (c *Console) openDataDescription(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	err := out.Encode(map[string]any{
		"$schema": "https://specs.frictionlessdata.io/schemas/table-schema.json",
		"name":    "parvis-bornes", "title": "Usage des bornes numériques", "version": "1.0.0",
		"description": "Un fichier par trimestre. Les données sont anonymes : chaque nombre de personnes est arrondi au multiple de 5 inférieur, et les petits nombres ne sont pas donnés.",
		"fields":      openDataFields, "primaryKey": []string{"periode", "site_id", "indicateur"}, "missingValues": []string{""},
	})
	if err != nil {
		return errAnswered
	}
	return nil
}
