package agent

import (
	"context"
	"time"

	"parvis/kiosk/link"
)

const (
	logsSince = time.Hour
	mostLogs  = 1 << 20 // bytes
)

func (a *Agent) fetchLogs(ctx context.Context) outcome {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	text, err := a.o.Logs(ctx, logsSince, mostLogs)
	if err != nil {
		return failed("Le journal ne se lit pas : %v.", err)
	}
	if len(text) == 0 {
		return done("Aucune ligne depuis une heure.")
	}
	return outcome{state: link.Done, file: text}
}
