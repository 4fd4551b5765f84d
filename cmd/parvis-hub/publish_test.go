package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"parvis/cmd/internal/packcheck"
	"parvis/content"
	"parvis/hub/packs"
	"parvis/hub/seal"
	"parvis/hub/store"
	"parvis/provisioning/pack"
)

// writeContent writes the content that the programs carry into a folder, and
// files beside it.
func writeContent(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, content.FS); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "demo")); err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// keyFiles are those of a role in a folder.
func keyFiles(t *testing.T, dir, role string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, role+"-*.key"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no keys %s: %v", role, err)
	}
	return names
}

var keyNumber = regexp.MustCompile(`-([0-9a-f]{8})\.key$`)

func numberOf(t *testing.T, name string) string {
	t.Helper()
	m := keyNumber.FindStringSubmatch(name)
	if m == nil {
		t.Fatalf("%s has no number", name)
	}
	return m[1]
}

// takeStick has a borne take what lies on a stick.
func takeStick(t *testing.T, borne, stick string) (version string, err error) {
	t.Helper()
	l, err := pack.Open(filepath.Join(borne, "content"), filepath.Join(borne, "identity"))
	if err != nil {
		t.Fatal(err)
	}
	version, folder, err := l.UpdateFrom(t.Context(), os.DirFS(stick), func(files fs.FS) error {
		_, err := packcheck.Check(files)
		return err
	})
	if err == nil && folder != filepath.Join(borne, "content", version) {
		t.Errorf("%s lies in %s", version, folder)
	}
	return version, err
}

// From keys to a borne without network, and on through the loss of two keys.
func TestPublish(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, dsn, dir string) {
		hub := []string{"--data", dir, "--database", dsn}
		run := func(args ...string) (string, error) { return do(t.Context(), append(args, hub...)...) }
		must := func(args ...string) string {
			t.Helper()
			return mustDo(t, append(args, hub...)...)
		}
		folder := writeContent(t, map[string]string{"voix/fr.yaml": "Neudorf: neuille dorf\n"})
		_, err := run("publish", "list")
		wantError(t, err, packs.ErrNone, "publish keys")

		keys := filepath.Join(t.TempDir(), "keys")
		out := must("publish", "keys", keys)
		if !strings.Contains(out, "2 sur 3") || !strings.Contains(out, "phrase de passe") {
			t.Errorf("keys: %s", out)
		}
		roots, publisher := keyFiles(t, keys, "racine"), keyFiles(t, keys, "publication")[0]
		if info, err := os.Stat(publisher); err != nil || info.Mode().Perm() != 0o600 || len(roots) != 3 {
			t.Fatalf("%v, %v, %d roots", info, err, len(roots))
		}
		_, err = run("publish", "keys", keys)
		wantError(t, err, packs.ErrKeys, "rotate")

		_, err = run("publish", folder)
		wantError(t, err, nil, "--key manque")
		_, err = run("publish", folder, "--key", roots[0])
		wantError(t, err, pack.ErrWrongKey, numberOf(t, publisher))
		out = must("publish", folder, "--key", publisher, "--version", "2026-11-22")
		if !strings.Contains(out, "2026-11-22 publiés : 15 démarches") {
			t.Errorf("publish: %s", out)
		}
		_, err = run("publish", folder, "--key", publisher, "--version", "2026-11-22")
		wantError(t, err, pack.ErrExists, "2026-11-22")
		_, err = run("publish", folder, "--key", publisher, "--version", "été")
		wantError(t, err, nil, "version")
		must("publish", folder, "--key", publisher, "--version", "2026-11-23")

		stick, borne := t.TempDir(), t.TempDir()
		must("publish", "export", stick, "--version", "2026-11-22")
		_, err = takeStick(t, borne, stick)
		wantError(t, err, pack.ErrNoRoot, "reliez-la")
		// What the borne does at its first contact, or IT by hand.
		pin(t, borne, stick)
		if version, err := takeStick(t, borne, stick); err != nil || version != "2026-11-22" {
			t.Fatalf("%s, %v", version, err)
		}
		_, err = run("publish", "export", stick, "--version", "2026-11-24")
		wantError(t, err, pack.ErrUnknown, "2026-11-24")

		// A root and the publisher's key are lost.
		lost, kept := roots[0], roots[1:]
		fresh := filepath.Join(t.TempDir(), "fresh")
		rotate := []string{"publish", "rotate", fresh, "--replace", numberOf(t, lost), "--replace", numberOf(t, publisher), "--root", kept[0]}
		_, err = run(rotate...)
		wantError(t, err, pack.ErrFewKeys, "1 sur les 2")
		wantMissing(t, fresh)
		_, err = run("publish", "rotate", fresh, "--replace", "00000000", "--root", kept[0], "--root", kept[1])
		wantError(t, err, pack.ErrUnknownKey, "00000000")
		must(append(rotate, "--root", kept[1])...)
		_, err = run("publish", folder, "--key", publisher, "--version", "2026-11-25")
		wantError(t, err, pack.ErrWrongKey, "publication")
		must("publish", folder, "--key", keyFiles(t, fresh, "publication")[0], "--version", "2026-11-25")
		out = must("publish", "list")
		for _, word := range []string{"2026-11-22 ", "2026-11-25 ", numberOf(t, keyFiles(t, fresh, "racine")[0]), "il faut 2 clés"} {
			if !strings.Contains(out, word) {
				t.Errorf("list has no %q:\n%s", word, out)
			}
		}
		if strings.Contains(out, numberOf(t, lost)) || strings.Contains(out, "Attention") {
			t.Errorf("list:\n%s", out)
		}
		must("publish", "export", stick)
		if version, err := takeStick(t, borne, stick); err != nil || version != "2026-11-25" {
			t.Errorf("after the loss: %s, %v", version, err)
		}
	})
}

// pin has a borne trust the first root that is on a stick.
func pin(t *testing.T, borne, stick string) {
	t.Helper()
	root, err := os.ReadFile(filepath.Join(stick, "parvis", "pack", "1.root.json"))
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(borne, "identity", "pack")
	if err := errors.Join(os.MkdirAll(to, 0o700), os.WriteFile(filepath.Join(to, "root.json"), root, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// What a borne would refuse is not signed, and is named with its line.
func TestPublishChecks(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ file, data, want string }{
		"démarche":     {"demarches/retraite.yaml", "id: retraite\n", "demarches/retraite.yaml:"},
		"sentence":     {"textes/fr.toml", "[home]\n\ntitel = \"a\"\n", "textes/fr.toml:3: home.titel"},
		"lexicon":      {"voix/fr.yaml", "Neudorf:\n", "voix/fr.yaml:1: Neudorf"},
		"places":       {"lieux.csv", "x\n", "lieux.csv"},
		"fiches":       {"fiches/F1.xml", "<a", "fiches"},
		"wrong folder": {"demarche/a.yaml", "a: b\n", "« demarches »"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := writeContent(t, map[string]string{tt.file: tt.data})
			_, err := do(t.Context(), "publish", folder, "--check")
			wantError(t, err, nil, tt.want)
		})
	}
	folder := writeContent(t, nil)
	if out := mustDo(t, "publish", folder, "--check"); !strings.Contains(out, "Rien n’est publié") {
		t.Error(out)
	}
}

func TestPassphrase(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "hub")
	used(t, filepath.Join(dir, "hub.sqlite"), dir)
	keys, right, wrong := t.TempDir(), filepath.Join(dir, "right"), filepath.Join(dir, "wrong")
	if err := errors.Join(os.WriteFile(right, []byte("cheval correct pile agrafe\n"), 0o600), os.WriteFile(wrong, []byte("autre\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	mustDo(t, "publish", "keys", keys, "--data", dir, "--passphrase-file", right, "--roots", "1", "--threshold", "1")
	key := keyFiles(t, keys, "publication")[0]
	data, err := os.ReadFile(key)
	if err != nil || strings.Contains(string(data), "PRIVATE KEY") || !strings.Contains(string(data), "AGE ENCRYPTED FILE") {
		t.Errorf("the key lies open: %s, %v", data, err)
	}
	publish := []string{"publish", writeContent(t, nil), "--data", dir, "--key", key}
	_, err = do(t.Context(), append(publish, "--passphrase-file", wrong)...)
	wantError(t, err, pack.ErrKey, "phrase de passe")
	_, err = do(t.Context(), publish...)
	wantError(t, err, nil, "--passphrase-file")
	mustDo(t, append(publish, "--passphrase-file", right)...)
}

// An answer that is lost costs no keys that the hub goes by.
func TestKeysSettle(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st, err := store.Open(ctx, filepath.Join(t.TempDir(), "hub.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	sealing, err := seal.Open(filepath.Join(t.TempDir(), "hub.key"))
	if err != nil {
		t.Fatal(err)
	}
	hub := packs.New(st, sealing, time.Now, slog.New(slog.DiscardHandler))
	lost := errors.New("the line was cut")
	fresh := func() (keys []packs.Fresh, names []string, there func() bool) {
		t.Helper()
		for _, role := range []pack.Role{pack.RoleRoot, pack.RolePublisher} {
			key, err := pack.NewKey()
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, packs.Fresh{Role: role, Key: key})
		}
		if names, err = writeKeys(t.TempDir(), "", keys); err != nil {
			t.Fatal(err)
		}
		return keys, names, func() bool {
			_, root := os.Stat(names[0])
			_, publisher := os.Stat(names[1])
			if (root == nil) != (publisher == nil) {
				t.Errorf("only one of two keys is there: %v, %v", root, publisher)
			}
			return root == nil
		}
	}
	keys, names, there := fresh()
	if err := settle(ctx, hub, keys, names, lost); !errors.Is(err, lost) || there() {
		t.Errorf("of no use: %v, there %t", err, there())
	}
	keys, names, there = fresh()
	if err := hub.Create(ctx, []pack.Key{keys[0].Key}, 1, keys[1].Key); err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if err := settle(gone, hub, keys, names, lost); err != nil || !there() {
		t.Errorf("of the hub: %v, there %t", err, there())
	}
	keys, names, there = fresh()
	st.Close()
	if err := settle(ctx, hub, keys, names, lost); !errors.Is(err, lost) || !strings.Contains(err.Error(), names[1]) || !there() {
		t.Errorf("nobody knows: %v, there %t", err, there())
	}
}
