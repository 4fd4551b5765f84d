package pack_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"parvis/kiosk/link"
	"parvis/provisioning/pack"
)

// inside names what a process of these tests does when it was started for it.
const inside = "PARVIS_PACK_TEST"

func TestMain(m *testing.M) {
	switch os.Getenv(inside) {
	case "take":
		os.Exit(take(os.Args[1], os.Args[2]))
	case "full":
		os.Exit(fill(os.Args[1]))
	}
	os.Exit(m.Run())
}

// child runs this program for one of the things that TestMain knows.
func child(t *testing.T, what string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), inside+"="+what)
	cmd.Stdout, cmd.Stderr = &out, &out
	return cmd, &out
}

// take takes v2 from a stick, as slowly as a bad line brings it.
func take(dir, stick string) int {
	local, err := pack.Open(filepath.Join(dir, "content"), filepath.Join(dir, "identity"))
	if err == nil {
		local.Now = func() time.Time { return noon.Add(time.Hour) }
		_, _, err = local.UpdateFrom(context.Background(), os.DirFS(stick), fine)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// A program that is killed at any moment leaves the packs that were there, and
// the new one whole or not at all; the next one finishes what was begun.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.publish("v1", one())
	h.publish("v2", two())
	stick := t.TempDir()
	b := newBorne(t, h)
	b.mustUpdate("v1")
	h.export(stick, "v2")
	cmd, out := child(t, "take", b.dir, stick)
	begun := time.Now()
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	whole := time.Since(begun)
	cut, done := 0, 0
	for range 30 {
		if err := b.local.Keep("v1"); err != nil {
			t.Fatal(err)
		}
		cmd, out := child(t, "take", b.dir, stick)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(rand.N(whole), func() { cmd.Process.Kill() })
		err := cmd.Wait()
		kill.Stop()
		var exit *exec.ExitError
		if err != nil && (!errors.As(err, &exit) || exit.Exited()) {
			t.Fatalf("%v: %s", err, out)
		}
		if err == nil {
			done++
		}
		_, missing := os.Stat(filepath.Join(b.dir, "content", "v2"))
		if missing != nil {
			cut++
		}
		if !b.has("v1", one()) || missing == nil && !b.has("v2", two()) || err == nil && missing != nil {
			t.Fatalf("killed after a while: v1 %v, v2 there: %v", b.has("v1", one()), missing == nil)
		}
	}
	if cut == 0 {
		t.Error("never cut short: the test proves nothing")
	}
	t.Logf("of 30, %d cut short, %d finished", cut, done)
	b.restart()
	if _, err := b.take(stick); err != nil || !b.has("v2", two()) {
		t.Errorf("after all that: %v", err)
	}
	b.wantOnly("v1", "v2")
}

// A disk that is full, or becomes so, is told as that. Nothing of the pack is
// left on it, and the one in use stays. It is a real one, of 80 MiB.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	cmd, out := child(t, "full", t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func fill(dir string) int {
	if err := fillUp(dir); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func fillUp(dir string) error {
	if err := syscall.Mount("parvis", dir, "tmpfs", 0, "size=80m"); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	r := newRepository(panicking{})
	r.publish("v1", one())
	r.publish("v2", folderOf(map[string][]byte{"fiches/F1.xml": bytesOf(6, 4<<20), "fiches/F2.xml": bytesOf(7, 4<<20)}))
	r.publish("v3", folderOf(map[string][]byte{"fiches/F1.xml": bytesOf(8, 20<<20)}))
	local, err := pack.Open(filepath.Join(dir, "content"), filepath.Join(dir, "identity"))
	if err != nil {
		return err
	}
	local.Now = func() time.Time { return r.now }
	filler := filepath.Join(dir, "filler")
	becomesFull := false
	fetch := func(_ context.Context, path string, from int64) (io.ReadCloser, int64, int64, error) {
		data := r.files[path]
		if data == nil {
			return nil, 0, 0, &link.Problem{Status: 404}
		}
		if becomesFull && len(data) == 4<<20 { // somebody else writes meanwhile
			os.WriteFile(filler, make([]byte, 100<<20), 0o600)
		}
		return io.NopCloser(bytes.NewReader(data[from:])), from, int64(len(data)), nil
	}
	update := func(version string) error {
		_, err := local.Update(context.Background(), fetch, version, fine)
		return err
	}
	if err := update("v1"); err != nil {
		return fmt.Errorf("v1: %w", err)
	}
	only := func(want ...string) error {
		entries, err := os.ReadDir(filepath.Join(dir, "content"))
		var got []string
		for _, e := range entries {
			got = append(got, e.Name())
		}
		if err != nil || !slices.Equal(got, want) {
			return fmt.Errorf("there are %v, not %v (%w)", got, want, err)
		}
		return nil
	}
	if err := update("v3"); !errors.Is(err, pack.ErrFull) {
		return fmt.Errorf("too large from the start: %w", err)
	}
	if err := only("v1"); err != nil {
		return err
	}
	becomesFull = true
	if err := update("v2"); !errors.Is(err, pack.ErrFull) {
		return fmt.Errorf("full in the middle: %w", err)
	}
	if err := only("v1"); err != nil {
		return err
	}
	becomesFull = false
	if err := errors.Join(os.Remove(filler), update("v2"), only("v1", "v2")); err != nil {
		return fmt.Errorf("with room again: %w", err)
	}
	_, err = fs.Stat(os.DirFS(dir), "content/v1/level.yaml")
	return err
}

// panicking stands for the test in a process of its own.
type panicking struct{ testing.TB }

func (panicking) Helper()                      {}
func (panicking) Fatal(args ...any)            { panic(fmt.Sprint(args...)) }
func (panicking) Fatalf(f string, args ...any) { panic(fmt.Sprintf(f, args...)) }

// A borne whose metadata was damaged, but for its root, takes what is signed.
func TestDamagedMetadata(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.publish("v1", one())
	b := newBorne(t, h)
	b.mustUpdate("v1")
	trusted := filepath.Join(b.dir, "identity", "pack")
	for _, name := range []string{"timestamp.json", "snapshot.json", "targets.json"} {
		for _, data := range []string{"", "{", "null", `{"signed":{"_type":"root"},"signatures":[]}`} {
			if err := os.WriteFile(filepath.Join(trusted, name), []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
			b.mustUpdate("v1")
		}
	}
	if err := os.WriteFile(filepath.Join(trusted, "root.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.update("v1"); err == nil {
		t.Error("without a root")
	}
	if err := os.Remove(filepath.Join(trusted, "root.json")); err != nil {
		t.Fatal(err)
	}
	b.mustUpdate("v1")
	left, err := filepath.Glob(filepath.Join(trusted, ".new-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
