package handover

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/connection"
	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/rotation"
)

// facts are what a pass rests on.
type facts struct {
	rotation.Facts
	connection string
	// closed says why no app can be used; empty: one can.
	closed string
	ref    platform.AccountRef
	apps   map[rotation.App]custody.App
	// barred says which right is missing; empty: none. namespaceGoes: the account's
	// whole namespace is being deleted.
	barred        string
	namespaceGoes bool
	// inbox says what is wrong with the Secret of spec.credentials; empty: nothing.
	inbox inboxState
	// ahead is when the next attestation that is dated ahead begins to count.
	ahead time.Time
}

// renew provides fresh random values.
func (f *facts) renew(random func() platform.Token) {
	f.Nonce, f.Verifier = random(), random()
}

// gather reads what is declared, what the policies say, what the platform allows,
// and what people have done.
func (r *Reconciler) gather(ctx context.Context, acc *v1alpha1.SocialAccount, v *rotation.Vault) (*facts, error) {
	key, err := r.Keeper.Key(ctx)
	if err != nil {
		return nil, err
	}
	f := &facts{apps: map[rotation.App]custody.App{}, ref: platform.AccountRef{ID: pinned(acc), Handle: acc.Spec.Handle}}
	f.Declared = custodian(acc)
	f.AccountID, f.Jitter = pinned(acc), rotation.Jitter(string(acc.UID))
	f.Fingerprint = rotation.Fingerprinter(key)
	if c := acc.Spec.Credentials; c != nil {
		f.RotateAfter, f.Compromised, f.AllowGap = moment(c.RotateAfter), moment(c.Compromised), c.AllowGap != nil && *c.AllowGap
	}
	if acc.Status.Credentials != nil && acc.Status.Credentials.RotationsTotal != nil {
		f.Rotations = *acc.Status.Credentials.RotationsTotal
	}
	f.gatherWords(acc.Spec.Attestations, r.Clock.Now())
	if err := r.gatherRules(ctx, acc, f); err != nil {
		return nil, err
	}
	if err := r.gatherApps(ctx, acc, f); err != nil {
		return nil, err
	}
	if err := r.gatherDeletion(ctx, acc, f); err != nil {
		return nil, err
	}
	if nonce, code, ok := r.Consents.Code(string(acc.UID)); ok {
		f.CodeNonce, f.Code = nonce, code
	}
	return f, r.gatherInbox(ctx, acc, v, f)
}

// gatherWords takes in what people attested. A word that is dated ahead counts from
// then on.
func (f *facts) gatherWords(words []v1alpha1.Attestation, now time.Time) {
	f.Attested = map[string]time.Time{}
	for _, a := range words {
		switch at := a.At.Time; {
		case !at.After(now):
			f.Attested[string(a.Control)] = at
		case f.ahead.IsZero() || at.Before(f.ahead):
			f.ahead = at
		}
	}
}

func moment(t *metav1.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}

// pinned is the platform's id, once known.
func pinned(acc *v1alpha1.SocialAccount) string {
	if acc.Spec.AccountID != "" {
		return acc.Spec.AccountID
	}
	return acc.Status.AccountID
}

// custodian is whom the spec names.
func custodian(acc *v1alpha1.SocialAccount) rotation.Custodian {
	c := rotation.Custodian{Unit: acc.Spec.Owner.Unit, Accountable: strings.ToLower(string(acc.Spec.Owner.Accountable))}
	for i := range acc.Spec.Team {
		c.Team = append(c.Team, strings.ToLower(string(acc.Spec.Team[i].Person)))
	}
	slices.Sort(c.Team)
	return c
}

// gatherRules takes the strictest of what the policies say.
func (r *Reconciler) gatherRules(ctx context.Context, acc *v1alpha1.SocialAccount, f *facts) error {
	var namespace corev1.Namespace
	if err := r.Client.Get(ctx, client.ObjectKey{Name: acc.Namespace}, &namespace); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("reading the namespace: %w", err)
	}
	var list v1alpha1.GovernancePolicyList
	if err := r.Client.List(ctx, &list, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		return fmt.Errorf("listing policies: %w", err)
	}
	overlap := time.Duration(-1)
	for i := range list.Items {
		known, err := r.Editions.Of(ctx, &list.Items[i])
		if err != nil {
			return err
		}
		p := known.InForce
		if p == nil || p.Mode() == v1alpha1.ModePreview || !p.Selects(acc, namespace.Labels) {
			continue
		}
		overlap = tighten(&f.Rules, p, overlap)
	}
	f.Rules.Overlap = max(overlap, 0)
	return nil
}

func tighten(rules *rotation.Rules, p *governance.Policy, overlap time.Duration) time.Duration {
	c := p.CredentialRules()
	if c == nil {
		return overlap
	}
	if age := time.Duration(c.MaxAgeDays) * 24 * time.Hour; age > 0 && (rules.MaxAge == 0 || age < rules.MaxAge) {
		rules.MaxAge = age
	}
	for on, flag := range map[v1alpha1.RotateOn]*bool{
		v1alpha1.RotateOnAccountableChanged: &rules.OnAccountable,
		v1alpha1.RotateOnMemberRemoved:      &rules.OnMember,
		v1alpha1.RotateOnUnitChanged:        &rules.OnUnit,
	} {
		*flag = *flag || slices.Contains(c.RotateOn, on)
	}
	if c.Overlap != nil && (overlap < 0 || c.Overlap.Duration < overlap) {
		overlap = c.Overlap.Duration
	}
	return overlap
}

// gatherApps finds the connection's apps and what they allow.
func (r *Reconciler) gatherApps(ctx context.Context, acc *v1alpha1.SocialAccount, f *facts) error {
	var list v1alpha1.PlatformConnectionList
	if err := r.Client.List(ctx, &list, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		return fmt.Errorf("listing connections: %w", err)
	}
	f.connection, f.closed = connection.Of(acc, list.Items)
	for _, which := range []rotation.App{rotation.Primary, rotation.Alternate} {
		if app, ok := r.Apps.Get(f.connection, which); ok {
			f.apps[which] = app
		}
	}
	primary, open := f.apps[rotation.Primary]
	if f.closed == "" && !open {
		f.closed = "PlatformConnection " + f.connection + " is not open"
	}
	if open {
		f.Traits = custody.Traits(primary)
	}
	_, f.HasAlternate = f.apps[rotation.Alternate]
	return nil
}

// namespacePatience is how long a deletion of the whole namespace waits for a
// revocation.
const namespacePatience = 2 * time.Minute

// gatherDeletion says whether the account goes, and how long that may take.
func (r *Reconciler) gatherDeletion(ctx context.Context, acc *v1alpha1.SocialAccount, f *facts) error {
	if acc.DeletionTimestamp.IsZero() {
		return nil
	}
	f.Deleting, f.DeletingSince = true, acc.DeletionTimestamp.Time
	f.Revoke = acc.Spec.DeletionPolicy == v1alpha1.DeletionRevokeAccess
	var namespace corev1.Namespace
	if err := r.Client.Get(ctx, client.ObjectKey{Name: acc.Namespace}, &namespace); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("reading the namespace: %w", err)
	}
	if !namespace.DeletionTimestamp.IsZero() {
		f.namespaceGoes = true
		f.DeletingSince = f.DeletingSince.Add(namespacePatience - rotation.ReleaseAfter)
	}
	return nil
}
