// Package people knows who may use the hub: accounts, sign-in, roles, sessions,
// and the log of who did and saw what. It draws no page: hub/console does.
package people

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"parvis/hub/seal"
	"parvis/hub/store"
)

// Person is somebody with an account.
type Person struct {
	ID       string // UUIDv7
	Email    string // in small letters
	Name     string
	Role     Role
	Created  time.Time
	Disabled time.Time // zero while the account may be used
	Seen     time.Time // the last sign-in; zero: none yet
	Password bool      // whether there is one
	Factor   bool      // whether a second factor is set up
	Provider bool      // whether the person comes by single sign-on
}

// May reports whether the person may do something.
func (p Person) May(perm Permission) bool { return p.Disabled.IsZero() && p.Role.May(perm) }

// Invited reports whether the person has had no way to sign in yet.
func (p Person) Invited() bool { return !p.Password && !p.Provider }

func personOf(s store.Person) Person {
	return Person{
		ID: s.ID, Email: s.Email, Name: s.Name, Role: Role(s.Role),
		Created: s.Created, Disabled: s.Disabled, Seen: s.Seen,
		Password: s.Hash != "", Factor: len(s.Secret) > 0, Provider: s.Subject != "",
	}
}

// Options say what is needed to know people.
type Options struct {
	Store *store.Store
	Key   *seal.Key        // seals what single sign-on and second factors keep secret
	Now   func() time.Time // nil: time.Now
	// Name is what an authenticator app calls this hub: "Parvis – Strasbourg".
	Name string
}

// People is everybody who may use the hub. It is safe for concurrent use, and
// keeps nothing that another hub lacks.
type People struct {
	store     *store.Store
	key       *seal.Key
	now       func() time.Time
	name      string
	params    params
	dummy     string        // the hash of nobody's password
	hashing   chan struct{} // few at a time: each takes 19 MiB
	providers providers
}

// New makes People over a store.
func New(o Options) (*People, error) {
	if o.Store == nil || o.Key == nil {
		return nil, errors.New("people: a store and a key are needed")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Name == "" {
		o.Name = "Parvis"
	}
	return newPeople(o, current)
}

func newPeople(o Options, with params) (*People, error) {
	p := &People{store: o.Store, key: o.Key, now: o.Now, name: o.Name, params: with, hashing: make(chan struct{}, 4)}
	p.dummy = with.hash(rand.Text())
	return p, nil
}

// Errors that the console has words for.
var (
	ErrNotFound  = store.ErrNotFound
	ErrExists    = store.ErrExists
	ErrLastAdmin = errors.New("c’est le dernier compte d’administration qui puisse se connecter")
)

// FieldError says what is wrong with something that was typed.
type FieldError struct {
	Field string // "name", "email", "password", "code", "role"
	Text  string // in French, for the one who typed it
}

func (e *FieldError) Error() string { return e.Text }

// Person returns a person. Errors: ErrNotFound.
func (p *People) Person(ctx context.Context, id string) (Person, error) {
	s, err := p.store.Person(ctx, id)
	return personOf(s), err
}

// List lists all persons by name.
func (p *People) List(ctx context.Context) ([]Person, error) {
	all, err := p.store.Persons(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Person, len(all))
	for i, s := range all {
		list[i] = personOf(s)
	}
	return list, nil
}

// Create makes an account without a way to sign in: Invite gives one. Errors:
// *FieldError.
func (p *People) Create(ctx context.Context, name, email string, role Role) (Person, error) {
	name, err := cleanName(name)
	if err != nil {
		return Person{}, err
	}
	if email, err = cleanEmail(email); err != nil {
		return Person{}, err
	}
	if !role.given() {
		return Person{}, &FieldError{"role", "Choisissez un rôle."}
	}
	s := store.Person{ID: newID(), Name: name, Email: email, Role: string(role), Created: p.now()}
	if err := p.store.CreatePerson(ctx, s); err != nil {
		return Person{}, taken(err)
	}
	return personOf(s), nil
}

func taken(err error) error {
	if errors.Is(err, ErrExists) {
		return &FieldError{"email", "Un compte a déjà cette adresse."}
	}
	return err
}

// Rename changes a person's name and address. Errors: *FieldError, ErrNotFound.
func (p *People) Rename(ctx context.Context, id, name, email string) (Person, error) {
	name, err := cleanName(name)
	if err != nil {
		return Person{}, err
	}
	if email, err = cleanEmail(email); err != nil {
		return Person{}, err
	}
	s, err := p.store.ChangePerson(ctx, id, string(Admin), func(s *store.Person, _ int) error {
		s.Name, s.Email = name, email
		return nil
	})
	return personOf(s), taken(err)
}

// SetRole gives a person another role, from the next request on. Errors:
// ErrLastAdmin, ErrNotFound, *FieldError.
func (p *People) SetRole(ctx context.Context, id string, role Role) (Person, error) {
	if !role.given() && role != NoRole {
		return Person{}, &FieldError{"role", "Choisissez un rôle."}
	}
	s, err := p.store.ChangePerson(ctx, id, string(Admin), func(s *store.Person, others int) error {
		if role != Admin && lastAdmin(*s, others) {
			return ErrLastAdmin
		}
		s.Role = string(role)
		return nil
	})
	return personOf(s), err
}

// lastAdmin reports whether nobody could administer the hub without this person.
func lastAdmin(s store.Person, others int) bool {
	signsIn := s.Disabled.IsZero() && (s.Hash != "" || s.Subject != "")
	return Role(s.Role) == Admin && signsIn && others == 0
}

// Disable shuts a person out, sessions included, until Enable. Errors:
// ErrLastAdmin, ErrNotFound.
func (p *People) Disable(ctx context.Context, id string) (Person, error) {
	s, err := p.store.ChangePerson(ctx, id, string(Admin), func(s *store.Person, others int) error {
		if lastAdmin(*s, others) {
			return ErrLastAdmin
		}
		s.Disabled = p.now()
		return nil
	})
	if err != nil {
		return Person{}, err
	}
	return personOf(s), p.store.EndSessionsOf(ctx, id, "")
}

// Enable lets a person in again. Errors: ErrNotFound.
func (p *People) Enable(ctx context.Context, id string) (Person, error) {
	s, err := p.store.ChangePerson(ctx, id, string(Admin), func(s *store.Person, _ int) error {
		s.Disabled = time.Time{}
		return nil
	})
	return personOf(s), err
}

// Remove takes an account away for good; the audit log keeps its name. Errors:
// ErrLastAdmin, ErrNotFound.
func (p *People) Remove(ctx context.Context, id string) error {
	return p.store.RemovePerson(ctx, id, string(Admin), func(s store.Person, others int) error {
		if lastAdmin(s, others) {
			return ErrLastAdmin
		}
		return nil
	})
}

// Seal makes a text unreadable for all but the hub, to keep it in a session.
func (p *People) Seal(text string) (string, error) {
	b, err := p.key.Seal([]byte(text))
	if err != nil {
		return "", fmt.Errorf("people: %w", err)
	}
	return base64.RawStdEncoding.EncodeToString(b), nil
}

// Open gives back what Seal has made unreadable.
func (p *People) Open(sealed string) (string, error) {
	b, err := base64.RawStdEncoding.DecodeString(sealed)
	if err == nil {
		b, err = p.key.Open(b)
	}
	if err != nil {
		return "", fmt.Errorf("people: %w", err)
	}
	return string(b), nil
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// maxName is how many letters a name or an address may have.
const maxName = 100

func cleanName(name string) (string, error) {
	name = strings.Join(strings.Fields(name), " ")
	switch {
	case name == "":
		return "", &FieldError{"name", "Indiquez le nom, par exemple « Claire Weber »."}
	case len([]rune(name)) > maxName:
		return "", &FieldError{"name", "Le nom ne peut pas dépasser 100 caractères."}
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "", &FieldError{"name", "Le nom contient un caractère qui ne s’affiche pas : saisissez-le de nouveau."}
	}
	return name, nil
}

func cleanEmail(email string) (string, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	a, err := mail.ParseAddress(email)
	if err != nil || a.Address != email || len(email) > maxName {
		return "", &FieldError{"email", "Indiquez une adresse électronique complète, par exemple « claire.weber@ville.fr »."}
	}
	return email, nil
}
