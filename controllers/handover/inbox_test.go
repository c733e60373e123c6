package handover

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/rotation"
)

// What people put into the inbox is checked; what is wrong is named, never shown.
func TestWhatAnInboxMayHold(t *testing.T) {
	for name, c := range map[string]struct {
		data  map[string]string
		wrong string
	}{
		"a token":             {map[string]string{"accessToken": "canary\n"}, ""},
		"all":                 {map[string]string{"accessToken": "canary", "refreshToken": "r", "expiresAt": "2026-12-01T00:00:00Z", "scopes": "a b\nc"}, ""},
		"nothing":             {nil, "accessToken"},
		"a refresh token":     {map[string]string{"refreshToken": "canary"}, "accessToken"},
		"a space":             {map[string]string{"accessToken": "canary canary"}, "accessToken"},
		"a control character": {map[string]string{"accessToken": "a", "refreshToken": "canary\x00"}, "refreshToken"},
		"another script":      {map[string]string{"accessToken": "رمز"}, "accessToken"},
		"too much":            {map[string]string{"accessToken": strings.Repeat("canary", maxToken)}, "accessToken"},
		"no time":             {map[string]string{"accessToken": "a", "expiresAt": "canary"}, "expiresAt"},
	} {
		t.Run(name, func(t *testing.T) {
			data := map[string][]byte{}
			for key, value := range c.data {
				data[key] = []byte(value)
			}
			p, wrong := read(data)
			if (p == nil) != (c.wrong != "") || !strings.Contains(wrong, c.wrong) || strings.Contains(wrong, "canary") {
				t.Fatalf("%+v, %q; want %q", p, wrong, c.wrong)
			}
			if name == "all" && (len(p.Scopes) != 3 || p.Refresh != "r" || !p.ExpiresAt.Equal(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))) {
				t.Errorf("%+v", p)
			}
			if name == "a token" && p.Access != "canary" {
				t.Error("the end of the line belongs to no token")
			}
		})
	}
}

// Of several policies the strictest holds.
func TestTheStrictestRulesHold(t *testing.T) {
	policy := func(c *v1alpha1.CredentialRules) *governance.Policy {
		p, problems := governance.Compile("p", &v1alpha1.GovernancePolicySpec{Version: "1.0", Mode: v1alpha1.ModeEnforce, Credentials: c})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		return p
	}
	length := func(d time.Duration) *metav1.Duration { return &metav1.Duration{Duration: d} }
	var rules rotation.Rules
	overlap := time.Duration(-1)
	for _, c := range []*v1alpha1.CredentialRules{
		{MaxAgeDays: 90, Overlap: length(time.Hour), RotateOn: []v1alpha1.RotateOn{v1alpha1.RotateOnUnitChanged}},
		nil,
		{MaxAgeDays: 30, Overlap: length(time.Minute), RotateOn: []v1alpha1.RotateOn{v1alpha1.RotateOnAccountableChanged}},
		{Overlap: length(24 * time.Hour)},
	} {
		overlap = tighten(&rules, policy(c), overlap)
	}
	want := rotation.Rules{MaxAge: 30 * 24 * time.Hour, OnUnit: true, OnAccountable: true}
	if rules != want || overlap != time.Minute {
		t.Errorf("%+v, overlap %s; want %+v, %s", rules, overlap, want, time.Minute)
	}
}

// The text names the namespace in which the right is missing.
func TestWhichRightIsMissing(t *testing.T) {
	r := New(Config{Keeper: &custody.Keeper{Namespace: "mithaq-system"}})
	acc := &v1alpha1.SocialAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "edu-riyadh"}}
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "x", errors.New("no"))
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"vault":     {fmt.Errorf("storing the vault: %w", forbidden), "mithaq-system"},
		"outbox":    {errors.Join(errOutbox, fmt.Errorf("publishing: %w", forbidden)), "edu-riyadh"},
		"no answer": {errors.New("gone"), ""},
		"success":   {nil, ""},
	} {
		got := r.barred(acc, c.err)
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) || got != "" && !strings.Contains(got, "mithaq-custodian") {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Accounts without credentials wake nobody, and a status of our own neither.
func TestWhatWakesTheController(t *testing.T) {
	held := func(change ...func(*v1alpha1.SocialAccount)) *v1alpha1.SocialAccount {
		acc := &v1alpha1.SocialAccount{ObjectMeta: metav1.ObjectMeta{Generation: 1}}
		acc.Spec.Credentials = &v1alpha1.AccountCredentials{}
		for _, c := range change {
			c(acc)
		}
		return acc
	}
	none := func(a *v1alpha1.SocialAccount) { a.Spec.Credentials = nil }
	newer := func(a *v1alpha1.SocialAccount) { a.Generation = 2 }
	p := concerned()
	for name, c := range map[string]struct {
		before, after client.Object
		want          bool
	}{
		"an edit":                 {held(), held(newer), true},
		"our own status":          {held(), held(func(a *v1alpha1.SocialAccount) { a.Status.Custody = []v1alpha1.Custody{{}} }), false},
		"the id is found":         {held(), held(func(a *v1alpha1.SocialAccount) { a.Status.AccountID = "42" }), true},
		"a deletion":              {held(), held(func(a *v1alpha1.SocialAccount) { a.DeletionTimestamp = &metav1.Time{Time: noon} }), true},
		"credentials are dropped": {held(), held(none, newer), true},
		"none at all":             {held(none), held(none, newer), false},
	} {
		if got := p.Update(event.UpdateEvent{ObjectOld: c.before, ObjectNew: c.after}); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if p.Create(event.CreateEvent{Object: held(none)}) || !p.Create(event.CreateEvent{Object: held()}) {
		t.Error("creations of accounts with credentials wake, and no others")
	}
	if p.Delete(event.DeleteEvent{Object: held(none)}) || !p.Delete(event.DeleteEvent{Object: held()}) {
		t.Error("of what is gone, accounts with credentials wake: nobody lends their tokens any more")
	}
}
