package link_test

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"parvis/kiosk/link"
)

// proxy is a real proxy: it knows CONNECT, and wants a password.
type proxy struct {
	address string
	tunnels atomic.Int64
	asked   atomic.Value // what was to be connected to
}

func newProxy(t testing.TB, to string, answer string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{address: l.Addr().String()}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(conn, to, answer)
		}
	}()
	return p
}

func (p *proxy) serve(conn net.Conn, to, answer string) {
	defer conn.Close()
	buffered := bufio.NewReader(conn)
	r, err := http.ReadRequest(buffered)
	if err != nil {
		return
	}
	p.asked.Store(r.Host)
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte("borne:s3cret!"))
	switch {
	case answer != "":
		io.WriteString(conn, answer)
		return
	case r.Method != http.MethodConnect || r.Header.Get("Proxy-Authorization") != want:
		io.WriteString(conn, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")
		return
	}
	hub, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer hub.Close()
	p.tunnels.Add(1)
	io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		io.Copy(hub, buffered)
		hub.(*net.TCPConn).CloseWrite()
	}()
	io.Copy(conn, hub)
}

func TestProxy(t *testing.T) {
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { cbor(t, w, 200, link.ReportAnswer{Now: 17}) }))
	t.Run("given", func(t *testing.T) {
		p := newProxy(t, s.address, "")
		c := s.clientBy(t, "hub.example:8443", "http://borne:s3cret%21@"+p.address)
		for range 3 {
			if a, err := c.Report(t.Context(), fullReport(1)); err != nil || a.Now != 17 {
				t.Fatalf("%+v, %v", a, err)
			}
		}
		if n, asked := p.tunnels.Load(), p.asked.Load(); n != 1 || asked != "hub.example:8443" {
			t.Errorf("%d tunnels to %s", n, asked)
		}
	})
	t.Run("of the environment", func(t *testing.T) {
		p := newProxy(t, s.address, "")
		t.Setenv("HTTPS_PROXY", "http://borne:s3cret%21@"+p.address)
		t.Setenv("NO_PROXY", "other.example")
		if _, err := s.clientBy(t, "hub.example:8443", "").Report(t.Context(), fullReport(1)); err != nil || p.tunnels.Load() != 1 {
			t.Errorf("%d tunnels, %v", p.tunnels.Load(), err)
		}
	})
	t.Run("not for this hub", func(t *testing.T) {
		p := newProxy(t, s.address, "")
		t.Setenv("HTTPS_PROXY", "http://borne:s3cret%21@"+p.address)
		t.Setenv("NO_PROXY", "hub.invalid")
		if _, err := s.clientBy(t, "hub.invalid:8443", "").Report(t.Context(), fullReport(1)); err == nil || p.asked.Load() != nil {
			t.Errorf("the proxy was asked for %v, %v", p.asked.Load(), err)
		}
	})
	t.Run("of settings that change", func(t *testing.T) {
		p := newProxy(t, s.address, "")
		t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
		proxy, without := "http://borne:s3cret%21@"+p.address, []string{".other"}
		cert := s.ca.issue(t, "MN-01")
		hub := func(name string) *link.Client {
			c, err := link.NewClient(link.ClientOptions{Hub: name, Settings: func() (string, []string) { return proxy, without },
				TLS: &tls.Config{RootCAs: s.ca.pool, Certificates: []tls.Certificate{cert}}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Close)
			return c
		}
		c := hub(s.address)
		report := func() error { _, err := c.Report(t.Context(), fullReport(1)); return err }
		// What is on this machine goes by no proxy, whatever is set.
		if err := report(); err != nil || p.tunnels.Load() != 0 {
			t.Errorf("on this machine: %d tunnels, %v", p.tunnels.Load(), err)
		}
		c = hub("hub.invalid:8443")
		if err := report(); err != nil || p.tunnels.Load() != 1 {
			t.Errorf("through it: %d tunnels, %v", p.tunnels.Load(), err)
		}
		without = append(without, ".invalid")
		if err := report(); err != nil {
			t.Errorf("the connection is gone: %v", err)
		}
		c.Reconnect()
		if err := report(); err == nil || p.tunnels.Load() != 1 {
			t.Errorf("set not to: %d tunnels, %v", p.tunnels.Load(), err)
		}
		without = nil
		if err := report(); err != nil || p.tunnels.Load() != 2 {
			t.Errorf("set to again: %d tunnels, %v", p.tunnels.Load(), err)
		}
		proxy = "ftp://x:s3cret@y"
		c.Reconnect()
		if err := report(); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("no proxy: %v", err)
		}
		proxy = "" // then that of the environment counts
		if err := report(); err == nil || !strings.Contains(err.Error(), "proxy") {
			t.Errorf("of the environment: %v", err)
		}
	})
	t.Run("wrong password", func(t *testing.T) {
		p := newProxy(t, s.address, "")
		_, err := s.clientBy(t, "hub.example:8443", "http://borne:wr0ng@"+p.address).Report(t.Context(), fullReport(1))
		if !errors.Is(err, link.ErrProxy) || !strings.Contains(err.Error(), "407") || strings.Contains(err.Error(), "wr0ng") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a portal in its place", func(t *testing.T) {
		p := newProxy(t, s.address, "HTTP/1.1 302 Found\r\nLocation: http://portail.example/\r\nContent-Length: 0\r\n\r\n")
		_, err := s.clientBy(t, "hub.example:8443", "http://"+p.address).Report(t.Context(), fullReport(1))
		if !errors.Is(err, link.ErrProxy) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("gone", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		_, err = s.clientBy(t, "hub.example:8443", "http://borne:s3cret%21@"+l.Addr().String()).Report(t.Context(), fullReport(1))
		if err == nil || !strings.Contains(err.Error(), "proxy") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("error %v", err)
		}
	})
	for _, wrong := range []string{"proxy.example:3128", "https://user:s3cret@proxy.example", "http://user:s3cret@:80", "http://a b:s3cret@x", "%"} {
		_, err := link.NewClient(link.ClientOptions{Hub: "hub.example", TLS: s.tls, Proxy: wrong})
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
