package platformconnection

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/status"
)

// share shows this shard's part, and writes what all parts make where that is ours to
// do.
func (r *Reconciler) share(ctx context.Context, connection *v1alpha1.PlatformConnection, f facts) error {
	before, err := r.mine(ctx, connection)
	if err != nil {
		return err
	}
	own := connection.DeepCopy()
	own.Status = v1alpha1.PlatformConnectionStatus{}
	if before != nil {
		own.Status = before.Status
	}
	next, _ := decide(own, f, r.Clock.Now())
	mine := part{UID: connection.UID, Epoch: r.Epoch, Used: f.report.Accounts > 0, Status: next}
	if err := r.Board.Put(ctx, connection.Name, mine); err != nil {
		return err
	}
	r.tellSaved(connection, f)
	if !r.Board.Leads() {
		return nil
	}
	parts, err := r.parts(ctx, connection, mine)
	if err != nil || parts == nil {
		return err
	}
	sum, events := together(connection, parts, r.Adapters[connection.Spec.Platform], r.Clock.Now())
	_, err = r.write(ctx, connection, sum, events)
	return err
}

// parts are what all shards show of a connection in this reign; nil while one shows
// nothing yet.
func (r *Reconciler) parts(ctx context.Context, connection *v1alpha1.PlatformConnection, mine part) ([]part, error) {
	shown, _, err := r.Board.All(ctx, connection.Name)
	if err != nil {
		return nil, err
	}
	parts := make([]part, len(shown))
	for i, one := range shown {
		if i == r.Board.Shard {
			parts[i] = mine // the cache may lag behind
			continue
		}
		if one.Raw == nil {
			return nil, nil
		}
		if err := json.Unmarshal(one.Raw, &parts[i]); err != nil {
			return nil, fmt.Errorf("reading what shard %d shows of connection %s: %w", i, connection.Name, err)
		}
		if parts[i].UID != connection.UID || parts[i].Epoch != r.Epoch {
			return nil, nil
		}
	}
	return parts, nil
}

// together makes one status of all parts: the worst of their conditions, and the sums
// of their figures.
func together(connection *v1alpha1.PlatformConnection, parts []part, adapter platform.Adapter, now time.Time) (v1alpha1.PlatformConnectionStatus, []occurrence) {
	before := &connection.Status
	c := status.Begin(before.Conditions, connection.Generation, now)
	for _, kind := range []string{v1alpha1.ConditionAvailable, v1alpha1.ConditionFreshnessFeasible, v1alpha1.ConditionReady, v1alpha1.ConditionStalled} {
		if state, message, ok := worst(parts, kind); ok {
			c.Put(state, message)
		}
	}
	next := v1alpha1.PlatformConnectionStatus{ObservedGeneration: connection.Generation, Conditions: c.List()}
	for i := range parts {
		addBudget(&next, &parts[i].Status, adapter)
		addSweep(&next, parts[i])
		addFreshness(&next, parts[i].Status.Freshness)
	}
	return next, occurrences(before.Conditions, next.Conditions)
}

// rank orders what conditions say: what somebody has to mend comes first.
func rank(c *metav1.Condition) int {
	switch {
	case c.Type == v1alpha1.ConditionFreshnessFeasible && c.Status == metav1.ConditionUnknown:
		return 4 // nothing to plan in that part
	case c.Status == metav1.ConditionFalse && c.Reason == v1alpha1.ReasonAppUnauthorized:
		return 0
	case c.Status == metav1.ConditionFalse:
		return 1
	case c.Status == metav1.ConditionUnknown:
		return 2
	}
	return 3
}

// worst is the worst of what parts say of a condition. Where parts say the same in
// different words, it is said of which it is.
func worst(parts []part, kind string) (v1alpha1.State, string, bool) {
	var found *metav1.Condition
	same, which := true, 0
	for i, c := range said(parts, kind) {
		switch {
		case c == nil:
		case found == nil || rank(c) < rank(found):
			found, same, which = c, true, i
		case rank(c) == rank(found) && c.Message != found.Message:
			same = false
		}
	}
	if found == nil {
		return v1alpha1.State{}, "", false
	}
	state, ok := v1alpha1.FindState(v1alpha1.KindPlatformConnection, *found)
	message := found.Message
	if !same {
		message = fmt.Sprintf("of shard %d of %d: %s", which, len(parts), message)
	}
	return state, message, ok
}

// said is what each part says of a condition. A part without accounts has nothing to
// say, unless no part has any; what stalls one stalls all.
func said(parts []part, kind string) []*metav1.Condition {
	all := make([]*metav1.Condition, len(parts))
	used := slices.ContainsFunc(parts, func(p part) bool { return p.Used })
	for i := range parts {
		if parts[i].Used || !used || kind == v1alpha1.ConditionStalled {
			all[i] = meta.FindStatusCondition(parts[i].Status.Conditions, kind)
		}
	}
	return all
}

// addBudget adds what a part has spent.
func addBudget(sum, p *v1alpha1.PlatformConnectionStatus, adapter platform.Adapter) {
	for _, b := range p.Budget {
		i := slices.IndexFunc(sum.Budget, func(o v1alpha1.BucketStatus) bool { return o.Bucket == b.Bucket })
		if i < 0 {
			sum.Budget = append(sum.Budget, b)
			continue
		}
		described, _ := adapter.Budget(b.Bucket) // unknown: like a window
		addBucket(&sum.Budget[i], b, described.Kind)
	}
	slices.SortFunc(sum.Budget, func(a, b v1alpha1.BucketStatus) int { return strings.Compare(a.Bucket, b.Bucket) })
	if ptr.Deref(p.Counting, false) {
		sum.Counting = ptr.To(true)
	}
	addSpend(sum, p.Spend)
}

// addBucket adds units of the same day. Windows and gauges are told by the platform, for
// all parts together: there the least that anybody was told is left. What has ended
// already counts no more.
func addBucket(sum *v1alpha1.BucketStatus, b v1alpha1.BucketStatus, kind platform.BudgetKind) {
	switch ends, other := resets(*sum), resets(b); {
	case ends.Before(other):
		*sum = b
	case other.Before(ends):
	case kind == platform.BudgetDay:
		sum.Remaining = ptr.To(max(ptr.Deref(sum.Remaining, 0)-spentOf(b), 0))
	default:
		sum.Remaining = ptr.To(min(ptr.Deref(sum.Remaining, 0), ptr.Deref(b.Remaining, 0)))
	}
}

func resets(b v1alpha1.BucketStatus) time.Time {
	if b.ResetsAt == nil {
		return time.Time{}
	}
	return b.ResetsAt.Time
}

// addSpend adds what the last day has cost.
func addSpend(sum *v1alpha1.PlatformConnectionStatus, spend *v1alpha1.Spend) {
	switch {
	case spend == nil || sum.Spend != nil && sum.Spend.Day > spend.Day:
	case sum.Spend == nil || sum.Spend.Day < spend.Day:
		sum.Spend = spend.DeepCopy()
	default:
		sum.Spend.USD = dollars(microUSD(sum.Spend.USD) + microUSD(spend.USD))
	}
}

// addSweep adds a part's round; there is none of the whole before every part had one.
func addSweep(sum *v1alpha1.PlatformConnectionStatus, p part) {
	s := p.Status.Sweep
	if !p.Used || s == nil {
		return
	}
	if sum.Sweep == nil {
		sum.Sweep = s.DeepCopy()
		return
	}
	all := sum.Sweep
	all.Accounts = ptr.To(ptr.Deref(all.Accounts, 0) + ptr.Deref(s.Accounts, 0))
	all.Requests = ptr.To(ptr.Deref(all.Requests, 0) + ptr.Deref(s.Requests, 0))
	all.StartedAt = earlier(all.StartedAt, s.StartedAt)
	all.OldestObservation = earlier(all.OldestObservation, s.OldestObservation)
	if s.CompletedAt != nil && (all.CompletedAt == nil || all.CompletedAt.Before(s.CompletedAt)) {
		all.CompletedAt = s.CompletedAt
	}
}

func earlier(a, b *metav1.Time) *metav1.Time {
	if a == nil || b != nil && b.Before(a) {
		return b
	}
	return a
}

// addFreshness keeps of each tier the shortest promise and the worst age.
func addFreshness(sum *v1alpha1.PlatformConnectionStatus, tiers []v1alpha1.TierFreshness) {
	for _, t := range tiers {
		i := slices.IndexFunc(sum.Freshness, func(o v1alpha1.TierFreshness) bool { return o.Tier == t.Tier })
		if i < 0 {
			sum.Freshness = append(sum.Freshness, t)
			continue
		}
		was := &sum.Freshness[i]
		was.Promised.Duration = min(was.Promised.Duration, t.Promised.Duration)
		was.Achieved.Duration = max(was.Achieved.Duration, t.Achieved.Duration)
	}
	slices.SortFunc(sum.Freshness, func(a, b v1alpha1.TierFreshness) int { return strings.Compare(string(a.Tier), string(b.Tier)) })
}
