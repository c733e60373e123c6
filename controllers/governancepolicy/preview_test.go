package governancepolicy

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/edition"
	"mithaq.dev/mithaq/internal/governance"
)

const allFacts = governance.FactLocation<<1 - 1

func compiled(t testing.TB, name string, spec v1alpha1.GovernancePolicySpec) *governance.Policy {
	t.Helper()
	spec.Version = "1.0"
	p, problems := governance.Compile(name, &spec)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return p
}

func tiers(names ...v1alpha1.TierName) (list []v1alpha1.Tier) {
	for _, name := range names {
		list = append(list, v1alpha1.Tier{Name: name})
	}
	return list
}

// seen is an account that was seen under a handle.
func seen(name string, tier v1alpha1.TierName, handle string) v1alpha1.SocialAccount {
	acc := v1alpha1.SocialAccount{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "edu", UID: types.UID(name), ResourceVersion: "1"}}
	acc.Spec = v1alpha1.SocialAccountSpec{Platform: v1alpha1.PlatformX, Handle: handle, Tier: tier, Owner: v1alpha1.Owner{Accountable: "a@edu.example"}}
	acc.Status.Profile = &v1alpha1.LiveProfile{Handle: handle, State: v1alpha1.StateActive}
	return acc
}

func handles(pattern v1alpha1.RegularExpression) *v1alpha1.IdentityRules {
	return &v1alpha1.IdentityRules{HandlePattern: pattern, Verified: v1alpha1.VerifiedIgnored}
}

func counts(violating, clean int) string { return fmt.Sprint(violating, " ", clean) }

func numbers(p *v1alpha1.PolicyPreview) map[string]string {
	got := map[string]string{"all": counts(int(*p.NewlyViolating), int(*p.NewlyClean))}
	for _, t := range p.Tiers {
		got["tier "+string(t.Tier)] = counts(int(*t.NewlyViolating), int(*t.NewlyClean))
	}
	for _, r := range p.Rules {
		got[r.Rule] = counts(int(*r.NewlyViolating), int(*r.NewlyClean))
	}
	return got
}

func TestAPreviewTellsWhatAnEditionWouldChange(t *testing.T) {
	school, directorate := seen("s", "school", "edu_s"), seen("d", "directorate", "edu_d")
	old, unseen := seen("o", "directorate", "old_o"), seen("u", "directorate", "edu_u")
	unseen.Status.Profile = nil
	gone := seen("g", "directorate", "edu_g")
	gone.Status.Profile.State = v1alpha1.StateSuspended
	all := []v1alpha1.SocialAccount{school, directorate, old, unseen, gone}
	manual := v1alpha1.GovernancePolicySpec{Tiers: tiers("school", "directorate"), Identity: handles("^edu_")}
	for _, tc := range []struct {
		name      string
		candidate v1alpha1.GovernancePolicySpec
		want      map[string]string
		accounts  int32
		unknown   int32
		examples  []string
		unjudged  []string
	}{
		{name: "the same edition changes nothing", candidate: manual, accounts: 5, unknown: 2, want: map[string]string{"all": "0 0", "identity/handle-pattern": "0 0"}},
		{
			name: "a tier closes", candidate: v1alpha1.GovernancePolicySpec{Tiers: tiers("directorate"), Identity: handles("^edu_")}, accounts: 5, unknown: 2,
			want: map[string]string{"all": "1 0", "tier school": "1 0", "tiers/permitted": "1 0", "identity/handle-pattern": "0 0"}, examples: []string{"edu/s"},
		},
		{
			name: "a rule is relaxed", candidate: v1alpha1.GovernancePolicySpec{Tiers: tiers("school", "directorate"), Identity: handles("^(edu|old)_")}, accounts: 5, unknown: 2,
			want: map[string]string{"all": "0 1", "tier directorate": "0 1", "identity/handle-pattern": "0 1"}, examples: []string{"edu/o"},
		},
		{
			name: "a rule turns", candidate: v1alpha1.GovernancePolicySpec{Identity: handles("^old_")}, accounts: 5, unknown: 2,
			want: map[string]string{"all": "2 1", "tier directorate": "1 1", "tier school": "1 0", "identity/handle-pattern": "2 1"}, examples: []string{"edu/d", "edu/s", "edu/o"},
		},
		{
			name: "texts are not kept", accounts: 5, unknown: 5, unjudged: []string{"content/no-numbers"},
			candidate: v1alpha1.GovernancePolicySpec{Content: []v1alpha1.ContentRule{{Name: "no-numbers", AnyOf: v1alpha1.TextMatch{Terms: []string{"رقم"}}}}},
			want:      map[string]string{"all": "0 1", "tier directorate": "0 1", "content/no-numbers": "0 0", "identity/handle-pattern": "0 1"}, examples: []string{"edu/o"},
		},
		{
			name: "only what it selects is compared", accounts: 0, want: map[string]string{"all": "0 0"},
			candidate: v1alpha1.GovernancePolicySpec{Selector: &v1alpha1.PolicySelector{Platforms: []v1alpha1.PlatformName{v1alpha1.PlatformYouTube}}, Identity: handles("^old_")},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := &fleet{accounts: these(all...), inForce: []*governance.Policy{compiled(t, "manual", manual)}, readable: map[v1alpha1.PlatformName]governance.Facts{v1alpha1.PlatformX: allFacts}}
			tc.candidate.Mode = v1alpha1.ModePreview
			got := compare(compiled(t, "next", tc.candidate).Enforced(), f, today).result()
			want := tc.want
			for tier := range map[string]bool{"tier directorate": true, "tier school": true} {
				if numbers(got)[tier] == "0 0" {
					want[tier] = "0 0"
				}
			}
			if diff := cmp.Diff(want, numbers(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if *got.Accounts != tc.accounts || *got.Unknown != tc.unknown || !slices.Equal(got.Examples, tc.examples) || !slices.Equal(got.Unjudged, tc.unjudged) {
				t.Errorf("accounts %d, unknown %d, examples %v, unjudged %v", *got.Accounts, *got.Unknown, got.Examples, got.Unjudged)
			}
		})
	}
}

func TestWhatIsNotKnownAnyMoreIsNotClean(t *testing.T) {
	acc := seen("o", "school", "old_o")
	f := &fleet{accounts: these(acc), inForce: []*governance.Policy{compiled(t, "manual", v1alpha1.GovernancePolicySpec{Rules: []v1alpha1.CustomRule{{Name: "h", Expression: "live.handle.startsWith('edu_')"}}})}, readable: map[v1alpha1.PlatformName]governance.Facts{v1alpha1.PlatformX: allFacts &^ governance.FactLocation}}
	got := compare(compiled(t, "next", v1alpha1.GovernancePolicySpec{Rules: []v1alpha1.CustomRule{{Name: "h", Expression: "live.location == ''"}}}), f, today).result()
	if *got.NewlyClean != 0 || *got.Unknown != 1 || *got.Rules[0].NewlyClean != 0 || *got.Rules[0].Unknown != 1 {
		t.Errorf("%v", got)
	}
}

func TestAPreviewNamesTwentyAccountsAtMost(t *testing.T) {
	f := &fleet{readable: map[v1alpha1.PlatformName]governance.Facts{v1alpha1.PlatformX: allFacts}}
	var all []v1alpha1.SocialAccount
	for i := range 30 {
		all = append(all, seen(fmt.Sprintf("a%02d", i), "school", "x"))
	}
	f.accounts = these(all...)
	got := compare(compiled(t, "next", v1alpha1.GovernancePolicySpec{Identity: handles("^edu_")}), f, today).result()
	if *got.NewlyViolating != 30 || len(got.Examples) != 20 || got.Examples[0] != "edu/a00" {
		t.Errorf("%d, %v", *got.NewlyViolating, got.Examples)
	}
}

func TestThePreviewOfAnUnchangedFleetIsNotRewritten(t *testing.T) {
	f := facts{edition: edition.Edition{InForce: compiled(t, "next", v1alpha1.GovernancePolicySpec{Mode: v1alpha1.ModePreview})}, preview: &previewPart{All: difference{Violating: 1}}}
	p := &v1alpha1.GovernancePolicy{}
	pass(p, f, today)
	first := p.Status.DeepCopy()
	pass(p, f, today.Add(time.Hour))
	if diff := cmp.Diff(*first, p.Status); diff != "" {
		t.Errorf("rewritten:\n%s", diff)
	}
	f.preview.All.Violating = 2
	pass(p, f, today.Add(time.Hour))
	if !p.Status.Preview.ComputedAt.Time.Equal(today.Add(time.Hour)) {
		t.Errorf("computed at %v", p.Status.Preview.ComputedAt)
	}
	f.preview, f.partial = nil, true
	if pass(p, f, today.Add(2*time.Hour)); p.Status.Preview == nil {
		t.Error("while a shard has not computed its part the last preview is gone")
	}
	f.partial = false
	if pass(p, f, today.Add(2*time.Hour)); p.Status.Preview != nil {
		t.Error("a policy that is no preview any more still shows one")
	}
}

// counting counts reads of a fleet of one account.
type counting struct {
	client.Client
	account v1alpha1.SocialAccount
	lists   int
}

func (c *counting) Living() (int, error) { return 1, nil }

func (c *counting) All() iter.Seq[*v1alpha1.SocialAccount] {
	c.lists++
	return these(c.account)
}

func (c *counting) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	c.lists++
	return c.Client.List(ctx, list, opts...)
}

func TestAPreviewFollowsThePolicyAtOnceAndTheFleetSlowly(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	acc := seen("s", "school", "edu_s")
	acc.ResourceVersion = ""
	api := &counting{Client: fake.NewClientBuilder().WithScheme(scheme).WithObjects(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "edu"}}).Build(), account: acc}
	clock := clocktesting.NewFakeClock(today)
	r := New(Config{Client: api, Fleet: api, Clock: clock, Editions: edition.NewStore("mithaq-system", api, api), Settle: time.Second, Readable: map[v1alpha1.PlatformName]governance.Facts{v1alpha1.PlatformX: allFacts}})
	look := func(pattern v1alpha1.RegularExpression) int32 {
		t.Helper()
		p, err := r.preview(t.Context(), "next", edition.Edition{InForce: compiled(t, "next", v1alpha1.GovernancePolicySpec{Mode: v1alpha1.ModePreview, Identity: handles(pattern)})})
		if err != nil {
			t.Fatal(err)
		}
		return int32(p.All.Violating)
	}
	if n := look("^edu_"); n != 0 || api.lists != 3 {
		t.Errorf("%d violate, after %d lists", n, api.lists)
	}
	if n := look("^moe_"); n != 1 || api.lists != 6 {
		t.Errorf("a changed policy: %d violate, after %d lists", n, api.lists)
	}
	api.account.Status.Profile.Handle, api.account.ResourceVersion = "moe_s", "2"
	if n := look("^moe_"); n != 1 || api.lists != 6 {
		t.Errorf("at once: %d violate, after %d lists", n, api.lists)
	}
	clock.Step(time.Minute)
	if n := look("^moe_"); n != 0 || api.lists != 9 {
		t.Errorf("a minute later: %d violate, after %d lists", n, api.lists)
	}
	computed := r.previews["next"].result
	clock.Step(time.Minute)
	if look("^moe_"); r.previews["next"].result != computed {
		t.Error("an unchanged fleet was computed anew")
	}
	if p, err := r.preview(t.Context(), "next", edition.Edition{InForce: compiled(t, "next", v1alpha1.GovernancePolicySpec{Mode: v1alpha1.ModeEnforce})}); p != nil || err != nil {
		t.Errorf("mode Enforce: %v, %v", p, err)
	}
}

func BenchmarkPreviewOf10000Accounts(b *testing.B) {
	f := &fleet{readable: map[v1alpha1.PlatformName]governance.Facts{v1alpha1.PlatformX: allFacts}}
	manual := v1alpha1.GovernancePolicySpec{
		Tiers: tiers("school", "directorate"), Identity: &v1alpha1.IdentityRules{HandlePattern: "^edu_", BioMustContain: []string{"الرسمي"}, WebsiteDomains: []v1alpha1.DomainName{"edu.example"}, Verified: v1alpha1.VerifiedRequired},
		Ownership: &v1alpha1.OwnershipRules{AllowedDomains: []v1alpha1.DomainName{"edu.example"}, MaxAccountsPerPerson: 10},
		Rules:     []v1alpha1.CustomRule{{Name: "a", Expression: "!has(live.location)"}, {Name: "b", Expression: "account.tier != 'x'"}},
	}
	f.inForce = []*governance.Policy{compiled(b, "manual", manual)}
	var all []v1alpha1.SocialAccount
	for i := range 10_000 {
		acc := seen(fmt.Sprint("a", i), "school", "edu_a")
		acc.Spec.Owner.Accountable = v1alpha1.PersonName(fmt.Sprint("p", i/5, "@edu.example"))
		all = append(all, acc)
	}
	f.accounts = these(all...)
	candidate := compiled(b, "next", manual)
	b.ReportAllocs()
	for b.Loop() {
		compare(candidate, f, today)
	}
}
