package place

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// field is a field of the national schema v1.0.2 and its rules.
type field struct {
	name     string
	required bool
	pattern  *regexp.Regexp
	hint     string   // what the pattern asks for, in French
	values   []string // the only values allowed, one or more with "|" between
	maxRunes int
	number   bool
	date     bool
}

// The fields by their place in Fields.
const (
	fID = iota
	fPivot
	fNom
	fCommune
	fCodePostal
	fCodeInsee
	fAdresse
	fComplement
	fLatitude
	fLongitude
	fTypologie
	fTelephone
	fCourriels
	fSiteWeb
	fHoraires
	fResume
	fDetail
	fSource
	fItinerance
	fParente
	fDateMaj
	fServices
	fPublics
	fPriseEnCharge
	fFrais
	fDispositifs
	fLabels
	fAutresLabels
	fModalitesAcces
	fModalitesAccompagnement
	fAccesLibre
	fPriseRdv
	fieldCount
)

var schema = [fieldCount]field{
	fID:         {name: "id", required: true},
	fPivot:      {name: "pivot", required: true, pattern: regexp.MustCompile(`^[a-zA-Z0-9]{9,14}$`), hint: "9 à 14 lettres ou chiffres attendus (SIRET, RNA ou RIDET)"},
	fNom:        {name: "nom", required: true},
	fCommune:    {name: "commune", required: true},
	fCodePostal: {name: "code_postal", required: true, pattern: regexp.MustCompile(`^\d{5}$`), hint: "5 chiffres attendus"},
	fCodeInsee:  {name: "code_insee", pattern: regexp.MustCompile(`^([013-9]\d|2[AB1-9])\d{3}$`), hint: "code de commune de l’Insee attendu (5 signes)"},
	fAdresse:    {name: "adresse", required: true},
	fComplement: {name: "complement_adresse"},
	fLatitude:   {name: "latitude", number: true},
	fLongitude:  {name: "longitude", number: true},
	fTypologie:  {name: "typologie"},
	fTelephone: {name: "telephone", pattern: regexp.MustCompile(`^(\+33|\+590|\+594|\+262|\+596|\+269|\+687|\+689|\+508|\+681)(\d){6,9}$`),
		hint: "un seul numéro international sans espace attendu, par exemple +33180059880"},
	fCourriels:  {name: "courriels"},
	fSiteWeb:    {name: "site_web"},
	fHoraires:   {name: "horaires"},
	fResume:     {name: "presentation_resume", maxRunes: 280},
	fDetail:     {name: "presentation_detail"},
	fSource:     {name: "source"},
	fItinerance: {name: "itinerance", values: []string{"Itinérant", "Fixe"}},
	fParente:    {name: "structure_parente"},
	fDateMaj:    {name: "date_maj", required: true, date: true},
	fServices: {name: "services", values: []string{"Aide aux démarches administratives", "Maîtrise des outils numériques du quotidien",
		"Insertion professionnelle via le numérique", "Utilisation sécurisée du numérique", "Parentalité et éducation avec le numérique",
		"Loisirs et créations numériques", "Compréhension du monde numérique", "Accès internet et matériel informatique",
		"Acquisition de matériel informatique à prix solidaire"}},
	fPublics: {name: "publics_specifiquement_adresses", values: []string{"Jeunes", "Étudiants", "Familles et/ou enfants", "Seniors", "Femmes"}},
	fPriseEnCharge: {name: "prise_en_charge_specifique", values: []string{"Surdité", "Handicaps moteurs", "Handicaps mentaux", "Illettrisme",
		"Langues étrangères (anglais)", "Langues étrangères (autres)", "Déficience visuelle"}},
	fFrais: {name: "frais_a_charge", values: []string{"Gratuit", "Gratuit sous condition", "Payant"}},
	fDispositifs: {name: "dispositif_programmes_nationaux", values: []string{"Aidants Connect", "Bibliothèques numérique de référence",
		"Certification PIX", "Conseillers numériques", "Emmaüs Connect", "France Services", "Grande école du numérique", "La Croix Rouge",
		"Point d'accès numérique CAF", "Promeneurs du net", "Relais numérique (Emmaüs Connect)"}},
	fLabels: {name: "formations_labels", values: []string{"Formé à « Mon Espace Santé »", "Formé à « DUPLEX » (illettrisme)",
		"Arnia/MedNum BFC (Bourgogne-Franche-Comté)", "Collectif ressources et acteurs réemploi (Normandie)", "Étapes numériques(La Poste)",
		"Fabriques de Territoire", "Les Éclaireurs du numérique (Drôme)", "Mes Papiers (Métropole de Lyon)", "ORDI 3.0", "SUD LABS (PACA)"}},
	fAutresLabels: {name: "autres_formations_labels"},
	fModalitesAcces: {name: "modalites_acces", values: []string{"Se présenter", "Téléphoner", "Contacter par mail", "Prendre un RDV en ligne",
		"Ce lieu n'accueille pas de public", "Envoyer un mail avec une fiche de prescription"}},
	fModalitesAccompagnement: {name: "modalites_accompagnement", values: []string{"En autonomie", "Accompagnement individuel",
		"Dans un atelier collectif", "À distance"}},
	fAccesLibre: {name: "fiche_acces_libre"},
	fPriseRdv:   {name: "prise_rdv"},
}

// decimal leaves out what Go reads as a number and nobody else: "0x1p2", "Inf".
var decimal = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$`)

// row is one record in the order of the schema, values apart by "|".
type row [fieldCount]string

// check says in French what breaks the rule of a field; "" is fine.
func (f *field) check(v string) string {
	if v == "" {
		if f.required {
			return "champ obligatoire vide"
		}
		return ""
	}
	switch {
	case !utf8.ValidString(v):
		return "caractères illisibles : le fichier doit être en UTF-8"
	case f.pattern != nil && !f.pattern.MatchString(v):
		return fmt.Sprintf("« %s » n’a pas la bonne forme : %s", short(v), f.hint)
	case f.maxRunes > 0 && utf8.RuneCountInString(v) > f.maxRunes:
		return fmt.Sprintf("texte trop long : %d caractères, %d au plus", utf8.RuneCountInString(v), f.maxRunes)
	case f.number:
		n, err := strconv.ParseFloat(v, 64)
		if err != nil || !decimal.MatchString(v) {
			return fmt.Sprintf("« %s » n’est pas un nombre (point décimal attendu)", short(v))
		}
		limit := 90.0
		if f.name == "longitude" {
			limit = 180
		}
		if math.Abs(n) > limit {
			return fmt.Sprintf("« %s » est hors de la Terre : %g degrés au plus", short(v), limit)
		}
	case f.date:
		if _, err := time.Parse(time.DateOnly, v); err != nil {
			return fmt.Sprintf("« %s » n’est pas une date AAAA-MM-JJ", short(v))
		}
	case f.values != nil:
		for one := range strings.SplitSeq(v, "|") {
			if !f.allows(one) {
				return fmt.Sprintf("valeur inconnue « %s »", short(one))
			}
		}
	}
	return ""
}

func (f *field) allows(v string) bool {
	for _, known := range f.values {
		if v == known {
			return true
		}
	}
	return false
}

func short(s string) string {
	s = strings.ToValidUTF8(s, "�")
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// place makes a Place of a row that has been checked.
func (r *row) place() Place {
	p := Place{
		ID: r[fID], Pivot: r[fPivot], Name: r[fNom], City: r[fCommune], Postcode: r[fCodePostal], Insee: r[fCodeInsee],
		Address: r[fAdresse], AddressExtra: r[fComplement], Kinds: list(r[fTypologie]), Phone: r[fTelephone],
		Emails: list(r[fCourriels]), Websites: list(r[fSiteWeb]), Hours: r[fHoraires], Summary: r[fResume], Detail: r[fDetail],
		Source: r[fSource], Itinerance: list(r[fItinerance]), Parent: r[fParente],
		Services: list(r[fServices]), Audiences: list(r[fPublics]), SpecificCare: list(r[fPriseEnCharge]), Fees: list(r[fFrais]),
		Programmes: list(r[fDispositifs]), Labels: list(r[fLabels]), OtherLabels: list(r[fAutresLabels]),
		AccessModes: list(r[fModalitesAcces]), SupportModes: list(r[fModalitesAccompagnement]),
		AccesLibreURL: r[fAccesLibre], BookingURL: r[fPriseRdv],
	}
	p.Updated, _ = time.Parse(time.DateOnly, r[fDateMaj])
	lat, errLat := strconv.ParseFloat(r[fLatitude], 64)
	lon, errLon := strconv.ParseFloat(r[fLongitude], 64)
	if errLat == nil && errLon == nil {
		p.Position = &Point{lat, lon}
	}
	return p
}

func list(s string) []string {
	if s == "" {
		return nil
	}
	var out []string
	for v := range strings.SplitSeq(s, "|") {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}
