package api_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/gob"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parvis/hub/clocktest"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
	"parvis/provisioning/ca"
)

// swarm is what the pretend bornes of a benchmark need; they live in a process
// of their own, so that what is measured is the hub's alone.
type swarm struct {
	Address string
	Key     []byte
	Chains  [][][]byte
}

const swarmEnv = "PARVIS_TEST_SWARM"

// TestMain lets the program be the swarm of its own benchmark.
func TestMain(m *testing.M) {
	if os.Getenv(swarmEnv) != "" {
		if err := runSwarm(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// BenchmarkFleet is a fleet that reports every thirty seconds and holds a
// request for commands each, for PARVIS_BENCH_SECONDS (60). It tells what a
// borne costs its hub.
func BenchmarkFleet(b *testing.B) {
	for _, bornes := range []int{1000, 10_000} {
		b.Run(strconv.Itoa(bornes), func(b *testing.B) { benchmarkFleet(b, bornes) })
	}
}

func benchmarkFleet(b *testing.B, bornes int) {
	for b.Loop() {
		dsn := storetest.SQLite(b)
		s := storetest.Open(b, dsn)
		h := startHub(b, s)
		w := h.swarm(b, dsn, bornes)
		empty, _ := memory()
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), swarmEnv+"=1")
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		if err := gob.NewEncoder(in).Encode(w); err != nil {
			b.Fatal(err)
		}
		soon(b, "all bornes are held", 3*time.Minute, func() bool { return h.api.Held() >= bornes })
		time.Sleep(link.Every) // every borne has reported
		if path := os.Getenv("PARVIS_BENCH_CPU"); path != "" {
			f, err := os.Create(path + strconv.Itoa(bornes))
			if err != nil {
				b.Fatal(err)
			}
			pprof.StartCPUProfile(f)
		}
		seconds := 60
		if n, err := strconv.Atoi(os.Getenv("PARVIS_BENCH_SECONDS")); err == nil {
			seconds = n
		}
		began, cpu := time.Now(), clocktest.Processor(b)
		time.Sleep(time.Duration(seconds) * time.Second)
		used := clocktest.Processor(b) - cpu
		b.ReportMetric(100*used.Seconds()/time.Since(began).Seconds(), "%core")
		pprof.StopCPUProfile()
		if path := os.Getenv("PARVIS_BENCH_HEAP"); path != "" {
			f, err := os.Create(path + strconv.Itoa(bornes))
			if err != nil {
				b.Fatal(err)
			}
			runtime.GC()
			pprof.Lookup("heap").WriteTo(f, 0)
			f.Close()
		}
		full, stacks := memory()
		b.ReportMetric(float64(full-empty)/float64(bornes)/1024, "KB/borne")
		b.ReportMetric(float64(stacks)/float64(bornes)/1024, "KB-of-stacks/borne")
		b.ReportMetric(float64(resident(b))/(1<<20), "MB-resident")
		b.ReportMetric(float64(runtime.NumGoroutine())/float64(bornes), "goroutines/borne")
		b.ReportMetric(float64(h.listener.open.Load()), "connections")
		in.Close() // the swarm ends
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
		h.stop()
	}
}

// memory is what is in use by objects and stacks, and by stacks alone, in bytes.
func memory() (all, stacks uint64) {
	for range 5 {
		runtime.GC() // each halves the stacks that are too large, and the second empties the pools
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse, m.StackInuse
}

func resident(b *testing.B) int64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Fatal(err)
	}
	var size, rss int64
	if _, err := fmt.Sscan(string(data), &size, &rss); err != nil {
		b.Fatal(err)
	}
	return rss * int64(os.Getpagesize())
}

// swarm enrols many bornes at once, behind the store's back: one commit each
// would take most of the time.
func (h *hub) swarm(b *testing.B, dsn string, bornes int) swarm {
	b.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		b.Fatal(err)
	}
	request, err := ca.ParseRequest(csr)
	if err != nil {
		b.Fatal(err)
	}
	w := swarm{Address: h.address}
	if w.Key, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		b.Fatal(err)
	}
	if err := h.store.PutSite(b.Context(), store.Site{ID: "essai", Name: "Essai", Created: time.Now()}); err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("sqlite3", dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		b.Fatal(err)
	}
	for i := range bornes {
		id := fmt.Sprintf("ES-%05d", i)
		g := ca.NewGrant(time.Now(), ca.DefaultLife)
		chain, err := h.authority.Client(request, id, g)
		if err != nil {
			b.Fatal(err)
		}
		w.Chains = append(w.Chains, chain)
		_, err = tx.Exec(`INSERT INTO borne (id, site, enrolled, revoked, key_hash, serial, serials, cert_ends, cloned)
			VALUES ($1, 'essai', $2, 0, $3, $4, $4, $5, 0)`, id, time.Now().UnixMilli(), request.KeyHash(), g.Serial, g.Ends.UnixMilli())
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
	return w
}

// runSwarm is the bornes' process: it ends with its standard input.
func runSwarm() error {
	var w swarm
	if err := gob.NewDecoder(os.Stdin).Decode(&w); err != nil {
		return err
	}
	key, err := x509.ParsePKCS8PrivateKey(w.Key)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	var sent, late, failed atomic.Int64
	dialing := make(chan struct{}, 16)
	for i, chain := range w.Chains {
		all.Go(func() {
			config := &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{{Certificate: chain, PrivateKey: key}}}
			c, err := link.NewClient(link.ClientOptions{Hub: w.Address, TLS: config})
			if err != nil {
				failed.Add(1)
				return
			}
			defer c.Close()
			b := &borne{Client: c, run: fmt.Appendf(nil, "%08d", i)}
			dialing <- struct{}{}
			_, err = b.Report(ctx, b.report(time.Now())) // connects
			<-dialing
			if err != nil {
				failed.Add(1)
			}
			go c.Commands(ctx, link.Wait)
			due := time.NewTimer(link.Every * time.Duration(i) / time.Duration(len(w.Chains)))
			for {
				select {
				case <-due.C:
				case <-ctx.Done():
					return
				}
				due.Reset(link.Every)
				began := time.Now()
				if _, err := b.Report(ctx, b.report(time.Now())); err != nil && ctx.Err() == nil {
					failed.Add(1)
				}
				sent.Add(1)
				if time.Since(began) > time.Second {
					late.Add(1)
				}
			}
		})
	}
	var rest bytes.Buffer
	rest.ReadFrom(os.Stdin) // until it is closed
	fmt.Fprintf(os.Stderr, "swarm: %d reports, %d took over a second, %d failed\n", sent.Load(), late.Load(), failed.Load())
	cancel()
	all.Wait()
	return nil
}

// BenchmarkReport is what one report costs, through TLS, HTTP/2 and the store,
// when many come at once. The clients' part is in it.
func BenchmarkReport(b *testing.B) {
	h := startHub(b, openSQLite(b))
	bornes := make([]*borne, 32)
	for i := range bornes {
		bornes[i] = h.enrol("")
	}
	b.ResetTimer()
	var next atomic.Int64
	var all sync.WaitGroup
	for _, one := range bornes {
		all.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if _, err := one.Report(b.Context(), one.report(h.clock.now())); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}
