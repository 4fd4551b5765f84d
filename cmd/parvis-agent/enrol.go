package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"parvis/kiosk/store"
	"parvis/provisioning/enrol"
)

type enrolCmd struct {
	Hub     string `arg:"" placeholder:"HUB" help:"Adresse du hub pour les bornes, par exemple hub.ville.fr:8443 ; ou CODE@HUB en un mot."`
	Code    string `arg:"" optional:"" help:"Code donné par le hub : il sert une fois, pendant 24 heures."`
	Data    string `default:"/var/lib/parvis" type:"path" help:"Dossier de la borne."`
	Profile string `default:"/etc/parvis/profil.toml" type:"path" placeholder:"FICHIER" help:"Profil que la borne a d’elle-même : il dit par quel proxy joindre le hub."`
	Proxy   string `env:"PARVIS_PROXY" placeholder:"URL" help:"Proxy, par exemple http://proxy.ville.fr:3128 ; sinon celui du profil, puis de HTTPS_PROXY. S’il y faut un mot de passe, mettez-le plutôt dans la variable : les options d’un programme se lisent de partout"`
}

// Help says what to do about a code that doesn't work.
func (*enrolCmd) Help() string {
	return "La clé de la borne ne la quitte jamais. Si le réseau tombe en route, refaites la même commande " +
		"avec le même code. Un agent qui tourne prend la nouvelle identité en quelques secondes."
}

// Run enrols the borne.
func (c *enrolCmd) Run(rt *runtime) error {
	line := c.Hub
	if c.Code != "" {
		line = c.Code + "@" + c.Hub
	}
	i, err := enrol.ParseInvitation(line)
	if err != nil {
		return err
	}
	if i.Hub == "" {
		return errors.New("il manque l’adresse du hub : « parvis-agent enrol HUB CODE »")
	}
	if err := asOwner(c.Data); err != nil {
		return err
	}
	st, err := store.Open(c.Data)
	if err != nil {
		return err
	}
	defer st.Close()
	id, err := enrol.Enrol(rt.ctx, i.Hub, i.Code, c.Data, enrol.Options{Proxy: c.Proxy, Settings: proxyOf(slog.Default(), c.Data, c.Profile)})
	if err != nil {
		return err
	}
	if err := st.SetSetting(rt.ctx, store.HubRecipient, id.Recipient()); err != nil {
		return err
	}
	waiting, err := st.Outbox(rt.ctx)
	if err != nil {
		return err
	}
	if n := kept(waiting, id); n > 0 {
		fmt.Fprintln(rt.stderr, keptBack(n))
	}
	_, ends := id.Certificate()
	_, err = fmt.Fprintf(rt.stdout, "La borne %s (%s) est enrôlée à %s.\nSon certificat va jusqu’au %s et se renouvelle seul.\n",
		id.Borne(), id.Site(), id.Hub(), ends.In(paris()).Format("02/01/2006 15:04"))
	return err
}

// asOwner gives up being root for the user whom the borne's identity belongs
// to: what enrolling writes, the agent must be able to read.
func asOwner(data string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	folder, err := os.Stat(data)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // root's, as all that it will make
	} else if err != nil {
		return err
	}
	owner := folder
	if identity, err := os.Stat(filepath.Join(data, "identity")); err == nil {
		owner = identity
	}
	uid, gid := int(owner.Sys().(*syscall.Stat_t).Uid), int(folder.Sys().(*syscall.Stat_t).Gid)
	if uid == 0 {
		return nil
	}
	if err := errors.Join(syscall.Setgroups([]int{gid}), syscall.Setgid(gid), syscall.Setuid(uid)); err != nil {
		return fmt.Errorf("passage à l’utilisateur n° %d, à qui appartient %s : %w", uid, data, err)
	}
	syscall.Umask(0o007) // the application is of the same group
	return nil
}

// paris is the time that IT reads.
func paris() *time.Location {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		return time.UTC // the program carries the time zones, so this doesn't come
	}
	return zone
}
