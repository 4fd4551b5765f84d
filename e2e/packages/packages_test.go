// Package packages installs the Debian packages on a fresh Debian 12 with a
// running systemd, and takes a borne through its life there: enrolled, upgraded,
// broken, mended, removed.
package packages

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parvis/kiosk/callback"
	"parvis/kiosk/store"
)

// The versions of one run. The second is what a borne stays with.
const (
	first  = "1.0.0"
	second = "1.1.0"
	broken = "1.2.0"
)

// A borne's screen in a container: the X server of the computer that runs the
// test, with its own libraries, under the unit that is shipped.
const screen = `[Service]
ExecStart=
ExecStart=%s --library-path %s /mnt/bin/Xvfb :0 -screen 0 1080x1920x24 -nolisten tcp -noreset -auth /run/parvis-x/Xauthority
StandardInput=null
TTYReset=no
TTYVHangup=no
TTYVTDisallocate=no
`

// Times in which a test may see the end of an upgrade that doesn't work.
const impatient = `[Service]
ExecStart=
ExecStart=/usr/bin/parvis-agent upgrade --data /var/lib/parvis --healthy 5s --within 45s
`

func TestLife(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may start a machine of its own")
	}
	w := &watch{t: t, last: time.Now()}
	debs := buildPackages(t, first)
	w.done("packages of %s built", first)
	next := buildPackages(t, second, "--package=parvis-borne", "--package=parvis-hub")
	w.done("packages of %s built", second)
	bad := buildBroken(t, broken)
	w.done("broken package of %s built", broken)
	archive := freshDebian(t)
	w.done("a fresh Debian 12 at hand")

	archives := cacheDir(t, "archives")
	net := newNetwork(t)
	hub := unpack(t, archive, "hub")
	hub.fetch(t, archives, debs["parvis-hub"])
	b := &borne{machine: unpack(t, archive, "borne")}
	b.fetch(t, archives, debs["parvis-borne"])
	w.done("two machines unpacked, dependencies fetched")
	b.write(t, "/etc/systemd/system/parvis-x.service.d/test.conf", screenUnit(t))
	b.write(t, "/etc/systemd/system/parvis-upgrade.service.d/test.conf", impatient)
	hub.boot(t, net, archives)
	b.boot(t, net, archives)
	w.done("both booted")

	for _, deb := range []string{debs["parvis-hub"], debs["parvis-borne"], next["parvis-hub"], next["parvis-borne"], bad} {
		hub.bring(t, deb)
	}
	hub.run(t, "apt-get", "-q", "-y", "install", brought+filepath.Base(debs["parvis-hub"]))
	hub.awaitUnits(t, "parvis-hub.service")
	w.done("parvis-hub installed, serving")

	hub.hub(t, "software", "publish", brought+filepath.Base(debs["parvis-borne"]))
	code := strings.TrimSpace(hub.hub(t, "token", "create", "--site", "neudorf", "--name", "Mairie de Neudorf", "--borne", "MN-01", "--short"))
	b.setUp(t, code)
	b.awaitAtHub(t, hub, first)
	w.done("parvis-borne installed, enrolled, serving, reported: one command")

	b.addPrinter(t)
	b.twice(t, debs["parvis-borne"], code)
	w.done("all of it once more")

	b.upgrade(t, hub, next["parvis-borne"])
	w.done("upgraded to %s, with data and settings", second)
	hub.run(t, "apt-get", "-q", "-y", "install", brought+filepath.Base(next["parvis-hub"]))
	hub.awaitUnits(t, "parvis-hub.service")
	b.awaitAtHub(t, hub, second)
	w.done("hub upgraded to %s, knows its borne", second)

	b.refuseDowngrade(t, debs["parvis-borne"])
	w.done("downgrade refused")

	hub.hub(t, "software", "publish", brought+filepath.Base(next["parvis-borne"]), brought+filepath.Base(bad))
	hub.hub(t, "rollout", "start", "logiciel", broken, "--stage=100%")
	b.fallBack(t, hub)
	w.done("rollout of the broken %s: fell back to %s", broken, second)

	b.run(t, "apt-get", "-q", "-y", "purge", "parvis-borne")
	b.leavesNothing(t)
	w.done("parvis-borne purged")
	hub.run(t, "apt-get", "-q", "-y", "purge", "parvis-hub")
	hub.leavesNothing(t)
	w.done("parvis-hub purged")
}

// watch tells how long each step took.
type watch struct {
	t    *testing.T
	last time.Time
}

func (w *watch) done(format string, args ...any) {
	w.t.Helper()
	now := time.Now()
	w.t.Logf("%6.1f s  %s", now.Sub(w.last).Seconds(), fmt.Sprintf(format, args...))
	w.last = now
}

// screenUnit finds the loader that starts this computer's programs elsewhere.
func screenUnit(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/*-linux-gnu/ld-linux*.so.*")
	if err != nil || len(found) != 1 {
		t.Fatalf("one loader wanted, found %v, %v", found, err)
	}
	loader := "/mnt" + strings.TrimPrefix(found[0], "/usr")
	return fmt.Sprintf(screen, loader, filepath.Dir(loader))
}

// bring copies a package to where the machine can install it from.
func (m *machine) bring(t *testing.T, deb string) string {
	t.Helper()
	text, err := os.ReadFile(deb)
	if err != nil {
		t.Fatal(err)
	}
	to := brought + filepath.Base(deb)
	m.write(t, to, string(text))
	return to
}

// hub runs a command of IT's on the machine of the hub.
func (m *machine) hub(t *testing.T, args ...string) string {
	t.Helper()
	return m.run(t, append([]string{"runuser", "-u", "parvis-hub", "--", "parvis-hub"}, append(args, "--data", "/var/lib/parvis-hub")...)...)
}

// borne is the machine that becomes a borne.
type borne struct{ *machine }

// setUp is what IT does on the borne: one command.
func (b *borne) setUp(t *testing.T, code string) {
	t.Helper()
	b.run(t, "sh", "-euc", `/usr/lib/apt/apt-helper download-file http://127.0.0.1:8080/borne /tmp/borne && sh /tmp/borne "$0"`, code)
	b.awaitApplication(t)
}

// addPrinter makes a queue as IT does. It is kept by CUPS, which keeps nothing
// of what residents print.
func (b *borne) addPrinter(t *testing.T) {
	t.Helper()
	b.awaitUnits(t, "cups.service")
	b.run(t, "lpadmin", "-p", "A4", "-v", "ipp://192.0.2.20/ipp/print", "-E")
	await(t, time.Minute, "the queue in CUPS's own settings", func() error {
		_, err := b.try("grep", "-q", "A4", "/etc/cups/printers.conf")
		return err
	})
	b.run(t, "lp", "-d", "A4", "-t", "essai", "/etc/hostname")
	b.run(t, "cancel", "-a", "A4")
	await(t, 10*time.Second, "an empty spool", func() error {
		out, err := b.try("find", "/var/spool/cups", "-name", "d*-*")
		if err == nil && out != "" {
			err = errors.New(out)
		}
		return err
	})
}

// awaitAtHub waits until the hub has the borne's report, by the version given.
func (b *borne) awaitAtHub(t *testing.T, hub *machine, version string) {
	t.Helper()
	began := time.Now()
	await(t, 90*time.Second, "the report of "+version, func() error {
		var line struct {
			Borne string
			Seen  time.Time
			App   string
		}
		if err := json.Unmarshal([]byte(hub.hub(t, "borne", "list", "--json")), &line); err != nil {
			return err
		}
		if line.Borne != "MN-01" || line.Seen.Before(began.Add(-time.Minute)) || line.App != "idle" && line.App != "serving" {
			return fmt.Errorf("the hub knows of %+v", line)
		}
		return nil
	})
	if got := b.installed(t); got != version {
		t.Fatalf("%s is installed, want %s", got, version)
	}
}

// installed is the version in place, whole; else dpkg's word for how it is.
func (b *borne) installed(t *testing.T) string {
	t.Helper()
	out := b.run(t, "dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", "parvis-borne")
	return strings.TrimPrefix(out, "installed ")
}

// twice does again what has been done: nothing may change by it.
func (b *borne) twice(t *testing.T, deb, code string) {
	t.Helper()
	status := func() (id string) {
		var s struct{ Borne, Site, Hub string }
		if err := json.Unmarshal([]byte(b.run(t, "parvis-agent", "status", "--json")), &s); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(s) +
			b.run(t, "find", "/var/lib/parvis", "/etc/parvis", "-printf", "%p %u %g %m\n", "-name", "identity")
	}
	before := status()
	at := b.bring(t, deb)
	b.run(t, "dpkg", "--install", at)
	for _, script := range []string{"postinst configure " + first, "postinst configure " + first, "prerm upgrade " + second, "postrm upgrade " + second} {
		name, args, _ := strings.Cut(script, " ")
		b.run(t, append([]string{"/var/lib/dpkg/info/parvis-borne." + name}, strings.Fields(args)...)...)
	}
	b.setUp(t, code)
	if after := status(); after != before {
		t.Errorf("doing it twice changed\n%s\ninto\n%s", before, after)
	}
}

// upgrade installs a newer package as IT does, while the hub is away and a
// request waits.
func (b *borne) upgrade(t *testing.T, hub *machine, deb string) {
	t.Helper()
	hub.run(t, "systemctl", "stop", "parvis-hub.service")
	b.askForCallback(t)
	profile := "[site]\nid = \"essai\"\nnom = \"Mairie\"\n" + closedToday()
	b.write(t, "/etc/parvis/profil.toml", profile)
	b.write(t, "/etc/parvis/agent.env", "# le proxy de la ville\n")
	identity := b.run(t, "sh", "-c", "sha256sum /var/lib/parvis/identity/*")

	b.run(t, "apt-get", "-q", "-y", "-o", "Dpkg::Options::=--force-confold", "install", b.bring(t, deb))
	if got := b.installed(t); got != second {
		t.Fatalf("%s is installed, want %s", got, second)
	}
	b.awaitApplication(t)
	if got := b.waiting(t); got != 1 {
		t.Errorf("%d requests wait after the upgrade, want the one from before", got)
	}
	if got := b.run(t, "cat", "/etc/parvis/profil.toml"); got != profile {
		t.Errorf("the profile was changed:\n%s", got)
	}
	if got := b.run(t, "stat", "--format=%a %U %G", "/etc/parvis/profil.toml"); got != "640 root parvis\n" {
		t.Errorf("the profile, which may hold the prints of badges, is %q", got)
	}
	if got := b.run(t, "cat", "/etc/parvis/agent.env"); got != "# le proxy de la ville\n" {
		t.Errorf("agent.env was changed: %q", got)
	}
	if got := b.run(t, "sh", "-c", "sha256sum /var/lib/parvis/identity/*"); got != identity {
		t.Errorf("the identity was changed:\n%s", got)
	}
	hub.run(t, "systemctl", "start", "parvis-hub.service")
	await(t, 2*time.Minute, "the request at the hub", func() error {
		if n := b.waiting(t); n != 0 {
			return fmt.Errorf("%d requests wait", n)
		}
		return nil
	})
}

// closedToday is a line of the profile by which the house is closed today.
func closedToday() string {
	day := time.Now().AddDate(0, 0, 3).Weekday().String()[:2]
	return fmt.Sprintf("ouverture = %q\n", day+" 10:00-12:00")
}

// askForCallback leaves a request as the application does.
func (b *borne) askForCallback(t *testing.T) {
	t.Helper()
	st, err := store.Open(filepath.Join(b.root, "var/lib/parvis"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	key, err := st.Setting(t.Context(), store.HubRecipient)
	if err != nil {
		t.Fatal(err)
	}
	to, err := callback.ParseRecipients([]string{key})
	if err != nil {
		t.Fatal(err)
	}
	r := callback.New(time.Now())
	r.Topic, r.Phone, r.Lang, r.Site, r.Consent = "logement", "+33612345678", "fr", "neudorf", true
	sealed, err := callback.Seal(r, to)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.PutCallback(t.Context(), store.Sealed{ID: r.ID, Code: r.Code, Created: r.Created, Data: sealed, OnlyFor: key}); err != nil {
		t.Fatal(err)
	}
}

// waiting is how many requests the borne still has.
func (b *borne) waiting(t *testing.T) int {
	t.Helper()
	var s struct{ Waiting int }
	// It ends with 1 while the hub is away.
	out, _ := b.command("parvis-agent", "status", "--json").Output()
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return s.Waiting
}

func (b *borne) awaitApplication(t *testing.T) {
	t.Helper()
	b.awaitUnits(t, "parvis.service", "parvis-agent.service")
}

// refuseDowngrade installs an older package, which must change nothing, also
// with the word of the upgrade helper where it didn't come from there.
func (b *borne) refuseDowngrade(t *testing.T, deb string) {
	t.Helper()
	at := brought + filepath.Base(deb)
	for _, env := range []string{"PARVIS_RETOUR=", "LANG=C.UTF-8"} {
		_, err := b.try("env", env, "dpkg", "--install", at)
		if err == nil || !strings.Contains(err.Error(), "la version "+second+" ne peut pas être remplacée par la version "+first+", plus ancienne") {
			t.Errorf("%s: the older version is not refused with a reason: %v", env, err)
		}
		if got := b.installed(t); got != second {
			t.Fatalf("%s: %s is installed after the refusal, want %s", env, got, second)
		}
	}
	b.awaitApplication(t)
}

// fallBack waits until the hub's broken version has come and gone.
func (b *borne) fallBack(t *testing.T, hub *machine) {
	t.Helper()
	var result struct{ From, To, State, Why string }
	await(t, 5*time.Minute, "the end of the upgrade", func() error {
		text, err := os.ReadFile(filepath.Join(b.root, "var/lib/parvis/upgrade/result.json"))
		if err != nil {
			return err
		}
		return json.Unmarshal(text, &result)
	})
	if result.From != second || result.To != broken || result.State != "failed" || !strings.Contains(result.Why, "La version "+second+" est remise") {
		t.Errorf("the upgrade ended as %+v", result)
	}
	if got := b.installed(t); got != second {
		t.Errorf("%s is installed, want %s", got, second)
	}
	b.awaitApplication(t)
	await(t, 3*time.Minute, "the failure at the hub", func() error {
		if list := hub.hub(t, "rollout", "list"); !strings.Contains(list, "arrêté") {
			return errors.New(list)
		}
		return nil
	})
}

// passwd is the machine's users and groups.
func passwd(t *testing.T, m *machine) string {
	t.Helper()
	var all string
	for _, file := range []string{"etc/passwd", "etc/group"} {
		text, err := os.ReadFile(filepath.Join(m.root, file))
		if err != nil {
			t.Fatal(err)
		}
		all += string(text)
	}
	return all
}

// leavesNothing looks for what a purge has left. Logs tell of the past, and what
// the test has brought is its own.
func (m *machine) leavesNothing(t *testing.T) {
	t.Helper()
	for _, path := range []string{"/etc/systemd/system/parvis-x.service.d", "/etc/systemd/system/parvis-upgrade.service.d"} {
		if _, err := os.Stat(filepath.Join(m.root, path)); err == nil {
			t.Errorf("%s is left", path)
		}
	}
	find := []string{"find", "/", "-xdev", "("}
	for _, path := range []string{strings.TrimSuffix(brought, "/"), "/mnt", "/tmp", "/var/log", "/var/cache/apt"} {
		find = append(find, "-path", path, "-o")
	}
	find = append(find, "-false", ")", "-prune")
	for _, test := range []string{"-ipath *parvis*", "-nouser", "-nogroup"} {
		find = append(append(find, "-o"), append(strings.Fields(test), "-print")...)
	}
	if out := m.run(t, find...); out != "" {
		t.Errorf("left behind:\n%s", out)
	}
	// /etc/passwd- and the like are what the accounts were before.
	if left, _ := m.command("grep", "-ril", "--exclude=*-", "parvis", "/etc").Output(); len(left) > 0 {
		t.Errorf("named in:\n%s", left)
	}
	if now := passwd(t, m); strings.Contains(now, "parvis") {
		t.Errorf("accounts left:\n%s", now)
	}
	if out := m.run(t, "systemctl", "list-units", "--state=active,activating,deactivating", "--no-legend", "*parvis*"); out != "" {
		t.Errorf("units left:\n%s", out)
	}
}
