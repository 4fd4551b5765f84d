package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"parvis/kiosk/agent/network"
	"parvis/kiosk/agent/shelf"
	"parvis/provisioning/enrol"
	"parvis/provisioning/profile"
)

type networkCmd struct {
	Data    string        `default:"/var/lib/parvis" type:"path" help:"Dossier de la borne."`
	Profile string        `default:"/etc/parvis/profil.toml" type:"path" placeholder:"FICHIER" help:"Profil que la borne a d’elle-même, tant que le hub n’en donne pas."`
	Kept    string        `default:"/etc/parvis/reseau.json" type:"path" placeholder:"FICHIER" help:"Où garder les réglages avec lesquels le hub a été joint."`
	Within  time.Duration `default:"5m" help:"Après combien de temps sans joindre le hub les réglages d’avant sont remis."`
	Restore bool          `help:"Remet les réglages gardés, et rien d’autre : au démarrage, et après un essai interrompu."`
}

// Help says who runs it.
func (*networkCmd) Help() string {
	return "Lancé par parvis-reseau.service, à la demande de l’agent. Seul root peut le lancer. " +
		"Règle systemd-networkd et systemd-timesyncd d’après [reseau] du profil ; " +
		"si le hub n’est pas joint ensuite, les réglages d’avant reviennent."
}

// Run has the machine's network follow the profile, or go back.
func (c *networkCmd) Run(rt *runtime) error {
	if os.Geteuid() != 0 {
		return errors.New("seul root peut régler le réseau : « systemctl start " + network.Service + " »")
	}
	as, err := credential(agentUser)
	if err != nil {
		return err
	}
	a := &network.Applier{
		Wanted: func() (network.Settings, error) { return networkWanted(c.Data, c.Profile, as.Uid) },
		Word:   func() (network.Word, error) { return network.ReadWord(c.Data, as.Uid) },
		Kept:   c.Kept, State: network.StateDir, Systemd: "/run/systemd",
		Within: c.Within, Command: runProgram, Now: rt.now,
		Log: slog.New(newLog(rt.stderr, os.Getenv("JOURNAL_STREAM") != "")),
	}
	if c.Restore {
		return a.Restore(rt.ctx)
	}
	return a.Run(rt.ctx)
}

// commandWithin is how long a program of systemd's may take.
const commandWithin = 30 * time.Second

func runProgram(ctx context.Context, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, commandWithin)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out, fmt.Errorf("%s %s : %w : %s", name, args[0], err, exit.Stderr)
	}
	return out, err
}

// networkWanted is what a borne should have of its machine's network: what its
// profile says, and where that is silent, what came on a stick when it was new.
func networkWanted(data, own string, agent uint32) (network.Settings, error) {
	said, err := networkSaid(data, own, agent)
	if err != nil {
		return network.Settings{}, err
	}
	stick, err := stickNetwork(data, agent)
	if err != nil {
		return network.Settings{}, err
	}
	n := profile.Under(said, stick)
	return network.Parse(n.Address, n.Gateway, n.DNS, n.Time)
}

// networkSaid reads what the profile in force says of the network.
func networkSaid(data, own string, agent uint32) (profile.Network, error) {
	text, err := network.ReadAgents(data, filepath.Join(profileFolder, shelf.Current), agent)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = readOwn(own)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return profile.Network{}, nil
	}
	if err != nil {
		return profile.Network{}, err
	}
	return profile.NetworkOf("profil", text)
}

// readOwn reads the borne's own profile, which is root's.
func readOwn(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, network.MostFile))
}

// stickNetwork is what a stick has brought while the borne was new.
func stickNetwork(data string, agent uint32) (profile.Network, error) {
	text, err := network.ReadAgents(data, network.StickFile, agent)
	if errors.Is(err, fs.ErrNotExist) {
		return profile.Network{}, nil
	}
	if err != nil {
		return profile.Network{}, err
	}
	return profile.ParseNetwork(networkFile, text)
}

// newFollower is the agent's half of the machine's network.
func (c *runCmd) newFollower() *network.Follower {
	return &network.Follower{Dir: c.Data, State: network.StateDir, Settings: func() (network.Settings, error) {
		return networkWanted(c.Data, c.Profile, uint32(os.Geteuid()))
	}}
}

// followNetwork has the machine's network go by the borne's settings.
func (p *program) followNetwork(ctx context.Context) {
	if p.network == nil {
		return
	}
	_, stranger := enrol.Load(p.cmd.Data)
	enrolled := !errors.Is(stranger, enrol.ErrNotEnrolled)
	err := errors.Join(p.network.Enrolled(enrolled), p.network.Follow(ctx))
	if err != nil && ctx.Err() == nil {
		p.log.Warn("réseau de la machine", "erreur", err)
	}
}

// stickTime is when a stick has last brought settings of the network.
func (p *program) stickTime() time.Time {
	info, err := os.Stat(filepath.Join(p.cmd.Data, network.StickFile))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// proxy tells the proxy by which the agent reaches the hub, unless it is given
// one.
func (p *program) proxy() func() (proxy string, without []string) {
	return proxyOf(p.log, p.cmd.Data, p.cmd.Profile)
}

// proxyOf tells the proxy of the profile in force, or of the stick where that
// names none, and what is reached without it. A profile that can't be read has
// none: the hub may have a better one.
func proxyOf(log *slog.Logger, data, own string) func() (proxy string, without []string) {
	return func() (string, []string) {
		stick, err := stickNetwork(data, uint32(os.Geteuid()))
		if err != nil {
			log.Debug("proxy de la clé USB", "erreur", err)
		}
		p, err := inForce(data, own)
		if err != nil {
			log.Debug("proxy", "erreur", err)
			return stick.Proxy, slices.Clone(stick.NoProxy)
		}
		n := profile.Under(p.Network, stick)
		return n.Proxy, n.NoProxy
	}
}
