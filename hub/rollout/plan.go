package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"parvis/hub/packs"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

// Plan is what somebody wants to be rolled out, and how.
type Plan struct {
	Kind      string // link.KindPack or link.KindSoftware
	Version   string
	Stages    []store.RolloutStage
	Quiet     time.Duration
	Threshold int    // percent
	Note      string // may be empty
}

// The bounds of a plan.
const (
	MaxStages = 10
	MaxQuiet  = 30 * 24 * time.Hour
	MaxNote   = 200 // letters
)

// Usual is how most versions are rolled out: a tenth of the fleet, a half, all.
// A night must pass over software before more of it is installed.
func Usual(kind string) Plan {
	p := Plan{Kind: kind, Stages: []store.RolloutStage{{Percent: 10}, {Percent: 50}, {Percent: 100}}, Quiet: 2 * time.Hour, Threshold: 10}
	if kind == link.KindSoftware {
		p.Quiet = 24 * time.Hour
	}
	return p
}

// FieldError says what is wrong with one part of a plan, in French. Field is
// "kind", "version", "stages", "quiet", "threshold" or "note".
type FieldError struct{ Field, Text string }

func (e *FieldError) Error() string { return e.Text }

func wrong(field, format string, args ...any) error {
	return &FieldError{field, fmt.Sprintf(format, args...)}
}

// Version is one that can be rolled out.
type Version struct {
	Version string
	Added   time.Time
}

// Catalogue lists what can be rolled out of a kind, newest first.
type Catalogue func(ctx context.Context, kind string) ([]Version, error)

// bornePackage is the Debian package whose versions are rolled out.
const bornePackage = "parvis-borne"

// NewCatalogue lists the packs and the software that a hub offers.
func NewCatalogue(s *store.Store, p *packs.Packs) Catalogue {
	return func(ctx context.Context, kind string) ([]Version, error) {
		var versions []Version
		if kind == link.KindPack {
			all, err := p.List(ctx)
			for _, info := range all {
				versions = append(versions, Version{info.Version, info.Made})
			}
			return versions, err
		}
		all, err := s.Softwares(ctx)
		for _, p := range all {
			// There is one of a version for each architecture.
			known := slices.ContainsFunc(versions, func(v Version) bool { return v.Version == p.Version })
			if p.Package == bornePackage && p.Removed.IsZero() && !known {
				versions = append(versions, Version{p.Version, p.Added})
			}
		}
		return versions, err
	}
}

// Start begins a rollout in somebody's name. Errors: a FieldError, and
// store.ErrExists while another of the kind runs or is paused.
func Start(ctx context.Context, s *store.Store, offers Catalogue, p Plan, by string, now time.Time) (store.Rollout, error) {
	if err := check(ctx, s, offers, &p); err != nil {
		return store.Rollout{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return store.Rollout{}, err
	}
	r := store.Rollout{ID: id.String(), Kind: p.Kind, Version: p.Version, Stages: p.Stages, Quiet: p.Quiet, Threshold: p.Threshold,
		State: store.RolloutRunning, Created: now, By: by, Note: p.Note}
	err = s.CreateRollout(ctx, r, store.RolloutEvent{At: now, By: by, What: "Commencé", Why: p.Note})
	return r, err
}

func check(ctx context.Context, s *store.Store, offers Catalogue, p *Plan) error {
	p.Version, p.Note = strings.TrimSpace(p.Version), strings.TrimSpace(p.Note)
	switch {
	case p.Kind != link.KindPack && p.Kind != link.KindSoftware:
		return wrong("kind", "Choisissez ce qui est déployé : des contenus ou le logiciel.")
	case p.Version == "":
		return wrong("version", "Choisissez une version.")
	case len(p.Stages) == 0:
		return wrong("stages", "Il faut au moins une étape.")
	case len(p.Stages) > MaxStages:
		return wrong("stages", "%d étapes : %d au plus.", len(p.Stages), MaxStages)
	case p.Quiet < 0 || p.Quiet > MaxQuiet:
		return wrong("quiet", "Une étape reste calme de 0 heure à 30 jours.")
	case p.Threshold < 1 || p.Threshold > 100:
		return wrong("threshold", "Le seuil est un pourcentage, de 1 à 100.")
	case len([]rune(p.Note)) > MaxNote:
		return wrong("note", "%d lettres au plus.", MaxNote)
	}
	versions, err := offers(ctx, p.Kind)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(versions, func(v Version) bool { return v.Version == p.Version }) {
		return wrong("version", "Le hub n’a pas la version « %s ».", p.Version)
	}
	return checkStages(ctx, s, p.Stages)
}

func checkStages(ctx context.Context, s *store.Store, stages []store.RolloutStage) error {
	groups, err := s.Groups(ctx)
	if err != nil {
		return err
	}
	percent := 0
	for i, stage := range stages {
		switch {
		case len(stage.Groups) == 0 && stage.Percent == 0:
			return wrong("stages", "Étape %d : ni groupe ni pourcentage.", i+1)
		case stage.Percent < 0 || stage.Percent > 100:
			return wrong("stages", "Étape %d : un pourcentage va de 1 à 100.", i+1)
		case stage.Percent > 0 && stage.Percent <= percent:
			return wrong("stages", "Étape %d : %d\u00a0%% n’ajoute personne aux %d\u00a0%% d’avant.", i+1, stage.Percent, percent)
		}
		percent = max(percent, stage.Percent)
		for _, id := range stage.Groups {
			if !slices.ContainsFunc(groups, func(g store.Group) bool { return g.ID == id }) {
				return wrong("stages", "Étape %d : le groupe « %s » n’existe pas.", i+1, id)
			}
		}
	}
	return nil
}

// Action is what somebody does to a rollout.
type Action string

// The actions.
const (
	Pause  Action = "pause"
	Resume Action = "resume"
	Stop   Action = "stop" // for good: those who have the version keep it
	Back   Action = "back" // for good: all go back to what they had before
)

// Allowed are the actions that a rollout in a state admits. Only the newest
// rollout of a kind can be taken back: what others had before is of no more use.
func Allowed(state store.RolloutState, newest bool) []Action {
	var all []Action
	switch state {
	case store.RolloutRunning:
		all = []Action{Pause, Stop}
	case store.RolloutPaused:
		all = []Action{Resume, Stop}
	}
	if newest && state != store.RolloutBack {
		all = append(all, Back)
	}
	return all
}

// ErrNotNow says that a rollout admits no such action in its state.
var ErrNotNow = errors.New("ce déploiement ne s’y prête pas, ou plus")

// Do does something to a rollout in somebody's name; why may be empty. Errors:
// store.ErrNotFound, ErrNotNow.
func Do(ctx context.Context, s *store.Store, id string, a Action, by, why string, now time.Time) error {
	r, err := s.Rollout(ctx, id)
	if err != nil {
		return err
	}
	newest, err := Newest(ctx, s, r)
	if err != nil {
		return err
	}
	if !slices.Contains(Allowed(r.State, newest), a) {
		return ErrNotNow
	}
	to := map[Action]store.RolloutState{Pause: store.RolloutPaused, Resume: store.RolloutRunning, Stop: store.RolloutStopped, Back: store.RolloutBack}[a]
	what := map[Action]string{Pause: "Mis en pause", Resume: "Repris", Stop: "Arrêté", Back: "Retour en arrière"}[a]
	err = s.SetRolloutState(ctx, id, []store.RolloutState{r.State}, to, store.RolloutEvent{At: now, By: by, What: what, Why: strings.TrimSpace(why)})
	if errors.Is(err, store.ErrRolloutState) {
		err = ErrNotNow
	}
	return err
}

// Newest reports whether a rollout is the last one of its kind.
func Newest(ctx context.Context, s *store.Store, r store.Rollout) (bool, error) {
	all, err := s.Rollouts(ctx)
	if err != nil {
		return false, err
	}
	i := slices.IndexFunc(all, func(other store.Rollout) bool { return other.Kind == r.Kind })
	return i >= 0 && all[i].ID == r.ID, nil
}
