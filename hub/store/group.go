package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// Group is sites that have something in common, such as a part of the city:
// they share a layer of their profiles, and get new versions together.
type Group struct {
	ID      string // of the form of a site's
	Name    string // "Quartiers sud"
	Created time.Time
}

// PutGroup makes a group, or gives one another name.
func (s *Store) PutGroup(ctx context.Context, g Group) error {
	if !siteID.MatchString(g.ID) {
		return fmt.Errorf("groupe « %s » : un identifiant est fait de lettres minuscules sans accent, de chiffres et de « - »", g.ID)
	}
	if strings.TrimSpace(g.Name) == "" {
		return fmt.Errorf("groupe « %s » : il lui faut un nom", g.ID)
	}
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		_, err := tx.ExecContext(ctx, `INSERT INTO site_group (id, name, created) VALUES ($1, $2, $3)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name`, g.ID, text(g.Name), ms(g.Created))
		return []Event{{Topic: Fleet}}, err
	})
}

// Groups lists the groups by name.
func (s *Store) Groups(ctx context.Context) ([]Group, error) {
	groups, err := all(ctx, s.read, func(row scanner) (g Group, err error) {
		var created int64
		err = row.Scan(&g.ID, &g.Name, &created)
		g.Created = at(created)
		return g, err
	}, `SELECT id, name, created FROM site_group`)
	if err != nil {
		return nil, s.explain(err)
	}
	sortByName(groups, func(g Group) (name, id string) { return g.Name, g.ID })
	return groups, nil
}

// SetSiteGroup puts a site into a group, or with an empty one into none.
// Errors: ErrNotFound where the site or the group isn't there.
func (s *Store) SetSiteGroup(ctx context.Context, site, group string) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		if group != "" {
			if _, err := one(ctx, tx, scanOne[string], `SELECT id FROM site_group WHERE id = $1`, group); err != nil {
				return nil, err
			}
		}
		return []Event{{Topic: Fleet}}, mustAffect(tx.ExecContext(ctx, `UPDATE site SET site_group = $1 WHERE id = $2`, group, site))
	})
}

// RemoveGroup removes a group; its sites are then of none. Errors: ErrNotFound.
func (s *Store) RemoveGroup(ctx context.Context, id string) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		if _, err := tx.ExecContext(ctx, `UPDATE site SET site_group = '' WHERE site_group = $1`, id); err != nil {
			return nil, err
		}
		return []Event{{Topic: Fleet}}, mustAffect(tx.ExecContext(ctx, `DELETE FROM site_group WHERE id = $1`, id))
	})
}
