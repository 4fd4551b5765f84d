package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parvis/hub/store"
)

var (
	rolloutDesc = prometheus.NewDesc("parvis_hub_rollout",
		"1 for the state of the newest rollout of each kind.", []string{"kind", "version", "state"}, nil)
	rolloutBornesDesc = prometheus.NewDesc("parvis_hub_rollout_bornes",
		"Bornes that the newest rollout of each kind has come to, by state.", []string{"kind", "state"}, nil)
)

// rolloutCollector tells how the newest rollouts are.
type rolloutCollector struct{ store *store.Store }

func (c *rolloutCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- rolloutDesc
	ch <- rolloutBornesDesc
}

func (c *rolloutCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	all, err := c.store.Rollouts(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(rolloutDesc, err)
		return
	}
	counts, err := c.store.RolloutCounts(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(rolloutBornesDesc, err)
		return
	}
	newest := make(map[string]string) // rollout → kind
	seen := make(map[string]bool)     // kinds
	for _, r := range all {
		if seen[r.Kind] {
			continue
		}
		seen[r.Kind], newest[r.ID] = true, r.Kind
		ch <- prometheus.MustNewConstMetric(rolloutDesc, prometheus.GaugeValue, 1, r.Kind, r.Version, string(r.State))
	}
	for _, n := range counts {
		if kind, ok := newest[n.Rollout]; ok {
			ch <- prometheus.MustNewConstMetric(rolloutBornesDesc, prometheus.GaugeValue, float64(n.Bornes), kind, string(n.State))
		}
	}
}
