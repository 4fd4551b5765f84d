package network

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// The files that systemd reads, and its services.
const (
	networkName = "network/50-parvis.network"
	timeName    = "timesyncd.conf.d/50-parvis.conf"

	networkd  = "systemd-networkd.service"
	timesyncd = "systemd-timesyncd.service"
	resolved  = "systemd-resolved.service"
)

// settleWithin is how long systemd-networkd may take to go by other settings.
const settleWithin = 20 * time.Second

// effect is what came of other settings.
type effect struct {
	taken bool   // the machine goes by them
	why   string // what of them it doesn't take
}

// put has the machine go by settings. It changes nothing where somebody else than
// systemd-networkd looks after the cable.
func (a *Applier) put(ctx context.Context, s Settings) (effect, error) {
	if why := a.against(ctx, s); why != "" {
		return effect{why: why}, nil
	}
	return a.putBack(ctx, s)
}

// putBack is put for settings that were in force already, whoever looks after
// the cable now: nothing else is left behind.
func (a *Applier) putBack(ctx context.Context, s Settings) (effect, error) {
	changed, err := a.write(s)
	if err != nil {
		return effect{}, err
	}
	if err := a.renew(ctx, changed, true); err != nil {
		return effect{}, err
	}
	if why := a.against(ctx, s); why != "" {
		return effect{why: why}, nil
	}
	if s.link() {
		if why := a.settle(ctx, s); why != "" {
			return effect{why: why}, ctx.Err()
		}
	}
	switch {
	case len(s.DNS) > 0 && !a.active(ctx, resolved):
		return effect{true, "serveurs de noms : systemd-resolved ne tourne pas sur cette machine ; réglez-les dans /etc/resolv.conf"}, nil
	case len(s.Time) > 0 && !a.active(ctx, timesyncd):
		return effect{true, "serveurs de temps : systemd-timesyncd ne tourne pas sur cette machine ; réglez-les là où elle prend l’heure"}, nil
	}
	return effect{taken: true}, nil
}

// renew has those who run go by the files that have changed. Without wait it is
// over before they do: what starts before them must not wait for them.
func (a *Applier) renew(ctx context.Context, c changes, wait bool) error {
	if c.network && a.active(ctx, networkd) {
		if err := a.reload(ctx); err != nil {
			return err
		}
	}
	if c.time && a.active(ctx, timesyncd) {
		args := []string{"try-restart", timesyncd}
		if !wait {
			args = append([]string{"--no-block"}, args...)
		}
		_, err := a.Command(ctx, "systemctl", args...)
		return err
	}
	return nil
}

// against is why this machine's network is not ours to change, or empty.
func (a *Applier) against(ctx context.Context, s Settings) string {
	if !s.link() {
		return ""
	}
	begin := "adresse fixe : "
	if !s.Address.IsValid() {
		begin = "serveurs de noms : "
	}
	const end = " Rien n’a été changé : réglez-le là, ou passez le câble à systemd-networkd."
	if a.active(ctx, "NetworkManager.service") {
		return begin + "NetworkManager tient le réseau de cette machine." + end
	}
	if !a.active(ctx, networkd) {
		return begin + "systemd-networkd ne tourne pas sur cette machine, autre chose tient son réseau (ifupdown ?)." + end
	}
	links, err := a.links(ctx)
	if err != nil {
		return begin + err.Error()
	}
	if !slices.ContainsFunc(links, link.managed) {
		return begin + "systemd-networkd ne tient aucun câble de cette machine, autre chose s’en occupe (ifupdown ?)." + end
	}
	return ""
}

func (a *Applier) active(ctx context.Context, unit string) bool {
	_, err := a.Command(ctx, "systemctl", "is-active", "--quiet", unit)
	return err == nil
}

// changes tells which of the files are others now.
type changes struct{ network, time bool }

// write writes the files for systemd, or takes them away.
func (a *Applier) write(s Settings) (c changes, err error) {
	if c.network, err = a.writeOne(networkName, s.networkFile()); err != nil {
		return c, err
	}
	c.time, err = a.writeOne(timeName, s.timeFile())
	return c, err
}

func (a *Applier) writeOne(name string, text []byte) (changed bool, err error) {
	path := filepath.Join(a.Systemd, name)
	before, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if there := err == nil; there == (text != nil) && bytes.Equal(before, text) {
		return false, nil
	}
	if text == nil {
		return true, os.Remove(path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return false, err
	}
	return true, replace(path, text, 0o644)
}

// link is an interface as systemd-networkd describes it.
type link struct {
	Name, Type, NetworkFile           string
	AdministrativeState, CarrierState string
	Addresses                         []struct {
		Address      []uint16 // bytes, as numbers
		PrefixLength int
		ConfigState  string
	}
}

func (l link) managed() bool {
	return l.Type == "ether" && l.AdministrativeState != "unmanaged" && l.NetworkFile != ""
}

func (l link) has(p netip.Prefix) bool {
	for _, a := range l.Addresses {
		raw := make([]byte, len(a.Address))
		for i, b := range a.Address {
			raw[i] = byte(b)
		}
		if ip, ok := netip.AddrFromSlice(raw); ok && netip.PrefixFrom(ip, a.PrefixLength) == p && a.ConfigState == "configured" {
			return true
		}
	}
	return false
}

func (a *Applier) links(ctx context.Context) ([]link, error) {
	out, err := a.Command(ctx, "networkctl", "--json=short", "list")
	if err != nil {
		return nil, err
	}
	var all struct{ Interfaces []link }
	if err := json.Unmarshal(out, &all); err != nil {
		return nil, fmt.Errorf("networkctl : %w", err)
	}
	return all.Interfaces, nil
}

// reload has systemd-networkd read its files again, and begin anew with its
// cables.
func (a *Applier) reload(ctx context.Context) error {
	if _, err := a.Command(ctx, "networkctl", "reload"); err != nil {
		return err
	}
	links, err := a.links(ctx)
	if err != nil {
		return err
	}
	for _, l := range links {
		if l.managed() {
			if _, err := a.Command(ctx, "networkctl", "reconfigure", l.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// settle waits until systemd-networkd goes by settings; why says that it doesn't.
// One without a cable will when there is one.
func (a *Applier) settle(ctx context.Context, s Settings) (why string) {
	ours := filepath.Join(a.Systemd, networkName)
	for began := a.Now(); ; {
		links, err := a.links(ctx)
		why = "réseau : aucun câble ne prend les réglages de la borne : un autre fichier de systemd-networkd passe avant 50-parvis.network"
		for _, l := range links {
			switch {
			case l.NetworkFile != ours:
			case !s.Address.IsValid(), l.CarrierState == "no-carrier", l.CarrierState == "off", l.has(s.Address):
				return ""
			default:
				why = "réseau : l’adresse " + s.Address.String() + " n’a pas pu être prise"
			}
		}
		if err != nil {
			why = "réseau : " + err.Error()
		}
		if a.Now().Sub(began) > settleWithin {
			return why
		}
		select {
		case <-time.After(lookEvery / 4):
		case <-ctx.Done():
			return why
		}
	}
}
