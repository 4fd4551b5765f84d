package doctor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"parvis/kiosk/hours"
	"parvis/kiosk/store"
)

const (
	// The agent reports twice a minute.
	contactLate = 3 * time.Minute
	// A request leaves within seconds where the hub is within reach.
	waitsLong = 15 * time.Minute
)

// hub looks at how the borne's agent stands with its hub, as far as the agent
// has written it down: the borne's identity itself is the agent's alone.
func hub(dir string, now func() time.Time) func(context.Context) []Finding {
	return func(ctx context.Context) []Finding {
		if _, err := os.Stat(filepath.Join(dir, store.FileName)); err != nil {
			return nil // told by the check of the database, as is one that does not open
		}
		st, err := store.Open(dir)
		if err != nil {
			return nil
		}
		defer st.Close()
		key, noKey := st.Setting(ctx, store.HubRecipient)
		contact, noContact := st.Setting(ctx, store.HubContact)
		refused, noWord := st.Setting(ctx, store.HubRefused)
		waiting, noOutbox := st.Outbox(ctx)
		if err := errors.Join(noKey, noContact, noWord, noOutbox); err != nil {
			return because(warn("Relancez « parvis doctor » dans une minute.", "On ne sait pas où en est la liaison avec le hub."), err)
		}
		if key == "" {
			return fine("La borne n’est enrôlée auprès d’aucun hub.")
		}
		return append(contactFindings(contact, refused, now()), waitingFindings(waiting, key, now())...)
	}
}

// contactFindings tells when the hub last heard of the borne.
func contactFindings(contact, refused string, now time.Time) []Finding {
	const do = "Vérifiez le réseau et l’agent : « systemctl status parvis-agent », « journalctl -u parvis-agent »."
	if refused != "" {
		return critical("Demandez un nouveau code au service qui tient le hub, puis « parvis-agent enrol ».", "Le hub refuse cette borne (%s).", refused)
	}
	if contact == "" {
		return warn(do, "La borne est enrôlée, mais le hub n’a encore pris aucun rapport.")
	}
	at, err := time.Parse(time.RFC3339, contact)
	if err != nil {
		return because(warn(do, "On ne sait pas quand le hub a pris le dernier rapport."), err)
	}
	said := at.In(hours.Paris).Format("02/01/2006 à 15 h 04")
	if now.Sub(at).Abs() > contactLate {
		return warn(do, "Le hub n’a pris aucun rapport depuis le %s.", said)
	}
	return fine("Le hub a pris un rapport le %s.", said)
}

// waitingFindings tells of requests that stay on the borne though the hub may
// be within reach; key is the hub's.
func waitingFindings(waiting []store.Sealed, key string, now time.Time) []Finding {
	var found []Finding
	var oldest time.Time
	kept := 0
	for _, r := range waiting {
		switch {
		case r.OnlyFor != "" && r.OnlyFor != key:
			kept++
		case oldest.IsZero():
			oldest = r.Created
		}
	}
	if kept > 0 {
		found = append(found, warn("Enrôlez la borne de nouveau auprès du hub d’avant pour les livrer : elles sont gardées.",
			"Demandes de rappel que seul le hub d’avant peut ouvrir : %d.", kept)...)
	}
	if !oldest.IsZero() && now.Sub(oldest) > waitsLong {
		found = append(found, warn("« parvis-agent status » et « journalctl -u parvis-agent » disent pourquoi. Elle est gardée.",
			"Une demande de rappel attend le hub depuis le %s.", oldest.In(hours.Paris).Format("02/01/2006 à 15 h 04"))...)
	}
	return found
}
