package platformconnection

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"mithaq.dev/mithaq/internal/platform"
)

func grantOf(n string) platform.Grant {
	return platform.Grant{
		Access: platform.Token("access-" + n), Refresh: platform.Token("refresh-" + n),
		ExpiresAt: time.Date(2026, time.November, 25, 13, 0, 0, 1, time.UTC), Scopes: []string{"a", "b"},
	}
}

func storeOf(c client.Client, connection string) platform.GrantStore {
	return New(Config{Secrets: c, Namespace: "mithaq-system"}).grants(connection)
}

func TestAGrantOutlivesTheProcess(t *testing.T) {
	c := fake.NewClientBuilder().Build()
	store := storeOf(c, "snap")
	if got, err := store.Load(t.Context()); err != nil || !cmp.Equal(got, platform.Grant{}) {
		t.Errorf("before anything was stored: %v", err)
	}
	for _, step := range []struct{ prev, next platform.Grant }{{platform.Grant{}, grantOf("1")}, {grantOf("1"), grantOf("2")}} {
		if err := store.Save(t.Context(), step.prev, step.next); err != nil {
			t.Fatal(err)
		}
		got, err := storeOf(c, "snap").Load(t.Context())
		if err != nil || !cmp.Equal(got, step.next) {
			t.Errorf("another process loads something else: %v", err)
		}
	}
}

// A replica that was slower has spent nothing of what is stored, and must not put its
// own in place of it.
func TestTheSlowerReplicaIsToldToLoadAgain(t *testing.T) {
	c := fake.NewClientBuilder().Build()
	store := storeOf(c, "snap")
	for _, step := range []struct{ prev, next platform.Grant }{{platform.Grant{}, grantOf("1")}, {grantOf("1"), grantOf("2")}} {
		if err := store.Save(t.Context(), step.prev, step.next); err != nil {
			t.Fatal(err)
		}
		if err := store.Save(t.Context(), step.prev, grantOf("late")); !errors.Is(err, errOtherGrant) {
			t.Errorf("got %v", err)
		}
		if got, err := store.Load(t.Context()); err != nil || !cmp.Equal(got, step.next) {
			t.Errorf("the grant was replaced: %v", err)
		}
	}
}

func TestConnectionsKeepTheirGrantsApart(t *testing.T) {
	c := fake.NewClientBuilder().Build()
	for _, name := range []string{"one", "two"} {
		if err := storeOf(c, name).Save(t.Context(), platform.Grant{}, grantOf(name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"one", "two"} {
		if got, err := storeOf(c, name).Load(t.Context()); err != nil || !cmp.Equal(got, grantOf(name)) {
			t.Errorf("%s has another grant: %v", name, err)
		}
	}
}

// What somebody deleted is stored anew: the tokens in hand are the only live ones.
func TestADeletedGrantIsStoredAgain(t *testing.T) {
	c := fake.NewClientBuilder().Build()
	store := storeOf(c, "snap")
	if err := store.Save(t.Context(), platform.Grant{}, grantOf("1")); err != nil {
		t.Fatal(err)
	}
	secret := &corev1.Secret{}
	secret.Namespace, secret.Name = "mithaq-system", GrantsSecret
	if err := c.Delete(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	if err := store.Save(t.Context(), grantOf("1"), grantOf("2")); err != nil {
		t.Fatal(err)
	}
	if got, err := store.Load(t.Context()); err != nil || !cmp.Equal(got, grantOf("2")) {
		t.Errorf("got %v", err)
	}
}

// What cannot be read is no reason to begin anew, and is not shown.
func TestAnUnreadableGrantIsAnError(t *testing.T) {
	secret := &corev1.Secret{Data: map[string][]byte{"snap": []byte(`{"accessToken":"CANARY`)}}
	secret.Namespace, secret.Name = "mithaq-system", GrantsSecret
	store := storeOf(fake.NewClientBuilder().WithObjects(secret).Build(), "snap")
	const want = "the key snap of Secret mithaq-system/mithaq-grants holds no grant"
	if _, err := store.Load(t.Context()); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	if err := store.Save(t.Context(), platform.Grant{}, grantOf("1")); err == nil || apierrors.IsConflict(err) {
		t.Errorf("an unreadable grant was replaced: %v", err)
	}
}
