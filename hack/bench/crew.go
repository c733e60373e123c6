package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"mithaq.dev/mithaq/hack/bench/measure"
)

// crew are operators that run at the same time, each for a part of the fleet.
type crew []*operator

// stop ends all.
func (c *crew) stop() error {
	var errs []error
	for _, o := range *c {
		errs = append(errs, o.Stop())
	}
	*c = nil
	return errors.Join(errs...)
}

// ended is an error once one of them ended by itself.
func (c *crew) ended() error {
	for i, o := range *c {
		select {
		case <-o.Done:
			return fmt.Errorf("replica %d of %d ended: %w; see its log", i, len(*c), o.Err())
		default:
		}
	}
	return nil
}

// ready says whether all know the fleet.
func (c *crew) ready(ctx context.Context) bool {
	for _, o := range *c {
		if !o.ready(ctx) {
			return false
		}
	}
	return true
}

// reconciled is how many times they have looked at an account's state, together.
func (c *crew) reconciled(ctx context.Context) (int, error) {
	sum := 0
	for _, o := range *c {
		n, err := o.reconciled(ctx)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// heaps takes the replicas' heap profiles, if profiles are asked for.
func (b *bench) heaps(ctx context.Context) error {
	if !b.profiles {
		return nil
	}
	var errs []error
	for i, o := range b.crew {
		errs = append(errs, fetchTo(ctx, "http://"+o.pprof+"/debug/pprof/heap", filepath.Join(b.state, fmt.Sprintf("heap-replica-%d.pprof", i))))
	}
	return errors.Join(errs...)
}

// foreignMetric counts the accounts of other shards that the API server sent.
const foreignMetric = "mithaq_shard_foreign_objects_total"

// foreign is its sum over all.
func (c *crew) foreign(ctx context.Context) (int, error) {
	sum := 0
	for _, o := range *c {
		samples, err := o.foreign(ctx)
		if err != nil {
			return 0, err
		}
		for _, s := range samples {
			sum += int(s.Value)
		}
	}
	return sum, nil
}

// foreign are the samples of foreignMetric, of which there is one for each shard that an
// operator holds.
func (o *operator) foreign(ctx context.Context) ([]measure.Sample, error) {
	page, err := get(ctx, "http://"+o.metrics+"/metrics")
	if err != nil {
		return nil, fmt.Errorf("reading a replica's metrics: %w", err)
	}
	samples, err := measure.Samples(bytes.NewReader(page), foreignMetric)
	if err == nil && len(samples) == 0 {
		err = fmt.Errorf("a replica holds no shard: it has no %s", foreignMetric)
	}
	return samples, err
}

// holds are the shards that an operator acts for.
func (o *operator) holds(ctx context.Context) (map[int]bool, error) {
	samples, err := o.foreign(ctx)
	if err != nil {
		return nil, err
	}
	held := map[int]bool{}
	for _, s := range samples {
		i, err := strconv.Atoi(s.Labels["shard"])
		if err != nil {
			return nil, fmt.Errorf("the shard of %s: %w", foreignMetric, err)
		}
		held[i] = true
	}
	return held, nil
}
