package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/image/draw"

	"parvis/e2e/xdrive"
	"parvis/kiosk/agent/shelf"
	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// agent is the hub's agent on a borne, as far as the application can tell: a
// hand in its store.
type agent struct {
	t  *testing.T
	b  *xdrive.Borne
	st *store.Store
}

func newAgent(t *testing.T, b *xdrive.Borne) *agent {
	t.Helper()
	st, err := store.Open(filepath.Join(b.Dir, "run/data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return &agent{t, b, st}
}

// asks leaves an errand for the application.
func (a *agent) asks(kind link.CommandKind, args link.Args) uuid.UUID {
	a.t.Helper()
	words, err := json.Marshal(args)
	if err != nil {
		a.t.Fatal(err)
	}
	now := time.Now()
	x := store.Errand{ID: uuid.Must(uuid.NewV7()), Kind: string(kind), Args: string(words),
		Created: now, Expires: now.Add(time.Minute), ForApp: true}
	if fresh, err := a.st.AddErrand(context.Background(), x); err != nil || !fresh {
		a.t.Fatalf("%s: fresh %t, %v", kind, fresh, err)
	}
	return x.ID
}

// outcome waits for the end of an errand.
func (a *agent) outcome(id uuid.UUID) store.Errand {
	a.t.Helper()
	var x store.Errand
	a.b.Wait("the end of the errand", func() bool {
		x = a.errand(id)
		return x.State != ""
	})
	return x
}

func (a *agent) errand(id uuid.UUID) store.Errand {
	a.t.Helper()
	all, err := a.st.Errands(context.Background())
	if err != nil {
		a.t.Fatal(err)
	}
	for _, x := range all {
		if x.ID == id {
			return x
		}
	}
	a.t.Fatalf("errand %s is not there", id)
	return store.Errand{}
}

// gets has an errand done, and ends the test if it isn't.
func (a *agent) gets(kind link.CommandKind, args link.Args) store.Errand {
	a.t.Helper()
	x := a.outcome(a.asks(kind, args))
	if x.State != string(link.Done) || x.Why != "" {
		a.t.Fatalf("%s ends %s: %s", kind, x.State, x.Why)
	}
	return x
}

// refused has an errand refused, and wants words in why.
func (a *agent) refused(kind link.CommandKind, args link.Args, words string) {
	a.t.Helper()
	x := a.outcome(a.asks(kind, args))
	if x.State != string(link.Refused) || !strings.Contains(x.Why, words) || len(x.File) > 0 {
		a.t.Errorf("%s ends %s (%q) with %d bytes, want it refused for %q", kind, x.State, x.Why, len(x.File), words)
	}
}

func (a *agent) alive() store.Alive {
	a.t.Helper()
	alive, err := a.st.Alive(context.Background())
	if err != nil {
		a.t.Fatal(err)
	}
	return alive
}

// picture has a picture of the glass sent.
func (a *agent) picture() image.Image {
	a.t.Helper()
	x := a.gets(link.Screenshot, link.Args{})
	if x.FileType != "image/png" || len(x.File) > 300_000 {
		a.t.Errorf("the picture is %s of %d bytes", x.FileType, len(x.File))
	}
	img, err := png.Decode(bytes.NewReader(x.File))
	if err != nil {
		a.t.Fatal(err)
	}
	a.keep(img)
	return img
}

// keep leaves a picture to be looked at, where PARVIS_PICTURES names a folder.
func (a *agent) keep(img image.Image) {
	dir := os.Getenv("PARVIS_PICTURES")
	if dir == "" {
		return
	}
	f, err := os.CreateTemp(dir, strings.ReplaceAll(a.t.Name(), "/", "-")+"-*.png")
	if err != nil {
		a.t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		a.t.Fatal(err)
	}
}

// onGlass is what stands on the panel, as large as img.
func onGlass(t *testing.T, b *xdrive.Borne, img image.Image) *image.RGBA {
	t.Helper()
	path := filepath.Join(t.TempDir(), "glass.png")
	b.Screenshot(path)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	whole, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	small := image.NewRGBA(img.Bounds())
	draw.CatmullRom.Scale(small, small.Bounds(), whole, whole.Bounds(), draw.Src, nil)
	return small
}

// apart is how far two pictures are from each other: the mean over all pixels,
// of 255.
func apart(a, b image.Image) float64 {
	var sum float64
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			r1, g1, b1, _ := a.At(a.Bounds().Min.X+x, a.Bounds().Min.Y+y).RGBA()
			r2, g2, b2, _ := b.At(b.Bounds().Min.X+x, b.Bounds().Min.Y+y).RGBA()
			sum += math.Abs(float64(r1)-float64(r2)) + math.Abs(float64(g1)-float64(g2)) + math.Abs(float64(b1)-float64(b2))
		}
	}
	return sum / 3 / 257 / float64(a.Bounds().Dx()*a.Bounds().Dy())
}

// steepest is the greatest step from a pixel to its right-hand neighbour: what
// letters are made of.
func steepest(img image.Image) int {
	most := 0
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() - 1 {
			_, here, _, _ := img.At(x, y).RGBA()
			_, next, _, _ := img.At(x+1, y).RGBA()
			most = max(most, int(here>>8)-int(next>>8), int(next>>8)-int(here>>8))
		}
	}
	return most
}

// An agent is sent what stands on the glass, on whatever page, but for what
// somebody types and for what a card led to.
func TestScreenshot(t *testing.T) {
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning}})
	a := newAgent(t, b)
	same := func(page string) {
		t.Helper()
		img := a.picture()
		if size := img.Bounds().Size(); size != image.Pt(540, 960) {
			t.Errorf("%s: the picture is %v", page, size)
		}
		// The edges of round corners are drawn by another hand; any other page is
		// 20 or more apart.
		if d := apart(img, onGlass(t, b, img)); d > 2 {
			t.Errorf("%s: the picture is %.2f apart from the glass", page, d)
		}
		if steepest(img) < 100 {
			t.Errorf("%s: the picture is too soft to be read", page)
		}
	}
	same("attract")
	tap(b, "start")
	same("home")
	find(b, "demarches", "demarche:carte-identite-passeport")
	same("demarche.question")

	const why = "Réessayez quand sa visite sera finie"
	tap(b, "nav.home", "callback")
	same("callback.topic")
	find(b, "topic:justice")
	a.refused(link.Screenshot, link.Args{}, why) // the page alone, before anything is typed
	write(b, "0687914253")
	a.refused(link.Screenshot, link.Args{}, why)
	find(b, "continue")
	a.refused(link.Screenshot, link.Args{}, why) // the number is behind it
	find(b, "slot:any", "continue", "continue")
	b.WaitPage("callback.review")
	a.refused(link.Screenshot, link.Args{}, why)
	tap(b, "nav.person")
	a.refused(link.Screenshot, link.Args{}, why) // a page without any of it, Back leads to it
	tap(b, "nav.home")
	same("home again")

	show(t, b, "rfid card "+cityNumber, "card.city")
	device(t, b, "rfid remove")
	a.refused(link.Screenshot, link.Args{}, why)
	tap(b, "nav.home")
	a.refused(link.Screenshot, link.Args{}, why) // to the end of the visit
	leave(b)
	same("attract again")

	show(t, b, staffCard, "maintenance.pin")
	device(t, b, "rfid remove")
	a.refused(link.Screenshot, link.Args{}, why)
	write(b, staffPIN)
	tap(b, "enter")
	b.Wait("the page for staff", func() bool { return b.Page().Page == "maintenance" })
	a.refused(link.Screenshot, link.Args{}, why)
}

// At whatever moment a page goes on which somebody types, no picture shows it.
func TestScreenshotBetweenPages(t *testing.T) {
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning}, Bare: true})
	a := newAgent(t, b)
	tap(b, "start", "callback")
	find(b, "topic:justice")
	write(b, "0687914253")
	typed := onGlass(t, b, image.NewRGBA(image.Rect(0, 0, 540, 960)))
	x, y := b.Target("nav.home").Middle()
	for n := range 6 {
		id, asked, gone := a.asks(link.Screenshot, link.Args{}), time.Now(), false
		// Somewhere in the second in which the application looks for errands.
		when := time.Duration(n) * 180 * time.Millisecond
		b.Wait("the end of the errand", func() bool {
			if !gone && time.Since(asked) > when {
				gone = true
				if err := b.Screen.Click(x, y); err != nil {
					t.Fatal(err)
				}
			}
			return gone && a.errand(id).State != ""
		})
		if end := a.errand(id); end.State == string(link.Done) {
			img, err := png.Decode(bytes.NewReader(end.File))
			if err != nil {
				t.Fatal(err)
			}
			if d := apart(img, typed); d < 5 {
				t.Fatalf("the picture is %.2f apart from the page on which a number was typed", d)
			}
		}
		b.Wait("home", func() bool { return b.Page().Page == "home" })
		tap(b, "callback")
		find(b, "topic:justice")
		write(b, "0687914253")
	}
}

// Where the profile asks for it, nothing can be read on a picture, or there is
// none.
func TestScreenshotByProfile(t *testing.T) {
	root, err := xdrive.Root()
	if err != nil {
		t.Fatal(err)
	}
	demo, err := os.ReadFile(filepath.Join(root, "packaging/demo.toml"))
	if err != nil {
		t.Fatal(err)
	}
	with := func(capture string) *agent {
		path := filepath.Join(t.TempDir(), "profile.toml")
		text := strings.Replace(string(demo), `capture = "nette"`, `capture = "`+capture+`"`, 1)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return newAgent(t, xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning}, Bare: true, Profile: path}))
	}

	a := with("floue")
	for _, page := range []string{"attract", "home"} {
		img := a.picture()
		glass := onGlass(t, a.b, img)
		if d := apart(img, glass); d < 0.5 || d > 40 {
			t.Errorf("%s: the blurred picture is %.2f apart from the glass", page, d)
		}
		// Letters on these pages are steps of over 100; a blurred picture holds
		// but 40 pixels of each line, so that nothing of a letter's width is left.
		if sharp, soft := steepest(glass), steepest(img); sharp < 100 || soft > 25 {
			t.Errorf("%s: the steepest step is %d, on the glass %d", page, soft, sharp)
		}
		if page == "attract" {
			tap(a.b, "start")
		}
	}
	a.b.Stop()

	with("jamais").refused(link.Screenshot, link.Args{}, "interdit les captures")
}

// What agents say stands on every page, is read, and goes again.
func TestMessage(t *testing.T) {
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning}, Bare: true})
	a := newAgent(t, b)
	const words = "La mairie ferme aujourd’hui à 16 heures."
	plain := onGlass(t, b, image.NewRGBA(image.Rect(0, 0, 540, 960)))
	// top is how far the upper fifth of the glass is from what it was.
	top := func(before *image.RGBA) float64 {
		now := onGlass(t, b, before)
		fifth := image.Rect(0, 0, 540, 192)
		return apart(now.SubImage(fifth), before.SubImage(fifth))
	}
	a.gets(link.ShowMessage, link.Args{Text: words})
	b.Wait("the message on the attract page", func() bool { return top(plain) > 10 })
	b.Key("F1")
	tap(b, "start", "start") // first touch reads
	b.WaitPage("home")
	if said := b.WaitSpoken("La mairie ferme"); said.Lang != "fr" {
		t.Errorf("the message is said in %s", said.Lang)
	}
	b.Key("F1")

	// It stays over a restart, in the same place.
	b.Kill()
	b.Start()
	if top(plain) < 10 {
		t.Error("after a power cut the message is gone")
	}
	tap(b, "start")
	with := onGlass(t, b, plain)
	a.gets(link.ShowMessage, link.Args{})
	b.Wait("a home page without the message", func() bool { return top(with) > 10 })
	leave(b)
	if d := top(plain); d > 0.5 {
		t.Errorf("the attract page is %.2f apart from the one before the message", d)
	}
	a.refused(link.ShowMessage, link.Args{Text: strings.Repeat("é", link.MaxMessage+1)}, "200 au plus")
	a.refused(link.ShowMessage, link.Args{Text: "a\u202eb"}, "signe invisible")
}

// Out of service, and back, are on the glass within two seconds.
func TestOutOfServiceFromAfar(t *testing.T) {
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning}, Bare: true})
	a := newAgent(t, b)
	for _, c := range []struct {
		kind  link.CommandKind
		page  string
		state link.AppState
	}{{link.OutOfService, "closed", link.AppOutOfService}, {link.BackInService, "attract", link.AppIdle}} {
		asked := time.Now()
		a.asks(c.kind, link.Args{})
		b.Wait("page "+c.page, func() bool { return b.Page().Page == c.page })
		if took := time.Since(asked); took > 2*time.Second {
			t.Errorf("%s took %v", c.kind, took)
		}
		b.Wait("the agent to hear of it", func() bool { return a.alive().State == string(c.state) })
	}
}

// A trial ticket is printed once; a printer without paper says so.
func TestTrialPrintFromAfar(t *testing.T) {
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning}})
	a := newAgent(t, b)
	a.gets(link.TestPrint, link.Args{})
	if ticket := b.WaitTicket(1); !strings.Contains(flat(ticket.Text), "essai") {
		t.Errorf("the trial prints\n%s", ticket.Text)
	}
	order(t, b, "paper out")
	if x := a.outcome(a.asks(link.TestPrint, link.Args{})); x.State != string(link.Failed) || !strings.Contains(x.Why, "papier") {
		t.Errorf("without paper the trial ends %s: %s", x.State, x.Why)
	}
	if n := len(b.Tickets()); n != 1 {
		t.Errorf("%d tickets were printed", n)
	}
}

// The loudness set from afar is that of the next visit, over a restart too.
func TestVolumeFromAfar(t *testing.T) {
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning}, Bare: true})
	a := newAgent(t, b)
	a.gets(link.SetVolume, link.Args{Level: 5})
	b.Key("F1")
	b.WaitSpoken("Lecture")
	b.Key("plus")
	b.WaitSpoken("6 sur 8")
	for _, level := range []int{0, 9, -1} {
		a.refused(link.SetVolume, link.Args{Level: level}, "de 1 à 8")
	}
	set, err := a.st.Setting(t.Context(), "volume")
	if err != nil || set != "4" {
		t.Errorf("kept as step %q, %v", set, err)
	}
}

// An idle borne restarts at once, one in use when its visit has ended; the
// application that comes ends the errand, and serves.
func TestRestartFromAfar(t *testing.T) {
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning}, Bare: true})
	a := newAgent(t, b)
	b.Wait("the application's first word", func() bool { return a.alive().PID != 0 })
	pid, first := b.PID(), a.alive()
	if first.PID != pid || first.Version == "" || first.Content != "" || time.Since(first.Seen) > 30*time.Second {
		t.Fatalf("alive: %+v, the process is %d", first, pid)
	}
	a.gets(link.RestartApp, link.Args{})
	answers(b)
	b.Wait("the new application's word", func() bool { return a.alive().Started.After(first.Started) })
	second := a.alive()
	if second.PID != pid || !second.Started.After(first.Started) {
		t.Errorf("before %+v, after %+v", first, second)
	}

	// The borne is on its home page now.
	b.Wait("the agent to hear of the visit", func() bool { return a.alive().State == string(link.AppServing) })
	id := a.asks(link.RestartApp, link.Args{})
	b.Wait("the errand to be begun", func() bool { return a.errand(id).Began })
	tap(b, "demarches")
	if x := a.errand(id); x.State != "" || syscall.Kill(pid, 0) != nil {
		t.Fatalf("amid a visit: %+v", x)
	}
	tap(b, "nav.home", "nav.leave")
	find(b, "leaving.finish")
	if x := a.outcome(id); x.State != string(link.Done) {
		t.Errorf("ended %s: %s", x.State, x.Why)
	}
	answers(b)

	// A profile with which the borne would not come up again is refused.
	leave(b)
	path := filepath.Join(b.Dir, "run/profile.toml")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("[site]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if x := a.outcome(a.asks(link.RestartApp, link.Args{})); x.State != string(link.Failed) || !strings.Contains(x.Why, "profile.toml") {
		t.Errorf("with a broken profile it ends %s: %s", x.State, x.Why)
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	tap(b, "start")
	b.WaitPage("home")
}

// answers waits until a borne that has just started again takes touches, and
// leaves it on its home page.
func answers(b *xdrive.Borne) {
	var touched time.Time
	b.Wait("a borne that answers", func() bool { // the page is told before its window takes touches
		if b.Page().Page == "attract" && time.Since(touched) > time.Second {
			b.Tap("start")
			touched = time.Now()
		}
		return b.Page().Page == "home"
	})
}

// A pack that the agent has put in place is shown after a restart between two
// visits. One that can't be shown is told before anybody is sent away; and where
// the borne finds it when it starts, it shows the one before.
func TestContentFromAfar(t *testing.T) {
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning}, Bare: true})
	a := newAgent(t, b)
	root, err := xdrive.Root()
	if err != nil {
		t.Fatal(err)
	}
	s := shelf.Shelf{Dir: filepath.Join(b.Dir, "run/data/content")}
	put := func(version string, level string) {
		t.Helper()
		err := os.CopyFS(filepath.Join(s.Path(version), "demarches"), os.DirFS(filepath.Join(root, "content/demarches")))
		if err == nil {
			err = os.WriteFile(filepath.Join(s.Path(version), "level.yaml"), []byte(level), 0o600)
		}
		before, err2 := s.Version(shelf.Current)
		if err := errors.Join(err, err2, s.Point(shelf.Previous, before), s.Point(shelf.Current, version)); err != nil {
			t.Fatal(err)
		}
	}
	refused := func() store.Refusal {
		t.Helper()
		r, err := a.st.Refusal(t.Context(), store.ContentRefused)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	level, err := os.ReadFile(filepath.Join(root, "content/level.yaml"))
	if err != nil {
		t.Fatal(err)
	}

	put("2026-11-24", string(level))
	a.gets(link.Update, link.Args{})
	b.Wait("the version", func() bool { return a.alive().Content == "2026-11-24" })
	answers(b)
	leave(b)

	put("2026-11-25", "questions: [")
	before := a.alive().Started
	x := a.outcome(a.asks(link.Update, link.Args{}))
	if x.State != string(link.Failed) || !strings.Contains(x.Why, "2026-11-25") || !strings.Contains(x.Why, "level.yaml") {
		t.Errorf("broken content ends %s: %s", x.State, x.Why)
	}
	if !a.alive().Started.Equal(before) {
		t.Error("the borne has left for content that it can't show")
	}
	b.Stop()
	b.Start()
	b.Wait("word of the refusal", func() bool { r := refused(); return r.Version == "2026-11-25" && strings.Contains(r.Why, "level.yaml") })
	b.Wait("the version before", func() bool { al := a.alive(); return al.Started.After(before) && al.Content == "2026-11-24" })

	put("2026-11-26", string(level))
	a.gets(link.Update, link.Args{})
	b.Wait("the word to be taken back", func() bool { return refused().Version == "" && a.alive().Content == "2026-11-26" })
	if x := a.gets(link.Update, link.Args{}); x.Why != "" {
		t.Errorf("with nothing new: %+v", x)
	}
}

// A program that holds the store keeps nobody at the glass waiting, nor a borne
// from starting; what was asked meanwhile is done later.
func TestLockedStore(t *testing.T) {
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning}, Bare: true})
	a := newAgent(t, b)
	id := a.asks(link.ShowMessage, link.Args{Text: "Bonjour"})
	tx, err := a.st.DB().BeginTx(t.Context(), nil) // takes the write lock
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	held := time.Now()
	for range 4 {
		for _, touch := range []string{"start", "demarches", "nav.home", "nav.leave", "leaving.finish"} {
			touched := time.Now()
			tap(b, touch)
			if took := time.Since(touched); took > time.Second {
				t.Errorf("%s answers after %v", touch, took)
			}
		}
	}
	b.Stop()
	b.Start()
	if time.Since(held) < 4*time.Second {
		b.Wait("the lock to have been waited for", func() bool { return time.Since(held) > 4*time.Second })
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	a.outcome(id)
}
