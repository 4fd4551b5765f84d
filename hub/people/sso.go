package people

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"parvis/hub/store"
)

// SSO says how people sign in with the accounts of their house, by OpenID
// Connect. The zero SSO is none.
type SSO struct {
	Issuer   string `json:"issuer,omitempty"` // "https://sso.ville.fr/realms/ville"
	ClientID string `json:"client_id,omitempty"`
	Label    string `json:"label,omitempty"` // on the button: "compte de la ville"
	// Claim is where the provider says what somebody is: "groups",
	// "realm_access.roles". Roles says which role each value gives; of several
	// the greatest counts, at each sign-in. Without a claim, roles are given on
	// the page of agents.
	Claim string          `json:"claim,omitempty"`
	Roles map[string]Role `json:"roles,omitempty"`
	// Default is the role of those whom the claim gives none, and of newcomers
	// where there is no claim.
	Default Role `json:"default,omitempty"`
}

// On reports whether single sign-on is set up.
func (s SSO) On() bool { return s.Issuer != "" }

// SSOError is single sign-on that failed, with words for the person.
type SSOError struct {
	Text string // in French: what happened and what to do
	Err  error  // for the log: it holds no token
}

func (e *SSOError) Error() string {
	if e.Err == nil {
		return e.Text
	}
	return e.Text + " (" + e.Err.Error() + ")"
}

func (e *SSOError) Unwrap() error { return e.Err }

// secretName is where the client's secret is kept, sealed.
const secretName = "signin.sso_secret"

// checkSSO says what is wrong with the settings, the provider's answer included.
// Errors: *FieldError.
func (p *People) checkSSO(ctx context.Context, s SSO) error {
	u, err := url.Parse(s.Issuer)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && local(u.Hostname())):
		return &FieldError{"issuer", "Indiquez l’adresse du fournisseur, qui commence par https://."}
	case s.ClientID == "":
		return &FieldError{"client", "Indiquez l’identifiant que le fournisseur a donné à Parvis."}
	case s.Claim == "" && len(s.Roles) > 0:
		return &FieldError{"claim", "Indiquez l’attribut qui porte les groupes, ou videz la liste des groupes."}
	}
	if s.Default != NoRole && !s.Default.given() {
		return &FieldError{"default", "Choisissez un rôle de la liste."}
	}
	if err := askIssuer(ctx, s.Issuer); err != nil {
		return &FieldError{"issuer", "Aucun fournisseur OpenID Connect ne répond à cette adresse. Vérifiez-la, et que le hub peut la joindre."}
	}
	return nil
}

// local reports whether a host is this machine.
func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Flow is a sign-in under way at the provider. The session keeps it: whoever
// comes back with another's answer doesn't have it.
type Flow struct {
	URL      string `json:"-"` // where the browser goes
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
}

// BeginSSO starts a sign-in from an address; back is where the provider sends
// the browser to afterwards. Errors: *SSOError, *TooSoon, ErrNotFound when it
// isn't set up.
func (p *People) BeginSSO(ctx context.Context, back, address string) (Flow, error) {
	s, err := p.setUp(ctx)
	if err != nil {
		return Flow{}, err
	}
	// Each one begun is a line in the store, whoever asks.
	if err := p.try(ctx, tries("flow", network(address)), flowBrake); err != nil {
		return Flow{}, err
	}
	f := Flow{State: rand.Text(), Nonce: rand.Text(), Verifier: rand.Text() + rand.Text()} // RFC 7636: 43 letters at least
	f.URL, err = p.authURL(ctx, s, back, f)
	return f, err
}

// setUp gives the settings. Errors: ErrNotFound where there are none.
func (p *People) setUp(ctx context.Context) (SSO, error) {
	settings, err := p.Settings(ctx)
	if err == nil && !settings.SSO.On() {
		err = ErrNotFound
	}
	return settings.SSO, err
}

func (p *People) ssoSecret(ctx context.Context) (string, error) {
	sealed, err := p.store.Secret(ctx, secretName)
	if errors.Is(err, ErrNotFound) {
		return "", nil // a public client: PKCE protects it
	}
	if err != nil || len(sealed) == 0 {
		return "", err
	}
	secret, err := p.key.Open(sealed)
	return string(secret), err
}

// Arrival is who has come in by single sign-on, and what changed thereby.
type Arrival struct {
	Person  Person
	Created bool
	Before  Role // the role before; the person's if it stayed
}

// FinishSSO takes what the provider sent back to an address. Errors: *SSOError;
// ErrDisabled and ErrNotFound.
func (p *People) FinishSSO(ctx context.Context, f Flow, back, address string, answer url.Values) (Arrival, error) {
	// Checked before anything is believed, an error of the provider's included.
	if f.State == "" || subtle.ConstantTimeCompare([]byte(answer.Get("state")), []byte(f.State)) != 1 {
		return Arrival{}, &SSOError{"Cette connexion n’a pas été commencée dans ce navigateur, ou elle est trop ancienne. Recommencez.", nil}
	}
	if code := answer.Get("error"); code != "" {
		return Arrival{}, &SSOError{"Le service de connexion a refusé. Réessayez, ou demandez à votre service informatique.", errors.New(code)}
	}
	s, err := p.setUp(ctx)
	if err != nil {
		return Arrival{}, err
	}
	claims, subject, err := p.identify(ctx, s, back, f, answer.Get("code"))
	if err != nil {
		return Arrival{}, err
	}
	a, err := p.arrive(ctx, s, subject, claims)
	if err != nil {
		return a, err
	}
	// Only those that lead nowhere count: a town hall has one address.
	return a, p.store.ForgiveAttempt(ctx, tries("flow", network(address)))
}

// arrive finds or makes the account of somebody whom the provider knows.
func (p *People) arrive(ctx context.Context, s SSO, subject string, claims map[string]any) (Arrival, error) {
	role, decided := s.roleOf(claims)
	known, err := p.store.PersonBySubject(ctx, s.Issuer, subject)
	if errors.Is(err, ErrNotFound) {
		known, err = p.meet(ctx, s, subject, claims)
		if errors.Is(err, ErrNotFound) {
			return p.welcome(ctx, s, subject, claims, role)
		}
	}
	if err != nil {
		return Arrival{}, err
	}
	if !known.Disabled.IsZero() {
		return Arrival{Person: personOf(known), Before: Role(known.Role)}, ErrDisabled
	}
	before := Role(known.Role)
	if decided && role != before {
		known, err = p.store.ChangePerson(ctx, known.ID, string(Admin), func(k *store.Person, others int) error {
			if role == Admin || !lastAdmin(*k, others) {
				k.Role = string(role)
			}
			return nil
		})
	}
	return Arrival{Person: personOf(known), Before: before}, err
}

// meet links an account of the same address, if the provider vouches for the
// address. Errors: ErrNotFound where there is none.
func (p *People) meet(ctx context.Context, s SSO, subject string, claims map[string]any) (store.Person, error) {
	email, err := emailOf(claims)
	if err != nil {
		return store.Person{}, err
	}
	known, err := p.store.PersonByEmail(ctx, email)
	if err != nil {
		return known, err
	}
	if !verified(claims) || known.Subject != "" && known.Issuer == s.Issuer {
		return known, &SSOError{"Un compte Parvis a déjà votre adresse, mais le service de connexion ne garantit pas qu’elle est à vous. Connectez-vous avec votre mot de passe Parvis, ou voyez avec l’administration.", nil}
	}
	return p.store.ChangePerson(ctx, known.ID, string(Admin), func(k *store.Person, _ int) error {
		k.Issuer, k.Subject = s.Issuer, subject
		return nil
	})
}

// welcome makes an account for somebody new.
func (p *People) welcome(ctx context.Context, s SSO, subject string, claims map[string]any, role Role) (Arrival, error) {
	email, err := emailOf(claims)
	if err != nil {
		return Arrival{}, err
	}
	name, err := cleanName(nameOf(claims))
	if err != nil {
		name = email
	}
	n := store.Person{ID: newID(), Email: email, Name: name, Role: string(role), Created: p.now(), Issuer: s.Issuer, Subject: subject}
	if err := p.store.CreatePerson(ctx, n); err != nil {
		return Arrival{}, err
	}
	return Arrival{Person: personOf(n), Created: true, Before: role}, nil
}

func emailOf(claims map[string]any) (string, error) {
	email, _ := claims["email"].(string)
	email, err := cleanEmail(email)
	if err != nil {
		return "", &SSOError{"Le service de connexion n’a pas transmis votre adresse électronique. Demandez à votre service informatique de la joindre (portée « email »).", nil}
	}
	return email, nil
}

// verified reports whether the provider vouches for the address. Some write the
// word instead of the value.
func verified(claims map[string]any) bool {
	return claims["email_verified"] == true || claims["email_verified"] == "true"
}

func nameOf(claims map[string]any) string {
	word := func(key string) string { w, _ := claims[key].(string); return w }
	if name := word("name"); name != "" {
		return name
	}
	family := word("family_name")
	if family == "" {
		family = word("usual_name") // ProConnect's
	}
	return word("given_name") + " " + family
}

// roleOf gives the role that the claim stands for, and whether the provider
// decides on roles at all.
func (s SSO) roleOf(claims map[string]any) (role Role, decided bool) {
	if s.Claim == "" {
		return s.Default, false
	}
	role = s.Default
	for _, value := range valuesAt(claims, s.Claim) {
		if r, ok := s.Roles[value]; ok && slices.Index(Roles(), r) > slices.Index(Roles(), role) {
			role = r
		}
	}
	return role, true
}

// valuesAt gives the words under a path such as "realm_access.roles"; a key
// that holds the dots itself comes first.
func valuesAt(claims map[string]any, path string) []string {
	v, ok := claims[path]
	if !ok {
		first, rest, more := strings.Cut(path, ".")
		inner, isMap := claims[first].(map[string]any)
		if !more || !isMap {
			return nil
		}
		return valuesAt(inner, rest)
	}
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var words []string
		for _, one := range v {
			if w, ok := one.(string); ok {
				words = append(words, w)
			}
		}
		return words
	}
	return nil
}

// Settings are those of signing in.
type Settings struct {
	// FactorFor lists the roles that a second factor is asked of. Single
	// sign-on has its own.
	FactorFor []Role `json:"factor_for,omitempty"`
	SSO       SSO    `json:"sso,omitzero"`
}

const settingsKey = "signin"

// Settings reads the settings of signing in.
func (p *People) Settings(ctx context.Context) (Settings, error) {
	var s Settings
	text, err := p.store.Setting(ctx, settingsKey)
	if err != nil || text == "" {
		return s, err
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return s, fmt.Errorf("people: setting %s: %w", settingsKey, err)
	}
	return s, nil
}

func (p *People) keepSettings(ctx context.Context, s Settings) error {
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("people: %w", err)
	}
	return p.store.SetSetting(ctx, settingsKey, string(text))
}

// SetFactorFor says which roles a second factor is asked of.
func (p *People) SetFactorFor(ctx context.Context, roles []Role) error {
	s, err := p.Settings(ctx)
	if err != nil {
		return err
	}
	s.FactorFor = nil
	for _, r := range Roles() {
		if slices.Contains(roles, r) {
			s.FactorFor = append(s.FactorFor, r)
		}
	}
	return p.keepSettings(ctx, s)
}

// SetSSO sets single sign-on up after asking the provider, or, with the zero
// SSO, ends it. An empty secret leaves the one that is there, for the same
// issuer and client. Errors: *FieldError.
func (p *People) SetSSO(ctx context.Context, sso SSO, secret string) error {
	s, err := p.Settings(ctx)
	if err != nil {
		return err
	}
	same := s.SSO.Issuer == sso.Issuer && s.SSO.ClientID == sso.ClientID
	if sso.On() || sso.ClientID != "" {
		if err := p.checkSSO(ctx, sso); err != nil {
			return err
		}
	}
	if secret != "" || !same {
		sealed := []byte{}
		if secret != "" {
			if sealed, err = p.key.Seal([]byte(secret)); err != nil {
				return fmt.Errorf("people: %w", err)
			}
		}
		if err := p.store.PutSecret(ctx, secretName, sealed); err != nil {
			return err
		}
	}
	s.SSO = sso
	return p.keepSettings(ctx, s)
}

// HasSSOSecret reports whether a client's secret is kept.
func (p *People) HasSSOSecret(ctx context.Context) (bool, error) {
	secret, err := p.ssoSecret(ctx)
	return secret != "", err
}
