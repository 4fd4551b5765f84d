package upgrade

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// keptFolder is where the packages are that the borne can go back to.
const keptFolder = "/var/cache/parvis-upgrade/kept"

func keptFile(version string) string { return keptIn(keptFolder, version) }

func keptIn(folder, version string) string {
	return filepath.Join(folder, Package+"_"+url.PathEscape(version)+".deb")
}

// stage is a copy of what the agent has fetched, in a folder of root's, and apt's
// settings to use it: what apt has verified, nobody changes afterwards.
type stage struct {
	r      *Replacer
	root   string   // of the system that is changed; empty for the one that runs
	before []string // puts commands into that system
	dir    string   // as that system sees it
}

// newStage copies the index and the key, and has apt verify them.
func (r *Replacer) newStage(ctx context.Context, root string) (*stage, error) {
	st := &stage{r: r, root: root, dir: filepath.Join(r.Cache, "work")}
	if root != "" {
		st.before, st.dir = []string{"chroot", root}, "/tmp/parvis-upgrade"
	}
	if err := st.prepare(); err != nil {
		return nil, err
	}
	for _, path := range []string{releasePath, "dists/parvis/" + indexPath} {
		if err := st.copyIn(path, mostIndex); err != nil {
			return nil, fmt.Errorf("%s : %w", path, err)
		}
	}
	if _, err := st.run(ctx, "apt-get", "update"); err != nil {
		return nil, fmt.Errorf("dépôt refusé : %w", err)
	}
	return st, nil
}

// path is where a file of the stage lies, for this program.
func (st *stage) path(name string) string { return filepath.Join(st.root, st.dir, name) }

// settings are all of apt's: of the system's own none counts, which may be laxer.
const settings = `Dir::Etc::parts "%[1]s/none";
Dir::Etc::main "%[1]s/none/main";
Dir::Etc::sourceparts "%[1]s/none";
Dir::Etc::trusted "%[1]s/none/trusted";
Dir::Etc::trustedparts "%[1]s/none";
Dir::Etc::preferences "%[1]s/none/preferences";
Dir::Etc::preferencesparts "%[1]s/none";
Dir::Etc::sourcelist "%[1]s/sources.list";
Dir::State::lists "%[1]s/lists";
Dir::Cache "%[1]s/cache";
Acquire::Languages "none";
Acquire::By-Hash "false";
Acquire::Check-Valid-Until "true";
Acquire::AllowInsecureRepositories "false";
APT::Update::Error-Mode "any";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
DPkg::Lock::Timeout "600";
Dpkg::Options { "--force-confdef"; "--force-confold"; };
`

// prepare makes the folder. Apt's lists stay from one time to the next: apt takes
// no index that is older than one it has had.
func (st *stage) prepare() error {
	key, from, err := st.r.key()
	if err != nil {
		return err
	}
	suffix := filepath.Ext(from)
	if err := os.RemoveAll(st.path("repo")); err != nil {
		return err
	}
	for _, folder := range []string{"repo", "none", "lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(st.path(folder), 0o755); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{
		"key" + suffix: string(key),
		"sources.list": fmt.Sprintf("deb [signed-by=%[1]s/key%[2]s] file:%[1]s/repo parvis main\n", st.dir, suffix),
		"apt.conf":     fmt.Sprintf(settings, st.dir),
	} {
		if err := os.WriteFile(st.path(name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// copyIn copies one file of the agent's, of at most so many bytes.
func (st *stage) copyIn(path string, most int64) error {
	folder, err := os.OpenRoot(st.r.Data)
	if err != nil {
		return err
	}
	defer folder.Close()
	from, err := openPlain(folder, filepath.Join(mirrorFolder, path))
	if err != nil {
		return err
	}
	defer from.Close()
	to := st.path("repo/" + path)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(from, most+1))
	if err == nil && n > most {
		err = fmt.Errorf("plus de %d octets", most)
	}
	return errors.Join(err, f.Close())
}

// copyPackage copies a version of the borne's package. Apt says where it lies,
// and verifies it when it is used.
func (st *stage) copyPackage(ctx context.Context, version string) error {
	out, err := st.run(ctx, "apt-get", "--print-uris", "-qq", "download", Package+"="+version)
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(out, "'file:"+st.dir+"/repo/")
	escaped, _, ok := strings.Cut(rest, "'")
	path, err := url.PathUnescape(escaped)
	if !ok || err != nil || !filepath.IsLocal(path) {
		return fmt.Errorf("%s %s : apt ne dit pas où est le paquet (%q)", Package, version, out)
	}
	if err := st.copyIn(path, mostPackage); err != nil {
		return fmt.Errorf("%s %s : %w", Package, version, err)
	}
	return nil
}

// keep puts a verified version where the borne finds it to go back.
func (st *stage) keep(ctx context.Context, version string) error {
	kept := keptIn(st.r.kept(), version)
	if exists(kept) {
		return nil
	}
	if err := st.copyPackage(ctx, version); err != nil {
		return err
	}
	fresh := filepath.Join(st.r.Cache, "new")
	if err := errors.Join(os.RemoveAll(fresh), os.MkdirAll(fresh, 0o755), os.MkdirAll(st.r.kept(), 0o755)); err != nil {
		return err
	}
	cmd := st.command(ctx, "apt-get", "download", Package+"="+version)
	cmd.Dir = fresh
	if _, err := output(cmd); err != nil {
		return err
	}
	found, err := filepath.Glob(filepath.Join(fresh, "*.deb"))
	if err != nil || len(found) != 1 {
		return fmt.Errorf("%s %s : %d paquets à la place d’un", Package, version, len(found))
	}
	if err := syncDisk(fresh); err != nil {
		return err
	}
	return os.Rename(found[0], kept)
}

// command is a command that sees apt's settings of the stage, in the system that
// is changed. An end of ctx doesn't end it: dpkg may be at work.
func (st *stage) command(ctx context.Context, argv ...string) *exec.Cmd {
	argv = append(st.before[:len(st.before):len(st.before)], argv...)
	cmd := exec.CommandContext(context.WithoutCancel(ctx), argv[0], argv[1:]...)
	cmd.Env = append(quietly(), "APT_CONFIG="+filepath.Join(st.dir, "apt.conf"))
	return cmd
}

func (st *stage) run(ctx context.Context, argv ...string) (string, error) {
	return output(st.command(ctx, argv...))
}

// quietly is an environment in which nothing is asked of anybody.
func quietly() []string {
	return []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root",
		"DEBIAN_FRONTEND=noninteractive", "DEBIAN_PRIORITY=critical", "NEEDRESTART_SUSPEND=1", "APT_LISTCHANGES_FRONTEND=none"}
}

// output runs a command and returns what it prints; its error tells what it
// complained of.
func output(cmd *exec.Cmd) (string, error) {
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, io.MultiWriter(&complaint, os.Stderr)
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%s : %w : %s", filepath.Base(cmd.Path), err, complaints(complaint.String()))
	}
	return out.String(), err
}

// complaints are the lines that say why: apt's errors, or the last ones.
func complaints(text string) string {
	var errs, all []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		all = append(all, line)
		if strings.HasPrefix(line, "E: ") || strings.HasPrefix(line, "W: GPG error") || strings.HasPrefix(line, Package+" : ") {
			errs = append(errs, strings.TrimPrefix(strings.TrimPrefix(line, "E: "), "W: "))
		}
	}
	if len(errs) == 0 {
		errs = all[max(0, len(all)-2):]
	}
	return strings.Join(errs, " ; ")
}

// syncDisk brings the file system of a folder onto the disk.
func syncDisk(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd()))
}
