// Package metrics are the hub's figures for Prometheus: what its API does, and
// how the fleet is.
package metrics

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"parvis/hub/api"
	"parvis/hub/statistics"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

// Metrics counts what an API does, as its Observer, in a registry of its own.
type Metrics struct {
	registry    *prometheus.Registry
	requests    *prometheus.CounterVec
	reportTime  prometheus.Histogram
	batch       prometheus.Histogram
	refused     prometheus.Counter
	connections prometheus.Gauge
	callbacks   prometheus.Counter

	mu     sync.Mutex
	untold map[string]int // see told
}

var _ api.Observer = (*Metrics)(nil)

// New makes the figures of a hub; now is the hub's clock.
func New(s *store.Store, now func() time.Time) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parvis_hub_requests_total", Help: "Requests on the bornes' port, by path and status.",
		}, []string{"path", "status"}),
		reportTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "parvis_hub_report_seconds", Help: "Time from a report's arrival to its answer, after its commit.",
			Buckets: []float64{.01, .025, .05, .1, .15, .25, .5, 1, 2.5, 5, 10, 30},
		}),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "parvis_hub_report_batch_size", Help: "Reports stored in one transaction.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 9),
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parvis_hub_reports_refused_total", Help: "Reports refused because the queue was full.",
		}),
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "parvis_hub_connections", Help: "Connections open on the bornes' port.",
		}),
		callbacks: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parvis_hub_callbacks_received_total", Help: "Requests to be called back that were new to the hub, in steps of 5.",
		}),
		untold: map[string]int{},
	}
	m.registry.MustRegister(m.requests, m.reportTime, m.batch, m.refused, m.connections, m.callbacks,
		collectors.NewGoCollector(), collectors.NewBuildInfoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&fleetCollector{store: s, now: now}, &rolloutCollector{store: s})
	return m
}

// Follow adds what is looked up in an API when somebody asks. Once.
func (m *Metrics) Follow(a *api.API) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "parvis_hub_report_queue_length", Help: "Reports that wait to be stored.",
		}, func() float64 { return float64(a.Queued()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "parvis_hub_held_requests", Help: "Requests for commands held open.",
		}, func() float64 { return float64(a.Held()) }),
	)
}

// Handler serves the figures; those of the fleet only while the database
// answers. They tell how the fleet is: keep them from the bornes' port.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, ErrorHandling: promhttp.ContinueOnError})
}

// Request counts a request, and times a report.
func (m *Metrics) Request(path string, status int, took time.Duration) {
	if path == callbackPath && status != http.StatusOK { // which a request gets that was there: that is about lines
		if m.told(strconv.Itoa(status)) { // until then not even the label is there
			m.requests.WithLabelValues(path, strconv.Itoa(status)).Add(statistics.Step)
		}
		return
	}
	m.requests.WithLabelValues(path, strconv.Itoa(status)).Inc()
	if path == "POST "+link.Prefix+"/report" {
		m.reportTime.Observe(took.Seconds())
	}
}

// callbackPath is where bornes hand over what residents ask.
const callbackPath = "PUT " + link.Prefix + "/callbacks/{id}"

// told counts something that residents did, and reports whether as many have
// done it since it was last told as may be told.
func (m *Metrics) told(what string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.untold[what]++
	if m.untold[what] < statistics.Step {
		return false
	}
	m.untold[what] = 0
	return true
}

// Batch counts the reports of a transaction.
func (m *Metrics) Batch(reports int) { m.batch.Observe(float64(reports)) }

// Refused counts a report that found the queue full.
func (m *Metrics) Refused() { m.refused.Inc() }

// Connection counts the connections that are open.
func (m *Metrics) Connection(change int) { m.connections.Add(float64(change)) }

// Callback counts a request to be called back.
func (m *Metrics) Callback() {
	if m.told("new") {
		m.callbacks.Add(statistics.Step)
	}
}

var bornesDesc = prometheus.NewDesc("parvis_hub_bornes",
	"Bornes that are not revoked, by state: offline, or what their application does.", []string{"state"}, nil)

var behindDesc = prometheus.NewDesc("parvis_hub_bornes_behind",
	"Bornes that have yet to take something that they should have.", nil, nil)

// inService stands for bornes that serve and for those that wait: apart, they
// would tell when a resident is there.
const inService link.AppState = "in_service"

// fleetCollector counts the bornes by state, and those that are behind. The
// answer of the database is used again for a while, so that several collectors
// cost one query.
type fleetCollector struct {
	store *store.Store
	now   func() time.Time

	mu     sync.Mutex
	asked  time.Time
	states map[string]int
	behind int
}

const fleetFor = 10 * time.Second

func (c *fleetCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- bornesDesc
	ch <- behindDesc
}

func (c *fleetCollector) Collect(ch chan<- prometheus.Metric) {
	states, behind, err := c.count()
	if err != nil {
		ch <- prometheus.NewInvalidMetric(bornesDesc, err)
		return
	}
	ch <- prometheus.MustNewConstMetric(behindDesc, prometheus.GaugeValue, float64(behind))
	for state, n := range states {
		ch <- prometheus.MustNewConstMetric(bornesDesc, prometheus.GaugeValue, float64(n), state)
	}
}

func (c *fleetCollector) count() (states map[string]int, behind int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.states != nil && now.Sub(c.asked).Abs() < fleetFor {
		return c.states, c.behind, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	bornes, err := c.store.Bornes(ctx)
	if err != nil {
		return nil, 0, err
	}
	wanted, err := c.store.AllWanted(ctx)
	if err != nil {
		return nil, 0, err
	}
	// Every state is there, so that a graph of one that is rare begins at 0.
	states = map[string]int{"offline": 0, "unknown": 0}
	for _, s := range []link.AppState{inService, link.AppOutOfService, link.AppStarting, link.AppStopped, link.AppFrozen} {
		states[string(s)] = 0
	}
	for _, b := range bornes {
		if wanted[b.ID].Tag != b.State.Tag {
			behind++
		}
		app := b.State.App
		if app == link.AppServing || app == link.AppIdle {
			app = inService
		}
		_, known := states[string(app)]
		switch {
		case b.Offline(now):
			states["offline"]++
		case !known:
			states["unknown"]++
		default:
			states[string(app)]++
		}
	}
	c.states, c.behind, c.asked = states, behind, now
	return states, behind, nil
}
