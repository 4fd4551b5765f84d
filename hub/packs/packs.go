// Package packs is a hub's repository of signed packs: the metadata and files
// that bornes fetch, kept in the hub's database. It signs what is to be signed
// every day with a key of its own, and publishes with the key of a person.
package packs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"parvis/hub/seal"
	"parvis/hub/store"
	"parvis/provisioning/pack"
)

// ErrNone says that this hub has no keys for packs yet.
var ErrNone = errors.New("ce hub n’a pas encore de clés pour les contenus : « parvis-hub publish keys DOSSIER »")

// ErrKeys says that this hub has keys for packs already.
var ErrKeys = errors.New("ce hub a déjà des clés pour les contenus. Pour en remplacer une : « parvis-hub publish rotate »")

// Packs are a hub's packs. It is safe for concurrent use, and any number of
// hubs may be at the same database.
type Packs struct {
	store *store.Store
	key   *seal.Key
	now   func() time.Time
	log   *slog.Logger
}

// New returns the packs of the hub of a store, whose secrets key opens.
func New(st *store.Store, key *seal.Key, now func() time.Time, log *slog.Logger) *Packs {
	return &Packs{store: st, key: key, now: now, log: log}
}

// A state is the metadata as it was read, to be changed and put back.
type state struct {
	*pack.Repository
	head []byte // timestamp.json; nil for new metadata
}

const head = "timestamp.json"

func (p *Packs) load(ctx context.Context) (*state, error) {
	s := new(state)
	var err error
	s.Repository, err = pack.LoadRepository(func(name string) ([]byte, error) {
		data, _, err := p.store.PackFile(ctx, name)
		if name == head {
			s.head = data
		}
		return data, err
	})
	if errors.Is(err, store.ErrNotFound) && s.head == nil {
		return nil, ErrNone
	}
	return s, err
}

// put signs with the hub's own key, for as long as valid, and keeps all.
func (p *Packs) put(ctx context.Context, s *state, valid time.Duration) error {
	if err := p.sign(ctx, s, valid); err != nil {
		return err
	}
	names, err := p.store.PackFiles(ctx)
	if err != nil {
		return err
	}
	return p.store.PutPackFiles(ctx, s.head, s.Changed(), outdated(names), p.now())
}

func (p *Packs) sign(ctx context.Context, s *state, valid time.Duration) error {
	keys, _ := s.Keys()
	at := slices.IndexFunc(keys, func(k pack.KeyInfo) bool { return k.Role == pack.RoleOnline })
	online, err := p.online(ctx, keys[at].Number())
	if err != nil {
		return err
	}
	return s.Sign(online, p.now(), valid)
}

// behind is how many versions of metadata stay beside the newest: a borne may
// be in the middle of asking.
const behind = 3

// outdated names the metadata that nobody should be asking for any more, now
// that something newer is about to be added. Roots stay for ever: a borne
// follows them one by one.
func outdated(names []string) []string {
	versions := map[string][]int64{}
	for _, name := range names {
		if n, kind, ok := numbered(name); ok && kind != "root.json" {
			versions[kind] = append(versions[kind], n)
		}
	}
	var old []string
	for kind, all := range versions {
		slices.Sort(all)
		for _, n := range all[:max(0, len(all)-behind)] {
			old = append(old, fmt.Sprintf("%d.%s", n, kind))
		}
	}
	return old
}

func numbered(name string) (n int64, kind string, ok bool) {
	number, kind, ok := strings.Cut(name, ".")
	n, err := strconv.ParseInt(number, 10, 64)
	return n, kind, ok && err == nil
}

// Status is what is published and who signs.
type Status struct {
	Packs     []pack.Info // the newest first
	Keys      []pack.KeyInfo
	Threshold int // how many roots must sign together

	Hub, Publisher, Root time.Time // when their signatures end to count
}

// Status tells what is published and who signs. Errors: ErrNone.
func (p *Packs) Status(ctx context.Context) (Status, error) {
	s, err := p.load(ctx)
	if err != nil {
		return Status{}, err
	}
	st := Status{Packs: s.Packs()}
	st.Keys, st.Threshold = s.Keys()
	st.Hub, st.Publisher, st.Root = s.Ends()
	return st, nil
}

// List lists the versions that bornes may be given, the newest first; none where
// there are no keys yet.
func (p *Packs) List(ctx context.Context) ([]pack.Info, error) {
	s, err := p.load(ctx)
	if errors.Is(err, ErrNone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s.Packs(), nil
}

const (
	lookEvery  = 10 * time.Minute
	renewAfter = 24 * time.Hour
)

// Serve keeps what the hub signs from going out of date, until ctx ends. Of
// several hubs one renews, and the others find it done.
func (p *Packs) Serve(ctx context.Context) error {
	for {
		if err := p.Renew(ctx); err != nil && ctx.Err() == nil {
			p.log.Error("signatures of packs", "error", err)
		}
		select {
		case <-time.After(lookEvery + rand.N(time.Minute)): // hubs that began together spread out
		case <-ctx.Done():
			return nil
		}
	}
}

// Renew signs anew what the hub has signed over a day ago, if there is anything.
func (p *Packs) Renew(ctx context.Context) error {
	s, err := p.load(ctx)
	if errors.Is(err, ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	if ends, _, _ := s.Ends(); ends.Sub(p.now()) > pack.TimestampValid-renewAfter && ends.Sub(p.now()) <= pack.TimestampValid {
		return nil
	}
	return p.renew(ctx)
}

func (p *Packs) renew(ctx context.Context) error {
	s, err := p.load(ctx)
	if err != nil {
		return err
	}
	err = p.put(ctx, s, pack.TimestampValid)
	if errors.Is(err, store.ErrStale) {
		return nil // another hub was faster
	}
	return err
}
