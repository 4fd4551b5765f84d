package agent_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parvis/device"
	"parvis/kiosk/agent"
	"parvis/kiosk/agent/shelf"
	"parvis/kiosk/agent/upgrade"
	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// want has the hub want something of the borne; tag is its.
func (h *hub) want(tag, profile, pack, software string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wanted = link.Wanted{Tag: tag, Pack: pack, Software: software}
	if profile != "" {
		sum := hashOf(profile)
		h.wanted.Profile = &link.File{SHA256: sum, Size: int64(len(profile))}
		h.files["/files/"+sum] = []byte(profile)
	}
	if pack != "" {
		h.files["/pack/"+pack] = []byte("pack " + pack)
	}
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// name is what a profile is called on the borne.
func name(profile string) string {
	if profile == "" {
		return ""
	}
	return hashOf(profile)[:12]
}

// checkProfile judges a profile by its first word.
func (b *borne) checkProfile(_ context.Context, file string) error {
	data, err := os.ReadFile(file)
	if err == nil && bytes.HasPrefix(data, []byte("unfit")) {
		err = fmt.Errorf("%w : profil:3: site.nom: il manque", agent.ErrUnfit)
	}
	return err
}

// updatePack brings a pack that is one file.
func (b *borne) updatePack(ctx context.Context, fetch agent.Fetch, version string) error {
	body, _, _, err := fetch(ctx, "/pack/"+version, 0)
	if err != nil {
		return err
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	dir := filepath.Join(b.dir, "content", version)
	return errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "pack"), data, 0o644))
}

func (b *borne) keepPacks(versions ...string) error {
	entries, err := os.ReadDir(filepath.Join(b.dir, "content"))
	for _, e := range entries {
		if e.IsDir() && !strings.Contains(" "+strings.Join(versions, " ")+" ", " "+e.Name()+" ") {
			err = errors.Join(err, os.RemoveAll(filepath.Join(b.dir, "content", e.Name())))
		}
	}
	return err
}

// current is what a link of a shelf leads to, "" for nothing.
func (b *borne) current(folder, link string) string {
	b.t.Helper()
	s := shelf.Shelf{Dir: filepath.Join(b.dir, folder)}
	if folder == "profile" {
		s.Ending = ".toml"
	}
	version, err := s.Version(link)
	if err != nil {
		b.t.Fatal(err)
	}
	return version
}

// restarting plays an application that restarts when it is told to, and goes by
// what is in place unless that is bad. While busy holds somebody is there.
func (b *borne) restarting() (busy *atomic.Bool) {
	b.t.Helper()
	busy = new(atomic.Bool)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ctx := context.Background()
		runs := 0
		var a store.Alive
		start := func() {
			runs++
			a = store.Alive{Version: "1.4.0", PID: 1000 + runs, Started: b.now(), Content: b.current("content", shelf.Current)}
			var refused store.Refusal
			a.Profile = b.current("profile", shelf.Current)
			data, err := os.ReadFile(filepath.Join(b.dir, "profile", a.Profile+".toml"))
			if err == nil && bytes.HasPrefix(data, []byte("bad")) {
				refused = store.Refusal{Version: a.Profile, Since: b.now().UTC(), Why: "imprimante.modele : inconnu"}
				a.Profile = b.current("profile", shelf.Previous)
			}
			if err := b.store.SetRefusal(ctx, store.ProfileRefused, refused); err != nil {
				b.t.Error(err)
			}
		}
		start()
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			a.Seen, a.State = b.now(), string(link.AppIdle)
			if busy.Load() {
				a.State = string(link.AppServing)
			}
			if err := b.store.SetAlive(ctx, a); err != nil {
				b.t.Error(err)
			}
			if !busy.Load() {
				if e, ok, err := b.store.BeginErrand(ctx, true); err == nil && ok {
					if err := b.store.EndErrand(ctx, e.ID, string(link.Done), "", "", nil); err != nil {
						b.t.Error(err)
					}
					start()
				}
			}
			select {
			case <-tick.C:
			case <-stop:
				return
			}
		}
	}()
	b.t.Cleanup(func() { close(stop); <-stopped })
	return busy
}

// slow is how long a change takes at most that is watched for ten seconds.
const slow = 40 * time.Second

// within waits for something that takes longer than most.
func (b *borne) within(most time.Duration, what string, ok func() bool) {
	b.t.Helper()
	deadline := time.Now().Add(most)
	for !ok() {
		if time.Now().After(deadline) {
			b.t.Fatalf("waited %v for %s", most, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// update gives the command, and waits for its outcome.
func (b *borne) update() link.Outcome {
	b.t.Helper()
	id := b.hub.tell(link.Update, link.Args{})
	b.within(2*slow, "the outcome", func() bool { _, times := b.hub.outcomeOf(id); return times > 0 })
	o, _ := b.hub.outcomeOf(id)
	return o
}

func TestWanted(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	b.restarting()
	b.begin()
	b.eventually("a report", func() bool { return b.hub.count() > 0 })
	if o := b.update(); o.State != link.Done || o.Why != "Rien de nouveau." {
		t.Errorf("with nothing wanted: %+v", o)
	}
	b.hub.want("t1", "good one", "v1", "")
	if o := b.update(); o.State != link.Done || o.Why != "" {
		t.Errorf("the first: %+v", o)
	}
	b.eventually("the report", func() bool {
		r := b.hub.last()
		return r.Tag == "t1" && r.Profile == name("good one") && r.Content == "v1" && len(r.Failures) == 0
	})
	if o := b.update(); o.State != link.Done || o.Why != "Rien de nouveau." {
		t.Errorf("the same again: %+v", o)
	}
	// By itself: the next report's answer has another tag.
	b.hub.want("t2", "good two", "v2", "")
	b.within(2*slow, "the second", func() bool {
		r := b.hub.last()
		return r.Tag == "t2" && r.Content == "v2" && r.Profile == name("good two")
	})
	b.hub.want("t3", "good two", "v3", "")
	if o := b.update(); o.State != link.Done {
		t.Errorf("the third: %+v", o)
	}
	for version, want := range map[string]bool{"v1": false, "v2": true, "v3": true} {
		_, err := os.Stat(filepath.Join(b.dir, "content", version))
		if there := err == nil; there != want {
			t.Errorf("%s is there: %v", version, there)
		}
	}
	if got := b.current("content", shelf.Previous); got != "v2" {
		t.Errorf("previous %q", got)
	}
	// Nothing wanted any more: what there is stays.
	b.hub.want("", "", "", "")
	if o := b.update(); o.State != link.Done || o.Why != "Rien de nouveau." {
		t.Errorf("nothing more: %+v", o)
	}
	b.eventually("the tag to go", func() bool { return b.hub.last().Tag == "" })
	if got := b.current("content", shelf.Current); got != "v3" {
		t.Errorf("current %q", got)
	}
	// After a restart nobody asks again for what is dealt with.
	b.hub.want("t4", "", "v3", "")
	b.update()
	b.end()
	asked, reports := b.hub.counted(func() int { return b.hub.asked }), b.hub.count()
	b.begin()
	b.eventually("a report of the next life", func() bool { return b.hub.count() > reports && b.hub.last().Tag == "t4" })
	b.device("lecteur", device.CardReader, device.Status{State: device.Online}) // brings another
	b.eventually("another", func() bool { return b.hub.count() > reports+1 })
	if n := b.hub.counted(func() int { return b.hub.asked }); n != asked {
		t.Errorf("asked %d times more", n-asked)
	}
}

// A profile that the application does not go by is taken back, told, and not
// tried again until another is wanted.
func TestBadProfile(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	b.restarting()
	b.hub.want("t1", "good", "v1", "")
	b.begin()
	b.within(2*slow, "the good one", func() bool { return b.hub.last().Tag == "t1" })
	b.hub.want("t2", "bad", "v2", "")
	o := b.update()
	if o.State != link.Failed || !strings.Contains(o.Why, "imprimante.modele") {
		t.Errorf("outcome %+v", o)
	}
	failed := func() bool {
		r := b.hub.last()
		return r.Tag == "t2" && r.Profile == name("good") && r.Content == "v2" && len(r.Failures) == 1 &&
			r.Failures[0].Kind == link.KindProfile && r.Failures[0].Version == hashOf("bad") && strings.Contains(r.Failures[0].Why, "imprimante.modele")
	}
	b.eventually("the failure", failed)
	if got := b.current("profile", shelf.Current); got != name("good") {
		t.Errorf("current %q", got)
	}
	b.end()
	b.begin()
	reports := b.hub.count()
	b.eventually("the failure told again", func() bool { return b.hub.count() > reports && failed() })
	if o := b.update(); o.State != link.Failed || !strings.Contains(o.Why, "imprimante.modele") {
		t.Errorf("asked again: %+v", o)
	}
	if left, err := filepath.Glob(filepath.Join(b.dir, "profile", "*.toml")); err != nil || len(left) != 1 {
		t.Errorf("profiles left: %v", left)
	}
	b.hub.want("t3", "unfit", "v2", "")
	if o := b.update(); o.State != link.Failed || !strings.Contains(o.Why, "site.nom") || strings.Contains(o.Why, "inutilisable") {
		t.Errorf("one that is not even tried: %+v", o)
	}
	b.hub.want("t4", "better", "v2", "")
	if o := b.update(); o.State != link.Done {
		t.Errorf("a better one: %+v", o)
	}
	b.eventually("the failure's end", func() bool { r := b.hub.last(); return len(r.Failures) == 0 && r.Profile == name("better") })
}

// What the hub doesn't have, or the disk has no room for, is told, and tried
// again.
func TestWantedIsNotThere(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	b.restarting()
	b.begin()
	b.hub.want("t1", "", "v1", "")
	b.hub.counted(func() int { delete(b.hub.files, "/pack/v1"); return 0 })
	if o := b.update(); o.State != link.Failed || !strings.Contains(o.Why, "Fichier inconnu") {
		t.Errorf("a file that isn't there: %+v", o)
	}
	b.eventually("the failure", func() bool {
		r := b.hub.last()
		return r.Tag == "" && len(r.Failures) == 1 && r.Failures[0].Version == "v1"
	})
	b.hub.want("t1", "", "v1", "")
	b.set(func() { b.machine.Disk = 2 })
	if o := b.update(); o.State != link.Failed || !strings.Contains(o.Why, "presque plein") {
		t.Errorf("without room: %+v", o)
	}
	b.set(func() { b.machine.Disk = 62 })
	if o := b.update(); o.State != link.Done {
		t.Errorf("outcome %+v", o)
	}
	b.eventually("the failure's end", func() bool { r := b.hub.last(); return r.Tag == "t1" && len(r.Failures) == 0 })
}

// TestHubIsAway loses the hub amid a file: the borne goes on when it is back.
func TestHubIsAway(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	b.restarting()
	var broken atomic.Int64
	b.hub.refuse = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/pack/") || broken.Add(1) > 2 {
			return false
		}
		if broken.Load() == 1 {
			problem(w, link.Problem{Type: link.ProblemBusy, Status: http.StatusServiceUnavailable})
			return true
		}
		w.Header().Set("Content-Length", "7")
		w.Write([]byte("pa"))
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	b.hub.want("t1", "", "v1", "")
	b.begin()
	if o := b.update(); o.State != link.Done {
		t.Errorf("outcome %+v", o)
	}
	if data, err := os.ReadFile(filepath.Join(b.dir, "content", "v1", "pack")); err != nil || string(data) != "pack v1" {
		t.Errorf("%q, %v", data, err)
	}
}

// TestHubChangesItsMind wants another pack while one is coming.
func TestHubChangesItsMind(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	b.restarting()
	begun, gone := make(chan struct{}, 1), make(chan struct{})
	b.hub.refuse = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/pack/v1") {
			return false
		}
		w.Header().Set("Content-Length", "7")
		w.Write([]byte("pa"))
		http.NewResponseController(w).Flush()
		begun <- struct{}{}
		<-r.Context().Done() // it never comes to an end
		close(gone)
		return true
	}
	b.hub.want("t1", "", "v1", "")
	b.begin()
	id := b.hub.tell(link.Update, link.Args{})
	<-begun
	b.hub.want("t2", "", "v2", "")
	b.device("lecteur", device.CardReader, device.Status{State: device.Online}) // brings a report
	<-gone
	b.within(slow, "the other", func() bool { r := b.hub.last(); return r.Tag == "t2" && r.Content == "v2" })
	b.eventually("the outcome", func() bool { o, n := b.hub.outcomeOf(id); return n == 1 && o.State == link.Done })
}

// program is the borne's package, as a test has it.
type program struct {
	b *borne

	installed string
	last      upgrade.Result
	begun     []string
	end       func(version string) // what root's half does
}

func (p *program) Installed() string {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	return p.installed
}

func (p *program) Begin(_ context.Context, version string) error {
	if !p.b.agent.MayStop() {
		return upgrade.ErrNotNow
	}
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	p.begun = append(p.begun, version)
	p.end(version)
	return nil
}

func (p *program) Last() (upgrade.Result, error) {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	return p.last, nil
}

func (p *program) times() int {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	return len(p.begun)
}

// A new version waits for the hour, unless somebody asks for it, and even then
// for the end of a visit. One that fails is told and left alone.
func TestSoftware(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	b.off = 4 * time.Hour
	busy := b.restarting()
	p := &program{b: b, installed: "1.4.0"}
	p.end = func(version string) {
		p.installed, p.last = version, upgrade.Result{From: "1.4.0", To: version, State: link.Done, At: time.Now()}
	}
	b.options = func(o *agent.Options) {
		o.Software = p
		closed := o.Closed
		o.Closed = func(now time.Time) bool {
			if time.Since(now).Abs() > time.Minute {
				t.Errorf("closed is asked for %v", now)
			}
			return closed(now)
		}
	}
	b.hub.want("t1", "", "", "1.5.0")
	b.begin()
	b.eventually("the wish", func() bool { return b.hub.counted(func() int { return b.hub.asked }) > 0 })
	busy.Store(true)
	b.eventually("somebody at the borne", func() bool { return b.hub.last().App == link.AppServing })
	id := b.hub.tell(link.Update, link.Args{})
	b.outcome(b.hub.tell(link.OutOfService, link.Args{})) // later than the update, were it not to wait
	if n := p.times(); n != 0 {
		t.Fatalf("begun %d times amid a visit", n)
	}
	busy.Store(false)
	b.eventually("the update", func() bool { o, n := b.hub.outcomeOf(id); return n == 1 && o.State == link.Done })
	b.eventually("the tag", func() bool { return b.hub.last().Tag == "t1" })

	b.set(func() {
		p.end = func(version string) {
			p.last = upgrade.Result{From: "1.5.0", To: version, State: link.Failed, Why: "L’application n’était pas en état de servir.", At: time.Now()}
		}
	})
	b.hub.want("t2", "", "", "1.6.0")
	if o := b.update(); o.State != link.Failed || o.Why != "L’application n’était pas en état de servir." {
		t.Errorf("outcome %+v", o)
	}
	b.eventually("the failure", func() bool {
		r := b.hub.last()
		return r.Tag == "t2" && len(r.Failures) == 1 && r.Failures[0] == link.Failure{Kind: link.KindSoftware, Version: "1.6.0", Why: "L’application n’était pas en état de servir."}
	})
	b.update()
	if n := p.times(); n != 2 {
		t.Errorf("begun %d times", n)
	}
	// Wanted again after another, it is tried again.
	b.hub.want("t3", "", "", "1.5.0")
	if o := b.update(); o.State != link.Done {
		t.Errorf("back: %+v", o)
	}
	b.set(func() { p.end = func(version string) { p.installed = version } })
	b.hub.want("t4", "", "", "1.6.0")
	b.set(func() { b.closed = true })
	b.within(2*slow, "the tag", func() bool { return p.times() == 3 })
}

// A pack that somebody has brought on a stick is put in use, until the hub wants
// something else.
func TestStick(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	b.restarting()
	b.hub.want("t1", "", "v1", "")
	b.begin()
	b.update()
	if err := errors.Join(os.MkdirAll(filepath.Join(b.dir, "content", "v2"), 0o755), b.store.SetSetting(t.Context(), agent.StickSetting, "v2")); err != nil {
		t.Fatal(err)
	}
	b.hub.stop() // it takes no network
	b.within(slow, "the pack", func() bool {
		waiting, err := b.store.Setting(t.Context(), agent.StickSetting)
		return err == nil && waiting == "" && b.current("content", shelf.Current) == "v2"
	})
	b.hub.start()
	b.hub.want("t3", "", "v3", "")
	b.within(2*slow, "the hub's", func() bool { r := b.hub.last(); return r.Tag == "t3" && r.Content == "v3" })
}

// TestUpdateOverARestart ends the agent amid the command: the next life of it
// goes on.
func TestUpdateOverARestart(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	busy := b.restarting()
	b.begin()
	b.eventually("a report", func() bool { return b.hub.count() > 0 })
	busy.Store(true)
	b.hub.want("t1", "good", "", "")
	id := b.hub.tell(link.Update, link.Args{})
	b.eventually("the trial", func() bool { return b.current("profile", shelf.Current) == name("good") })
	b.end()
	b.begin()
	busy.Store(false)
	b.within(slow, "the outcome", func() bool { o, n := b.hub.outcomeOf(id); return n == 1 && o.State == link.Done })
	b.eventually("the report", func() bool { r := b.hub.last(); return r.Profile == name("good") && r.Tag == "t1" })
}

// TestFailureIsShort keeps what a program has said to what a report has room for.
func TestFailureIsShort(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	b.restarting()
	b.options = func(o *agent.Options) {
		o.CheckProfile = func(context.Context, string) error {
			return fmt.Errorf("%w : %s\n\x1b[31m", agent.ErrUnfit, strings.Repeat("é", 1000))
		}
	}
	b.hub.want("t1", "good", "", "")
	b.begin()
	b.eventually("the failure", func() bool { return len(b.hub.last().Failures) == 1 })
	f := b.hub.last().Failures[0]
	if n := len([]rune(f.Why)); n > 300 || strings.ContainsAny(f.Why, "\n\x1b") {
		t.Errorf("%d letters: %q", n, f.Why)
	}
}
