package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"parvis/content"
	"parvis/device/typeset"
	"parvis/docs"
	"parvis/hub/access"
	"parvis/hub/alerts"
	"parvis/hub/api"
	"parvis/hub/apt"
	"parvis/hub/callbacks"
	"parvis/hub/cards"
	"parvis/hub/console"
	"parvis/hub/coop"
	"parvis/hub/metrics"
	"parvis/hub/packs"
	"parvis/hub/people"
	"parvis/hub/profiles"
	"parvis/hub/rollout"
	"parvis/hub/statistics"
	"parvis/kiosk/hours"
	"parvis/kiosk/version"
)

type serveCmd struct {
	base
	Bornes   string         `default:":8443" placeholder:"ADRESSE" help:"Où écouter les bornes (TLS mutuel ; le certificat est fait par le hub)."`
	People   string         `default:"127.0.0.1:8080" placeholder:"ADRESSE" help:"Où servir la console."`
	Internal string         `default:"127.0.0.1:9464" placeholder:"ADRESSE" help:"Où servir /metrics, /healthz et /readyz aux machines."`
	URL      string         `placeholder:"URL" help:"Adresse de la console telle qu’on la tape, par exemple https://parvis.ville.fr ; sinon celle de --people."`
	Reached  string         `placeholder:"ADRESSE" help:"Où les bornes joignent ce hub, par exemple parvis.ville.fr:443 ; la console l’indique à l’enrôlement."`
	Cert     string         `type:"existingfile" help:"Certificat TLS de la console (PEM) ; sans lui, un serveur mandataire s’en charge."`
	Key      string         `type:"existingfile" help:"Clé de ce certificat (PEM)."`
	Proxy    []netip.Prefix `placeholder:"RÉSEAU" help:"Serveurs mandataires dont l’en-tête X-Forwarded-For est cru, par exemple 127.0.0.1/32."`
}

// Validate refuses half a certificate.
func (c *serveCmd) Validate() error {
	if (c.Cert == "") != (c.Key == "") {
		return errors.New("--cert et --key vont ensemble")
	}
	return nil
}

// stopWithin is how long running requests may take when the hub stops.
const stopWithin = 10 * time.Second

// gcPercent keeps ten thousand bornes under one gigabyte; see docs/scale.md.
const gcPercent = 40

// Run serves bornes and people until it is told to stop.
func (c *serveCmd) Run(rt *runtime) error {
	// Most of a hub's memory is what connections hold: garbage may be a
	// smaller share of it than Go's default lets it be.
	debug.SetGCPercent(gcPercent)
	log := slog.New(slog.NewJSONHandler(rt.stderr, nil))
	slog.SetDefault(log)
	hub, err := c.openNew(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	authority, err := hub.key.Authority(rt.ctx, hub.store, rt.now())
	if err != nil {
		return err
	}
	recipient, err := hub.key.CallbackRecipient(rt.ctx, hub.store)
	if err != nil {
		return err
	}

	bornes, err := net.Listen("tcp", c.Bornes)
	if err != nil {
		return fmt.Errorf("--bornes : %w", err)
	}
	defer bornes.Close()
	visitors, err := c.listenPeople()
	if err != nil {
		return fmt.Errorf("--people : %w", err)
	}
	defer visitors.Close()
	internal, err := net.Listen("tcp", c.Internal)
	if err != nil {
		return fmt.Errorf("--internal : %w", err)
	}
	defer internal.Close()
	if c.URL == "" {
		c.URL = scheme(c.Cert) + visitors.Addr().String()
	}
	if c.Reached == "" {
		c.Reached = reached(bornes.Addr().(*net.TCPAddr), c.URL)
	}

	packages, err := apt.Open(rt.ctx, hub.key, hub.store, rt.now)
	if err != nil {
		return err
	}
	oneCommand, err := packages.OneCommand(c.URL, c.Reached)
	if err != nil {
		return err
	}

	watch := alerts.New(alerts.Options{Store: hub.store, Key: hub.key, URL: c.URL, Now: rt.now, Log: log})
	queue, err := callbacks.New(rt.ctx, callbacks.Options{Store: hub.store, Key: hub.key, Alerts: watch, Now: rt.now, Log: log})
	if err != nil {
		return err
	}
	opens, err := hub.key.CallbackIdentity(rt.ctx, hub.store)
	if err != nil {
		return err
	}
	closed := statistics.New(hub.store, hours.Paris, opens)
	known, err := cards.Open(rt.ctx, hub.key, hub.store)
	if err != nil {
		return err
	}
	reporting, err := coop.New(coop.Options{Callbacks: queue, Tokens: access.New(hub.store, rt.now, hours.Paris), Log: log, Version: version.Version})
	if err != nil {
		return err
	}
	fingerprint := authority.Fingerprint()
	figures := metrics.New(hub.store, rt.now)
	a := api.New(api.Options{Store: hub.store, Authority: authority, Recipient: recipient, Log: log, Now: rt.now, Version: version.Version, Observer: figures, Apt: packages, Callbacks: queue})
	figures.Follow(a)
	who, err := people.New(people.Options{Store: hub.store, Key: hub.key, Now: rt.now})
	if err != nil {
		return err
	}
	checks, err := borneChecks()
	if err != nil {
		return err
	}
	settings := profiles.New(profiles.Options{Store: hub.store, Further: checks, Now: rt.now, Log: log})
	contents := packs.New(hub.store, hub.key, rt.now, log)
	directory, err := packs.NewDirectory(contents, content.FS, packNames)
	if err != nil {
		return err
	}
	pages, err := console.New(console.Options{
		Store: hub.store, People: who, Alerts: watch, Profiles: settings, Callbacks: queue, Cards: known, URL: c.URL, Fonts: typeset.Files(), Proxies: c.Proxy, Now: rt.now, Log: log,
		Version: version.Version, Fingerprint: fingerprint[:], BornesURL: "https://" + c.Reached,
		Offers: hub.offers(rt), Names: directory.Names, Guides: docs.Guides,
	})
	if err != nil {
		return err
	}
	front := http.NewServeMux()
	front.Handle("/", pages.Handler())
	for _, path := range []string{"/docs", "/openapi.json", "/openapi.yaml"} {
		front.Handle("GET "+path, a.Docs())
	}
	front.Handle("GET /apt/", packages.Handler("/apt/", log))
	front.Handle("GET /borne", oneCommand)
	front.Handle(coop.Prefix, reporting)
	front.Handle("GET /healthz", a.Live())
	front.Handle("GET /readyz", a.Ready())
	machines := http.NewServeMux()
	machines.Handle("GET /metrics", figures.Handler())
	machines.Handle("GET /healthz", a.Live())
	machines.Handle("GET /readyz", a.Ready())

	if err := c.greet(rt, who); err != nil {
		return err
	}
	return serveAll(rt.ctx, log,
		func(ctx context.Context) error { return a.Serve(ctx, bornes) },
		func(ctx context.Context) error { return serveHTTP(ctx, visitors, front, log) },
		func(ctx context.Context) error { return serveHTTP(ctx, internal, machines, log) },
		pages.Watch,
		watch.Serve,
		settings.Serve,
		rollout.New(rollout.Options{Store: hub.store, Offers: hub.offers(rt), Now: rt.now, Log: log}).Serve,
		contents.Serve,
		regularly(time.Hour, "people", who.Tidy, log),
		regularly(time.Hour, "callbacks", queue.Tidy, log),
		regularly(time.Minute, "deadlines", queue.Escalate, log),
		regularly(time.Hour, "statistics", func(ctx context.Context) error { return closed.Tidy(ctx, rt.now()) }, log),
	)
}

func scheme(cert string) string {
	if cert == "" {
		return "http://"
	}
	return "https://"
}

// reached is where bornes find this hub unless IT says so: on the console's
// host, where it listens on every address.
func reached(listens *net.TCPAddr, console string) string {
	host := listens.IP.String()
	if u, err := url.Parse(console); err == nil && listens.IP.IsUnspecified() {
		host = u.Hostname()
	}
	return net.JoinHostPort(host, strconv.Itoa(listens.Port))
}

// regularly does something at once and then again and again, until ctx ends.
// What fails is tried again the next time: the store may be away.
func regularly(every time.Duration, what string, do func(context.Context) error, log *slog.Logger) func(context.Context) error {
	return func(ctx context.Context) error {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			if err := do(ctx); err != nil && ctx.Err() == nil {
				log.Error("regular work failed", "what", what, "error", err)
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

func (c *serveCmd) listenPeople() (net.Listener, error) {
	if c.Cert == "" {
		return net.Listen("tcp", c.People)
	}
	pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		return nil, err
	}
	return tls.Listen("tcp", c.People, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}})
}

// greet tells where the hub is, and how the first administrator comes in: not
// the link itself, which would stay in a journal.
func (c *serveCmd) greet(rt *runtime, who *people.People) error {
	fmt.Fprintf(rt.stdout, "Console : %s\nBornes  : %s\nClé du hub : %s (gardez-en une copie ailleurs : elle ouvre les sauvegardes)\n", c.URL, c.Reached, c.keyFile())
	all, err := who.List(rt.ctx)
	if err != nil || len(all) > 0 {
		return err
	}
	_, err = fmt.Fprintf(rt.stdout, "\nPersonne n’a encore de compte. Pour le premier administrateur : parvis-hub person first --data %s --url %s\n", c.Data, c.URL)
	return err
}

// serveAll runs every part until ctx ends or one of them fails, which ends the others.
func serveAll(ctx context.Context, log *slog.Logger, parts ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, len(parts))
	for _, part := range parts {
		go func() { ended <- part(ctx) }()
	}
	tellSystemd(log, daemon.SdNotifyReady)
	go feedWatchdog(ctx, log)
	var all []error
	for range parts {
		all = append(all, <-ended)
		tellSystemd(log, daemon.SdNotifyStopping)
		cancel()
	}
	return errors.Join(all...)
}

func serveHTTP(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx }, // live pages end with the hub
		ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	return server.Shutdown(last)
}

func tellSystemd(log *slog.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("systemd", "state", state, "error", err)
	}
}

// feedWatchdog tells systemd that the hub lives, where systemd wants to know.
func feedWatchdog(ctx context.Context, log *slog.Logger) {
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every == 0 {
		return
	}
	tick := time.NewTicker(every / 3)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			tellSystemd(log, daemon.SdNotifyWatchdog)
		case <-ctx.Done():
			return
		}
	}
}
