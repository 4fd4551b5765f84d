package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDescribe(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, key := range []string{"GIT_DIR", "GIT_WORK_TREE"} {
		t.Setenv(key, "")
		os.Unsetenv(key)
	}
	sh := func(script string) {
		t.Helper()
		cmd := exec.Command("sh", "-euc", script)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b.c", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b.c",
			"GIT_AUTHOR_DATE=2026-11-22T03:21:00Z", "GIT_COMMITTER_DATE=2026-11-22T03:21:00Z")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	var all []string
	told := func() {
		t.Helper()
		s, err := readSource(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if want := time.Date(2026, 11, 22, 3, 21, 0, 0, time.UTC); !s.time.Equal(want) {
			t.Errorf("time %v, want %v", s.time, want)
		}
		all = append(all, s.version)
	}
	if _, err := readSource(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "SOURCE_DATE_EPOCH") {
		t.Errorf("without git: %v", err)
	}
	sh("git init -q && echo 1 >a && git add a && git commit -qm 1")
	told()
	sh("git tag v1.4.0")
	told()
	sh("echo 2 >a")
	told()
	sh("git commit -qam 2")
	told()
	for i, want := range []string{"0.20261122.0321+g", "1.4.0", "1.4.0+local", "1.4.0+1.g"} {
		if !strings.HasPrefix(all[i], want) {
			t.Errorf("version %d is %s, want %s…", i, all[i], want)
		}
	}
	// As Debian compares them.
	for _, pair := range [][2]string{{all[0], all[1]}, {all[1], all[3]}, {all[3], "1.4.1"}} {
		if err := exec.Command("dpkg", "--compare-versions", pair[0], "lt", pair[1]).Run(); err != nil {
			t.Errorf("%s is not before %s: %v", pair[0], pair[1], err)
		}
	}
	if _, err := readSource(t.Context(), "1.0'; rm -rf /"); err == nil {
		t.Error("a version that isn't one is taken")
	}
}

func TestSubcommands(t *testing.T) {
	t.Parallel()
	help := "Utilisation : x <commande>\n\nUn programme.\n\nOptions :\n  -h, --help    Aide.\n\nCommandes :\n" +
		"  run --data=DIR [options]\n    Ouvre.\n\n  places import --data=DIR <file> [options]\n    Importe.\n\n\"x <commande> --help\" : plus.\n"
	got := subcommands(help)
	want := [][]string{{"run"}, {"places", "import"}}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestVerbatim(t *testing.T) {
	t.Parallel()
	var page bytes.Buffer
	verbatim(&page, ".SH A", ".profile\n--data a\\b\n'x'\n")
	want := ".SH A\n.nf\n\\&.profile\n\\-\\-data a\\eb\n\\&'x'\n.fi\n"
	if page.String() != want {
		t.Errorf("wrote %q, want %q", page.String(), want)
	}
}

func TestMirror(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, mode := range map[string]os.FileMode{"etc/a.conf": 0o664, "usr/lib/parvis/verrou": 0o700, "usr/share/b": 0o600} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	all, err := mirror(root)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range all {
		got = append(got, c.Destination+" "+c.Type+" "+c.FileInfo.Mode.String()+" "+filepath.Base(c.Source))
	}
	want := []string{"/etc/a.conf config -rw-r--r-- a.conf", "/usr/lib/parvis/verrou  -rwxr-xr-x verrou", "/usr/share/b  -rw-r--r-- b"}
	if !slices.Equal(got, want) {
		t.Errorf("lists\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestOnce(t *testing.T) {
	t.Parallel()
	got := once([]string{"libc6 (>= 2.34), libgl1", "cups, libc6", "", "libgl1"})
	if want := []string{"libc6 (>= 2.34)", "libgl1", "cups"}; !slices.Equal(got, want) {
		t.Errorf("depends on %q, want %q", got, want)
	}
}

// The scripts are what dash makes of them.
func TestScriptsAreShell(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("*.sh")
	if err != nil || len(scripts) < 5 {
		t.Fatalf("found %v, %v", scripts, err)
	}
	for _, script := range scripts {
		if out, err := exec.Command("dash", "-n", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", script, err, out)
		}
	}
}
