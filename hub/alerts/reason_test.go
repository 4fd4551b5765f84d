package alerts_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parvis/hub/alerts"
	"parvis/hub/alerts/mailtest"
	"parvis/hub/store/storetest"
)

// What keeps a message from a server is said in French, with what to do.
func TestReasons(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	a := w.hubs[0]
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	port := closed.Addr().(*net.TCPAddr).Port
	must(t, closed.Close())
	stranger := httptest.NewUnstartedServer(http.NotFoundHandler())
	stranger.TLS = &tls.Config{}
	stranger.StartTLS()
	t.Cleanup(stranger.Close)
	gone := newReceiver(t)
	gone.reply = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
	box := mailtest.Start(t)
	wrong, nobody := box.Channel(), box.Channel()
	nobody.Port = port
	webhook := func(url string) alerts.Channel {
		return alerts.Channel{Kind: alerts.Webhook, Name: "x", On: true, URL: url}
	}
	for name, test := range map[string]struct {
		channel alerts.Channel
		secret  string
		says    string
	}{
		"nobody listens":         {webhook("https://" + closed.Addr().String()), webhookKey, "webhook : connexion refusée"},
		"no mail server":         {nobody, mailtest.Password, "connexion refusée"},
		"a wrong password":       {wrong, "s3cr3t-mistake", "le serveur refuse le compte ou le mot de passe"},
		"an unknown certificate": {webhook(stranger.URL), webhookKey, "webhook : son certificat vient d’une autorité que le hub ne connaît pas"},
		"a refusal":              {webhook(gone.URL), webhookKey, "webhook : réponse 503"},
	} {
		c, err := a.PutChannel(ctx, test.channel, test.secret)
		must(t, err)
		failed := new(alerts.SendError)
		if err := a.Try(ctx, c.ID); !errors.As(err, &failed) || !strings.Contains(failed.Text, test.says) || strings.Contains(failed.Text, "dial") || strings.Contains(failed.Text, "Service Unavailable") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Those that no server here can cause.
	past, end := context.WithDeadline(ctx, time.Now().Add(-time.Second))
	defer end()
	_, late := new(net.Dialer).DialContext(past, "tcp", "127.0.0.1:1")
	for says, err := range map[string]error{
		"aucun serveur ne porte le nom « smtp.ville.fr »": &net.DNSError{Name: "smtp.ville.fr", IsNotFound: true},
		"pas de réponse à temps":                          late,
		"au nom d’un autre serveur":                       &tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: new(x509.Certificate), Host: "a"}},
		"n’est pas valable":                               &tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired}},
		"550 no such user":                                errors.New("550 no such user"),
	} {
		if text := alerts.InFrench(err).Error(); !strings.Contains(text, says) {
			t.Errorf("%v becomes %q", err, text)
		}
	}
}
