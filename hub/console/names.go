package console

import (
	"cmp"
	"context"
	"math"
	"slices"

	"parvis/hub/packs"
	"parvis/provisioning/profile"
)

// names are what the content of bornes calls places and démarches. A page is
// shown with IDs rather than not at all.
func (c *Console) names(ctx context.Context) packs.Names {
	if c.Names == nil {
		return packs.Names{}
	}
	n, err := c.Names(ctx)
	if err != nil {
		c.Log.WarnContext(ctx, "console: the names in the newest pack can't be read", "err", err)
	}
	return n
}

// mostOffered is how many places a field offers: a directory may have all of
// France in it.
const mostOffered = 200

// offered are the places that a field offers: those nearest to a site, or the
// first where nobody knows where that is.
func offered(places []packs.Place, from profile.Site) []string {
	type candidate struct {
		place *packs.Place
		away  float64 // in degrees of latitude
	}
	all := make([]candidate, len(places))
	east := math.Cos(from.Lat * math.Pi / 180) // degrees of longitude get shorter northwards
	for i := range places {
		p := &places[i]
		all[i] = candidate{p, math.Hypot(p.Lat-from.Lat, (p.Lon-from.Lon)*east)}
		if p.Lat == 0 && p.Lon == 0 {
			all[i].away = math.Inf(1)
		}
	}
	if from.Lat != 0 || from.Lon != 0 {
		slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(a.away, b.away) })
	}
	var labels []string
	for _, c := range all[:min(mostOffered, len(all))] {
		labels = append(labels, c.place.Label())
	}
	slices.SortFunc(labels, func(a, b string) int { return cmp.Compare(fold(a), fold(b)) })
	return slices.Compact(labels)
}
