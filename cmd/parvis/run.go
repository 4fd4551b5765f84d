package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/driver/desktop"
	"github.com/coreos/go-systemd/v22/daemon"

	"parvis/app/journey"
	"parvis/app/session"
	"parvis/app/text"
	"parvis/app/theme"
	"parvis/app/view"
	"parvis/app/voice"
	"parvis/cmd/parvis/internal/cards"
	"parvis/cmd/parvis/internal/command"
	"parvis/cmd/parvis/internal/devices"
	"parvis/device"
	"parvis/device/reader"
	"parvis/kiosk/callback"
	"parvis/kiosk/card"
	"parvis/kiosk/demarche"
	"parvis/kiosk/fiche"
	"parvis/kiosk/hours"
	"parvis/kiosk/level"
	"parvis/kiosk/place"
	"parvis/kiosk/store"
	"parvis/provisioning/profile"
)

type runCmd struct {
	Data    string `required:"" type:"path" help:"Dossier de la borne."`
	Profile string `required:"" type:"existingfile" help:"Profil du site."`
	Content string `type:"existingdir" help:"Dossier de contenus, à la place de ceux du programme."`
	Size    string `help:"Taille de la fenêtre, par exemple 1080x1920 ; sinon celle du profil."`
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
	prof, err := profile.Load(c.Profile)
	if err != nil {
		return false, err
	}
	if c.Size != "" {
		if err := prof.Screen.Resize(c.Size); err != nil {
			return false, fmt.Errorf("--size : %w", err)
		}
	}
	contents := rt.Content
	if c.Content != "" {
		contents = os.DirFS(c.Content)
	}
	st, err := store.Open(c.Data)
	if err != nil {
		return false, err
	}
	defer st.Close()
	spec := os.Getenv("PARVIS_VOICE")
	v, err := voice.Open(spec, func(err error) { slog.Warn("voix", "erreur", err) })
	if err != nil {
		return false, err
	}
	defer v.Close()
	desk := newClerk(st, rt.Now)
	defer desk.close()
	hw, err := newHardware(prof, desk, v)
	if err != nil {
		return false, err
	}
	j, stop, err := newJourney(rt, prof, contents, st)
	if err != nil {
		return false, err
	}
	defer stop()
	j.Count, j.Outputs, j.CardReader, j.HeadsetIn = desk.count, hw.outputs(), hw.cardReader, hw.private
	if spec == "" || spec == "espeak" {
		j.Sound = func() device.Status { return hw.board.Status(devices.Sound) }
	}
	ctx, cancel := context.WithCancel(rt.Ctx)
	defer cancel()
	restart := func() error {
		if err := c.comesUp(); err != nil {
			slog.Error("redémarrage refusé", "erreur", err)
			return err
		}
		again = true
		cancel()
		return nil
	}
	if err := hw.staff(ctx, &j.Staff, st, prof, restart); err != nil {
		return false, err
	}
	err = show(ctx, rt, prof, j, v, hw)
	return again, err
}

// comesUp tells what in the profile would keep the borne from starting again.
func (c *runCmd) comesUp() error {
	prof, err := profile.Load(c.Profile)
	if err != nil {
		return err
	}
	_, err = cards.Rules(prof)
	_, pin := card.ParsePIN(prof.Maintenance.Code)
	_, site := siteOf(prof)
	_, recipients := callback.ParseRecipients(prof.Callback.Recipients)
	_, open := devices.Open(prof, devices.Hands{})
	return errors.Join(err, pin, site, recipients, open)
}

// newJourney gathers what a borne knows. stop ends what still reads.
func newJourney(rt *command.Runtime, prof *profile.Profile, contents fs.FS, st *store.Store) (j *journey.Journey, stop func(), err error) {
	site, err := siteOf(prof)
	if err != nil {
		return nil, nil, err
	}
	texts, err := text.Load()
	if err != nil {
		return nil, nil, err
	}
	for _, code := range site.Languages {
		if !texts.Known(code) {
			return nil, nil, fmt.Errorf("site.langues: la langue %q n’existe pas", code)
		}
	}
	sub, err := fs.Sub(contents, "demarches")
	if err != nil {
		return nil, nil, err
	}
	demarches, err := demarche.Load(sub)
	if err != nil {
		return nil, nil, err
	}
	test, err := level.Load(contents)
	if err != nil {
		return nil, nil, err
	}
	places, err := place.Open(rt.Ctx, st.DB(), site.Region)
	if err != nil {
		return nil, nil, err
	}
	recipients, err := callback.ParseRecipients(prof.Callback.Recipients)
	if err != nil {
		return nil, nil, fmt.Errorf("rappel.destinataires : %w", err)
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
		Site: site, Texts: texts, Demarches: demarches, Level: test, Places: places,
		Desk:  &callback.Desk{Store: st, Recipients: recipients},
		Now:   rt.Now,
		Cards: rules,
		Staff: journey.Staff{PIN: pin, PINLimit: limit},
	}
	folder, err := fs.Sub(contents, "fiches")
	if err != nil {
		return nil, nil, err
	}
	stop = command.LoadFiches(rt.Ctx, folder, func(l *fiche.Library) {
		j.Fiches.Store(l)
		giveMemoryBack() // reading thousands of files leaves much garbage
	})
	return j, stop, nil
}

func siteOf(prof *profile.Profile) (journey.Site, error) {
	s := prof.Site
	region, err := hours.ParseRegion(s.Region)
	if err != nil {
		return journey.Site{}, fmt.Errorf("site.region : %w", err)
	}
	site := journey.Site{
		ID: s.ID, Name: s.Name, Phone: s.Phone,
		Position: place.Point{Lat: s.Lat, Lon: s.Lon}, Region: region, Languages: s.Languages,
	}
	if s.Opening != "" {
		if site.Opening, err = hours.Parse(s.Opening, region); err != nil {
			return site, fmt.Errorf("site.ouverture : %w", err)
		}
	}
	if site.Mediators, err = hours.Parse(s.Mediators, region); err != nil {
		return site, fmt.Errorf("site.mediateurs : %w", err)
	}
	return site, nil
}

// show opens the window and leads residents until ctx ends or it is closed.
func show(ctx context.Context, rt *command.Runtime, prof *profile.Profile, j *journey.Journey, v voice.Voice, hw *hardware) error {
	// One unit of Fyne is one pixel: sizes come from the profile's millimetres.
	os.Setenv("FYNE_SCALE", "1")
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") == "" {
		os.Setenv("DBUS_SESSION_BUS_ADDRESS", "disabled:") // a kiosk has no desktop to ask for its theme
	}
	keepMemorySmall()
	a := app.NewWithID("fr.parvis.borne")
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
	glass := view.NewGlass(screen, j.Texts, func(id string) { s.Touch(id) }, trace)
	s = session.New(ctx, session.Options{Journey: j, Voice: v, Show: glass.Draw, Do: fyne.Do, Now: rt.Now,
		Bounce: time.Duration(prof.Screen.Bounce) * time.Millisecond,
		Ended: func() { // nobody waits for the borne now
			go func() {
				giveMemoryBack()
				// The last frame of the visit, or a task that ended with it, may
				// have held something until now.
				time.Sleep(afterglow)
				giveMemoryBack()
			}()
			go hw.quieten()
		},
	})
	w.SetContent(glass)
	w.Resize(fyne.NewSize(screen.Width, screen.Height))
	bindKeys(w.Canvas(), s)
	// The devices may only stop when nobody prints any more: after the window.
	watched, stopDevices := context.WithCancel(context.Background())
	var served sync.WaitGroup
	defer served.Wait()
	defer stopDevices()
	a.Lifecycle().SetOnStarted(func() {
		tellSystemd(daemon.SdNotifyReady)
		served.Go(func() {
			hw.serve(watched, hands{
				seen:    func(e reader.Event) { fyne.Do(func() { s.Card(e) }) },
				changed: func() { fyne.Do(s.Refresh) },
				moved:   func() { fyne.Do(s.OutputChanged) },
			})
		})
	})
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				fyne.Do(func() {
					s.Tick()
					tellSystemd(daemon.SdNotifyWatchdog)
				})
			case <-ctx.Done():
				fyne.Do(a.Quit)
				return
			}
		}
	}()
	w.ShowAndRun()
	return nil
}

// afterglow is how long something of a visit may still be held after its end.
const afterglow = 3 * time.Second

// bindKeys turns the keys of the keypad, and of a keyboard, into the session's.
func bindKeys(c fyne.Canvas, s *session.Session) {
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
			if k, ok := keys[e.Name]; ok {
				s.Press(k)
			}
		})
	}
	c.SetOnTypedRune(func(r rune) {
		switch r { // signs, as where they lie differs from keyboard to keyboard
		case '+':
			s.Press(session.Louder)
		case '-':
			s.Press(session.Quieter)
		case ' ':
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
