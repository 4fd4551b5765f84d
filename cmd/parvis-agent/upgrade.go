package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
	"time"

	"parvis/kiosk/agent/upgrade"
	"parvis/kiosk/store"
)

// agentUser is whom the agent runs as; see parvis.sysusers.
const agentUser = "parvis-agent"

// packageKeys are where the hub's key for packages may lie; the first that is
// there counts.
var packageKeys = []string{"/etc/parvis/apt.asc", "/usr/share/keyrings/parvis.gpg"}

type upgradeCmd struct {
	Data    string        `default:"/var/lib/parvis" type:"path" help:"Dossier de la borne."`
	Healthy time.Duration `default:"1m" help:"Combien de temps d’affilée la borne doit bien aller."`
	Within  time.Duration `default:"5m" help:"Après combien de temps, sinon, la version d’avant est remise."`
	Before  time.Duration `default:"10m" help:"Après combien de temps la borne est dite en panne dès avant la mise à jour : la nouvelle version est alors gardée si rien n’est pire."`
}

// Help says who runs it.
func (*upgradeCmd) Help() string {
	return "Lancé par parvis-upgrade.service, à la demande de l’agent et au démarrage si une mise à jour a été interrompue. " +
		"Seul root peut le lancer. Le résultat se lit dans upgrade/result.json du dossier de la borne."
}

// Run brings the borne to another version, or back.
func (c *upgradeCmd) Run(rt *runtime) error {
	if os.Geteuid() != 0 {
		return errors.New("seul root peut mettre à jour le logiciel : « systemctl start " + upgrade.Service + " »")
	}
	log := slog.New(newLog(rt.stderr, os.Getenv("JOURNAL_STREAM") != ""))
	as, err := credential(agentUser)
	if err != nil {
		return err
	}
	r := &upgrade.Replacer{
		Data: c.Data, Agent: as.Uid, State: "/var/lib/parvis-upgrade", Slots: "/data/lib/parvis-upgrade", Cache: "/var/cache/parvis-upgrade",
		Keys: packageKeys, Slot: "/usr/lib/parvis/slot",
		Times: upgrade.Times{Healthy: c.Healthy, Within: c.Within, Before: c.Before}, Alive: c.alive, Now: rt.now, Log: log,
		Reboot: func(ctx context.Context) error {
			if out, err := exec.CommandContext(ctx, "systemctl", "reboot").CombinedOutput(); err != nil {
				return fmt.Errorf("systemctl reboot : %w : %s", err, out)
			}
			return nil
		},
	}
	return r.Run(rt.ctx)
}

// How often root's half is offered the hub's key, until it has one.
const (
	keyEvery   = time.Minute
	noKeyEvery = 10 * time.Minute // the hub has none, or root has not taken it
)

// offerKey brings root's half the key of the hub that the borne is enrolled at,
// where nobody else has: the borne was enrolled at its glass.
func (p *program) offerKey(ctx context.Context, software *upgrade.Upgrader) {
	said := ""
	for ctx.Err() == nil && software.NeedsKey() {
		err := software.OfferKey(ctx)
		wait := noKeyEvery
		if err != nil {
			if text := err.Error(); text != said && ctx.Err() == nil {
				p.log.Warn("clé des paquets du hub", "erreur", err)
				said = text
			}
			if !errors.Is(err, upgrade.ErrUnfit) {
				wait = keyEvery
			}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// aliveWithin is how long reading how the application is may take: the folder is
// the application's too, and what lies there may never answer.
const aliveWithin = 10 * time.Second

// alive reads how the application is as the agent's user: the file is not one
// that root should trust.
func (c *upgradeCmd) alive(ctx context.Context) (store.Alive, error) {
	var a store.Alive
	as, err := credential(agentUser)
	if err != nil {
		return a, err
	}
	ctx, cancel := context.WithTimeout(ctx, aliveWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", "alive", "--data", c.Data)
	cmd.WaitDelay = time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	cmd.Args[0], cmd.Dir = "parvis-agent", "/"
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return a, fmt.Errorf("%w : %s", err, exit.Stderr)
	}
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(out, &a)
}

func credential(name string) (*syscall.Credential, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	groups, err3 := u.GroupIds()
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, fmt.Errorf("utilisateur %s : %w", name, err)
	}
	as := &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	for _, group := range groups {
		id, err := strconv.ParseUint(group, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("utilisateur %s : %w", name, err)
		}
		as.Groups = append(as.Groups, uint32(id))
	}
	return as, nil
}

// aliveCmd is for upgradeCmd alone.
type aliveCmd struct {
	Data string `required:"" type:"path"`
}

// Run prints how the application says it is, as JSON.
func (c *aliveCmd) Run(rt *runtime) error {
	st, err := store.OpenReadOnly(c.Data)
	if err != nil {
		return err
	}
	defer st.Close()
	a, err := st.Alive(rt.ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(rt.stdout).Encode(a)
}
