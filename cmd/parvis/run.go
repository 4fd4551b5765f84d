package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"github.com/coreos/go-systemd/v22/daemon"

	"parvis/app/journey"
	"parvis/app/session"
	"parvis/app/theme"
	"parvis/app/view"
	"parvis/app/voice"
	"parvis/cmd/internal/packcheck"
	"parvis/cmd/parvis/internal/cards"
	"parvis/cmd/parvis/internal/command"
	"parvis/cmd/parvis/internal/devices"
	"parvis/cmd/parvis/internal/siteprofile"
	"parvis/device"
	"parvis/device/reader"
	"parvis/kiosk/callback"
	"parvis/kiosk/fiche"
	"parvis/kiosk/place"
	"parvis/kiosk/store"
	"parvis/kiosk/unfound"
	"parvis/provisioning/profile"
)

type runCmd struct {
	Data    string `required:"" type:"path" help:"Dossier de la borne."`
	Profile string `required:"" type:"path" help:"Profil du site ; s’il n’y est pas, la borne attend celui du hub, ou d’être enrôlée."`
	Content string `type:"existingdir" help:"Dossier de contenus, à la place de ceux du programme."`
	Size    string `help:"Taille de la fenêtre, par exemple 1080x1920 ; sinon celle du profil." xor:"size"`
	Fill    bool   `help:"Remplit l’écran, quelle que soit sa taille : pour une borne, sans gestionnaire de fenêtres." xor:"size"`
}

// Run opens the borne's window and serves residents until it is closed.
func (c *runCmd) Run(rt *command.Runtime) error {
	again, err := c.serve(rt)
	if err != nil || !again {
		return err
	}
	// The same process: whoever started it, systemd or a desk, sees no end. The
	// program may be a newer one by now, or gone.
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("redémarrage : %w", err)
	}
	if _, err := os.Stat(program); err != nil {
		program = "/proc/self/exe"
	}
	return fmt.Errorf("redémarrage : %w", syscall.Exec(program, os.Args, os.Environ()))
}

// serve tells whether staff asked for a restart.
func (c *runCmd) serve(rt *command.Runtime) (again bool, err error) {
	st, err := store.Open(c.Data)
	if err != nil {
		return false, err
	}
	defer st.Close()
	found, err := siteprofile.Find(c.Data, c.Profile)
	prof, bare := found.Profile, errors.Is(err, fs.ErrNotExist)
	if bare {
		prof, err = bareProfile(rt.Ctx, st)
	}
	if err != nil {
		return false, err
	}
	known, err := c.contents(rt)
	if err != nil {
		return false, err
	}
	if c.Size != "" {
		if err := prof.Screen.Resize(c.Size); err != nil {
			return false, fmt.Errorf("--size : %w", err)
		}
	}
	panel, err := openDisplay()
	if err != nil {
		return false, err
	}
	defer panel.Close()
	if c.Fill {
		fill(&prof.Screen, panel)
	}
	spec := os.Getenv("PARVIS_VOICE")
	v, err := voice.Open(spec, func(err error) { slog.Warn("voix", "erreur", err) })
	if err != nil {
		return false, err
	}
	v = voice.Pronounce(v, known.Lexicon)
	defer v.Close()
	desk := newClerk(st, rt.Now)
	defer desk.close()
	tellRefused(desk, store.ProfileRefused, found.Refused)
	tellRefused(desk, store.ContentRefused, known.refused)
	hw, err := newHardware(prof, desk, v)
	if err != nil {
		return false, err
	}
	if err := importPlaces(rt.Ctx, st, known); err != nil {
		slog.Error("lieux du lot non importés, ceux d’avant restent", "lot", known.version, "erreur", err)
	}
	j, stop, err := newJourney(rt, prof, known, st)
	if err != nil {
		return false, err
	}
	defer stop()
	if bare {
		if j.Enrolment, err = newEnrolment(rt.Ctx, st); err != nil {
			return false, err
		}
	}
	j.Count, j.Outputs, j.CardReader, j.HeadsetIn = desk.count, hw.outputs(), hw.cardReader, hw.private
	searches := unfound.Desk{Put: desk.putUnfound}
	j.Unfound = func(words []unfound.Word) {
		if err := searches.Take(words, j.Desk.Recipients, rt.Now()); err != nil {
			slog.Warn("recherches sans résultat", "erreur", err)
		}
	}
	if spec == "" || spec == "espeak" {
		j.Sound = func() device.Status { return hw.board.Status(devices.Sound) }
	}
	ctx, cancel := context.WithCancel(rt.Ctx)
	defer cancel()
	leave := func() {
		again = true
		cancel()
	}
	restart := func() error {
		if err := c.comesUp(); err != nil {
			return err
		}
		leave()
		return nil
	}
	if err := hw.staff(ctx, &j.Staff, st, prof, restart); err != nil {
		return false, err
	}
	if usb := usbSockets(); usb != nil {
		j.OpenUSB = func() error { return usb.openFor(socketsOpen) }
		usb.shut()
		defer usb.shut()
		if j.Enrolment != nil { // the code may come on a stick
			if err := usb.openFor(0); err != nil {
				slog.Error("prises USB fermées", "erreur", err)
			}
		}
	}
	e := newErrands(st, j, prof)
	e.comesUp, e.leave = c.comesUp, leave
	e.news = func() (bool, error) {
		profile, err := found.News(c.Data)
		pack, err2 := known.news(c.Data)
		return profile || pack, errors.Join(err, err2)
	}
	if err := e.notice.load(ctx, st); err != nil {
		return false, err
	}
	sleep, err := newSleeper(prof, rt.Now)
	if err != nil {
		return false, err
	}
	go sleep.serve(ctx, panel)
	err = show(ctx, rt, prof, j, v, hw, e, sleep, store.Alive{Content: known.version, Profile: found.Version})
	return again, err
}

// contents are those given on the command line, or else the hub's, or else those
// of the program.
func (c *runCmd) contents(rt *command.Runtime) (contents, error) {
	if c.Content != "" {
		return loadContents(os.DirFS(c.Content), filepath.Base(c.Content))
	}
	return loadCurrent(c.Data, rt.Content)
}

// comesUp tells what in the profile would keep the borne from starting again.
func (c *runCmd) comesUp() error {
	err := c.startable()
	if err != nil {
		slog.Error("redémarrage refusé", "erreur", err)
	}
	return err
}

func (c *runCmd) startable() error {
	found, err := siteprofile.Find(c.Data, c.Profile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it comes up to wait for one
	}
	if err != nil {
		return err
	}
	return siteprofile.Check(found.Profile)
}

// newJourney gathers what a borne knows. stop ends what still reads.
func newJourney(rt *command.Runtime, prof *profile.Profile, known contents, st *store.Store) (j *journey.Journey, stop func(), err error) {
	site, err := siteprofile.Site(prof)
	if err != nil {
		return nil, nil, err
	}
	for _, code := range site.Languages {
		if !known.Texts.Known(code) {
			return nil, nil, fmt.Errorf("site.langues: la langue %q n’existe pas", code)
		}
	}
	places, err := place.Open(rt.Ctx, st.DB(), site.Region)
	if err != nil {
		return nil, nil, err
	}
	hub, err := st.Setting(rt.Ctx, store.HubRecipient)
	if err != nil {
		return nil, nil, err
	}
	desk, err := newDesk(st, prof, hub)
	if err != nil {
		return nil, nil, err
	}
	rules, err := cards.Rules(prof)
	if err != nil {
		return nil, nil, err
	}
	pin, limit, err := cards.PIN(prof, st, rt.Now)
	if err != nil {
		return nil, nil, err
	}
	if _, err := limit.Wait(rt.Ctx); err != nil { // the page for the code then knows it without the disk
		return nil, nil, err
	}
	j = &journey.Journey{
		Site: site, Texts: known.Texts, Demarches: known.Demarches, Level: known.Level, Places: places,
		Desk:  desk,
		Now:   rt.Now,
		Cards: rules,
		Staff: journey.Staff{PIN: pin, PINLimit: limit},
	}
	folder, err := fs.Sub(known.files, packcheck.Fiches)
	if err != nil {
		return nil, nil, err
	}
	stop = command.LoadFiches(rt.Ctx, folder, func(l *fiche.Library) {
		j.Fiches.Store(l)
		giveMemoryBack() // reading thousands of files leaves much garbage
	})
	return j, stop, nil
}

// newDesk takes requests that the profile's keys open, or the hub's, where the
// borne has one: either alone is enough.
func newDesk(st *store.Store, prof *profile.Profile, hub string) (*callback.Desk, error) {
	all, err := callback.ParseRecipients(prof.Callback.Recipients)
	if err != nil {
		return nil, fmt.Errorf("rappel.destinataires : %w", err)
	}
	if hub != "" && !slices.Contains(prof.Callback.Recipients, hub) {
		own, err := callback.ParseRecipients([]string{hub})
		if err != nil { // the profile's keys are as good as ever
			slog.Error("clé du hub", "erreur", err)
		}
		all = append(all, own...)
	}
	desk := &callback.Desk{Store: st, Recipients: all}
	if len(prof.Callback.Recipients) == 0 {
		desk.OnlyHub = hub
	}
	return desk, nil
}

// show opens the window and leads residents until ctx ends or it is closed.
func show(ctx context.Context, rt *command.Runtime, prof *profile.Profile, j *journey.Journey, v voice.Voice, hw *hardware, e *errands, sleep *sleeper, uses store.Alive) error {
	// One unit of Fyne is one pixel: sizes come from the profile's millimetres.
	os.Setenv("FYNE_SCALE", "1")
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") == "" {
		os.Setenv("DBUS_SESSION_BUS_ADDRESS", "disabled:") // a kiosk has no desktop to ask for its theme
	}
	keepMemorySmall()
	a := newApp()
	drawing := &loop{queue: fyne.Do}
	w := a.NewWindow("Parvis")
	w.SetPadded(false)
	w.SetFixedSize(true)
	w.SetMaster()
	screen := theme.Screen{
		Width: float32(prof.Screen.Width), Height: float32(prof.Screen.Height),
		WidthMM: prof.Screen.WidthMM, FloorMM: prof.Screen.FloorMM,
	}
	trace, closeTrace, err := openTrace(os.Getenv("PARVIS_TRACE"))
	if err != nil {
		return err
	}
	defer closeTrace()
	var s *session.Session
	glass := view.NewGlass(screen, j.Texts, func(id string) {
		if sleep.touched() {
			s.Touch(id)
		}
	}, trace)
	s = session.New(ctx, session.Options{Journey: j, Voice: v, Show: glass.Draw, Do: drawing.do, Now: rt.Now,
		Bounce: time.Duration(prof.Screen.Bounce) * time.Millisecond,
		Ended: func() { // nobody waits for the borne now
			go func() {
				forget(drawing.do)
				// The last frame of the visit, or a task that ended with it, may
				// have held something until now.
				for range 2 {
					time.Sleep(afterglow)
					forget(drawing.do)
				}
			}()
			go hw.quieten()
		},
	})
	var heart pulse
	e.panel = panel{do: drawing.do, session: s, picture: glass.Picture}
	e.hear = func() {
		hw.hearService()
		e.hearKey(ctx, prof)
	}
	w.SetContent(glass)
	w.Resize(fyne.NewSize(screen.Width, screen.Height))
	bindKeys(w.Canvas(), s, sleep.touched)
	hw.hands = hands{
		seen:    func(e reader.Event) { drawing.do(func() { s.Card(e) }) },
		changed: func() { drawing.do(s.Refresh) },
		moved:   func() { drawing.do(s.OutputChanged) },
	}
	// The devices may only stop when nobody prints any more: after the window.
	watched, stopDevices := context.WithCancel(context.Background())
	serving, stopServing := context.WithCancel(ctx)
	var served sync.WaitGroup
	defer served.Wait()
	defer stopDevices()
	defer stopServing()
	a.Lifecycle().SetOnStarted(func() {
		tellSystemd(daemon.SdNotifyReady)
		served.Go(func() { feedWatchdog(serving, drawing.do) })
		heart.beat(s.State())
		served.Go(func() { hw.serve(watched) })
		served.Go(func() { e.serve(serving) })
		served.Go(func() { heart.tell(serving, e.st, uses) })
	})
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				drawing.do(func() {
					s.Tick()
					sleep.beat(s.Idle())
					heart.beat(s.State())
				})
			case <-ctx.Done():
				drawing.end(a.Quit)
				return
			}
		}
	}()
	onFixedStack(w.ShowAndRun)
	return nil
}

// afterglow is how long something of a visit may still be held after its end.
const afterglow = 3 * time.Second

// bindKeys turns the keys of the keypad, and of a keyboard, into the session's.
// awake is told of each, and whether it means something.
func bindKeys(c fyne.Canvas, s *session.Session, awake func() bool) {
	keys := map[fyne.KeyName]session.Key{
		fyne.KeyDown: session.Next, fyne.KeyRight: session.Next, fyne.KeyTab: session.Next,
		fyne.KeyUp: session.Previous, fyne.KeyLeft: session.Previous,
		fyne.KeyReturn: session.Enter, fyne.KeyEnter: session.Enter, fyne.KeySpace: session.Repeat,
		fyne.KeyEscape: session.Back, fyne.KeyHome: session.Home,
		fyne.KeyF1: session.Speech, fyne.KeyF2: session.Bigger, fyne.KeyF3: session.Contrast, fyne.KeyF4: session.Language,
	}
	c.SetOnTypedKey(func(*fyne.KeyEvent) {})
	if d, ok := c.(desktop.Canvas); ok {
		// Release, and no key repeat: a trembling hand presses once (EN 301 549, 5.7).
		d.SetOnKeyUp(func(e *fyne.KeyEvent) {
			if k, ok := keys[e.Name]; ok && awake() {
				s.Press(k)
			}
		})
	}
	c.SetOnTypedRune(func(r rune) {
		if r == ' ' || !awake() { // the space bar is a key, above
			return
		}
		switch r { // signs, as where they lie differs from keyboard to keyboard
		case '+':
			s.Press(session.Louder)
		case '-':
			s.Press(session.Quieter)
		default:
			s.Rune(r)
		}
	})
}

// openTrace writes where the choices of each page stand, for tests that look
// at the borne from outside. It holds no words and nothing that was typed.
func openTrace(path string) (func(view.Drawn), func() error, error) {
	if path == "" {
		return nil, func() error { return nil }, nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("PARVIS_TRACE : %w", err)
	}
	enc := json.NewEncoder(f)
	return func(d view.Drawn) {
		if err := enc.Encode(d); err != nil {
			slog.Warn("PARVIS_TRACE", "erreur", err)
		}
	}, f.Close, nil
}
