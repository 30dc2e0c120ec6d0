package server

import (
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/cardea-dev/cardea"
)

// metrics are what one server counts, in a registry of its own. There are no labels by
// key, organization or path: their number would have no bound, and they are in the
// usage records.
type metrics struct {
	registry  *prometheus.Registry
	decisions []prometheus.Counter // by cardea.Reason
	limits    *prometheus.CounterVec
	upstream  []prometheus.Counter // by cardea.Reason; nil where the reason is another's
	responses [6]prometheus.Counter
	latency   prometheus.Histogram
}

// latencyBuckets are upper bounds in seconds: from what Cardea alone takes to what a
// slow upstream does.
var latencyBuckets = []float64{
	.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30,
}

// newMetrics returns metrics at zero, every series present from the start: a counter
// that appears with its first increment hides that increment from rate().
func newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	byReason := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "cardea_decisions_total", Help: "Requests decided, by reason."}, []string{"reason"})
	m.limits = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "cardea_limit_rejections_total", Help: "Requests refused by a limit, by the window that refused."}, []string{"window"})
	upstream := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "cardea_upstream_errors_total", Help: "Allowed requests whose upstream failed, by reason."}, []string{"reason"})
	responses := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "cardea_responses_total", Help: "Responses to callers, by class of status."}, []string{"class"})
	m.latency = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "cardea_request_duration_seconds", Help: "Time from a request's header to the end of its response.", Buckets: latencyBuckets})
	m.registry.MustRegister(byReason, m.limits, upstream, responses, m.latency, buildInfo())

	for _, r := range cardea.Reasons() {
		m.decisions = append(m.decisions, byReason.WithLabelValues(r.String()))
		m.upstream = append(m.upstream, nil)
	}
	for _, r := range []cardea.Reason{cardea.ReasonUpstream, cardea.ReasonUpstreamTimeout} {
		m.upstream[r] = upstream.WithLabelValues(r.String())
	}
	for i, class := range []string{"other", "1xx", "2xx", "3xx", "4xx", "5xx"} {
		m.responses[i] = responses.WithLabelValues(class)
	}
	for _, window := range []string{"minute", "burst", "day"} {
		m.limits.WithLabelValues(window)
	}
	return m
}

// observe counts one finished request. It is safe for concurrent use and allocates
// nothing but for a request that a limit refused.
func (m *metrics) observe(reason cardea.Reason, window string, status int, took time.Duration) {
	if int(reason) < len(m.decisions) {
		m.decisions[reason].Inc()
		if c := m.upstream[reason]; c != nil {
			c.Inc()
		}
	}
	if reason == cardea.ReasonRateLimited || reason == cardea.ReasonQuota {
		m.limits.WithLabelValues(window).Inc()
	}
	class := status / 100
	if class < 1 || class > 5 {
		class = 0
	}
	m.responses[class].Inc()
	m.latency.Observe(took.Seconds())
}

// gauge registers a value that is read when metrics are collected.
func (m *metrics) gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// counter registers a count that somebody else keeps.
func (m *metrics) counter(name, help string, labels prometheus.Labels, read func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, read))
}

// handler serves the metrics.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// buildInfo is the constant 1 with the program's version as labels.
func buildInfo() prometheus.Collector {
	version, revision := Version()
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "cardea_build_info", Help: "Always 1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"version": version, "revision": revision, "goversion": runtime.Version()},
	}, func() float64 { return 1 })
}

// Version returns the version and the revision that the binary was built from, as far
// as the build recorded them; "devel" and "" otherwise.
func Version() (version, revision string) {
	version = "devel"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version, ""
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		version = v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value
		}
	}
	return version, revision
}
