package shard

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// presence knows which processes of a layout are there: each says so by a lease of its
// own, which nobody else takes.
type presence struct {
	*lease
	label string
	// live are the names of those that are there, sorted; since when there are as many.
	live  []string
	since time.Time
	seen  map[string]sighting
}

// sighting is when a lease was last seen to move.
type sighting struct {
	version string
	at      time.Time
}

func newPresence(cfg Config) *presence {
	sum := sha256.Sum256([]byte(cfg.Identity))
	p := &presence{
		lease: newLease(cfg, "mithaq-replica-"+hex.EncodeToString(sum[:8]), cfg.Identity),
		label: strconv.Itoa(cfg.Layout.Shards()), seen: map[string]sighting{},
	}
	p.labels = map[string]string{labelCrew: p.label}
	return p
}

// look says that this process is there, and sees who else is.
func (p *presence) look(ctx context.Context, all []coordinationv1.Lease) error {
	if p.renewed.IsZero() || p.clock.Since(p.renewed) >= 2*p.times.Every {
		if err := p.take(ctx); err != nil {
			return err
		}
	}
	now, live, seen := p.clock.Now(), []string{}, map[string]sighting{}
	var failed error
	for i := range all {
		if all[i].Labels[labelCrew] != p.label {
			continue
		}
		s := p.sight(&all[i], now)
		seen[all[i].Name] = s
		switch stood := now.Sub(s.at); {
		case stood < p.times.Duration:
			live = append(live, all[i].Name)
		case stood >= 10*p.times.Duration: // its process is long gone
			failed = errors.Join(failed, p.bury(ctx, &all[i]))
		}
	}
	p.seen = seen
	slices.Sort(live)
	if !slices.Equal(live, p.live) {
		p.live, p.since = live, now
	}
	return failed
}

// sight notes when a lease was last seen to move.
func (p *presence) sight(l *coordinationv1.Lease, now time.Time) sighting {
	s, known := p.seen[l.Name]
	switch {
	case !known && stoodStill(l.Spec.RenewTime, p.times.Duration, now):
		return sighting{l.ResourceVersion, now.Add(-p.times.Duration)} // until it is seen to move
	case s.version != l.ResourceVersion:
		return sighting{l.ResourceVersion, now}
	}
	return s
}

// bury deletes the lease of a process that is gone, unless it moves after all.
func (p *presence) bury(ctx context.Context, l *coordinationv1.Lease) error {
	err := p.leases.Delete(ctx, l.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{ResourceVersion: &l.ResourceVersion}})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("deleting the lease of a process that is gone: %w", err)
	}
	return nil
}

// stoodStill says that a lease that is seen for the first time says itself that it ended
// long ago. Clocks may differ, so this only decides how many are counted, never who
// holds what.
func stoodStill(renewed *metav1.MicroTime, duration time.Duration, now time.Time) bool {
	return renewed != nil && now.Sub(renewed.Time) >= duration
}

// due is how many of n shards are this process's, and with which it begins to look for
// them, so that several do not try the same; false where this process could not say
// that it is there.
func (p *presence) due(n int) (shards, from int, there bool) {
	rank, there := slices.BinarySearch(p.live, p.name)
	if !there {
		return 0, 0, false
	}
	shards = n / len(p.live)
	if rank < n%len(p.live) {
		shards++
	}
	return shards, rank * n / len(p.live), true
}

// settled says that nobody came or went for a while: what is given back has a taker.
func (p *presence) settled() bool { return p.clock.Since(p.since) >= p.times.Duration/2 }

func (p *presence) alone() bool { return len(p.live) <= 1 }
