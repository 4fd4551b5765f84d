package command_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"parvis/cmd/parvis/internal/command"
	"parvis/device/reader"
	"parvis/device/sim"
	"parvis/kiosk/card"
)

// runBadge runs "parvis badge ARGS" with in as its standard input.
func runBadge(t *testing.T, in *os.File, args ...string) (stdout string, err error) {
	t.Helper()
	before := os.Stdin
	os.Stdin = in
	defer func() { os.Stdin = before }()
	var root struct {
		Badge command.Badge `cmd:""`
	}
	parser, err := kong.New(&root)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.Parse(append([]string{"badge"}, args...))
	if err != nil {
		t.Fatal(err)
	}
	var out, ask bytes.Buffer
	err = parsed.Run(&command.Runtime{Ctx: t.Context(), Stdout: &out, Stderr: &ask, Now: time.Now})
	if strings.Contains(ask.String(), "2468") {
		t.Errorf("the code is shown: %s", &ask)
	}
	return strings.TrimSpace(out.String()), err
}

// piped is a file that says text.
func piped(t *testing.T, text string) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	if _, err := w.WriteString(text); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return r
}

// A key from the first command and a fingerprint from the second make a badge
// that the borne recognises.
func TestBadgeFingerprint(t *testing.T) {
	key, err := runBadge(t, nil, "cle")
	if err != nil || len(key) != 64 {
		t.Fatalf("key %q, %v", key, err)
	}
	if again, err := runBadge(t, nil, "cle"); err != nil || again == key {
		t.Errorf("the same key twice (%v)", err)
	}
	path := filepath.Join(t.TempDir(), "profil.toml")
	if err := os.WriteFile(path, []byte("[site]\nid = \"a\"\nnom = \"Mairie\"\n[cartes]\ncle = \""+key+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	print, err := runBadge(t, nil, "empreinte", "--profile", path, "--number", "10:00:86:f4:44")
	if err != nil {
		t.Fatal(err)
	}
	rules := card.Rules{Key: unhex(t, key), Badges: []card.Badge{{Role: card.RoleAgent, Fingerprint: unhex(t, print)}}}
	if c := rules.Recognise(reader.Event{Medium: reader.RFID, Present: true, Number: "100086F444"}); c.Kind != card.Staff {
		t.Errorf("the badge is %v", c)
	}
	if _, err := runBadge(t, nil, "empreinte", "--profile", path, "--number", "chat"); err == nil || !strings.Contains(err.Error(), "--number") {
		t.Errorf("error %v", err)
	}
	if err := os.WriteFile(path, []byte("[site]\nid = \"a\"\nnom = \"Mairie\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := runBadge(t, nil, "empreinte", "--profile", path, "--number", "100086F444"); err == nil || !strings.Contains(err.Error(), "badge cle") {
		t.Errorf("without a key: error %v", err)
	}
}

func TestBadgeCode(t *testing.T) {
	hash, err := runBadge(t, piped(t, "2468\n"), "code")
	if err != nil {
		t.Fatal(err)
	}
	if pin, err := card.ParsePIN(hash); err != nil || !pin.Check([]byte("2468")) {
		t.Errorf("%q is not the hash of the code (%v)", hash, err)
	}
	for _, bad := range []string{"", "12\n", "abcd\n"} {
		if out, err := runBadge(t, piped(t, bad), "code"); err == nil || out != "" {
			t.Errorf("%q gives %q, %v", bad, out, err)
		}
	}
}

// On a terminal the code is asked for twice; afterwards the terminal shows again
// what is typed.
func TestBadgeCodeOnTerminal(t *testing.T) {
	for typed, want := range map[string]string{"2468\n2468\n": "", "2468\n2486\n": "pas les mêmes"} {
		user, terminal, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer user.Close()
		defer terminal.Close()
		if _, err := user.WriteString(typed); err != nil {
			t.Fatal(err)
		}
		hash, err := runBadge(t, terminal, "code")
		switch {
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: error %v", typed, err)
		case want == "" && (err != nil || !strings.HasPrefix(hash, "$argon2id$")):
			t.Errorf("%q: %q, %v", typed, hash, err)
		}
		state, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
		if err != nil || state.Lflag&unix.ECHO == 0 {
			t.Errorf("%q: the terminal no longer shows what is typed (%v)", typed, err)
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A badge that is shown to the borne's reader gives the fingerprint that its
// number gives, and the number is written nowhere.
func TestBadgeShownToTheReader(t *testing.T) {
	dir := t.TempDir()
	rfid := sim.NewRFID(sim.RDM6300)
	t.Cleanup(func() { rfid.Close() })
	cable := sim.NewCable(filepath.Join(dir, "rfid"), rfid)
	if err := cable.Plug(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cable.Close() })
	prof := filepath.Join(dir, "profil.toml")
	text := "[site]\nid = \"x\"\nnom = \"X\"\n[cartes]\ncle = \"" + strings.Repeat("ab", 32) + "\"\n" +
		"[[lecteurs]]\ntype = \"rfid\"\nport = \"" + filepath.Join(dir, "rfid") + "\"\n"
	if err := os.WriteFile(prof, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if answer, err := rfid.Do("card 0x100086F444"); err != nil {
		t.Fatal(answer, err)
	}
	shown, err := runBadge(t, piped(t, ""), "empreinte", "--profile", prof)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := rfid.Do("two 0006547886 0008844356"); err != nil {
		t.Fatal(answer, err)
	}
	if out, err := runBadge(t, piped(t, ""), "empreinte", "--profile", prof); err == nil || out != "" || !strings.Contains(err.Error(), "une seule carte") {
		t.Errorf("of two badges it gives %q, %v", out, err)
	}
	for _, args := range [][]string{{"--number", "100086F444"}, {"--number", "-"}} {
		named, err := runBadge(t, piped(t, "100086F444\n"), append([]string{"empreinte", "--profile", prof}, args...)...)
		if err != nil || named != shown || len(shown) != 64 {
			t.Errorf("%v: %q, %v; shown, it gives %q", args, named, err, shown)
		}
	}
}
