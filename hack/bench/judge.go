package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
)

// What has to be shown; see docs/scaling.md.
const (
	wantRatio        = 0.9
	wantWrites       = 1.02
	wantBytes        = 6 << 10
	wantPeakBytes    = 8 << 10
	wantRequests     = 1.02
	wantCPUShare     = 1.0 / 25
	wantSyncs        = 1.5
	wantDriftSeconds = 2
	wantEditSeconds  = 10
)

// target is a figure against what has to be shown. Measured is absent, and Met false,
// if nothing was measured: missing evidence is no pass.
type target struct {
	Name     string   `json:"name"`
	Bound    float64  `json:"bound"`
	AtLeast  bool     `json:"atLeast,omitempty"`
	Measured *float64 `json:"measured,omitempty"`
	Met      bool     `json:"met"`
	Why      string   `json:"why,omitempty"`
}

// margin says by how much a target is met or missed, in percent of its bound, or as a
// number where the bound is 0.
func (t target) margin() string {
	switch {
	case t.Measured == nil:
		return t.Why
	case t.Bound == 0:
		return fmt.Sprintf("%g more", *t.Measured)
	}
	off := 100 * (*t.Measured - t.Bound) / t.Bound
	word := "above"
	if off < 0 {
		off, word = -off, "below"
	}
	return fmt.Sprintf("%.1f%% %s", off, word)
}

// judge compares the figures with the targets.
func (r *result) judge() {
	r.Targets = nil
	most := func(phase, name string, bound float64, measured func() float64) {
		r.target(phase, name, bound, false, measured)
	}
	r.target("ceiling", "convergence: ratio to the raw ceiling", wantRatio, true, func() float64 { return r.Convergence.Ratio })
	most("convergence", "convergence: writes per account", wantWrites, func() float64 { return r.Convergence.WritesPerAccount })
	most("memory", "memory: bytes per account", wantBytes, func() float64 { return r.Memory.BytesPerAccount })
	most("memory", "memory: bytes per account at the peak of the first list", wantPeakBytes, func() float64 {
		return max(r.Memory.PeakBytesPerAccount, r.Memory.RestartPeakPerAccount)
	})
	most("platform", "platform: requests until everybody was read once, to the fewest possible, the worst platform", wantRequests, r.worstRequests)
	most("steady", "steady: API writes", 0, func() float64 { return float64(r.Steady.APIWrites) })
	most("steady", "steady: events", 0, func() float64 { return float64(r.Steady.Events) })
	if r.Naive != nil {
		most("steady", "steady: CPU to the naive controller's (aim: 0.01)", wantCPUShare, func() float64 {
			return r.Steady.CPUMicrosPerAccountPerSweep / r.Naive.CPUMicrosPerAccountPerSweep
		})
	} else {
		most("naive", "steady: CPU to the naive controller's (aim: 0.01)", wantCPUShare, nil)
	}
	most("restart", "restart: seconds until ready, to 1.5 bare syncs and a sweep", 1, func() float64 {
		return r.Restart.SecondsToReady / (wantSyncs*r.Restart.CacheSyncSeconds + r.Restart.SweepSeconds)
	})
	most("restart", "restart: API writes", 0, func() float64 { return float64(r.Restart.APIWrites) })
	most("drift", "drift: changes that the sweep which showed them did not detect", 0, func() float64 { return float64(r.Drift.Late) })
	most("drift", "drift: seconds from answer to status, p99", wantDriftSeconds, func() float64 { return r.Drift.DetectedP99Seconds })
	most("policyEdit", "policy edit: writes beyond the verdicts that it turned", 0, func() float64 {
		return float64(r.PolicyEdit.Writes - r.PolicyEdit.ChangedVerdicts)
	})
	most("policyEdit", "policy edit: seconds until everybody was judged anew, and what turned was saved", wantEditSeconds, func() float64 { return r.PolicyEdit.Seconds })
	r.judgeHandover()
	r.judgeShards()
}

// target adds one whose phase may not have been measured.
func (r *result) target(phase, name string, bound float64, atLeast bool, measured func() float64) {
	t := target{Name: name, Bound: bound, AtLeast: atLeast}
	switch failed, ok := r.Failed[phase]; {
	case ok:
		t.Why = "phase " + phase + " failed: " + failed
	case slices.Contains(r.Skipped, phase) || measured == nil || !r.has(phase):
		t.Why = "not measured: phase " + phase + " did not run"
	default:
		value := measured()
		t.Measured = &value
		t.Met = value <= bound
		if atLeast {
			t.Met = value >= bound
		}
	}
	r.Targets = append(r.Targets, t)
}

// has says that a phase left figures.
func (r *result) has(phase string) bool {
	return map[string]bool{
		"convergence": r.Convergence != nil, "memory": r.Memory != nil, "platform": r.Platform != nil, "ceiling": r.Ceiling != nil && r.Convergence != nil,
		"restart": r.Restart != nil, "steady": r.Steady != nil, "drift": r.Drift != nil, "policyEdit": r.PolicyEdit != nil, "naive": r.Naive != nil, "shards": r.Shards != nil, "killed": r.Shards != nil && r.Shards.Killed != nil,
		"massHandover": r.MassHandover != nil,
	}[phase]
}

func (r *result) worstRequests() float64 {
	worst := 0.0
	for _, p := range r.Platform {
		worst = max(worst, float64(p.Requests)/float64(p.Minimum))
	}
	return worst
}

// table shows figures and targets for people.
func (r *result) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d accounts, %d CPUs, %s\n\n", r.Accounts, r.Settings.CPUs, r.Settings.Go)
	figuresTable := plainTable(table.Row{"Figure", "Value"})
	for _, f := range rows() {
		if value, ok := f.of(r); ok {
			figuresTable.AppendRow(table.Row{f.name, f.text(value)})
		}
	}
	for _, p := range slices.Sorted(maps.Keys(r.Platform)) {
		a := r.Platform[p]
		figuresTable.AppendRow(table.Row{"requests to " + p + " (fewest possible)", fmt.Sprintf("%d (%d), %d until the end, and %d for pictures, %d for tokens", a.Requests, a.Minimum, a.Total, a.Images, a.Tokens)})
	}
	b.WriteString(figuresTable.Render())
	b.WriteString("\n\n" + r.targetTable() + "\n\n" + r.remarks())
	return b.String()
}

// targetTable shows targets, met or not.
func (r *result) targetTable() string {
	targets := plainTable(table.Row{"Target", "Bound", "Measured", "", "By"})
	for _, t := range r.Targets {
		met, measured, sign := "NOT MET", "–", "≤"
		if t.Met {
			met = "met"
		}
		if t.AtLeast {
			sign = "≥"
		}
		if t.Measured != nil {
			measured = fmt.Sprintf("%.4g", *t.Measured)
		}
		targets.AppendRow(table.Row{t.Name, fmt.Sprintf("%s %.4g", sign, t.Bound), measured, met, t.margin()})
	}
	return targets.Render()
}

// remarks are what a reader of the tables has to know.
func (r *result) remarks() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r.Failed)) {
		fmt.Fprintf(&b, "phase %s FAILED: %s\n", name, r.Failed[name])
	}
	if len(r.Skipped) > 0 {
		fmt.Fprintf(&b, "phases that did not run: %s\n", strings.Join(r.Skipped, ", "))
	}
	for _, note := range r.Settings.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	for _, limit := range slices.Sorted(maps.Keys(r.Settings.SimulatorLimits)) {
		fmt.Fprintf(&b, "raised limit of the simulator: --%s=%s\n", limit, r.Settings.SimulatorLimits[limit])
	}
	return b.String()
}

func plainTable(header table.Row) table.Writer {
	t := table.NewWriter()
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	t.SetStyle(style)
	t.AppendHeader(header)
	return t
}
