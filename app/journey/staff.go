package journey

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"parvis/app/page"
	"parvis/app/text"
	"parvis/app/voice"
	"parvis/device"
	"parvis/kiosk/card"
	"parvis/kiosk/ticket"
	"parvis/kiosk/visit"
)

// Staff is what the pages for staff work with. They are in French. What is nil
// is not offered there.
type Staff struct {
	PIN      card.PIN
	PINLimit *card.Limit // always set where PIN is
	Devices  func() []DeviceLine
	// Faults are the last ones, the newest first. It is called away from the screen.
	Faults func() []FaultLine
	// Restart starts the application anew, soon after it has returned; its error
	// is why the borne would not come up again. It is called away from the screen.
	Restart func() error
	// OutOfService says whether the borne serves nobody. SetOutOfService
	// changes that, over a restart too; it is called away from the screen, so
	// that the two may be called at the same time.
	// OpenUSB lets a USB stick be read for a few minutes. It is called away from
	// the screen.
	OpenUSB         func() error
	OutOfService    func() bool
	SetOutOfService func(bool) error
	// Volume is the step of loudness (see voice) at which every visit begins;
	// nil: voice.DefaultVolume. SetVolume changes it, over a restart too; it too
	// is called away from the screen.
	Volume    func() int
	SetVolume func(int) error
}

// DeviceLine is one of the borne's devices and how it is.
type DeviceLine struct {
	Name   string // in French: "Imprimante de tickets"
	Status device.Status
}

// FaultLine is one fault of the past.
type FaultLine struct {
	When  time.Time
	Name  string // of the device, in French
	Fault device.Fault
}

// forStaff reports whether a page is for staff.
func forStaff(name string) bool {
	return name == "maintenance" || strings.HasPrefix(name, "maintenance.")
}

func (j *Journey) outOfService() bool { return j.OutOfService != nil && j.OutOfService() }

// StartVolume is the step of loudness at which every visit begins.
func (j *Journey) StartVolume() int {
	if j.Volume == nil {
		return voice.DefaultVolume
	}
	return min(max(j.Volume(), voice.MinVolume), voice.MaxVolume)
}

// closed takes the place of the page that attracts residents while the borne is
// out of service. It says so in every language of the site.
func (j *Journey) closed(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	p := page.Page{Layout: page.Centred, Title: w.T("closed.title"), Lead: w.T("closed.text", "Site", j.house()),
		Blocks: []page.Block{page.Picture{Icon: "info-circle"}}}
	if j.Site.Phone != "" {
		p.Blocks = append(p.Blocks, page.Text{Text: w.T("person.phone_text", "Phone", j.Site.Phone)})
	}
	for _, code := range j.Site.Languages {
		if l := j.Texts.In(code); l.Code != w.Code && l.Voice != w.Voice {
			p.Blocks = append(p.Blocks, page.Text{Text: l.T("closed.title") + " " + l.T("closed.text", "Site", j.Site.Name)})
		}
	}
	return p
}

// The Arg of the page that asks for the PIN.
const (
	pinWrong  = "wrong"
	pinBroken = "broken" // the tries cannot be counted
)

// pin asks who showed a staff badge for the code. What is typed shows as dots,
// and no digit of it is spoken but into a headset.
func (j *Journey) pin(_ context.Context, v *visit.Visit) page.Page {
	w := j.Texts.In("fr")
	p := page.Page{Private: true, Title: w.T("maintenance.pin_title")}
	if !j.PIN.Set() {
		p.Lead = w.T("maintenance.pin_none")
		return p
	}
	n := len(v.PIN)
	field := page.Field{Label: w.T("maintenance.pin_label"), Value: strings.Repeat("•", n), Private: true, Spoken: w.T("voice.typed", "Count", n)}
	if n == 0 {
		field.Spoken = w.T("voice.empty")
	}
	enter := page.Choice{ID: "enter", Label: w.T("maintenance.pin_enter"), Icon: "check", Primary: true}
	if n < card.MinPIN {
		enter.Why = w.T("maintenance.pin_short")
	}
	switch wait := j.PINLimit.Left(); {
	case wait > 0:
		field.Problem = w.T("maintenance.pin_wait", "Count", int((wait+time.Minute-1)/time.Minute))
		enter.Why = field.Problem
	case v.Here().Arg == pinBroken:
		field.Problem = w.T("maintenance.pin_broken")
	case v.Here().Arg == pinWrong:
		field.Problem = w.T("maintenance.pin_wrong")
	}
	pad := phonePad(w)
	pad.Private = true
	last := pad.Rows[len(pad.Rows)-1]
	last[len(last)-1] = page.Key{Choice: page.Choice{ID: keyClear, Icon: "x", Spoken: w.T("keys.clear")}}
	p.Blocks = []page.Block{field, pad}
	p.Actions = []page.Choice{enter}
	return p
}

func (j *Journey) choosePIN(_ context.Context, v *visit.Visit, id string) *Task {
	if typed, ok := press(v, v.PIN, id, card.MaxPIN); ok {
		v.PIN = typed
		return nil
	}
	typed := bytes.Clone(v.PIN)
	v.PIN = visit.Empty(v.PIN)
	return &Task{
		Waiting: j.waiting(v, "maintenance.pin_checking"),
		Run: func(ctx context.Context) func(*visit.Visit) {
			to := j.checkPIN(ctx, typed)
			clear(typed)
			return func(v *visit.Visit) {
				if to.Page == "maintenance.pin" {
					v.Replace(to)
					return
				}
				// The visit amid which the badge was shown is over: Back shows
				// nothing of it, and no page for staff is left under another.
				v.Home()
				v.Path = []visit.Step{j.first(), to}
			}
		},
	}
}

// checkPIN gives the page that a code leads to.
func (j *Journey) checkPIN(ctx context.Context, typed []byte) visit.Step {
	wait, err := j.PINLimit.Try(ctx)
	switch {
	case err != nil:
		return visit.Step{Page: "maintenance.pin", Arg: pinBroken}
	case wait > 0 || !j.PIN.Check(typed):
		j.Tally("maintenance.refused")
		return visit.Step{Page: "maintenance.pin", Arg: pinWrong}
	}
	j.Tally("maintenance.opened")
	// Should this not be kept, the next wrong code has to wait the sooner.
	_ = j.PINLimit.Passed(ctx)
	return visit.Step{Page: "maintenance"}
}

// notKept is the Arg of a page on which a setting could not be kept.
const notKept = "not_kept"

// noRestart is the Arg of a page on which the borne refused to restart.
const noRestart = "no_restart"

// noUSB is the Arg of a page on which the sockets could not be opened.
const noUSB = "no_usb"

// failedNotice says what could not be done.
func failedNotice(v *visit.Visit, w *text.Words) []page.Block {
	n := page.Notice{Accent: page.Callback, Icon: "alert-triangle"}
	switch v.Here().Arg {
	case notKept:
		n.Title, n.Text = w.T("maintenance.not_kept"), w.T("maintenance.not_kept_text")
	case noRestart:
		n.Title, n.Text = w.T("maintenance.no_restart"), w.T("maintenance.no_restart_text")
	case noUSB:
		n.Title, n.Text = w.T("maintenance.no_usb"), w.T("maintenance.no_usb_text")
	default:
		return nil
	}
	return []page.Block{n}
}

// maintenance is what staff can do at the borne itself.
func (j *Journey) maintenance(_ context.Context, v *visit.Visit) page.Page {
	w := j.Texts.In("fr")
	var rows []page.Choice
	row := func(there bool, id, icon, detail string) {
		if there {
			rows = append(rows, page.Choice{ID: id, Label: w.T("maintenance." + id), Detail: detail, Icon: icon, Accent: page.Card})
		}
	}
	if j.Devices != nil {
		bad := 0
		for _, d := range j.Devices() {
			if !d.Status.Ready() || d.Status.Fault != device.None {
				bad++
			}
		}
		detail := w.T("maintenance.devices_bad", "Count", bad)
		if bad == 0 {
			detail = w.T("maintenance.devices_good")
		}
		row(true, "devices", "printer", detail)
	}
	row(j.Faults != nil, "faults", "list", w.T("maintenance.faults_detail"))
	row(j.SetVolume != nil, "sound", "volume", w.T("maintenance.sound_level", "N", j.StartVolume()+1, "Total", voice.MaxVolume+1))
	row(j.Restart != nil, "restart", "refresh", w.T("maintenance.restart_detail"))
	row(j.OpenUSB != nil, "usb", "usb", w.T("maintenance.usb_detail"))
	row(j.SetOutOfService != nil && !j.outOfService(), "out", "ban", w.T("maintenance.out_detail"))
	row(j.SetOutOfService != nil && j.outOfService(), "in", "check", w.T("maintenance.in_detail"))
	return page.Page{Title: w.T("maintenance.title"), Blocks: append(append(failedNotice(v, w), page.Choices{Items: rows}), j.support()...),
		Actions: []page.Choice{{ID: Wipe, Label: w.T("maintenance.leave"), Icon: "door-exit", Primary: true}}}
}

// support says whom staff may turn to.
func (j *Journey) support() []page.Block {
	it := j.Site.IT
	who := strings.Join(slices.DeleteFunc([]string{it.Name, strings.ReplaceAll(it.Phone, " ", "\u00a0"), it.Email}, func(s string) bool { return s == "" }), " · ")
	if who == "" {
		return nil
	}
	return []page.Block{page.Text{Style: page.Muted, Text: j.Texts.In("fr").T("maintenance.support", "Contact", who)}}
}

func (j *Journey) chooseMaintenance(_ context.Context, v *visit.Visit, id string) *Task {
	switch id {
	case "devices", "sound":
		v.Go(visit.Step{Page: "maintenance." + id})
	case "faults":
		return &Task{
			Waiting: j.waiting(v, "maintenance.faults_reading"),
			Run: func(context.Context) func(*visit.Visit) {
				lines := j.Faults()
				return func(v *visit.Visit) {
					j.listed = lines
					v.Go(visit.Step{Page: "maintenance.faults"})
				}
			},
		}
	case "restart":
		j.Tally("maintenance.restart")
		return j.try(v, noRestart, j.Restart, func(*visit.Visit) {})
	case "usb":
		j.Tally("maintenance.usb")
		return j.try(v, noUSB, j.OpenUSB, func(v *visit.Visit) { v.Notice = j.Texts.In("fr").T("maintenance.usb_open") })
	case "out", "in":
		out := id == "out"
		j.Tally("maintenance." + id)
		return j.keep(v, func() error { return j.SetOutOfService(out) }, func(v *visit.Visit) {
			v.Path = []visit.Step{j.first(), {Page: "maintenance"}}
		})
	}
	return nil
}

// keep changes a setting away from the screen, and says so where it failed.
func (j *Journey) keep(v *visit.Visit, set func() error, done func(*visit.Visit)) *Task {
	return j.try(v, notKept, set, done)
}

// try does something away from the screen. Where it failed the page stays, with
// an Arg that says so.
func (j *Journey) try(v *visit.Visit, failed string, do func() error, done func(*visit.Visit)) *Task {
	return &Task{
		Waiting: j.waiting(v, "maintenance.keeping"),
		Run: func(context.Context) func(*visit.Visit) {
			err := do()
			return func(v *visit.Visit) {
				if err != nil {
					v.Replace(visit.Step{Page: v.Here().Page, Arg: failed})
					return
				}
				v.Replace(visit.Step{Page: v.Here().Page})
				done(v)
			}
		},
	}
}

// devices lists the devices, what is wrong with them and what to do about it,
// and prints on trial.
func (j *Journey) devices(_ context.Context, v *visit.Visit) page.Page {
	w := j.Texts.In("fr")
	p := page.Page{Title: w.T("maintenance.devices"), Lead: w.T("maintenance.devices_lead")}
	if f := device.Fault(v.Here().Arg); f != device.None {
		p.Blocks = append(p.Blocks, page.Notice{Accent: page.Callback, Icon: "printer-off", Title: w.T("maintenance.trial_failed", "Fault", f.Info().Title), Text: f.Info().Do})
	}
	var lines []DeviceLine
	if j.Devices != nil {
		lines = j.Devices()
	}
	for _, d := range lines {
		n := page.Notice{Accent: page.Level, Icon: "check"}
		state := "unknown"
		if d.Status.State != device.Unknown {
			state = string(d.Status.State)
		}
		words := w.T("maintenance.state_" + state)
		if f := d.Status.Fault.Info(); f.Fault != device.None {
			words, n.Text = f.Title, f.Do
		}
		if !d.Status.Ready() || d.Status.Fault != device.None {
			n.Accent, n.Icon = page.Callback, "alert-triangle"
		}
		n.Title = w.T("maintenance.device", "Name", d.Name, "State", words)
		p.Blocks = append(p.Blocks, n)
	}
	for i, o := range j.Outputs {
		p.Actions = append(p.Actions, page.Choice{ID: "trial:" + strconv.Itoa(i), Label: w.T("maintenance.trial_" + o.ID), Icon: "printer"})
	}
	return p
}

func (j *Journey) chooseDevices(_ context.Context, v *visit.Visit, id string) *Task {
	n, err := strconv.Atoi(strings.TrimPrefix(id, "trial:"))
	if err != nil || n >= len(j.Outputs) {
		return nil
	}
	w := j.Texts.In("fr")
	doc := ticket.Trial(ticket.Site{Name: j.Site.Name, Region: j.Site.Region}, j.Now(), w.Sentence)
	return &Task{
		Waiting: j.waiting(v, "waiting.printing"),
		Run: func(ctx context.Context) func(*visit.Visit) {
			err := j.Outputs[n].Print(ctx, doc)
			return func(v *visit.Visit) {
				to := visit.Step{Page: "maintenance.devices"}
				if err != nil {
					fault, _ := whatFailed(err)
					to.Arg = string(fault)
				} else {
					v.Notice = w.T("maintenance.trial_done")
				}
				v.Replace(to)
			}
		},
	}
}

// faultsListed is how many past faults the borne shows.
const faultsListed = 12

// faults lists what was wrong when the page was opened.
func (j *Journey) faults(_ context.Context, _ *visit.Visit) page.Page {
	w := j.Texts.In("fr")
	p := page.Page{Title: w.T("maintenance.faults")}
	if len(j.listed) == 0 {
		p.Lead = w.T("maintenance.faults_none")
		return p
	}
	var t page.Table
	for _, f := range j.listed[:min(len(j.listed), faultsListed)] {
		t.Lines = append(t.Lines, page.Line{Label: upperFirst(w.Date(f.When)) + ", " + w.Clock(f.When), Value: w.T("maintenance.device", "Name", f.Name, "State", f.Fault.Info().Title)})
	}
	p.Blocks = []page.Block{t}
	return p
}

// sound sets the loudness at which every visit begins.
func (j *Journey) sound(_ context.Context, v *visit.Visit) page.Page {
	w := j.Texts.In("fr")
	level := j.StartVolume()
	quieter := page.Choice{ID: "quieter", Label: w.T("maintenance.sound_quieter"), Icon: "chevron-left"}
	louder := page.Choice{ID: "louder", Label: w.T("maintenance.sound_louder"), Icon: "chevron-right"}
	if level == voice.MinVolume {
		quieter.Why = w.T("maintenance.sound_least")
	}
	if level == voice.MaxVolume {
		louder.Why = w.T("maintenance.sound_most")
	}
	return page.Page{Title: w.T("maintenance.sound"), Lead: w.T("maintenance.sound_level", "N", level+1, "Total", voice.MaxVolume+1),
		Blocks:  append(failedNotice(v, w), page.Text{Style: page.Muted, Text: w.T("maintenance.sound_text", "N", voice.DefaultVolume+1, "Total", voice.MaxVolume+1)}),
		Actions: []page.Choice{quieter, louder}}
}

func (j *Journey) chooseSound(_ context.Context, v *visit.Visit, id string) *Task {
	level := j.StartVolume() + map[string]int{"quieter": -1, "louder": 1}[id]
	return j.keep(v, func() error { return j.SetVolume(level) }, func(*visit.Visit) {})
}
