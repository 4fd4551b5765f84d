package console

import (
	"cmp"
	"context"
	"strings"
	"time"

	"parvis/hub/people"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

// partRow is one of the things that a borne should have: its profile, its
// contents, its software.
type partRow struct {
	Name        string
	Path        string // of the page about it, for who may see that; or empty
	Has, Wanted string // versions in words
	State, Tone string
	Why         string // it has not what it should
}

// shortSum is how much of a profile's SHA-256 a borne reports.
const shortSum = 12

// behind reports whether a borne has yet to take something that it should have:
// it has not dealt with it, or could not go on with it.
func behind(b store.Borne, w link.Wanted) bool {
	return w.Tag != b.State.Tag || w.Tag != "" && len(b.State.Failures) > 0
}

func (c *Console) readWanted(ctx context.Context, v *borneView, _ time.Time) error {
	w, err := c.Store.Wanted(ctx, v.ID)
	if err != nil {
		return err
	}
	v.Behind = behind(v.Borne, w)
	v.Parts = partRows(v.Borne, w)
	if v.Live() && v.May(string(people.ProfilesManage)) {
		v.Parts[len(v.Parts)-1].Path = "/profils/bornes/" + v.ID
	}
	return nil
}

func partRows(b store.Borne, w link.Wanted) []partRow {
	profile := cmp.Or(w.Profile, &link.File{}).SHA256
	profile = profile[:min(shortSum, len(profile))]
	has := b.State
	return []partRow{
		newPart(b, "Logiciel", link.KindSoftware, has.Version, "", w.Software, "au choix de la borne"),
		newPart(b, "Contenus", link.KindPack, has.Content, "ceux du logiciel", w.Pack, "ceux du logiciel"),
		newPart(b, "Profil", link.KindProfile, has.Profile, "celui de la borne", profile, "celui de la borne"),
	}
}

// newPart says how far a borne is with one thing; none and any are words for
// versions that are empty.
func newPart(b store.Borne, name, kind, has, none, wanted, any string) partRow {
	row := partRow{Name: name, Has: cmp.Or(has, none, "—"), Wanted: cmp.Or(wanted, any)}
	if b.Seen.IsZero() {
		row.Has = "—"
	}
	for _, f := range b.State.Failures {
		if f.Kind == kind && wanted != "" && strings.HasPrefix(f.Version, wanted) {
			row.Why = f.Why
		}
	}
	switch {
	case b.Seen.IsZero():
	case has == wanted && row.Why != "": // what it has it does not go by in all
		row.State, row.Tone = "En partie", toneWarn
	case has == wanted, wanted == "" && kind == link.KindSoftware:
		row.State, row.Tone = "À jour", toneGood
	case row.Why != "":
		row.State, row.Tone = "Échec", toneBad
	default:
		row.State, row.Tone = "En attente", toneInfo
		if kind == link.KindSoftware {
			row.Why = "S’installe après la fermeture."
		}
	}
	return row
}
