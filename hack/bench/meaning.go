package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/bench/figures"
	"mithaq.dev/mithaq/hack/bench/fleet"
)

// What the platforms grant one app, as docs/platforms.md and docs/simulated-day.md
// have it, and the share of it that a connection uses unless it says otherwise, less the
// twentieth that is left for what is urgent.
const (
	share         = 0.80 * 0.95
	xWindow       = 300 // requests per 15 minutes
	xWindows      = 24 * 4
	xUserUSD      = 0.010 // per account and UTC day
	youTubeUnits  = 10_000
	metaPerMinute = 60  // Mithaq's own pace: at a share of 80, one request a second
	snapPerMinute = 600 // 10 requests a second and token
)

// limitBytes is the memory that the shipped Deployment allows, and filled the part of it
// that may be in use for good.
const (
	limitBytes = 1 << 30
	filled     = 0.8
)

// sizes are the fleets that the figures are reckoned out for.
var sizes = []int{10_000, fleet.Whole, 1_000_000}

// meaning reckons the figures of a run out for other fleets.
func meaning(r *result) (string, error) {
	if r.Convergence == nil || r.Memory == nil || r.Steady == nil || r.Restart == nil || r.Ceiling == nil {
		return "", fmt.Errorf("the run with %d accounts lacks phases", r.Accounts)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Reckoned from the run with %d accounts:\n\n|  |", r.Accounts)
	for _, n := range sizes {
		fmt.Fprintf(&b, " %d |", n)
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", len(sizes)) + "\n")
	for _, line := range meanings(r) {
		fmt.Fprintf(&b, "| %s |", line.what)
		for _, n := range sizes {
			text, err := line.of(n)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&b, " %s |", text)
		}
		b.WriteString("\n")
	}
	return b.String(), nil
}

// consequence is a line of what a fleet's size means.
type consequence struct {
	what string
	of   func(n int) (string, error)
}

func meanings(r *result) []consequence {
	number := func(format string, f func(n float64) float64) func(int) (string, error) {
		return func(n int) (string, error) { return fmt.Sprintf(format, f(float64(n))), nil }
	}
	span := func(f func(n float64) float64) func(int) (string, error) {
		return func(n int) (string, error) {
			return time.Duration(f(float64(n)) * float64(time.Second)).Round(time.Second).String(), nil
		}
	}
	size := float64(r.Accounts)
	out := []consequence{
		{"memory of one process, MiB", number("%.0f", func(n float64) float64 { return n * r.Memory.BytesPerAccount / (1 << 20) })},
		{"shards, so that none fills more than 80% of the 1 GiB that the Deployment allows", number("%.0f", func(n float64) float64 {
			return math.Ceil(n * r.Memory.BytesPerAccount / (filled * limitBytes))
		})},
		{"first convergence, at the measured rate of one API server", span(func(n float64) float64 { return n / r.Convergence.WritesPerSecond })},
		{"restart until everybody was judged", span(func(n float64) float64 { return n * r.Restart.JudgedSeconds / size })},
		{"CPU of a sweep an hour, thousandths of a core", number("%.2f", func(n float64) float64 {
			return n * r.Steady.CPUMicrosPerAccountPerSweep / 3600 / 1000
		})},
	}
	if bytes := sizeOf(r); !math.IsNaN(bytes) {
		out = append(out, consequence{"etcd, all objects once, MiB", number("%.0f", func(n float64) float64 { return n * bytes / (1 << 20) })})
	}
	return append(out, contracts()...)
}

// contracts are what the platforms' limits mean, with a fifth of the fleet on each.
func contracts() []consequence {
	requests := func(p v1alpha1.PlatformName, format func(requests int) string) func(int) (string, error) {
		return func(n int) (string, error) {
			asked, err := figures.MinimumRequests(n/len(fleet.Platforms()), fleet.BatchSize(p), 1)
			return format(asked), err
		}
	}
	perDay := func(grant float64) func(int) string {
		return func(asked int) string { return fmt.Sprintf("%d, %.1f a day", asked, grant*share/float64(asked)) }
	}
	minutes := func(rate float64) func(int) string {
		return func(asked int) string { return fmt.Sprintf("%d, %.1f minutes", asked, float64(asked)/rate) }
	}
	return []consequence{
		{"X: requests of a sweep, and how many sweeps one app's window allows", requests(v1alpha1.PlatformX, perDay(xWindow*xWindows))},
		{"X: USD a day for seeing everybody at least once", func(n int) (string, error) {
			return fmt.Sprintf("%.2f", float64(n/len(fleet.Platforms()))*xUserUSD), nil
		}},
		{"YouTube: units of a sweep, and how many sweeps 10,000 units allow", requests(v1alpha1.PlatformYouTube, perDay(youTubeUnits))},
		{"Instagram, and Facebook: requests of a sweep, and how long it takes through one connection", requests(v1alpha1.PlatformFacebook, minutes(metaPerMinute))},
		{"Snapchat: requests of a sweep, and how long it takes", requests(v1alpha1.PlatformSnapchat, minutes(snapPerMinute*share))},
	}
}
