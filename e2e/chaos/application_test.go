package chaos

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/google/uuid"
)

// application is that of a borne, without a window, through all its lives.
type application struct {
	dir    string // the borne's
	plan   plan   // of all lives together
	storm  context.Context
	random *rand.Rand
	tally  *tally

	mu       sync.Mutex
	made     map[string]*request // by telephone number
	kept     int                 // confirmed
	did      map[uuid.UUID]int   // how often a command was done
	finished bool
}

// request is one that a resident has made.
type request struct {
	id   uuid.UUID // as far as the resident's program tells
	code string    // empty until it was confirmed
	sure bool      // it was confirmed
}

func newApplication(dir string, p plan, storm context.Context, random *rand.Rand, t *tally) *application {
	return &application{dir: dir, plan: p, storm: storm, random: random, tally: t,
		made: make(map[string]*request), did: make(map[uuid.UUID]int)}
}

// run lives one life after the other until ctx ends. In the storm each is
// killed at some moment, often just when a request is sent.
func (a *application) run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := a.live(ctx); err != nil {
			return fmt.Errorf("the application of %s: %w", a.dir, err)
		}
		rest(a.storm, between(a.random, 0, time.Second))
	}
	return nil
}

// done reports whether all requests are made and confirmed.
func (a *application) done() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.finished
}

func (a *application) live(ctx context.Context) error {
	p := a.plan
	a.mu.Lock()
	p.First, p.Count = len(a.made), a.plan.Count-a.kept
	a.mu.Unlock()
	planned, err := json.Marshal(p)
	if err != nil {
		return err
	}
	var says bytes.Buffer
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), appDir+"="+a.dir, appPlan+"="+string(planned))
	cmd.Stderr = &says
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	var killed atomic.Bool
	kill := func(after time.Duration) {
		time.AfterFunc(after, func() {
			if a.storm.Err() == nil {
				killed.Store(true)
				cmd.Process.Kill() // fails when it has ended
			}
		})
	}
	kill(between(a.random, time.Second, 30*time.Second))
	for r := bufio.NewReader(out); ; {
		line, err := r.ReadString('\n')
		if err != nil { // a line cut in the middle was not said
			break
		}
		word, about, _ := strings.Cut(strings.TrimSpace(line), " ")
		if err := a.hear(word, about); err != nil {
			return errors.Join(err, cmd.Process.Kill())
		}
		if word == "TRY" && a.random.IntN(16) == 0 {
			kill(between(a.random, 0, 40*time.Millisecond))
		}
	}
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return nil
	case killed.Load() && cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL:
		a.tally.add("kills of applications")
		return nil
	case cmd.ProcessState.ExitCode() == leaves:
		a.tally.add("restarts of applications")
		return nil
	}
	return fmt.Errorf("it ended by itself: %w\n%s", err, says.String())
}

// hear notes what the application says.
func (a *application) hear(word, about string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var n int
	var id, code string
	switch word {
	case "TRY":
		if _, err := fmt.Sscan(about, &n, &id); err != nil {
			return err
		}
		a.made[a.plan.phone(n)] = &request{id: uuid.MustParse(id)}
	case "OK":
		if _, err := fmt.Sscan(about, &n, &id, &code); err != nil {
			return err
		}
		*a.made[a.plan.phone(n)] = request{id: uuid.MustParse(id), code: code, sure: true}
		a.kept++
	case "AGAIN":
		a.tally.add("second tries of residents")
	case "DID":
		a.did[uuid.MustParse(about)]++
	case "FINISHED":
		a.finished = true
	default:
		return fmt.Errorf("it says %q", word)
	}
	return nil
}
