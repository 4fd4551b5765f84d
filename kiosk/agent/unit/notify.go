package unit

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Ready tells systemd that this program has started, and in a few words how it
// is. Like the other notices it does nothing where systemd hasn't started the
// program.
func Ready(status string) { notify(daemon.SdNotifyReady, statusLine(status)) }

// Status tells systemd in a few words how this program is, for
// « systemctl status ».
func Status(text string) { notify(statusLine(text)) }

// Stopping tells systemd that this program is about to end.
func Stopping(status string) { notify(daemon.SdNotifyStopping, statusLine(status)) }

// statusLine is one line: a second would be another notice.
func statusLine(text string) string {
	return "STATUS=" + strings.Join(strings.Fields(text), " ")
}

func notify(notices ...string) {
	if _, err := daemon.SdNotify(false, strings.Join(notices, "\n")); err != nil {
		slog.Warn("systemd", "avis", notices[0], "erreur", err)
	}
}

// Feed keeps systemd's watchdog from killing this program for as long as moves
// says that its loops move, until ctx ends. It asks four times in the time that
// WatchdogSec= leaves, so that one no is not the end. It returns at once where
// systemd doesn't watch this program; an error tells of a setting that makes no
// sense.
func Feed(ctx context.Context, moves func() bool) error {
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return fmt.Errorf("WATCHDOG_USEC : %w", err)
	}
	if limit == 0 {
		return nil
	}
	tick := time.NewTicker(limit / 4)
	defer tick.Stop()
	for {
		if moves() {
			notify(daemon.SdNotifyWatchdog)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
