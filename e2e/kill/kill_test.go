// Package kill ends the real program again and again, as a power cut would.
package kill

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"parvis/e2e/xdrive"
)

func TestMain(m *testing.M) {
	os.Exit(xdrive.Main(m.Run))
}

// TestKill kills the real program 200 times at random moments around the touch
// on "Envoyer". Each resident has a number of their own, so that a request
// found in the outbox tells whose it is.
func TestKill(t *testing.T) {
	kills := 200
	if testing.Short() {
		kills = 20
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning}, Bare: true})

	way := b.LearnRequest("0699999999")
	b.Kill()
	b.Launch()
	confirmed := make(map[string]bool) // by number
	for n := range kills {
		number := fmt.Sprintf("06%08d", 12_000_000+n*7919)
		if n > 0 {
			b.Launch()
		}
		b.Walk(way, number)
		b.Wait("the consent", b.CanSend)
		b.Touch(way.Send)
		// From the lift of the finger until well after the request is kept.
		time.Sleep(time.Duration(random.Int64N(int64(3 * way.Takes))))
		b.Kill()
		if b.Page().Page == "callback.done" {
			confirmed[number] = true
		}
	}
	b.Start()

	kept := make(map[string]int)
	for _, r := range b.Requests() {
		kept["0"+r.Phone[3:]]++
	}
	for number, times := range kept {
		if times > 1 {
			t.Errorf("the request of %s is there %d times", number, times)
		}
	}
	for number := range confirmed {
		if kept[number] == 0 {
			t.Errorf("the request of %s was confirmed and is lost", number)
		}
	}
	if n := len(b.Waiting()); n != len(kept) {
		t.Errorf("parvis callback list shows %d requests, the outbox holds %d", n, len(kept))
	}
	st := b.OpenStore()
	defer st.Close()
	var verdict string
	if err := st.DB().QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("the database: %s %v", verdict, err)
	}
	t.Logf("%d kills up to %v after the touch: %d requests confirmed, %d kept", kills, 3*way.Takes, len(confirmed), len(kept))
	if len(confirmed) < kills/10 || len(confirmed) > kills*9/10 {
		t.Errorf("%d of %d requests confirmed: the kills come at the wrong time to show anything", len(confirmed), kills)
	}
}
