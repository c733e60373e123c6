package telemetry_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/telemetry"
)

// A process may hold two shards, give one back, and take it again.
func TestMetricsOfAShardGoWithIt(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	first, second := telemetry.NewScope(reg, "shard", "0"), telemetry.NewScope(reg, "shard", "1")
	telemetry.NewForeign(first).Dropped()
	telemetry.NewForeign(second)
	telemetry.NewRequests(second).Of(platform.X)("/2/users", "200", 0)
	expect(t, reg, map[string]float64{
		"mithaq_shard_foreign_objects_total shard=0":                                    1,
		"mithaq_shard_foreign_objects_total shard=1":                                    0,
		"mithaq_platform_requests_total code=200 endpoint=/2/users platform=X shard=1":  1,
		"mithaq_platform_request_duration_seconds endpoint=/2/users platform=X shard=1": 1,
	})
	second.Close()
	expect(t, reg, map[string]float64{"mithaq_shard_foreign_objects_total shard=0": 1})
	again := telemetry.NewScope(reg, "shard", "1")
	telemetry.NewForeign(again)
	telemetry.NewRequests(again)
	again.Close()
	first.Close()
	expect(t, reg, map[string]float64{})
}
