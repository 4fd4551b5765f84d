package journey

import (
	"context"
	"strings"
	"time"

	"parvis/app/page"
	"parvis/app/text"
	"parvis/kiosk/place"
	"parvis/kiosk/visit"
)

// filterGroups are the filters of the national map and our own, in groups of
// a screen each. A filter is its group's field and the value's key.
var filterGroups = []struct {
	key, icon string
	filters   []string
}{
	{"services", "heart-handshake", []string{
		"service:aide_aux_demarches_administratives", "service:maitrise_des_outils_numeriques_du_quotidien", "service:insertion_professionnelle_via_le_numerique",
		"service:utilisation_securisee_du_numerique", "service:parentalite_et_education_avec_le_numerique", "service:loisirs_et_creations_numeriques",
		"service:comprehension_du_monde_numerique", "service:acces_internet_et_materiel_informatique", "service:acquisition_de_materiel_informatique_a_prix_solidaire"}},
	{"audience", "users", []string{"audience:jeunes", "audience:etudiants", "audience:familles_et_ou_enfants", "audience:seniors", "audience:femmes"}},
	{"care", "wheelchair", []string{"accessible", "care:surdite", "care:deficience_visuelle", "care:handicaps_moteurs", "care:handicaps_mentaux", "care:illettrisme"}},
	{"language", "language", []string{"care:langues_etrangeres_anglais", "care:langues_etrangeres_autres"}},
	{"price", "coin", []string{"free", "fee:gratuit_sous_condition", "fee:payant", "booking"}},
	{"time", "clock", []string{"open", "weekend"}},
	{"network", "building-community", []string{"programme:conseillers_numeriques", "programme:france_services", "programme:aidants_connect"}},
	{"kit", "wifi", []string{"mediator", "computers", "wifi"}},
}

func applyFilter(q *place.Query, key string, now time.Time) {
	field, value, _ := strings.Cut(key, ":")
	switch field {
	case "open":
		q.OpenAt = now
	case "mediator":
		q.Mediator = true
	case "computers":
		q.Computers = true
	case "wifi":
		q.WiFi = true
	case "accessible":
		q.Accessible = true
	case "free":
		q.Fees = append(q.Fees, "Gratuit")
	case "booking":
		q.Booking = true
	case "weekend":
		q.Weekend = true
	case "service":
		q.Services = append(q.Services, value)
	case "audience":
		q.Audiences = append(q.Audiences, value)
	case "care":
		q.SpecificCare = append(q.SpecificCare, value)
	case "fee":
		q.Fees = append(q.Fees, value)
	case "programme":
		q.Programmes = append(q.Programmes, value)
	}
}

func filterID(key string) string { return "filter." + strings.ReplaceAll(key, ":", "_") }

func filterChip(v *visit.Visit, w *text.Words, key string) page.Choice {
	return page.Choice{ID: "filter:" + key, Label: w.T(filterID(key)), Switch: true, On: v.Search.Filters[key], Accent: page.Place}
}

// moreFilters counts the filters in force that the list itself does not show.
func moreFilters(v *visit.Visit) int {
	n := 0
	for key, on := range v.Search.Filters {
		switch key {
		case "open", "mediator", "computers", "wifi", "accessible":
		default:
			if on {
				n++
			}
		}
	}
	return n
}

func anyFilter(v *visit.Visit) bool {
	for _, on := range v.Search.Filters {
		if on {
			return true
		}
	}
	return false
}

func toggle(v *visit.Visit, key string) {
	if v.Search.Filters[key] {
		delete(v.Search.Filters, key)
	} else {
		v.Search.Filters[key] = true
	}
}

func (j *Journey) filters(ctx context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	var items []page.Choice
	for _, g := range filterGroups {
		c := page.Choice{ID: "group:" + g.key, Label: w.T("filters." + g.key), Icon: g.icon, Accent: page.Place}
		var on []string
		for _, key := range g.filters {
			if v.Search.Filters[key] {
				on = append(on, w.T(filterID(key)))
			}
		}
		c.Detail = strings.Join(on, ", ")
		items = append(items, c)
	}
	p := page.Page{Accent: page.Place, Title: w.T("filters.title"), Blocks: []page.Block{page.Choices{Shape: page.Grid, Items: items}}}
	p.Actions = j.filterActions(ctx, v, w)
	return p
}

// filterActions lead back to the list and say how many places are left.
func (j *Journey) filterActions(ctx context.Context, v *visit.Visit, w *text.Words) []page.Choice {
	var a []page.Choice
	if anyFilter(v) {
		a = append(a, page.Choice{ID: "clear", Label: w.T("places.clear"), Icon: "x"})
	}
	q := j.placesQuery(v)
	q.Limit = 1
	show := page.Choice{ID: "show", Label: w.T("filters.show"), Icon: "check", Accent: page.Place, Primary: true}
	if found, err := j.Places.Search(ctx, q); err == nil {
		show.Label = w.T("places.see_all", "Count", found.Total)
	}
	return append(a, show)
}

func (j *Journey) chooseFilters(ctx context.Context, v *visit.Visit, id string) *Task {
	if group, ok := strings.CutPrefix(id, "group:"); ok {
		v.Go(visit.Step{Page: "places.filter", Arg: group})
		return nil
	}
	return j.chooseFilter(ctx, v, id)
}

func (j *Journey) filterGroup(ctx context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	var rows []page.Choice
	for _, g := range filterGroups {
		if g.key != v.Here().Arg {
			continue
		}
		for _, key := range g.filters {
			rows = append(rows, filterChip(v, w, key))
		}
	}
	return page.Page{Accent: page.Place, Kicker: w.T("filters.title"), Title: w.T("filters." + v.Here().Arg),
		Blocks: []page.Block{page.Choices{Items: rows}}, Actions: j.filterActions(ctx, v, w)}
}

func (j *Journey) chooseFilter(_ context.Context, v *visit.Visit, id string) *Task {
	if key, ok := strings.CutPrefix(id, "filter:"); ok {
		toggle(v, key)
		return nil
	}
	switch id {
	case "clear":
		v.Search.Filters = map[string]bool{}
	case "show":
		for v.Here().Page != "places" && len(v.Path) > 1 {
			v.Back()
		}
	}
	return nil
}
