package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"parvis/kiosk/callback"
	"parvis/kiosk/hours"
	"parvis/kiosk/store"
)

// Callback holds the commands about requests to be called back.
type Callback struct {
	List CallbackList `cmd:"" help:"Liste les demandes de rappel qui attendent le hub (jamais leur contenu)."`
}

// CallbackList shows what the outbox holds. The content is sealed: only sizes,
// times and codes can be told.
type CallbackList struct {
	Data string `required:"" placeholder:"DIR" help:"Dossier de la borne."`
	JSON bool   `name:"json" help:"Un objet JSON par ligne."`
}

type outboxLine struct {
	Code    string    `json:"code"`
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Bytes   int       `json:"bytes"` // sealed
}

// Run prints the outbox, oldest request first.
func (c *CallbackList) Run(rt *Runtime) error {
	// Opening would make a new database in a folder given by mistake.
	if _, err := os.Stat(filepath.Join(c.Data, store.FileName)); errors.Is(err, fs.ErrNotExist) {
		return notABorne(c.Data)
	}
	s, err := store.Open(c.Data)
	if err != nil {
		return err
	}
	defer s.Close()
	all, err := s.Outbox(rt.Ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		for _, r := range all {
			line := outboxLine{r.Code, r.ID.String(), r.Created.In(hours.Paris), len(r.Data)}
			if err := rt.WriteJSON(line); err != nil {
				return err
			}
		}
		return nil
	}
	return printOutbox(rt, all)
}

func printOutbox(rt *Runtime, all []store.Sealed) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(rt.Stdout, "Aucune demande de rappel n’attend.")
		return err
	}
	w := tabwriter.NewWriter(rt.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NUMÉRO\tREÇUE LE\tTAILLE (octets)\tIDENTIFIANT")
	for _, r := range all {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", callback.FormatCode(r.Code),
			r.Created.In(hours.Paris).Format("02/01/2006 15 h 04"), len(r.Data), r.ID)
	}
	return w.Flush()
}

func notABorne(dir string) error {
	return fmt.Errorf("%s : ce dossier n’est pas celui d’une borne (il n’y a pas de %s)", dir, store.FileName)
}
