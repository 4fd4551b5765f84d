package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"parvis/e2e/xdrive"
)

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
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{morning}, Bare: true})

	way := learn(b)
	confirmed := make(map[string]bool) // by number
	for n := range kills {
		number := fmt.Sprintf("06%08d", 12_000_000+n*7919)
		if n > 0 {
			b.Launch()
		}
		way.walk(t, b, number)
		touch(t, b, way.send)
		// From the lift of the finger until well after the request is kept.
		time.Sleep(time.Duration(random.Int64N(int64(3 * way.takes))))
		b.Kill()
		if b.Page().Page == "callback.done" {
			confirmed[number] = true
		}
	}
	b.Start()

	kept := make(map[string]int)
	for _, r := range requests(t, b) {
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
	if n := len(outbox(t, b)); n != len(kept) {
		t.Errorf("parvis callback list shows %d requests, the outbox holds %d", n, len(kept))
	}
	st := openStore(t, b)
	defer st.Close()
	var verdict string
	if err := st.DB().QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("the database: %s %v", verdict, err)
	}
	t.Logf("%d kills up to %v after the touch: %d requests confirmed, %d kept", kills, 3*way.takes, len(confirmed), len(kept))
	if len(confirmed) < kills/10 || len(confirmed) > kills*9/10 {
		t.Errorf("%d of %d requests confirmed: the kills come at the wrong time to show anything", len(confirmed), kills)
	}
}

// A path is where a finger goes from the page that attracts residents to
// "Envoyer", before and after the number, and how long a request then takes.
type path struct {
	before, after [][2]int
	send          [2]int
	takes         time.Duration
}

// learn walks the way once, looking, and remembers it. It leaves a new program.
func learn(b *xdrive.Borne) path {
	var p path
	at := func(id string) [2]int {
		x, y := b.Target(id).Middle()
		return [2]int{x, y}
	}
	for _, id := range []string{"start", "callback", "topic:logement"} {
		p.before = append(p.before, at(id))
		tap(b, id)
	}
	write(b, "0699999999")
	for _, id := range []string{"continue", "slot:any", "continue", "continue", "consent"} {
		p.after = append(p.after, at(id))
		tap(b, id)
	}
	p.send = at("send")
	b.Tap("send")
	lifted := time.Now()
	b.WaitPage("callback.done")
	p.takes = time.Since(lifted)
	b.Kill()
	b.Launch()
	return p
}

// walk goes the way at once, without waiting for what is drawn, and types the
// number on a real keyboard.
func (p path) walk(t *testing.T, b *xdrive.Borne, number string) {
	t.Helper()
	touch(t, b, p.before...)
	for _, digit := range number {
		if err := b.Screen.Key(string(digit)); err != nil {
			t.Fatal(err)
		}
	}
	touch(t, b, p.after...)
	b.Wait("the consent", func() bool {
		page := b.Page()
		return page.Page == "callback.review" && !b.Target("send").Disabled
	})
}

func touch(t *testing.T, b *xdrive.Borne, points ...[2]int) {
	t.Helper()
	for _, at := range points {
		if err := errors.Join(b.Screen.Press(at[0], at[1]), b.Screen.Release()); err != nil {
			t.Fatal(err)
		}
	}
}
