package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"

	"parvis/hub/store"
	"parvis/kiosk/link"
)

// orders gives bornes commands as another hub would, and watches what becomes
// of them.
type orders struct {
	store  *store.Store
	bornes []*borne
	random *rand.Rand
	tally  *tally

	mu    sync.Mutex
	given map[uuid.UUID]order
	ends  map[uuid.UUID]store.CommandState // as last seen
	wrong []string
}

type order struct {
	brief bool // it may expire before the borne hears it
	sure  bool // the hub's database has said that it has it
}

func newOrders(st *store.Store, bornes []*borne, random *rand.Rand, t *tally) *orders {
	return &orders{store: st, bornes: bornes, random: random, tally: t,
		given: make(map[uuid.UUID]order), ends: make(map[uuid.UUID]store.CommandState)}
}

// What bornes are told: things for the application and things for the agent. A
// borne with a window is not told what changes where things stand on its glass.
var (
	forAll = []link.Command{
		{Kind: link.SetVolume, Args: link.Args{Level: 3}},
		{Kind: link.FetchLogs},
		{Kind: link.Screenshot},
		{Kind: link.TestPrint},
		{Kind: link.RestartMachine},
	}
	forWindowless = append(forAll[:len(forAll):len(forAll)],
		link.Command{Kind: link.RestartApp},
		link.Command{Kind: link.OutOfService},
		link.Command{Kind: link.BackInService},
		link.Command{Kind: link.ShowMessage, Args: link.Args{Text: "Bonjour"}},
		link.Command{Kind: link.Update},
	)
)

// lasting is for how long a command is wanted that must not expire.
const lasting = time.Hour

// give gives commands until the storm ends.
func (o *orders) give(storm context.Context) error {
	for rest(storm, between(o.random, 200*time.Millisecond, 1500*time.Millisecond)) {
		b := o.bornes[o.random.IntN(len(o.bornes))]
		kinds := forWindowless
		if b.win != nil {
			kinds = forAll
		}
		c := store.Command{Command: kinds[o.random.IntN(len(kinds))], Borne: b.id, By: "somebody", Created: time.Now()}
		c.ID = uuid.Must(uuid.NewV7())
		brief := o.random.IntN(4) == 0
		wanted := lasting
		if brief {
			wanted = between(o.random, 500*time.Millisecond, 15*time.Second)
		}
		c.Expires = c.Created.Add(wanted).UnixMilli()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(storm), 5*time.Second)
		err := o.store.PutCommand(ctx, c)
		cancel()
		o.mu.Lock()
		o.given[c.ID] = order{brief, err == nil} // after an error it may still be there
		o.mu.Unlock()
		if err == nil {
			o.tally.add("commands")
		}
		o.watch(storm) // fails while the database is away
	}
	return nil
}

// watch sees that a command which has ended stays so. One that expired may be
// told of late.
func (o *orders) watch(ctx context.Context) error {
	for _, b := range o.bornes {
		commands, err := o.store.Commands(ctx, b.id, 10_000)
		if err != nil {
			return err
		}
		o.mu.Lock()
		for _, c := range commands {
			if was := o.ends[c.ID]; was != c.State && was != store.Expired && ended(was) {
				o.wrong = append(o.wrong, fmt.Sprintf("the command %s (%s) of %s was %s and is %s", c.ID, c.Kind, b.id, was, c.State))
			}
			o.ends[c.ID] = c.State
			if _, ok := o.given[c.ID]; !ok {
				o.wrong = append(o.wrong, fmt.Sprintf("nobody gave %s the command %s (%s)", b.id, c.ID, c.Kind))
			}
		}
		o.mu.Unlock()
	}
	return nil
}

func ended(s store.CommandState) bool {
	return s == store.Done || s == store.Refused || s == store.Failed || s == store.Expired
}

// open lists the commands that have not ended and must: those that last, and
// those that no borne has come for.
func (o *orders) open(ctx context.Context) ([]string, error) {
	var open []string
	for _, b := range o.bornes {
		commands, err := o.store.Commands(ctx, b.id, 10_000)
		if err != nil {
			return nil, err
		}
		for _, c := range commands {
			if !ended(c.State) && (!o.given[c.ID].brief || c.State == store.Waiting) {
				open = append(open, fmt.Sprintf("the command %s (%s) of %s is %s", c.ID, c.Kind, b.id, c.State))
			}
		}
	}
	return open, nil
}

// judge tells what is wrong with the commands once the town is at rest.
func (o *orders) judge(ctx context.Context) ([]string, error) {
	// A borne that was told a brief command, and the hub's words were lost, says
	// nothing of it: ten minutes after its time it has expired.
	if err := o.store.ExpireCommands(ctx, time.Now().Add(20*time.Minute)); err != nil {
		return nil, err
	}
	if err := o.watch(ctx); err != nil {
		return nil, err
	}
	wrong := o.wrong
	for id, given := range o.given {
		state, there := o.ends[id]
		switch {
		case !there && given.sure:
			wrong = append(wrong, fmt.Sprintf("the command %s is lost", id))
		case there && !ended(state), state == store.Expired && !given.brief:
			wrong = append(wrong, fmt.Sprintf("the command %s ends %s", id, state))
		}
		if there {
			o.tally.add("commands " + string(state))
		}
	}
	for _, b := range o.bornes {
		if b.win != nil {
			continue
		}
		for id, times := range b.app.did {
			if _, ok := o.given[id]; times > 1 || !ok {
				wrong = append(wrong, fmt.Sprintf("%s did the command %s %d times (given: %t)", b.id, id, times, ok))
			}
		}
	}
	return wrong, nil
}
