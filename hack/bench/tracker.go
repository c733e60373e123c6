package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/bench/fleet"
)

// tracker watches the fleet as any client would, and remembers of each account when
// what the phases wait for was first seen in its status.
type tracker struct {
	mu       sync.Mutex
	accounts map[string]*seen
	// seen counts those that were ever seen, settled those that the platform has been
	// asked about, drifted and flipped those whose status tells so.
	count, settled, drifted, flipped int
	// first and last are when the first and the last status came in which an account was
	// settled for the first time.
	first, last time.Time
	// versions are all that came after an account's creation: its status writes.
	versions int
	failed   error
}

// seen is what is known of an account.
type seen struct {
	version            string
	settled, flipped   bool
	drifted, flippedAt time.Time
}

// startTracker watches until ctx ends.
func startTracker(ctx context.Context, raw rest.Interface) (*tracker, error) {
	t := &tracker{accounts: map[string]*seen{}}
	source := cache.NewListWatchFromClient(raw, "socialaccounts", metav1.NamespaceAll, fields.Everything())
	informer := cache.NewSharedInformer(source, &v1alpha1.SocialAccount{}, 0)
	if err := informer.SetTransform(t.note); err != nil {
		return nil, fmt.Errorf("watching accounts: %w", err)
	}
	if err := informer.SetWatchErrorHandler(func(_ *cache.Reflector, err error) {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.failed = fmt.Errorf("the watch of the benchmark: %w", err)
	}); err != nil {
		return nil, fmt.Errorf("watching accounts: %w", err)
	}
	go informer.RunWithContext(ctx)
	// The list of a converged ministry took two and a half minutes.
	syncing, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	if !cache.WaitForCacheSync(syncing.Done(), informer.HasSynced) {
		_, failed := t.figures()
		return nil, fmt.Errorf("watching accounts: %w", errors.Join(syncing.Err(), failed))
	}
	return t, nil
}

// note reads what came, and keeps no more of it than a name.
func (t *tracker) note(o any) (any, error) {
	acc, ok := o.(*v1alpha1.SocialAccount)
	if !ok {
		return o, nil // a tombstone
	}
	if strings.HasPrefix(acc.Name, fleet.NamePrefix) {
		t.take(acc, time.Now())
	}
	return &v1alpha1.SocialAccount{ObjectMeta: metav1.ObjectMeta{Namespace: acc.Namespace, Name: acc.Name, ResourceVersion: acc.ResourceVersion}}, nil
}

func (t *tracker) take(acc *v1alpha1.SocialAccount, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.accounts[acc.Name]
	switch {
	case s == nil:
		s = &seen{}
		t.accounts[acc.Name] = s
		t.count++
	case s.version != acc.ResourceVersion:
		t.versions++
	}
	s.version = acc.ResourceVersion
	if !s.settled && settled(acc) {
		s.settled = true
		t.settle(now)
	}
	if p := acc.Status.Profile; s.drifted.IsZero() && p != nil && p.DisplayName == fleet.RenamedTo {
		s.drifted = now
		t.drifted++
	}
	if !s.flipped && slices.ContainsFunc(acc.Status.Findings, flippedFinding) {
		s.flipped, s.flippedAt = true, now
		t.flipped++
	}
}

// settle counts an account that settled.
func (t *tracker) settle(now time.Time) {
	if t.settled == 0 {
		t.first = now
	}
	t.last = now
	t.settled++
}

func flippedFinding(f v1alpha1.Finding) bool {
	return f.Rule == fleet.FlippedRule && f.Verdict == v1alpha1.VerdictViolated
}

// settled says that a status rests on an answer of the platform.
func settled(acc *v1alpha1.SocialAccount) bool {
	c := meta.FindStatusCondition(acc.Status.Conditions, v1alpha1.ConditionObserved)
	return c != nil && c.Status == metav1.ConditionTrue
}

// figures copies what is counted. A watch that broke is resumed, and nothing of it is
// lost, but when it came: its error is that of the run.
func (t *tracker) figures() (tracker, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return tracker{count: t.count, settled: t.settled, drifted: t.drifted, flipped: t.flipped, first: t.first, last: t.last, versions: t.versions}, t.failed
}

// driftedAt is when an account's status first told of its change.
func (t *tracker) driftedAt(name string) (time.Time, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.accounts[name]
	if s == nil || s.drifted.IsZero() {
		return time.Time{}, false
	}
	return s.drifted, true
}

// lastFlip is when the last account's status first told of its flipped verdict.
func (t *tracker) lastFlip() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	var last time.Time
	for _, s := range t.accounts {
		if s.flippedAt.After(last) {
			last = s.flippedAt
		}
	}
	return last
}
