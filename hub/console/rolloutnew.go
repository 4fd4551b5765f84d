package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"parvis/hub/people"
	"parvis/hub/rollout"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

// stagesOffered is how many stages the form has room for.
const stagesOffered = 5

// rolloutForm is the form of a new rollout, as it was typed.
type rolloutForm struct {
	Chosen    string // kind and version, "pack/2026-12"
	Quiet     string // hours; empty: as usual
	Threshold string
	Note      string
	Kinds     []versionGroup
	Stages    []stageForm
	MaxNote   int
}

// versionGroup is the versions of one kind.
type versionGroup struct {
	Label    string
	Versions []versionChoice
}

type versionChoice struct {
	Value, Label string
	Added        time.Time
}

// stageForm is one stage as it was typed.
type stageForm struct {
	Number  int
	Percent string
	Groups  []choiceBox
}

// Any reports whether there is anything to roll out.
func (f rolloutForm) Any() bool { return len(f.Kinds) > 0 }

func (c *Console) newRolloutPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	usual := rollout.Usual(link.KindPack)
	form := rolloutForm{Threshold: strconv.Itoa(usual.Threshold), Stages: make([]stageForm, stagesOffered)}
	for i, s := range usual.Stages {
		form.Stages[i].Percent = strconv.Itoa(s.Percent)
	}
	return c.showNewRollout(w, r, v, form, nil)
}

func (c *Console) showNewRollout(w http.ResponseWriter, r *http.Request, v *visitor, form rolloutForm, mistakes formErrors) error {
	ctx := r.Context()
	form.MaxNote = rollout.MaxNote
	groups, err := c.Store.Groups(ctx)
	if err != nil {
		return err
	}
	for i := range form.Stages {
		s := &form.Stages[i]
		s.Number = i + 1
		chosen := r.PostForm["groupe-"+strconv.Itoa(s.Number)]
		for _, g := range groups {
			s.Groups = append(s.Groups, choiceBox{g.ID, g.Name, slices.Contains(chosen, g.ID)})
		}
	}
	if form.Kinds, err = c.versionGroups(ctx); err != nil {
		return err
	}
	return c.render(w, r, v, "rollout-new", view{Title: "Nouveau déploiement", Data: form, Errors: mistakes})
}

// versionGroups lists what can be rolled out.
func (c *Console) versionGroups(ctx context.Context) ([]versionGroup, error) {
	var groups []versionGroup
	for _, kind := range []string{link.KindPack, link.KindSoftware} {
		versions, err := c.Offers(ctx, kind)
		if err != nil {
			return nil, err
		}
		g := versionGroup{Label: rolloutKind(kind)}
		for _, v := range versions {
			g.Versions = append(g.Versions, versionChoice{kind + "/" + v.Version, v.Version, v.Added})
		}
		if len(g.Versions) > 0 {
			groups = append(groups, g)
		}
	}
	return groups, nil
}

// readRollout reads the form; what makes no number is among the mistakes.
func readRollout(r *http.Request) (rolloutForm, rollout.Plan, formErrors) {
	form := rolloutForm{Chosen: r.PostFormValue("version"), Quiet: strings.TrimSpace(r.PostFormValue("quiet")),
		Threshold: strings.TrimSpace(r.PostFormValue("threshold")), Note: oneLine(r.PostFormValue("note")), Stages: make([]stageForm, stagesOffered)}
	var mistakes formErrors
	kind, version, _ := strings.Cut(form.Chosen, "/")
	plan := rollout.Usual(kind)
	plan.Version, plan.Note, plan.Stages = version, form.Note, nil
	if form.Quiet != "" {
		hours, err := strconv.Atoi(form.Quiet)
		if err != nil || hours < 0 || hours > int(rollout.MaxQuiet/time.Hour) {
			mistakes.add("quiet", "Donnez un nombre d’heures, ou laissez vide.")
		}
		plan.Quiet = time.Duration(hours) * time.Hour
	}
	var err error
	if plan.Threshold, err = strconv.Atoi(form.Threshold); err != nil {
		mistakes.add("threshold", "Donnez un pourcentage, de 1 à 100.")
	}
	for i := range form.Stages {
		n := strconv.Itoa(i + 1)
		form.Stages[i].Percent = strings.TrimSpace(r.PostFormValue("part-" + n))
		stage := store.RolloutStage{Groups: r.PostForm["groupe-"+n]}
		if typed := form.Stages[i].Percent; typed != "" {
			if stage.Percent, err = strconv.Atoi(typed); err != nil {
				mistakes.add("part-"+n, "Donnez un pourcentage, de 1 à 100, ou laissez vide.")
			}
		}
		if stage.Percent != 0 || len(stage.Groups) > 0 {
			plan.Stages = append(plan.Stages, stage)
		}
	}
	return form, plan, mistakes
}

func (c *Console) startRollout(w http.ResponseWriter, r *http.Request, v *visitor) error {
	form, plan, mistakes := readRollout(r)
	if len(mistakes) > 0 {
		return c.showNewRollout(w, r, v, form, mistakes)
	}
	started, err := rollout.Start(r.Context(), c.Store, c.Offers, plan, v.Name, c.Now())
	wrong := new(rollout.FieldError)
	switch {
	case errors.As(err, &wrong):
		field := wrong.Field
		if field == "stages" {
			field = "part-1"
		} else if field == "kind" {
			field = "version"
		}
		mistakes.add(field, wrong.Text)
	case errors.Is(err, store.ErrExists):
		mistakes.add("version", "Un déploiement de ce genre est déjà en cours, ou en pause : attendez sa fin, ou arrêtez-le.")
	case err != nil:
		return err
	}
	if len(mistakes) > 0 {
		return c.showNewRollout(w, r, v, form, mistakes)
	}
	err = c.audit(r, v, people.Entry{Action: people.RolloutStarted, Object: rolloutName(started), Detail: map[string]string{"déploiement": started.ID}})
	if err != nil {
		return err
	}
	return c.redirect(w, r, "/deploiements/"+started.ID, "Le déploiement a commencé.")
}
