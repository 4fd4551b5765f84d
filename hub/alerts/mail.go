package alerts

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// mailPage is a mail's HTML. Everything that comes from elsewhere goes through
// the template, which escapes it.
var mailPage = template.Must(template.New("mail").Parse(`<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><title>{{.Subject}}</title></head>
<body style="font-family:sans-serif;font-size:16px;line-height:1.5;color:#14233a">
{{range .Items}}<h1 style="font-size:18px;margin:24px 0 8px">{{.Head}}</h1>
{{range .Lines}}<p style="margin:0 0 6px">{{.}}</p>
{{end}}{{with .URL}}<p style="margin:0 0 6px"><a href="{{.}}">Voir dans Parvis</a></p>
{{end}}{{end}}<p style="margin-top:32px;font-size:14px;color:#45536a">{{range .Foot}}{{.}} {{end}}</p>
</body></html>
`))

// foot says, below a mail, when it comes and where to change that.
func (m Message) foot() []string {
	if len(m.Items) == 1 && m.Items[0].Event == Notice {
		return []string{"Parvis n’envoie ce message qu’une fois.", "Cela se règle dans Parvis, à la page « Rappels »."}
	}
	return []string{"Parvis n’envoie un message qu’au début et à la fin d’une panne.", "Les règles se changent dans Parvis, à la page « Alertes »."}
}

type mailItem struct {
	Head  string
	Lines []string
	URL   string
}

// write makes the text and the HTML of a mail.
func (a *Alerts) write(m Message) (text, html string, err error) {
	var items []mailItem
	var b strings.Builder
	for _, i := range m.Items {
		item := mailItem{Head: oneLine(i.headline())}
		for _, line := range i.lines(a.Zone) {
			item.Lines = append(item.Lines, long(line))
		}
		if i.Event != Trial {
			item.URL = a.page(i)
		}
		items = append(items, item)
		b.WriteString(item.Head + "\n" + strings.Join(item.Lines, "\n") + "\n")
		if item.URL != "" {
			b.WriteString(item.URL + "\n")
		}
		b.WriteString("\n")
	}
	b.WriteString("-- \n" + strings.Join(m.foot(), "\n") + "\n")
	var page strings.Builder
	err = mailPage.Execute(&page, map[string]any{"Subject": m.subject(), "Items": items, "Foot": m.foot()})
	return b.String(), page.String(), err
}

// long is a line of a text, which may be longer than that of a header.
func long(line string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, line)
}

// page is the address of the console's page about an item.
func (a *Alerts) page(i Item) string {
	return strings.TrimSuffix(a.URL, "/") + i.path()
}

// sendWithin is how long a mail server or a receiver may take.
const sendWithin = 20 * time.Second

// partial says that a mail went to some of its recipients only.
type partial struct{ text string }

func (e *partial) Error() string { return e.text }

// mail sends a message by mail. When the server doesn't take one of the
// recipients it sends nothing to any; then each gets a mail of their own, so
// that one who has left keeps nobody else from being told. Errors: partial.
func (a *Alerts) mail(ctx context.Context, c Channel, password, id string, m Message) error {
	if len(m.To) > 0 {
		c.To = m.To
	}
	err := a.mailOnce(ctx, c, password, id, m)
	refused := new(mail.SendError)
	if len(c.To) < 2 || !errors.As(err, &refused) || refused.Reason != mail.ErrSMTPRcptTo {
		return err
	}
	var not []string
	for _, to := range c.To {
		one := c
		one.To = []string{to}
		if err = a.mailOnce(ctx, one, password, id, m); err != nil {
			not = append(not, to)
		}
	}
	switch len(not) {
	case 0:
		return nil
	case len(c.To):
		return err
	}
	return &partial{"refusé pour " + strings.Join(not, ", ")}
}

// mailOnce sends one mail. The Message-ID is always the same for the same
// message, so that a mailbox can tell a repeated one.
func (a *Alerts) mailOnce(ctx context.Context, c Channel, password, id string, m Message) error {
	text, html, err := a.write(m)
	if err != nil {
		return err
	}
	msg, err := a.newMail(c, id, "[Parvis] "+m.subject(), text)
	if err != nil {
		return err
	}
	msg.AddAlternativeString(mail.TypeTextHTML, html)
	return a.dispatch(ctx, c, password, msg)
}

func (a *Alerts) newMail(c Channel, id, subject, text string) (*mail.Msg, error) {
	msg := mail.NewMsg()
	if err := msg.FromFormat("Parvis", c.From); err != nil {
		return nil, err
	}
	if err := msg.To(c.To...); err != nil {
		return nil, err
	}
	msg.Subject(subject)
	msg.SetMessageIDWithValue(id + "@" + a.host())
	msg.SetDateWithValue(a.Now())
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(mail.TypeTextPlain, text)
	return msg, nil
}

// dispatch hands a mail to a channel's server.
func (a *Alerts) dispatch(ctx context.Context, c Channel, password string, msg *mail.Msg) error {
	options := []mail.Option{mail.WithPort(c.Port), mail.WithTimeout(sendWithin), mail.WithHELO(a.host()),
		mail.WithTLSConfig(&tls.Config{ServerName: c.Host, RootCAs: a.Roots, MinVersion: tls.VersionTLS12})}
	switch c.TLS {
	case TLS:
		options = append(options, mail.WithSSL())
	case STARTTLS:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	default:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	}
	if c.User != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(c.User), mail.WithPassword(password))
	}
	client, err := mail.NewClient(c.Host, options...)
	if err != nil {
		return err
	}
	// What goes wrong after the mail was taken, in saying goodbye, is no matter.
	if err := client.DialAndSendWithContext(ctx, msg); err != nil && !msg.IsDelivered() {
		return fmt.Errorf("courriel par %s:%d : %w", c.Host, c.Port, inFrench(err))
	}
	return nil
}

// host is the console's name, as messages bear it.
func (a *Alerts) host() string {
	if u, err := url.Parse(a.URL); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return "parvis.invalid"
}
