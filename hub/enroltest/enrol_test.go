// Package enroltest attacks enrolment as it is in service: bornes as they run,
// the hub's port and database, nothing left out.
package enroltest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parvis/hub/api"
	"parvis/hub/seal"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
	"parvis/provisioning/ca"
	"parvis/provisioning/enrol"
)

// fleet is two hubs over one database, each with its own copy of the key.
type fleet struct {
	t         *testing.T
	store     *store.Store
	authority *ca.Authority
	hubs      [2]string
	ahead     atomic.Int64 // how far the hubs' clock is ahead of ours
	runs      atomic.Uint64
}

func (f *fleet) now() time.Time       { return time.Now().Add(time.Duration(f.ahead.Load())) }
func (f *fleet) pass(d time.Duration) { f.ahead.Add(int64(d)) }

// each runs a test over SQLite and over PostgreSQL.
func each(t *testing.T, test func(f *fleet)) {
	t.Parallel()
	for name, fresh := range storetest.Databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := fresh(t)
			f := &fleet{t: t, store: storetest.Open(t, dsn)}
			key := filepath.Join(t.TempDir(), "hub.key")
			for i := range f.hubs {
				f.hubs[i] = f.start(key, storetest.Open(t, dsn))
			}
			test(f)
		})
	}
}

// start starts a hub that ends with the test, and returns its address.
func (f *fleet) start(path string, s *store.Store) string {
	f.t.Helper()
	key, err := seal.Open(path)
	if err != nil {
		f.t.Fatal(err)
	}
	f.authority, err = key.Authority(f.t.Context(), s, f.now())
	if err != nil {
		f.t.Fatal(err)
	}
	recipient, err := key.CallbackRecipient(f.t.Context(), s)
	if err != nil {
		f.t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	hub := api.New(api.Options{Store: s, Authority: f.authority, Recipient: recipient, Now: f.now,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := hub.Serve(ctx, l); err != nil {
			f.t.Error(err)
		}
	})
	f.t.Cleanup(func() { cancel(); serving.Wait() })
	return l.Addr().String()
}

func (f *fleet) code(borne string) (enrol.Code, store.Token) {
	f.t.Helper()
	site := store.Site{ID: "neudorf", Name: "Mairie de Neudorf", Created: f.now()}
	if err := f.store.PutSite(f.t.Context(), site); err != nil {
		f.t.Fatal(err)
	}
	code := enrol.NewCode(f.authority.Fingerprint())
	token, err := f.store.CreateToken(f.t.Context(), store.Token{Hash: code.Hash(), Site: site, Borne: borne,
		Created: f.now(), Expires: f.now().Add(24 * time.Hour)})
	if err != nil {
		f.t.Fatal(err)
	}
	return code, token
}

func (f *fleet) enrol(hub int, code enrol.Code, dir string) (*enrol.Identity, error) {
	return enrol.Enrol(f.t.Context(), f.hubs[hub], code, dir, enrol.Options{})
}

func (f *fleet) mustEnrol(borne, dir string) *enrol.Identity {
	f.t.Helper()
	code, _ := f.code(borne)
	id, err := f.enrol(0, code, dir)
	if err != nil {
		f.t.Fatal(err)
	}
	return id
}

// client speaks with one of the hubs, over a connection of its own.
func (f *fleet) client(hub int, id *enrol.Identity) *link.Client {
	f.t.Helper()
	c, err := link.NewClient(link.ClientOptions{Hub: f.hubs[hub], TLS: id.TLS()})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(c.Close)
	return c
}

func (f *fleet) report(hub int, id *enrol.Identity) error {
	f.t.Helper()
	n := f.runs.Add(1)
	_, err := f.client(hub, id).Report(f.t.Context(), link.Report{Run: []byte{7: byte(n)}, Seq: n,
		At: f.now().UnixMilli(), Version: "1.0.0", App: link.AppIdle, Disk: 50})
	return err
}

func (f *fleet) renew(hub int, id *enrol.Identity) error {
	f.t.Helper()
	return id.Renew(f.t.Context(), f.client(hub, id).Renew)
}

func (f *fleet) want(what string, err error, problem string) {
	f.t.Helper()
	var p *link.Problem
	if problem == "" && err != nil || problem != "" && (!errors.As(err, &p) || p.Type != problem) {
		f.t.Errorf("%s: %v, want %q", what, err, problem)
	}
}

// copied is another machine with a copy of a borne's whole folder.
func (f *fleet) copied(dir string) *enrol.Identity {
	f.t.Helper()
	to := f.t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		f.t.Fatal(err)
	}
	err := filepath.WalkDir(to, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return errors.Join(err, os.Chmod(path, 0o600))
	})
	if err != nil {
		f.t.Fatal(err)
	}
	id, err := enrol.Load(to)
	if err != nil {
		f.t.Fatal(err)
	}
	return id
}

// A borne's life with two hubs: it doesn't matter which it meets.
func TestLife(t *testing.T) {
	each(t, func(f *fleet) {
		id := f.mustEnrol("MN-01", f.t.TempDir())
		for n := range 4 {
			f.want("report", f.report(n%2, id), "")
			f.pass(5 * 24 * time.Hour)
			f.want("renewal", f.renew((n+1)%2, id), "")
		}
		f.pass(400 * 24 * time.Hour)
		f.want("report with an expired certificate", f.report(0, id), link.ProblemExpired)
		_, err := f.client(0, id).Commands(f.t.Context(), time.Second)
		f.want("commands with an expired certificate", err, link.ProblemExpired)
		f.want("renewal with an expired certificate", f.renew(1, id), "")
		f.want("report", f.report(0, id), "")
	})
}

func TestCodeRefused(t *testing.T) {
	each(t, func(f *fleet) {
		used, _ := f.code("MN-01")
		if _, err := f.enrol(0, used, f.t.TempDir()); err != nil {
			f.t.Fatal(err)
		}
		withdrawn, token := f.code("MN-02")
		if err := f.store.WithdrawToken(f.t.Context(), token.ID); err != nil {
			f.t.Fatal(err)
		}
		expired, _ := f.code("MN-03")
		f.pass(25 * time.Hour)
		for what, code := range map[string]enrol.Code{
			"replayed": used, "withdrawn": withdrawn, "expired": expired, "unknown": enrol.NewCode(f.authority.Fingerprint()),
		} {
			_, err := f.enrol(1, code, f.t.TempDir())
			f.want(what, err, link.ProblemToken)
		}
	})
}

// One code, many machines at once, on both hubs: one is enrolled.
func TestCodeRaced(t *testing.T) {
	each(t, func(f *fleet) {
		code, _ := f.code("MN-01")
		var won atomic.Int64
		var all sync.WaitGroup
		for n := range 8 {
			dir := f.t.TempDir()
			all.Go(func() {
				id, err := f.enrol(n%2, code, dir)
				var p *link.Problem
				switch {
				case err == nil:
					won.Add(1)
					f.want("report of the one", f.report(0, id), "")
				case !errors.As(err, &p) || p.Type != link.ProblemToken:
					f.t.Errorf("machine %d: %v", n, err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			f.t.Errorf("%d machines are enrolled", won.Load())
		}
	})
}

// An answer that was lost is given again, to the same key only.
func TestLostAnswer(t *testing.T) {
	each(t, func(f *fleet) {
		code, _ := f.code("MN-01")
		dir := f.t.TempDir()
		// The answer comes, and the power goes before it is on the disk: what is
		// left is the key that was made before anything was sent.
		next := filepath.Join(dir, "identity", "next.key")
		nobody, cancel := context.WithCancel(f.t.Context())
		cancel()
		if _, err := enrol.Enrol(nobody, f.hubs[0], code, dir, enrol.Options{}); err == nil {
			f.t.Fatal("enrolled by nobody")
		}
		kept, err := os.ReadFile(next)
		if err != nil {
			f.t.Fatal(err)
		}
		if _, err := f.enrol(0, code, dir); err != nil {
			f.t.Fatal(err)
		}
		if err := errors.Join(os.Remove(filepath.Join(dir, "identity", "identity.json")), os.WriteFile(next, kept, 0o600)); err != nil {
			f.t.Fatal(err)
		}
		id, err := f.enrol(1, code, dir)
		f.want("the same command again", err, "")
		f.want("report", f.report(0, id), "")

		serial := id.Serial()
		for range 20 {
			err := id.Renew(f.t.Context(), func(ctx context.Context, r link.RenewRequest) (link.Enrolled, error) {
				_, err := f.client(1, id).Renew(ctx, r)
				return link.Enrolled{}, errors.Join(err, context.DeadlineExceeded)
			})
			var p *link.Problem
			if errors.As(err, &p) || id.Serial() != serial {
				f.t.Fatalf("renewal whose answer is lost: %v", err)
			}
			f.want("report meanwhile", f.report(0, id), "")
		}
		f.want("renewal", f.renew(0, id), "")
		f.want("report", f.report(1, id), "")
	})
}

// A stolen disk: once the borne is revoked the copy gets nowhere, on no hub,
// and doesn't come back when another machine takes the borne's place.
func TestStolenDisk(t *testing.T) {
	each(t, func(f *fleet) {
		dir := f.t.TempDir()
		f.want("report", f.report(0, f.mustEnrol("MN-01", dir)), "")
		thief := f.copied(dir)
		f.want("report before anybody knows", f.report(1, thief), "")
		shut := func(when string) {
			f.t.Helper()
			for hub := range f.hubs {
				f.want(when+": report", f.report(hub, thief), link.ProblemRevoked)
				f.want(when+": renewal", f.renew(hub, thief), link.ProblemRevoked)
			}
		}

		if err := f.store.Revoke(f.t.Context(), "MN-01", f.now()); err != nil {
			f.t.Fatal(err)
		}
		shut("revoked")
		f.pass(time.Minute)
		code, _ := f.code("MN-01")
		shut("a code is there")
		id, err := f.enrol(0, code, f.t.TempDir())
		f.want("another machine in its place", err, "")
		shut("another machine is enrolled")
		f.want("report", f.report(0, id), "")
		shut("the other machine is at work")
		f.pass(8 * 24 * time.Hour)
		shut("the certificate is over")
		f.want("renewal", f.renew(0, id), "")
		f.want("report", f.report(1, id), "")
		shut("after all")
	})
}

// Two machines with one identity: whoever renews second is refused, and agents
// are told.
func TestTwoMachines(t *testing.T) {
	each(t, func(f *fleet) {
		dir := f.t.TempDir()
		id := f.mustEnrol("MN-01", dir)
		clone := f.copied(dir)
		f.pass(5 * 24 * time.Hour)
		f.want("renewal", f.renew(0, id), "")
		f.want("report", f.report(0, id), "")
		b, err := f.store.Borne(f.t.Context(), "MN-01")
		if err != nil || !b.Cloned.IsZero() {
			f.t.Errorf("told too early: %v, %v", b.Cloned, err)
		}
		f.want("renewal of the copy", f.renew(1, clone), link.ProblemRevoked)
		if b, err = f.store.Borne(f.t.Context(), "MN-01"); err != nil || b.Cloned.IsZero() {
			f.t.Errorf("nobody is told: %v", err)
		}
		f.want("renewal of the borne", f.renew(0, id), "")
	})
}

// The hub's port takes no request that is not well made, and loses no code to it.
func TestRequests(t *testing.T) {
	each(t, func(f *fleet) {
		id := f.mustEnrol("MN-09", f.t.TempDir())
		good, forged := csr(f.t, elliptic.P256()), csr(f.t, elliptic.P256())
		forged[len(forged)-1] ^= 1
		for what, request := range map[string][]byte{
			"forged": forged, "P-521": csr(f.t, elliptic.P521()), "half": good[:len(good)/2], "none": nil, "huge": make([]byte, 20<<10),
		} {
			_, err := f.client(0, id).Renew(f.t.Context(), link.RenewRequest{CSR: request})
			f.want("renewal, "+what, err, link.ProblemInvalid)
			_, err = f.client(0, id).Enrol(f.t.Context(), link.EnrolRequest{Secret: make([]byte, 10), CSR: request})
			f.want("enrolment, "+what, err, link.ProblemInvalid)
		}
		f.want("renewal", f.renew(0, id), "")
	})
}

func csr(t *testing.T, curve elliptic.Curve) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// A hub with another key than the first one's doesn't come up.
func TestOtherKey(t *testing.T) {
	each(t, func(f *fleet) {
		key, err := seal.Open(filepath.Join(f.t.TempDir(), "hub.key"))
		if err != nil {
			f.t.Fatal(err)
		}
		if _, err := key.Authority(f.t.Context(), f.store, f.now()); !errors.Is(err, seal.ErrOtherKey) {
			f.t.Errorf("authority: %v", err)
		}
	})
}
