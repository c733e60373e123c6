package socialaccount

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/connection"
	"mithaq.dev/mithaq/internal/edition"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/roster"
)

// facts is everything that a decision about an account rests on.
type facts struct {
	account *v1alpha1.SocialAccount
	// rival is an older account that declares the same one; nil if there is none.
	rival *types.NamespacedName
	// policies select the account and are in force, by name.
	policies []*governance.Policy
	// invalid names the policies that select the account and were never accepted.
	invalid []string
	cadence governance.Cadence
	// observable: there is an adapter for the platform, which exposes readable,
	// less what the last answer did not tell.
	observable bool
	readable   governance.Facts
	// connection is the name of the connection in use; noConnection says why
	// there is none.
	connection   string
	noConnection string
	// paused: spec.suspend holds.
	paused bool
	// watched: the engine was asked to look; view is what it knows.
	watched bool
	view    observe.View
	// live is what view shows, made once for a decision, which changes nothing of it.
	live       *governance.Live
	accountsOf func(person string) int
	// actions are what some rule is about of what the account does; record is what
	// was made of it, and changed what became of posts that findings are about.
	actions []v1alpha1.ActivityAction
	record  *governance.Record
	changed map[string]change
	// unread: this process has not heard yet what the account did.
	unread bool
	// since tells when each policy's edition came into force.
	since sinces
}

// since is when a policy's edition came into force.
type since struct {
	policy string
	at     time.Time
}

// sinces are one or two, for which a map would cost more than what is in it.
type sinces []since

// of is the zero time for a policy that is not known.
func (s sinces) of(policy string) time.Time {
	for i := range s {
		if s[i].policy == policy {
			return s[i].at
		}
	}
	return time.Time{}
}

// awaiting says that a first look is to be expected soon: nothing is in its way,
// or only that the engine does not hold the connection yet, which the cluster
// has.
func (f facts) awaiting() bool {
	reason := f.view.Lane.Reason
	return f.watched && f.view.Snapshot == nil && !f.view.Untold && (reason == "" || reason == observe.LaneConnectionMissing)
}

// gather reads the cache and the engine's memory, and asks the engine to look.
func (r *Reconciler) gather(ctx context.Context, acc *v1alpha1.SocialAccount) (facts, error) {
	f := facts{account: acc, accountsOf: r.accountsOf}
	around, err := r.scope(ctx)
	if err != nil {
		return f, err
	}
	if err := r.gatherPolicies(ctx, &f, around); err != nil {
		return f, err
	}
	if rival, ok := r.Roster.Rival(acc); ok {
		f.rival = &rival.Key
	}
	f.actions = governance.Actions(f.policies)
	f.readable, f.observable = r.Readable[acc.Spec.Platform]
	f.cadence = governance.Intervals(f.policies, acc.Spec.Tier, r.Defaults)
	f.paused = acc.Spec.Suspend != nil && r.Clock.Now().Before(acc.Spec.Suspend.Until.Time)
	if !f.observable {
		return f, nil
	}
	f.connection, f.noConnection = connection.Of(acc, around.connections)
	r.look(&f)
	if s := f.view.Snapshot; s != nil {
		f.readable &^= governance.Facts(s.Profile.Unread)
	}
	r.judge(&f)
	return f, nil
}

// gatherPolicies finds the policies that select the account.
func (r *Reconciler) gatherPolicies(ctx context.Context, f *facts, around *scope) error {
	var namespace corev1.Namespace
	if err := r.Client.Get(ctx, client.ObjectKey{Name: f.account.Namespace}, &namespace, client.UnsafeDisableDeepCopy); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("reading the namespace: %w", err)
	}
	for i := range around.policies {
		known, err := r.Editions.Of(ctx, &around.policies[i])
		if err != nil {
			return err
		}
		r.consider(f, &around.policies[i], known, namespace.Labels)
	}
	slices.SortFunc(f.policies, func(a, b *governance.Policy) int { return strings.Compare(a.Name(), b.Name()) })
	slices.Sort(f.invalid)
	return nil
}

// consider takes note of a policy if it selects the account.
func (r *Reconciler) consider(f *facts, policy *v1alpha1.GovernancePolicy, known edition.Edition, labels map[string]string) {
	if known.InForce == nil {
		if known.Selector != nil && known.Selector.Selects(f.account, labels) {
			f.invalid = append(f.invalid, policy.Name)
		}
		return
	}
	if known.InForce.Mode() != v1alpha1.ModePreview && known.InForce.Selects(f.account, labels) {
		f.policies = append(f.policies, known.InForce)
		f.since = append(f.since, since{policy.Name, r.inForceSince(policy, known.InForce)})
		if limit := known.InForce.MaxAccountsPerPerson(); limit > 0 {
			r.mu.Lock()
			r.limits[limit] = true
			r.mu.Unlock()
		}
	}
}

// inForceSince is when an edition came into force. One that is not recorded yet
// comes into force now.
func (r *Reconciler) inForceSince(policy *v1alpha1.GovernancePolicy, inForce *governance.Policy) time.Time {
	if recorded := policy.Status.InForce; recorded != nil && recorded.Since != nil && string(recorded.Digest) == inForce.Digest() {
		return recorded.Since.Time
	}
	return r.Clock.Now()
}

// accountsOf counts a person's accounts over the whole fleet.
func (r *Reconciler) accountsOf(person string) int { return r.Roster.Count(roster.Person(person)) }

// look asks the engine to keep looking at the account, or to stop.
func (r *Reconciler) look(f *facts) {
	acc := f.account
	key := client.ObjectKeyFromObject(acc)
	if f.rival != nil || f.paused || f.connection == "" {
		r.Observer.Forget(key)
		if f.rival == nil {
			f.view = observe.View{Snapshot: remembered(acc), Restored: true}
		}
		return
	}
	r.Observer.Want(observe.Target{
		Key: key, Connection: f.connection, ID: roster.PinnedID(acc), Handle: acc.Spec.Handle, Tier: string(acc.Spec.Tier),
		Every: f.cadence.ProfileEvery, StaleAfter: f.cadence.StaleAfter,
		Urgent: r.urgent(acc), Restored: remembered(acc), Activity: wantActivity(f),
	})
	f.view, f.watched = r.Observer.Look(key)
}

// urgent says whether the account is to be looked at at once: its spec changed
// since it was last looked at, or somebody requested a check.
func (r *Reconciler) urgent(acc *v1alpha1.SocialAccount) bool {
	key := client.ObjectKeyFromObject(acc)
	revision := xxhash.Sum64String(string(acc.UID) + "/" + strconv.FormatInt(acc.Generation, 10) + "/" + acc.Annotations[AnnotationCheckRequested])
	r.mu.Lock()
	defer r.mu.Unlock()
	was, known := r.asked[key]
	r.asked[key] = revision
	if !known {
		return acc.Status.ObservedGeneration != acc.Generation
	}
	return was != revision
}
