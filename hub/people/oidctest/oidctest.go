// Package oidctest runs a real provider of OpenID Connect for tests: npm's
// oidc-provider, under node.
package oidctest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"parvis/packaging/npmtest"
)

// What the provider knows of the hub.
const (
	ClientID = "parvis"
	Secret   = "secret of the client"
)

// Account is what the provider says of somebody: claims by name. Those under
// "id_token" stand in the ID token only, in place of the others.
type Account map[string]any

// Provider is one that runs.
type Provider struct {
	t      testing.TB
	Issuer string
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Scanner
}

// Start runs a provider that knows the hub by its address for the way back,
// until the test ends.
func Start(t testing.TB, back string) *Provider {
	t.Helper()
	home, err := npmtest.Install("hub/people/oidctest/testdata/provider")
	if err != nil {
		t.Fatal(err)
	}
	p := &Provider{t: t, cmd: exec.Command("node", "provider.js", back, "0")}
	p.cmd.Dir = home
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var complaints strings.Builder // Node's age, and that the settings are for tests
	p.cmd.Stderr = &complaints
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	p.out = bufio.NewScanner(out)
	if p.Issuer = p.line(); !strings.HasPrefix(p.Issuer, "http://127.0.0.1:") {
		p.Stop()
		t.Fatalf("the provider says %q\n%s", p.Issuer, complaints.String())
	}
	return p
}

func (p *Provider) line() string {
	for p.out.Scan() {
		if line := p.out.Text(); line == "ok" || strings.HasPrefix(line, "http") {
			return line
		}
	}
	return ""
}

// Stop ends the provider: it answers nobody any more.
func (p *Provider) Stop() {
	p.in.Close()
	p.cmd.Wait() // its exit code says nothing
}

// Accounts says who can sign in, by their subject.
func (p *Provider) Accounts(all map[string]Account) {
	p.t.Helper()
	line, err := json.Marshal(all)
	if err == nil {
		_, err = fmt.Fprintln(p.in, string(line))
	}
	if err != nil || p.line() != "ok" {
		p.t.Fatalf("the provider doesn't take the accounts: %v", err)
	}
}

var (
	formAction = regexp.MustCompile(`<form[^>]* action="([^"]*)"`)
	formPrompt = regexp.MustCompile(`name="prompt" value="([^"]*)"`)
)

// SignIn does as a browser would that is sent to the provider, where somebody
// signs in and agrees. It returns what the browser brings back to the hub.
func (p *Provider) SignIn(at, subject string) url.Values {
	p.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	var answer url.Values
	client := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), p.Issuer) {
			return nil
		}
		answer = r.URL.Query()
		return http.ErrUseLastResponse
	}}
	response, err := client.Get(at)
	for range 4 {
		if err != nil {
			p.t.Fatal(err)
		}
		page, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			p.t.Fatal(err)
		}
		if answer != nil {
			return answer
		}
		action, prompt := formAction.FindSubmatch(page), formPrompt.FindSubmatch(page)
		if action == nil || prompt == nil {
			p.t.Fatalf("the provider shows %s, %d:\n%s", response.Request.URL, response.StatusCode, page)
		}
		response, err = client.PostForm(html.UnescapeString(string(action[1])), url.Values{"prompt": {string(prompt[1])}, "login": {subject}, "password": {"any"}})
		if err != nil {
			p.t.Fatal(err)
		}
	}
	p.t.Fatal("the provider asks on and on")
	return nil
}
