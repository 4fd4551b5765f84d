package shelf_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"parvis/kiosk/agent/shelf"
)

func newShelf(t *testing.T, ending string) shelf.Shelf {
	t.Helper()
	s := shelf.Shelf{Dir: filepath.Join(t.TempDir(), "shelf"), Ending: ending}
	if err := s.Make(); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPoint(t *testing.T) {
	t.Parallel()
	s := newShelf(t, ".toml")
	for _, step := range []struct{ link, version, current, previous string }{
		{shelf.Current, "a", "a", ""},
		{shelf.Previous, "a", "a", "a"},
		{shelf.Current, "b", "b", "a"},
		{shelf.Current, "b", "b", "a"},
		{shelf.Previous, "", "b", ""},
		{shelf.Current, "", "", ""},
	} {
		if err := s.Point(step.link, step.version); err != nil {
			t.Fatal(err)
		}
		current, err := s.Version(shelf.Current)
		previous, err2 := s.Version(shelf.Previous)
		if err := errors.Join(err, err2); err != nil || current != step.current || previous != step.previous {
			t.Errorf("%+v: current %q, previous %q, %v", step, current, previous, err)
		}
	}
}

// A link that leads anywhere else is none.
func TestStrangeLinks(t *testing.T) {
	t.Parallel()
	s := newShelf(t, ".toml")
	for _, target := range []string{"/etc/passwd", "../borne.toml", "a/b.toml", ".part.toml", "a.txt", ".toml"} {
		link := filepath.Join(s.Dir, shelf.Current)
		os.Remove(link)
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		if version, err := s.Version(shelf.Current); version != "" || err != nil {
			t.Errorf("%s: version %q, %v", target, version, err)
		}
	}
	if err := s.Point(shelf.Current, "a"); err != nil {
		t.Error(err)
	}
}

func TestKeep(t *testing.T) {
	t.Parallel()
	s := newShelf(t, ".toml")
	for _, name := range []string{"a.toml", "b.toml", "c.toml", ".part.toml", "note.txt"} {
		if err := os.WriteFile(filepath.Join(s.Dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(s.Point(shelf.Current, "a"), s.Point(shelf.Previous, "b"), s.Keep("a", "b")); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if want := []string{".previous", "a.toml", "b.toml", "current", "note.txt"}; !slices.Equal(left, want) {
		t.Errorf("left %q", left)
	}
}

// The application's user, who may write beside it, puts a link in the shelf's
// place: what it leads to stays as it is.
func TestMakeFollowsNoLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret := filepath.Join(dir, "identity")
	if err := errors.Join(os.Mkdir(secret, 0o700), os.Symlink("identity", filepath.Join(dir, "shelf"))); err != nil {
		t.Fatal(err)
	}
	if err := (shelf.Shelf{Dir: filepath.Join(dir, "shelf")}).Make(); err == nil {
		t.Error("a link passes for a folder")
	}
	if info, err := os.Stat(secret); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("it is %v now, %v", info.Mode(), err)
	}
}
