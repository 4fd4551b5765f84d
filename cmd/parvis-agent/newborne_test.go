package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parvis/hub/api"
	"parvis/hub/apt"
	"parvis/hub/seal"
	hubstore "parvis/hub/store"
	"parvis/kiosk/agent/unit/systemdtest"
	"parvis/kiosk/agent/upgrade"
	"parvis/kiosk/link"
	"parvis/provisioning/ca"
	"parvis/provisioning/enrol"
)

// Where the hub of the machine lies and listens.
const (
	hubFolder = "/srv/hub/"
	hubPeople = "127.0.0.1:8080"
	hubBornes = "127.0.0.1:8443"
	codeFile  = hubFolder + "code"
)

func openHub(ctx context.Context) (*hubstore.Store, *seal.Key, *apt.Repository, error) {
	st, err := hubstore.Open(ctx, hubFolder+"hub.sqlite")
	if err != nil {
		return nil, nil, nil, err
	}
	key, err := seal.OpenFor(ctx, st, hubFolder+"hub.key")
	if err != nil {
		return nil, nil, nil, err
	}
	packages, err := apt.Open(ctx, key, st, time.Now)
	return st, key, packages, err
}

// publish offers a package, as IT does while the hub runs.
func publish() error {
	st, _, packages, err := openHub(context.Background())
	if err != nil {
		return err
	}
	defer st.Close()
	data, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	_, err = packages.Publish(context.Background(), data)
	return err
}

// offered is what a hub has for a borne that enrols.
type offered struct {
	authority *ca.Authority
	recipient string // of requests to be called back
	code      enrol.Code
}

// offerBorne makes a site, and a code for its borne MN-01.
func offerBorne(ctx context.Context, st *hubstore.Store, key *seal.Key) (o offered, err error) {
	if o.authority, err = key.Authority(ctx, st, time.Now()); err != nil {
		return o, err
	}
	if o.recipient, err = key.CallbackRecipient(ctx, st); err != nil {
		return o, err
	}
	o.code = enrol.NewCode(o.authority.Fingerprint())
	site := hubstore.Site{ID: "neudorf", Name: "Mairie de Neudorf", Created: time.Now()}
	if err := st.PutSite(ctx, site); err != nil {
		return o, err
	}
	_, err = st.CreateToken(ctx, hubstore.Token{Hash: o.code.Hash(), Site: site, Borne: "MN-01", Created: time.Now(), Expires: time.Now().Add(time.Hour)})
	return o, err
}

// wholeHub is a hub with what new bornes need of it, on both ports, and a code.
func wholeHub() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	st, key, packages, err := openHub(ctx)
	if err != nil {
		return err
	}
	defer st.Close()
	offer, err := offerBorne(ctx, st, key)
	if err != nil {
		return err
	}
	oneCommand, err := packages.OneCommand("http://"+hubPeople, hubBornes)
	if err != nil {
		return err
	}
	front := http.NewServeMux()
	front.Handle("/apt/", packages.Handler("/apt/", slog.Default()))
	front.Handle("/borne", oneCommand)
	people, err := net.Listen("tcp", hubPeople)
	if err != nil {
		return err
	}
	bornes, err := net.Listen("tcp", hubBornes)
	if err != nil {
		return err
	}
	go http.Serve(people, front)
	if err := os.WriteFile(codeFile+".new", []byte(offer.code.Text()), 0o644); err != nil {
		return err
	}
	if err := os.Rename(codeFile+".new", codeFile); err != nil {
		return err
	}
	return api.New(api.Options{Store: st, Authority: offer.authority, Recipient: offer.recipient, Apt: packages}).Serve(ctx, bornes)
}

// begin is the agent's half of an update, in a program of its own.
func begin() error {
	ctx := context.Background()
	id, err := enrol.Load(borne)
	if err != nil {
		return err
	}
	client, err := link.NewClient(link.ClientOptions{Hub: id.Hub(), TLS: id.TLS()})
	if err != nil {
		return err
	}
	defer client.Close()
	u := upgrade.New(upgrade.Options{Dir: borne, Client: client, Now: time.Now, Log: slog.Default(),
		Good: func(time.Time) bool { return os.Args[2] == "now" }})
	err = u.Begin(ctx, os.Args[1])
	fmt.Printf("%s ; %v ; not now %t ; unfit %t\n", u.Installed(), err, errors.Is(err, upgrade.ErrNotNow), errors.Is(err, upgrade.ErrUnfit))
	return nil
}

// One command on a bare Debian makes a borne of it, in service; and the agent
// brings it to the next version.
func TestOneCommand(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatalf("%v (Debian package curl)", err)
	}
	files := bareMachine(self)
	for _, r := range []release{{version: "1.0", mode: "good", post: startServices}, {version: "1.1", mode: "good", post: startServices}} {
		deb := filepath.Join(t.TempDir(), "a.deb")
		if err := os.WriteFile(deb, build(t, r), 0o644); err != nil {
			t.Fatal(err)
		}
		files[hubFolder+r.version+".deb"] = systemdtest.File{From: deb}
	}
	files["/etc/systemd/system/hub.service"] = systemdtest.File{Text: "[Service]\nExecStart=" + programs + "parvis-hub\n"}
	files["/etc/os-release"] = systemdtest.File{Text: "ID=debian\nVERSION_ID=\"12\"\n"}
	for _, folder := range []string{"/var/lib/apt/lists/partial", "/var/cache/apt/archives/partial", "/etc/apt/preferences.d", "/etc/apt/apt.conf.d"} {
		files[folder+"/.keep"] = systemdtest.File{}
	}
	m := systemdtest.Boot(t, files)
	linkPrograms(t, m)
	m.Run(t, "systemctl", "start", "hub.service")
	var code []byte
	eventually(t, "the hub’s code", func() bool { code, err = os.ReadFile(m.Path(codeFile)); return err == nil })

	command := func(code string) (string, error) {
		cmd := m.Command("root", "/bin/sh", "-c", "curl -fsSL http://"+hubPeople+"/borne | sh -s "+code)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	want := func(code, said string, ok bool) {
		t.Helper()
		out, err := command(code)
		if (err == nil) != ok || !strings.Contains(out, said) {
			t.Fatalf("%v, want %q:\n%s", err, said, out)
		}
	}
	want(string(code), "Le hub n’offre pas encore", false)
	m.Run(t, programs+"parvis-publish", hubFolder+"1.0.deb")
	want("", "Il manque le code", false)
	want("ABCDE-FGHJK", "ÉCHEC : Le hub "+hubBornes+" n’a pas enrôlé la machine.", false)
	want(string(code), "La borne MN-01 est enrôlée et le hub reçoit ses rapports", true)
	want(string(code), "La borne MN-01 est enrôlée et le hub reçoit ses rapports", true)
	want("ABCDE-FGHJK", "est déjà la borne MN-01", true)
	if out := m.Run(t, "cat", "/etc/parvis/hub"); out != hubBornes+"\n" {
		t.Errorf("/etc/parvis/hub: %q", out)
	}

	next := func(version, when, said string) {
		t.Helper()
		out, err := m.Command("parvis-agent", programs+"parvis-begin", version, when).CombinedOutput()
		if err != nil || !strings.Contains(string(out), said) {
			t.Fatalf("%v, want %q:\n%s", err, said, out)
		}
	}
	next("2.0", "now", "unfit true")
	m.Run(t, programs+"parvis-publish", hubFolder+"1.1.deb")
	next("1.1", "later", "not now true")
	next("1.1", "now", "1.0 ; <nil>")
	b := &bench{Machine: m, t: t}
	b.want(b.result(), "1.0", "1.1", link.Done, "")
	b.wantRunning("1.1")

	// A borne that was enrolled at its glass has no key: its agent brings it.
	key := m.Run(t, "cat", "/etc/parvis/apt.asc")
	m.Run(t, "rm", "/etc/parvis/apt.asc")
	m.Run(t, "systemctl", "restart", "parvis-agent.service")
	eventually(t, "the hub’s key", func() bool {
		got, err := os.ReadFile(m.Path("/etc/parvis/apt.asc"))
		return err == nil && string(got) == key
	})
	m.Run(t, "rm", "/etc/os-release")
	want(string(code), "Cette machine n’a pas Debian 12", false)
}

// startServices is what the postinst of the real package does.
const startServices = "systemd-sysusers parvis.conf\nsystemd-tmpfiles --create parvis.conf\nsystemctl start parvis.service parvis-agent.service"
