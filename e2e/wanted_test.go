package e2e

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"parvis/e2e/fleet"
	"parvis/e2e/xdrive"
	"parvis/kiosk/agent/shelf"
	borne "parvis/kiosk/store"
)

// wantedWithin is how long a change may take from the hub to the glass: up to
// the next report, and then it is watched.
const wantedWithin = 90 * time.Second

// TestWanted has a hub publish a pack and give a borne a profile, which come by
// themselves onto a real window, between two visits.
func TestWanted(t *testing.T) {
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning}, Bare: true})
	own := filepath.Join(b.Dir, "run/profile.toml")
	hub := fleet.StartHub(t, fleet.HubOptions{})
	data := filepath.Join(b.Dir, "run/data")
	fleet.Enrol(t, data, hub.Bornes, hub.Code("demo", "Mairie de quartier", "MQ-01"),
		"--logs", filepath.Join(b.Dir, "run/parvis.log"), "--profile", own)
	alive := func() borne.Alive {
		t.Helper()
		st := b.OpenStore()
		defer st.Close()
		a, err := st.Alive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	await := func(what string, ok func() bool) {
		t.Helper()
		began := time.Now()
		for !ok() {
			if time.Since(began) > wantedWithin {
				t.Fatalf("waited %v for %s; the borne says %+v on page %s", wantedWithin, what, alive(), b.Page().Page)
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Logf("%s after %v", what, time.Since(began).Round(time.Second))
	}

	t.Run("a pack", func(t *testing.T) {
		b.Lend(t)
		before := screenOf(t, b)
		tap(b, "start")
		b.WaitPage("home")
		publish(t, hub, "e2e-1")
		packs := shelf.Shelf{Dir: filepath.Join(data, "content")}
		await("the pack on the borne", func() bool { version, err := packs.Version(shelf.Current); return err == nil && version == "e2e-1" })
		if a := alive(); a.Content != "" || b.Page().Page != "home" {
			t.Fatalf("amid a visit the borne shows %q, page %s", a.Content, b.Page().Page)
		}
		leave(b)
		await("the pack on the glass", func() bool { return alive().Content == "e2e-1" && b.Page().Page == "attract" })
		await("its own words", func() bool { return !bytes.Equal(before, screenOf(t, b)) })
	})
	t.Run("a profile", func(t *testing.T) {
		b.Lend(t)
		profile, err := os.ReadFile(own)
		if err != nil {
			t.Fatal(err)
		}
		layer := filepath.Join(t.TempDir(), "MQ-01.toml")
		if err := os.WriteFile(layer, bytes.Replace(profile, []byte(`"Mairie de quartier"`), []byte(`"Mairie de la Robertsau"`), 1), 0o600); err != nil {
			t.Fatal(err)
		}
		hub.Command("profile", "put", "--borne", "MQ-01", "--first", layer)
		await("the profile in use", func() bool { return len(alive().Profile) == 12 })
	})
}

// publish makes a pack of what the program carries, with a sentence of its own,
// and has all bornes get it.
func publish(t *testing.T, hub *fleet.Hub, version string) {
	t.Helper()
	root, err := xdrive.Root()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	folder, keys, phrase := filepath.Join(dir, "pack"), filepath.Join(dir, "keys"), filepath.Join(dir, "phrase")
	err = os.CopyFS(filepath.Join(folder, "demarches"), os.DirFS(filepath.Join(root, "content/demarches")))
	level, err2 := os.ReadFile(filepath.Join(root, "content/level.yaml"))
	err = errors.Join(err, err2,
		os.WriteFile(filepath.Join(folder, "level.yaml"), level, 0o644),
		os.Mkdir(filepath.Join(folder, "textes"), 0o755),
		os.WriteFile(filepath.Join(folder, "textes/fr.toml"), []byte("[attract]\ntitle = \"Bienvenue à la Robertsau !\"\n"), 0o644),
		os.WriteFile(phrase, []byte("une phrase de passe assez longue\n"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	hub.Command("publish", "keys", keys, "--roots", "1", "--threshold", "1", "--passphrase-file", phrase)
	found, err := filepath.Glob(filepath.Join(keys, "*publication*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("keys %v, %v", found, err)
	}
	hub.Command("publish", folder, "--version", version, "--key", found[0], "--passphrase-file", phrase)
	hub.Command("rollout", "start", "contenus", version, "--stage", "100%")
}
