package upgrade

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf8"

	"parvis/kiosk/link"
)

// phase is how far a change of version has come. Each begins by being written to
// the disk, and can be begun again.
type phase string

const (
	before  phase = "before"  // the borne is watched as it is
	install phase = "install" // the wanted version is being put in place
	watch   phase = "watch"   // it is in place, and is being watched
	back    phase = "back"    // the version before is being put in place again
)

// state is a change of version under way, as root's half keeps it.
type state struct {
	Phase phase  `json:"phase"`
	From  string `json:"from"`
	To    string `json:"to"`
	Tries int    `json:"tries"` // times that this phase was begun
	Why   string `json:"why,omitempty"`
	// Ill is how badly off the borne was before.
	Ill grade `json:"ill,omitempty"`
	// Slot is the root that the change was begun on, where there are two.
	Slot string `json:"slot,omitempty"`
}

const stateFile = "state.json"

// mostRequest is the most bytes that the agent's request may have.
const mostRequest = 4 << 10

// load reads the change under way; nil where there is none.
func (r *Replacer) load() (*state, error) {
	data, err := os.ReadFile(filepath.Join(r.stateDir(), stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var s state
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("%s : %w", stateFile, err)
	}
	return &s, nil
}

// enter writes that a phase begins.
func (r *Replacer) enter(s *state, p phase) error {
	if s.Phase != p {
		s.Phase, s.Tries = p, 0
	}
	s.Tries++
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.stateDir(), 0o700); err != nil {
		return err
	}
	if err := replace(filepath.Join(r.stateDir(), stateFile), data, 0o600); err != nil {
		return err
	}
	return syncFolder(r.stateDir())
}

// end writes how a change ended, and forgets it.
func (r *Replacer) end(s *state, how link.OutcomeState, why string) error {
	if err := r.answer(Result{From: s.From, To: s.To, State: how, Why: short(why), At: r.Now().UTC()}); err != nil {
		return err
	}
	r.Log.Info("mise à jour terminée", "de", s.From, "vers", s.To, "résultat", how, "pourquoi", why)
	err := os.Remove(filepath.Join(r.stateDir(), stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // refused before it began
	}
	return err
}

// short cuts what agents are told, in one line of at most 300 letters.
func short(why string) string {
	why = strings.Join(strings.Fields(why), " ")
	if utf8.RuneCountInString(why) <= 300 {
		return why
	}
	return string([]rune(why)[:299]) + "…"
}

// take reads the agent's request and removes it; empty where there is none. The
// folder is the agent's: nothing outside of it is reached through it.
func (r *Replacer) take() (version string, err error) {
	folder, err := os.OpenRoot(r.Data)
	if err != nil {
		return "", err
	}
	defer folder.Close()
	f, err := r.openAgents(folder, requestFile)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("demande de l’agent : %w", errors.Join(err, folder.RemoveAll(requestFile)))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, mostRequest))
	if err != nil {
		return "", err
	}
	if err := folder.Remove(requestFile); err != nil {
		return "", err
	}
	var q request
	if err := json.Unmarshal(data, &q); err != nil || !versionForm.MatchString(q.Version) {
		return "", fmt.Errorf("demande de l’agent : version absente ou mal formée")
	}
	return q.Version, nil
}

// openPlain opens a file and nothing else: no device, no pipe that nobody feeds.
func openPlain(folder *os.Root, path string) (*os.File, error) {
	f, err := folder.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s n’est pas un fichier", path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// openAgents opens a file that nobody but the agent can have written: the folder
// is the application's too, which must not speak for the agent.
func (r *Replacer) openAgents(folder *os.Root, path string) (*os.File, error) {
	f, err := openPlain(folder, path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && (info.Sys().(*syscall.Stat_t).Uid != r.Agent || info.Mode().Perm()&0o022 != 0) {
		err = fmt.Errorf("%s n’est pas de l’agent, ou pas de lui seul", path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// answer writes the result where the agent reads it.
func (r *Replacer) answer(result Result) error {
	data, err := json.Marshal(result)
	if err != nil {
		return err
	}
	folder, err := os.OpenRoot(r.Data)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := folder.MkdirAll(filepath.Dir(resultFile), 0o770); err != nil {
		return err
	}
	fresh := resultFile + ".root"
	if err := folder.RemoveAll(fresh); err != nil {
		return err
	}
	f, err := folder.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, bytes.NewReader(data))
	// Whatever the umask: the agent reads it.
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return folder.Rename(fresh, resultFile)
}

func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
