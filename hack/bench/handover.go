package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/bench/fleet"
	"mithaq.dev/mithaq/hack/bench/measure"
	"mithaq.dev/mithaq/hack/local"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// What has to be shown of many handovers at once.
const (
	wantExceeded          = 0
	wantWritesPerRotation = 20
)

// massHandover is the change of the accountable person of many accounts at once, from the
// first edit to the last account that is settled, with the people's part of it.
type massHandover struct {
	Rotations         int     `json:"rotations"`
	Seconds           float64 `json:"seconds"`
	WritesPerRotation float64 `json:"writesPerRotation"`

	// AskedSeconds is until people were asked for their part in all of them: what follows
	// the new credential is all done by then, and the former one is dead.
	AskedSeconds float64 `json:"askedSeconds"`
	// EventsPerRotation and ByResource are the operator's alone.
	EventsPerRotation float64        `json:"eventsPerRotation"`
	ByResource        map[string]int `json:"writesByResource"`
	// BeyondLimits are requests that a simulated platform refused for a budget of it, and
	// units beyond a published limit.
	BeyondLimits int `json:"beyondLimits"`
	// OldestLookSeconds is the worst age of what was known of any account meanwhile;
	// PromisedSeconds is the age at which it would be called stale.
	OldestLookSeconds float64 `json:"oldestLookSeconds"`
	PromisedSeconds   float64 `json:"promisedSeconds"`
	// Calls are the requests to each platform meanwhile, sweeps and consents included.
	Calls map[string]int `json:"platformRequests"`
}

// handovers is how many accounts change hands.
func (b *bench) handovers() int { return min(b.rotations, b.fleet.N) }

// furnish adds to the simulated platforms what the handovers need.
func (b *bench) furnish(w world.Fleet) world.Fleet {
	if b.handing {
		b.fleet.Hands(&w, b.handovers())
	}
	return w
}

// massHandover gives accounts their first credentials, and then changes the hands of all
// of them at once.
func (b *bench) massHandover(ctx context.Context) error {
	p, end, err := b.withHands(ctx)
	if err != nil {
		return err
	}
	defer end()
	n := b.handovers()
	if err := b.firstCredentials(ctx, p, n); err != nil {
		return fmt.Errorf("first credentials: %w", err)
	}
	before, err := b.now(ctx, 0)
	if err != nil {
		return err
	}
	out := &massHandover{Rotations: n, PromisedSeconds: fleet.StaleAfter(b.every).Seconds(), Calls: map[string]int{}}
	profile := b.profile(ctx, "mass-handover")
	begun := time.Now()
	edits, err := b.changeHands(ctx, p, out, begun)
	if err != nil {
		return err
	}
	out.Seconds = time.Since(begun).Seconds()
	if err := profile(); err != nil {
		return err
	}
	after, err := b.untilQuiet(ctx, before.writes)
	if err != nil {
		return err
	}
	return b.handedOver(ctx, out, before, after, edits)
}

// handedOver counts what it took. The people's edits are none of the operator's writes.
func (b *bench) handedOver(ctx context.Context, out *massHandover, before moment, after measure.Requests, edits int) error {
	after["socialaccounts"] -= edits
	n := float64(out.Rotations)
	out.WritesPerRotation, out.EventsPerRotation, out.ByResource = float64(after.Sum())/n, float64(after[measure.Events])/n, after
	ledger, err := b.sim.Ledger(ctx)
	if err != nil {
		return err
	}
	if err := b.keep("ledger-handover.json", ledger); err != nil {
		return err
	}
	for _, p := range fleet.Platforms() {
		name := world.Platform(p)
		out.Calls[string(p)] = ledger.Asked(name, "") - before.asked.Asked(name, "")
		// Some platforms refuse what is beyond a limit, and the ledger tells of it besides.
		out.BeyondLimits += max(int(ledger.BudgetExceeded(name)-before.asked.BudgetExceeded(name)), refused(ledger, name)-refused(before.asked, name))
	}
	b.result.MassHandover = out
	return nil
}

// refused counts the answers that say that a limit is used up.
func refused(l world.Ledger, p world.Platform) int {
	n := 0
	for _, r := range l.Requests {
		if r.Platform == p && r.Status == http.StatusTooManyRequests {
			n += r.Count
		}
	}
	return n
}

// changeHands changes them and lets the people do their part. edits is how often they
// edited an account.
func (b *bench) changeHands(ctx context.Context, p *people, out *massHandover, begun time.Time) (edits int, err error) {
	n := out.Rotations
	if err := b.parallel(ctx, "accountable persons changed", n, func(ctx context.Context, i int) error {
		a := b.fleet.At(i)
		return b.patchSpec(ctx, a, map[string]any{"owner": map[string]any{"accountable": a.Holder(true)}})
	}); err != nil {
		return 0, err
	}
	if err := b.awaiting(ctx, "new credentials in use", n, out, p.asked); err != nil {
		return 0, err
	}
	out.AskedSeconds = time.Since(begun).Seconds()
	// One colleague leaves Snapchat's organisation; all else is only said.
	if err := b.sim.Remove(ctx, fleet.Leaver); err != nil {
		return 0, err
	}
	if err := b.parallel(ctx, "people attested", n, func(ctx context.Context, i int) error {
		return p.attest(ctx, b.fleet.At(i).Name)
	}); err != nil {
		return 0, err
	}
	return 2 * n, b.awaiting(ctx, "handovers settled", n, out, func() (int, error) { return p.settled(2) })
}

// awaiting waits until all are as far, and remembers the oldest look meanwhile.
func (b *bench) awaiting(ctx context.Context, what string, n int, out *massHandover, count func() (int, error)) error {
	asked := time.Time{}
	return b.until(ctx, 100*time.Millisecond, func() (bool, error) {
		is, err := count()
		if err != nil {
			return false, err
		}
		b.say.bar(what, is, n)
		if time.Since(asked) >= time.Second || is >= n {
			asked = time.Now()
			oldest, err := b.operator.oldest(ctx)
			if err != nil {
				return false, err
			}
			out.OldestLookSeconds = max(out.OldestLookSeconds, oldest)
		}
		return is >= n, nil
	})
}

// oldest is the worst age of what the operator knows of any account, in seconds.
func (o *operator) oldest(ctx context.Context) (float64, error) {
	page, err := get(ctx, "http://"+o.metrics+"/metrics")
	if err != nil {
		return 0, fmt.Errorf("reading the operator's metrics: %w", err)
	}
	samples, err := measure.Samples(bytes.NewReader(page), "mithaq_observe_age_seconds")
	if err != nil {
		return 0, err
	}
	worst := 0.0
	for _, s := range samples {
		worst = max(worst, s.Value)
	}
	return worst, nil
}

// withHands starts the operator with its consent service, gives it the right to hold
// credentials, has the policy ask for handovers, and lets people sit down; end ends it.
func (b *bench) withHands(ctx context.Context) (p *people, end func(), err error) {
	if err := b.stopOperator(); err != nil {
		return nil, nil, err
	}
	for _, namespace := range append(fleet.NamespaceNames(), local.Namespace) {
		if err := b.cluster.Client.Create(ctx, custodian(namespace)); err != nil {
			return nil, nil, fmt.Errorf("letting the operator hold credentials in %s: %w", namespace, err)
		}
	}
	if err := b.edit(ctx, fleet.HandsOver); err != nil {
		return nil, nil, err
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, nil, err
	}
	b.more = []string{"--consent-url=http://" + address, "--consent-bind-address=" + address}
	if err := b.running(ctx); err != nil {
		return nil, nil, err
	}
	watching, stop := context.WithCancel(ctx)
	if p, err = startPeople(watching, b, b.handovers()); err != nil {
		stop()
		return nil, nil, err
	}
	return p, func() { stop(); b.more = nil }, nil
}

// custodian is what docs/handover.md has people bind.
func custodian(namespace string) *rbacv1.RoleBinding {
	return &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "mithaq-custodian", Namespace: namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "mithaq-custodian"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: local.Namespace, Name: local.AccountName}},
	}
}

// firstCredentials declares them, and waits until all work.
func (b *bench) firstCredentials(ctx context.Context, p *people, n int) error {
	if err := b.parallel(ctx, "credentials declared", n, func(ctx context.Context, i int) error {
		a := b.fleet.At(i)
		return b.patchSpec(ctx, a, map[string]any{
			"owner":       map[string]any{"accountable": a.Holder(false)},
			"credentials": v1alpha1.AccountCredentials{SecretRef: v1alpha1.LocalReference{Name: v1alpha1.ObjectName(a.Name)}},
		})
	}); err != nil {
		return err
	}
	if err := b.awaiting(ctx, "first credentials", n, &massHandover{}, func() (int, error) { return p.settled(1) }); err != nil {
		return err
	}
	_, err := b.untilQuiet(ctx, measure.Requests{})
	return err
}

// handoverRows are the figures of the phase.
func handoverRows() []row {
	const phase = "massHandover"
	return []row{
		{"mass handover: rotations", false, 0, func(r *result) float64 { return float64(r.MassHandover.Rotations) }, phase},
		{"mass handover: seconds until all were settled", false, 1, func(r *result) float64 { return r.MassHandover.Seconds }, phase},
		{"mass handover: seconds until people were asked for their part", false, 1, func(r *result) float64 { return r.MassHandover.AskedSeconds }, phase},
		{"mass handover: API writes per rotation", false, 2, func(r *result) float64 { return r.MassHandover.WritesPerRotation }, phase},
		{"mass handover: events per rotation", false, 2, func(r *result) float64 { return r.MassHandover.EventsPerRotation }, phase},
		{"mass handover: requests beyond a limit", false, 0, func(r *result) float64 { return float64(r.MassHandover.BeyondLimits) }, phase},
		{"mass handover: oldest look meanwhile, seconds", false, 0, func(r *result) float64 { return r.MassHandover.OldestLookSeconds }, phase},
	}
}

// judgeHandover compares with the targets of the phase.
func (r *result) judgeHandover() {
	const phase = "massHandover"
	r.target(phase, "mass handover: requests beyond a limit", wantExceeded, false, func() float64 { return float64(r.MassHandover.BeyondLimits) })
	r.target(phase, "mass handover: API writes per rotation", wantWritesPerRotation, false, func() float64 { return r.MassHandover.WritesPerRotation })
	r.target(phase, "mass handover: oldest look meanwhile, to the age that is promised", 1, false, func() float64 {
		return r.MassHandover.OldestLookSeconds / r.MassHandover.PromisedSeconds
	})
}
