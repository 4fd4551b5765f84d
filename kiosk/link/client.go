package link

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// How long things may take. A network that lets nothing through any more is
// noticed after quiet and pingTimeout at most; while reports flow, no ping is
// sent.
const (
	patience    = 20 * time.Second // for an answer, on top of what follows
	slowest     = 4 << 10          // bytes per second that a line carries at least
	dialTimeout = 10 * time.Second
	quiet       = Every + 10*time.Second
	pingTimeout = 10 * time.Second
)

// maxAnswer is the most bytes of an answer that are read, but for content.
const maxAnswer = 1 << 20

// ClientOptions say where the hub is and who the borne is.
type ClientOptions struct {
	Hub string // host, host:port, or https://host:port; the port is 443 unless given
	// TLS has the borne's certificate, through GetClientCertificate if it may
	// change, and knows the hub's authority. Its ServerName is ServerName
	// unless set, whatever the address.
	TLS *tls.Config
	// Proxy is http:// or socks5:// with host and port, and where needed
	// user:password@. When empty, Settings counts, and then HTTPS_PROXY and
	// NO_PROXY.
	Proxy string
	// Settings, where given, is asked each time that a connection is made: a proxy
	// as above and what is reached without it, as in NO_PROXY.
	Settings func() (proxy string, without []string)
}

// Client is a borne's side of the link. It speaks HTTP/2 over TLS 1.3 only, and
// everything goes through one connection, which is made anew when it has died.
// It is safe for concurrent use.
//
// Errors are a *Problem where the hub has refused; ErrStranger where something
// else than the hub has answered; and otherwise the network's.
type Client struct {
	base      string                         // https://host:port/v1
	host      string                         // for errors
	transport atomic.Pointer[http.Transport] // another after each Reconnect
	deflate   atomic.Bool                    // the hub has offered it
	dropped   atomic.Int64                   // times that Reconnect was called

	mu    sync.Mutex
	conns map[net.Conn]bool
}

// ErrReconnected says that Reconnect has ended the request: sent again, it goes
// through the new connection.
var ErrReconnected = errors.New("la liaison avec le hub est refaite")

// NewClient makes a client. It doesn't connect yet.
func NewClient(o ClientOptions) (*Client, error) {
	base, err := ParseHub(o.Hub)
	if err != nil {
		return nil, err
	}
	proxy, err := proxyFunc(o)
	if err != nil {
		return nil, err
	}
	config := o.TLS.Clone()
	config.MinVersion = tls.VersionTLS13
	if config.ServerName == "" {
		config.ServerName = ServerName
	}
	c := &Client{base: base.String() + Prefix, host: base.Host, conns: make(map[net.Conn]bool)}
	transport := &http.Transport{
		Proxy:                  proxy,
		DialContext:            c.dial,
		OnProxyConnectResponse: checkProxyAnswer,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    dialTimeout,
		DisableCompression:     true, // answers are a few bytes
		MaxResponseHeaderBytes: 16 << 10,
		MaxConnsPerHost:        1, // also while it is being made
		// One that was made while Reconnect dropped the others serves nobody again.
		IdleConnTimeout: 4 * Every,
		Protocols:       new(http.Protocols),
		HTTP2: &http.HTTP2Config{
			SendPingTimeout:  quiet,
			PingTimeout:      pingTimeout,
			WriteByteTimeout: patience,
			// What the hub may send ahead of what is read.
			MaxReceiveBufferPerStream:     512 << 10,
			MaxReceiveBufferPerConnection: 1 << 20,
			// One connection, even when a hub allows few requests at a time.
			StrictMaxConcurrentRequests: true,
		},
	}
	transport.Protocols.SetHTTP2(true)
	c.transport.Store(transport)
	return c, nil
}

// ParseHub reads the address of a hub: host, host:port or https://host:port.
func ParseHub(address string) (*url.URL, error) {
	text := address
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil ||
		u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		return nil, fmt.Errorf("adresse du hub : %q : attendu, par exemple, hub.ville.fr:8443", short(address))
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), "443")
	}
	u.Path = ""
	return u, nil
}

// Reconnect drops the connection, and with it whatever request is under way:
// ErrReconnected. The next one makes a new connection, with the certificate of
// then.
func (c *Client) Reconnect() {
	c.dropped.Add(1)
	// A connection that was closed stays in its transport's pool for a moment:
	// the next request must not be given it.
	former := c.transport.Load()
	c.transport.Store(former.Clone())
	c.mu.Lock()
	conns := slices.Collect(maps.Keys(c.conns))
	c.mu.Unlock()
	for _, conn := range conns {
		conn.Close() // the requests on it report the error
	}
	former.CloseIdleConnections()
}

// Close drops the connection for good.
func (c *Client) Close() {
	c.Reconnect()
	c.transport.Load().CloseIdleConnections()
}

// Report tells how the borne is.
func (c *Client) Report(ctx context.Context, r Report) (ReportAnswer, error) {
	var a ReportAnswer
	_, err := c.send(ctx, http.MethodPost, "/report", r, &a)
	return a, err
}

// Commands waits for commands: wait at most, which should be Wait. When the
// hub has none until then, there are none in the answer.
func (c *Client) Commands(ctx context.Context, wait time.Duration) (Commands, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+patience)
	defer cancel()
	var a Commands
	seconds := strconv.FormatInt(int64(wait/time.Second), 10)
	_, err := c.do(ctx, http.MethodGet, "/commands?wait="+seconds, nil, &a)
	return a, err
}

// PutOutcome tells what became of a command.
func (c *Client) PutOutcome(ctx context.Context, command uuid.UUID, o Outcome) error {
	_, err := c.send(ctx, http.MethodPut, "/commands/"+command.String()+"/outcome", o, nil)
	return err
}

// PutCallback gives the hub a request to be called back. Once it returns nil
// the hub has it on its disk; fresh says that it had not had it before.
func (c *Client) PutCallback(ctx context.Context, id uuid.UUID, cb Callback) (fresh bool, err error) {
	status, err := c.send(ctx, http.MethodPut, "/callbacks/"+id.String(), cb, nil)
	if err == nil && status != http.StatusCreated && status != http.StatusOK {
		return false, fmt.Errorf("%w : %s : statut %d", ErrStranger, c.host, status) // nothing says that it is kept
	}
	return status == http.StatusCreated, err
}

// PutUnfound gives the hub a search that found nothing. Once it returns nil the
// hub has it, or needs it no more.
func (c *Client) PutUnfound(ctx context.Context, id uuid.UUID, u Unfound) error {
	status, err := c.send(ctx, http.MethodPut, "/unfound/"+id.String(), u, nil)
	if err == nil && status != http.StatusNoContent {
		return fmt.Errorf("%w : %s : statut %d", ErrStranger, c.host, status)
	}
	return err
}

// Enrol asks for the borne's first certificate.
func (c *Client) Enrol(ctx context.Context, r EnrolRequest) (Enrolled, error) {
	var a Enrolled
	_, err := c.send(ctx, http.MethodPost, "/enrol", r, &a)
	return a, err
}

// Renew asks for the borne's next certificate.
func (c *Client) Renew(ctx context.Context, r RenewRequest) (Enrolled, error) {
	var a Enrolled
	_, err := c.send(ctx, http.MethodPost, "/renew", r, &a)
	return a, err
}

// send sends a message that is answered at once.
func (c *Client) send(ctx context.Context, method, path string, message, answer any) (status int, err error) {
	body, err := Encode(message)
	if err != nil {
		return 0, fmt.Errorf("%s %s : %w", method, path, err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience+time.Duration(len(body))*time.Second/slowest)
	defer cancel()
	return c.do(ctx, method, path, body, answer)
}

// do sends a request and reads its answer, if one is wanted, bounded.
func (c *Client) do(ctx context.Context, method, path string, body []byte, answer any) (status int, err error) {
	req, err := c.request(ctx, method, path, body)
	if err != nil {
		return 0, err
	}
	dropped := c.dropped.Load()
	resp, err := c.transport.Load().RoundTrip(req)
	if err != nil {
		return 0, c.explain(ctx, dropped, err)
	}
	defer resp.Body.Close()
	if offersDeflate(resp.Header) {
		c.deflate.Store(true)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return resp.StatusCode, c.problem(ctx, dropped, resp)
	}
	if answer == nil || resp.StatusCode == http.StatusNoContent {
		return resp.StatusCode, nil
	}
	if err := checkMedia(resp.Header.Get("Content-Type"), MediaCBOR); err != nil {
		return 0, fmt.Errorf("%w : %s : %w", ErrStranger, c.host, err)
	}
	data, err := c.read(ctx, dropped, resp.Body)
	if err != nil {
		return 0, err
	}
	if err := Decode(data, answer); err != nil {
		return 0, fmt.Errorf("%s : %w", c.host, err)
	}
	return resp.StatusCode, nil
}

// request makes a request with as few headers as there can be.
func (c *Client) request(ctx context.Context, method, path string, body []byte) (*http.Request, error) {
	coded := false
	if c.deflate.Load() && len(body) > 0 {
		var shorter []byte
		if shorter, coded = deflated(body); coded {
			body = shorter
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header["User-Agent"] = nil // none; each report says the version
	req.Header.Set("Accept", MediaCBOR)
	if len(body) > 0 {
		req.Header.Set("Content-Type", MediaCBOR)
	}
	if coded {
		req.Header.Set("Content-Encoding", deflate)
	}
	return req, nil
}

func (c *Client) read(ctx context.Context, dropped int64, body io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	if err != nil {
		return nil, c.explain(ctx, dropped, err)
	}
	if len(data) > maxAnswer {
		return nil, fmt.Errorf("%w : %s : réponse de plus de %d octets", ErrStranger, c.host, maxAnswer)
	}
	return data, nil
}

// File opens a file that the hub hands out, from one byte on: path is what
// follows Prefix, such as "/files/" and a SHA-256. Where the hub begins
// elsewhere, at says where; size is that of the whole. The caller bounds the
// time, reads at most size-at bytes, checks them and closes body.
func (c *Client) File(ctx context.Context, path string, from int64) (body io.ReadCloser, at, size int64, err error) {
	req, err := c.request(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, 0, 0, err
	}
	req.Header.Del("Accept") // any
	if from > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	dropped := c.dropped.Load()
	resp, err := c.transport.Load().RoundTrip(req)
	if err != nil {
		return nil, 0, 0, c.explain(ctx, dropped, err)
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return resp.Body, 0, resp.ContentLength, nil
	case http.StatusPartialContent:
		at, size, err = contentRange(resp.Header.Get("Content-Range"))
	default:
		err = c.problem(ctx, dropped, resp)
	}
	if err != nil {
		return nil, 0, 0, errors.Join(err, resp.Body.Close())
	}
	return resp.Body, at, size, nil
}

func contentRange(header string) (at, size int64, err error) {
	var last int64
	n, err := fmt.Sscanf(header, "bytes %d-%d/%d", &at, &last, &size)
	if err != nil || n != 3 || at < 0 || last < at || size <= last {
		return 0, 0, fmt.Errorf("%w : Content-Range %q", errMedia, short(header))
	}
	return at, size, nil
}
