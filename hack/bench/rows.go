package main

import (
	"math"
	"strconv"
)

// row is a figure that tables show, and whose growth is computed if it is a cost.
type row struct {
	name string
	// cost is one that may grow with the fleet; its exponent is printed.
	cost bool
	// digits after the point.
	digits int
	value  func(*result) float64
	phase  string
}

// of is the figure of a run, if it was measured.
func (f row) of(r *result) (float64, bool) {
	if !r.has(f.phase) {
		return 0, false
	}
	value := f.value(r)
	return value, !math.IsNaN(value)
}

// sizeOf is the mean size of an object, in bytes; NaN if it was not measured.
func sizeOf(r *result) float64 {
	if r.Ceiling.ObjectBytes == 0 {
		return math.NaN()
	}
	return float64(r.Ceiling.ObjectBytes)
}

func (f row) text(value float64) string { return strconv.FormatFloat(value, 'f', f.digits, 64) }

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// rows are the figures in the order of the tables.
func rows() []row {
	return append([]row{
		{"convergence: seconds", true, 1, func(r *result) float64 { return r.Convergence.Seconds }, "convergence"},
		{"convergence: seconds until caches were in sync", false, 1, func(r *result) float64 { return r.Convergence.ReadySeconds }, "convergence"},
		{"convergence: writes", true, 0, func(r *result) float64 { return float64(r.Convergence.Writes) }, "convergence"},
		{"convergence: writes per account", false, 3, func(r *result) float64 { return r.Convergence.WritesPerAccount }, "convergence"},
		{"convergence: events", false, 0, func(r *result) float64 { return float64(r.Convergence.Events) }, "convergence"},
		{"convergence: writes per second", false, 1, func(r *result) float64 { return r.Convergence.WritesPerSecond }, "convergence"},
		{"raw ceiling: writes per second", false, 1, func(r *result) float64 { return r.Ceiling.WritesPerSecond }, "ceiling"},
		{"convergence: ratio to the ceiling", false, 3, func(r *result) float64 { return r.Convergence.Ratio }, "ceiling"},
		{"convergence: ratio from first to last write", false, 3, func(r *result) float64 { return r.Convergence.WritingRatio }, "ceiling"},
		{"convergence: ratio, counting its events too", false, 3, func(r *result) float64 {
			return float64(r.Convergence.Writes+r.Convergence.Events) / r.Convergence.Seconds / r.Ceiling.WritesPerSecond
		}, "ceiling"},
		{"bytes of an object in JSON", false, 0, sizeOf, "ceiling"},
		{"convergence: CPU, µs per account", false, 1, func(r *result) float64 { return r.Convergence.CPUMicrosPerAccount }, "convergence"},
		{"memory: MiB", true, 1, func(r *result) float64 { return mib(r.Memory.RSSBytes) }, "memory"},
		{"memory: bytes per account", false, 0, func(r *result) float64 { return r.Memory.BytesPerAccount }, "memory"},
		{"memory: bytes per account beyond an operator without any", false, 0, func(r *result) float64 { return r.Memory.NetBytesPerAccount }, "memory"},
		{"memory: peak, MiB", true, 1, func(r *result) float64 { return mib(r.Memory.PeakBytes) }, "memory"},
		{"memory: bytes per account at the peak", false, 0, func(r *result) float64 { return r.Memory.PeakBytesPerAccount }, "memory"},
		{"restart: seconds until ready", false, 1, func(r *result) float64 { return r.Restart.SecondsToReady }, "restart"},
		{"restart: seconds until all were judged", true, 1, func(r *result) float64 { return r.Restart.JudgedSeconds }, "restart"},
		{"restart: seconds of a bare informer's sync", true, 2, func(r *result) float64 { return r.Restart.CacheSyncSeconds }, "restart"},
		{"restart: API writes", false, 0, func(r *result) float64 { return float64(r.Restart.APIWrites) }, "restart"},
		{"restart: platform requests", false, 0, func(r *result) float64 { return float64(r.Restart.PlatformRequests) }, "restart"},
		{"steady: API writes", false, 0, func(r *result) float64 { return float64(r.Steady.APIWrites) }, "steady"},
		{"steady: events", false, 0, func(r *result) float64 { return float64(r.Steady.Events) }, "steady"},
		{"steady: CPU, µs per account and sweep", false, 2, func(r *result) float64 { return r.Steady.CPUMicrosPerAccountPerSweep }, "steady"},
		{"steady: CPU, ms per sweep", true, 1, func(r *result) float64 {
			return r.Steady.CPUMicrosPerAccountPerSweep * float64(r.Accounts) / 1000
		}, "steady"},
		{"naive: CPU, µs per account and sweep", false, 1, func(r *result) float64 { return r.Naive.CPUMicrosPerAccountPerSweep }, "naive"},
		{"naive: API writes per account and sweep", false, 2, func(r *result) float64 { return r.Naive.APIWritesPerAccountPerSweep }, "naive"},
		{"naive: accounts that it polled", false, 0, func(r *result) float64 { return float64(r.Naive.Accounts) }, "naive"},
		{"drift: accounts", false, 0, func(r *result) float64 { return float64(r.Drift.Changed) }, "drift"},
		{"drift: seconds from answer to status, p50", false, 3, func(r *result) float64 { return r.Drift.DetectedP50Seconds }, "drift"},
		{"drift: seconds from answer to status, p99", false, 3, func(r *result) float64 { return r.Drift.DetectedP99Seconds }, "drift"},
		{"drift: not detected in the sweep that showed them", false, 0, func(r *result) float64 { return float64(r.Drift.Late) }, "drift"},
		{"drift: sweeps from the first change until all were saved", false, 2, func(r *result) float64 { return r.Drift.Sweeps }, "drift"},
		{"policy edit: verdicts that it turned", false, 0, func(r *result) float64 { return float64(r.PolicyEdit.ChangedVerdicts) }, "policyEdit"},
		{"policy edit: writes", false, 0, func(r *result) float64 { return float64(r.PolicyEdit.Writes) }, "policyEdit"},
		{"policy edit: seconds until everybody was judged anew", false, 1, func(r *result) float64 { return r.PolicyEdit.JudgedSeconds }, "policyEdit"},
		{"policy edit: seconds, until what turned was saved too", true, 1, func(r *result) float64 { return r.PolicyEdit.Seconds }, "policyEdit"},
	}, append(handoverRows(), shardRows()...)...)
}
