package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"parvis/e2e/xdrive"
	"parvis/kiosk/callback"
)

// visit gives a subtest a borne that shows the page which attracts residents.
// One that an earlier subtest left elsewhere is started again.
func visit(t *testing.T, b *xdrive.Borne) {
	t.Helper()
	b.Lend(t)
	if b.Page().Page != "attract" {
		b.Stop()
		b.Start()
	}
}

// leave ends the visit as a resident does who is asked how it went.
func leave(b *xdrive.Borne, answers ...string) {
	if b.Page().Page != "home" {
		tap(b, "nav.home")
	}
	tap(b, "nav.leave")
	find(b, answers...)
	find(b, "leaving.finish")
	b.WaitPage("attract")
}

// finish waits for the end of a task, such as printing, that the last touch began.
func finish(b *xdrive.Borne) string {
	b.Wait("the end of the task", func() bool {
		drawn := b.Drawn() // the page touched, perhaps "waiting", then what came of it
		return len(drawn) > 1 && drawn[len(drawn)-1].Page != "waiting"
	})
	return b.Page().Page
}

// print prints what the page in sight has a ticket of, and returns that ticket.
func print(t *testing.T, b *xdrive.Borne) xdrive.Ticket {
	t.Helper()
	before, from := len(b.Tickets()), b.Page().Page
	find(b, "print")
	if now := finish(b); now != from {
		t.Fatalf("printing led from %s to %s", from, now)
	}
	return b.WaitTicket(before + 1)
}

// hearPage has the page in sight read out until all the words were said, then
// turns speech off again. The trace holds no words; the voice says what is shown.
func hearPage(b *xdrive.Borne, words ...string) {
	b.Key("F1")
	for _, w := range words {
		b.WaitSpoken(w)
	}
	b.Key("F1")
	b.WaitSpoken("Lecture à voix haute arrêtée")
}

// flat is a text without line breaks, so that a sentence is found wherever the
// paper made it wrap.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

// wantText ends the test unless the ticket says each text.
func wantText(t *testing.T, ticket xdrive.Ticket, texts ...string) {
	t.Helper()
	paper := flat(ticket.Text)
	for _, text := range texts {
		if !strings.Contains(paper, flat(text)) {
			t.Errorf("the ticket does not say %q", text)
		}
	}
	if t.Failed() {
		t.Fatalf("the ticket:\n%s", ticket.Text)
	}
}

// offered are the targets whose id begins with the prefix, over all screens of
// the page in their order, without it.
func offered(b *xdrive.Borne, prefix string) []string {
	for b.Page().Screen > 1 {
		tap(b, "pager.previous")
	}
	var ids []string
	for {
		for _, target := range b.Page().Targets {
			if id, ok := strings.CutPrefix(target.ID, prefix); ok {
				ids = append(ids, id)
			}
		}
		if b.Page().Screen >= b.Page().Screens {
			return ids
		}
		tap(b, "pager.next")
	}
}

// requestOf is the one request in the outbox by whoever has the number.
func requestOf(t *testing.T, b *xdrive.Borne, phone string) callback.Request {
	t.Helper()
	var theirs []callback.Request
	for _, r := range b.Requests() {
		if r.Phone == phone {
			theirs = append(theirs, r)
		}
	}
	if len(theirs) != 1 {
		t.Fatalf("%d requests of %s in the outbox", len(theirs), phone)
	}
	return theirs[0]
}

// counts are the anonymous counts of the day of the tests.
func counts(t *testing.T, b *xdrive.Borne) map[string]int {
	t.Helper()
	st := b.OpenStore()
	defer st.Close()
	day, err := time.Parse(time.DateOnly, "2026-11-24")
	if err != nil {
		t.Fatal(err)
	}
	list, err := st.Counts(context.Background(), day, day)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]int)
	for _, c := range list {
		all[c.Key] = c.N
	}
	return all
}

// counting returns a function that waits until just these counts have grown by
// one since counting was called, and nothing else has.
func counting(t *testing.T, b *xdrive.Borne) func(keys ...string) {
	t.Helper()
	before := counts(t, b)
	return func(keys ...string) {
		t.Helper()
		var grown map[string]int
		b.Wait("the counts", func() bool {
			grown = counts(t, b)
			return grown[keys[len(keys)-1]] > before[keys[len(keys)-1]] // written in order
		})
		delete(grown, "visit.seconds") // with the end of the visit, whenever that comes
		for key, n := range grown {
			if strings.HasPrefix(key, "visit.h") && n == before[key]+1 && grown["visit"] == before["visit"]+1 {
				delete(grown, key) // a visit counts in its hour too
			}
		}
		for _, key := range keys {
			if grown[key] != before[key]+1 {
				t.Errorf("count of %s: %d, want %d", key, grown[key], before[key]+1)
			}
			delete(grown, key)
		}
		for key, n := range grown {
			if n != before[key] {
				t.Errorf("count of %s grew from %d to %d", key, before[key], n)
			}
		}
	}
}
