package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parvis/hub/apt"
	"parvis/hub/seal"
	hubstore "parvis/hub/store"
	"parvis/kiosk/agent/unit"
	"parvis/kiosk/agent/unit/systemdtest"
	"parvis/kiosk/agent/upgrade"
	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// TestMain lets the program be those of a borne's packages: the application, and
// the agent with the commands of this package.
func TestMain(m *testing.M) {
	program, ok := map[string]func() error{"parvis": application, "parvis-hub": wholeHub, "parvis-begin": begin, "parvis-publish": publish, "parvis-slots": replaceInSlots,
		"parvis-far": farHub, "parvis-want": want}[filepath.Base(os.Args[0])]
	switch {
	case filepath.Base(os.Args[0]) == "parvis-agent":
		main()
	case !ok:
		os.Exit(m.Run())
	default:
		if err := program(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// application is one that shows nothing, and is as its package says.
func application() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if os.Getenv("PARVIS_TEST") == "wired" {
		return wiredApplication()
	}
	mode, err := os.ReadFile("/usr/share/parvis-test/mode")
	if err != nil {
		return err
	}
	if string(mode) == "dies" {
		return errors.New("the application dies")
	}
	st, err := store.Open("/var/lib/parvis")
	if err != nil {
		return err
	}
	defer st.Close()
	unit.Ready("au service")
	go unit.Feed(ctx, func() bool { return true })
	began := time.Now()
	for ctx.Err() == nil {
		a := store.Alive{State: string(link.AppIdle), PID: os.Getpid(), Started: began, Seen: time.Now()}
		switch string(mode) {
		case "frozen":
			a.State = string(link.AppStarting)
		case "crashes":
			if time.Since(began) > 400*time.Millisecond {
				return errors.New("the application crashes")
			}
		}
		if err := st.SetAlive(ctx, a); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return nil
}

const (
	programs = "/usr/local/lib/parvis-test/" // of the machine: where the programs lie that packages start
	borne    = "/var/lib/parvis/"
)

// release is a version of the borne's package.
type release struct {
	version string
	mode    string // of the application: good, dies, crashes, frozen
	post    string // what the postinst does beside
}

// build makes the package by dpkg-deb, with a preinst that refuses to go back.
func build(t *testing.T, r release) []byte {
	t.Helper()
	dir := t.TempDir()
	root := filepath.Join(dir, "root")
	for path, text := range map[string]string{
		"DEBIAN/control": "Package: parvis-borne\nVersion: " + r.version + "\nArchitecture: amd64\nMaintainer: Ville <it@ville.fr>\nDescription: essai\n",
		"DEBIAN/preinst": "#!/bin/sh\nset -e\nif [ \"$1\" = upgrade ] && dpkg --compare-versions \"$2\" gt " + r.version + " && [ \"${PARVIS_RETOUR-}\" != 1 ]; then\n" +
			"echo 'parvis-borne : retour refusé' >&2\nexit 1\nfi\n",
		"DEBIAN/postinst":            "#!/bin/sh\nset -e\n" + r.post + "\n",
		"usr/bin/parvis":             "#!/bin/sh\nexec " + programs + "parvis \"$@\"\n",
		"usr/bin/parvis-agent":       "#!/bin/sh\nexec " + programs + "parvis-agent \"$@\"\n",
		"usr/share/parvis-test/mode": r.mode,
		"usr/share/parvis-test/bulk": strings.Repeat(r.version, 100_000),
		"usr/share/parvis-test/is":   r.version,
	} {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "out.deb")
	if out, err := exec.Command("dpkg-deb", "--root-owner-group", "-Zgzip", "--build", root, file).CombinedOutput(); err != nil {
		t.Fatalf("dpkg-deb (Debian package dpkg): %v\n%s", err, out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// bench is a machine with a borne on it, and the hub's repository of packages.
type bench struct {
	*systemdtest.Machine
	t    *testing.T
	repo *apt.Repository
	hub  *hubstore.Store
}

// newBench boots a machine on which a first version is installed and runs.
func newBench(t *testing.T, first release) *bench {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t}
	b.hub, err = hubstore.Open(t.Context(), filepath.Join(t.TempDir(), "hub.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.hub.Close() })
	key, err := seal.Open(filepath.Join(t.TempDir(), "hub.key"))
	if err != nil {
		t.Fatal(err)
	}
	if b.repo, err = apt.Open(t.Context(), key, b.hub, time.Now); err != nil {
		t.Fatal(err)
	}
	deb := filepath.Join(t.TempDir(), "first.deb")
	if err := os.WriteFile(deb, b.publish(first), 0o644); err != nil {
		t.Fatal(err)
	}
	files := bareMachine(self)
	files["/etc/parvis/apt.asc"] = systemdtest.File{Text: string(b.repo.Key())}
	files["/root/first.deb"] = systemdtest.File{From: deb}
	b.Machine = systemdtest.Boot(t, files)
	linkPrograms(t, b.Machine)
	b.Run(t, "dpkg", "--install", "/root/first.deb")
	b.Run(t, "systemctl", "start", "parvis.service", "parvis-agent.service")
	return b
}

// bareMachine is what a machine has before the borne's package: a dpkg that knows
// of nothing, and, as packages here carry programs only, the units and users.
func bareMachine(self string) map[string]systemdtest.File {
	const units = "../../packaging/systemd/"
	return map[string]systemdtest.File{
		programs + "parvis":                           {From: self, Mode: 0o755},
		"/etc/systemd/system/parvis.service":          {From: units + "parvis.service"},
		"/etc/systemd/system/parvis-agent.service":    {From: units + "parvis-agent.service"},
		"/etc/systemd/system/parvis-upgrade.service":  {From: units + "parvis-upgrade.service"},
		"/usr/lib/sysusers.d/parvis.conf":             {From: units + "parvis.sysusers"},
		"/usr/lib/tmpfiles.d/parvis.conf":             {From: units + "parvis.tmpfiles"},
		"/usr/share/polkit-1/rules.d/50-parvis.rules": {From: units + "50-parvis.rules"},
		"/etc/systemd/system/parvis-upgrade.service.d/test.conf": {Text: "[Service]\nEnvironment=BEFORE=0s\nExecStart=\n" +
			"ExecStart=/usr/bin/parvis-agent upgrade --data /var/lib/parvis --healthy 600ms --within 3s --before $BEFORE\nRestart=no\n[Unit]\nStartLimitIntervalSec=0\n"},
		"/var/lib/dpkg/status":            {},
		"/var/lib/dpkg/info/format":       {Text: "1\n"},
		"/var/lib/dpkg/updates/.keep":     {},
		"/var/lib/dpkg/triggers/Unincorp": {},
		"/etc/alternatives/.keep":         {},
		"/var/cache/.keep":                {},
	}
}

// linkPrograms makes the one program all those that a machine runs.
func linkPrograms(t *testing.T, m *systemdtest.Machine) {
	t.Helper()
	for _, name := range []string{"parvis-agent", "parvis-hub", "parvis-begin", "parvis-publish", "parvis-slots"} {
		m.Run(t, "ln", "-s", "parvis", programs+name)
	}
	m.Run(t, "ln", "-s", "/usr/bin/mawk", "/etc/alternatives/awk") // apt reads an .asc with it
}

// publish offers a version on the hub.
func (b *bench) publish(r release) []byte {
	b.t.Helper()
	data := build(b.t, r)
	if _, err := b.repo.Publish(b.t.Context(), data); err != nil {
		b.t.Fatal(err)
	}
	return data
}

// mirror lays what the hub offers where the agent's half does.
func (b *bench) mirror(versions ...string) {
	b.t.Helper()
	files := []string{"dists/parvis/InRelease", "dists/parvis/main/binary-amd64/Packages.gz"}
	for _, version := range versions {
		files = append(files, b.pooled(version))
	}
	for _, name := range files {
		f, err := b.repo.File(b.t.Context(), name)
		if err != nil {
			b.t.Fatalf("%s: %v", name, err)
		}
		b.lay(borne+"apt/"+name, f)
	}
}

// pooled is where a version lies in the repository.
func (b *bench) pooled(version string) string {
	b.t.Helper()
	all, err := b.hub.Softwares(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, p := range all {
		if p.Version == version {
			return fmt.Sprintf("pool/%s/parvis-borne_%s_amd64.deb", p.SHA256[:8], version)
		}
	}
	b.t.Fatalf("version %s is not on the hub", version)
	return ""
}

// lay writes a file of the agent's.
func (b *bench) lay(path string, from interface{ Read([]byte) (int, error) }) {
	b.t.Helper()
	cmd := b.Command("parvis-agent", "/bin/sh", "-c", `mkdir -p "$(dirname "$1")" && cat >"$1"`, "sh", path)
	cmd.Stdin = from
	if out, err := cmd.CombinedOutput(); err != nil {
		b.t.Fatalf("%s: %v\n%s", path, err, out)
	}
}

// ask asks for a version as the agent does, over D-Bus and past polkit, and
// waits for the end.
func (b *bench) ask(version string) upgrade.Result {
	b.t.Helper()
	b.lay(borne+"upgrade/request.json", strings.NewReader(`{"version":"`+version+`"}`))
	out, err := b.Command("parvis-agent", "/usr/bin/busctl", "--timeout=60", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
		"org.freedesktop.systemd1.Manager", "StartUnit", "ss", upgrade.Service, "replace").CombinedOutput()
	if err != nil {
		b.t.Fatalf("the agent may not start %s: %v\n%s", upgrade.Service, err, out)
	}
	return b.result()
}

// result runs root's half to its end, and reads the result.
func (b *bench) result() upgrade.Result {
	b.t.Helper()
	b.Command("root", "systemctl", "start", upgrade.Service).Run() // joins the one under way
	return b.read()
}

// read reads the last result.
func (b *bench) read() upgrade.Result {
	b.t.Helper()
	var r upgrade.Result
	data, err := os.ReadFile(b.Path(borne + "upgrade/result.json"))
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		b.t.Fatalf("result: %v", err)
	}
	return r
}

// wantRunning checks that a version is installed whole, and runs.
func (b *bench) wantRunning(version string) {
	b.t.Helper()
	got := b.Run(b.t, "dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", upgrade.Package)
	is := b.Run(b.t, "cat", "/usr/share/parvis-test/is")
	if got != "installed "+version || is != version {
		b.t.Errorf("dpkg has %q, the files are of %q, want %q", got, is, version)
	}
	b.Run(b.t, "systemctl", "is-active", "parvis.service", "parvis-agent.service")
}

func (b *bench) want(got upgrade.Result, from, to string, state link.OutcomeState, why string) {
	b.t.Helper()
	if got.From != from || got.To != to || got.State != state || !strings.Contains(got.Why, why) {
		b.t.Errorf("result %+v, want %s from %s to %s because of %q", got, state, from, to, why)
	}
}

// A borne gets a version, and goes back from those with which it isn't well.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	b := newBench(t, release{version: "1.0", mode: "good"})
	for _, r := range []release{{version: "1.1", mode: "good"}, {version: "1.2", mode: "dies"}, {version: "1.3", mode: "frozen"},
		{version: "1.4", mode: "good", post: "exit 1"}, {version: "1.5", mode: "good"}} {
		b.publish(r)
	}
	b.mirror("1.0", "1.1")
	b.want(b.ask("1.1"), "1.0", "1.1", link.Done, "")
	b.wantRunning("1.1")
	b.mirror("1.2")
	b.want(b.ask("1.2"), "1.1", "1.2", link.Failed, "ne tourne pas. La version 1.1 est remise.")
	b.wantRunning("1.1")
	b.mirror("1.3")
	b.want(b.ask("1.3"), "1.1", "1.3", link.Failed, "« starting »")
	b.wantRunning("1.1")
	b.mirror("1.4")
	b.want(b.ask("1.4"), "1.1", "1.4", link.Failed, "n’a pas pu être installée : apt-get : exit status 100")
	b.wantRunning("1.1")
	b.want(b.ask("1.0"), "1.1", "1.0", link.Refused, "plus ancienne")
	b.want(b.ask("1.1"), "1.1", "1.1", link.Done, "")
	b.want(b.ask("9.9"), "1.1", "9.9", link.Failed, "9.9")
	b.mirror("1.5")
	b.want(b.ask("1.5"), "1.1", "1.5", link.Done, "")
	b.wantRunning("1.5")
}

// A borne that is ill already keeps what leaves it no worse, and only that.
func TestUpgradeOfAnIllBorne(t *testing.T) {
	t.Parallel()
	b := newBench(t, release{version: "1.0", mode: "crashes"})
	b.Run(t, "/bin/sh", "-ec", "printf '[Service]\nEnvironment=BEFORE=2s\n' >/etc/systemd/system/parvis-upgrade.service.d/z.conf && systemctl daemon-reload")
	next := func(from, to, mode string, state link.OutcomeState, why string) {
		t.Helper()
		b.publish(release{version: to, mode: mode})
		b.mirror(from, to)
		b.want(b.ask(to), from, to, state, why)
	}
	next("1.0", "1.1", "frozen", link.Done, "« starting ». Elle n’allait pas mieux avant")
	next("1.1", "1.2", "crashes", link.Failed, "La version 1.1 est remise.")
	next("1.1", "1.3", "good", link.Done, "")
	b.wantRunning("1.3")
}

// Root keeps the first key that the agent offers, if it is one, and no other.
func TestKeyIsPinnedOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, release{version: "1.0", mode: "good"})
	const pinned = "/etc/parvis/apt.asc"
	good, err := os.ReadFile(b.Path(pinned))
	if err != nil {
		t.Fatal(err)
	}
	offer := func(key string) string {
		t.Helper()
		b.lay(borne+"upgrade/key.asc", strings.NewReader(key))
		b.ask("")
		if _, err := os.Lstat(b.Path(borne + "upgrade/key.asc")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the offer is still there: %v", err)
		}
		data, err := os.ReadFile(b.Path(pinned))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		return string(data)
	}
	b.Run(t, "rm", "-r", "/etc/parvis")
	for what, key := range map[string]string{"nothing": "", "half a key": string(good[:len(good)/2]), "two keys": string(good) + string(good),
		"too much": string(good) + strings.Repeat("\n", 64<<10), "another file": "-----BEGIN CERTIFICATE-----\n"} {
		if got := offer(key); got != "" {
			t.Errorf("%s is kept: %q", what, got)
		}
	}
	b.Run(t, "/bin/sh", "-ec", "cp /dev/stdin /root/key.asc <<'E'\n"+string(good)+"E\n")
	if out, err := b.Command("parvis-agent", "/usr/bin/ln", "-s", "/root/key.asc", borne+"upgrade/key.asc").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b.ask("")
	if _, err := os.Stat(b.Path(pinned)); err == nil {
		t.Error("root followed a link of the agent's")
	}
	// The application may write beside the agent, and into what the agent left to
	// their group.
	b.Run(t, "/bin/sh", "-ec", "cp /root/key.asc /tmp/key.asc && chmod 644 /tmp/key.asc && chmod 2770 "+borne+"upgrade")
	if out, err := b.Command("parvis-agent", "/bin/sh", "-c", "umask 007; echo >"+borne+"shared").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, forge := range []string{"cp /tmp/key.asc " + borne + "upgrade/key.asc",
		"cat /tmp/key.asc >" + borne + "shared && mv " + borne + "shared " + borne + "upgrade/key.asc"} {
		if out, err := b.Command("parvis", "/bin/sh", "-ec", forge).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", forge, err, out)
		}
		b.ask("")
		if _, err := os.Stat(b.Path(pinned)); err == nil {
			t.Errorf("root took the application's word for the agent's: %s", forge)
		}
	}
	if got := offer(string(good)); got != string(good) {
		t.Fatalf("the hub's key is not kept: %q", got)
	}
	b.publish(release{version: "1.1", mode: "good"})
	b.mirror("1.0", "1.1")
	b.want(b.ask("1.1"), "1.0", "1.1", link.Done, "")
	other := newBench(t, release{version: "1.0", mode: "good"})
	if got := offer(string(other.repo.Key())); got != string(good) {
		t.Errorf("the key is replaced: %q", got)
	}
}

// What somebody who has taken over the agent may lay down: root takes none of it.
func TestUpgradeTrustsNobody(t *testing.T) {
	t.Parallel()
	b := newBench(t, release{version: "1.0", mode: "good"})
	b.publish(release{version: "1.1", mode: "good"})
	b.mirror("1.0", "1.1")
	pool := borne + "apt/" + b.pooled("1.1")
	sh := func(script string) {
		t.Helper()
		if out, err := b.Command("parvis-agent", "/bin/sh", "-ec", script).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
	}
	const index = borne + "apt/dists/parvis/main/binary-amd64/Packages.gz"
	for _, attack := range []struct{ name, do, undo, why string }{
		// First: later on apt has the index of this date, and looks at no other.
		{"Packages changed", "cp " + index + " /tmp/index && zcat /tmp/index | sed 's/^Description: .*/Description: autre/' | gzip >" + index,
			"cp /tmp/index " + index, "refusé"},
		{"package changed", "cp " + pool + " /tmp/good && printf x | dd of=" + pool + " bs=1 seek=200 conv=notrunc", "cp /tmp/good " + pool, "ash"},
		{"package gone", "mv " + pool + " /tmp/moved", "mv /tmp/moved " + pool, "1.1"},
		{"package a pipe", "mv " + pool + " /tmp/moved && mkfifo " + pool, "rm " + pool + " && mv /tmp/moved " + pool, "pas un fichier"},
		{"package a link to what is root's", "mv " + pool + " /tmp/moved && ln -s /etc/shadow " + pool, "rm " + pool + " && mv /tmp/moved " + pool, "escapes"},
		{"apt folder a link to another", "mkdir -m 777 /tmp/out && mv " + borne + "apt /tmp/out/apt && ln -s /tmp/out/apt " + borne + "apt",
			"rm " + borne + "apt && mv /tmp/out/apt " + borne + "apt", "escapes"},
		{"InRelease changed", "sed -i.good 's/^Label: .*/Label: Autre/' " + borne + "apt/dists/parvis/InRelease",
			"mv " + borne + "apt/dists/parvis/InRelease.good " + borne + "apt/dists/parvis/InRelease", "refusé"},
	} {
		sh(attack.do)
		b.want(b.ask("1.1"), "1.0", "1.1", link.Failed, attack.why)
		b.wantRunning("1.0")
		sh(attack.undo)
	}
	// The result goes nowhere else than to the borne's folder.
	sh("mv " + borne + "upgrade " + borne + "was && ln -s /etc " + borne + "upgrade")
	b.Command("root", "systemctl", "start", upgrade.Service).Run()
	if _, err := os.Stat(b.Path("/etc/result.json")); err == nil {
		t.Error("root wrote where a link of the agent's led")
	}
	sh("rm " + borne + "upgrade && mv " + borne + "was " + borne + "upgrade")
	for _, version := range []string{"1.1;reboot", "../1.1", "-o1", ""} {
		before := b.result()
		if after := b.ask(version); after != before {
			t.Errorf("version %q has a result: %+v", version, after)
		}
	}
	b.Run(t, "rm", "/etc/parvis/apt.asc")
	b.want(b.ask("1.1"), "1.0", "1.1", link.Failed, "la clé des paquets du hub manque")
	if out, err := b.Command("parvis-agent", "/usr/bin/busctl", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
		"org.freedesktop.systemd1.Manager", "StopUnit", "ss", upgrade.Service, "replace").CombinedOutput(); err == nil {
		t.Errorf("the agent may stop root's half: %s", out)
	}
}

// Root's half and all that it has started are killed at every moment of an
// update, and of one that goes back: it ends well each time, and meanwhile a
// program is there.
func TestUpgradeKilled(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mode       string
		every, end time.Duration // between the cuts
	}{
		"forward": {"good", 150 * time.Millisecond, 1600 * time.Millisecond},
		"back":    {"dies", 1500 * time.Millisecond, 6 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, release{version: "1.0", mode: "good"})
			at := "1.0"
			for delay := time.Duration(0); delay < c.end; delay += c.every/2 + rand.N(c.every) {
				r := release{version: fmt.Sprintf("1.%d", 1+delay/time.Millisecond), mode: c.mode}
				b.publish(r)
				b.mirror(at, r.version)
				got := b.cut(r.version, delay)
				if c.mode == "dies" {
					b.want(got, at, r.version, link.Failed, "La version "+at+" est remise.")
				} else {
					b.want(got, at, r.version, link.Done, "")
					at = r.version
				}
				b.wantRunning(at)
				if t.Failed() {
					t.Fatalf("killed after %v", delay)
				}
			}
		})
	}
}

// cut asks for a version, kills root's half after some time, and starts it as
// the next start of the machine does.
func (b *bench) cut(version string, after time.Duration) upgrade.Result {
	b.t.Helper()
	b.lay(borne+"upgrade/request.json", strings.NewReader(`{"version":"`+version+`"}`))
	b.Run(b.t, "systemctl", "start", "--no-block", upgrade.Service)
	time.Sleep(after)                                                                                 // the moment of the cut
	b.Command("root", "systemctl", "kill", "--signal=KILL", "--kill-whom=all", upgrade.Service).Run() // may be over
	b.Run(b.t, "systemctl", "stop", upgrade.Service)
	got := b.result()
	if got.To != version {
		got = b.ask(version) // cut before it was noted: the agent asks again
	}
	return got
}
