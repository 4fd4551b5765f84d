package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"parvis/hub/api"
	hubstore "parvis/hub/store"
	"parvis/kiosk/agent/network"
	"parvis/kiosk/agent/shelf"
	"parvis/kiosk/agent/unit"
	"parvis/kiosk/agent/unit/systemdtest"
	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// farHub is a hub in another network, with a code for a borne.
func farHub() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	st, key, _, err := openHub(ctx)
	if err != nil {
		return err
	}
	defer st.Close()
	offer, err := offerBorne(ctx, st, key)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		return err
	}
	if err := os.WriteFile(codeFile, []byte(offer.code.Text()), 0o644); err != nil {
		return err
	}
	return api.New(api.Options{Store: st, Authority: offer.authority, Recipient: offer.recipient}).Serve(ctx, l)
}

// want has the hub want a profile for the borne at once, or prints what the borne
// said last.
func want() error {
	ctx := context.Background()
	st, err := hubstore.Open(ctx, hubFolder+"hub.sqlite")
	if err != nil {
		return err
	}
	defer st.Close()
	if len(os.Args) > 1 {
		sum, err := st.PutFile(ctx, []byte(os.Args[1]), time.Now())
		if err != nil {
			return err
		}
		err = st.WantProfiles(ctx, map[string]link.File{"MN-01": {SHA256: sum, Size: int64(len(os.Args[1]))}})
		if err != nil {
			return err
		}
		now := link.Command{ID: uuid.New(), Kind: link.Update, Expires: time.Now().Add(time.Minute).UnixMilli()}
		return st.PutCommand(ctx, hubstore.Command{Command: now, Borne: "MN-01", By: "it", Created: time.Now(), State: hubstore.Waiting})
	}
	b, err := st.Borne(ctx, "MN-01")
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(b.State)
}

// wiredApplication is one that shows nothing, goes by the profile that lies there
// and restarts when it is asked to.
func wiredApplication() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if len(os.Args) > 2 && os.Args[1] == "profile" {
		return nil
	}
	st, err := store.Open(borne)
	if err != nil {
		return err
	}
	defer st.Close()
	s := shelf.Shelf{Dir: borne + profileFolder, Ending: ".toml"}
	profile, err := s.Version(shelf.Current)
	if err != nil {
		return err
	}
	unit.Ready("au service")
	go unit.Feed(ctx, func() bool { return true })
	for began := time.Now(); ctx.Err() == nil; {
		a := store.Alive{State: string(link.AppIdle), PID: os.Getpid(), Started: began, Seen: time.Now(), Profile: profile}
		if err := st.SetAlive(ctx, a); err != nil && ctx.Err() == nil {
			return err
		}
		if e, ok, err := st.BeginErrand(ctx, true); err == nil && ok {
			return st.EndErrand(ctx, e.ID, string(link.Done), "", "", nil)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return nil
}

// wired is a borne by a real systemd-networkd, on a cable to a network without
// DHCP, behind which there is a hub.
type wired struct {
	*systemdtest.Machine
	t *testing.T
}

// Of the machine's two sides of the cable. The hub is beyond the gateway.
const (
	farGateway = "192.0.2.1"
	farAddress = "203.0.113.1:8443"
)

func newWired(t *testing.T, more map[string]systemdtest.File) *wired {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const debian, units = "/usr/lib/systemd/system/", "../../packaging/systemd/"
	files := map[string]systemdtest.File{
		"/usr/bin/parvis": {From: self, Mode: 0o755},
		"/etc/systemd/system/parvis.service.d/test.conf":            {Text: "[Service]\nEnvironment=PARVIS_TEST=wired\nRestartSec=100ms\n"},
		"/etc/systemd/system/parvis-agent.service.d/test.conf":      {Text: "[Service]\nEnvironment=PARVIS_TEST=wired\n"},
		"/etc/systemd/system/parvis-reseau.service.d/test.conf":     {Text: "[Service]\nExecStart=\nExecStart=/usr/bin/parvis-agent network --within 12s\n"},
		"/usr/lib/sysusers.d/parvis.conf":                           {From: units + "parvis.sysusers"},
		"/usr/lib/tmpfiles.d/parvis.conf":                           {From: units + "parvis.tmpfiles"},
		"/usr/share/polkit-1/rules.d/50-parvis.rules":               {From: units + "50-parvis.rules"},
		"/etc/systemd/system/systemd-networkd.service":              {From: debian + "systemd-networkd.service"},
		"/etc/systemd/system/systemd-networkd.socket":               {From: debian + "systemd-networkd.socket"},
		"/etc/systemd/system/dbus-org.freedesktop.network1.service": {From: debian + "systemd-networkd.service"},
		"/etc/systemd/system/systemd-timesyncd.service":             {From: debian + "systemd-timesyncd.service"},
		"/etc/systemd/system/systemd-timesyncd.service.d/test.conf": {Text: "[Unit]\nConditionVirtualization=\nConditionCapability=\n"},
		"/usr/lib/systemd/network/80-parvis.network":                {From: "../../packaging/image/root/usr/lib/systemd/network/80-parvis.network"},
		"/etc/systemd/network/80-parvis.network.d/cable.conf":       {Text: cable},
		"/etc/systemd/network/50-parvis.network.d/cable.conf":       {Text: cable},
		"/etc/systemd/system/hub.service":                           {Text: "[Service]\nNetworkNamespacePath=/run/netns/far\nExecStart=/usr/bin/parvis-far " + farAddress + "\n"},
		hubFolder + ".keep":                                         {},
	}
	for _, name := range []string{"parvis.service", "parvis-agent.service", "parvis-reseau.service", "parvis-reseau-demarrage.service"} {
		files["/etc/systemd/system/"+name] = systemdtest.File{From: units + name}
	}
	for path, f := range more {
		files[path] = f
	}
	w := &wired{systemdtest.Boot(t, files), t}
	for _, name := range []string{"parvis-agent", "parvis-far", "parvis-want"} {
		w.Run(t, "ln", "-s", "parvis", "/usr/bin/"+name)
	}
	w.Run(t, "systemd-tmpfiles", "--create", "parvis.conf")
	for line := range strings.Lines(`ip netns add far
ip link add eth0 type veth peer name far netns far
ip -n far addr add ` + farGateway + `/24 dev far
ip -n far addr add 203.0.113.1/32 dev lo
ip -n far link set lo up
ip -n far link set far up
`) {
		w.Run(t, strings.Fields(line)...)
	}
	return w
}

// cable has the files for cables match that of the machine, which is none.
const cable = "[Match]\nKind=\nKind=veth\n"

// has waits until the cable has an address, and no other.
func (w *wired) has(address string) {
	w.t.Helper()
	eventually(w.t, address, func() bool {
		out := w.Run(w.t, "ip", "-4", "-brief", "addr", "show", "dev", "eth0")
		fields := strings.Fields(out)
		return len(fields) == 3 && fields[2] == address
	})
}

// network gives settings in the words of a profile.
func networkTable(address, gateway, more string) string {
	return fmt.Sprintf("[reseau]\nadresse = %q\npasserelle = %q\n%s", address, gateway, more)
}

func (w *wired) want(table string) {
	w.t.Helper()
	w.Run(w.t, "/usr/bin/parvis-want", "[site]\nid = \"neudorf\"\nnom = \"Mairie\"\n"+table)
}

func (w *wired) kept() (s network.Settings) {
	w.t.Helper()
	data, err := os.ReadFile(w.Path("/etc/parvis/reseau.json"))
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil {
		w.t.Error(err)
	}
	return s
}

// A borne in a house without DHCP is told its address by a stick, enrols, takes
// another from its profile, and goes back by itself from one with which the hub
// cannot be reached.
func TestNetworkOfProfile(t *testing.T) {
	t.Parallel()
	w := newWired(t, map[string]systemdtest.File{
		"/media/a/parvis-reseau.toml": {Text: networkTable("192.0.2.10/24", farGateway, "dns = [\"192.0.2.53\"]\nheure = [\"192.0.2.123\"]\n")},
	})
	w.Run(t, "systemctl", "start", "hub.service", "systemd-networkd.service", "systemd-timesyncd.service", "parvis.service", "parvis-agent.service")
	var code []byte
	eventually(t, "the hub’s code", func() (ok bool) {
		var err error
		code, err = os.ReadFile(w.Path(codeFile))
		return err == nil && len(code) > 0
	})
	stick := func(folder string) string {
		t.Helper()
		out, err := w.Command("parvis-agent", "/usr/bin/parvis-agent", "stick", folder).CombinedOutput()
		if err != nil {
			t.Fatalf("stick: %v\n%s", err, out)
		}
		return string(out)
	}
	if out := stick("/media/a"); !strings.Contains(out, "Le réseau de la borne est celui de la clé") {
		t.Errorf("stick: %s", out)
	}
	w.has("192.0.2.10/24")
	eventually(t, "the gateway", func() bool {
		return strings.Contains(w.Run(t, "ip", "-4", "route", "show", "default"), "via "+farGateway+" dev eth0")
	})
	eventually(t, "the name servers", func() bool { return strings.Contains(w.Run(t, "networkctl", "status", "eth0"), "DNS: 192.0.2.53") })
	eventually(t, "the time servers", func() bool { // which are told last
		out, _ := w.Command("root", "timedatectl", "show-timesync", "--property=SystemNTPServers").Output()
		return string(out) == "SystemNTPServers=192.0.2.123\n"
	})

	w.Run(t, "/bin/sh", "-c", "mkdir /media/b && echo '"+string(code)+"@"+farAddress+"' >/media/b/parvis-enrolement.txt")
	stick("/media/b")
	reported := func(what string, is func(s link.Report) bool) {
		t.Helper()
		eventually(t, what, func() bool {
			out, err := w.Command("root", "/usr/bin/parvis-want").Output()
			var s link.Report
			return err == nil && json.Unmarshal(out, &s) == nil && is(s)
		})
	}
	reported("a report", func(s link.Report) bool { return s.Version != "" })

	w.want(networkTable("192.0.2.20/24", farGateway, ""))
	w.has("192.0.2.20/24")
	eventually(t, "the new address to be kept", func() bool { return w.kept().Address.String() == "192.0.2.20/24" })
	if got := w.kept(); len(got.DNS) != 1 || len(got.Time) != 1 {
		t.Errorf("what the profile does not say is not the stick’s: %+v", got)
	}
	reported("the profile in place, but for what this machine lacks", func(s link.Report) bool {
		return s.Profile != "" && len(s.Failures) == 1 && strings.Contains(s.Failures[0].Why, "systemd-resolved ne tourne pas")
	})

	w.want(networkTable("198.51.100.9/24", "198.51.100.1", ""))
	w.has("198.51.100.9/24")
	if got := w.kept().Address.String(); got != "192.0.2.20/24" {
		t.Errorf("a trial is kept: %s", got)
	}
	w.has("192.0.2.20/24")
	eventually(t, "the profile before", func() bool { // once the line is back, after a pause
		return strings.Contains(w.Run(t, "journalctl", "--unit=parvis-agent.service"), "version retirée")
	})
	reported("the failure", func(s link.Report) bool {
		return len(s.Failures) == 1 && s.Failures[0].Kind == link.KindProfile && strings.Contains(s.Failures[0].Why, "le hub n’est plus joint")
	})

	// As at a start of the machine: nothing is left in /run.
	w.Run(t, "systemctl", "stop", "systemd-networkd.socket", "systemd-networkd.service", "parvis-agent.service")
	w.Run(t, "rm", "-f", "/run/systemd/network/50-parvis.network", "/run/systemd/timesyncd.conf.d/50-parvis.conf", "/run/parvis-reseau/etat.json")
	w.Run(t, "ip", "addr", "flush", "dev", "eth0")
	w.Run(t, "systemctl", "start", "parvis-reseau-demarrage.service", "systemd-networkd.service")
	w.has("192.0.2.20/24")
}

// Root's half that is killed leaves no trial behind; it reads nothing that is not
// the agent's; and it leaves a machine alone whose network is not systemd-networkd's.
func TestNetworkOfRoot(t *testing.T) {
	t.Parallel()
	w := newWired(t, map[string]systemdtest.File{
		"/media/.keep":            {},
		"/etc/parvis/profil.toml": {Text: "[site]\nid = \"a\"\nnom = \"A\"\n" + networkTable("192.0.2.10/24", farGateway, "")},
	})
	w.Run(t, "systemctl", "start", "systemd-networkd.service")
	agent := func(script string) {
		t.Helper()
		if out, err := w.Command("parvis-agent", "/bin/sh", "-euc", script).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
	}
	agent("umask 027; cd /var/lib/parvis; mkdir reseau profile; echo '{\"enrolled\":true}' >reseau/agent.json; chmod 755 reseau profile")
	w.Run(t, "systemctl", "start", "--no-block", network.Service)
	w.has("192.0.2.10/24")
	w.Run(t, "systemctl", "kill", "--signal=KILL", network.Service)
	// The address also goes for a moment when networkd takes new settings.
	eventually(t, "the end of what cleans up", func() bool {
		return strings.TrimSpace(w.Run(t, "systemctl", "show", "--property=ActiveState", "--value", network.Service)) == "failed"
	})
	eventually(t, "no address", func() bool { return w.Run(t, "ip", "-4", "-brief", "addr", "show", "dev", "eth0") == "" })
	if _, err := os.Stat(w.Path("/run/systemd/network/50-parvis.network")); err == nil {
		t.Error("the trial is left behind")
	}

	state := func() (s network.Status) {
		t.Helper()
		s, err := network.ReadStatus(w.Path(network.StateDir))
		if err != nil {
			t.Error(err)
		}
		return s
	}
	agent("cd /var/lib/parvis; ln -s /root/other.toml profile/current")
	w.Run(t, "/bin/sh", "-c", "echo '[reseau]' >/root/other.toml")
	if out, err := w.Command("root", "systemctl", "start", network.Service).CombinedOutput(); err == nil {
		t.Errorf("a profile from elsewhere is read: %+v\n%s", state(), out)
	}
	agent("cd /var/lib/parvis; rm profile/current; echo '{\"enrolled\":false}' >reseau/agent.json")

	w.Run(t, "systemctl", "stop", "systemd-networkd.socket", "systemd-networkd.service")
	w.Run(t, "systemctl", "start", network.Service)
	if got := state(); !strings.HasPrefix(got.Failure, "adresse fixe : systemd-networkd ne tourne pas sur cette machine") {
		t.Errorf("root says %+v", got)
	}
	if _, err := os.Stat(w.Path("/run/systemd/network/50-parvis.network")); err == nil {
		t.Error("something was changed")
	}
	w.Command("parvis-agent", "/usr/bin/parvis-agent", "stick", "/media").Run() // which makes the database
	out, _ := w.Command("parvis-agent", "/usr/bin/parvis-agent", "status").CombinedOutput()
	if !strings.Contains(string(out), "adresse fixe : systemd-networkd ne tourne pas") {
		t.Errorf("status:\n%s", out)
	}
	if out, err := w.Command("parvis", "/usr/bin/busctl", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
		"org.freedesktop.systemd1.Manager", "StartUnit", "ss", network.Service, "replace").CombinedOutput(); err == nil {
		t.Errorf("the application may have the network changed: %s", out)
	}
}
