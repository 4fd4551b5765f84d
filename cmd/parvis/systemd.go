package main

import (
	"log/slog"

	"github.com/coreos/go-systemd/v22/daemon"
)

// tellSystemd says to systemd how the borne fares, where systemd has started
// it. What is said from the drawing loop proves that the screen is alive.
func tellSystemd(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		slog.Warn("systemd", "état", state, "erreur", err)
	}
}
