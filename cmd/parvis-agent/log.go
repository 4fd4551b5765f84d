package main

import (
	"context"
	"io"
	"log/slog"
)

// journalLog writes for systemd's journal, which takes the priority from the
// start of each line (sd-daemon(3)) and has the time itself.
type journalLog struct {
	byLevel [4]slog.Handler // debug, info, warning, error
}

// newLog writes a line an entry, for the journal or for a file.
func newLog(w io.Writer, journal bool) slog.Handler {
	if !journal {
		return slog.NewTextHandler(w, nil)
	}
	var h journalLog
	for i, prefix := range []string{"<7>", "<6>", "<4>", "<3>"} {
		h.byLevel[i] = slog.NewTextHandler(prefixed{w, prefix}, &slog.HandlerOptions{ReplaceAttr: leave})
	}
	return h
}

// leave leaves out what the journal knows.
func leave(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
		return slog.Attr{}
	}
	return a
}

func (h journalLog) of(level slog.Level) slog.Handler {
	switch {
	case level < slog.LevelInfo:
		return h.byLevel[0]
	case level < slog.LevelWarn:
		return h.byLevel[1]
	case level < slog.LevelError:
		return h.byLevel[2]
	}
	return h.byLevel[3]
}

// Enabled leaves out what is for developers.
func (h journalLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle writes a line.
func (h journalLog) Handle(ctx context.Context, r slog.Record) error {
	return h.of(r.Level).Handle(ctx, r)
}

// WithAttrs returns a handler that adds attributes to each line.
func (h journalLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	for i := range h.byLevel {
		h.byLevel[i] = h.byLevel[i].WithAttrs(attrs)
	}
	return h
}

// WithGroup returns a handler that puts attributes into a group.
func (h journalLog) WithGroup(name string) slog.Handler {
	for i := range h.byLevel {
		h.byLevel[i] = h.byLevel[i].WithGroup(name)
	}
	return h
}

// prefixed writes each line with what goes before it, in one write.
type prefixed struct {
	w      io.Writer
	prefix string
}

func (p prefixed) Write(line []byte) (int, error) {
	if _, err := p.w.Write(append([]byte(p.prefix), line...)); err != nil {
		return 0, err
	}
	return len(line), nil
}
