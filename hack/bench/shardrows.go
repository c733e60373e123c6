package main

import "fmt"

// What has to be shown of three processes.
const wantReplicaShare = 0.4

// shardRows are the figures of the shards phase.
func shardRows() []row {
	return []row{
		{"shards: processes", false, 0, func(r *result) float64 { return float64(r.Shards.Processes) }, "shards"},
		{"shards: seconds until ready", false, 1, func(r *result) float64 { return r.Shards.SecondsToReady }, "shards"},
		{"shards: accounts whose statuses were cleared before", false, 0, func(r *result) float64 { return float64(r.Shards.Cleared) }, "shards"},
		{"shards: API writes", false, 0, func(r *result) float64 { return float64(r.Shards.APIWrites) }, "shards"},
		{"shards: accounts of others that the API server sent", false, 0, func(r *result) float64 { return float64(r.Shards.ForeignObjects) }, "shards"},
		{"shards: memory of the biggest replica, MiB", false, 1, func(r *result) float64 { return mib(r.Shards.RSSBytes) }, "shards"},
		{"shards: biggest replica to one process", false, 3, func(r *result) float64 { return r.Shards.Ratio }, "shards"},
		{"shards: the same beyond an operator without accounts", false, 3, func(r *result) float64 { return r.Shards.RatioBeyondEmpty }, "shards"},
		{"shards: the same at the peak", false, 3, func(r *result) float64 { return r.Shards.PeakRatio }, "shards"},
		{"shards: accounts with another end state", false, 0, func(r *result) float64 { return float64(r.Shards.Different) }, "shards"},
		{"shards: accounts of the replica that was killed", false, 0, func(r *result) float64 { return float64(r.Shards.Killed.Accounts) }, "killed"},
		{"shards: seconds from the kill until all were read again", false, 1, func(r *result) float64 { return r.Shards.Killed.SecondsUntilObservedAgain }, "killed"},
		{"shards: longest time between two reads of an account, seconds", false, 1, func(r *result) float64 { return r.Shards.Killed.LongestGapSeconds }, "killed"},
	}
}

// judgeShards adds the targets of the shards phase. How much a replica holds is promised
// where the API server divides, and told otherwise.
func (r *result) judgeShards() {
	most := func(name string, bound float64, measured func() float64) {
		r.target("shards", name, bound, false, measured)
	}
	most("shards: biggest of three replicas to one process, where the server divides", wantReplicaShare, func() float64 { return r.Shards.Ratio })
	if last := &r.Targets[len(r.Targets)-1]; r.Shards != nil && !r.Shards.Gate {
		last.Measured, last.Met, last.Why = nil, false, fmt.Sprintf("the API server did not divide; without it the ratio is %.3f", r.Shards.Ratio)
	}
	most("shards: accounts or counts that differ from what one process wrote", 0, func() float64 {
		if r.Shards.Different == 0 && !r.Shards.SameEndState {
			return 1
		}
		return float64(r.Shards.Different)
	})
	most("shards: seconds until all are read again after a kill, to a lease and an interval", 1, func() float64 {
		return r.Shards.Killed.SecondsUntilObservedAgain / r.Shards.Killed.BoundSeconds
	})
}
