package graph

import (
	"encoding/json"
	"net/http"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

const (
	headerApp      = "X-App-Usage"
	headerBusiness = "X-Business-Use-Case-Usage"

	// maxRegain bounds the minutes to regain: the longest window is 24 hours.
	maxRegain = 24 * time.Hour
)

// gauge is the worst of what an answer's headers tell, in percent used.
type gauge struct {
	told    bool
	percent int
	// regain is how long until the use is below the limit; 0: not told.
	regain time.Duration
}

// part is one object of the usage headers.
type part struct {
	Calls  *float64 `json:"call_count"`
	CPU    *float64 `json:"total_cputime"`
	Time   *float64 `json:"total_time"`
	Regain float64  `json:"estimated_time_to_regain_access"`
}

// gaugeOf reads the usage headers. Percentages of objects that the request was
// about (own) are left out of the app's gauge: a Page's or an account's budget is
// its own, and one busy Page must not stop the others. Their minutes count where own
// is nil, for the wait after a refusal.
func gaugeOf(h http.Header, own map[string]bool) gauge {
	var g gauge
	var app part
	if json.Unmarshal([]byte(h.Get(headerApp)), &app) == nil {
		g.add(app)
	}
	var business map[string][]part
	if json.Unmarshal([]byte(h.Get(headerBusiness)), &business) != nil {
		return g
	}
	for id, parts := range business {
		for _, p := range parts {
			if !own[id] {
				g.add(p)
			}
		}
	}
	return g
}

func (g *gauge) add(p part) {
	for _, percent := range []*float64{p.Calls, p.CPU, p.Time} {
		if percent != nil {
			g.told = true
			g.percent = max(g.percent, int(min(max(*percent, 0), 100)))
		}
	}
	if p.Regain > 0 {
		g.regain = max(g.regain, time.Duration(min(p.Regain, maxRegain.Minutes())*float64(time.Minute)))
	}
}

func (g *gauge) merge(other gauge) {
	g.told = g.told || other.told
	g.percent, g.regain = max(g.percent, other.percent), max(g.regain, other.regain)
}

// wait is how long to leave the bucket alone.
func (g gauge) wait() time.Duration {
	if g.regain > 0 {
		return g.regain
	}
	return retryUnknown
}

func (g gauge) usage(now time.Time) platform.Usage {
	return platform.Usage{Bucket: BucketApp, Limit: 100, Remaining: 100 - g.percent, ResetsAt: now.Add(g.wait())}
}
