package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"time"

	"parvis/kiosk/link"
	"parvis/kiosk/store"
	"parvis/provisioning/enrol"
)

// enrolWithin is how long enrolling may take while somebody stands at the glass.
const enrolWithin = time.Minute

// enrolAsked enrols the borne by the invitation that somebody has typed at it,
// if there is one, and leaves word of what became of it.
func (p *program) enrolAsked(ctx context.Context) {
	line, err := p.store.Setting(ctx, store.EnrolAsked)
	if err != nil || line == "" {
		return
	}
	p.followNetwork(ctx) // which may have come on the same stick
	ctx, cancel := context.WithTimeout(ctx, enrolWithin)
	defer cancel()
	answer := store.EnrolDone
	if id, err := p.enrol(ctx, line); err != nil {
		answer = shortened(atTheGlass(err))
		p.log.Warn("enrôlement refusé", "erreur", err)
	} else {
		p.log.Info("la borne est enrôlée", "borne", id.Borne(), "hub", id.Hub())
	}
	// The answer first: whoever finds the question gone looks for it.
	err = errors.Join(p.store.SetSetting(ctx, store.EnrolAnswer, answer), p.store.SetSetting(ctx, store.EnrolAsked, ""))
	if err != nil {
		p.log.Error("réponse à l’enrôlement non gardée", "erreur", err)
	}
}

func (p *program) enrol(ctx context.Context, line string) (*enrol.Identity, error) {
	i, err := enrol.ParseInvitation(line)
	if err != nil {
		return nil, err
	}
	if i.Hub, err = hubOf(i, p.cmd.HubFile); err != nil {
		return nil, err
	}
	return enrol.Enrol(ctx, i.Hub, i.Code, p.cmd.Data, enrol.Options{Proxy: p.cmd.Proxy, Settings: p.proxy()})
}

// errHubAway says at the glass what keeps a hub from answering; the log has the
// rest.
var errHubAway = errors.New("le hub ne répond pas. Vérifiez son adresse après « @ », le câble de réseau et le pare-feu")

// atTheGlass is an error in words for who stands at the borne.
func atTheGlass(err error) string {
	var refused *link.Problem
	var unreached net.Error
	if !errors.As(err, &refused) && errors.As(err, &unreached) {
		return errHubAway.Error()
	}
	return err.Error()
}

// hubOf is the hub's address: that of the invitation, or else the one that IT
// has put into a file.
func hubOf(i enrol.Invitation, file string) (string, error) {
	if i.Hub != "" {
		return i.Hub, nil
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", errors.New("il manque l’adresse du hub : ajoutez-la après le code, comme « @hub.ville.fr:8443 »")
	} else if err != nil {
		return "", fmt.Errorf("adresse du hub : %w", err)
	}
	return strings.TrimSpace(string(data)), nil
}

// shortened keeps a reason to what a setting has room for.
func shortened(s string) string {
	const most = 190 // bytes
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
