package session_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"parvis/app/journey/journeytest"
	"parvis/app/page"
	"parvis/app/session"
	"parvis/app/voice"
	"parvis/device"
	"parvis/device/printer"
)

// desk is a session with a log for a voice and a queue for a screen.
type desk struct {
	*session.Session
	t      *testing.T
	borne  *journeytest.Borne
	frame  session.Frame
	frames int
	todo   chan func()
	log    string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, borne: journeytest.New(t), todo: make(chan func(), 1000), log: filepath.Join(t.TempDir(), "voice.log")}
	v, err := voice.NewLog(d.log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	d.Session = session.New(t.Context(), session.Options{
		Journey: d.borne.Journey, Voice: v, Now: func() time.Time { return d.borne.Clock },
		Show: func(f session.Frame) { d.frame = f; d.frames++ },
		Do:   func(f func()) { d.todo <- f },
	})
	return d
}

// until runs what the session has put off until a condition holds.
func (d *desk) until(what string, ok func() bool) {
	d.t.Helper()
	deadline := time.After(10 * time.Second)
	for !ok() {
		select {
		case f := <-d.todo:
			f()
		case <-deadline:
			d.t.Fatalf("waited for %s on page %s; said:\n%s", what, d.frame.Page.Name, strings.Join(d.said(), "\n"))
		}
	}
}

func (d *desk) touch(ids ...string) {
	d.t.Helper()
	for _, id := range ids {
		if _, ok := d.frame.Page.Find(id); !ok {
			d.t.Fatalf("page %s has no %s", d.frame.Page.Name, id)
		}
		d.Touch(id)
	}
}

func (d *desk) at(name string) {
	d.t.Helper()
	d.until("page "+name, func() bool { return d.frame.Page.Name == name })
}

func (d *desk) said() []string {
	b, err := os.ReadFile(d.log)
	if err != nil {
		d.t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

func (d *desk) hears(words string) {
	d.t.Helper()
	d.until(fmt.Sprintf("%q", words), func() bool { return strings.Contains(strings.Join(d.said(), "\n"), words) })
}

func (d *desk) after(s time.Duration) {
	d.borne.Clock = d.borne.Clock.Add(s)
	d.Tick()
}

func TestIdleResidentIsWarnedThenWiped(t *testing.T) {
	d := newDesk(t)
	d.touch("start", "callback", "topic:logement", "key:0", "key:6")
	d.after(44 * time.Second)
	d.at("callback.phone")
	d.after(time.Second)
	d.at("timeout")
	d.after(29 * time.Second)
	d.at("timeout")
	d.after(time.Second)
	d.at("attract")
	if !d.frame.Wiped {
		t.Error("the glass was not told to forget what it drew")
	}
	if d.borne.Counts["visit.timeout"] != 1 {
		t.Errorf("counts %v", d.borne.Counts)
	}
	d.touch("start", "callback", "topic:logement")
	if f, ok := d.frame.Page.Find("continue"); !ok || !strings.Contains(f.Why, "trop court") {
		t.Error("the next resident finds a number typed")
	}
}

// A key that only speaks does nothing where speech is off: above all, the borne
// does not wait for the end of what nobody hears.
func TestSpeechKeysWithoutSpeech(t *testing.T) {
	for _, key := range []session.Key{session.Repeat, session.Home, session.Louder} {
		t.Run(string(key), func(t *testing.T) {
			d := newDesk(t)
			d.touch("start")
			d.Press(key)
			if d.frame.Focus != -1 {
				t.Errorf("part %d is shown as being read", d.frame.Focus)
			}
			d.after(45 * time.Second)
			d.at("timeout")
		})
	}
}

// The home key says where the resident is, also on the home page.
func TestHomeKeyAtHome(t *testing.T) {
	d := newDesk(t)
	d.Press(session.Speech)
	d.touch("start", "start")
	d.Press(session.Next)
	before := len(d.said())
	d.Press(session.Home)
	d.until("the page to be read again", func() bool {
		return strings.Contains(strings.Join(d.said()[before:], "\n"), "Que voulez-vous faire")
	})
}

// Any simple action extends the visit, as often as the resident likes, and
// nothing typed is lost by it.
func TestWarningIsExtended(t *testing.T) {
	for name, stay := range map[string]func(*desk){
		"button":   func(d *desk) { d.touch("timeout.stay") },
		"anywhere": func(d *desk) { d.Touch("") },
		"key":      func(d *desk) { d.Press(session.Next) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.touch("start", "demarches", "demarche:carte-identite-passeport")
			for range 12 {
				d.after(50 * time.Second)
				d.at("timeout")
				stay(d)
				d.at("demarche.question")
			}
		})
	}
}

func TestFinishFromTheWarning(t *testing.T) {
	d := newDesk(t)
	d.touch("start")
	d.after(50 * time.Second)
	d.touch("timeout.finish")
	d.at("attract")
}

func TestSpeechGetsMorePatience(t *testing.T) {
	d := newDesk(t)
	d.touch("start", "nav.listen")
	d.until("the end of the reading", func() bool { return d.frame.Focus < 0 && strings.Contains(d.said()[len(d.said())-1], "carte") })
	d.after(60 * time.Second)
	if d.frame.Page.Name != "home" {
		t.Errorf("page %s after a minute with speech", d.frame.Page.Name)
	}
}

// First touch reads, second acts (EN 301 549, 5.5.2).
func TestFirstTouchReads(t *testing.T) {
	d := newDesk(t)
	d.touch("start", "nav.listen", "demarches")
	d.at("home")
	d.hears("Faire une démarche")
	d.touch("help", "demarches")
	d.at("home")
	d.touch("demarches")
	d.at("demarches")
}

func TestDisabledChoiceSaysWhy(t *testing.T) {
	d := newDesk(t)
	d.touch("start", "callback", "topic:logement", "key:0", "continue")
	if b := d.frame.Page.Banner; b == nil || !strings.Contains(b.Text, "trop court") {
		t.Errorf("banner %+v", b)
	}
	d.touch("key:6")
	if d.frame.Page.Banner != nil {
		t.Error("the reason stays after the resident has gone on")
	}
}

// The whole page is read in its order, each part highlighted, and a key cuts it.
func TestReadingAloud(t *testing.T) {
	d := newDesk(t)
	d.touch("start")
	d.Press(session.Speech)
	d.hears("Voir à quoi elle sert ici")
	var want []string
	for _, part := range d.frame.Page.Reading() {
		if part.Block > -3 {
			want = append(want, "fr\t"+voice.Normalise("fr", part.Text))
		}
	}
	said := d.said()
	for i, text := range want {
		if got := said[len(said)-len(want)+i]; got != text {
			t.Errorf("part %d: said %q, want %q", i, got, text)
		}
	}
	d.until("the end of the reading", func() bool { return d.frame.Focus < 0 })
	n := len(d.said())
	d.Press(session.Next)
	d.hears("Faire une démarche")
	if d.frame.Focus < 0 || len(d.said()) != n+1 {
		t.Errorf("focus %d, %d things said", d.frame.Focus, len(d.said())-n)
	}
	d.Press(session.Repeat)
	if len(d.said()) != n+2 {
		t.Errorf("repeat said %d things", len(d.said())-n-1)
	}
	d.Press(session.Enter)
	d.at("demarches")
}

// What was typed is said only to a headset, or when the resident asks.
func TestPrivateDigits(t *testing.T) {
	for _, headset := range []bool{false, true} {
		d := newDesk(t)
		d.borne.HeadsetIn = func() bool { return headset }
		d.Voice.SetOutput(voice.Output{Private: headset})
		d.touch("start")
		d.Press(session.Speech)
		d.touch("callback", "callback", "topic:logement", "topic:logement")
		d.at("callback.phone")
		for _, r := range "0612345678" {
			d.Rune(r)
		}
		if headset {
			d.hears("zéro 6, 12, 34, 56, 78")
			continue
		}
		d.hears("10 signes écrits")
		if said := strings.Join(d.said(), "\n"); strings.Contains(said, "12 34") || strings.Contains(said, "12, 34") {
			t.Errorf("the loudspeaker said the number:\n%s", said)
		}
		d.touch("hear", "hear", "key.rub", "key.rub")
		d.hears("06 12 34 56 7")
	}
}

// A trembling hand presses once, where the site asks for it.
func TestBounce(t *testing.T) {
	for bounce, want := range map[time.Duration]string{0: "066", 500 * time.Millisecond: "06"} {
		d := newDesk(t)
		d.Bounce = bounce
		d.touch("start", "help", "search", "key:0", "key:6")
		d.borne.Clock = d.borne.Clock.Add(300 * time.Millisecond)
		d.touch("key:6")
		if f := d.frame.Page.Blocks[0].(page.Field); f.Value != want {
			t.Errorf("bounce %v: typed %q, want %q", bounce, f.Value, want)
		}
		d.borne.Clock = d.borne.Clock.Add(600 * time.Millisecond)
		d.touch("key:6")
		if f := d.frame.Page.Blocks[0].(page.Field); f.Value != want+"6" {
			t.Errorf("bounce %v: typed %q after a pause", bounce, f.Value)
		}
	}
}

// Who searches without sight hears how much is found.
func TestSearchSaysWhatItFinds(t *testing.T) {
	d := newDesk(t)
	d.touch("start")
	d.Press(session.Speech)
	d.touch("help", "help", "search", "search")
	d.at("places.search")
	for _, r := range "medi" {
		d.Rune(r)
	}
	d.hears("medi. 2 choix")
}

// A task shows that something is happening after half a second, and its
// result comes to the visit that asked for it only.
func TestTask(t *testing.T) {
	d := newDesk(t)
	release := make(chan struct{})
	d.borne.Fault = &printer.Error{Fault: device.Silent, Printed: printer.Maybe}
	print := d.borne.Outputs[0].Print
	d.borne.Outputs[0].Print = func(ctx context.Context, doc printer.Document) error {
		<-release
		return print(ctx, doc)
	}
	d.touch("start", "help", "need:demarches", "print")
	d.at("waiting")
	d.touch()
	d.after(200 * time.Second)
	if d.frame.Page.Name != "waiting" {
		t.Errorf("page %s while the printer works", d.frame.Page.Name)
	}
	close(release)
	d.at("print.failed")
	if !strings.Contains(d.frame.Page.Title, "ticket") {
		t.Errorf("title %q after an ambiguous failure", d.frame.Page.Title)
	}
}

// After a visit nothing of it is reachable from the session.
func TestNothingIsLeft(t *testing.T) {
	d := newDesk(t)
	d.touch("start", "callback", "topic:logement")
	for _, r := range "0612345678" {
		d.Rune(r)
	}
	d.touch("continue", "slot:1", "continue")
	for _, r := range "Zébulon" {
		d.Rune(r)
	}
	d.touch("continue", "consent", "send")
	d.at("callback.done")
	d.touch("leave", "face:yes", "leaving.finish")
	d.at("attract")
	for _, word := range []string{"0612345678", "06 12 34 56 78", "+33612345678", "Zébulon", "zébulon"} {
		if path := find(reflect.ValueOf(d.Session), word, "session", map[uintptr]bool{}); path != "" {
			t.Errorf("%q is left in %s", word, path)
		}
	}
	if path := find(reflect.ValueOf(d.frame), "Bonjour", "frame", map[uintptr]bool{}); path != "" {
		t.Errorf("the last frame still shows %s", path)
	}
}

// find looks for a text in everything that can be reached from v, private
// fields too.
func find(v reflect.Value, text, path string, seen map[uintptr]bool) string {
	switch v.Kind() {
	case reflect.String:
		if strings.Contains(v.String(), text) {
			return path
		}
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return ""
		}
		if v.Kind() == reflect.Pointer {
			if seen[v.Pointer()] {
				return ""
			}
			seen[v.Pointer()] = true
		}
		return find(v.Elem(), text, path, seen)
	case reflect.Struct:
		if v.Type().PkgPath() != "" && !strings.HasPrefix(v.Type().PkgPath(), "parvis/") {
			return ""
		}
		for i := range v.NumField() {
			if p := find(v.Field(i), text, path+"."+v.Type().Field(i).Name, seen); p != "" {
				return p
			}
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			b := make([]byte, 0, v.Cap())
			for i := range v.Len() {
				b = append(b, byte(v.Index(i).Uint()))
			}
			if strings.Contains(string(b), text) {
				return path
			}
			return ""
		}
		for i := range v.Len() {
			if p := find(v.Index(i), text, fmt.Sprintf("%s[%d]", path, i), seen); p != "" {
				return p
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if p := find(v.MapIndex(k), text, fmt.Sprintf("%s[%v]", path, k), seen); p != "" {
				return p
			}
			if p := find(k, text, path+" key", seen); p != "" {
				return p
			}
		}
	}
	return ""
}

// A number goes to the headset alone, also when that was pulled out a moment
// ago and nobody but the voice knows it yet.
func TestPrivateWordsGoToTheHeadsetAlone(t *testing.T) {
	ears := voice.Output{Device: "casque", Private: true}
	for name, c := range map[string]struct {
		out  voice.Output
		said bool
	}{
		"plugged in":      {ears, true},
		"just gone":       {voice.Output{Device: "salle"}, false},
		"never was there": {voice.Output{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.borne.HeadsetIn = func() bool { return true }
			d.Voice.SetOutput(c.out)
			d.Press(session.Speech)
			d.hears("Touchez l'écran")
			d.act("start", "callback", "topic:logement")
			for _, digit := range "0187654321" {
				d.act("key:" + string(digit))
			}
			d.act("continue", "slot:any", "continue", "continue")
			d.at("callback.review")
			d.until("the number's turn", func() bool {
				parts := d.frame.Page.Reading()
				return d.frame.Focus >= 0 && parts[d.frame.Focus].Choice != nil && parts[d.frame.Focus].Choice.ID == "mend:phone"
			})
			heard := strings.Join(d.said(), "\n")
			if got := strings.Contains(heard, "43, 21"); got != c.said {
				t.Errorf("the number was said: %t, want %t:\n%s", got, c.said, heard)
			}
			for _, line := range d.said() {
				if strings.Contains(line, "43, 21") && !strings.HasSuffix(line, "\tcasque") {
					t.Errorf("said elsewhere than in the headset: %q", line)
				}
			}
			if !c.said { // what is never said to its end keeps no visit open
				d.after(5 * time.Minute)
				d.at("attract")
			}
		})
	}
}

// act touches each choice twice, as speech asks for: to hear it, then to choose it.
func (d *desk) act(ids ...string) {
	d.t.Helper()
	for _, id := range ids {
		d.touch(id)
		d.Touch(id)
	}
}

// Who asks a borne without sound to speak reads that it cannot.
func TestNoSoundIsSaid(t *testing.T) {
	d := newDesk(t)
	sound := device.NoSound.With(nil)
	d.borne.Sound = func() device.Status { return sound }
	d.touch("start", "nav.listen")
	if b := d.frame.Page.Banner; b == nil || b.Text != "La borne n’a pas de son pour l’instant." {
		t.Errorf("the banner is %+v", b)
	}
	d.Press(session.Speech)
	sound = device.Status{State: device.Online}
	d.Press(session.Speech)
	if b := d.frame.Page.Banner; b != nil {
		t.Errorf("with sound, the banner is %+v", b)
	}
}

// Enter on a keyboard ends the typing, and says why not while too little is typed.
func TestEnterEndsTyping(t *testing.T) {
	d := newDesk(t)
	d.touch("start", "callback", "topic:logement")
	for _, r := range "018765432" {
		d.Rune(r)
	}
	d.Press(session.Enter)
	if b := d.frame.Page.Banner; d.frame.Page.Name != "callback.phone" || b == nil {
		t.Fatalf("with too few digits: page %s, banner %+v", d.frame.Page.Name, b)
	}
	d.Rune('1')
	d.Press(session.Enter)
	d.at("callback.when")
	d.Press(session.Enter)
	d.at("callback.when") // nothing was typed here
}
