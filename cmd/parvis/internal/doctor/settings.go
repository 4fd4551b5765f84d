package doctor

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"parvis/app/text"
	"parvis/cmd/parvis/internal/cards"
	"parvis/cmd/parvis/internal/devices"
	"parvis/cmd/parvis/internal/siteprofile"
	"parvis/kiosk/callback"
	"parvis/kiosk/card"
	"parvis/kiosk/demarche"
	"parvis/kiosk/hours"
	"parvis/kiosk/level"
	"parvis/kiosk/place"
	"parvis/kiosk/store"
	"parvis/provisioning/profile"
)

// support says whom staff may turn to; nothing where the profile doesn't tell.
func support(it profile.Contact) func(context.Context) []Finding {
	return func(context.Context) []Finding {
		who := slices.DeleteFunc([]string{it.Name, it.Phone, it.Email}, func(s string) bool { return s == "" })
		if len(who) == 0 {
			return nil
		}
		return fine("Le service informatique : %s.", strings.Join(who, ", "))
	}
}

// settings looks at the profile: whether it is right, who may read it, and
// whether requests can be sealed with it, or else with the hub's own key.
func settings(f siteprofile.Found, data string, wrong error) func(context.Context) []Finding {
	path, p := f.Path, f.Profile
	return func(ctx context.Context) []Finding {
		if errors.Is(wrong, fs.ErrNotExist) {
			if hubKey(ctx, data) == "" {
				return warn("Enrôlez la borne auprès du hub, ou écrivez son profil.", "La borne n’a ni profil (%s) ni hub : son écran demande le code d’enrôlement.", path)
			}
			return warn("Donnez-lui un profil dans la console du hub : écran, imprimante, lecteurs, horaires.", "La borne n’a pas encore de profil : elle sert avec les réglages d’origine.")
		}
		if wrong != nil {
			return because(critical("Corrigez le profil à l’endroit indiqué, ou demandez-le à la ville.", "Le profil %s n’est pas utilisable.", path), wrong)
		}
		var found []Finding
		if f.Refused.Version != "" {
			found = append(found, because(warn("Corrigez le profil sur le hub : la borne continue avec celui d’avant.", "La borne ne peut pas se servir du profil %s du hub.", f.Refused.Version), errors.New(f.Refused.Why))...)
		}
		if st, err := os.Stat(path); err == nil && st.Mode().Perm()&0o004 != 0 {
			found = append(found, warn("chmod o-rwx "+path, "Tout le monde peut lire le profil, qui tient les empreintes des badges.")...)
		}
		if _, err := callback.ParseRecipients(p.Callback.Recipients); err != nil {
			found = append(found, because(critical("Copiez la clé publique du hub dans rappel.destinataires.", "Les demandes de rappel ne peuvent pas être scellées."), err)...)
		} else if len(p.Callback.Recipients) == 0 && hubKey(ctx, data) == "" {
			found = append(found, critical("Enrôlez la borne auprès du hub, ou copiez sa clé publique dans rappel.destinataires.", "Aucune demande de rappel ne peut être prise : il n’y a pas de clé du hub.")...)
		}
		if _, err := devices.Open(p, devices.Hands{}); err != nil {
			found = append(found, because(critical("Corrigez le profil à la clé indiquée.", "Les appareils du profil ne sont pas utilisables."), err)...)
		}
		found = append(found, cardSettings(p)...)
		texts, err := text.Load()
		if err != nil {
			return append(found, because(critical("Réinstallez la borne.", "Les textes du programme sont illisibles."), err)...)
		}
		for _, code := range p.Site.Languages {
			if !texts.Known(code) {
				found = append(found, critical("Retirez-la de site.langues.", "La langue « %s » n’existe pas.", code)...)
			}
		}
		for key, rules := range map[string]string{"site.ouverture": p.Site.Opening, "site.mediateurs": p.Site.Mediators} {
			region, err := hours.ParseRegion(p.Site.Region)
			if err == nil && rules != "" {
				_, err = hours.Parse(rules, region)
			}
			if err != nil {
				found = append(found, because(critical("Corrigez "+key+" dans le profil.", "Les horaires de %s sont illisibles.", key), err)...)
			}
		}
		if found == nil {
			return fine("%s : %s.", path, p.Site.Name)
		}
		return found
	}
}

// hubKey is the key that an enrolled borne has of its hub; empty where there is
// none to be read.
func hubKey(ctx context.Context, data string) string {
	if _, err := os.Stat(filepath.Join(data, store.FileName)); err != nil {
		return "" // opening would make one that belongs to whoever looks
	}
	st, err := store.Open(data)
	if err != nil {
		return "" // said elsewhere
	}
	defer st.Close()
	key, err := st.Setting(ctx, store.HubRecipient)
	if err != nil {
		return ""
	}
	return key
}

// cardSettings looks at the rules for cards and at who may open the pages for
// staff.
func cardSettings(p *profile.Profile) []Finding {
	var found []Finding
	if _, err := cards.Rules(p); err != nil {
		found = append(found, because(critical("Corrigez le profil à la clé indiquée.", "Les règles des cartes sont inutilisables."), err)...)
	}
	pin, err := card.ParsePIN(p.Maintenance.Code)
	agent := slices.ContainsFunc(p.Badges, func(b profile.Badge) bool { return card.Role(b.Role) == card.RoleAgent })
	switch {
	case err != nil:
		found = append(found, because(critical("Refaites maintenance.code avec « parvis badge code ».", "Le code d’entretien du profil est inutilisable."), err)...)
	case agent && !pin.Set():
		found = append(found, warn("Ajoutez maintenance.code, par « parvis badge code ».", "Un badge d’agent est inscrit, mais il n’y a pas de code d’entretien : les pages d’entretien restent fermées.")...)
	}
	return found
}

// contents looks at what the borne knows beside its places.
func contents(files fs.FS) func(context.Context) []Finding {
	return func(context.Context) []Finding {
		const do = "« parvis demarche check » dit où est l’erreur."
		folder, err := fs.Sub(files, "demarches")
		if err != nil {
			return because(critical(do, "Les contenus sont illisibles."), err)
		}
		all, err := demarche.Load(folder)
		if err != nil {
			return because(critical(do, "Les démarches sont illisibles."), err)
		}
		if _, err := level.Load(files); err != nil {
			return because(critical(do, "Le test de niveau est illisible."), err)
		}
		return fine("%d démarches et le test de niveau.", len(all.Popular(math.MaxInt)))
	}
}

// database opens the borne's store and looks at the directory of places in it.
func database(dir string, p *profile.Profile, now func() time.Time) func(context.Context) []Finding {
	return func(ctx context.Context) []Finding {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return critical("Créez-le pour le compte de la borne, ou donnez le bon avec --data.", "Le dossier de la borne %s n’existe pas.", dir)
		}
		if _, err := os.Stat(filepath.Join(dir, store.FileName)); errors.Is(err, fs.ErrNotExist) {
			// Opening would make one that belongs to whoever looks.
			return warn("« parvis places import FICHIER --data "+dir+" », sous le compte de la borne.", "La base de la borne n’existe pas encore.")
		}
		st, err := store.Open(dir)
		if err != nil {
			return because(critical("Ne supprimez rien : des demandes attendent peut-être. Appelez l’assistance.", "La base de la borne ne s’ouvre pas."), err)
		}
		defer st.Close()
		region := hours.Metropole
		if p != nil {
			if r, err := hours.ParseRegion(p.Site.Region); err == nil {
				region = r
			}
		}
		places, err := place.Open(ctx, st.DB(), region)
		if err != nil {
			return because(critical("« parvis places import » recharge l’annuaire.", "L’annuaire des lieux est illisible."), err)
		}
		if places.Len() == 0 {
			return warn("« parvis places import FICHIER --data "+dir+" » charge l’annuaire national.", "L’annuaire des lieux est vide.")
		}
		waiting, err := st.Outbox(ctx)
		if err != nil {
			return because(critical("Ne supprimez rien. Appelez l’assistance.", "Les demandes de rappel en attente sont illisibles."), err)
		}
		var found []Finding
		if out, err := st.OutOfService(ctx); err == nil && out {
			found = warn("« parvis service on --data "+dir+" », ou un badge d’agent à la borne.", "La borne est hors service.")
		}
		found = append(found, fine("%d lieux dans l’annuaire, %d demandes de rappel en attente.", places.Len(), len(waiting))...)
		if len(waiting) > 0 && now().Sub(waiting[0].Created) > 24*time.Hour {
			found = append(found, warn("Vérifiez le réseau et le hub : personne ne rappelle ces habitants.",
				"Une demande de rappel attend depuis le %s.", waiting[0].Created.In(hours.Paris).Format("02/01/2006"))...)
		}
		return found
	}
}
