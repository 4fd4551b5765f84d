package fleet

import (
	"encoding/json"
	"net/http"
	"os"
	"testing"
)

// Hub is a real hub.
type Hub struct {
	Process
	Bornes   string // where bornes reach it: host:port
	People   string // the console: http://…
	Internal string // its figures: http://…
	Data     string // its folder
}

// HubOptions say which hub a test wants. The zero value is one on SQLite.
type HubOptions struct {
	Database string   // postgres://…; SQLite when empty
	Data     string   // the folder of a hub there is already, to be another hub with the same key; new when empty
	Env      []string // more environment
}

// StartHub starts a hub and waits until it answers. It is stopped when the test ends.
func StartHub(t testing.TB, o HubOptions) *Hub {
	t.Helper()
	h := &Hub{Bornes: Address(t), Data: o.Data}
	people, internal := Address(t), Address(t)
	h.People, h.Internal = "http://"+people, "http://"+internal
	if h.Data == "" {
		h.Data = t.TempDir()
	}
	env := o.Env
	if o.Database != "" {
		env = append(env, "PARVIS_DATABASE="+o.Database)
	}
	h.Process = Process{
		t: t, name: "parvis-hub", dir: h.Data, env: env, log: logFile(t, "hub"),
		args: []string{"serve", "--data", h.Data, "--bornes", h.Bornes, "--people", people, "--url", h.People, "--internal", internal},
	}
	h.keep()
	h.wait("readiness", h.Ready)
	return h
}

// Start starts the hub, after Stop or Kill, and waits until it answers.
func (h *Hub) Start() {
	h.t.Helper()
	h.mustLaunch()
	h.wait("readiness", h.Ready)
}

// Ready reports whether the hub answers, and its database.
func (h *Hub) Ready() bool {
	answer, err := http.Get(h.People + "/readyz")
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// Command runs a command of parvis-hub on this hub's data, and returns what it wrote.
func (h *Hub) Command(args ...string) string {
	h.t.Helper()
	out, err := h.run(append(args, "--data", h.Data)...)
	if err != nil {
		h.t.Fatalf("parvis-hub %v: %v", args, err)
	}
	return out
}

// Code makes a one-time code for a borne of the site given.
func (h *Hub) Code(site, name, borne string) string {
	h.t.Helper()
	var line struct {
		Code string `json:"code"`
	}
	out := h.Command("token", "create", "--site", site, "--name", name, "--borne", borne, "--json")
	if err := json.Unmarshal([]byte(out), &line); err != nil {
		h.t.Fatalf("%v in %s", err, out)
	}
	return line.Code
}

// Agent is the real agent of a borne.
type Agent struct {
	Process
	Dir string // the borne's folder
}

// Enrol enrols the borne whose data lies in dir at a hub, as IT would, and
// starts its agent. It is stopped when the test ends. hub is where the borne
// reaches it, which may be a Wire's address.
func Enrol(t testing.TB, dir, hub, code string, args ...string) *Agent {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	a := newAgent(t, dir, args...)
	if out, err := a.run("enrol", hub, code, "--data", dir); err != nil {
		t.Fatalf("parvis-agent enrol: %v\n%s", err, out)
	}
	a.keep()
	return a
}

// Strange starts the agent of a borne that has no identity yet. It is stopped
// when the test ends.
func Strange(t testing.TB, dir string, args ...string) *Agent {
	t.Helper()
	a := newAgent(t, dir, args...)
	a.keep()
	return a
}

func newAgent(t testing.TB, dir string, args ...string) *Agent {
	return &Agent{Dir: dir, Process: Process{
		t: t, name: "parvis-agent", dir: dir, log: logFile(t, "agent"),
		args: append([]string{"run", "--data", dir}, args...),
	}}
}

// Start starts the agent, after Stop or Kill.
func (a *Agent) Start() {
	a.t.Helper()
	a.mustLaunch()
}
