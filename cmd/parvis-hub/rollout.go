package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"parvis/hub/packs"
	"parvis/hub/people"
	"parvis/hub/rollout"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

type rolloutCmd struct {
	Start  rolloutStartCmd  `cmd:"" help:"Donne une version aux bornes, étape par étape."`
	List   rolloutListCmd   `cmd:"" help:"Liste les déploiements et où ils en sont."`
	Pause  rolloutPauseCmd  `cmd:"" help:"Met un déploiement en pause : aucune autre borne ne reçoit la version."`
	Resume rolloutResumeCmd `cmd:"" help:"Reprend un déploiement en pause."`
	Stop   rolloutStopCmd   `cmd:"" help:"Arrête un déploiement : qui a la version la garde."`
	Back   rolloutBackCmd   `cmd:"" help:"Rend à toutes les bornes la version qu’elles avaient avant."`
}

// kinds are the kinds of rollouts, as they are typed.
var kinds = map[string]string{"contenus": link.KindPack, "logiciel": link.KindSoftware}

func kindWord(kind string) string {
	for word, k := range kinds {
		if k == kind {
			return word
		}
	}
	return kind
}

// byTools is who has done what is done by these commands.
const byTools = "parvis-hub"

type rolloutStartCmd struct {
	base
	Kind      string        `arg:"" enum:"contenus,logiciel" help:"Ce qui est déployé : « contenus » ou « logiciel »."`
	Version   string        `arg:"" help:"La version."`
	Stage     []string      `sep:"none" placeholder:"ÉTAPE" help:"Une étape : des identifiants de groupes, un pourcentage du parc, ou les deux, séparés par des virgules, par exemple « pilote » ou « pilote,10% ». À répéter ; sinon 10%, 50%, 100%."`
	Quiet     time.Duration `default:"-1s" placeholder:"DURÉE" help:"Temps sans nouvelle panne avant l’étape suivante, par exemple 3h ; sinon 2h pour des contenus et 24h pour le logiciel."`
	Threshold int           `default:"10" placeholder:"POURCENT" help:"Part des bornes d’une étape en échec qui arrête le déploiement."`
	Why       string        `placeholder:"TEXTE" help:"Pourquoi, pour l’historique."`
}

// Run begins a rollout. The hub that serves does the rest.
func (c *rolloutStartCmd) Run(rt *runtime) error {
	plan := rollout.Usual(kinds[c.Kind])
	plan.Version, plan.Threshold, plan.Note = c.Version, c.Threshold, c.Why
	if c.Quiet >= 0 {
		plan.Quiet = c.Quiet
	}
	if len(c.Stage) > 0 {
		plan.Stages = nil
	}
	for _, text := range c.Stage {
		stage, err := parseStage(text)
		if err != nil {
			return err
		}
		plan.Stages = append(plan.Stages, stage)
	}
	hub, err := c.open(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	r, err := rollout.Start(rt.ctx, hub.store, hub.offers(rt), plan, byTools, rt.now())
	if errors.Is(err, store.ErrExists) {
		return fmt.Errorf("un déploiement de %s est déjà en cours, ou en pause : voyez « parvis-hub rollout list »", c.Kind)
	}
	if err != nil {
		return err
	}
	err = hub.noteRollout(rt, people.RolloutStarted, r, "")
	fmt.Fprintf(rt.stdout, "Déploiement %s commencé : %s %s, %s. Le hub en service le mène.\n", r.ID, c.Kind, r.Version, stages(len(r.Stages)))
	return err
}

// parseStage reads groups and a percentage: "pilote,10%".
func parseStage(text string) (store.RolloutStage, error) {
	var s store.RolloutStage
	for _, part := range strings.Split(text, ",") {
		part = strings.TrimSpace(part)
		number, isPercent := strings.CutSuffix(part, "%")
		switch {
		case part == "":
		case isPercent:
			n, err := strconv.Atoi(strings.TrimSpace(number))
			if err != nil || n < 1 || n > 100 || s.Percent != 0 {
				return s, fmt.Errorf("--stage=%s : « %s » : un seul pourcentage, de 1%% à 100%%", text, part)
			}
			s.Percent = n
		default:
			s.Groups = append(s.Groups, part)
		}
	}
	return s, nil
}

// offers lists what can be rolled out.
func (o *opened) offers(rt *runtime) rollout.Catalogue {
	return rollout.NewCatalogue(o.store, packs.New(o.store, o.key, rt.now, nil))
}

// noteRollout says in the audit log what was done.
func (o *opened) noteRollout(rt *runtime, action people.Action, r store.Rollout, what string) error {
	who, err := people.New(people.Options{Store: o.store, Key: o.key, Now: rt.now})
	if err != nil {
		return err
	}
	detail := map[string]string{"déploiement": r.ID}
	if what != "" {
		detail["action"] = what
	}
	return who.Audit(rt.ctx, people.Entry{Name: byTools, Action: action, Object: kindWord(r.Kind) + " " + r.Version, Detail: detail})
}

type rolloutListCmd struct{ base }

var stateWords = map[store.RolloutState]string{
	store.RolloutRunning: "en cours", store.RolloutPaused: "en pause", store.RolloutStopped: "arrêté",
	store.RolloutDone: "terminé", store.RolloutBack: "annulé",
}

// Run lists the rollouts, newest first.
func (c *rolloutListCmd) Run(rt *runtime) error {
	hub, err := c.open(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	all, err := hub.store.Rollouts(rt.ctx)
	if err != nil {
		return err
	}
	tallies, err := rollout.Tallies(rt.ctx, hub.store)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(rt.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "DÉPLOIEMENT\tQUOI\tVERSION\tÉTAT\tÉTAPE\tONT LA VERSION\tEN ÉCHEC\tPOURQUOI")
	for _, r := range all {
		t := tallies[r.ID]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d/%d\t%d/%d\t%d\t%s\n", r.ID, kindWord(r.Kind), r.Version, stateWords[r.State], r.Stage+1, len(r.Stages), t.Has, t.All(), t.Faults(), r.Why)
	}
	return w.Flush()
}

// chosenRollout says which rollout is meant.
type chosenRollout struct {
	base
	ID  string `arg:"" optional:"" placeholder:"DÉPLOIEMENT" help:"Identifiant du déploiement, ou ses derniers signes ; sinon celui qui est en cours, en pause, ou le dernier."`
	Why string `placeholder:"TEXTE" help:"Pourquoi, pour l’historique."`
}

// do does something to the rollout, and says so.
func (c *chosenRollout) do(rt *runtime, action rollout.Action, said string) error {
	hub, err := c.open(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	all, err := hub.store.Rollouts(rt.ctx)
	if err != nil {
		return err
	}
	r, err := c.find(all)
	if err != nil {
		return err
	}
	if err := rollout.Do(rt.ctx, hub.store, r.ID, action, byTools, c.Why, rt.now()); err != nil {
		return fmt.Errorf("%s %s (%s) : %w", kindWord(r.Kind), r.Version, stateWords[r.State], err)
	}
	err = hub.noteRollout(rt, people.RolloutChanged, r, string(action))
	fmt.Fprintf(rt.stdout, "%s %s : %s\n", kindWord(r.Kind), r.Version, said)
	return err
}

// find returns the only rollout that can be meant. all are newest first.
func (c *chosenRollout) find(all []store.Rollout) (store.Rollout, error) {
	var found []store.Rollout
	for _, r := range all {
		if c.ID != "" && strings.HasSuffix(r.ID, c.ID) || c.ID == "" && r.Ended.IsZero() {
			found = append(found, r)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return store.Rollout{}, errors.New("plusieurs déploiements sont possibles : donnez l’identifiant de celui que vous voulez ; « parvis-hub rollout list » les montre")
	case c.ID == "" && len(all) > 0:
		return all[0], nil
	}
	return store.Rollout{}, errors.New("ce déploiement n’existe pas : « parvis-hub rollout list » montre ceux qu’il y a")
}

type rolloutPauseCmd struct{ chosenRollout }

// Run pauses a rollout.
func (c *rolloutPauseCmd) Run(rt *runtime) error { return c.do(rt, rollout.Pause, "en pause.") }

type rolloutResumeCmd struct{ chosenRollout }

// Run goes on with a rollout.
func (c *rolloutResumeCmd) Run(rt *runtime) error { return c.do(rt, rollout.Resume, "repris.") }

type rolloutStopCmd struct{ chosenRollout }

// Run stops a rollout for good.
func (c *rolloutStopCmd) Run(rt *runtime) error {
	return c.do(rt, rollout.Stop, "arrêté. Les bornes qui ont la version la gardent.")
}

type rolloutBackCmd struct{ chosenRollout }

// Run takes a rollout back.
func (c *rolloutBackCmd) Run(rt *runtime) error {
	return c.do(rt, rollout.Back, "annulé. Les bornes reprennent la version d’avant.")
}

// stages counts stages in French.
func stages(n int) string {
	if n == 1 {
		return "1 étape"
	}
	return fmt.Sprintf("%d étapes", n)
}
