package upgrade

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// Replacer is root's half: it puts a version in place, watches it, and goes back
// to the one before if the borne isn't well. It may be killed at any moment; run
// again, it goes on.
type Replacer struct {
	Data  string   // the borne's folder, which the agent may write
	Agent uint32   // the agent's user
	State string   // folder of root's, where there is one root only
	Slots string   // the same where there are two, which both see
	Cache string   // folder of root's
	Keys  []string // where the hub's key for packages may lie; the first that is there counts
	Slot  string   // the program that knows of two roots
	Times Times
	// Alive reads how the application says it is.
	Alive func(ctx context.Context) (store.Alive, error)
	// Reboot restarts the machine, where it has two roots.
	Reboot func(ctx context.Context) error
	Now    func() time.Time
	Log    *slog.Logger

	slots *slots // nil where there is one root
}

// mostTries is how often a phase is begun before it counts as failed: what
// brings the machine down each time would do so for ever.
const mostTries = 3

// Run goes on with the change under way, or begins what the agent asks for.
// Having nothing to do is no error; nor is a change that failed, which the
// result tells.
func (r *Replacer) Run(ctx context.Context) error {
	if err := r.pinKey(); err != nil {
		r.Log.Error("clé des paquets du hub, offerte par l’agent : refusée", "erreur", err)
	}
	if err := r.findSlots(ctx); err != nil {
		return err
	}
	if r.slots != nil {
		release, err := r.slots.alone(ctx)
		if err != nil {
			return err
		}
		defer release()
	}
	s, err := r.load()
	if err != nil {
		return err
	}
	if s == nil && r.slots != nil {
		if err := r.awaitTrial(ctx); err != nil {
			return err
		}
	}
	if s == nil {
		if s, err = r.begin(ctx); err != nil || s == nil {
			return err
		}
	}
	if r.slots != nil {
		return r.runSlots(ctx, s)
	}
	if s.Phase != "" {
		if err := r.mend(ctx); err != nil {
			return err
		}
	}
	return r.runInPlace(ctx, s)
}

// begin takes the agent's request, unless there is a reason against it.
func (r *Replacer) begin(ctx context.Context) (*state, error) {
	version, err := r.take()
	if err != nil || version == "" {
		return nil, err
	}
	s := &state{To: version}
	if s.From, err = installed(ctx, nil); err != nil {
		return nil, err
	}
	if r.slots != nil {
		s.Slot = r.slots.current
	}
	why, err := r.against(ctx, s)
	if err != nil {
		return nil, err
	}
	if why != "" {
		return nil, r.end(s, link.Refused, why)
	}
	if s.From == s.To {
		return nil, r.end(s, link.Done, "")
	}
	return s, nil
}

// against is why a change is refused, or empty.
func (r *Replacer) against(ctx context.Context, s *state) (string, error) {
	if s.From == "" {
		return "Le paquet " + Package + " n’est pas installé : la borne l’a été autrement.", nil
	}
	err := exec.CommandContext(ctx, "dpkg", "--compare-versions", s.To, "lt", s.From).Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return fmt.Sprintf("La version %s est plus ancienne que la version %s, en place : ses données pourraient ne plus être lues. "+
			"Publiez l’ancien programme sous un numéro plus grand.", s.To, s.From), nil
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		return "", nil
	}
	return "", fmt.Errorf("dpkg --compare-versions : %w", err)
}

// mend ends what an interrupted dpkg has begun.
func (r *Replacer) mend(ctx context.Context) error {
	if err := r.dpkg(ctx, "--configure", "-a"); err != nil {
		r.Log.Warn("dpkg --configure -a", "erreur", err) // what comes next installs the package anew
	}
	return ctx.Err()
}

// Dpkg waits for nobody who is using it; others may, for this long.
const (
	dpkgWaits = 10 * time.Minute
	dpkgAgain = 3 * time.Second
)

// dpkg runs dpkg, which asks nothing and may go back to an older version.
func (r *Replacer) dpkg(ctx context.Context, args ...string) error {
	args = append([]string{"--force-confdef", "--force-confold", "--force-downgrade"}, args...)
	for deadline := r.Now().Add(dpkgWaits); ; {
		cmd := exec.CommandContext(context.WithoutCancel(ctx), "dpkg", args...) // ends what it has begun
		cmd.Env = append(quietly(), "PARVIS_RETOUR=1")
		_, err := output(cmd)
		if err == nil || !strings.Contains(err.Error(), "lock") || r.Now().After(deadline) {
			return err
		}
		select {
		case <-time.After(dpkgAgain):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// runInPlace changes the root that runs.
func (r *Replacer) runInPlace(ctx context.Context, s *state) error {
	for {
		next, end, err := r.step(ctx, s)
		if err != nil {
			return err
		}
		if next == "" {
			return r.end(s, end, s.Why)
		}
		s.Phase, s.Tries = next, 0
	}
}

// step does a phase and tells the next; none where all is over, with the end.
func (r *Replacer) step(ctx context.Context, s *state) (next phase, end link.OutcomeState, err error) {
	switch s.Phase {
	case "", before:
		return install, "", r.examine(ctx, s)
	case install:
		return r.install(ctx, s)
	case watch:
		return r.watch(ctx, s)
	case back:
		return r.back(ctx, s)
	}
	return "", "", fmt.Errorf("%s : étape « %s » inconnue", stateFile, s.Phase)
}

// examine sees how the borne is before anything changes: of a borne that is ill
// already, a fresh version is asked for no more than to leave it no worse.
func (r *Replacer) examine(ctx context.Context, s *state) error {
	if err := r.enter(s, before); err != nil {
		return err
	}
	if s.Tries > mostTries {
		s.Ill = dead
		return nil
	}
	if r.settled(ctx) {
		return nil
	}
	ill, err := r.health(ctx, time.Time{}, r.Times.Before)
	if ill.why != nil {
		r.Log.Warn("la borne n’allait pas bien avant la mise à jour", "pourquoi", ill.why)
	}
	s.Ill = ill.grade
	return err
}

// install puts the wanted version in place.
func (r *Replacer) install(ctx context.Context, s *state) (phase, link.OutcomeState, error) {
	if err := r.enter(s, install); err != nil {
		return "", "", err
	}
	failure := fmt.Errorf("interrompue %d fois", mostTries)
	if s.Tries <= mostTries {
		failure = r.tryInstall(ctx, s)
	}
	if ctx.Err() != nil {
		return "", "", ctx.Err() // it goes on at the next start
	}
	if failure == nil {
		return watch, "", nil
	}
	s.Why = fmt.Sprintf("La version %s n’a pas pu être installée : %v.", s.To, failure)
	is, err := installed(ctx, nil)
	if err != nil {
		return "", "", err
	}
	if is == s.From {
		return "", link.Failed, nil // untouched
	}
	return back, "", nil
}

func (r *Replacer) tryInstall(ctx context.Context, s *state) error {
	is, err := installed(ctx, nil)
	if err != nil || is == s.To {
		return err
	}
	if is == "" {
		// Interrupted half-way, which apt refuses to go on with. It had verified
		// the package before.
		return r.dpkg(ctx, "--install", keptIn(r.kept(), s.To))
	}
	st, err := r.newStage(ctx, "")
	if err != nil {
		return err
	}
	if err := st.keep(ctx, s.From); err != nil {
		return fmt.Errorf("le paquet de la version %s, en place, n’est ni sur la borne ni sur le hub : "+
			"elle ne pourrait pas y revenir. Publiez-le sur le hub (%w)", s.From, err)
	}
	if err := st.keep(ctx, s.To); err != nil {
		return err
	}
	if err := st.copyPackage(ctx, s.To); err != nil {
		return err
	}
	_, err = st.run(ctx, "apt-get", "install", "--yes", "--no-remove", Package+"="+s.To)
	return errors.Join(err, os.RemoveAll(st.path("repo/pool")))
}

// watch sees whether the borne is well with what is in place.
func (r *Replacer) watch(ctx context.Context, s *state) (phase, link.OutcomeState, error) {
	if err := r.enter(s, watch); err != nil {
		return "", "", err
	}
	ill := illness{dead, fmt.Errorf("la machine s’est arrêtée %d fois pendant l’essai", mostTries)}
	if s.Tries <= mostTries {
		var err error
		if ill, err = r.tryOut(ctx); err != nil {
			return "", "", err
		}
	}
	if ill.grade > s.Ill {
		s.Why = fmt.Sprintf("Version %s : %v.", s.To, ill.why)
		return back, "", nil
	}
	s.keep(ill)
	return "", link.Done, r.forgetOthers(s.To)
}

// keep notes why a version stays with which the borne is ill.
func (s *state) keep(ill illness) {
	s.Why = ""
	if ill.why != nil {
		s.Why = fmt.Sprintf("Avec la version %s, la borne ne va pas bien : %v. Elle n’allait pas mieux avant : cette version est gardée.", s.To, ill.why)
	}
}

// tryOut starts what is in place and watches it.
func (r *Replacer) tryOut(ctx context.Context) (illness, error) {
	began := r.Now()
	if err := r.restart(ctx); err != nil {
		return illness{dead, err}, ctx.Err()
	}
	return r.health(ctx, began, r.Times.Within)
}

// forgetOthers removes the packages that the borne no longer goes back to.
func (r *Replacer) forgetOthers(version string) error {
	all, err := filepath.Glob(filepath.Join(r.kept(), "*.deb"))
	for _, file := range all {
		if file != keptIn(r.kept(), version) {
			err = errors.Join(err, os.Remove(file))
		}
	}
	return err
}

func (r *Replacer) kept() string { return filepath.Join(r.Cache, filepath.Base(keptFolder)) }

// back puts the version before in place again. It is tried until it works: the
// borne must not stay without a program.
func (r *Replacer) back(ctx context.Context, s *state) (phase, link.OutcomeState, error) {
	if err := r.enter(s, back); err != nil {
		return "", "", err
	}
	failure := r.dpkg(ctx, "--install", keptIn(r.kept(), s.From))
	if ctx.Err() != nil {
		return "", "", ctx.Err()
	}
	is, err := installed(ctx, nil)
	switch {
	case err != nil:
		return "", "", err
	case is == "":
		return "", "", fmt.Errorf("retour à la version %s : %w ; nouvel essai au prochain démarrage", s.From, failure)
	case is != s.From: // whole, though not the one wanted
		s.Why += fmt.Sprintf(" La version %s n’a pas pu être remise : %v", s.From, failure)
		return "", link.Failed, r.restart(ctx)
	}
	ill, err := r.tryOut(ctx)
	if err != nil {
		return "", "", err
	}
	s.Why += fmt.Sprintf(" La version %s est remise.", s.From)
	if ill.why != nil {
		s.Why += fmt.Sprintf(" Avec elle non plus, la borne ne va pas bien : %v.", ill.why)
	}
	return "", link.Failed, nil
}
