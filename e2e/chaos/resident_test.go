package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/google/uuid"

	"parvis/device"
	"parvis/kiosk/callback"
	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// appDir, when set, makes this test binary the application of the borne in that
// folder, without a window: it makes the requests of a plan, in JSON, and does
// what agents ask, until it is killed. It says what it does, a line each:
//
//	TRY number id       before the request is sent
//	AGAIN number        the borne could not keep it; it is sent once more
//	OK number id code   it is kept: a resident has read "C’est noté"
//	DID id              a command of the hub was done
//	FINISHED            there are no more requests
const (
	appDir  = "PARVIS_CHAOS_APP"
	appPlan = "PARVIS_CHAOS_PLAN"
)

// leaves is the status with which the application ends to be started again, as
// the hub has told it to.
const leaves = 3

// plan is what an application is to do.
type plan struct {
	Line  string    // the first digits of its residents' telephone numbers
	First int       // number of the first request
	Count int       // how many to make
	Until time.Time // by when, about
}

// phone is the number of the resident who makes the n-th request.
func (p plan) phone(n int) string { return fmt.Sprintf("+33%s%07d", p.Line, n) }

// What each request is about.
const (
	topic = "logement"
	site  = "demo"
)

// resident is an application at work.
type resident struct {
	plan plan
	st   *store.Store
}

func serveResidents(ctx context.Context, dir, planned string) error {
	var r resident
	if err := json.Unmarshal([]byte(planned), &r.plan); err != nil {
		return err
	}
	st, err := store.Open(dir)
	if err != nil {
		return err
	}
	r.st = st
	key, err := st.Setting(ctx, store.HubRecipient)
	if err != nil {
		return err
	}
	recipients, err := callback.ParseRecipients([]string{key})
	if err != nil {
		return err
	}
	ended := make(chan error, 3)
	go func() { ended <- r.live(ctx) }()
	go func() { ended <- r.obey(ctx) }()
	go func() { ended <- r.ask(ctx, &callback.Desk{Store: st, Recipients: recipients}) }()
	return <-ended
}

// ask makes the requests.
func (r *resident) ask(ctx context.Context, desk *callback.Desk) error {
	for i := range r.plan.Count {
		left := time.Until(r.plan.Until) / time.Duration(r.plan.Count-i)
		time.Sleep(2 * rand.N(max(left, time.Millisecond)))
		if err := r.askOnce(ctx, desk, r.plan.First+i); err != nil {
			return err
		}
	}
	fmt.Println("FINISHED")
	select {}
}

func (r *resident) askOnce(ctx context.Context, desk *callback.Desk, n int) error {
	now := time.Now()
	q := callback.New(now)
	q.Topic, q.Phone, q.Lang, q.Site, q.Consent = topic, r.plan.phone(n), "fr", site, true
	q.Slots = []callback.Slot{{}}
	fmt.Println("TRY", n, q.ID)
	for _, key := range []string{"visit", now.Format("visit.h15"), "callback.begun"} {
		if err := r.count(ctx, now, key); err != nil {
			return err
		}
	}
	code, err := desk.Send(ctx, q)
	for ; errors.Is(err, callback.ErrNotKept); code, err = desk.Send(ctx, q) {
		fmt.Println("AGAIN", n)
	}
	if err != nil {
		return err
	}
	fmt.Println("OK", n, q.ID, code)
	return r.count(ctx, now, "callback.kept")
}

// count counts; what can't be counted while the database is locked is not.
func (r *resident) count(ctx context.Context, day time.Time, key string) error {
	err := r.st.Count(ctx, day, key, 1)
	if errors.Is(err, store.ErrLocked) {
		return nil
	}
	return err
}

// live tells the agent that the application is there, and of a printer that is
// never well for long: each time the agent has something to report.
func (r *resident) live(ctx context.Context) error {
	a := store.Alive{State: string(link.AppIdle), Version: "chaos", PID: os.Getpid(), Started: time.Now()}
	well := device.Status{State: device.Online, Paper: device.PaperFull}
	ends := device.Status{State: device.Online, Paper: device.PaperLow, Fault: device.PaperEnds}
	for now := well; ; well, ends, now = ends, well, ends {
		a.Seen = time.Now()
		printer := store.DeviceState{Name: "imprimante", Kind: device.TicketPrinter, Status: now, Since: a.Seen, Seen: a.Seen}
		err := errors.Join(r.st.SetAlive(ctx, a), r.st.PutDevice(ctx, printer))
		if err != nil && !errors.Is(err, store.ErrLocked) {
			return err
		}
		time.Sleep(2*time.Second + rand.N(4*time.Second))
	}
}

// obey does what the hub's commands want of the application, as the real one:
// what one before it has begun is over.
func (r *resident) obey(ctx context.Context) error {
	open, err := r.st.Errands(ctx)
	if err != nil {
		return err
	}
	for _, e := range open {
		switch {
		case !e.ForApp || !e.Began || e.State != "":
		case e.Kind == string(link.RestartApp):
			err = r.end(ctx, e.ID, link.Done)
		default:
			err = r.end(ctx, e.ID, link.Failed)
		}
		if err != nil {
			return err
		}
	}
	for ; ; time.Sleep(200 * time.Millisecond) {
		e, ok, err := r.st.BeginErrand(ctx, true)
		switch {
		case errors.Is(err, store.ErrLocked) || err == nil && !ok:
		case err != nil:
			return err
		case !e.Expires.IsZero() && time.Now().After(e.Expires):
			err = r.end(ctx, e.ID, link.Refused)
		case e.Kind == string(link.RestartApp):
			fmt.Println("DID", e.ID)
			os.Exit(leaves)
		default:
			fmt.Println("DID", e.ID)
			err = r.end(ctx, e.ID, link.Done)
		}
		if err != nil && !errors.Is(err, store.ErrLocked) {
			return err
		}
	}
}

func (r *resident) end(ctx context.Context, id uuid.UUID, state link.OutcomeState) error {
	for {
		err := r.st.EndErrand(ctx, id, string(state), "", "", nil)
		if !errors.Is(err, store.ErrLocked) {
			return err
		}
	}
}
