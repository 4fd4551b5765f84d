package xdrive

import (
	"errors"
	"slices"
	"time"
)

// A RequestPath is where a finger goes to be called back: from the page that
// attracts residents to "Envoyer", before and after the number.
type RequestPath struct {
	Send  [2]int        // the middle of "Envoyer", in pixels
	Takes time.Duration // from the lift of the finger there to the page that says "C’est noté"

	before, after [][2]int
}

// LearnRequest makes a request to be called back at a number, looking where to
// touch, and remembers the way. The borne must stand at the page that attracts
// residents; it is left where it says that the request is kept.
func (b *Borne) LearnRequest(number string) RequestPath {
	b.t.Helper()
	var p RequestPath
	at := func(id string) [2]int {
		x, y := b.Target(id).Middle()
		return [2]int{x, y}
	}
	step := func(id string) {
		b.Tap(id)
		b.WaitDrawn()
	}
	for _, id := range []string{"start", "callback", "topic:logement"} {
		p.before = append(p.before, at(id))
		step(id)
	}
	for _, digit := range number {
		step("key:" + string(digit))
	}
	for _, id := range []string{"continue", "slot:any", "continue", "continue", "consent"} {
		p.after = append(p.after, at(id))
		step(id)
	}
	p.Send = at("send")
	b.Tap("send")
	lifted := time.Now()
	b.WaitPage("callback.done")
	p.Takes = time.Since(lifted)
	return p
}

// Walk goes the way up to "Envoyer" at once, without waiting for what is drawn,
// and types the number on a real keyboard.
func (b *Borne) Walk(p RequestPath, number string) {
	b.t.Helper()
	b.Touch(p.before...)
	for _, digit := range number {
		b.must(b.Screen.Key(string(digit)))
	}
	b.Touch(p.after...)
}

// CanSend reports whether "Envoyer" is there and can be touched.
func (b *Borne) CanSend() bool {
	b.t.Helper()
	page := b.Page()
	return page.Page == "callback.review" && slices.ContainsFunc(page.Targets, func(t Target) bool {
		return t.ID == "send" && !t.Disabled
	})
}

// Touch touches points on the glass, one after the other.
func (b *Borne) Touch(points ...[2]int) {
	b.t.Helper()
	for _, at := range points {
		b.must(errors.Join(b.Screen.Press(at[0], at[1]), b.Screen.Release()))
	}
}
