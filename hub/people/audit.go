package people

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"parvis/hub/store"
)

// Action is the key of something that was done or seen.
type Action string

// The actions. Their labels stand in actionLabels.
const (
	SignedIn           Action = "session.begin"
	SignInFailed       Action = "session.refused"
	SignedOut          Action = "session.end"
	SessionsEnded      Action = "session.end_others"
	PasswordChanged    Action = "account.password"
	FactorSet          Action = "account.factor_set"
	FactorRemoved      Action = "account.factor_removed"
	RecoveryUsed       Action = "account.recovery_used"
	PersonCreated      Action = "person.create"
	PersonInvited      Action = "person.invite"
	PersonRenamed      Action = "person.rename"
	RoleChanged        Action = "person.role"
	PersonDisabled     Action = "person.disable"
	PersonEnabled      Action = "person.enable"
	PersonRemoved      Action = "person.remove"
	SettingsChanged    Action = "settings.change"
	AuditExported      Action = "audit.export"
	InventoryExported  Action = "inventory.export"
	CommandGiven       Action = "borne.command"
	ScreenshotSeen     Action = "borne.screenshot_seen"
	LogsRead           Action = "borne.logs_read"
	BorneRevoked       Action = "borne.revoke"
	CloneDealtWith     Action = "borne.clone_cleared"
	TokenCreated       Action = "enrol.token_create"
	TokenWithdrawn     Action = "enrol.token_withdraw"
	SiteSaved          Action = "enrol.site"
	RuleSaved          Action = "alert.rule_save"
	RuleRemoved        Action = "alert.rule_remove"
	AlertSettings      Action = "alert.settings"
	AlertTaken         Action = "alert.take"
	RolloutStarted     Action = "rollout.start"
	RolloutChanged     Action = "rollout.change"
	ProfileSaved       Action = "profile.save"
	GroupSaved         Action = "profile.group_save"
	GroupRemoved       Action = "profile.group_remove"
	CallbackSeen       Action = "callback.see"
	CallbackHandedOver Action = "callback.hand_over"
	CallbackTexted     Action = "callback.text"
	CallbackSettings   Action = "callback.settings"
	CallbacksExported  Action = "callback.export"
	OpenDataChanged    Action = "statistics.open_data"
	FeedMade           Action = "calendar.make"
	FeedStopped        Action = "calendar.stop"
	AccessMade         Action = "access.make"
	AccessRevoked      Action = "access.revoke"
)

var actionLabels = map[Action]string{
	SignedIn:           "Connexion",
	SignInFailed:       "Connexion refusée",
	SignedOut:          "Déconnexion",
	SessionsEnded:      "Autres sessions fermées",
	PasswordChanged:    "Mot de passe changé",
	FactorSet:          "Double authentification activée",
	FactorRemoved:      "Double authentification retirée",
	RecoveryUsed:       "Code de secours utilisé",
	PersonCreated:      "Compte créé",
	PersonInvited:      "Invitation",
	PersonRenamed:      "Compte modifié",
	RoleChanged:        "Rôle changé",
	PersonDisabled:     "Compte suspendu",
	PersonEnabled:      "Compte rétabli",
	PersonRemoved:      "Compte supprimé",
	SettingsChanged:    "Réglages de connexion changés",
	AuditExported:      "Journal exporté",
	InventoryExported:  "Inventaire exporté",
	CommandGiven:       "Commande donnée",
	ScreenshotSeen:     "Capture d’écran vue",
	LogsRead:           "Journaux techniques lus",
	BorneRevoked:       "Borne révoquée",
	CloneDealtWith:     "Double identité traitée",
	TokenCreated:       "Code de mise en service créé",
	TokenWithdrawn:     "Code de mise en service retiré",
	SiteSaved:          "Site enregistré",
	RuleSaved:          "Règle d’alerte enregistrée",
	RuleRemoved:        "Règle d’alerte supprimée",
	AlertSettings:      "Réglages d’alerte changés",
	AlertTaken:         "Suivi d’une alerte",
	RolloutStarted:     "Déploiement commencé",
	RolloutChanged:     "Déploiement changé",
	ProfileSaved:       "Couche de profil changée",
	GroupSaved:         "Groupe de sites changé",
	GroupRemoved:       "Groupe de sites supprimé",
	CallbackSeen:       "Demande de rappel ouverte",
	CallbackHandedOver: "Demande de rappel passée",
	CallbackTexted:     "SMS envoyé pour une demande de rappel",
	CallbackSettings:   "Réglages des rappels changés",
	CallbacksExported:  "Rappels exportés",
	OpenDataChanged:    "Données ouvertes réglées",
	FeedMade:           "Adresse d’agenda faite",
	FeedStopped:        "Adresse d’agenda arrêtée",
	AccessMade:         "Accès d’un programme créé",
	AccessRevoked:      "Accès d’un programme révoqué",
}

// Label names an action for people.
func (a Action) Label() string {
	if l, ok := actionLabels[a]; ok {
		return l
	}
	return string(a)
}

// Entry is one line of the audit log. It never holds a password, a code, a
// token, nor what a resident has typed.
type Entry struct {
	ID      string // UUIDv7, given by Audit
	At      time.Time
	Person  string // ID; empty for nobody who is known
	Name    string // as it was then
	Action  Action
	Borne   string            // where there is one
	Object  string            // what it was done to, in words or as an ID
	Detail  map[string]string // what else there is to say
	Address string            // where from, without port
}

// Audit adds a line to the log. ID and At are filled in.
func (p *People) Audit(ctx context.Context, e Entry) error {
	detail, err := json.Marshal(e.Detail)
	if err != nil {
		return fmt.Errorf("people: %w", err)
	}
	return p.store.PutAudit(ctx, store.AuditLine{
		ID: newID(), At: p.now(), Person: e.Person, Name: e.Name, Action: string(e.Action),
		Borne: e.Borne, Object: e.Object, Detail: string(detail), Address: e.Address,
	})
}

// Filter says which lines of the log are wanted; what is empty is not asked for.
type Filter struct {
	Person string
	Action Action
	Borne  string
	From   time.Time
	To     time.Time // not included
	Before string    // only lines older than the one with this ID
	Limit  int       // 0: all
}

// Log lists lines of the audit log, newest first.
func (p *People) Log(ctx context.Context, f Filter) ([]Entry, error) {
	lines, err := p.store.Audit(ctx, store.AuditFilter{Person: f.Person, Action: string(f.Action), Borne: f.Borne,
		From: f.From, To: f.To, Before: f.Before, Limit: f.Limit})
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, len(lines))
	for i, l := range lines {
		e := Entry{ID: l.ID, At: l.At, Person: l.Person, Name: l.Name, Action: Action(l.Action), Borne: l.Borne, Object: l.Object, Address: l.Address}
		if err := json.Unmarshal([]byte(l.Detail), &e.Detail); err != nil {
			return nil, fmt.Errorf("people: line %s: %w", l.ID, err)
		}
		entries[i] = e
	}
	return entries, nil
}

// LogPeople gives, by ID, the names of those who have lines in the log.
func (p *People) LogPeople(ctx context.Context) (map[string]string, error) {
	return p.store.AuditPeople(ctx)
}

// Actions lists all actions that have a name, by name.
func Actions() []Action {
	return slices.SortedFunc(maps.Keys(actionLabels), func(a, b Action) int { return strings.Compare(a.Label(), b.Label()) })
}

// KeepLog is how long a line of the log is kept.
const KeepLog = 400 * 24 * time.Hour

// Tidy forgets what is too old: sessions, links, failed tries, lines of the
// log. The hub calls it once a day.
func (p *People) Tidy(ctx context.Context) error {
	now := p.now()
	return p.store.DropOldPeople(ctx, now, now.Add(-keepTries), now.Add(-KeepLog))
}
