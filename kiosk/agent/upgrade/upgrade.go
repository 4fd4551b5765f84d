// Package upgrade brings the borne's Debian package to another version and back
// where that doesn't work. The agent's half fetches and asks; root's half, a
// service of its own, trusts only what apt has verified.
package upgrade

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/dbus"

	"parvis/kiosk/link"
)

// Package is the Debian package of a borne.
const Package = "parvis-borne"

// Service is root's half as systemd knows it.
const Service = "parvis-upgrade.service"

// Result is how the last change of version ended.
type Result struct {
	From  string            `json:"from"` // the version before
	To    string            `json:"to"`   // the version wanted
	State link.OutcomeState `json:"state"`
	Why   string            `json:"why,omitempty"` // for IT staff, in French
	At    time.Time         `json:"at"`
}

// request is what the agent's half asks of root's.
type request struct {
	Version string `json:"version"`
}

// The files through which the two halves speak, in the borne's folder. They may
// be forged by whoever has taken over the agent, though not by the application:
// root's half reads one version from the first, the hub's key where it has none
// yet, and writes the result.
const (
	mirrorFolder = "apt"
	requestFile  = "upgrade/request.json"
	keyFile      = "upgrade/key.asc"
	resultFile   = "upgrade/result.json"
)

// versionForm is what a version of a Debian package may look like (Debian
// Policy, 5.6.12), and what is safe in a command and a file's name.
var versionForm = regexp.MustCompile(`^([0-9]{1,9}:)?[0-9][A-Za-z0-9.+~-]{0,99}$`)

// Errors of Begin that callers act on.
var (
	// ErrNotNow says that all is fetched and that the moment is not good: ask
	// again later.
	ErrNotNow = errors.New("la mise à jour attend la fermeture")
	// ErrUnfit says that trying again is of no use: the hub doesn't offer the
	// version, or it has no sound name.
	ErrUnfit = errors.New("version inutilisable")
)

// Options are what an Upgrader works with.
type Options struct {
	// Dir is the borne's folder.
	Dir string
	// Client is the borne's line to the hub.
	Client *link.Client
	// Start starts root's half, and returns once it has begun; through systemd
	// where nil.
	Start func(ctx context.Context) error
	// Good tells whether the borne may go out of service for some minutes: the
	// site is closed, or it is night, and nobody is there.
	Good func(now time.Time) bool
	// Keys are where root keeps the hub's key for packages.
	Keys []string
	Now  func() time.Time
	Log  *slog.Logger
}

// Upgrader is the agent's half. One call of Begin at a time.
type Upgrader struct{ o Options }

// New makes an Upgrader.
func New(o Options) *Upgrader {
	if o.Start == nil {
		o.Start = startService
	}
	return &Upgrader{o: o}
}

// Installed is the version of the package that is in place, empty where the
// borne wasn't installed from a package.
func (u *Upgrader) Installed() string {
	version, err := installed(context.Background(), nil)
	if err != nil {
		u.o.Log.Debug("paquet", "erreur", err)
	}
	return version
}

// installed asks dpkg, with words before its own such as a chroot, which version
// is installed whole; empty where none is.
func installed(ctx context.Context, before []string) (string, error) {
	argv := append(before[:len(before):len(before)], "dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", Package)
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return "", nil // dpkg has never heard of it
	}
	if err != nil {
		return "", fmt.Errorf("dpkg-query : %w", err)
	}
	version, whole := strings.CutPrefix(string(out), "installed ")
	if !whole {
		return "", nil
	}
	return version, nil
}

// Begin fetches a version and has root's half put it in place: ErrNotNow where
// everything is there and the moment is not good. A download that breaks off is
// an error, and goes on where it was with the next call. It returns when root's
// half has begun, which restarts the agent; how it ended is told by Last.
func (u *Upgrader) Begin(ctx context.Context, version string) error {
	if !versionForm.MatchString(version) {
		return fmt.Errorf("%w : %q", ErrUnfit, version)
	}
	if err := u.mirror(ctx, version); err != nil {
		return fmt.Errorf("%s %s : %w", Package, version, err)
	}
	if !u.o.Good(u.o.Now()) {
		return ErrNotNow
	}
	if err := u.ask(version); err != nil {
		return err
	}
	u.o.Log.Info("mise à jour du logiciel", "de", u.Installed(), "vers", version)
	return u.o.Start(ctx)
}

// ask leaves the request for root's half, whole or not at all.
func (u *Upgrader) ask(version string) error {
	data, err := json.Marshal(request{version})
	if err != nil {
		return err
	}
	path := filepath.Join(u.o.Dir, requestFile)
	if err := os.MkdirAll(filepath.Dir(path), 0o770); err != nil {
		return err
	}
	return replace(path, data, agentsOwn)
}

// agentsOwn is the mode of what root's half takes from the agent: the group, which
// is the application's too, may not write it.
const agentsOwn = 0o600

// replace writes a file and puts it in the place of the one before.
func replace(path string, data []byte, mode fs.FileMode) error {
	if err := os.Remove(path + ".new"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()) // whatever the umask
	if err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// Last is how the last change ended; the zero Result while there was none.
func (u *Upgrader) Last() (Result, error) {
	var r Result
	data, err := os.ReadFile(filepath.Join(u.o.Dir, resultFile))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		return Result{}, fmt.Errorf("résultat de la mise à jour : %w", err)
	}
	return r, nil
}

// startService has systemd start root's half, which polkit lets the agent do.
func startService(ctx context.Context) error {
	conn, err := dbus.NewSystemConnectionContext(ctx)
	if err != nil {
		return fmt.Errorf("D-Bus : %w", err)
	}
	defer conn.Close()
	if _, err := conn.StartUnitContext(ctx, Service, "replace", nil); err != nil {
		return fmt.Errorf("lancer %s : %w", Service, err)
	}
	return nil
}
