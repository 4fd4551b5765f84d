package link

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"
)

// ErrStranger says that something else than the hub answers: a captive portal,
// a proxy that opens what is encrypted, another server.
var ErrStranger = errors.New("ce n’est pas le hub qui répond (portail captif, proxy qui déchiffre, mauvaise adresse ?)")

// ErrProxy says that the proxy refuses.
var ErrProxy = errors.New("le proxy refuse (adresse, nom ou mot de passe ?)")

// proxyFunc chooses the proxy for a request: the one given, that of the settings,
// or else that of the environment.
func proxyFunc(o ClientOptions) (func(*http.Request) (*url.URL, error), error) {
	if o.Proxy != "" {
		u, err := checkProxy(o.Proxy)
		if err != nil {
			return nil, err
		}
		return http.ProxyURL(u), nil
	}
	env := httpproxy.FromEnvironment()
	if env.HTTPSProxy != "" {
		text := env.HTTPSProxy
		if !strings.Contains(text, "://") {
			text = "http://" + text
		}
		if _, err := checkProxy(text); err != nil {
			return nil, fmt.Errorf("HTTPS_PROXY : %w", err)
		}
	}
	choose := env.ProxyFunc()
	return func(r *http.Request) (*url.URL, error) {
		if o.Settings == nil {
			return choose(r.URL)
		}
		proxy, without := o.Settings()
		if proxy == "" {
			return choose(r.URL)
		}
		if _, err := checkProxy(proxy); err != nil {
			return nil, err
		}
		set := httpproxy.Config{HTTPSProxy: proxy, NoProxy: strings.Join(without, ",")}
		return set.ProxyFunc()(r.URL)
	}, nil
}

// checkProxy never repeats the address: it may hold a password.
func checkProxy(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "socks5" {
		return nil, errors.New("adresse du proxy : attendu http://proxy.ville.fr:3128 ou " +
			"socks5://proxy.ville.fr:1080, avec nom:motdepasse@ devant le nom s’il en faut")
	}
	return u, nil
}

func checkProxyAnswer(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%w : %s", ErrProxy, short(answer.Status))
	}
	return nil
}

// dial connects to the hub or to the proxy, and notes the connection for Reconnect.
func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	noted := &notedConn{Conn: conn, client: c}
	c.mu.Lock()
	c.conns[noted] = true
	c.mu.Unlock()
	return noted, nil
}

type notedConn struct {
	net.Conn
	client *Client
}

func (n *notedConn) Close() error {
	n.client.mu.Lock()
	delete(n.client.conns, n)
	n.client.mu.Unlock()
	return n.Conn.Close()
}

// problem reads why the hub has refused.
func (c *Client) problem(ctx context.Context, dropped int64, resp *http.Response) error {
	p := &Problem{Type: "about:blank", Title: http.StatusText(resp.StatusCode)}
	media, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	if media == MediaProblemCBOR || media == MediaProblemJSON {
		data, err := c.read(ctx, dropped, resp.Body)
		if err != nil {
			return err
		}
		if p, err = decodeProblem(media, data); err != nil {
			return fmt.Errorf("%s : %s : %w", c.host, resp.Status, err)
		}
	} else if resp.StatusCode < 400 {
		return fmt.Errorf("%w : %s : %s", ErrStranger, c.host, short(resp.Status))
	}
	p.Status = resp.StatusCode
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
		p.RetryAfter = min(time.Duration(seconds)*time.Second, MostRetryAfter)
	}
	return p
}

func decodeProblem(media string, data []byte) (*Problem, error) {
	// Errors is for people who write programs, and its form depends on the coding.
	var said struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Detail string `json:"detail"`
		Now    int64  `json:"now"`
	}
	decode := Decode
	if media == MediaProblemJSON {
		decode = func(data []byte, into any) error { return json.Unmarshal(data, into) }
	}
	if err := decode(data, &said); err != nil {
		return nil, err
	}
	return &Problem{Type: short(said.Type), Title: short(said.Title), Detail: short(said.Detail), Now: said.Now}, nil
}

// explain puts what failed on the way into words that IT staff can act on.
// dropped is how often Reconnect had been called when the request began.
func (c *Client) explain(ctx context.Context, dropped int64, err error) error {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		verify    *tls.CertificateVerificationError
		plain     tls.RecordHeaderError
		operation *net.OpError
	)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("%s : pas de réponse à temps : %w", c.host, ctx.Err())
	case ctx.Err() != nil:
		return ctx.Err()
	case c.dropped.Load() != dropped:
		return fmt.Errorf("%s : %w", c.host, ErrReconnected)
	case errors.As(err, &authority), errors.As(err, &name), errors.As(err, &verify), errors.As(err, &plain):
		return fmt.Errorf("%w : %s : %w", ErrStranger, c.host, err)
	case errors.As(err, &operation) && operation.Op == "proxyconnect":
		return fmt.Errorf("proxy : %w", err)
	}
	return fmt.Errorf("%s : %w", c.host, err)
}
