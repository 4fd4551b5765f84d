package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parvis/hub/api"
	"parvis/hub/metrics"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
	"parvis/provisioning/ca"
)

// scrape is what Prometheus gets, line by line.
func scrape(t *testing.T, m *metrics.Metrics) map[string]string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	values := make(map[string]string)
	for line := range strings.Lines(w.Body.String()) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "} "); ok && !strings.HasPrefix(line, "#") {
			values[name+"}"] = value
		} else if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			values[name] = value
		}
	}
	return values
}

func want(t *testing.T, got map[string]string, wants map[string]string) {
	t.Helper()
	for name, value := range wants {
		if got[name] != value {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
}

func TestMetrics(t *testing.T) {
	for name, fresh := range storetest.Databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := storetest.Open(t, fresh(t))
			clock := time.Now()
			now := func() time.Time { return clock }
			m := metrics.New(s, now)
			authority, err := ca.New(clock)
			if err != nil {
				t.Fatal(err)
			}
			m.Follow(api.New(api.Options{Store: s, Authority: authority, Now: now, Observer: m}))
			want(t, scrape(t, m), map[string]string{
				"parvis_hub_held_requests":                                "0",
				"parvis_hub_report_queue_length":                          "0",
				"parvis_hub_connections":                                  "0",
				"parvis_hub_reports_refused_total":                        "0",
				"parvis_hub_callbacks_received_total":                     "0",
				`parvis_hub_bornes{state="offline"}`:                      "0",
				`parvis_hub_bornes{state="in_service"}`:                   "0",
				`parvis_hub_bornes{state="serving"}`:                      "",
				`parvis_hub_report_batch_size_count`:                      "0",
				`parvis_hub_report_seconds_count`:                         "0",
				`promhttp_metric_handler_errors_total{cause="gathering"}`: "0",
			})

			enrol(t, s, clock, "B-1", link.AppServing)
			enrol(t, s, clock, "B-2", "some-new-state")
			enrol(t, s, clock.Add(-time.Hour), "B-3", link.AppIdle)
			enrol(t, s, clock, "B-4", "") // has never reported
			enrol(t, s, clock, "B-5", link.AppIdle)
			if err := s.WantPack(t.Context(), []string{"B-1"}, "2026-12"); err != nil {
				t.Fatal(err)
			}
			for _, id := range []string{"a", "b"} {
				roll(t, s, id, clock)
			}
			m.Request("POST /v1/report", 200, 120*time.Millisecond)
			m.Request("POST /v1/report", 409, 20*time.Millisecond)
			m.Request("GET /v1/commands", 200, time.Minute)
			m.Request("PUT /v1/callbacks/{id}", 200, time.Millisecond) // it was there: the line was cut, nobody asked
			m.Batch(3)
			m.Refused()
			m.Connection(1)
			m.Connection(1)
			m.Connection(-1)
			for n := range 9 { // what residents do is told in steps of 5
				m.Request("PUT /v1/callbacks/{id}", 201, time.Millisecond)
				m.Callback()
				if got := scrape(t, m)["parvis_hub_callbacks_received_total"]; n < 4 && got != "0" {
					t.Errorf("after %d requests, %s are told", n+1, got)
				}
			}
			clock = clock.Add(11 * time.Second) // the count of the fleet is looked up anew
			got := scrape(t, m)
			want(t, got, map[string]string{
				`parvis_hub_requests_total{path="POST /v1/report",status="200"}`:        "1",
				`parvis_hub_requests_total{path="POST /v1/report",status="409"}`:        "1",
				`parvis_hub_requests_total{path="GET /v1/commands",status="200"}`:       "1",
				`parvis_hub_report_seconds_count`:                                       "2",
				`parvis_hub_report_seconds_bucket{le="0.15"}`:                           "2",
				`parvis_hub_report_seconds_bucket{le="0.1"}`:                            "1",
				`parvis_hub_report_batch_size_sum`:                                      "3",
				`parvis_hub_reports_refused_total`:                                      "1",
				`parvis_hub_connections`:                                                "1",
				`parvis_hub_callbacks_received_total`:                                   "5",
				`parvis_hub_requests_total{path="PUT /v1/callbacks/{id}",status="201"}`: "5",
				`parvis_hub_requests_total{path="PUT /v1/callbacks/{id}",status="200"}`: "1",
				`parvis_hub_bornes{state="in_service"}`:                                 "2",
				`parvis_hub_bornes{state="unknown"}`:                                    "1",
				`parvis_hub_bornes{state="offline"}`:                                    "2",
				`parvis_hub_bornes{state="idle"}`:                                       "",
				`parvis_hub_bornes_behind`:                                              "1",
				`parvis_hub_rollout{kind="pack",state="stopped",version="b"}`:           "1",
				`parvis_hub_rollout{kind="pack",state="stopped",version="a"}`:           "",
				`parvis_hub_rollout_bornes{kind="pack",state="failed"}`:                 "1",
			})
			for _, name := range []string{"go_goroutines", "process_resident_memory_bytes"} {
				if got[name] == "" {
					t.Errorf("no %s", name)
				}
			}
		})
	}
}

// roll makes a rollout with which one borne has failed.
func roll(t *testing.T, s *store.Store, id string, now time.Time) {
	t.Helper()
	r := store.Rollout{ID: id, Kind: link.KindPack, Version: id, Stages: []store.RolloutStage{{Percent: 100}}, Created: now}
	if err := s.CreateRollout(t.Context(), r, store.RolloutEvent{At: now}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Lease(t.Context(), "rollout", "me", now, now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	r.State = store.RolloutRunning
	step := store.RolloutStep{Lease: "rollout", Holder: "me", Now: now, Found: r, Rollout: r, Bornes: []store.RolloutBorne{{Borne: "B-1", State: store.BorneFailed}}}
	step.Rollout.State = store.RolloutStopped
	if err := s.StepRollout(t.Context(), step); err != nil {
		t.Fatal(err)
	}
}

// A database that doesn't answer shows as such, and hides no other figure's name.
func TestFleetUnknown(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), storetest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	m := metrics.New(s, time.Now)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "go_goroutines") || strings.Contains(w.Body.String(), "parvis_hub_bornes{") {
		t.Errorf("%d\n%s", w.Code, w.Body)
	}
}

// enrol makes a borne that has reported at a time, or, without a state, has not.
func enrol(t *testing.T, s *store.Store, at time.Time, id string, app link.AppState) {
	t.Helper()
	if err := s.PutSite(t.Context(), store.Site{ID: "essai", Name: "Essai", Created: at}); err != nil {
		t.Fatal(err)
	}
	_, err := s.CreateToken(t.Context(), store.Token{Hash: []byte(id), Site: store.Site{ID: "essai"}, Borne: id, Created: at, Expires: at.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Enrol(t.Context(), []byte(id), []byte("key"), store.Certificate{Serial: "1", Ends: at.Add(time.Hour)}, at); err != nil {
		t.Fatal(err)
	}
	if app == "" {
		return
	}
	taken, err := s.PutReports(t.Context(), []store.Incoming{{Borne: id, Serial: "1", At: at,
		Report: link.Report{Run: []byte("12345678"), Seq: 1, At: at.UnixMilli(), Version: "1", App: app}}})
	if err != nil || taken[0].Refused {
		t.Fatal(taken, err)
	}
}
