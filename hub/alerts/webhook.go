package alerts

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"
)

// The headers of a message to a webhook. The signature is "v1=" and, in
// hexadecimal, HMAC-SHA-256 with the channel's key over the timestamp (seconds
// since 1970), a full stop, and the body. Who receives it should refuse one
// whose timestamp is more than five minutes off, and take each
// Idempotency-Key once.
const (
	headerID        = "Idempotency-Key"
	headerTimestamp = "Parvis-Timestamp"
	headerSignature = "Parvis-Signature"
)

// post is the body of a message to a webhook.
type post struct {
	ID      string `json:"id"`
	Subject string `json:"subject"`
	Text    string `json:"text"` // for people, as a chat shows it
	URL     string `json:"url"`
	Message
}

// webhook posts a message.
func (a *Alerts) webhook(ctx context.Context, c Channel, key, id string, m Message) error {
	text, _, err := a.write(m)
	if err != nil {
		return err
	}
	body, err := json.Marshal(post{ID: id, Subject: m.subject(), Text: text, URL: a.URL, Message: m})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	at := strconv.FormatInt(a.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Parvis")
	r.Header.Set(headerID, id)
	r.Header.Set(headerTimestamp, at)
	r.Header.Set(headerSignature, "v1="+sign(key, at, body))
	transport := &http.Transport{
		Proxy:             http.ProxyFromEnvironment,
		DialContext:       (&net.Dialer{Timeout: 10 * time.Second, Control: a.mayDial}).DialContext,
		TLSClientConfig:   &tls.Config{RootCAs: a.Roots, MinVersion: tls.VersionTLS12},
		DisableKeepAlives: true,
	}
	client := &http.Client{
		Transport: transport, Timeout: sendWithin,
		// A redirect could lead anywhere, and would carry the message there.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("webhook : %w", inFrench(withoutURL(err)))
	}
	defer answer.Body.Close()
	switch code := answer.StatusCode; {
	case code < 300:
		return nil
	case code < 400:
		return fmt.Errorf("webhook : l’adresse renvoie ailleurs (%d) ; donnez l’adresse définitive", code)
	default:
		return fmt.Errorf("webhook : réponse %d", code)
	}
}

// withoutURL takes the address out of an error: it may hold a token.
func withoutURL(err error) error {
	if outer := new(url.Error); errors.As(err, &outer) {
		return outer.Err
	}
	return err
}

func sign(key, at string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(at + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// errAddress says that a webhook's name leads where none should.
var errAddress = errors.New("cette adresse est celle du hub lui-même ou d’un réseau réservé ; donnez celle d’un autre serveur")

// mayDial refuses addresses that no webhook has a reason to be at: this
// machine's own, and link-local ones, where clouds answer with keys. It looks
// at the address that is really dialled, whatever a name has led to. A town's
// private network is allowed: that is where its help desk is. Where the hub goes
// through a proxy, only the proxy's own address is seen here.
func (a *Alerts) mayDial(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := at.Addr().Unmap()
	switch {
	case ip.IsLoopback() && a.loopback:
		return nil
	case ip.IsLoopback(), ip.IsUnspecified(), ip.IsLinkLocalUnicast(), ip.IsMulticast(), ip.IsInterfaceLocalMulticast():
		return errAddress
	case ip.Is4() && (ip.As4()[0] == 0 || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255})):
		return errAddress
	}
	return nil
}
