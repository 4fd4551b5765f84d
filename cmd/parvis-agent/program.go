package main

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"parvis/kiosk/agent"
	"parvis/kiosk/agent/network"
	"parvis/kiosk/agent/unit"
	"parvis/kiosk/store"
)

// program is the daemon around the agent.
type program struct {
	cmd     *runCmd
	rt      *runtime
	log     *slog.Logger
	store   *store.Store
	service *service // nil where no systemd looks after the application
	packs   *packs
	network *network.Follower // nil as well

	agent atomic.Pointer[agent.Agent] // nil while the borne has no identity
	stuck atomic.Bool                 // said in the log
}

// moves tells systemd's watchdog whether the agent's loops come round.
func (p *program) moves() bool {
	a := p.agent.Load()
	if a == nil {
		return true
	}
	loop := a.Stuck()
	if loop != "" && !p.stuck.Swap(true) {
		p.log.Error("l’agent est bloqué : systemd va le relancer", "boucle", loop)
	}
	return loop == ""
}

// service is the application as a service of systemd. The bus may come later
// than the agent, and go.
type service struct {
	name string

	mu   sync.Mutex
	conn *unit.Conn
}

func (s *service) bus(ctx context.Context) (*unit.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		return s.conn, nil
	}
	conn, err := unit.Connect(ctx)
	if err != nil {
		return nil, err
	}
	s.conn = conn
	return conn, nil
}

func (s *service) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		s.conn.Close()
	}
}

// State is systemd's word for how the application is.
func (s *service) State(ctx context.Context) (string, error) {
	bus, err := s.bus(ctx)
	if err != nil {
		return "", err
	}
	state, err := bus.State(ctx, s.name)
	return string(state.Active), err
}

// Restart restarts the application and waits until it is up.
func (s *service) Restart(ctx context.Context) error {
	bus, err := s.bus(ctx)
	if err != nil {
		return err
	}
	return bus.Restart(ctx, s.name)
}

// Reboot restarts the machine.
func (s *service) Reboot(ctx context.Context) error {
	bus, err := s.bus(ctx)
	if err != nil {
		return err
	}
	return bus.Reboot(ctx)
}
