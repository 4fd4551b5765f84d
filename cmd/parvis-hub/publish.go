package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"parvis/cmd/internal/packcheck"
	"parvis/hub/packs"
	"parvis/kiosk/demarche"
	"parvis/provisioning/pack"
)

type publishCmd struct {
	Folder publishFolderCmd `cmd:"" name:"folder" default:"withargs" help:"Contrôle un dossier de contenus comme le ferait une borne, le signe et le met à disposition."`
	Keys   publishKeysCmd   `cmd:"" help:"Fait les clés qui signent les contenus. Une seule fois."`
	List   publishListCmd   `cmd:"" help:"Liste les versions publiées et les clés."`
	Export publishExportCmd `cmd:"" help:"Copie une version sur une clé USB, pour une borne sans réseau."`
	Rotate publishRotateCmd `cmd:"" help:"Remplace des clés perdues ou volées, ou prolonge celles de racine."`
}

// packsOf are the packs of a hub that was opened.
func packsOf(hub *opened, rt *runtime) *packs.Packs {
	return packs.New(hub.store, hub.key, rt.now, slog.New(slog.NewTextHandler(rt.stderr, nil)))
}

type publishFolderCmd struct {
	base
	passphrase
	Folder  string `arg:"" type:"existingdir" help:"Dossier de contenus : demarches/, level.yaml, fiches/, textes/, voix/, lieux.csv."`
	Version string `help:"Nom de cette version ; sinon la date et l’heure."`
	Key     string `type:"existingfile" placeholder:"FICHIER" help:"Clé de publication, faite par « parvis-hub publish keys »."`
	Check   bool   `help:"Contrôle seulement : rien n’est publié, et ni clé ni hub ne sont nécessaires."`
}

// Run signs nothing that a borne would refuse.
func (c *publishFolderCmd) Run(rt *runtime) error {
	files := os.DirFS(c.Folder)
	report, err := c.check(rt, files)
	if err != nil {
		return err
	}
	found := fmt.Sprintf("%d démarches, %d fiches, %d lieux", report.Demarches, report.Fiches, report.Places)
	if c.Check {
		fmt.Fprintf(rt.stdout, "%s : une borne prendrait ces contenus (%s). Rien n’est publié.\n", c.Folder, found)
		return nil
	}
	if c.Key == "" {
		return errors.New("--key manque : donnez la clé de publication, faite par « parvis-hub publish keys »")
	}
	key, err := c.read(rt, c.Key)
	if err != nil {
		return err
	}
	if c.Version == "" {
		c.Version = rt.now().Format("2006-01-02.1504")
	}
	hub, err := c.open(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	m, err := packsOf(hub, rt).Publish(rt.ctx, files, c.Version, key)
	if err != nil {
		return fmt.Errorf("%s : rien n’est publié : %w", c.Folder, err)
	}
	fmt.Fprintf(rt.stdout, "Contenus %s publiés : %s (%d fichiers, %s).\nDans la console, donnez cette version aux bornes.\n",
		m.Version, found, len(m.Files), size(m.Size()))
	return nil
}

// check tells what is wrong with a folder, and what only seems to be.
func (c *publishFolderCmd) check(rt *runtime, files fs.FS) (packcheck.Report, error) {
	report, err := packcheck.Check(files)
	folder, sub := fs.Sub(files, packcheck.Demarches)
	if err = errors.Join(packcheck.Names(files), err, sub); err == nil {
		_, problems := demarche.Check(folder, rt.now())
		if wrong := problems.Errors(); len(wrong) > 0 {
			err = wrong
		}
		for _, p := range problems {
			if p.Warning {
				report.Warnings = append(report.Warnings, packcheck.Demarches+"/"+p.String())
			}
		}
	}
	for _, warning := range report.Warnings {
		fmt.Fprintln(rt.stderr, warning)
	}
	if err != nil {
		return report, fmt.Errorf("%s : contenus refusés, rien n’est publié :\n%w\nCorrigez, puis relancez la même commande", c.Folder, err)
	}
	return report, nil
}

func size(bytes int64) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%d Ko", (bytes+1<<10-1)>>10)
	}
	return fmt.Sprintf("%d Mo", (bytes+1<<20-1)>>20)
}

type publishListCmd struct{ base }

// Run also warns of what is about to end: without it nobody would know before
// new packs are refused.
func (c *publishListCmd) Run(rt *runtime) error {
	hub, err := c.open(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	s, err := packsOf(hub, rt).Status(rt.ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(rt.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "VERSION\tPUBLIÉE LE\tFICHIERS\tTAILLE")
	for _, p := range s.Packs {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", p.Version, p.Made.Local().Format("02/01/2006 15:04"), p.Files, size(p.Size))
	}
	fmt.Fprintln(w, "\nCLÉ\tNUMÉRO\tSES SIGNATURES VALENT JUSQU’AU")
	ends := map[pack.Role]time.Time{pack.RoleRoot: s.Root, pack.RolePublisher: s.Publisher, pack.RoleOnline: s.Hub}
	for _, k := range s.Keys {
		fmt.Fprintf(w, "%s\t%s\t%s\n", k.Role, k.Number(), ends[k.Role].Local().Format("02/01/2006"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(rt.stdout, "\nPour remplacer une clé, il faut %d clés de racine.\n", s.Threshold)
	soon := rt.now().AddDate(0, 2, 0)
	for role, do := range map[pack.Role]string{
		pack.RoleRoot:      "« parvis-hub publish rotate », avec les clés de racine",
		pack.RolePublisher: "publiez des contenus, même inchangés, sous un nouveau nom de version",
	} {
		if ends[role].Before(soon) {
			fmt.Fprintf(rt.stdout, "Attention : la signature « %s » finit bientôt ; ensuite, les bornes ne prendraient plus rien de nouveau. Faites : %s.\n", role, do)
		}
	}
	if ends[pack.RoleOnline].Before(rt.now()) {
		fmt.Fprintln(rt.stdout, "Attention : le hub n’a pas renouvelé sa signature. Est-il en marche (« parvis-hub serve »), et à l’heure ?")
	}
	return nil
}

type publishExportCmd struct {
	base
	Folder  string `arg:"" type:"existingdir" help:"La clé USB, ou un dossier. Les contenus y vont dans « parvis »."`
	Version string `help:"Version à copier ; sinon la dernière publiée."`
}

func (c *publishExportCmd) Run(rt *runtime) error {
	hub, err := c.open(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	info, err := packsOf(hub, rt).Export(rt.ctx, c.Folder, c.Version)
	if err != nil {
		return fmt.Errorf("%s : rien d’utilisable n’est copié : %w", c.Folder, err)
	}
	fmt.Fprintf(rt.stdout, "Contenus %s copiés dans %s. Une borne les prend jusqu’au %s ; après, refaites la copie.\n",
		info.Version, c.Folder, rt.now().Add(pack.StickValid).Local().Format("02/01/2006"))
	return nil
}
