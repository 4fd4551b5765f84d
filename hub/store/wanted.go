package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"

	"parvis/kiosk/link"
)

// Wanted says what a borne should have: nothing, where the hub wants nothing of
// it yet.
func (s *Store) Wanted(ctx context.Context, borne string) (link.Wanted, error) {
	w, err := wantedOf(ctx, s.read, borne)
	return w, s.explain(err)
}

// AllWanted says what each borne should have, by borne; those of which nothing
// is wanted are not there.
func (s *Store) AllWanted(ctx context.Context) (map[string]link.Wanted, error) {
	type one struct {
		borne string
		link.Wanted
	}
	found, err := all(ctx, s.read, func(row scanner) (o one, err error) {
		o.Wanted, err = scanWanted(row, &o.borne)
		return o, err
	}, `SELECT borne, `+wantedColumns+` FROM wanted`)
	if err != nil {
		return nil, s.explain(err)
	}
	wanted := make(map[string]link.Wanted, len(found))
	for _, o := range found {
		wanted[o.borne] = o.Wanted
	}
	return wanted, nil
}

// Withheld reports whether a file is the whole profile of other bornes, and not
// that of borne: it may hold their secrets.
func (s *Store) Withheld(ctx context.Context, sha256, borne string) (bool, error) {
	// Two rows at most are looked at, whatever the number of bornes.
	withheld, err := one(ctx, s.read, scanOne[bool], `SELECT EXISTS (SELECT 1 FROM wanted WHERE profile_sha256 = $1)
		AND NOT EXISTS (SELECT 1 FROM wanted WHERE profile_sha256 = $1 AND borne = $2)`, sha256, borne)
	return withheld, s.explain(err)
}

// WantProfiles sets the whole profiles that bornes should have, by borne: files
// that PutFile has kept. Nothing changes for a borne that is wanted to have it
// already. It raises an event of the topic Wants for each of the others. Files
// that no borne is to have any more are removed: they may hold secrets.
func (s *Store) WantProfiles(ctx context.Context, profiles map[string]link.File) error {
	bornes := slices.Collect(maps.Keys(profiles))
	return s.want(ctx, bornes, func(borne string, w *link.Wanted) {
		profile := profiles[borne]
		w.Profile = &profile
	})
}

// WantPack sets the version of the content that bornes should have, as
// WantProfiles does the profile; with an empty one they stay with what they have.
func (s *Store) WantPack(ctx context.Context, bornes []string, version string) error {
	return s.want(ctx, bornes, func(_ string, w *link.Wanted) { w.Pack = version })
}

// WantSoftware sets the version of the package parvis-borne that bornes should
// have, as WantProfiles does the profile; with an empty one they stay with what
// is installed.
func (s *Store) WantSoftware(ctx context.Context, bornes []string, version string) error {
	return s.want(ctx, bornes, func(_ string, w *link.Wanted) { w.Software = version })
}

const wantedColumns = `tag, profile_sha256, profile_size, pack, software`

func scanWanted(row scanner, before ...any) (w link.Wanted, err error) {
	var profile link.File
	err = row.Scan(append(before, &w.Tag, &profile.SHA256, &profile.Size, &w.Pack, &w.Software)...)
	if profile.SHA256 != "" {
		w.Profile = &profile
	}
	return w, err
}

func wantedOf(ctx context.Context, db queryer, borne string) (link.Wanted, error) {
	w, err := one(ctx, db, func(row scanner) (link.Wanted, error) { return scanWanted(row) },
		`SELECT `+wantedColumns+` FROM wanted WHERE borne = $1`, borne)
	if errors.Is(err, ErrNotFound) {
		return link.Wanted{}, nil
	}
	return w, err
}

// want changes what bornes should have, in their order: two hubs that do so at
// once then wait for each other in one direction.
func (s *Store) want(ctx context.Context, bornes []string, set func(borne string, w *link.Wanted)) error {
	bornes = slices.Sorted(slices.Values(bornes))
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		var events []Event
		var left []string // by a borne, and perhaps by all
		for _, borne := range bornes {
			before, err := wantedOf(ctx, tx, borne)
			if err != nil {
				return nil, err
			}
			w := before
			set(borne, &w)
			if w.Tag = tagOf(w); w.Tag == before.Tag {
				continue
			}
			if err := putWanted(ctx, tx, borne, w); err != nil {
				return nil, err
			}
			events = append(events, Event{Wants, borne})
			if before.Profile != nil && *before.Profile != *w.Profile {
				left = append(left, before.Profile.SHA256)
			}
		}
		return events, removeUnwanted(ctx, tx, left)
	})
}

// removeUnwanted removes those of these profiles that no borne is to have.
func removeUnwanted(ctx context.Context, tx *sql.Tx, sums []string) error {
	slices.Sort(sums)
	for _, sum := range slices.Compact(sums) {
		for _, table := range []string{"file_piece", "file"} {
			_, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE sha256 = $1
				AND NOT EXISTS (SELECT 1 FROM wanted WHERE profile_sha256 = $1)`, sum)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func putWanted(ctx context.Context, tx *sql.Tx, borne string, w link.Wanted) error {
	profile := cmp.Or(w.Profile, &link.File{})
	_, err := tx.ExecContext(ctx, `INSERT INTO wanted (borne, `+wantedColumns+`) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (borne) DO UPDATE SET tag = excluded.tag, profile_sha256 = excluded.profile_sha256,
		profile_size = excluded.profile_size, pack = excluded.pack, software = excluded.software`,
		borne, w.Tag, profile.SHA256, profile.Size, w.Pack, w.Software)
	return err
}

// tagOf is the same for the same wishes, and short: it is in every answer to a
// report. It is empty where nothing is wanted.
func tagOf(w link.Wanted) string {
	profile := cmp.Or(w.Profile, &link.File{}).SHA256
	if profile == "" && w.Pack == "" && w.Software == "" {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", profile, w.Pack, w.Software))
	return hex.EncodeToString(sum[:4])
}
