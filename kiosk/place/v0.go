package place

import (
	"fmt"
	"slices"
	"strings"
)

// The schema's version 0 names some fields otherwise, sets values apart by ";"
// and knows other values. What has a sure counterpart in v1 is translated; the
// rest of the labels and fees is kept as "autres labels"; "Adultes" and
// "Handicaps psychiques" have none and are left out.

// v0Names are the fields that only version 0 has.
var v0Names = []string{"courriel", "publics_accueillis", "conditions_acces", "labels_nationaux", "labels_autres", "accessibilite", "cle_ban"}

func isV0(names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(v0Names, n) })
}

// v0Summary is the longest summary that version 0 allows, in characters.
const v0Summary = 500

// translation gives for a v0 value the v1 value in a field; "" leaves it out.
type translation map[string]struct {
	field int
	value string
}

var v0Services = translation{
	"devenir autonome dans les demarches administratives":           {fServices, "Aide aux démarches administratives"},
	"realiser des demarches administratives avec un accompagnement": {fServices, "Aide aux démarches administratives"},
	"accompagner les demarches de sante":                            {fServices, "Aide aux démarches administratives"},
	"prendre en main un smartphone ou une tablette":                 {fServices, "Maîtrise des outils numériques du quotidien"},
	"prendre en main un ordinateur":                                 {fServices, "Maîtrise des outils numériques du quotidien"},
	"utiliser le numerique au quotidien":                            {fServices, "Maîtrise des outils numériques du quotidien"},
	"favoriser mon insertion professionnelle":                       {fServices, "Insertion professionnelle via le numérique"},
	"creer et developper mon entreprise":                            {fServices, "Insertion professionnelle via le numérique"},
	"approfondir ma culture numerique":                              {fServices, "Compréhension du monde numérique"},
	"promouvoir la citoyennete numerique":                           {fServices, "Compréhension du monde numérique"},
	"soutenir la parentalite et l education avec le numerique":      {fServices, "Parentalité et éducation avec le numérique"},
	"creer avec le numerique":                                       {fServices, "Loisirs et créations numériques"},
	"acceder a une connexion internet":                              {fServices, "Accès internet et matériel informatique"},
	"acceder a du materiel":                                         {fServices, "Accès internet et matériel informatique"},
	"s equiper en materiel informatique":                            {fServices, "Acquisition de matériel informatique à prix solidaire"},
}

var v0Audiences = translation{
	"seniors":                              {fPublics, "Seniors"},
	"familles enfants":                     {fPublics, "Familles et/ou enfants"},
	"jeunes":                               {fPublics, "Jeunes"},
	"uniquement femmes":                    {fPublics, "Femmes"},
	"adultes":                              {},
	"handicaps psychiques":                 {},
	"public langues etrangeres":            {fPriseEnCharge, "Langues étrangères (autres)"},
	"deficience visuelle":                  {fPriseEnCharge, "Déficience visuelle"},
	"surdite":                              {fPriseEnCharge, "Surdité"},
	"handicaps moteurs":                    {fPriseEnCharge, "Handicaps moteurs"},
	"handicaps mentaux":                    {fPriseEnCharge, "Handicaps mentaux"},
	"illettrisme":                          {fPriseEnCharge, "Illettrisme"},
	"personnes en situation d illettrisme": {fPriseEnCharge, "Illettrisme"},
}

var v0Fees = translation{
	"gratuit":                   {fFrais, "Gratuit"},
	"gratuit sous condition":    {fFrais, "Gratuit sous condition"},
	"payant":                    {fFrais, "Payant"},
	"adhesion":                  {fAutresLabels, "Adhésion"},
	"pass numerique":            {fAutresLabels, "Accepte le Pass numérique"},
	"accepte le pass numerique": {fAutresLabels, "Accepte le Pass numérique"},
}

var v0Labels = translation{
	"cnfs":                        {fDispositifs, "Conseillers numériques"},
	"conseillers numeriques":      {fDispositifs, "Conseillers numériques"},
	"france services":             {fDispositifs, "France Services"},
	"aidants connect":             {fDispositifs, "Aidants Connect"},
	"grandes ecoles du numerique": {fDispositifs, "Grande école du numérique"},
	"point numerique caf":         {fDispositifs, "Point d'accès numérique CAF"},
	"point relais caf":            {fDispositifs, "Point d'accès numérique CAF"},
	"fabriques de territoire":     {fLabels, "Fabriques de Territoire"},
}

var v0Support = translation{
	"seul":            {fModalitesAccompagnement, "En autonomie"},
	"avec de l aide":  {fModalitesAccompagnement, "Accompagnement individuel"},
	"a ma place":      {fModalitesAccompagnement, "Accompagnement individuel"},
	"dans un atelier": {fModalitesAccompagnement, "Dans un atelier collectif"},
	"a distance":      {fModalitesAccompagnement, "À distance"},
}

// fromV0 translates a v0 record. bad is told of values nobody knows.
func fromV0(get func(name string) string, bad func(field, reason string)) row {
	var r row
	add := func(f int, v string) {
		if v != "" && !slices.Contains(strings.Split(r[f], "|"), v) {
			r[f] = strings.TrimPrefix(r[f]+"|"+v, "|")
		}
	}
	for f := range schema {
		switch f {
		case fServices, fModalitesAccompagnement, fPublics, fPriseEnCharge, fFrais, fDispositifs, fAutresLabels, fCourriels, fAccesLibre:
			continue
		case fTypologie, fLabels, fSiteWeb, fItinerance, fModalitesAcces:
			for _, v := range splitV0(get(schema[f].name)) {
				add(f, v)
			}
		default:
			r[f] = get(schema[f].name)
		}
	}
	for _, v := range splitV0(get("courriel")) {
		add(fCourriels, v)
	}
	r[fAccesLibre] = get("accessibilite")
	for _, v := range splitV0(get("labels_autres")) {
		add(fAutresLabels, v)
	}
	for _, group := range []struct {
		name  string
		known translation
		field int // whose v1 values are taken too
		rest  int // field for unknown values; -1 = they are faults
	}{
		{"services", v0Services, fServices, -1},
		{"publics_accueillis", v0Audiences, fPublics, -1},
		{"conditions_acces", v0Fees, fFrais, -1},
		{"labels_nationaux", v0Labels, fDispositifs, fAutresLabels},
		{"modalites_accompagnement", v0Support, fModalitesAccompagnement, -1},
	} {
		for _, v := range splitV0(get(group.name)) {
			// "Gratuit : Je peux accéder gratuitement …", "Seniors (+ 65 ans)"
			key, _, _ := strings.Cut(v, " :")
			key, _, _ = strings.Cut(key, "(")
			to, known := group.known[strings.Join(words(key), " ")]
			switch {
			case known:
				add(to.field, to.value)
			case schema[group.field].allows(v):
				add(group.field, v)
			case group.rest >= 0:
				add(group.rest, v)
			default:
				bad(group.name, fmt.Sprintf("valeur inconnue « %s »", short(v)))
			}
		}
	}
	return r
}

// splitV0 parts values at ";", and at "|" as mixed exports have it.
func splitV0(s string) []string {
	var out []string
	for v := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ';' || r == '|' }) {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}
