package callback_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"parvis/kiosk/callback"
	"parvis/kiosk/store"
)

// childDir, when set, makes this test binary send requests into that folder,
// sealed to childKey, until it is killed.
const (
	childDir = "PARVIS_TEST_SEND_DIR"
	childKey = "PARVIS_TEST_SEND_KEY"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := sendForEver(dir, os.Getenv(childKey)); err != nil {
			fmt.Println("ERROR", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// sendForEver says OK after each Send that returned, as a borne says "C’est
// noté", and then sends the same request again, as an impatient finger does.
func sendForEver(dir, key string) error {
	s, err := store.Open(dir)
	if err != nil {
		return err
	}
	recipients, err := callback.ParseRecipients([]string{key})
	if err != nil {
		return err
	}
	desk := callback.Desk{Store: s, Recipients: recipients}
	fmt.Println("READY")
	for {
		r := request()
		code, err := desk.Send(context.Background(), r)
		if err != nil {
			return err
		}
		fmt.Println("OK", code, r.ID)
		if _, err := desk.Send(context.Background(), r); err != nil {
			return err
		}
	}
}

// A borne is killed 200 times at random moments around Send. Each request that
// was confirmed is in the outbox, none is there twice, and the database is
// sound after every kill.
func TestKill(t *testing.T) {
	kills := 200
	if testing.Short() {
		kills = 20
	}
	dir, id := t.TempDir(), MustIdentity(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	confirmed := map[string]string{} // code by ID
	for n := range kills {
		after := time.Duration(random.Int64N(int64(15 * time.Millisecond)))
		for _, line := range sendUntilKilled(t, dir, id.Recipient().String(), after) {
			var code, id string
			if _, err := fmt.Sscanf(line, "OK %s %s", &code, &id); err != nil {
				t.Fatalf("kill %d: the borne said %q", n, line)
			}
			confirmed[id] = code
		}
		checkSound(t, dir, n, "quick_check")
	}

	checkSound(t, dir, kills, "integrity_check")

	kept := map[string]bool{}
	codes := map[string]bool{}
	for _, sealed := range MustOutbox(t, MustOpen(t, dir)) {
		r, err := callback.Unseal(sealed.Data, id)
		if err != nil {
			t.Fatalf("%s: %v", sealed.Code, err)
		}
		if r.ID != sealed.ID || r.Code != sealed.Code || r.Phone != phone {
			t.Errorf("%s holds another request", sealed.Code)
		}
		if kept[r.ID.String()] || codes[r.Code] {
			t.Errorf("%s is there twice", r.Code)
		}
		kept[r.ID.String()], codes[r.Code] = true, true
		if code, ok := confirmed[r.ID.String()]; ok && code != r.Code {
			t.Errorf("confirmed as %s, kept as %s", code, r.Code)
		}
	}
	for id, code := range confirmed {
		if !kept[id] {
			t.Errorf("%s was confirmed and is lost", code)
		}
	}
	if len(confirmed) < kills/4 {
		t.Errorf("only %d requests confirmed in %d lives: the kills come too early to show anything", len(confirmed), kills)
	}
	t.Logf("%d kills: %d requests confirmed, %d kept", kills, len(confirmed), len(kept))
}

// sendUntilKilled runs a borne, kills it some time after it is ready, and
// returns the complete lines it said after READY.
func sendUntilKilled(t *testing.T, dir, key string, after time.Duration) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childKey+"="+key)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(out)
	if ready, err := r.ReadString('\n'); ready != "READY\n" {
		t.Fatalf("the borne said %q (%v)", ready, err)
	}
	kill := time.AfterFunc(after, func() { cmd.Process.Kill() })
	defer kill.Stop()
	var lines []string
	for {
		line, err := r.ReadString('\n')
		if err != nil { // a line cut in the middle was not said
			break
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the borne ended by itself: %v, %q", err, lines)
	}
	return lines
}

func checkSound(t *testing.T, dir string, kill int, pragma string) {
	t.Helper()
	s, err := store.Open(dir)
	if err != nil {
		t.Fatalf("after kill %d: %v", kill, err)
	}
	defer s.Close()
	var verdict string
	if err := s.DB().QueryRow("PRAGMA " + pragma).Scan(&verdict); err != nil || verdict != "ok" {
		t.Fatalf("after kill %d: %s %v", kill, verdict, err)
	}
}
