package handover

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"mithaq.dev/mithaq/api/v1alpha1"
	apply "mithaq.dev/mithaq/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/rotation"
	"mithaq.dev/mithaq/internal/status"
)

// show saves what the vault shows if it says anything new, and only then tells
// events.
func (r *Reconciler) show(ctx context.Context, acc *v1alpha1.SocialAccount, s shown) error {
	next := v1alpha1.SocialAccountStatus{
		Credentials: s.credentials, Handover: s.handover, Custody: s.custody, Conditions: s.conditions.List(),
	}
	if same(&acc.Status, &next) {
		return nil
	}
	if err := r.save(ctx, acc, next); err != nil {
		return err
	}
	for _, o := range s.events {
		status.Tell(r.Recorder, acc, nil, o.reason, o.note)
	}
	return nil
}

func (r *Reconciler) save(ctx context.Context, acc *v1alpha1.SocialAccount, next v1alpha1.SocialAccountStatus) error {
	config, err := status.As[apply.SocialAccountStatusApplyConfiguration](next)
	if err != nil {
		return err
	}
	object := apply.SocialAccount(acc.Name, acc.Namespace).WithUID(acc.UID).WithStatus(config)
	return client.IgnoreNotFound(status.Apply(ctx, r.Client, Name, object))
}

// same compares what this controller owns. A last check that is newer is no news.
func same(before, next *v1alpha1.SocialAccountStatus) bool {
	was := v1alpha1.SocialAccountStatus{Credentials: before.Credentials.DeepCopy(), Handover: before.Handover, Custody: before.Custody}
	if was.Credentials != nil && next.Credentials != nil {
		was.Credentials.LastVerifiedAt = next.Credentials.LastVerifiedAt
	}
	for _, c := range next.Conditions {
		i := slices.IndexFunc(before.Conditions, func(o metav1.Condition) bool { return o.Type == c.Type })
		if i < 0 {
			return false
		}
		was.Conditions = append(was.Conditions, before.Conditions[i])
	}
	return status.Same(was, *next)
}

// withdraw gives up what this controller wrote of an account that declares no
// credentials any more. The vault stays: its grants may live.
func (r *Reconciler) withdraw(ctx context.Context, acc *v1alpha1.SocialAccount) error {
	r.Consents.Withdraw(string(acc.UID))
	if acc.Status.Credentials == nil && acc.Status.Handover == nil {
		return nil
	}
	return r.save(ctx, acc, v1alpha1.SocialAccountStatus{Custody: acc.Status.Custody})
}

// offer opens the consent page of a rotation that waits for one, and closes it
// otherwise.
func (r *Reconciler) offer(acc *v1alpha1.SocialAccount, v *rotation.Vault, f *facts) {
	app, ok := f.apps[v.Journal.Client]
	if v.Journal.Phase != rotation.AwaitingConsent || v.Journal.Nonce == "" || !ok || app.Client.Consent == nil {
		r.Consents.Withdraw(string(acc.UID))
		return
	}
	challenge := ""
	if app.Custody().PKCE {
		challenge = custody.Challenge(v.Journal.Verifier)
	}
	r.Consents.Offer(Offer{
		UID: string(acc.UID), Account: client.ObjectKeyFromObject(acc), Nonce: v.Journal.Nonce, Platform: string(acc.Spec.Platform), Handle: acc.Spec.Handle,
		Unit: acc.Spec.Owner.Unit, Person: v.Journal.To.Accountable,
		Authorize: app.Client.Consent.ConsentURL(platform.ConsentRequest{
			RedirectURI: r.Consents.RedirectURI(), State: custody.State(string(acc.UID), v.Journal.Nonce), Challenge: challenge,
			LoginHint: v.Journal.To.Accountable,
		}),
	})
}

// guardDeletion sets the finalizer on an account whose deletion leaves us work,
// and on no other.
func (r *Reconciler) guardDeletion(ctx context.Context, acc *v1alpha1.SocialAccount, v *rotation.Vault) error {
	wanted := acc.Spec.DeletionPolicy == v1alpha1.DeletionRevokeAccess && len(v.Unended()) > 0
	if !acc.DeletionTimestamp.IsZero() || wanted == controllerutil.ContainsFinalizer(acc, Finalizer) {
		return nil
	}
	return r.setFinalizer(ctx, acc, wanted)
}

func (r *Reconciler) setFinalizer(ctx context.Context, acc *v1alpha1.SocialAccount, wanted bool) error {
	finalizers := slices.DeleteFunc(slices.Clone(acc.Finalizers), func(s string) bool { return s == Finalizer })
	if wanted {
		finalizers = append(finalizers, Finalizer)
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"finalizers": finalizers, "resourceVersion": acc.ResourceVersion,
	}})
	if err != nil {
		return fmt.Errorf("encoding the finalizer: %w", err)
	}
	target := acc.DeepCopy()
	if err := r.Client.Patch(ctx, target, client.RawPatch("application/merge-patch+json", patch)); err != nil {
		return client.IgnoreNotFound(err)
	}
	acc.Finalizers, acc.ResourceVersion = target.Finalizers, target.ResourceVersion
	return nil
}

// holdDeletion sets the finalizer before there is a grant that a deletion would have to
// end: between the two nobody may delete the account.
func (r *Reconciler) holdDeletion(ctx context.Context, acc *v1alpha1.SocialAccount, s rotation.Step) error {
	issues := s.Call != nil && s.Call.Op != nil && s.Call.Op.Name == rotation.OpIssue
	holds := s.Vault != nil && len(s.Vault.Unended()) > 0
	if !issues && !holds || acc.Spec.DeletionPolicy != v1alpha1.DeletionRevokeAccess ||
		!acc.DeletionTimestamp.IsZero() || controllerutil.ContainsFinalizer(acc, Finalizer) {
		return nil
	}
	return r.setFinalizer(ctx, acc, true)
}

// unrevoked tells of grants that may outlive their account. A namespace that is being
// deleted takes no events: then the connection bears it.
func (r *Reconciler) unrevoked(ctx context.Context, acc *v1alpha1.SocialAccount, f *facts, grants int, where string) {
	r.Told.Unrevoked(acc.Spec.Platform, grants)
	var about, related runtime.Object = acc, nil
	if f.namespaceGoes {
		var through v1alpha1.PlatformConnection
		if err := r.Client.Get(ctx, client.ObjectKey{Name: f.connection}, &through); err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "No connection bears the event of grants that could not be revoked", "grants", grants)
			return
		}
		about, related = &through, acc
	}
	status.Tell(r.Recorder, about, related, v1alpha1.EventRevocationUnproven,
		fmt.Sprintf("%d grants of %s could not be revoked before the account was deleted; %s", grants, acc.UID, where))
}

// release lets a deleted account go. A grant that may still live is told of and
// stays in the ledger.
func (r *Reconciler) release(ctx context.Context, acc *v1alpha1.SocialAccount, stored custody.Stored, f *facts) error {
	r.Consents.Withdraw(string(acc.UID))
	if unended := len(stored.Vault.Unended()); unended > 0 && f.Revoke && controllerutil.ContainsFinalizer(acc, Finalizer) {
		r.unrevoked(ctx, acc, f, unended, ledgerKeeps)
	}
	if !controllerutil.ContainsFinalizer(acc, Finalizer) {
		return nil
	}
	return r.setFinalizer(ctx, acc, false)
}
