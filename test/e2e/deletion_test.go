package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/x"
)

// gone waits until an account does not exist any more, and returns how long it took.
func gone(t *testing.T, acc *v1alpha1.SocialAccount, within time.Duration) time.Duration {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	for {
		err := shared.admin.Get(ctx, client.ObjectKeyFromObject(acc), &v1alpha1.SocialAccount{})
		if apierrors.IsNotFound(err) {
			return time.Since(began)
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the account still exists after %s", time.Since(began))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// vault is the account's vault, as it is stored.
func vault(t *testing.T, acc *v1alpha1.SocialAccount) *corev1.Secret {
	t.Helper()
	var secret corev1.Secret
	if err := shared.admin.Get(t.Context(), client.ObjectKey{Namespace: operatorNamespace, Name: "cred-" + string(acc.UID)}, &secret); err != nil {
		t.Fatal(err)
	}
	return &secret
}

// Retain is the default: the account goes at once, and nothing is done on the platform
// or to what is known of its grants.
func TestADeletionThatRetainsTouchesNothing(t *testing.T) {
	t.Parallel()
	s := newCustodyScene(t)
	acc := s.held(t, "kept", func(a *v1alpha1.SocialAccount) { a.Spec.DeletionPolicy = "" })
	s.consent(t, acc)
	s.settles(t, acc, 1)
	is := read(t, acc)
	if is.Spec.DeletionPolicy != v1alpha1.DeletionRetain || len(is.Finalizers) != 0 {
		t.Fatalf("policy %s, finalizers %v", is.Spec.DeletionPolicy, is.Finalizers)
	}
	before := vault(t, is).ResourceVersion
	s.world.ResetHistory()
	if err := shared.admin.Delete(t.Context(), acc); err != nil {
		t.Fatal(err)
	}
	gone(t, acc, patience)
	// A neighbour's first credential shows that the operator went on.
	other := s.held(t, "other")
	s.consent(t, other)
	s.settles(t, other, 1)
	if n := s.alive(is); n != 2 {
		t.Errorf("%d tokens of the deleted account work, want its pair", n)
	}
	for _, c := range mutating(s) {
		if c.Effect != "exchange" {
			t.Errorf("it sent %+v", c)
		}
	}
	if after := vault(t, is).ResourceVersion; after != before {
		t.Errorf("the vault changed from version %s to %s", before, after)
	}
}

// A whole namespace that is deleted waits for a revocation two minutes and no more. The
// grant that lives on is in the ledger, an event and a metric.
func TestADeletedNamespaceNeverHangs(t *testing.T) {
	t.Parallel()
	s := newCustodyScene(t)
	acc := s.held(t, "going")
	s.consent(t, acc)
	is := s.settles(t, acc, 1)
	s.faults(t, world.Fault{Kind: world.FaultStatus, Status: 503, Endpoint: x.EndpointRevoke})
	counted := unrevoked(t)
	// There is no namespace controller here: the test deletes what is in it.
	for _, o := range []client.Object{s.namespace, acc} {
		if err := shared.admin.Delete(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	const most = 2 * time.Minute
	took := gone(t, acc, most+patience)
	if took < most/2 {
		t.Errorf("it was given up after %s, before a revocation could be repeated", took)
	}
	if n := s.alive(is); n != 2 {
		t.Fatalf("%d tokens work: the revocation was to fail", n)
	}
	if ledger := string(vault(t, is).Data["ledger"]); !strings.Contains(ledger, `"state":"Live"`) {
		t.Errorf("the ledger does not hold the grant as live: %s", ledger)
	}
	until(t, func(ctx context.Context) (string, error) {
		got, err := events(ctx, s.connection)
		if err == nil && !strings.Contains(got, "RevocationUnproven×1") {
			return "events of the connection: " + got, nil
		}
		return "", err
	})
	if n := unrevoked(t) - counted; n != 1 {
		t.Errorf("%v grants are counted as unrevoked, want 1", n)
	}
}

// unrevoked reads the metric.
func unrevoked(t *testing.T) (n float64) {
	t.Helper()
	text, err := shared.operator.scrape(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(line, "} "); ok && strings.HasPrefix(name, `mithaq_handover_unrevoked_grants_total{platform="X"`) {
			if _, err := fmt.Sscan(value, &n); err != nil {
				t.Fatal(err)
			}
		}
	}
	return n
}

// Without the right to write vaults nothing is sent, and the account says which right
// is missing. It is alone: a binding of another scene would give the right.
func TestAMissingRightShowsOnTheAccount(t *testing.T) {
	s := newScene(t, rotates, withTwoApps)
	tenant := s.custodian(s.name)
	create(t, tenant)
	s.more = append(s.more, tenant)
	s.secondApp(t, map[string][]byte{"appToken": []byte(token + "-b"), "clientID": []byte("key-b"), "clientSecret": []byte("secret-b")})
	if err := s.world.PutApp(world.App{Platform: world.X, APIKey: "key-b", APISecret: "secret-b", AppToken: token + "-b"}); err != nil {
		t.Fatal(err)
	}
	acc := s.held(t, "barred")
	until(t, func(context.Context) (string, error) {
		conditions := read(t, acc).Status.Conditions
		c, h := meta.FindStatusCondition(conditions, v1alpha1.ConditionHandoverComplete), meta.FindStatusCondition(conditions, v1alpha1.ConditionCredentialsHealthy)
		if c == nil || h == nil || c.Reason != v1alpha1.ReasonRotationFailed || h.Status != "Unknown" ||
			!strings.Contains(c.Message, operatorNamespace) || !strings.Contains(c.Message, "mithaq-custodian") || c.Message != h.Message {
			return fmt.Sprintf("%+v, %+v", c, h), nil
		}
		return "", nil
	})
	if calls := mutating(s); len(calls) > 0 {
		t.Errorf("it sent %+v", calls)
	}
	right := s.custodian(operatorNamespace)
	create(t, right)
	s.more = append(s.more, right)
	edit(t, acc, func(a *v1alpha1.SocialAccount) { a.Spec.Purpose = "looked at again" })
	s.consent(t, acc)
	s.settles(t, acc, 1)
}
