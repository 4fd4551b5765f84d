package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"text/tabwriter"

	"parvis/kiosk/demarche"
)

// Demarche groups the commands about guided démarches.
type Demarche struct {
	List   DemarcheList   `cmd:"" help:"Liste les démarches, les plus demandées d’abord."`
	Check  DemarcheCheck  `cmd:"" help:"Vérifie un dossier de démarches : FICHIER:LIGNE: raison."`
	Walk   DemarcheWalk   `cmd:"" help:"Déroule une démarche et écrit chaque page comme la voix la lirait."`
	Schema DemarcheSchema `cmd:"" help:"Écrit le schéma JSON d’une démarche, pour les éditeurs de texte."`
}

const shippedDemarches = "demarches"

// demarcheFolder returns a folder of démarches and the name to show for it:
// dir, or what is shipped when dir is empty.
func demarcheFolder(rt *Runtime, dir string) (fs.FS, string, error) {
	if dir != "" {
		return os.DirFS(dir), filepath.ToSlash(dir), nil
	}
	shipped, err := fs.Sub(rt.Content, shippedDemarches)
	return shipped, shippedDemarches, err
}

// loadDemarches loads a folder, telling on stderr what it refuses there. The
// catalogue holds the rest; ok says that nothing was refused.
func loadDemarches(rt *Runtime, dir string) (c *demarche.Catalogue, ok bool, err error) {
	fsys, name, err := demarcheFolder(rt, dir)
	if err != nil {
		return nil, false, err
	}
	c, err = demarche.Load(fsys)
	var problems demarche.Problems
	if errors.As(err, &problems) {
		for _, p := range problems {
			p.File = path.Join(name, p.File)
			fmt.Fprintln(rt.Stderr, p)
		}
		return c, false, nil
	}
	return c, err == nil, err
}

// DemarcheList lists the démarches.
type DemarcheList struct {
	Dir  string `arg:"" optional:"" help:"Dossier des démarches (par défaut, celles qui sont livrées)."`
	JSON bool   `name:"json" help:"Un document JSON par ligne."`
}

type listedDemarche struct {
	ID        string `json:"id"`
	Rank      int    `json:"rank"`
	Theme     string `json:"theme"`
	Topic     string `json:"topic"`
	Title     string `json:"title"`
	Checked   string `json:"checked"`
	Questions int    `json:"questions"`
	Paths     int    `json:"paths"`
}

// Run prints one démarche a line; it ends with status 1 when a file is refused.
func (c *DemarcheList) Run(rt *Runtime) error {
	catalogue, ok, err := loadDemarches(rt, c.Dir)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(rt.Stdout, 0, 0, 2, ' ', 0)
	for _, d := range catalogue.Demarches {
		l := listedDemarche{d.ID, d.Rank, d.Theme, d.Topic, d.Title.In("fr"), d.Checked.Format("2006-01-02"), d.Questions(), d.Paths()}
		if c.JSON {
			err = rt.WriteJSON(l)
		} else {
			_, err = fmt.Fprintf(table, "%d\t%s\t%s\t%s\tvérifiée le %s\n", l.Rank, l.ID, l.Theme, l.Title, d.Checked.Format("02/01/2006"))
		}
		if err != nil {
			return err
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if !ok {
		return ExitError(1)
	}
	return nil
}

// DemarcheCheck tells what is wrong with the démarches of a folder.
type DemarcheCheck struct {
	Dir  string `arg:"" optional:"" help:"Dossier des démarches (par défaut, celles qui sont livrées)."`
	JSON bool   `name:"json" help:"Un seul document JSON."`
}

type checkedDemarches struct {
	Demarches int               `json:"demarches"` // that are sound
	Problems  demarche.Problems `json:"problems"`
}

// Run prints FILE:LINE: reason for each problem, and ends with status 1 when
// one of them is more than a warning.
func (c *DemarcheCheck) Run(rt *Runtime) error {
	fsys, name, err := demarcheFolder(rt, c.Dir)
	if err != nil {
		return err
	}
	catalogue, problems := demarche.Check(fsys, rt.Now())
	refused := len(problems.Errors())
	for i := range problems {
		problems[i].File = path.Join(name, problems[i].File)
	}
	if c.JSON {
		if problems == nil {
			problems = demarche.Problems{}
		}
		err = rt.WriteJSON(checkedDemarches{len(catalogue.Demarches), problems})
	} else {
		for _, p := range problems {
			fmt.Fprintln(rt.Stdout, p)
		}
		_, err = fmt.Fprintf(rt.Stdout, "Démarches valables : %d. Erreurs : %d. Avertissements : %d.\n",
			len(catalogue.Demarches), refused, len(problems)-refused)
	}
	if err != nil {
		return err
	}
	if refused > 0 {
		return ExitError(1)
	}
	return nil
}

// DemarcheSchema prints the JSON Schema that editors use.
type DemarcheSchema struct{}

// Run prints the schema.
func (c *DemarcheSchema) Run(rt *Runtime) error {
	_, err := fmt.Fprint(rt.Stdout, demarche.Schema())
	return err
}
