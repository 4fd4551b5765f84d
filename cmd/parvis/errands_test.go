package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"parvis/app/journey/journeytest"
	"parvis/app/session"
	"parvis/app/voice"
	"parvis/kiosk/callback"
	"parvis/kiosk/link"
	"parvis/kiosk/store"
	"parvis/provisioning/profile"
)

// remote is an application without a window that does what agents ask. Its
// drawing loop runs what it is given at once, one after the other.
type remote struct {
	*errands
	t     *testing.T
	borne *journeytest.Borne
	left  atomic.Bool
}

func newRemote(t *testing.T, capture string) *remote {
	t.Helper()
	r := &remote{t: t, borne: journeytest.New(t)}
	r.errands = newErrands(r.borne.Store, r.borne.Journey, &profile.Profile{Agent: profile.Agent{Capture: capture}})
	turn := make(chan struct{}, 1)
	loop := func(f func()) {
		turn <- struct{}{}
		defer func() { <-turn }()
		f()
	}
	s := session.New(t.Context(), session.Options{Journey: r.borne.Journey, Voice: voice.Off{},
		Now: func() time.Time { return r.borne.Clock }, Show: func(session.Frame) {}, Do: func(func()) {}})
	r.panel = panel{do: loop, session: s, picture: func() image.Image {
		img := image.NewRGBA(image.Rect(0, 0, 1080, 1920))
		for i := range img.Pix { // stripes of 8 pixels, such as letters are made of
			img.Pix[i] = 255
			if x := i / 4 % 1080; i%4 != 3 && x/8%2 == 0 {
				img.Pix[i] = 0
			}
		}
		return img
	}}
	r.hear = func() {}
	r.comesUp, r.news = func() error { return nil }, func() (bool, error) { return false, nil }
	r.borne.Journey.Enrolment = nil // it is enrolled
	r.leave = func() { r.left.Store(true) }
	return r
}

func (r *remote) add(kind link.CommandKind, args link.Args) store.Errand {
	r.t.Helper()
	words, err := json.Marshal(args)
	if err != nil {
		r.t.Fatal(err)
	}
	e := store.Errand{ID: uuid.Must(uuid.NewV7()), Kind: string(kind), Args: string(words), Created: time.Now(), ForApp: true}
	if _, err := r.borne.Store.AddErrand(r.t.Context(), e); err != nil {
		r.t.Fatal(err)
	}
	return e
}

// done has the errands done that are there, and gives one back as it ended.
func (r *remote) done(e store.Errand) store.Errand {
	r.t.Helper()
	r.look(r.t.Context())
	r.tasks.Wait()
	r.save(r.t.Context())
	return r.kept(e)
}

func (r *remote) kept(e store.Errand) store.Errand {
	r.t.Helper()
	all, err := r.borne.Store.Errands(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	for _, x := range all {
		if x.ID == e.ID {
			return x
		}
	}
	r.t.Fatalf("errand %s is gone", e.ID)
	return store.Errand{}
}

func TestErrandsEnd(t *testing.T) {
	t.Parallel()
	r := newRemote(t, profile.SharpCapture)
	late := r.add(link.SetVolume, link.Args{Level: 2})
	_, err := r.borne.Store.DB().Exec(`UPDATE errand SET expires = ? WHERE id = ?`, time.Now().Add(-time.Second).UnixMilli(), late.ID.String())
	if err != nil {
		t.Fatal(err)
	}
	odd := store.Errand{ID: uuid.New(), Kind: "volume", Args: "{", ForApp: true}
	if _, err := r.borne.Store.AddErrand(t.Context(), odd); err != nil {
		t.Fatal(err)
	}
	agents := store.Errand{ID: uuid.New(), Kind: "logs"}
	if _, err := r.borne.Store.AddErrand(t.Context(), agents); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		e     store.Errand
		state link.OutcomeState
		why   string
	}{
		{"volume", r.add(link.SetVolume, link.Args{Level: 8}), link.Done, ""},
		{"too loud", r.add(link.SetVolume, link.Args{Level: 9}), link.Refused, "de 1 à 8"},
		{"too late", late, link.Refused, "trop tard"},
		{"no JSON", odd, link.Refused, "incompréhensible"},
		{"unknown", r.add("dance", link.Args{}), link.Refused, "« dance »"},
		{"the agent's own", r.add(link.FetchLogs, link.Args{}), link.Refused, "« logs »"},
		{"message", r.add(link.ShowMessage, link.Args{Text: "  La mairie\nferme : à 16 h "}), link.Done, ""},
		{"long message", r.add(link.ShowMessage, link.Args{Text: strings.Repeat("é", 201)}), link.Refused, "201 lettres"},
		{"endless past", r.add(link.ShowMessage, link.Args{Text: "Bonjour", Minutes: -1}), link.Refused, "-1 minutes"},
		{"trial", r.add(link.TestPrint, link.Args{}), link.Done, ""},
		{"out", r.add(link.OutOfService, link.Args{}), link.Done, ""},
	} {
		got := r.done(tt.e)
		if got.State != string(tt.state) || !strings.Contains(got.Why, tt.why) || (got.Why == "") != (tt.why == "") {
			t.Errorf("%s ends %q: %s", tt.name, got.State, got.Why)
		}
	}
	if n := len(r.borne.Tickets); n != 1 {
		t.Errorf("%d trial tickets", n)
	}
	if got := r.notice.text(); got != "La mairie ferme : à 16 h" {
		t.Errorf("the message is %q", got)
	}
	if !r.borne.OutOfService() || r.borne.Volume() != 7 {
		t.Errorf("out of service %t, volume %d", r.borne.OutOfService(), r.borne.Volume())
	}
	if got := r.kept(agents); got.Began {
		t.Errorf("the agent's errand was begun: %+v", got)
	}
}

// A message goes when its time is over, and is there again after a restart
// until then.
func TestMessageEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, err := store.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		var first, second notice
		if err := first.set(t.Context(), st, link.Args{Text: "Bonjour", Minutes: 5}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5*time.Minute - time.Second)
		if err := second.load(t.Context(), st); err != nil || second.text() != "Bonjour" {
			t.Errorf("after a restart: %q, %v", second.text(), err)
		}
		time.Sleep(time.Second)
		if first.text() != "" || second.text() != "" {
			t.Errorf("after its time: %q and %q", first.text(), second.text())
		}
		if err := first.set(t.Context(), st, link.Args{Text: "Bonsoir"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * 24 * time.Hour)
		if first.text() != "Bonsoir" {
			t.Errorf("without an end it is %q", first.text())
		}
		if err := errors.Join(first.set(t.Context(), st, link.Args{}), second.load(t.Context(), st)); err != nil || first.text()+second.text() != "" {
			t.Errorf("taken away: %q and %q, %v", first.text(), second.text(), err)
		}
	})
}

// Pictures by what the profile says, and never of what is somebody's own.
func TestPictureByProfile(t *testing.T) {
	t.Parallel()
	steps := func(file []byte) (size image.Point, most int) {
		img, err := png.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		at := func(x int) int { return int(color.GrayModel.Convert(img.At(x, 400)).(color.Gray).Y) }
		for x := range img.Bounds().Dx() - 1 {
			most = max(most, at(x)-at(x+1), at(x+1)-at(x))
		}
		return img.Bounds().Size(), most
	}
	sharp := newRemote(t, profile.SharpCapture)
	got := sharp.done(sharp.add(link.Screenshot, link.Args{}))
	if size, most := steps(got.File); size != image.Pt(540, 960) || most < 100 || got.FileType != "image/png" {
		t.Errorf("sharp: %v, %s, steps of %d", size, got.FileType, most)
	}
	sharp.panel.session.Touch("start")
	sharp.panel.session.Touch("callback")
	sharp.panel.session.Touch("topic:logement")
	if got := sharp.done(sharp.add(link.Screenshot, link.Args{})); got.State != string(link.Refused) || len(got.File) > 0 {
		t.Errorf("on the keypad it ends %s with %d bytes", got.State, len(got.File))
	}
	soft := newRemote(t, profile.BlurredCapture)
	got = soft.done(soft.add(link.Screenshot, link.Args{}))
	if size, most := steps(got.File); size != image.Pt(540, 960) || most > 10 {
		t.Errorf("blurred: %v, steps of %d", size, most)
	}
	never := newRemote(t, profile.NoCapture)
	if got := never.done(never.add(link.Screenshot, link.Args{})); got.State != string(link.Refused) || len(got.File) > 0 {
		t.Errorf("never: %s with %d bytes", got.State, len(got.File))
	}
}

// A screen that no longer answers is told, and holds up nothing else for long.
func TestFrozenScreen(t *testing.T) {
	t.Parallel()
	r := newRemote(t, profile.SharpCapture)
	r.panel.do = func(func()) {}
	shot, restart := r.add(link.Screenshot, link.Args{}), r.add(link.RestartApp, link.Args{})
	r.done(shot)
	for _, e := range []store.Errand{shot, restart} {
		if got := r.kept(e); got.State != string(link.Failed) || !strings.Contains(got.Why, "ne répond pas") {
			t.Errorf("%s ends %q: %s", e.Kind, got.State, got.Why)
		}
	}
	if r.left.Load() {
		t.Error("the program ends though its screen is stuck")
	}
}

// What is begun is ended by the application that comes.
func TestResume(t *testing.T) {
	t.Parallel()
	r := newRemote(t, profile.SharpCapture)
	var begun []store.Errand
	for _, kind := range []link.CommandKind{link.RestartApp, link.Update, link.TestPrint} {
		begun = append(begun, r.add(kind, link.Args{}))
		if _, ok, err := r.borne.Store.BeginErrand(t.Context(), true); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	r.done(begun[0])
	for i, want := range []struct{ state, why string }{
		{"done", ""}, {"done", ""}, {"failed", "arrêtée avant la fin"},
	} {
		if got := r.kept(begun[i]); got.State != want.state || !strings.Contains(got.Why, want.why) {
			t.Errorf("%s ends %q: %s", begun[i].Kind, got.State, got.Why)
		}
	}
	if r.left.Load() || len(r.borne.Tickets) > 0 {
		t.Error("something was done again")
	}
}

// How long a restart waits: for nobody, for the end of a visit, for a minute.
func TestRestartWaits(t *testing.T) {
	const soon, amid, late = time.Second, 30 * time.Second, mostWait + reading + time.Second
	for _, tt := range []struct {
		name  string
		kind  link.CommandKind
		visit bool
		ends  time.Duration // when the visit does; 0: not by itself
		left  time.Duration // by when the program has ended; 0: it hasn't
		stays time.Duration // until when it surely runs
	}{
		{name: "nobody there", kind: link.RestartApp, left: soon},
		{name: "visit ends", kind: link.RestartApp, visit: true, ends: amid, stays: amid - time.Second, left: amid + soon},
		{name: "visit goes on", kind: link.RestartApp, visit: true, stays: mostWait + reading - time.Second, left: late},
		{name: "update, nobody there", kind: link.Update, left: soon},
		{name: "update, visit goes on", kind: link.Update, visit: true, stays: time.Hour},
		{name: "update, visit ends", kind: link.Update, visit: true, ends: 10 * time.Minute, stays: 9 * time.Minute, left: 10*time.Minute + soon},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRemote(t, profile.SharpCapture)
			s := r.panel.session
			if tt.visit {
				s.Touch("start")
			}
			e := r.add(tt.kind, link.Args{})
			synctest.Test(t, func(t *testing.T) {
				go func() {
					most := time.Duration(mostWait)
					if tt.kind == link.Update {
						most = endless
					}
					r.errands.restart(t.Context(), e, most)
				}()
				if tt.ends > 0 {
					time.AfterFunc(tt.ends, func() {
						r.panel.do(func() {
							s.Touch("nav.leave")
							s.Touch("leaving.finish")
						})
					})
				}
				if tt.stays > 0 {
					time.Sleep(tt.stays)
					if r.left.Load() {
						t.Errorf("gone before %v", tt.stays)
					}
				}
				if tt.left > 0 {
					time.Sleep(tt.left - tt.stays)
					if !r.left.Load() {
						t.Errorf("still there after %v", tt.left)
					}
				}
			})
		})
	}
}

// With a profile that can't be loaded the borne goes on as it is.
func TestRestartRefused(t *testing.T) {
	t.Parallel()
	r := newRemote(t, profile.SharpCapture)
	r.comesUp = func() error { return errors.New("profil.toml:3: site.nom: donnez le nom") }
	got := r.done(r.add(link.RestartApp, link.Args{}))
	if got.State != string(link.Failed) || got.Why != "La borne ne redémarrerait pas : profil.toml:3: site.nom: donnez le nom." || r.left.Load() || !r.panel.session.Idle() {
		t.Errorf("ends %q: %s; left %t", got.State, got.Why, r.left.Load())
	}
	r.comesUp, r.news = func() error { return nil }, func() (bool, error) { return true, errors.New("lot v7 : level.yaml manque") }
	got = r.done(r.add(link.Update, link.Args{}))
	if got.State != string(link.Failed) || got.Why != "Lot v7 : level.yaml manque." || r.left.Load() {
		t.Errorf("with what the hub has sent it ends %q: %s; left %t", got.State, got.Why, r.left.Load())
	}
	r.news = func() (bool, error) { return false, nil }
	if got := r.done(r.add(link.Update, link.Args{})); got.State != string(link.Done) || r.left.Load() {
		t.Errorf("with nothing new it ends %q: %s; left %t", got.State, got.Why, r.left.Load())
	}
}

// What the store refuses now is kept later, in the end as it was.
func TestLockedStoreIsTriedAgain(t *testing.T) {
	t.Parallel()
	r := newRemote(t, profile.SharpCapture)
	other, err := store.Open(r.borne.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	e, before := r.add(link.TestPrint, link.Args{}), r.add(link.SetVolume, link.Args{Level: 2})
	if got := r.done(before); got.State != string(link.Done) {
		t.Fatalf("%+v", got)
	}
	later := r.add(link.SetVolume, link.Args{Level: 7})
	tx, err := other.DB().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.end(e, refused("Pour voir."))
	if got := r.done(later); got.Began {
		t.Fatalf("begun in a locked store: %+v", got)
	}
	tx.Rollback()
	if got := r.done(later); got.State != string(link.Done) || r.borne.Volume() != 6 {
		t.Errorf("after the lock it ends %q: %s; volume %d", got.State, got.Why, r.borne.Volume())
	}
	if len(r.ended) > 0 {
		t.Errorf("not kept: %+v", r.ended)
	}
}

// Requests are sealed to the profile's keys and to the hub's, whichever there are.
func TestHubKey(t *testing.T) {
	t.Parallel()
	r := newRemote(t, profile.SharpCapture)
	ids := map[string]*age.X25519Identity{}
	for _, name := range []string{"profile", "hub"} {
		id, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		ids[name] = id
	}
	prof := &profile.Profile{Callback: profile.Callback{Recipients: []string{ids["profile"].Recipient().String()}}}
	for _, tt := range []struct {
		name    string
		prof    *profile.Profile
		setting string
		opens   []string
	}{
		{"neither", &profile.Profile{}, "", nil},
		{"profile alone", prof, "", []string{"profile"}},
		{"hub alone", &profile.Profile{}, ids["hub"].Recipient().String(), []string{"hub"}},
		{"both", prof, ids["hub"].Recipient().String(), []string{"profile", "hub"}},
		{"the same twice", prof, prof.Callback.Recipients[0], []string{"profile"}},
		{"spoiled", prof, "age1spoiled", []string{"profile"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := r.borne.Store.SetSetting(t.Context(), store.HubRecipient, tt.setting); err != nil {
				t.Fatal(err)
			}
			r.key = "another"
			r.hearKey(t.Context(), tt.prof)
			if got := len(r.borne.Desk.Recipients); got != len(tt.opens) {
				t.Fatalf("%d keys, want %d", got, len(tt.opens))
			}
			alone := ""
			if tt.name == "hub alone" {
				alone = tt.setting
			}
			if got := r.borne.Desk.OnlyHub; got != alone {
				t.Errorf("for %q alone, not %q", got, alone)
			}
			if len(tt.opens) == 0 {
				return
			}
			req := callback.New(r.borne.Clock)
			req.Topic = "logement"
			sealed, err := callback.Seal(req, r.borne.Desk.Recipients)
			if err != nil {
				t.Fatal(err)
			}
			for name, id := range ids {
				_, err := callback.Unseal(sealed, id)
				if want := strings.Contains(strings.Join(tt.opens, " "), name); (err == nil) != want {
					t.Errorf("%s opens it: %v", name, err)
				}
			}
		})
	}
}

// The agent hears of the application each ten seconds and at each change, and
// of a stuck screen by what is not seen any more.
func TestPulse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, err := store.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		alive := func() store.Alive {
			a, err := st.Alive(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		var p pulse
		go p.tell(t.Context(), st, store.Alive{Content: "7", Profile: "9c01d35e77a2"})
		time.Sleep(3 * time.Second)
		if a := alive(); a != (store.Alive{}) {
			t.Errorf("before anything was drawn: %+v", a)
		}
		p.beat(link.AppIdle)
		beat := time.Now()
		time.Sleep(feelEvery + time.Millisecond)
		synctest.Wait()
		if a := alive(); a.State != "idle" || a.Content != "7" || a.Profile != "9c01d35e77a2" || a.Version != "dev" || a.PID != os.Getpid() || !a.Seen.Equal(beat) {
			t.Errorf("after the first beat: %+v", a)
		}
		p.beat(link.AppServing)
		time.Sleep(feelEvery + time.Millisecond)
		synctest.Wait()
		if a := alive(); a.State != "serving" {
			t.Errorf("a second after a change: %+v", a)
		}
		p.beat(link.AppServing)
		beat = time.Now()
		time.Sleep(time.Minute) // the loop is stuck
		if a := alive(); !a.Seen.Equal(beat) || a.State != "serving" {
			t.Errorf("with a stuck screen: %+v, last seen %v", a, beat)
		}
	})
}
