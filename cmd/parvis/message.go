package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// notice is the message that agents have put on every page. It is read by the
// drawing loop, without the disk.
type notice struct{ kept atomic.Pointer[store.Message] }

// load reads the message over a restart.
func (n *notice) load(ctx context.Context, st *store.Store) error {
	m, err := st.Message(ctx)
	n.kept.Store(&m)
	return err
}

// text is the message in force now; empty when there is none.
func (n *notice) text() string {
	m := n.kept.Load()
	if m == nil || !m.Until.IsZero() && !time.Now().Before(m.Until) {
		return ""
	}
	return m.Text
}

// set keeps a message over restarts, and has it shown from now on.
func (n *notice) set(ctx context.Context, st *store.Store, a link.Args) error {
	words, err := plainLine(a.Text)
	if err != nil {
		return err
	}
	if a.Minutes < 0 {
		return fmt.Errorf("%w : une durée de %d minutes", errArgs, a.Minutes)
	}
	m := store.Message{Text: words}
	if a.Minutes > 0 && words != "" {
		m.Until = time.Now().Add(time.Duration(a.Minutes) * time.Minute)
	}
	if err := st.SetMessage(ctx, m); err != nil {
		return err
	}
	n.kept.Store(&m)
	return nil
}

// plainLine makes one line of a text. Signs that can't be seen, and could turn
// the order of others, are refused.
func plainLine(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", fmt.Errorf("%w : le message n’est pas un texte", errArgs)
	}
	// Spaces that keep words together stay.
	line := strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || unicode.IsControl(r) && unicode.IsSpace(r) }), " ")
	if n := utf8.RuneCountInString(line); n > link.MaxMessage {
		return "", fmt.Errorf("%w : le message a %d lettres, %d au plus", errArgs, n, link.MaxMessage)
	}
	for _, r := range line {
		if !unicode.IsGraphic(r) {
			return "", fmt.Errorf("%w : le message contient un signe invisible (U+%04X)", errArgs, r)
		}
	}
	return line, nil
}
