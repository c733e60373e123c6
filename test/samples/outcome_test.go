package samples

import (
	"net/http"
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
	"mithaq.dev/mithaq/hack/dev/apps"
	"mithaq.dev/mithaq/hack/platformsim/meta"
	simsnapchat "mithaq.dev/mithaq/hack/platformsim/snapchat"
	"mithaq.dev/mithaq/hack/platformsim/world"
	simulator "mithaq.dev/mithaq/hack/platformsim/x"
	simyoutube "mithaq.dev/mithaq/hack/platformsim/youtube"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/facebook"
	"mithaq.dev/mithaq/internal/platform/instagram"
	"mithaq.dev/mithaq/internal/platform/media"
	"mithaq.dev/mithaq/internal/platform/snapchat"
	"mithaq.dev/mithaq/internal/platform/x"
	"mithaq.dev/mithaq/internal/platform/youtube"
)

// today is when the samples are applied: accounts are as old as this.
var today = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// live is what the platforms show of the fleet, read with the operator's own adapters.
type live struct {
	shown    map[v1alpha1.PlatformName]*shown
	pictures map[string]media.Digest
}

// shown is what one platform shows.
type shown struct {
	adapter        platform.Adapter
	client         *platform.Client
	byID, byHandle map[string]platform.Observation
}

// read starts the simulators with the fleet and looks up every account.
func read(t *testing.T, s *samples) *live {
	t.Helper()
	w, fleet := world.New(clocktesting.NewFakeClock(today)), loadFleet(t)
	// The handlers first: they set the platforms' rules for the tokens of the fleet.
	graph := meta.New(w, meta.Options{})
	sites := []struct {
		adapter platform.Adapter
		handler http.Handler
	}{
		{x.Adapter(), simulator.New(w, simulator.Options{})},
		{youtube.Adapter(), simyoutube.New(w, simyoutube.Options{})},
		// All accounts are looked up within one second of a clock that stands still.
		{snapchat.Adapter(), simsnapchat.New(w, simsnapchat.Options{Burst: 10})},
		{facebook.Adapter(), graph},
		{instagram.Adapter(), graph},
	}
	if err := w.Load(fleet); err != nil {
		t.Fatal(err)
	}
	l := &live{shown: map[v1alpha1.PlatformName]*shown{}, pictures: map[string]media.Digest{}}
	for _, site := range sites {
		server := httptest.NewServer(site.handler)
		t.Cleanup(server.Close)
		p := open(t, s, w, site.adapter, server.URL)
		p.lookUp(t, s)
		l.shown[v1alpha1.PlatformName(site.adapter.Name)] = p
		l.fetch(t, p, server.URL)
	}
	return l
}

// open opens a platform with the app Secret that its connection names.
func open(t *testing.T, s *samples, w *world.World, adapter platform.Adapter, endpoint string) *shown {
	t.Helper()
	app := platform.Secret{}
	for key, value := range apps.Secrets(loadFleet(t))[string(s.connection(t, adapter.Name).Spec.AppSecretRef.Name)] {
		app[key] = []byte(value)
	}
	client, err := adapter.Open(platform.Config{
		Endpoint: endpoint, Hosts: adapter.HostsAt(endpoint), HTTP: platform.NewHTTPClient(platform.TransportConfig{Endpoint: endpoint}),
		App: app, Usage: func(platform.Usage) {}, Now: w.Now,
	})
	if err != nil {
		t.Fatalf("%s: %v", adapter.Name, err)
	}
	return &shown{adapter: adapter, client: client, byID: map[string]platform.Observation{}, byHandle: map[string]platform.Observation{}}
}

// lookUp asks for every account of the platform by its handle, and by its id where it
// declares one.
func (p *shown) lookUp(t *testing.T, s *samples) {
	t.Helper()
	var ids, handles []platform.AccountRef
	for _, account := range s.accounts {
		if string(account.Spec.Platform) != string(p.adapter.Name) {
			continue
		}
		handles = append(handles, platform.AccountRef{Handle: account.Spec.Handle})
		if account.Spec.AccountID != "" {
			ids = append(ids, platform.AccountRef{ID: account.Spec.AccountID})
		}
	}
	for _, o := range p.look(t, platform.ByID, ids) {
		p.byID[o.Ref.ID] = o
	}
	for _, o := range p.look(t, platform.ByHandle, handles) {
		p.byHandle[o.Ref.Handle] = o
	}
}

func (p *shown) look(t *testing.T, by platform.Lookup, refs []platform.AccountRef) []platform.Observation {
	t.Helper()
	var all []platform.Observation
	for some := range slices.Chunk(refs, p.adapter.Profiles[by].Batch) {
		observations, err := p.client.Observe.Observe(t.Context(), by, some)
		if err != nil {
			t.Fatalf("%s: %v", p.adapter.Name, err)
		}
		for _, o := range observations {
			if o.Outcome == platform.Unanswered {
				t.Fatalf("%s %+v: %v", p.adapter.Name, o.Ref, o.Err)
			}
		}
		all = append(all, observations...)
	}
	return all
}

// fetch fingerprints every profile image.
func (l *live) fetch(t *testing.T, p *shown, endpoint string) {
	t.Helper()
	u, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	fetcher := media.New(media.Config{Hosts: []string{u.Host}})
	t.Cleanup(fetcher.CloseIdleConnections)
	for _, all := range []map[string]platform.Observation{p.byID, p.byHandle} {
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
	p := l.shown[account.Spec.Platform]
	o := p.byHandle[account.Spec.Handle]
	if id := account.Spec.AccountID; id != "" {
		if o.Profile != nil && o.Profile.ID != id {
			return v1alpha1.ObservedHandleReassigned, nil
		}
		o = p.byID[id]
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
func (l *live) governed(on v1alpha1.PlatformName, p *platform.Profile) *governance.Live {
	if p == nil {
		return nil
	}
	return &governance.Live{
		Readable: governance.Facts(l.shown[on].adapter.Readable.Without(p.Unread)),
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
	seen := l.governed(account.Spec.Platform, profile)
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
