package console

import (
	"net/http"
	"strings"

	"parvis/hub/store"
	"parvis/kiosk/link"
)

// mergedView is the page of one borne's whole profile.
type mergedView struct {
	store.Borne
	Layers []layerRow // from the city's down to its own
	Tables []mergedTable
	Wrong  []string
	State  string // what the borne makes of it
	Late   bool
}

// mergedTable is one table of a profile.
type mergedTable struct {
	Name   string
	Values []mergedValue
}

// mergedValue is one value and where it comes from.
type mergedValue struct {
	Key, Text string
	From      string
	Path      string // of the layer's page; empty for what the hub itself says
	Line      int
}

func (c *Console) mergedPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	b, err := c.Store.Borne(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	whole, err := c.Profiles.Whole(ctx, b.ID)
	if err != nil {
		return err
	}
	data := mergedView{Borne: b, Wrong: problemLines(whole.Err)}
	paths := map[string]string{}
	for _, n := range whole.Layers {
		data.Layers = append(data.Layers, rowOf(n))
		paths[n.Name] = layerPath(n.Layer)
	}
	for _, value := range whole.Merged.Values() {
		name, _, _ := strings.Cut(value.Key, ".")
		name, _, _ = strings.Cut(name, " ")
		if n := len(data.Tables); n == 0 || data.Tables[n-1].Name != name {
			data.Tables = append(data.Tables, mergedTable{Name: name})
		}
		t := &data.Tables[len(data.Tables)-1]
		t.Values = append(t.Values, mergedValue{spaces.Replace(strings.ReplaceAll(value.Key, ": ", " : ")), value.Text, value.Layer, paths[value.Layer], value.Line})
	}
	wanted, err := c.Store.Wanted(ctx, b.ID)
	if err != nil {
		return err
	}
	data.State, data.Late = profileState(b, wanted)
	return c.render(w, r, v, "profileborne", view{Title: "Profil de " + b.ID, Data: data})
}

// profileState says what a borne makes of the profile that it should have; late
// is what somebody should look into.
func profileState(b store.Borne, wanted link.Wanted) (state string, late bool) {
	inPlace := wanted.Profile != nil && b.State.Profile != "" && strings.HasPrefix(wanted.Profile.SHA256, b.State.Profile)
	for _, f := range b.State.Failures {
		if f.Kind == link.KindProfile && inPlace {
			return "En place sur la borne, mais pas en entier : " + f.Why, true
		}
		if f.Kind == link.KindProfile {
			return "La borne l’a refusé et garde celui d’avant : " + f.Why, true
		}
	}
	switch {
	case wanted.Profile == nil:
		return "Le hub ne lui donne pas de profil : elle garde son propre fichier.", false
	case inPlace:
		return "En place sur la borne.", false
	case b.Seen.IsZero():
		return "La borne ne s’est pas encore montrée.", false
	}
	return "La borne le prendra entre deux visites.", false
}

// mergedFile is the whole profile as the borne gets it.
func (c *Console) mergedFile(w http.ResponseWriter, r *http.Request, _ *visitor) error {
	id := r.PathValue("id")
	whole, err := c.Profiles.Whole(r.Context(), id)
	if err != nil {
		return err
	}
	if whole.Err != nil {
		return refuse(http.StatusConflict, "Ce profil n’est pas complet", "La page du profil dit ce qui manque.")
	}
	data, err := whole.Merged.TOML()
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/toml; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="profil-`+id+`.toml"`)
	h.Set("Cache-Control", "no-store")
	if _, err := w.Write(data); err != nil {
		return errAnswered
	}
	return nil
}
