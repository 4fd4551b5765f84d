package people

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"parvis/hub/store"
)

// How long a session lives: from sign-in at most, and without anybody there.
const (
	SessionLife = 12 * time.Hour
	SessionIdle = 2 * time.Hour
)

// What a session holds for this package. KeyNew is set once, by the request
// that signs somebody in: without it a session that was ended in the meantime
// can't come back.
const (
	KeyPerson  = "person"
	KeyNew     = "new"
	KeyAddress = "address" // where the sign-in came from
	KeyBrowser = "browser" // its User-Agent
	KeyBy      = "by"      // ByPassword or ByProvider
)

// How somebody has signed in.
const (
	ByPassword = "password"
	ByProvider = "provider"
)

// Session is a browser that somebody is signed in with.
type Session struct {
	ID      string // of no use without the token, which is only in the browser
	Begun   time.Time
	Seen    time.Time
	Address string
	Browser string
}

// SessionList lists a person's open sessions, the last used first.
func (p *People) SessionList(ctx context.Context, person string) ([]Session, error) {
	all, err := p.store.SessionsOf(ctx, person)
	if err != nil {
		return nil, err
	}
	var list []Session
	for _, s := range all {
		if !p.open(s) {
			continue
		}
		v := Session{ID: s.Hash, Begun: s.Begun, Seen: s.Seen}
		if _, values, err := (Codec{}).Decode(s.Data); err == nil {
			v.Address, _ = values[KeyAddress].(string)
			v.Browser, _ = values[KeyBrowser].(string)
		}
		list = append(list, v)
	}
	return list, nil
}

// EndSession ends one session of a person. Errors: ErrNotFound for another's.
func (p *People) EndSession(ctx context.Context, person, id string) error {
	s, err := p.store.Session(ctx, id)
	if err != nil {
		return err
	}
	if s.Person != person {
		return ErrNotFound
	}
	return p.store.EndSession(ctx, id)
}

// EndSessions ends all sessions of a person but one, which may be empty.
func (p *People) EndSessions(ctx context.Context, person, but string) error {
	return p.store.EndSessionsOf(ctx, person, but)
}

// SessionOpen reports whether a session still is: for what is held open.
func (p *People) SessionOpen(ctx context.Context, id string) (bool, error) {
	s, err := p.store.Session(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && p.open(s), err
}

func (p *People) open(s store.Session) bool {
	now := p.now()
	return now.Before(s.Expires) && now.Sub(s.Seen) < SessionIdle
}

// Touch notes that somebody is there; at most once a minute it writes.
func (p *People) Touch(ctx context.Context, id string) error {
	s, err := p.store.Session(ctx, id)
	if errors.Is(err, ErrNotFound) || err == nil && p.now().Sub(s.Seen) < time.Minute {
		return nil
	}
	if err != nil {
		return err
	}
	return p.store.TouchSession(ctx, id, p.now())
}

// Codec writes what a session holds: words under words, as JSON.
type Codec struct{}

type sessionData struct {
	Deadline time.Time         `json:"deadline"`
	Values   map[string]string `json:"values"`
}

// Encode implements scs.Codec.
func (Codec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	d := sessionData{deadline, map[string]string{}}
	for key, value := range values {
		word, ok := value.(string)
		if !ok {
			return nil, errors.New("people: a session holds words only: " + key)
		}
		d.Values[key] = word
	}
	return json.Marshal(d)
}

// Decode implements scs.Codec.
func (Codec) Decode(b []byte) (time.Time, map[string]any, error) {
	var d sessionData
	if err := json.Unmarshal(b, &d); err != nil {
		return time.Time{}, nil, err
	}
	values := map[string]any{}
	for key, value := range d.Values {
		values[key] = value
	}
	return d.Deadline, values, nil
}

// Sessions keeps the sessions of scs; the tokens it is given are hashes.
type Sessions struct{ p *People }

// Sessions is where the console's session manager keeps sessions. It needs
// Codec, HashTokenInStore, and the context of each request.
func (p *People) Sessions() Sessions { return Sessions{p} }

// FindCtx implements scs.CtxStore.
func (s Sessions) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	v, err := s.p.store.Session(ctx, token)
	if errors.Is(err, ErrNotFound) || err == nil && !s.p.open(v) {
		return nil, false, nil
	}
	return v.Data, err == nil, err
}

// CommitCtx implements scs.CtxStore. The store's own clock says when a session
// ends, not the one that scs has looked at.
func (s Sessions) CommitCtx(ctx context.Context, token string, b []byte, _ time.Time) error {
	deadline, values, err := Codec{}.Decode(b)
	if err != nil {
		return err
	}
	person, _ := values[KeyPerson].(string)
	_, fresh := values[KeyNew]
	if fresh {
		delete(values, KeyNew)
		if b, err = (Codec{}).Encode(deadline, values); err != nil {
			return err
		}
	}
	if person != "" && !fresh {
		return s.p.store.SaveSession(ctx, token, b)
	}
	now := s.p.now()
	life := SessionLife
	if person == "" {
		life = time.Hour // on the way in
	}
	return s.p.store.CreateSession(ctx, store.Session{Hash: token, Person: person, Data: b, Begun: now, Seen: now, Expires: now.Add(life)})
}

// DeleteCtx implements scs.CtxStore.
func (s Sessions) DeleteCtx(ctx context.Context, token string) error {
	return s.p.store.EndSession(ctx, token)
}

var errContext = errors.New("people: sessions need a context")

// Find implements scs.Store; FindCtx is what is used.
func (s Sessions) Find(string) ([]byte, bool, error) { return nil, false, errContext }

// Commit implements scs.Store; CommitCtx is what is used.
func (s Sessions) Commit(string, []byte, time.Time) error { return errContext }

// Delete implements scs.Store; DeleteCtx is what is used.
func (s Sessions) Delete(string) error { return errContext }
