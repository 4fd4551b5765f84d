package image

import (
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parvis/e2e/fleet"
)

// number reads a setting of the run.
func number(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s=%s: a whole number", name, text)
	}
	return n
}

// powerCuts pulls the plug of a machine at random writes to its disk: in copies
// of the disk as it was just then, while the machine goes on. What a power cut
// leaves is what is on the disk, and many cuts cost one run.
type powerCuts struct {
	seed uint64
	// Writes anywhere on the disk, and writes to where the firmware and the boot
	// loader read: the partition table and the ESP.
	anywhere, start *moments
}

// cutPower begins it.
func (m *machine) cutPower() *powerCuts {
	m.t.Helper()
	p := &powerCuts{seed: number(m.t, "PARVIS_SEED", rand.Uint64N(1e6))}
	most := int(number(m.t, "PARVIS_CUTS", 10))
	m.t.Logf("PARVIS_SEED=%d PARVIS_CUTS=%d", p.seed, most)
	random := rand.New(rand.NewPCG(p.seed, 0))
	log := func() (time.Duration, string) { return m.age(), m.serial.all() }
	p.anywhere = &moments{random: random, most: most, log: log, counts: func(int64) bool { return true }}
	p.start = &moments{random: random, most: most / 2, log: log, counts: func(off int64) bool { return off < rootOffset }}
	m.disk.keep(p.anywhere)
	m.disk.keep(p.start)
	return p
}

// each starts the machine that each of the cuts leaves.
func (p *powerCuts) each(t *testing.T, name string, writes int, check func(t *testing.T, m *machine, before *moment)) {
	for i, at := range slices.Concat(p.anywhere.kept, p.start.kept) {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			d, atStake, lost := at.powerCut(t, rand.New(rand.NewPCG(p.seed, uint64(1+i))))
			where := "anywhere"
			if i >= len(p.anywhere.kept) {
				where = "to the partition table or the ESP"
			}
			t.Logf("power cut at write %d of %d, picked of those %s, after %v: %d sectors not flushed, %d of them lost or old; it had just said:\n%s",
				at.write, writes, where, at.age, atStake, lost, lastLines(at.log, 2))
			m := newMachine(t, name+"-"+strconv.Itoa(i), d)
			m.start()
			check(t, m, at)
		})
	}
}

// TestPowerCutsInFirstBoot cuts the power of a machine in its first boot, and
// sees the next start reach the page that asks for the code, on data that is
// whole.
func TestPowerCutsInFirstBoot(t *testing.T) {
	m := newMachine(t, "reference", newDisk(t, emulated(t, nil), diskSize))
	m.start()
	cuts := m.cutPower()
	m.untilAsked()
	writes := m.disk.stop()
	t.Logf("a first boot takes %v and %d writes", m.age(), writes)
	m.kill()

	cuts.each(t, "first-boot", writes, func(t *testing.T, m *machine, before *moment) {
		m.untilAsked()
		again := m.serial.has("premier démarrage")
		t.Logf("came up after %v; data made anew: %v", m.age(), again)
		if again && strings.Contains(before.log, "Finished parvis-data.service") {
			t.Error("data that was complete was made anew")
		}
	})
}

// shut is a profile of houses that are closed all day: updates wait for that.
const shut = `[site]
ouverture = "Dec 25 03:00-03:01"

[ecran]
largeur_px = 1080
hauteur_px = 1920
`

const (
	oldVersion = "1.0.0" // of the image
	newVersion = "1.1.0"
)

// TestPowerCutsInUpdate cuts the power of a machine while it updates itself as
// the hub's rollout wants it. The next start reaches the hub with the old version
// or the new one, as the borne that it was.
func TestPowerCutsInUpdate(t *testing.T) {
	hub := fleet.StartHub(t, fleet.HubOptions{})
	base := enrolled(t, hub)

	hub.Command("rollout", "start", "logiciel", newVersion, "--stage", "100%")
	m := newMachine(t, "update", newDisk(t, base, diskSize))
	began := time.Now()
	m.start()
	m.until("report", patience, func() bool { return seen(t, hub, began, oldVersion, newVersion) })
	cuts := m.cutPower()
	m.until("end of the update", 3*patience, func() bool { return m.serial.has("mise à jour terminée") })
	if !m.serial.has("résultat=done") {
		t.Fatalf("the update failed. The end of its log:\n%s", m.serial.tail())
	}
	m.until("report of the new version", patience, func() bool { return seen(t, hub, began, newVersion) })
	writes := m.disk.stop()
	t.Logf("an update, with its start before and the one after, takes %v and %d writes", m.age(), writes)
	m.keepPicture("6-updated")
	m.kill()

	cuts.each(t, "update", writes, func(t *testing.T, m *machine, _ *moment) {
		began := time.Now()
		m.until("borne at its hub", patience, func() bool { return seen(t, hub, began, oldVersion, newVersion) })
		t.Logf("came up with %s after %v", borneAt(t, hub.Data).State.Version, m.age())
		if m.serial.has("premier démarrage") {
			t.Error("data that was complete was made anew")
		}
	})
}

// enrolled is the disk of a borne that is enrolled at a hub, which has a newer
// version for it.
func enrolled(t *testing.T, hub *fleet.Hub) *solid {
	t.Helper()
	for _, version := range []string{oldVersion, newVersion} {
		t.Log(strings.TrimSpace(hub.Command("software", "publish", filepath.Join(built, "deb", "parvis-borne_"+version+"_amd64.deb"))))
	}
	profile := filepath.Join(t.TempDir(), "profil.toml")
	if err := os.WriteFile(profile, []byte(shut), 0o600); err != nil {
		t.Fatal(err)
	}
	hub.Command("profile", "put", profile, "--city")

	m := newMachine(t, "enrolled", newDisk(t, emulated(t, map[string]string{"/etc/parvis/apt.asc": key(t, hub)}), diskSize))
	m.start()
	m.untilAsked()
	m.plugStick("parvis-enrolement.txt", invitation(hub))
	m.until("profile of the hub's", patience, func() bool { return seen(t, hub, m.began, oldVersion) && borneAt(t, hub.Data).State.Profile != "" })
	m.kill()
	return m.disk.whole(t)
}

// seen tells whether the borne has reported since, in service, with one of the
// versions.
func seen(t *testing.T, hub *fleet.Hub, since time.Time, versions ...string) bool {
	t.Helper()
	b := borneAt(t, hub.Data)
	if b == nil || b.Seen.Before(since) || b.State.App != "idle" {
		return false
	}
	for _, v := range versions {
		if b.State.Version == v {
			return true
		}
	}
	return false
}

// key is what the hub signs packages with.
func key(t *testing.T, hub *fleet.Hub) string {
	t.Helper()
	answer, err := http.Get(hub.People + "/apt/parvis.asc")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("the hub's key: %v %v", answer.Status, err)
	}
	return string(text)
}
