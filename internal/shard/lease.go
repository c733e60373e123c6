package shard

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
)

// lease is one lease as this process sees it. client-go's elector knows one lease and
// one holder; here a process looks at several with one request and takes what is its
// due, and one lease is held by all together. What makes it safe is the same: the API
// server compares resource versions, and a lease is free once it stood still for its
// duration by the observer's own clock.
type lease struct {
	leases   coordination.LeaseInterface
	name     string
	identity string
	labels   map[string]string
	// annotations are what it tells while this process holds it.
	annotations map[string]string
	times       Times
	clock       clock.PassiveClock

	// object is how it was last seen, and since seenAt; nil: it is not there.
	object *coordinationv1.Lease
	seenAt time.Time
	// renewed is when it last was ours for certain: before the request was sent.
	renewed time.Time
}

// Times are those of a lease, as of leader election.
type Times struct {
	// Duration is how long a lease stands still before others take it. RenewBy is after
	// how long without a renewal its holder stops by itself, which leaves it the rest to
	// stop in. Every is how often it is looked at.
	Duration, RenewBy, Every time.Duration
}

func newLease(cfg Config, name, identity string) *lease {
	return &lease{leases: cfg.Leases.Leases(cfg.Namespace), name: name, identity: identity, times: cfg.Times, clock: cfg.Clock}
}

// see takes note of how it is now; nil: it is not there.
func (l *lease) see(now *coordinationv1.Lease, at time.Time) {
	if l.object == nil || now == nil || l.object.ResourceVersion != now.ResourceVersion {
		l.seenAt = at
	}
	l.object = now
}

func (l *lease) holder() string {
	if l.object == nil {
		return ""
	}
	return ptr.Deref(l.object.Spec.HolderIdentity, "")
}

// since is when the present holder took it, in microseconds; all who see it agree.
func (l *lease) since() int64 {
	if l.object == nil || l.object.Spec.AcquireTime == nil {
		return 0
	}
	return l.object.Spec.AcquireTime.UnixMicro()
}

// lastRenewed is when its last holder renewed it, or gave it back; zero: it had none.
func (l *lease) lastRenewed() time.Time {
	if l.object == nil || l.object.Spec.RenewTime == nil {
		return time.Time{}
	}
	return l.object.Spec.RenewTime.Time
}

// ours says that this process, or all together, hold it as far as it was last seen.
func (l *lease) ours() bool { return l.holder() == l.identity }

// free says that nobody holds it.
func (l *lease) free() bool {
	return l.holder() == "" || l.clock.Now().After(l.seenAt.Add(l.times.Duration))
}

// lost says that it may be somebody else's by now.
func (l *lease) lost() bool { return l.clock.Now().After(l.renewed.Add(l.times.RenewBy)) }

// take takes or renews it as it was last seen. A conflict means that somebody else was
// faster; the error says so.
func (l *lease) take(ctx context.Context) error {
	at := l.clock.Now()
	now := metav1.NewMicroTime(at)
	spec := coordinationv1.LeaseSpec{
		HolderIdentity: &l.identity, LeaseDurationSeconds: ptr.To(int32(l.times.Duration / time.Second)),
		AcquireTime: &now, RenewTime: &now, LeaseTransitions: ptr.To(int32(0)),
	}
	if l.object != nil {
		spec.LeaseTransitions = ptr.To(ptr.Deref(l.object.Spec.LeaseTransitions, 0) + 1)
	}
	if l.ours() {
		spec.AcquireTime, spec.LeaseTransitions = l.object.Spec.AcquireTime, l.object.Spec.LeaseTransitions
	}
	if err := l.write(ctx, spec); err != nil {
		return err
	}
	l.renewed = at
	return nil
}

// leave gives it back, so that nobody has to wait.
func (l *lease) leave(ctx context.Context) error {
	if !l.ours() {
		return nil
	}
	now := metav1.NewMicroTime(l.clock.Now())
	return l.write(ctx, coordinationv1.LeaseSpec{
		HolderIdentity: ptr.To(""), LeaseDurationSeconds: ptr.To(int32(1)), AcquireTime: &now, RenewTime: &now,
		LeaseTransitions: l.object.Spec.LeaseTransitions,
	})
}

func (l *lease) write(ctx context.Context, spec coordinationv1.LeaseSpec) error {
	next, err := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: l.name, Labels: l.labels, Annotations: l.annotations}, Spec: spec}, error(nil)
	if l.object == nil {
		next, err = l.leases.Create(ctx, next, metav1.CreateOptions{})
	} else {
		next = l.object.DeepCopy()
		next.Spec = spec
		for key, value := range l.annotations {
			metav1.SetMetaDataAnnotation(&next.ObjectMeta, key, value)
		}
		next, err = l.leases.Update(ctx, next, metav1.UpdateOptions{})
	}
	if err != nil {
		return fmt.Errorf("writing lease %s: %w", l.name, err)
	}
	l.see(next, l.clock.Now())
	return nil
}

// remove deletes one that only says that this process is there.
func (l *lease) remove(ctx context.Context) error {
	if err := l.leases.Delete(ctx, l.name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting lease %s: %w", l.name, err)
	}
	return nil
}
