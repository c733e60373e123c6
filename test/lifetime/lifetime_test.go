package lifetime

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	simx "mithaq.dev/mithaq/hack/platformsim/x"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

const (
	day = 24 * time.Hour
	// accessLife is that of X's access tokens.
	accessLife = 2 * time.Hour
)

// Single-use refresh tokens are spent once each, at half of the life of the access
// token or up to a tenth of it later, and the token in use works at every moment.
func TestRenewalOverADay(t *testing.T) {
	l := newLife(t)
	l.first()
	l.world.ResetHistory()
	l.each = func(acc *v1alpha1.SocialAccount) {
		if token, ok := l.world.Token(world.X, string(l.vault().Current.Access)); !ok || !token.Alive(l.clock.Now()) {
			t.Errorf("at %s the token in use does not work", l.clock.Now())
		}
		if c := l.condition(v1alpha1.ConditionCredentialsHealthy); c.Status != metav1.ConditionTrue {
			t.Errorf("at %s: %+v", l.clock.Now(), c)
		}
	}
	l.until(began.Add(day))

	last, spent, refreshes := began, map[string]bool{}, 0
	for _, c := range l.world.History().Calls {
		if !c.Mutating {
			continue
		}
		if c.Effect != "refresh" || !c.Accepted {
			t.Errorf("it sent %s, accepted %v", c.Effect, c.Accepted)
			continue
		}
		refreshes++
		for _, s := range c.Sent {
			if s.Kind == world.RefreshToken && spent[s.Fingerprint] {
				t.Error("a refresh token was sent twice")
			}
			spent[s.Fingerprint] = true
		}
		if age := c.Began.Sub(last); age < accessLife/2 || age > accessLife*6/10+time.Minute {
			t.Errorf("renewed at an age of %s", age)
		}
		last = c.Began
	}
	if refreshes < 19 || refreshes > 24 {
		t.Errorf("%d renewals in a day of tokens that live %s", refreshes, accessLife)
	}
	if l.unrevoked != 0 || len(l.told("CredentialsExpiring")) != 0 {
		t.Errorf("a credential that renews itself is said to end: %v", l.events)
	}
}

// A fleet does not renew at once: the moments spread over a tenth of the life.
func TestRenewalsOfAFleetSpread(t *testing.T) {
	moments := map[time.Duration]bool{}
	for n := range 12 {
		l := newLife(t, func(a *v1alpha1.SocialAccount) { a.UID = types.UID(fmt.Sprint("uid-", n)) })
		l.first()
		l.world.ResetHistory()
		l.until(began.Add(accessLife * 7 / 10))
		for _, c := range l.world.History().Calls {
			if c.Effect == "refresh" {
				moments[c.Began.Sub(began).Round(time.Second)] = true
			}
		}
	}
	var least, most time.Duration
	for at := range moments {
		if least == 0 || at < least {
			least = at
		}
		most = max(most, at)
	}
	if len(moments) < 10 || most-least < accessLife/20 {
		t.Errorf("12 accounts renew at %d moments, from %s to %s", len(moments), least, most)
	}
}

// A credential that only a person can renew is told of once, two weeks before its end;
// consent is asked for from then on, and the old one works until it is given.
func TestACredentialThatEndsIsToldOfInTime(t *testing.T) {
	l := newLife(t)
	ends := began.Add(60 * day)
	token, _, err := l.world.Mint(world.Mint{
		Platform: world.X, Client: "key-primary", Person: l.account, LifeSeconds: int64(60 * day / time.Second),
		Scopes: strings.Fields("follows.read like.read offline.access tweet.read users.read"),
	})
	if err != nil {
		t.Fatal(err)
	}
	inbox := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: "riyadh"}, Data: map[string][]byte{
		"accessToken": []byte(token), "expiresAt": []byte(ends.Format(time.RFC3339)),
		"scopes": []byte("follows.read like.read offline.access tweet.read users.read"),
	}}
	if err := l.client.Create(t.Context(), inbox); err != nil {
		t.Fatal(err)
	}
	l.settle(1)
	l.until(ends.Add(-15 * day))
	if got := l.told("CredentialsExpiring"); len(got) != 0 || l.desk.offer != nil {
		t.Fatalf("told at %v, asked %v, long before the end", got, l.desk.offer != nil)
	}
	l.until(ends.Add(-13 * day))
	got := l.told("CredentialsExpiring")
	if len(got) != 1 || got[0].Before(ends.Add(-14*day)) || got[0].After(ends.Add(-14*day+time.Minute)) {
		t.Fatalf("told at %v, want once at %s", got, ends.Add(-14*day))
	}
	healthy := l.condition(v1alpha1.ConditionCredentialsHealthy)
	if healthy.Status != metav1.ConditionTrue || !strings.Contains(healthy.Message, ends.Format(time.RFC3339)) {
		t.Errorf("healthy %+v", healthy)
	}
	if c := l.condition(v1alpha1.ConditionHandoverComplete); c.Reason != v1alpha1.ReasonAwaitingHuman || l.read().Status.Handover.ConsentURL == "" {
		t.Errorf("nobody can act: %+v", c)
	}
	l.consent()
	l.settle(2)
	if healthy := l.condition(v1alpha1.ConditionCredentialsHealthy); healthy.Status != metav1.ConditionTrue || strings.Contains(healthy.Message, "ends at") {
		t.Errorf("healthy %+v", healthy)
	}
	if old, _ := l.world.Token(world.X, token); old.Alive(l.clock.Now()) {
		t.Error("the credential that was replaced still works")
	}
	if n := len(l.told("CredentialsExpiring")); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// A credential that is older than the policy allows is replaced.
func TestTheAgeLimitOfThePolicy(t *testing.T) {
	const limit = 3
	l := newLife(t)
	policy := &v1alpha1.GovernancePolicy{
		ObjectMeta: metav1.ObjectMeta{Name: "limits", UID: "policy", Generation: 1},
		Spec:       v1alpha1.GovernancePolicySpec{Version: "1.0", Mode: v1alpha1.ModeEnforce, Credentials: &v1alpha1.CredentialRules{MaxAgeDays: limit}},
	}
	if err := l.client.Create(t.Context(), policy); err != nil {
		t.Fatal(err)
	}
	l.first()
	l.until(began.Add(limit*day - time.Minute))
	if l.desk.offer != nil {
		t.Fatal("consent is asked for before the limit")
	}
	l.until(began.Add(limit*day + 10*time.Minute))
	h := l.read().Status.Handover
	if h == nil || h.Trigger != v1alpha1.TriggerMaxAge || h.ConsentURL == "" {
		t.Fatalf("handover %+v at the limit", h)
	}
	l.consent()
	l.settle(2)
	if n := len(l.world.Tokens(world.X, world.TokenQuery{Person: l.account, Alive: true})); n != 2 {
		t.Errorf("%d tokens work, want the new pair", n)
	}
}

// A credential that somebody ended outside of Mithaq is found by a probe within seven
// hours, told of, and asked for anew.
func TestAProbeFindsThatACredentialDied(t *testing.T) {
	l := newLife(t)
	l.first()
	l.until(began.Add(day))
	if _, err := l.world.EndGrants(world.X, world.TokenQuery{Person: l.account}, world.CauseAppRemoved); err != nil {
		t.Fatal(err)
	}
	l.until(began.Add(day + 7*time.Hour))
	if c := l.condition(v1alpha1.ConditionCredentialsHealthy); c.Status != metav1.ConditionFalse || c.Reason != v1alpha1.ReasonRevoked {
		t.Errorf("%+v", c)
	}
	if n := len(l.told("CredentialsRevoked")); n != 1 {
		t.Errorf("told %d times", n)
	}
	l.consent()
	l.settle(2)
	if c := l.condition(v1alpha1.ConditionCredentialsHealthy); c.Status != metav1.ConditionTrue {
		t.Errorf("%+v", c)
	}
}

// A deletion that is to revoke ends within an hour, whatever keeps it from that.
func TestADeletionEndsWithinItsDeadline(t *testing.T) {
	for name, spoil := range map[string]func(*life){
		"the platform does not answer": func(l *life) {
			if err := l.world.SetFaults(world.X, world.Fault{Kind: world.FaultStatus, Status: 503, Endpoint: simx.EndpointRevoke}); err != nil {
				l.t.Fatal(err)
			}
		},
		"the vault was tampered with": func(l *life) {
			var secret corev1.Secret
			if err := l.client.Get(l.t.Context(), client.ObjectKey{Namespace: operator, Name: "cred-uid-1"}, &secret); err != nil {
				l.t.Fatal(err)
			}
			secret.Data["ledger"] = append([]byte("x"), secret.Data["ledger"]...)
			if err := l.client.Update(l.t.Context(), &secret); err != nil {
				l.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLife(t)
			l.first()
			spoil(l)
			if err := l.client.Delete(t.Context(), l.read()); err != nil {
				t.Fatal(err)
			}
			// The fake API server dates the deletion by the real clock.
			deleted := l.read().DeletionTimestamp.Time
			l.clock.SetTime(deleted)
			for l.clock.Now().Before(deleted.Add(2 * time.Hour)) {
				wake := l.pass2()
				err := l.client.Get(t.Context(), l.key, &v1alpha1.SocialAccount{})
				if apierrors.IsNotFound(err) {
					break
				}
				l.clock.SetTime(l.clock.Now().Add(max(wake, time.Millisecond)))
			}
			if took := l.clock.Now().Sub(deleted); took < 59*time.Minute || took > 61*time.Minute {
				t.Errorf("it took %s", took)
			}
			if n := len(l.told("RevocationUnproven")); n != 1 || l.unrevoked != 1 {
				t.Errorf("told %d times, %d counted", n, l.unrevoked)
			}
		})
	}
}

// pass2 is a pass in which the account may go.
func (l *life) pass2() time.Duration {
	l.t.Helper()
	each := l.each
	l.each = nil
	defer func() { l.each = each }()
	return l.pass().RequeueAfter
}
