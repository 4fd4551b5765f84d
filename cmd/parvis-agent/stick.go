package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"parvis/kiosk/agent"
	"parvis/kiosk/agent/network"
	"parvis/kiosk/store"
	"parvis/provisioning/enrol"
	"parvis/provisioning/pack"
	"parvis/provisioning/profile"
)

type stickCmd struct {
	Mount string `arg:"" type:"existingdir" help:"Dossier où la clé USB est montée."`
	Data  string `default:"/var/lib/parvis" type:"path" help:"Dossier de la borne."`
}

// Help says what is taken, and what isn't.
func (*stickCmd) Help() string {
	return "Pour une borne neuve, lit sur une clé USB le code d’enrôlement, dans « " + enrol.InvitationFile + " », " +
		"et le réseau de la machine, dans « " + networkFile + " ». " +
		"Pour une borne enrôlée, prend le lot de contenus le plus récent, s’il porte les signatures de votre ville : " +
		"le dossier « parvis » de la clé, tel que « parvis-hub » l’écrit. Rien d’autre n’est lu sur la clé."
}

// Run takes from a stick what the borne lacks: its enrolment code, or a pack. The
// agent does the rest.
func (c *stickCmd) Run(rt *runtime) error {
	if err := asOwner(c.Data); err != nil {
		return err
	}
	st, err := store.Open(c.Data)
	if err != nil {
		return err
	}
	defer st.Close()
	if _, err := enrol.Load(c.Data); err != nil {
		return c.invite(rt, st, err)
	}
	p := &packs{data: c.Data}
	local, release, err := p.alone()
	if errors.Is(err, pack.ErrBusy) {
		return fmt.Errorf("%w : recommencez dans quelques minutes", err)
	}
	if err != nil {
		return err
	}
	defer release()
	version, _, err := local.UpdateFrom(rt.ctx, os.DirFS(c.Mount), usable)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s : il n’y a pas de contenus pour une borne sur cette clé (dossier « %s »)", c.Mount, pack.StickFolder)
	}
	if err != nil {
		return err
	}
	if err := st.SetSetting(rt.ctx, agent.StickSetting, version); err != nil {
		return err
	}
	_, err = fmt.Fprintf(rt.stdout, "Le lot de contenus %s est sur la borne. Elle le montre dès que personne ne s’en sert ; vous pouvez retirer la clé.\n", version)
	return err
}

// networkFile is the name of the file on a USB stick that holds the network of a
// new borne: the table [reseau] of a profile.
const networkFile = "parvis-reseau.toml"

// How much of a stick's files is read, in bytes: a line, a table.
const (
	maxInvitation = 1 << 10
	maxNetwork    = 64 << 10
)

// invite hands the agent what a stick has for a new borne: its network, the
// invitation. stranger is why the borne has no identity.
func (c *stickCmd) invite(rt *runtime, st *store.Store, stranger error) error {
	wired, err := c.wire()
	if err != nil {
		return err
	}
	line, err := c.readFile(enrol.InvitationFile, maxInvitation)
	switch {
	case errors.Is(err, fs.ErrNotExist) && wired:
		_, err = fmt.Fprintln(rt.stdout, "Le réseau de la borne est celui de la clé ; vous pouvez la retirer.")
		return err
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w ; il n’y a pas de fichier « %s » sur cette clé", stranger, enrol.InvitationFile)
	case err != nil:
		return fmt.Errorf("%s : %w", enrol.InvitationFile, err)
	}
	i, err := enrol.ParseInvitation(strings.TrimPrefix(string(line), "\ufeff"))
	if err != nil {
		return fmt.Errorf("%s : %w", enrol.InvitationFile, err)
	}
	if err := st.SetSetting(rt.ctx, store.EnrolAsked, i.Text()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(rt.stdout, "L’agent s’enrôle avec le code de la clé ; vous pouvez la retirer.")
	return err
}

// wire keeps the network that the stick has for the borne, if it has one.
func (c *stickCmd) wire() (found bool, err error) {
	text, err := c.readFile(networkFile, maxNetwork)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s : %w", networkFile, err)
	}
	if len(text) == maxNetwork {
		return false, fmt.Errorf("%s : trop grand pour une table [reseau]", networkFile)
	}
	if _, err := profile.ParseNetwork(networkFile, text); err != nil {
		return false, err
	}
	return true, network.WriteAgents(c.Data, network.StickFile, text)
}

// readFile reads the beginning of a file that lies on the stick itself.
func (c *stickCmd) readFile(name string, most int64) ([]byte, error) {
	f, err := os.OpenInRoot(c.Mount, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}
