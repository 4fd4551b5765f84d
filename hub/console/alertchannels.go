package console

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parvis/hub/alerts"
	"parvis/hub/people"
)

// alertChannelRoutes are the pages that say where messages go.
func (c *Console) alertChannelRoutes() []route {
	if c.Alerts == nil {
		return nil
	}
	return []route{
		{method: "GET", pattern: "/alertes/canaux/{channel}", permission: people.AlertsManage, handler: c.channelPage},
		{method: "POST", pattern: "/alertes/canaux/{channel}", permission: people.AlertsManage, handler: c.saveChannel},
		{method: "POST", pattern: "/alertes/canaux/{channel}/essai", permission: people.AlertsManage, handler: c.tryChannel},
		{method: "POST", pattern: "/alertes/canaux/{channel}/suppression", permission: people.AlertsManage, handler: c.removeChannel},
	}
}

// Addresses of the forms for new channels.
const (
	newMail    = "nouveau-courriel"
	newWebhook = "nouveau-webhook"
)

// channelView is the form of a channel.
type channelView struct {
	alerts.Channel
	New        bool
	PortTyped  string
	Recipients string // one a line
}

// Action is where the form goes: the page that says that a trial has failed has
// another address.
func (v channelView) Action() string {
	switch {
	case v.ID != "":
		return "/alertes/canaux/" + v.ID
	case v.Kind == alerts.Mail:
		return "/alertes/canaux/" + newMail
	}
	return "/alertes/canaux/" + newWebhook
}

func (c *Console) channelPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ch, _, err := c.channelOf(r.Context(), r.PathValue("channel"))
	if err != nil {
		return err
	}
	form := channelView{Channel: ch, Recipients: strings.Join(ch.To, "\n")}
	if ch.Port > 0 {
		form.PortTyped = strconv.Itoa(ch.Port)
	}
	return c.showChannel(w, r, v, form, nil)
}

// channelOf is the channel that an address names, or what a new one begins as.
func (c *Console) channelOf(ctx context.Context, id string) (ch alerts.Channel, fresh bool, err error) {
	switch id {
	case newMail:
		return alerts.Channel{Kind: alerts.Mail, On: true, Port: 587, TLS: alerts.STARTTLS}, true, nil
	case newWebhook:
		return alerts.Channel{Kind: alerts.Webhook, On: true}, true, nil
	}
	ch, err = c.Alerts.Channel(ctx, id)
	return ch, false, err
}

func (c *Console) showChannel(w http.ResponseWriter, r *http.Request, v *visitor, form channelView, mistakes formErrors) error {
	form.New = form.ID == ""
	title := "Canal « " + form.Name + " »"
	switch {
	case form.New && form.Kind == alerts.Mail:
		title = "Nouveau canal" + fixed + ": courriel"
	case form.New:
		title = "Nouveau canal" + fixed + ": webhook"
	}
	return c.render(w, r, v, "alertchannel", view{Title: title, Data: form, Errors: mistakes})
}

func (c *Console) saveChannel(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	ch, fresh, err := c.channelOf(ctx, r.PathValue("channel"))
	if err != nil {
		return err
	}
	field := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	ch.Name, ch.On = oneLine(field("name")), field("on") != ""
	if ch.Kind == alerts.Mail {
		ch.Host, ch.TLS, ch.User, ch.From = field("host"), alerts.Encryption(field("tls")), field("user"), field("from")
		ch.Port, err = strconv.Atoi(field("port"))
		if err != nil {
			ch.Port = 0
		}
		ch.To = strings.FieldsFunc(field("to"), func(r rune) bool { return strings.ContainsRune(" ,;\r\n\t", r) })
	} else {
		ch.URL = field("url")
	}
	form := channelView{Channel: ch, PortTyped: field("port"), Recipients: field("to")}
	saved, err := c.Alerts.PutChannel(ctx, ch, r.PostFormValue("secret"))
	if wrong := new(alerts.FieldError); errors.As(err, &wrong) {
		return c.showChannel(w, r, v, form, formErrors{{wrong.Field, wrong.Text}})
	}
	if err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: people.AlertSettings, Object: "canal « " + saved.Name + " »", Detail: map[string]string{"canal": saved.ID}}); err != nil {
		return err
	}
	flash := "Le canal « " + saved.Name + " » est enregistré."
	if fresh {
		flash += " Envoyez un essai."
	}
	return c.redirect(w, r, "/alertes/canaux/"+saved.ID, flash)
}

// tryWithin is how long somebody waits for a trial at most: less than a proxy does.
const tryWithin = 25 * time.Second

func (c *Console) tryChannel(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ch, err := c.Alerts.Channel(r.Context(), r.PathValue("channel"))
	if err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: people.AlertSettings, Object: "essai du canal « " + ch.Name + " »", Detail: map[string]string{"canal": ch.ID}}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), tryWithin)
	defer cancel()
	err = c.Alerts.Try(ctx, ch.ID)
	if failed := new(alerts.SendError); errors.As(err, &failed) {
		form := channelView{Channel: ch, PortTyped: strconv.Itoa(ch.Port), Recipients: strings.Join(ch.To, "\n")}
		return c.showChannel(w, r, v, form, formErrors{{"", "L’essai n’est pas parti. " + sentence(failed.Text)}})
	}
	if err != nil {
		return err
	}
	return c.redirect(w, r, "/alertes/canaux/"+ch.ID, "L’essai est parti. Vérifiez qu’il est arrivé.")
}

func (c *Console) removeChannel(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ch, err := c.Alerts.Channel(r.Context(), r.PathValue("channel"))
	if err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: people.AlertSettings, Object: "canal « " + ch.Name + " » supprimé", Detail: map[string]string{"canal": ch.ID}}); err != nil {
		return err
	}
	if err := c.Alerts.RemoveChannel(r.Context(), ch.ID); err != nil {
		return err
	}
	return c.redirect(w, r, "/alertes/reglages", "Le canal « "+ch.Name+" » est supprimé.")
}
