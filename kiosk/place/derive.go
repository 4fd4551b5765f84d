package place

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"parvis/kiosk/hours"
)

// layout is the number of this program's way to work out mask and words. Raise
// it when derive, maskFields or the words change: the directory then works them
// out again from the rows.
const layout = 1

// A mask holds one bit for each value of these fields, then one for each mark.
var maskFields = []int{fServices, fPublics, fPriseEnCharge, fFrais, fDispositifs, fModalitesAcces, fModalitesAccompagnement}

// The marks that no field of the schema holds by itself. The rules are rough:
// what a source leaves out cannot be seen, so a place without a mark is "not
// known to", never "does not". Words of a presentation don't count after
// "non", "pas", "sans" or "aucun".
type mark int

const (
	computers  mark = iota // to use there: the service "Accès internet et matériel informatique", or the presentation speaks of them
	wifi                   // that same service, or the presentation says Wi-Fi
	mediator               // somebody helps in person: Conseillers numériques, Aidants Connect, or individual support
	accessible             // an Acceslibre page, or the presentation speaks of wheelchairs or PMR
	free                   // "Gratuit" without condition
	booking                // an address for appointments, or "Prendre un RDV en ligne"
	weekend                // readable hours with a Saturday or Sunday
	markCount
)

// bits tells where each value and mark lies.
var bits = func() map[string]uint64 {
	all := map[string]uint64{}
	n := 0
	for _, f := range maskFields {
		for _, v := range schema[f].values {
			all[schema[f].name+"="+v] = 1 << n
			all[schema[f].name+"="+snake(v)] = 1 << n
			n++
		}
	}
	if n+int(markCount) > 63 {
		panic("place: too many values for one mask")
	}
	for m := range markCount {
		all[fmt.Sprint("mark=", int(m))] = 1 << (n + int(m))
	}
	return all
}()

func (m mark) bit() uint64 { return markBits[m] }

var markBits = func() (out [markCount]uint64) {
	for m := range markCount {
		out[m] = bits[fmt.Sprint("mark=", int(m))]
	}
	return out
}()

// snake writes a value as a key: "Point d'accès numérique CAF" is
// point_d_acces_numerique_caf.
func snake(s string) string { return strings.Join(words(s), "_") }

// A derived is what a row's search columns hold.
type derived struct {
	mask  int64
	words string
}

func (r *row) derive() derived {
	var m uint64
	for _, f := range maskFields {
		for _, v := range list(r[f]) {
			m |= bits[schema[f].name+"="+v]
		}
	}
	text := " " + strings.Join(words(r[fResume]+" "+r[fDetail]), " ") + " "
	has := func(f int, values ...string) bool {
		return slices.ContainsFunc(list(r[f]), func(v string) bool { return slices.Contains(values, v) })
	}
	speaks := func(phrases ...string) bool {
		return slices.ContainsFunc(phrases, func(p string) bool {
			i := strings.Index(text, " "+p)
			return i >= 0 && !denied(text[:i])
		})
	}
	online := has(fServices, "Accès internet et matériel informatique")
	for mk, yes := range map[mark]bool{
		computers:  online || speaks("ordinateur", "poste informatique", "postes informatique", "pc en libre", "tablette", "materiel informatique", "salle informatique"),
		wifi:       online || speaks("wifi", "wi fi", "hotspot"),
		mediator:   has(fDispositifs, "Conseillers numériques", "Aidants Connect") || has(fModalitesAccompagnement, "Accompagnement individuel"),
		accessible: r[fAccesLibre] != "" || speaks("fauteuil roulant", "pmr", "accessible aux personnes a mobilite", "accessible aux personnes handicap", "acces handicap"),
		free:       has(fFrais, "Gratuit"),
		booking:    r[fPriseRdv] != "" || has(fModalitesAcces, "Prendre un RDV en ligne"),
		weekend:    r.opensAtWeekend(),
	} {
		if yes {
			m |= mk.bit()
		}
	}
	return derived{int64(m), r.searchWords()}
}

// denied says whether the two words before a phrase turn it round: "pas de
// Wi-Fi", "non PMR".
func denied(before string) bool {
	last := strings.Fields(before)
	last = last[max(0, len(last)-2):]
	return slices.ContainsFunc(last, func(w string) bool { return w == "non" || w == "pas" || w == "sans" || w == "aucun" })
}

func (r *row) opensAtWeekend() bool {
	if r[fHoraires] == "" {
		return false
	}
	s, err := hours.Parse(r[fHoraires], hours.Metropole)
	if err != nil {
		return false
	}
	updated, _ := time.Parse(time.DateOnly, r[fDateMaj])
	return s.EverOn(updated, time.Saturday, time.Sunday)
}

// searchWords gives the different words that describe the place, in lower case
// with their accents. The values of the filters are found through the mask.
func (r *row) searchWords() string {
	var out []string
	seen := map[string]bool{}
	for _, f := range []int{fNom, fCommune, fCodePostal, fAdresse, fComplement, fTypologie, fParente, fResume, fDetail, fLabels, fAutresLabels} {
		for w := range strings.FieldsFuncSeq(strings.ToLower(r[f]), isBreak) {
			if !seen[w] {
				seen[w] = true
				out = append(out, w)
			}
		}
	}
	return strings.Join(out, " ")
}

// groups turns the lists of a query into masks of which each must be met.
func (q *Query) groups() (anyOf []uint64, allOf uint64, err error) {
	for _, g := range []struct {
		field  int
		values []string
	}{
		{fServices, q.Services}, {fPublics, q.Audiences}, {fPriseEnCharge, q.SpecificCare}, {fFrais, q.Fees},
		{fDispositifs, q.Programmes}, {fModalitesAccompagnement, q.SupportModes}, {fModalitesAcces, q.AccessModes},
	} {
		var m uint64
		for _, v := range g.values {
			b, ok := bits[schema[g.field].name+"="+v]
			if !ok {
				b, ok = bits[schema[g.field].name+"="+snake(v)]
			}
			if !ok {
				return nil, 0, &UnknownValueError{Field: schema[g.field].name, Value: v}
			}
			m |= b
		}
		if m != 0 {
			anyOf = append(anyOf, m)
		}
	}
	for mk, asked := range map[mark]bool{computers: q.Computers, wifi: q.WiFi, mediator: q.Mediator, accessible: q.Accessible,
		free: q.Free, booking: q.Booking, weekend: q.Weekend} {
		if asked {
			allOf |= mk.bit()
		}
	}
	return anyOf, allOf, nil
}

// UnknownValueError says that a query asks for a value the schema doesn't know.
type UnknownValueError struct{ Field, Value string }

func (e *UnknownValueError) Error() string {
	var keys []string
	for _, f := range schema {
		if f.name == e.Field {
			for _, v := range f.values {
				keys = append(keys, snake(v))
			}
		}
	}
	return fmt.Sprintf("%s : valeur inconnue « %s » (choix possibles : %s)", e.Field, e.Value, strings.Join(keys, ", "))
}
