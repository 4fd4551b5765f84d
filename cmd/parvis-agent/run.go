package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"parvis/kiosk/agent"
	"parvis/kiosk/agent/inventory"
	"parvis/kiosk/agent/machine"
	"parvis/kiosk/agent/unit"
	"parvis/kiosk/agent/upgrade"
	"parvis/kiosk/link"
	"parvis/kiosk/store"
	"parvis/kiosk/version"
	"parvis/provisioning/enrol"
)

type runCmd struct {
	Data    string   `default:"/var/lib/parvis" type:"path" help:"Dossier de la borne."`
	Hub     string   `placeholder:"HOTE:PORT" help:"Adresse du hub, si ce n’est plus celle de l’enrôlement."`
	HubFile string   `default:"/etc/parvis/hub" type:"path" placeholder:"FICHIER" help:"Fichier qui donne l’adresse du hub à une borne neuve, quand le code tapé à l’écran ne la porte pas."`
	Proxy   string   `env:"PARVIS_PROXY" placeholder:"URL" help:"Proxy, par exemple http://proxy.ville.fr:3128 ; sinon celui du profil, puis de HTTPS_PROXY. S’il y faut un mot de passe, mettez-le plutôt dans la variable : les options d’un programme se lisent de partout"`
	Unit    string   `placeholder:"NOM" help:"Service systemd de l’application, par exemple parvis.service ; sans lui, elle se relance elle-même."`
	Profile string   `default:"/etc/parvis/profil.toml" type:"path" placeholder:"FICHIER" help:"Profil que la borne a d’elle-même, tant que le hub n’en donne pas : il dit quand la maison est fermée et par quel proxy joindre le hub."`
	App     string   `type:"path" placeholder:"FICHIER" help:"Programme de l’application, qui juge les profils du hub ; sinon « parvis », à côté de ce programme."`
	Logs    []string `type:"path" placeholder:"FICHIER" help:"Fichiers de journal à montrer aux agents, où il n’y a pas de journal systemd."`
}

// agentUnit is this program as systemd knows it.
const agentUnit = "parvis-agent.service"

// How often the identity is looked for: one that isn't there yet, and one that
// IT has put in the place of the one in use.
const (
	lookForIdentity = 3 * time.Second
	lookForQuestion = 500 * time.Millisecond // somebody waits at the glass
)

// Run works until it is told to end, with whatever identity the borne has.
func (c *runCmd) Run(rt *runtime) error {
	log := slog.New(newLog(rt.stderr, os.Getenv("JOURNAL_STREAM") != ""))
	slog.SetDefault(log)
	if c.Hub != "" {
		if _, err := link.ParseHub(c.Hub); err != nil {
			return fmt.Errorf("--hub : %w", err)
		}
	}
	st, err := store.Open(c.Data)
	if err != nil {
		return err
	}
	defer st.Close()
	release, err := alone(c.Data)
	if err != nil {
		return err
	}
	defer release()
	p := &program{cmd: c, rt: rt, log: log, store: st, packs: &packs{data: c.Data}}
	if c.Unit != "" {
		p.service, p.network = &service{name: c.Unit}, c.newFollower()
		defer p.service.close()
	}
	unit.Ready("démarre")
	defer context.AfterFunc(rt.ctx, func() { unit.Stopping("s’arrête") })()
	fed := make(chan error, 1)
	go func() { fed <- unit.Feed(rt.ctx, p.moves) }()
	err = p.serve(rt.ctx)
	return errors.Join(err, <-fed)
}

// alone makes sure that no other agent works on the same borne: the hub would
// take them for two machines with one identity.
func alone(dir string) (release func() error, err error) {
	f, err := os.OpenFile(filepath.Join(dir, "agent.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("un autre agent se sert déjà de %s : « systemctl status %s »", dir, agentUnit)
	}
	return f.Close, nil
}

// serve serves under one identity after the other, until ctx ends.
func (p *program) serve(ctx context.Context) error {
	for ctx.Err() == nil {
		id := p.identity(ctx)
		if id == nil {
			break
		}
		if err := p.serveAs(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// identity waits until the borne has an identity; nil when ctx has ended before.
func (p *program) identity(ctx context.Context) *enrol.Identity {
	said, stick := "", time.Time{}
	for first := true; ; first = false {
		p.enrolAsked(ctx)
		id, err := enrol.Load(p.cmd.Data)
		if err == nil {
			return id
		}
		if text := err.Error(); text != said {
			p.log.Warn("pas d’identité", "erreur", err)
			unit.Status(text)
			said = text
		}
		if at := p.stickTime(); first || !at.Equal(stick) {
			stick = at
			p.followNetwork(ctx)
		}
		select {
		case <-time.After(lookForQuestion):
		case <-ctx.Done():
			return nil
		}
	}
}

// serveAs serves under one identity, until another takes its place or ctx ends.
func (p *program) serveAs(ctx context.Context, id *enrol.Identity) error {
	err := errors.Join(p.store.SetSetting(ctx, store.HubSite, shortened(id.Site())), p.store.SetSetting(ctx, store.HubRecipient, id.Recipient()))
	if err != nil && ctx.Err() == nil {
		p.log.Error("hub non gardé", "erreur", err)
	}
	hub := id.Hub()
	if p.cmd.Hub != "" {
		hub = p.cmd.Hub
	}
	client, err := link.NewClient(link.ClientOptions{Hub: hub, TLS: id.TLS(), Proxy: p.cmd.Proxy, Settings: p.proxy()})
	if err != nil {
		return err
	}
	defer client.Close()
	software := p.software(client)
	a := agent.New(p.options(id, client, software))
	p.agent.Store(a)
	defer p.agent.Store(nil)
	p.log.Info("agent en service", "borne", id.Borne(), "hub", hub, "version", version.Version)
	unit.Status("borne " + id.Borne() + ", hub " + hub)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		p.awaitOther(ctx, id)
	}()
	go p.packs.pin(ctx, client)
	if software != nil {
		go p.offerKey(ctx, software)
	}
	go p.followNetwork(ctx)
	return a.Serve(ctx)
}

// awaitOther waits until the identity on the disk is not id, which renews itself.
func (p *program) awaitOther(ctx context.Context, id *enrol.Identity) {
	tick := time.NewTicker(lookForIdentity)
	defer tick.Stop()
	other := 0
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		disk, err := enrol.Load(p.cmd.Data)
		if err != nil || disk.Serial() == id.Serial() {
			other = 0
			continue
		}
		// A renewal is on the disk a moment before it is known here.
		if other++; other == 2 {
			p.log.Info("la borne a une nouvelle identité", "borne", disk.Borne(), "hub", disk.Hub())
			return
		}
	}
}

func (p *program) options(id *enrol.Identity, client *link.Client, software *upgrade.Upgrader) agent.Options {
	o := agent.Options{
		Store: p.store, Client: client,
		Profiles: filepath.Join(p.cmd.Data, profileFolder), Content: filepath.Join(p.cmd.Data, contentFolder),
		CheckProfile: p.checkProfile, UpdatePack: p.packs.update, KeepPacks: p.packs.keep, Closed: p.closed,
		Version: version.Version, Log: p.log, Now: p.rt.now, Identity: id,
		Machine: func() (machine.Facts, error) { return machine.Read(p.cmd.Data) },
		Inventory: func(ctx context.Context) (link.Inventory, error) {
			return inventory.Read(ctx, inventory.Machine, inventory.FromUDisks)
		},
		Logs: p.logs,
	}
	if p.service != nil {
		o.Unit, o.Reboot = p.service, p.service.Reboot
	}
	if software != nil {
		o.Software = software
	}
	if p.network != nil {
		o.Network = p.network
	}
	if len(p.cmd.Logs) > 0 {
		o.DropLogs = p.dropLogs
	}
	return o
}

// software brings the borne's package to other versions; nil where the borne was
// not installed from one, or no systemd looks after it.
func (p *program) software(client *link.Client) *upgrade.Upgrader {
	if p.service == nil {
		return nil
	}
	u := upgrade.New(upgrade.Options{Dir: p.cmd.Data, Client: client, Keys: packageKeys, Now: p.rt.now, Log: p.log,
		Good: func(time.Time) bool { // by the agent's clock, which the hub has put right
			a := p.agent.Load()
			return a != nil && a.MayStop()
		}})
	if u.Installed() == "" {
		return nil
	}
	return u
}

func (p *program) logs(ctx context.Context, last time.Duration, most int) ([]byte, error) {
	if len(p.cmd.Logs) > 0 {
		return machine.Tail(p.cmd.Logs, most)
	}
	units := []string{agentUnit}
	if p.cmd.Unit != "" {
		units = append(units, p.cmd.Unit)
	}
	return machine.Logs(ctx, units, last, most)
}

// dropLogs empties the log files: whoever writes into them goes on.
func (p *program) dropLogs() error {
	var err error
	for _, file := range p.cmd.Logs {
		err = errors.Join(err, os.Truncate(file, 0))
	}
	return err
}
