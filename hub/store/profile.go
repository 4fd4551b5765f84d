package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Profiled is the topic of events that say that a layer of a profile has a new
// version.
const Profiled Topic = "profiled"

// ProfileScope says whose a layer of a profile is.
type ProfileScope string

// The scopes, from what all bornes share to what one has.
const (
	CityProfile  ProfileScope = "city"
	GroupProfile ProfileScope = "group"
	SiteProfile  ProfileScope = "site"
	BorneProfile ProfileScope = "borne"
)

// ProfileLayer is one version of a layer.
type ProfileLayer struct {
	N      int64 // of the version, growing over all layers
	Scope  ProfileScope
	Object string // ID of the group, site or borne; empty for the city
	Text   string // TOML; empty for a layer that was taken away
	By     string // name of who made it, as it was then
	Why    string
	Made   time.Time
}

// ErrChanged says that somebody else was first: look again, and decide anew.
var ErrChanged = errors.New("quelqu’un d’autre vient de changer un profil")

// PutProfileLayer adds a version of a layer, and returns its number. seen is the
// greatest number that the caller has seen, over all layers: what it has checked
// the text against is still so. Errors: ErrChanged when it isn't.
func (s *Store) PutProfileLayer(ctx context.Context, l ProfileLayer, seen int64) (int64, error) {
	err := s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		last, err := one(ctx, tx, scanOne[int64], `SELECT COALESCE(MAX(n), 0) FROM profile_layer`)
		if err != nil {
			return nil, err
		}
		if last != seen {
			return nil, ErrChanged
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO profile_layer (`+profileColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			seen+1, string(l.Scope), l.Object, text(l.Text), text(l.By), text(l.Why), ms(l.Made))
		return []Event{{Topic: Profiled}}, err
	})
	return seen + 1, err
}

const profileColumns = `n, scope, object, data, person, why, made`

func scanProfile(row scanner) (l ProfileLayer, err error) {
	var made int64
	err = row.Scan(&l.N, &l.Scope, &l.Object, &l.Text, &l.By, &l.Why, &made)
	l.Made = at(made)
	return l, err
}

// ProfileLayers lists the newest version of every layer, those that were taken
// away included, in the order they were made.
func (s *Store) ProfileLayers(ctx context.Context) ([]ProfileLayer, error) {
	layers, err := all(ctx, s.read, scanProfile, `SELECT `+profileColumns+` FROM profile_layer
		WHERE n IN (SELECT MAX(n) FROM profile_layer GROUP BY scope, object) ORDER BY n`)
	return layers, s.explain(err)
}

// ProfileRevision is the number of the newest version of any layer; 0 for none.
func (s *Store) ProfileRevision(ctx context.Context) (int64, error) {
	n, err := one(ctx, s.read, scanOne[int64], `SELECT COALESCE(MAX(n), 0) FROM profile_layer`)
	return n, s.explain(err)
}

// ProfileHistory lists the versions of one layer, newest first, limit at most.
func (s *Store) ProfileHistory(ctx context.Context, scope ProfileScope, object string, limit int) ([]ProfileLayer, error) {
	layers, err := all(ctx, s.read, scanProfile, `SELECT `+profileColumns+` FROM profile_layer
		WHERE scope = $1 AND object = $2 ORDER BY n DESC LIMIT $3`, string(scope), object, max(0, limit))
	return layers, s.explain(err)
}

// ProfileVersion is one version of one layer. Errors: ErrNotFound.
func (s *Store) ProfileVersion(ctx context.Context, scope ProfileScope, object string, n int64) (ProfileLayer, error) {
	l, err := one(ctx, s.read, scanProfile, `SELECT `+profileColumns+` FROM profile_layer
		WHERE scope = $1 AND object = $2 AND n = $3`, string(scope), object, n)
	return l, s.explain(err)
}

// ProfileBefore is the version of a layer that came before one. Errors:
// ErrNotFound for the first.
func (s *Store) ProfileBefore(ctx context.Context, scope ProfileScope, object string, n int64) (ProfileLayer, error) {
	l, err := one(ctx, s.read, scanProfile, `SELECT `+profileColumns+` FROM profile_layer
		WHERE scope = $1 AND object = $2 AND n < $3 ORDER BY n DESC LIMIT 1`, string(scope), object, n)
	return l, s.explain(err)
}
