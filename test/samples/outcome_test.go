package samples

import (
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
	simulator "mithaq.dev/mithaq/hack/platformsim/x"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/media"
	"mithaq.dev/mithaq/internal/platform/x"
)

// today is when the samples are applied: accounts are as old as this.
var today = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// live is what X shows of the fleet, read with the operator's own adapter.
type live struct {
	byID, byHandle map[string]platform.Observation
	pictures       map[string]media.Digest
}

// read starts the simulator with the fleet and looks up every account of X.
func read(t *testing.T, s *samples) *live {
	t.Helper()
	w, fleet := world.New(clocktesting.NewFakeClock(today)), loadFleet(t)
	if err := w.Load(fleet); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(simulator.New(w, simulator.Options{}))
	t.Cleanup(server.Close)
	client, err := x.Adapter().Open(platform.Config{
		Endpoint: server.URL, HTTP: platform.NewHTTPClient(platform.TransportConfig{Endpoint: server.URL}),
		App:   platform.Secret{x.KeyAppToken: []byte(fleet.Apps[0].AppToken)},
		Usage: func(platform.Usage) {}, Now: w.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	var ids, handles []platform.AccountRef
	for _, account := range s.accounts {
		if account.Spec.Platform != v1alpha1.PlatformX {
			continue
		}
		handles = append(handles, platform.AccountRef{Handle: account.Spec.Handle})
		if account.Spec.AccountID != "" {
			ids = append(ids, platform.AccountRef{ID: account.Spec.AccountID})
		}
	}
	l := &live{byID: map[string]platform.Observation{}, byHandle: map[string]platform.Observation{}, pictures: map[string]media.Digest{}}
	for _, o := range look(t, client, platform.ByID, ids) {
		l.byID[o.Ref.ID] = o
	}
	for _, o := range look(t, client, platform.ByHandle, handles) {
		l.byHandle[o.Ref.Handle] = o
	}
	l.fetch(t, server.URL)
	return l
}

func look(t *testing.T, client *platform.Client, by platform.Lookup, refs []platform.AccountRef) []platform.Observation {
	t.Helper()
	observations, err := client.Observe.Observe(t.Context(), by, refs)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range observations {
		if o.Outcome == platform.Unanswered {
			t.Fatalf("%+v: %v", o.Ref, o.Err)
		}
	}
	return observations
}

// fetch fingerprints every profile image.
func (l *live) fetch(t *testing.T, endpoint string) {
	t.Helper()
	u, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	fetcher := media.New(media.Config{Hosts: []string{u.Host}})
	t.Cleanup(fetcher.CloseIdleConnections)
	for _, all := range []map[string]platform.Observation{l.byID, l.byHandle} {
		for _, o := range all {
			if o.Profile == nil || l.pictures[o.Profile.AvatarURL] != (media.Digest{}) {
				continue
			}
			digest, err := fetcher.Fetch(t.Context(), o.Profile.AvatarURL)
			if err != nil {
				t.Fatalf("%s: %v", o.Profile.Handle, err)
			}
			l.pictures[o.Profile.AvatarURL] = digest
		}
	}
}

// observed is what becomes of Observed, with the profile if there is one.
func (l *live) observed(s *samples, account *v1alpha1.SocialAccount) (v1alpha1.State, *platform.Profile) {
	if s.rival(account) != nil {
		return v1alpha1.ObservedDuplicateClaim, nil
	}
	if account.Spec.Platform != v1alpha1.PlatformX {
		return v1alpha1.ObservedNotObservable, nil
	}
	o := l.byHandle[account.Spec.Handle]
	if id := account.Spec.AccountID; id != "" {
		if o.Profile != nil && o.Profile.ID != id {
			return v1alpha1.ObservedHandleReassigned, nil
		}
		o = l.byID[id]
	}
	switch o.Outcome {
	case platform.Found:
		return v1alpha1.ObservedFresh, o.Profile
	case platform.Suspended:
		return v1alpha1.ObservedSuspended, nil
	case platform.Deactivated:
		return v1alpha1.ObservedDeactivated, nil
	default:
		return v1alpha1.ObservedNotFound, nil
	}
}

// governed is what rules judge of a profile.
func (l *live) governed(p *platform.Profile) *governance.Live {
	if p == nil {
		return nil
	}
	return &governance.Live{
		Readable: governance.Facts(x.Adapter().Readable.Without(p.Unread)),
		Profile: &v1alpha1.LiveProfile{
			Handle: p.Handle, DisplayName: p.DisplayName, Bio: p.Bio, Website: p.Website, Location: p.Location,
			AvatarURL: p.AvatarURL, Verified: ptr.To(p.Verified), State: v1alpha1.StateActive,
			AvatarSHA256:         v1alpha1.HexSHA256(l.pictures[p.AvatarURL].SHA256),
			AvatarPerceptualHash: v1alpha1.HexPerceptualHash(l.pictures[p.AvatarURL].PerceptualHash),
		},
	}
}

// outcome is what the annotation of an account has to say.
func (l *live) outcome(t *testing.T, s *samples, account *v1alpha1.SocialAccount) (string, governance.Result) {
	t.Helper()
	account = account.DeepCopy()
	account.CreationTimestamp = metav1.NewTime(today)
	var policies []*governance.Policy
	for _, p := range s.compiled(t) {
		if p.Selects(account, s.labels(account.Namespace)) {
			policies = append(policies, p)
		}
	}
	observed, profile := l.observed(s, s.original(account))
	seen := l.governed(profile)
	result := governance.Evaluate(governance.Input{
		Account: account, Policies: policies, Live: seen, LiveMissing: "see Observed", AccountsOf: s.accountsOf, Now: today,
	})
	out := []string{"Observed=" + brief(observed), "Governed=" + brief(permitted(policies, account)), "Compliant=" + compliance(result)}
	var fields []string
	for _, d := range governance.Drift(account, seen) {
		fields = append(fields, d.Field)
	}
	if fields != nil {
		slices.Sort(fields)
		out = append(out, "Drift="+strings.Join(fields, ","))
	}
	return strings.Join(out, " "), result
}

// original finds the sample that an account is a copy of.
func (s *samples) original(copied *v1alpha1.SocialAccount) *v1alpha1.SocialAccount {
	i := slices.IndexFunc(s.accounts, func(a *v1alpha1.SocialAccount) bool { return nameOf(a) == nameOf(copied) })
	return s.accounts[i]
}

func permitted(policies []*governance.Policy, account *v1alpha1.SocialAccount) v1alpha1.State {
	if len(policies) == 0 {
		return v1alpha1.GovernedNoPolicy
	}
	if ok, _ := governance.TierPermitted(policies, account.Spec.Tier); !ok {
		return v1alpha1.GovernedTier
	}
	return v1alpha1.GovernedMatched
}

func compliance(r governance.Result) string {
	rules := map[governance.Verdict][]string{}
	for _, rule := range r.Rules {
		if rule.Mode == v1alpha1.FindingEnforce {
			rules[rule.Verdict] = append(rules[rule.Verdict], rule.Rule)
		}
	}
	switch {
	case len(rules[governance.Violated]) > 0:
		slices.Sort(rules[governance.Violated])
		return "False:" + strings.Join(rules[governance.Violated], ",")
	case len(rules[governance.Unknown]) > 0 || len(r.Rules) == 0:
		return brief(v1alpha1.CompliantEvidenceMissing)
	}
	return brief(v1alpha1.CompliantAllPass)
}

// brief writes a state as the annotations do.
func brief(s v1alpha1.State) string {
	if s.Status() == metav1.ConditionTrue {
		return string(s.Status())
	}
	return string(s.Status()) + ":" + s.Reason()
}
