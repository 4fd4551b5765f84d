package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parvis/kiosk/agent/shelf"
	"parvis/kiosk/store"
)

// tunnel is a proxy that leads to the hub whatever it is asked for.
func tunnel(t *testing.T, to string) (url string, tunnels *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	tunnels = new(atomic.Int64)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buffered := bufio.NewReader(conn)
				if _, err := http.ReadRequest(buffered); err != nil {
					return
				}
				hub, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer hub.Close()
				tunnels.Add(1)
				io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
				go func() { io.Copy(hub, buffered); hub.(*net.TCPConn).CloseWrite() }()
				io.Copy(conn, hub)
			}()
		}
	}()
	return "http://" + l.Addr().String(), tunnels
}

// A borne whose town hall lets it out by a proxy only is enrolled at its glass
// and reports, by its own profile's proxy and then by that of the hub's.
func TestProxyOfProfile(t *testing.T) {
	t.Parallel()
	h, dir, own := newHub(t), t.TempDir(), filepath.Join(t.TempDir(), "profil.toml")
	write := func(path, proxy string) {
		t.Helper()
		text := "[site]\nid = \"neudorf\"\nnom = \"Mairie\"\n[reseau]\nproxy = \"" + proxy + "\"\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first, byFirst := tunnel(t, h.address)
	second, bySecond := tunnel(t, h.address)
	third, byThird := tunnel(t, h.address)
	write(own, first)
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	serve := func(run *runCmd) (end func()) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		said, ended := &says{}, make(chan error, 1)
		go func() { ended <- run.Run(&runtime{ctx: ctx, stdout: said, stderr: said, now: time.Now}) }()
		return func() {
			cancel()
			if err := <-ended; err != nil || t.Failed() {
				t.Errorf("%v\n%s", err, said)
			}
		}
	}
	end := serve(&runCmd{Data: dir, Profile: own})
	if err := st.SetSetting(t.Context(), store.EnrolAsked, h.code("MN-01")+"@hub.invalid:8443"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a report", func() bool { return h.reported("MN-01") })
	if byFirst.Load() < 2 { // to enrol, and to report
		t.Errorf("%d tunnels", byFirst.Load())
	}
	end()
	profiles := shelf.Shelf{Dir: filepath.Join(dir, profileFolder), Ending: ".toml"}
	if err := profiles.Make(); err != nil {
		t.Fatal(err)
	}
	write(profiles.Path("0123456789ab"), second)
	if err := profiles.Point(shelf.Current, "0123456789ab"); err != nil {
		t.Fatal(err)
	}
	before := byFirst.Load()
	end = serve(&runCmd{Data: dir, Profile: own})
	eventually(t, "a connection by the hub’s profile", func() bool { return bySecond.Load() > 0 })
	end()
	end = serve(&runCmd{Data: dir, Profile: own, Proxy: third})
	eventually(t, "a connection by the proxy that IT has given", func() bool { return byThird.Load() > 0 })
	end()
	if byFirst.Load() != before {
		t.Error("the borne's own profile counts beside the hub's")
	}
	other := t.TempDir()
	out, err := command(&enrolCmd{Hub: "hub.invalid:8443", Code: h.code("MN-02"), Data: other, Profile: own}, time.Now())
	if err != nil || !strings.Contains(out, "MN-02") || byFirst.Load() == before {
		t.Errorf("enrol: %v\n%s", err, out)
	}
}
