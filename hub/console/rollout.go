package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"parvis/hub/people"
	"parvis/hub/rollout"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

// rolloutRoutes are the pages about versions on their way to the fleet.
func (c *Console) rolloutRoutes() []route {
	routes := []route{
		{method: "GET", pattern: "/deploiements", permission: people.RolloutManage, handler: c.rolloutsPage, menu: menu{title: "Déploiements", icon: "download"}},
		{method: "GET", pattern: "/direct/deploiements", permission: people.RolloutManage, handler: c.rolloutsStream, quiet: true},
		{method: "GET", pattern: "/deploiements/nouveau", permission: people.RolloutManage, handler: c.newRolloutPage},
		{method: "POST", pattern: "/deploiements/nouveau", permission: people.RolloutManage, handler: c.startRollout},
		{method: "GET", pattern: "/deploiements/{rollout}", permission: people.RolloutManage, handler: c.rolloutPage},
		{method: "GET", pattern: "/direct/deploiements/{rollout}", permission: people.RolloutManage, handler: c.rolloutStream, quiet: true},
	}
	for _, a := range rolloutActions {
		routes = append(routes, route{method: "POST", pattern: "/deploiements/{rollout}/" + a.Path, permission: people.RolloutManage, handler: c.doRollout(a)})
		if a.Warning != "" {
			routes = append(routes, route{method: "GET", pattern: "/deploiements/{rollout}/" + a.Path, permission: people.RolloutManage, handler: c.confirmRollout(a)})
		}
	}
	return routes
}

// rolloutAction is something that the pages offer to do to a rollout.
type rolloutAction struct {
	action       rollout.Action
	Path, Button string
	given        string // what the next page says
	// Warning, where there is one, is what somebody reads and confirms first, on
	// a page of its own.
	Warning string
}

var rolloutActions = []rolloutAction{
	{action: rollout.Pause, Path: "pause", Button: "Mettre en pause", given: "Le déploiement est en pause : aucune autre borne ne reçoit la version."},
	{action: rollout.Resume, Path: "reprise", Button: "Reprendre", given: "Le déploiement reprend."},
	{action: rollout.Stop, Path: "arret", Button: "Arrêter", given: "Le déploiement est arrêté.",
		Warning: "Les bornes qui ont la version la gardent. Les autres restent comme elles étaient. Un déploiement arrêté ne reprend pas : il en faudra un nouveau."},
	{action: rollout.Back, Path: "retour", Button: "Revenir en arrière", given: "Retour en arrière demandé : les bornes reprennent la version d’avant.",
		Warning: "Toutes les bornes de ce déploiement reprennent la version qu’elles avaient avant. Un déploiement annulé ne reprend pas : il en faudra un nouveau."},
}

// rolloutKind names what is rolled out.
func rolloutKind(kind string) string {
	if kind == link.KindSoftware {
		return "Logiciel"
	}
	return "Contenus"
}

// rolloutState says in a badge how a rollout is.
func rolloutState(s store.RolloutState) (text, tone string) {
	switch s {
	case store.RolloutRunning:
		return "En cours", toneInfo
	case store.RolloutPaused:
		return "En pause", toneOff
	case store.RolloutStopped:
		return "Arrêté", toneBad
	case store.RolloutDone:
		return "Terminé", toneGood
	}
	return "Annulé", toneWarn
}

// rolloutRow is a line of the list.
type rolloutRow struct {
	store.Rollout
	Name        string
	Badge, Tone string
	rollout.Tally
}

// rolloutsShown is how many rollouts the list has.
const rolloutsShown = 50

func (c *Console) rollouts(ctx context.Context) ([]rolloutRow, error) {
	all, err := c.Store.Rollouts(ctx)
	if err != nil {
		return nil, err
	}
	tallies, err := rollout.Tallies(ctx, c.Store)
	if err != nil {
		return nil, err
	}
	var rows []rolloutRow
	for _, r := range all[:min(rolloutsShown, len(all))] {
		row := rolloutRow{Rollout: r, Name: rolloutName(r), Tally: tallies[r.ID]}
		row.Badge, row.Tone = rolloutState(r.State)
		rows = append(rows, row)
	}
	return rows, nil
}

func rolloutName(r store.Rollout) string { return rolloutKind(r.Kind) + " " + r.Version }

// Number is that of the stage, for people.
func (r rolloutRow) Number() int { return r.Rollout.Stage + 1 }

func (c *Console) rolloutsPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	rows, err := c.rollouts(r.Context())
	if err != nil {
		return err
	}
	return c.render(w, r, v, "rollouts", view{Title: "Déploiements", Data: rows})
}

func (c *Console) rolloutsStream(w http.ResponseWriter, r *http.Request, v *visitor) error {
	return c.stream(w, r, v, "", func(ctx context.Context) ([]section, error) {
		rows, err := c.rollouts(ctx)
		if err != nil {
			return nil, err
		}
		return c.drawSections("rollouts", rows, "rollouts-list")
	})
}

// rolloutView is the page of one rollout.
type rolloutView struct {
	store.Rollout
	Name        string
	Badge, Tone string
	Actions     []rolloutAction
	Stages      []stageRow
	Bornes      []rolledBorne // that fare badly, the newest first
	More        int           // such bornes that are not shown
	Waiting     string        // names of those that are waited for
	Absent      string        // names of those that are offline
	History     []store.RolloutEvent
}

// stageRow is a stage in words, and how its bornes fare.
type stageRow struct {
	Number      int
	Who         string
	Badge, Tone string
	rollout.Tally
}

// rolledBorne is a borne that fares badly.
type rolledBorne struct {
	store.RolloutBorne
	Place, Title string
}

// badShown is how many bornes that fare badly a page lists.
const badShown = 100

func (c *Console) rollout(ctx context.Context, id string) (*rolloutView, error) {
	r, err := c.Store.Rollout(ctx, id)
	if err != nil {
		return nil, err
	}
	bornes, err := c.Store.RolloutBornes(ctx, id)
	if err != nil {
		return nil, err
	}
	v := &rolloutView{Rollout: r, Name: rolloutName(r)}
	v.Badge, v.Tone = rolloutState(r.State)
	if v.History, err = c.Store.RolloutEvents(ctx, id); err != nil {
		return nil, err
	}
	newest, err := rollout.Newest(ctx, c.Store, r)
	if err != nil {
		return nil, err
	}
	for _, allowed := range rollout.Allowed(r.State, newest) {
		for _, a := range rolloutActions {
			if a.action == allowed {
				v.Actions = append(v.Actions, a)
			}
		}
	}
	names, err := c.groupNames(ctx)
	if err != nil {
		return nil, err
	}
	for i, t := range rollout.Count(r, bornes) {
		row := stageRow{Number: i + 1, Who: stageWho(r.Stages[i], names), Tally: t}
		row.Badge, row.Tone = stageState(r, i, t)
		v.Stages = append(v.Stages, row)
	}
	return v, c.readRolled(ctx, v, bornes)
}

// stageState says in a badge how far a stage is.
func stageState(r store.Rollout, stage int, t rollout.Tally) (text, tone string) {
	here := stage == r.Stage && (r.State == store.RolloutRunning || r.State == store.RolloutPaused)
	switch {
	case here && !r.Settled.IsZero():
		return "Sous surveillance", toneInfo
	case here:
		return "En cours", toneInfo
	case t.All() > 0 && t.Back == t.All():
		return "Remise en arrière", toneWarn
	case r.State == store.RolloutDone || stage < r.Stage:
		return "Passée", toneGood
	case t.All() > 0:
		return "Arrêtée", toneBad
	case r.Ended.IsZero():
		return "À venir", ""
	}
	return "Pas commencée", ""
}

// stageWho names the bornes of a stage.
func stageWho(s store.RolloutStage, groups map[string]string) string {
	var parts []string
	for _, id := range s.Groups {
		parts = append(parts, cmp.Or(groups[id], id))
	}
	switch {
	case s.Percent == 100:
		parts = append(parts, "toutes les bornes")
	case s.Percent > 0:
		parts = append(parts, fmt.Sprintf("%d%s%% des bornes", s.Percent, fixed))
	}
	return strings.Join(parts, ", ")
}

func (c *Console) groupNames(ctx context.Context) (map[string]string, error) {
	groups, err := c.Store.Groups(ctx)
	names := make(map[string]string, len(groups))
	for _, g := range groups {
		names[g.ID] = g.Name
	}
	return names, err
}

// readRolled lists the bornes that somebody may want to look at.
func (c *Console) readRolled(ctx context.Context, v *rolloutView, bornes []store.RolloutBorne) error {
	var waiting, absent, bad []string
	for _, b := range bornes {
		switch {
		case rollout.Faulty(b.State):
			if bad = append(bad, b.Borne); len(v.Bornes) < badShown {
				v.Bornes = append(v.Bornes, rolledBorne{RolloutBorne: b, Title: rolledTitle(b.State)})
			}
		case !b.Back.IsZero():
		case b.State == store.BorneWaiting:
			waiting = append(waiting, b.Borne)
		case b.State == store.BorneAbsent:
			absent = append(absent, b.Borne)
		}
	}
	v.Waiting, v.Absent, v.More = few(waiting), few(absent), len(bad)-len(v.Bornes)
	known, err := c.Store.BornesByID(ctx, bad[:len(v.Bornes)])
	for i := range v.Bornes {
		v.Bornes[i].Place = known[v.Bornes[i].Borne].Site.Name
	}
	return err
}

// rolledTitle says what is wrong with a borne.
func rolledTitle(s store.RolloutBorneState) string {
	switch s {
	case store.BorneFailed:
		return "Refusée par la borne"
	case store.BorneSilent:
		return "Ne répond plus"
	case store.BorneWorse:
		return "Nouvelle panne"
	}
	return "N’a pas suivi"
}

// QuietTime is how long a stage must be without a new fault, in a word.
func (v *rolloutView) QuietTime() string {
	if v.Quiet == 0 {
		return "aucun temps"
	}
	return lasting(v.Quiet)
}

// Next is when the next stage begins if nothing happens; zero where nobody knows.
func (v *rolloutView) Next() time.Time {
	if v.State != store.RolloutRunning || v.Settled.IsZero() {
		return time.Time{}
	}
	return v.Settled.Add(v.Quiet)
}

func (c *Console) rolloutPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	data, err := c.rollout(r.Context(), r.PathValue("rollout"))
	if err != nil {
		return err
	}
	return c.render(w, r, v, "rollout", view{Title: data.Name, Data: data})
}

func (c *Console) rolloutStream(w http.ResponseWriter, r *http.Request, v *visitor) error {
	id := r.PathValue("rollout")
	if _, err := c.Store.Rollout(r.Context(), id); err != nil {
		return err
	}
	return c.stream(w, r, v, "", func(ctx context.Context) ([]section, error) {
		data, err := c.rollout(ctx, id)
		if err != nil {
			return nil, err
		}
		return c.drawSections("rollout", data, "rollout-state", "rollout-actions", "rollout-sum", "rollout-stages", "rollout-bornes", "rollout-history")
	})
}

// rolloutConfirm is a page that asks once more.
type rolloutConfirm struct {
	store.Rollout
	rolloutAction
	Name string
}

func (c *Console) confirmRollout(a rolloutAction) handler {
	return func(w http.ResponseWriter, r *http.Request, v *visitor) error {
		data, err := c.Store.Rollout(r.Context(), r.PathValue("rollout"))
		if err != nil {
			return err
		}
		return c.render(w, r, v, "rollout-confirm", view{Title: a.Button + " – " + rolloutName(data), Data: rolloutConfirm{data, a, rolloutName(data)}})
	}
}

func (c *Console) doRollout(a rolloutAction) handler {
	return func(w http.ResponseWriter, r *http.Request, v *visitor) error {
		ctx := r.Context()
		of, err := c.Store.Rollout(ctx, r.PathValue("rollout"))
		if err != nil {
			return err
		}
		page := "/deploiements/" + of.ID
		why := oneLine(r.PostFormValue("pourquoi"))
		if runes := []rune(why); len(runes) > rollout.MaxNote {
			why = string(runes[:rollout.MaxNote])
		}
		err = rollout.Do(ctx, c.Store, of.ID, a.action, v.Name, why, c.Now())
		if errors.Is(err, rollout.ErrNotNow) {
			return c.redirect(w, r, page, "Rien n’a changé : ce déploiement ne s’y prête pas, ou plus.")
		}
		if err != nil {
			return err
		}
		err = c.audit(r, v, people.Entry{Action: people.RolloutChanged, Object: rolloutName(of), Detail: map[string]string{"action": a.Button, "déploiement": of.ID}})
		if err != nil {
			return err
		}
		return c.redirect(w, r, page, a.given)
	}
}
