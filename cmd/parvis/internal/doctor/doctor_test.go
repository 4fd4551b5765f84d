package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parvis/cmd/parvis/internal/siteprofile"
	"parvis/content"
	"parvis/device"
	"parvis/kiosk/store"
	"parvis/provisioning/profile"
)

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// want asks for one finding of a severity, with words in what is seen, and for
// what to do where a hand is needed.
func want(t *testing.T, found []Finding, severity device.Severity, words string) {
	t.Helper()
	if len(found) != 1 || found[0].Severity != severity || !strings.Contains(found[0].Seen, words) {
		t.Fatalf("found %+v, want %q with %q", found, severity, words)
	}
	if found[0].NeedsHand() == (found[0].Do == "") {
		t.Errorf("%+v: what to do does not fit", found[0])
	}
}

const fineSeverity = device.Severity("")

func TestDisk(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	const never = 1 << 62
	want(t, disk(dir, 0, 0)(ctx), fineSeverity, "Il reste")
	want(t, disk(dir, never, 0)(ctx), device.Warning, "se remplit")
	want(t, disk(dir, never, never)(ctx), device.Critical, "plein")
	want(t, disk(filepath.Join(dir, "none"), 0, 0)(ctx), device.Critical, "illisible")
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("doctor left %v, %v", left, err)
	}
}

func TestClock(t *testing.T) {
	long := time.Date(1970, 1, 1, 0, 3, 0, 0, time.UTC)
	want(t, clock(func() time.Time { return long })(t.Context()), device.Critical, "01/01/1970")
}

func TestNetwork(t *testing.T) {
	const head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
	const six = "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003"
	ctx, sys, none := t.Context(), t.TempDir(), filepath.Join(t.TempDir(), "none")
	carrier := filepath.Join(sys, "class/net/enp1s0/carrier")
	if err := os.MkdirAll(filepath.Dir(carrier), 0o700); err != nil {
		t.Fatal(err)
	}
	plug := func(state string) {
		if err := os.WriteFile(carrier, []byte(state+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	plug("1")
	up := file(t, head+"enp1s0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n")
	want(t, network(up, none, sys)(ctx), fineSeverity, "enp1s0")
	want(t, network(none, file(t, six+" enp1s0\n"), sys)(ctx), fineSeverity, "enp1s0")
	want(t, network(none, file(t, six+" lo\n"), sys)(ctx), device.Warning, "Aucun réseau")
	want(t, network(file(t, head+"enp1s0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"), none, sys)(ctx), device.Warning, "Aucun réseau")
	want(t, network(file(t, head+"enp1s0\t00000000\t0101A8C0\t0002\t0\t0\t0\t00000000\t0\t0\t0\n"), none, sys)(ctx), device.Warning, "Aucun réseau")
	plug("0")
	want(t, network(up, none, sys)(ctx), device.Warning, "rien n’y est branché")
}

func TestWired(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	if found := wired(dir)(ctx); len(found) != 0 {
		t.Errorf("%+v", found)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "etat.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"wanted":"a","inForce":"a"}`)
	if found := wired(dir)(ctx); len(found) != 0 {
		t.Errorf("%+v", found)
	}
	write(`{"wanted":"a","inForce":"b","failure":"adresse fixe : NetworkManager tient le réseau"}`)
	found := wired(dir)(ctx)
	want(t, found, device.Warning, "La machine n’a pas pris tout le réseau du profil.")
	if !strings.Contains(found[0].Cause, "NetworkManager") {
		t.Errorf("%+v", found)
	}
	write(`{`)
	want(t, wired(dir)(ctx), device.Warning, "On ne sait pas")
}

func TestTouch(t *testing.T) {
	const keyboard = "I: Bus=0003\nN: Name=\"Clavier\"\nB: PROP=0\nB: EV=120013\n\n"
	const panel = "I: Bus=0003\nN: Name=\"ILITEK Multi-Touch\"\nB: PROP=2\nB: EV=1b\n\n"
	ctx := t.Context()
	want(t, touch(file(t, keyboard+panel))(ctx), fineSeverity, "ILITEK Multi-Touch")
	want(t, touch(file(t, keyboard))(ctx), device.Warning, "Aucun écran tactile")
	want(t, touch(filepath.Join(t.TempDir(), "none"))(ctx), device.Warning, "Aucun écran tactile")
}

func TestScreen(t *testing.T) {
	ctx, size := t.Context(), profile.Screen{Width: 1080, Height: 1920}
	want(t, screen("", ":987", size)(ctx), device.Warning, "DISPLAY")
	want(t, screen(":987", kiosk, size)(ctx), device.Critical, "ne répond pas")
}

func TestSupport(t *testing.T) {
	it := profile.Contact{Name: "Assistance des bornes", Phone: "03 53 01 00 99"}
	want(t, support(it)(t.Context()), fineSeverity, "Assistance des bornes, 03 53 01 00 99")
	if found := support(profile.Contact{})(t.Context()); found != nil {
		t.Errorf("nobody to turn to: %+v", found)
	}
}

func TestSettings(t *testing.T) {
	ctx, path := t.Context(), file(t, "")
	good, err := profile.Load("../../../../packaging/demo.toml")
	if err != nil {
		t.Fatal(err)
	}
	want(t, settings(siteprofile.Found{Profile: good, Path: path}, t.TempDir(), nil)(ctx), fineSeverity, "Mairie de quartier")
	_, wrong := profile.Load(file(t, "[site]\nville = 1\n"))
	refused := siteprofile.Found{Profile: good, Path: path, Refused: store.Refusal{Version: "9c01d35e77a2", Why: "illisible"}}
	want(t, settings(refused, t.TempDir(), nil)(ctx), device.Warning, "9c01d35e77a2")
	found := settings(siteprofile.Found{Profile: nil, Path: path}, t.TempDir(), wrong)(ctx)
	want(t, found, device.Critical, "n’est pas utilisable")
	if cause := found[0].Cause; !strings.Contains(cause, ":2: ") || !strings.Contains(cause, "site.ville") {
		t.Errorf("the cause is %q", found[0].Cause)
	}
	keyless, data := *good, t.TempDir()
	keyless.Callback.Recipients = nil
	want(t, settings(siteprofile.Found{Profile: &keyless, Path: path}, data, nil)(ctx), device.Critical, "pas de clé du hub")
	st, err := store.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if err := st.SetSetting(ctx, store.HubRecipient, good.Callback.Recipients[0]); err != nil {
		t.Fatal(err)
	}
	want(t, settings(siteprofile.Found{Profile: &keyless, Path: path}, data, nil)(ctx), fineSeverity, "Mairie de quartier")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	want(t, settings(siteprofile.Found{Profile: good, Path: path}, t.TempDir(), nil)(ctx), device.Warning, "Tout le monde")
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	for words, spoil := range map[string]func(*profile.Profile){
		"pas de clé du hub":             func(p *profile.Profile) { p.Callback.Recipients = nil },
		"ne peuvent pas être scellées":  func(p *profile.Profile) { p.Callback.Recipients = []string{"age1"} },
		"La langue":                     func(p *profile.Profile) { p.Site.Languages = []string{"xx"} },
		"Le code d’entretien":           func(p *profile.Profile) { p.Maintenance.Code = "$argon2id$x" },
		"Les appareils du profil":       func(p *profile.Profile) { p.Printer.Model = "epson" },
		"Les règles des cartes":         func(p *profile.Profile) { p.Cards.Key = "x" },
		"Les horaires de site.ouvertur": func(p *profile.Profile) { p.Site.Opening = "lundi" },
	} {
		bad := *good
		spoil(&bad)
		want(t, settings(siteprofile.Found{Profile: &bad, Path: path}, t.TempDir(), nil)(ctx), device.Critical, words)
	}
}

// A badge without its code opens nothing: doctor warns, and the borne starts.
func TestBadgeWithoutACode(t *testing.T) {
	p, err := profile.Load("../../../../packaging/demo.toml")
	if err != nil {
		t.Fatal(err)
	}
	p.Maintenance.Code = ""
	want(t, settings(siteprofile.Found{Profile: p, Path: file(t, "")}, t.TempDir(), nil)(t.Context()), device.Warning, "pas de code d’entretien")
}

func TestContents(t *testing.T) {
	want(t, contents(content.FS)(t.Context()), fineSeverity, "15 démarches")
	want(t, contents(os.DirFS(t.TempDir()))(t.Context()), device.Critical, "illisible")
}

func TestDatabase(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	want(t, database(filepath.Join(dir, "none"), nil, time.Now)(ctx), device.Critical, "n’existe pas")
	want(t, database(dir, nil, time.Now)(ctx), device.Warning, "n’existe pas encore")
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("doctor left %v, %v", left, err)
	}
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	want(t, database(dir, nil, time.Now)(ctx), device.Warning, "vide")
}

// Every state of a device is told in words, and only a ready one is fine.
func TestDescribe(t *testing.T) {
	for _, f := range device.Faults() {
		got := describe("Lecteur", f.Fault.With(nil))
		if got.Severity != f.Severity || !strings.HasPrefix(got.Seen, "Lecteur : ") || got.Do != f.Do {
			t.Errorf("%s: %+v", f.Fault, got)
		}
	}
	if got := describe("Lecteur", device.Status{State: device.Online}); got.NeedsHand() || got.Seen != "Lecteur : prêt." {
		t.Errorf("ready: %+v", got)
	}
	if got := describe("Lecteur", device.Status{}); got.Severity != device.Critical || got.Do == "" {
		t.Errorf("unknown: %+v", got)
	}
}
