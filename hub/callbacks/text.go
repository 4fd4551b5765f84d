package callbacks

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"parvis/hub/alerts"
	"parvis/hub/people"
	"parvis/hub/store"
	"parvis/kiosk/callback"
	"parvis/kiosk/hours"
)

// Texter sends a text message. It keeps nothing of it.
type Texter interface {
	// Text sends to a number in E.164 form. Errors: alerts.SendError, for people.
	Text(ctx context.Context, number, text string) error
}

// mailGateway sends text messages as mails: operators turn what comes to an
// address with a number in it into a text message.
type mailGateway struct {
	alerts  *alerts.Alerts
	channel string // whose mail server sends
	address string // with one of the places for a number
}

// The places for a number in the address of a gateway.
const (
	placeNational      = "{numero}"        // 0612345678
	placeInternational = "{international}" // 33612345678
)

func (g mailGateway) Text(ctx context.Context, number, text string) error {
	national := number
	if rest, ok := strings.CutPrefix(number, "+33"); ok {
		national = "0" + rest
	}
	to := strings.NewReplacer(placeNational, strings.TrimPrefix(national, "+"), placeInternational, strings.TrimPrefix(number, "+")).Replace(g.address)
	err := g.alerts.Mail(ctx, g.channel, to, "SMS", text)
	if failed := new(alerts.SendError); errors.As(err, &failed) { // a server may repeat the address
		return &alerts.SendError{Text: strings.ReplaceAll(failed.Text, to, "ce numéro")}
	}
	if errors.Is(err, store.ErrNotFound) {
		return &alerts.SendError{Text: "le canal choisi dans les réglages des rappels n’existe plus"}
	}
	return err
}

// texter is what sends text messages; nil where none are set up.
func (q *Queue) texter(s Settings) Texter {
	if q.Alerts == nil || s.Channel == "" || s.Gateway == "" {
		return nil
	}
	return mailGateway{q.Alerts, s.Channel, s.Gateway}
}

// TextKind is one of the texts that may be sent. None has anything of a resident
// in it: whoever holds their telephone may read it.
type TextKind string

// The texts.
const (
	TextMissed      TextKind = "text_missed"      // nobody answered
	TextAppointment TextKind = "text_appointment" // when they will be called
	TextCallUs      TextKind = "text_call_us"     // which number to call
)

// TextKinds lists the texts, with how they read.
func TextKinds() []Word {
	return []Word{
		{string(TextMissed), "Nous avons appelé sans vous joindre"},
		{string(TextAppointment), "Le rendez-vous"},
		{string(TextCallUs), "Le numéro à appeler"},
	}
}

// texts are what is sent, by language, with places for what is known of a
// request without opening it.
var texts = map[string]map[TextKind]string{
	"fr": {
		TextMissed:      "{site} : nous vous avons appelé au sujet de votre demande {code}. Nous rappellerons.{telephone}",
		TextAppointment: "{site} : votre demande {code}. Nous vous appellerons le {quand}.{telephone}",
		TextCallUs:      "{site} : votre demande {code}. Vous pouvez nous appeler.{telephone}",
	},
	"en": {
		TextMissed:      "{site}: we called you about your request {code}. We will call again.{telephone}",
		TextAppointment: "{site}: your request {code}. We will call you on {quand}.{telephone}",
		TextCallUs:      "{site}: your request {code}. You can call us.{telephone}",
	},
	"ar": {
		TextMissed:      "{site}: اتصلنا بك بخصوص طلبك {code}. سنتصل بك مرة أخرى.{telephone}",
		TextAppointment: "{site}: طلبك {code}. سنتصل بك يوم {quand}.{telephone}",
		TextCallUs:      "{site}: طلبك {code}. يمكنك الاتصال بنا.{telephone}",
	},
}

// callUs goes before the town's number.
var callUs = map[string]string{"fr": " Tél. ", "en": " Phone: ", "ar": " الهاتف: "}

// TextOf writes a text for a request; empty where it makes no sense: an
// appointment that there isn't, or a number to call that no setting tells.
func (s Settings) TextOf(kind TextKind, i Item) string {
	if kind == TextAppointment && i.State != Appointment || kind == TextCallUs && s.Phone == "" {
		return ""
	}
	lang := i.Lang
	if texts[lang] == nil {
		lang = "fr" // also of plain French
	}
	phone := ""
	if s.Phone != "" {
		phone = callUs[lang] + s.Phone
	}
	when := i.Appointment.In(hours.Paris).Format("02/01/2006, 15:04")
	if lang == "fr" {
		when = i.Appointment.In(hours.Paris).Format("02/01/2006 à 15 h 04")
	}
	return strings.NewReplacer("{site}", cmp.Or(i.SiteName, "Mairie"), "{code}", callback.FormatCode(i.Code), "{quand}", when, "{telephone}", phone).Replace(texts[lang][kind])
}

// Texts reports whether text messages are set up.
func (q *Queue) Texts(s Settings) bool { return q.texter(s) != nil }

// maxTexts is how many text messages a request may cause.
const maxTexts = 5

// SendText sends one of the texts to a number that by has just looked at, in
// E.164 form, and notes that it went, not where to. Errors: TakenError,
// ErrState, ErrGone, FieldError, alerts.SendError where it did not go.
func (q *Queue) SendText(ctx context.Context, by Actor, ref Ref, kind TextKind, number string) (Item, error) {
	settings, err := q.Settings(ctx)
	if err != nil {
		return Item{}, err
	}
	out := q.texter(settings)
	if out == nil {
		return Item{}, wrong("text", "L’envoi de SMS n’est pas réglé.")
	}
	c, err := q.Store.Callback(ctx, ref.ID)
	if err != nil {
		return Item{}, gone(err)
	}
	if err := heldBy(&c, by); err != nil {
		return Item{}, err
	}
	if c.Revision != ref.Revision {
		return Item{}, ErrState
	}
	steps, err := q.Store.CallbackSteps(ctx, ref.ID)
	if err != nil {
		return Item{}, err
	}
	sent := 0
	for _, s := range steps {
		if known(TextKinds(), s.Kind) {
			sent++
		}
	}
	text := settings.TextOf(kind, itemOf(c))
	switch {
	case !known(TextKinds(), string(kind)) || text == "":
		return Item{}, wrong("text", "Choisissez un message.")
	case sent >= maxTexts:
		return Item{}, wrong("text", "%d SMS sont déjà partis pour cette demande.", sent)
	}
	if err := out.Text(ctx, number, text); err != nil {
		return Item{}, err
	}
	return q.change(context.WithoutCancel(ctx), by, ref, "", func(c *store.Callback, now time.Time) (string, *store.AuditLine, error) {
		if c.FirstTry.IsZero() {
			c.FirstTry = now
		}
		audit, err := newAudit(*c, by, people.CallbackTexted, nil, now)
		return string(kind), audit, err
	})
}
