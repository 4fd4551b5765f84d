package packages

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"parvis/e2e/xdrive"
)

// buildPackages builds packages of a version and returns their files by name.
func buildPackages(t *testing.T, version string, args ...string) map[string]string {
	t.Helper()
	return buildIn(t, sources(t), nil, version, args...)
}

// sources is the folder of the sources.
func sources(t *testing.T) string {
	t.Helper()
	root, err := xdrive.Root()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// buildIn builds packages of the sources in a folder, with more environment.
func buildIn(t *testing.T, folder string, env []string, version string, args ...string) map[string]string {
	t.Helper()
	out := t.TempDir()
	cmd := exec.Command("go", append([]string{"run", "./packaging/deb", "--version", version, "--arch", runtime.GOARCH, "--out", out}, args...)...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), env...)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", version, err, said)
	}
	files := make(map[string]string)
	for _, name := range []string{"parvis-borne", "parvis-hub", "parvis-sim"} {
		file := filepath.Join(out, name+"_"+version+"_"+runtime.GOARCH+".deb")
		if _, err := os.Stat(file); err == nil {
			files[name] = file
		}
	}
	return files
}

// TestReproducible builds the packages twice, from two folders, at two places of
// the world, and one of them with nothing kept from the build before; what comes
// out is the same, and lintian has nothing to say about it.
func TestReproducible(t *testing.T) {
	here := sources(t)
	there := filepath.Join(t.TempDir(), "ailleurs", "parvis")
	if err := os.MkdirAll(there, 0o700); err != nil {
		t.Fatal(err)
	}
	run(t, "sh", "-euc", `cd "$0" && tar --create --exclude=./.git --exclude=./bin --exclude=./dist --exclude=./run . | tar --extract --directory "$1"`, here, there)
	env := []string{"SOURCE_DATE_EPOCH=1795317922"}
	first := buildIn(t, here, env, "1.0.0")
	second := buildIn(t, there, append(env, "TZ=Asia/Tokyo", "LANG=fr_FR.UTF-8", "TMPDIR="+t.TempDir()), "1.0.0")
	cold := buildIn(t, there, append(env, "GOCACHE="+t.TempDir()), "1.0.0", "--package=parvis-sim")
	if len(first) != 3 || len(cold) != 1 {
		t.Fatalf("built %v and %v", first, cold)
	}
	for name, file := range first {
		if digest(t, file) != digest(t, second[name]) {
			t.Errorf("%s: two builds, two files: diffoscope %s %s", name, file, second[name])
		}
	}
	if digest(t, first["parvis-sim"]) != digest(t, cold["parvis-sim"]) {
		t.Error("parvis-sim comes out otherwise when all of it is compiled")
	}
	for _, file := range first {
		cmd := exec.Command("lintian", "--allow-root", "--fail-on=error,warning", "--tag-display-limit=0", file)
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("lintian (Debian package lintian): %v\n%s", err, said)
		}
	}
}

func digest(t *testing.T, file string) [sha256.Size]byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(text)
}

// buildBroken builds a version whose application says what it is and does
// nothing else but end.
func buildBroken(t *testing.T, version string) string {
	t.Helper()
	whole := buildPackages(t, version, "--package=parvis-borne")
	dir := t.TempDir()
	run(t, "dpkg-deb", "--extract", whole["parvis-borne"], dir)
	programs := filepath.Join(dir, "usr/bin")
	cmd := exec.Command("go", "build", "-o", filepath.Join(programs, "parvis"), "./testdata/broken")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return buildPackages(t, version, "--package=parvis-borne", "--programs="+programs)["parvis-borne"]
}

// cacheDir is a folder that stays from one test to the next.
func cacheDir(t *testing.T, name string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "parvis", name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// freshDebian is the archive of a Debian 12 with nothing but systemd and its bus.
func freshDebian(t *testing.T) string {
	t.Helper()
	archive := filepath.Join(cacheDir(t, "roots"), "bookworm-"+runtime.GOARCH+".tar.zst")
	if _, err := os.Stat(archive); !errors.Is(err, fs.ErrNotExist) {
		return archive
	}
	fresh := filepath.Join(filepath.Dir(archive), "new-"+filepath.Base(archive))
	run(t, "mmdebstrap", "--quiet", "--variant=minbase", "--include=ca-certificates,dbus,systemd,systemd-sysv", "bookworm", fresh,
		"deb http://deb.debian.org/debian bookworm main", "deb http://deb.debian.org/debian-security bookworm-security main")
	if err := os.Rename(fresh, archive); err != nil {
		t.Fatal(err)
	}
	return archive
}
