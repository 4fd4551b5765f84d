package main

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/coreos/go-systemd/v22/daemon"

	"parvis/kiosk/agent/unit"
)

// tellSystemd says to systemd how the borne fares, where systemd has started
// it.
func tellSystemd(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		slog.Warn("systemd", "état", state, "erreur", err)
	}
}

// feedWatchdog keeps systemd from restarting the borne for as long as the
// drawing loop does what it is asked, until ctx ends: do hands it a task and
// doesn't wait. The loop itself never speaks with systemd, as that may wait:
// the screen would freeze with a systemd that has.
func feedWatchdog(ctx context.Context, do func(func())) {
	var moved atomic.Bool
	err := unit.Feed(ctx, func() bool {
		do(func() { moved.Store(true) })
		return moved.Swap(false)
	})
	if err != nil {
		slog.Error("chien de garde", "erreur", err)
	}
}
