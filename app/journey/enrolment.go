package journey

import (
	"context"
	"slices"
	"strings"

	"parvis/app/page"
	"parvis/app/text"
	"parvis/kiosk/visit"
)

// Enrolment is what the page of a borne that has no identity yet works with.
type Enrolment struct {
	// Check says in French what keeps a typed line from being an invitation.
	Check func(line string) error
	// Ask has the agent enrol the borne, and returns when that is done or with
	// why not, in French. It is called away from the screen.
	Ask func(ctx context.Context, line string) error
	// Needed says whether the borne still has no identity.
	Needed func() bool
}

// enrolPage takes the place of the page that attracts residents while the borne
// has no identity.
const enrolPage = "maintenance.enrol"

// maxInvitation is how many signs may be typed: the code, and a hub's address.
const maxInvitation = 160

// enrolKeys are the signs of a code and of an address.
var enrolKeys = []string{"1234567890", "AZERTYUIOP", "QSDFGHJKLM", "WXCVBN-.:@"}

// enrol asks IT for the enrolment code, and for nothing else. What is typed is
// no secret of anybody's, but opens the borne to whoever reads it: it is not
// spoken aloud.
func (j *Journey) enrol(_ context.Context, v *visit.Visit) page.Page {
	w := j.Texts.In("fr")
	p := page.Page{Private: true, Title: w.T("maintenance.enrol_title")}
	line := string(v.PIN)
	field := page.Field{Label: w.T("maintenance.enrol_label"), Value: lastSigns(line), Private: true, Spoken: w.T("voice.typed", "Count", len(line))}
	field.Hint = grouped(line)
	if line == "" {
		p.Lead = w.T("maintenance.enrol_lead") // later the room is the line's
		field.Spoken, field.Hint = w.T("voice.empty"), w.T("maintenance.enrol_example")
	}
	enter := page.Choice{ID: "enter", Label: w.T("maintenance.enrol_enter"), Icon: "check", Primary: true}
	switch err := j.Enrolment.Check(line); {
	case v.Here().Arg != "":
		field.Problem = v.Here().Arg
	case line == "":
		enter.Why = w.T("maintenance.enrol_empty")
	case err != nil:
		enter.Why = err.Error()
	}
	p.Blocks = []page.Block{field, enrolKeyboard(w)}
	p.Actions = []page.Choice{enter}
	return p
}

// lastSigns are those that the field has room for in large letters.
func lastSigns(line string) string {
	const most = 18
	if len(line) > most {
		return "…" + line[len(line)-most:]
	}
	return line
}

// grouped is a typed line as a paper shows it: the code in groups of five.
func grouped(line string) string {
	code, hub, told := strings.Cut(line, "@")
	var groups []string
	for group := range slices.Chunk([]byte(strings.ReplaceAll(code, "-", "")), 5) {
		groups = append(groups, string(group))
	}
	if told {
		groups = append(groups, "@"+hub)
	}
	return strings.Join(groups, " ")
}

func enrolKeyboard(w *text.Words) page.Keys {
	k := page.Keys{Private: true}
	for _, row := range enrolKeys {
		var keys []page.Key
		for _, r := range row {
			sign := string(r)
			keys = append(keys, page.Key{Choice: page.Choice{ID: keyPrefix + sign, Label: sign, Spoken: spokenSign(sign, w)}})
		}
		k.Rows = append(k.Rows, keys)
	}
	k.Rows = append(k.Rows, []page.Key{
		{Choice: page.Choice{ID: keyRub, Icon: "backspace", Spoken: w.T("keys.rub")}, Width: 2},
		{Choice: page.Choice{ID: keyClear, Label: w.T("keys.clear")}, Width: 2},
	})
	return k
}

func (j *Journey) chooseEnrol(_ context.Context, v *visit.Visit, id string) *Task {
	if typed, ok := press(v, v.PIN, id, maxInvitation); ok {
		v.PIN = typed
		v.Replace(visit.Step{Page: v.Here().Page})
		return nil
	}
	line := string(v.PIN)
	return &Task{
		Waiting: j.waiting(v, "maintenance.enrol_waiting"),
		Run: func(ctx context.Context) func(*visit.Visit) {
			err := j.Enrolment.Ask(ctx, line)
			return func(v *visit.Visit) {
				if err != nil { // what was typed stays, to be mended
					v.Replace(visit.Step{Page: v.Here().Page, Arg: err.Error()})
					return
				}
				v.PIN = visit.Empty(v.PIN)
			}
		},
	}
}
