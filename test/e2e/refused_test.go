package e2e

import (
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// manifest is an object as people write it: a base, and lines of spec over it.
func manifest(t *testing.T, kind, spec string) *unstructured.Unstructured {
	t.Helper()
	bases := map[string]string{
		"SocialAccount":      `{platform: X, handle: edu_riyadh, tier: school, owner: {unit: riyadh/north, accountable: a@edu.example}}`,
		"GovernancePolicy":   `{version: "1.0", tiers: [{name: school, observation: {profileEvery: 1h, staleAfter: 6h}}]}`,
		"PlatformConnection": `{platform: X, appSecretRef: {name: x-app}}`,
		"DiscoveredAccount":  `{}`,
	}
	object := map[string]any{}
	for _, text := range []string{bases[kind], spec} {
		fields := map[string]any{}
		if err := yaml.Unmarshal([]byte(text), &fields); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for name, value := range fields {
			if value == nil {
				delete(object, name)
				continue
			}
			object[name] = value
		}
	}
	u := &unstructured.Unstructured{Object: map[string]any{"spec": object}}
	u.SetAPIVersion("mithaq.dev/v1alpha1")
	u.SetKind(kind)
	u.SetName("manifest")
	if kind == "SocialAccount" {
		u.SetNamespace("default")
	}
	return u
}

// expectRefusal says that an error is the API server's and names a field and why.
func expectRefusal(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	if err == nil {
		t.Errorf("accepted; want a refusal with %q", want)
		return
	}
	if !apierrors.IsInvalid(err) {
		t.Errorf("the error is not one of validation: %v", err)
	}
	for part := range strings.SplitSeq(want, " … ") {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the refusal does not say %q: %v", part, err)
		}
	}
}

const acc, pol, con, dis = "SocialAccount", "GovernancePolicy", "PlatformConnection", "DiscoveredAccount"

func TestManifestsAreRefusedByTheirField(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("a", n) }
	digest := strings.Repeat("0f", 32)
	for _, c := range []struct{ kind, spec, refusal string }{
		// Handles, as each platform knows them.
		{acc, `{}`, ""},
		{acc, `{handle: Edu_Riyadh_2030}`, ""},
		{acc, `{handle: "@edu_riyadh"}`, "spec.handle: … an X handle has 1 to 15 letters"},
		{acc, `{handle: edu_riyadh_north}`, "spec.handle: … an X handle"},
		{acc, `{handle: تعليم_الرياض}`, "spec.handle: … an X handle"},
		{acc, `{handle: ""}`, "spec.handle"},
		{acc, `{handle: ` + long(61) + `}`, "spec.handle: Too long"},
		{acc, `{platform: Instagram, handle: edu.riyadh_1}`, ""},
		{acc, `{platform: Instagram, handle: edu.riyadh.}`, "spec.handle: … an Instagram handle"},
		{acc, `{platform: Instagram, handle: ` + long(31) + `}`, "spec.handle: … an Instagram handle"},
		{acc, `{platform: Snapchat, handle: edu-riyadh}`, ""},
		{acc, `{platform: Snapchat, handle: 1riyadh}`, "spec.handle: … a Snapchat handle"},
		{acc, `{platform: Snapchat, handle: ab}`, "spec.handle: … a Snapchat handle"},
		{acc, `{platform: YouTube, handle: تعليم_الرياض}`, ""},
		{acc, `{platform: YouTube, handle: edu·riyadh-1}`, ""},
		{acc, `{platform: YouTube, handle: "@edu_riyadh"}`, "spec.handle: … a YouTube handle"},
		{acc, `{platform: YouTube, handle: "تعليم الرياض"}`, "spec.handle: … a YouTube handle"},
		{acc, `{platform: YouTube, handle: "edu\u202eriyadh"}`, "spec.handle: … a YouTube handle"},
		{acc, `{platform: YouTube, handle: ab}`, "spec.handle: … a YouTube handle"},
		{acc, `{platform: Facebook, handle: edu.riyadh}`, ""},
		{acc, `{platform: Facebook, handle: edu_riyadh}`, "spec.handle: … a Facebook username"},
		{acc, `{platform: TikTok}`, "spec.platform: Unsupported value"},
		{acc, `{platform: null}`, "spec.platform: Required value"},

		// Ids.
		{acc, `{accountID: "2244994945"}`, ""},
		{acc, `{accountID: edu}`, "spec.accountID: … decimal number"},
		{acc, `{platform: YouTube, handle: edu_riyadh, accountID: UC0123456789abcdefghij-_}`, ""},
		{acc, `{platform: YouTube, handle: edu_riyadh, accountID: "2244994945"}`, "spec.accountID: … channel id"},
		{acc, `{platform: Snapchat, handle: edu-riyadh, accountID: 0a1b2c3d-0000-4000-8000-0123456789ab}`, ""},
		{acc, `{platform: Snapchat, handle: edu-riyadh, accountID: 0A1B2C3D-0000-4000-8000-0123456789AB}`, "spec.accountID: … lower-case UUID"},

		// A person's own account holds nothing of ours.
		{acc, `{class: Personal}`, ""},
		{acc, `{credentials: {secretRef: {name: riyadh-x}}}`, ""},
		{acc, `{class: Personal, credentials: {secretRef: {name: riyadh-x}}}`, "spec.credentials: … a Personal account may hold no credentials"},
		{acc, `{deletionPolicy: RevokeAccess}`, ""},
		{acc, `{class: Personal, deletionPolicy: RevokeAccess}`, "spec.deletionPolicy: … must be Retain"},

		// Text that deceives readers.
		{acc, `{profile: {displayName: إدارة تعليم الرياض}}`, ""},
		{acc, `{profile: {displayName: "edu\u202edih"}}`, "spec.profile.displayName: … must hold no characters that reorder or hide text"},
		{acc, `{profile: {displayName: "edu\u200briyadh"}}`, "spec.profile.displayName: … must hold no characters"},
		{acc, `{profile: {displayName: "edu\u0007"}}`, "spec.profile.displayName: … must hold no characters"},
		{acc, `{profile: {bio: "line\nline"}}`, ""},
		{acc, `{profile: {bio: "edu\u2066x"}}`, "spec.profile.bio: … must hold no characters"},
		{acc, `{purpose: أخبار الإدارة}`, ""},
		{acc, `{purpose: "edu\ufeff"}`, "spec.purpose: … must hold no characters"},
		{acc, `{profile: {}}`, "spec.profile"},
		{acc, `{profile: {displayName: ` + long(201) + `}}`, "spec.profile.displayName: Too long"},
		{acc, `{profile: {bio: ` + long(1001) + `}}`, "spec.profile.bio: Too long"},
		{acc, `{profile: {website: "https://edu.example"}}`, ""},
		{acc, `{profile: {website: "http://edu.example"}}`, "spec.profile.website"},
		{acc, `{profile: {avatar: {sha256: ` + digest + `}}}`, ""},
		{acc, `{profile: {avatar: {sha256: ` + digest + `, perceptualHash: 0f173371332b0f0f}}}`, "spec.profile.avatar: … exactly one of"},
		{acc, `{profile: {avatar: {perceptualHash: 0f17}}}`, "spec.profile.avatar.perceptualHash"},

		// People.
		{acc, `{team: [{person: a@edu.example, roles: [Manager, Analyst]}, {person: b@edu.example, roles: [Publisher]}]}`, ""},
		{acc, `{team: [{person: a@edu.example, roles: [Owner]}]}`, `spec.team[0].roles[0]: Unsupported value: "Owner"`},
		{acc, `{team: [{person: a@edu.example, roles: []}]}`, "spec.team[0].roles"},
		{acc, `{team: [{person: a@edu.example, roles: [Manager, Manager]}]}`, "spec.team[0].roles[1]: Duplicate value"},
		{acc, `{team: [{person: a@edu.example, roles: [Manager]}, {person: a@edu.example, roles: [Analyst]}]}`, "spec.team[1]: Duplicate value"},
		{acc, `{team: [{person: "a b@edu.example", roles: [Manager]}]}`, "spec.team[0].person"},
		{acc, `{owner: {unit: Riyadh, accountable: a@edu.example}}`, "spec.owner.unit"},
		{acc, `{owner: {unit: riyadh}}`, "spec.owner.accountable: Required value"},
		{acc, `{owner: {unit: riyadh, accountable: ` + long(255) + `}}`, "spec.owner.accountable: Too long"},
		{acc, `{tier: School}`, "spec.tier"},

		// Attestations and the pause.
		{acc, `{attestations: [{control: two-factor, by: a@edu.example, at: "2026-10-01T09:00:00Z", validUntil: "2027-10-01T00:00:00Z"}]}`, ""},
		{acc, `{attestations: [{control: two-factor, by: a@edu.example, at: "2026-10-01T09:00:00Z", validUntil: "2026-09-01T00:00:00Z"}]}`, "spec.attestations[0].validUntil: … must be after at"},
		{acc, `{attestations: [{control: a, by: b, at: "2026-10-01T09:00:00Z"}, {control: a, by: c, at: "2026-10-02T09:00:00Z"}]}`, "spec.attestations[1]: Duplicate value"},
		{acc, `{suspend: {until: "2026-12-01T00:00:00Z", reason: migration}}`, ""},
		{acc, `{suspend: {reason: migration}}`, "spec.suspend.until: Required value"},
		{acc, `{suspend: {until: "2026-12-01T00:00:00Z"}}`, "spec.suspend.reason: Required value"},

		// Policies.
		{pol, `{}`, ""},
		{pol, `{version: null}`, "spec.version: Required value"},
		{pol, `{version: "first edition"}`, "spec.version"},
		{pol, `{mode: Warn}`, "spec.mode: Unsupported value"},
		{pol, `{tiers: [{name: school}, {name: school}]}`, "spec.tiers[1]: Duplicate value"},
		{pol, `{tiers: [{name: school, observation: {profileEvery: 1s, staleAfter: 1s}}]}`, ""},
		{pol, `{tiers: [{name: school, observation: {profileEvery: 500ms}}]}`, "spec.tiers[0].observation.profileEvery: … must be between 1s and 720h"},
		{pol, `{tiers: [{name: school, observation: {profileEvery: 721h}}]}`, "spec.tiers[0].observation.profileEvery: … must be between"},
		{pol, `{tiers: [{name: school, observation: {activityEvery: 0s}}]}`, "spec.tiers[0].observation.activityEvery: … must be between"},
		{pol, `{tiers: [{name: school, observation: {staleAfter: 2161h}}]}`, "spec.tiers[0].observation.staleAfter: … must be between 1s and 2160h"},
		{pol, `{tiers: [{name: school, observation: {profileEvery: 2h, staleAfter: 1h}}]}`, "spec.tiers[0].observation.staleAfter: … must not be shorter than profileEvery"},
		{pol, `{tiers: [{name: school, observation: {profileEvery: soon}}]}`, "spec.tiers[0].observation"},
		{pol, `{tiers: [{name: school, minPeople: 0}]}`, "spec.tiers[0].minPeople"},
		{pol, `{credentials: {overlap: 168h}}`, ""},
		{pol, `{credentials: {overlap: 169h}}`, "spec.credentials.overlap: … must be between 0s and 168h"},
		{pol, `{discovery: {terms: [وزارة التعليم], every: 1h}}`, ""},
		{pol, `{discovery: {terms: [وزارة التعليم], every: 30m}}`, "spec.discovery.every: … must be between 1h and 720h"},
		{pol, `{ownership: {incompatibleRoles: [[Publisher]]}}`, "spec.ownership.incompatibleRoles[0]"},
		{pol, `{identity: {websiteDomains: [EDU.example]}}`, "spec.identity.websiteDomains[0]"},
		{pol, `{identity: {handlePattern: ` + long(1025) + `}}`, "spec.identity.handlePattern: Too long"},
		{pol, `{identity: {avatars: [{name: a, perceptualHash: 0f173371332b0f0f, maxDistance: 33}]}}`, "spec.identity.avatars[0].maxDistance"},
		{pol, `{exceptions: [{name: eid, rules: [performance/max-silence], until: "2027-01-10T00:00:00Z", approvedBy: deputy, document: "1448/223"}]}`, ""},
		{pol, `{exceptions: [{name: eid, rules: [performance/max-silence], approvedBy: deputy, document: "1448/223"}]}`, "spec.exceptions[0].until: Required value"},
		{pol, `{exceptions: [{name: eid, rules: [everything], until: "2027-01-10T00:00:00Z", approvedBy: deputy, document: "1"}]}`, "spec.exceptions[0].rules[0]"},
		{pol, `{activity: [{name: a, actions: [Shout], effect: Deny}]}`, "spec.activity[0].actions[0]: Unsupported value"},
		{pol, `{content: [{name: a, anyOf: {}}]}`, "spec.content[0].anyOf"},

		// Connections.
		{con, `{}`, ""},
		{con, `{endpoint: "https://proxy.edu.example:8443"}`, ""},
		{con, `{endpoint: "http://127.0.0.1:18080"}`, ""},
		{con, `{endpoint: "http://[::1]:18080"}`, ""},
		{con, `{endpoint: "http://proxy.edu.example"}`, "spec.endpoint: … must be https://host"},
		{con, `{endpoint: "http://169.254.169.254"}`, "spec.endpoint: … must be https://host"},
		{con, `{endpoint: "https://user:pass@edu.example"}`, "spec.endpoint: … must be https://host"},
		{con, `{endpoint: "https://edu.example/path"}`, "spec.endpoint: … must be https://host"},
		{con, `{endpoint: "ftp://edu.example"}`, "spec.endpoint: … must be https://host"},
		{con, `{appSecretRef: {name: ../../etc}}`, "spec.appSecretRef.name"},
		{con, `{appSecretRef: null}`, "spec.appSecretRef: Required value"},
		{con, `{budget: {share: 101}}`, "spec.budget.share"},
		{con, `{budget: {dailySpendUSD: "25.00"}}`, ""},
		{con, `{budget: {dailySpendUSD: "25,00"}}`, "spec.budget.dailySpendUSD"},
		{con, `{budget: {}}`, "spec.budget"},
		{con, `{platform: YouTube, options: {youtube: {dailyUnits: 10000}}}`, ""},
		{con, `{options: {youtube: {dailyUnits: 10000}}}`, "spec.options.youtube: … belong to platform YouTube"},

		// Decisions about what was discovered.
		{dis, `{}`, ""},
		{dis, `{disposition: Dismissed, reason: a fan page}`, ""},
		{dis, `{disposition: Dismissed}`, "spec.reason: … a decision needs a reason"},
		{dis, `{disposition: Impersonation}`, "spec.reason: … a decision needs a reason"},
		{dis, `{disposition: Ignored}`, "spec.disposition: Unsupported value"},
	} {
		name := strings.Join(strings.Fields(c.spec), " ")
		t.Run(fmt.Sprintf("%s/%.80s", c.kind, name), func(t *testing.T) {
			err := shared.admin.Create(t.Context(), manifest(t, c.kind, c.spec), client.DryRunAll)
			expectRefusal(t, err, c.refusal)
		})
	}
}

func TestWhatAnAccountIsCannotChange(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	plain, pinned := s.account("plain"), s.account("pinned")
	pinned.Spec.AccountID = "2244994945"
	s.declare(t, plain, pinned)
	for _, c := range []struct {
		name, object, patch, refusal string
	}{
		{"another handle", "plain", `{"spec":{"handle":"edu_other"}}`, ""},
		{"another platform", "plain", `{"spec":{"platform":"Instagram"}}`, "spec.platform: … platform is immutable"},
		{"an id, late", "plain", `{"spec":{"accountID":"42"}}`, ""},
		{"another id", "pinned", `{"spec":{"accountID":"42"}}`, "spec.accountID: … accountID is immutable once set"},
		{"no id any more", "pinned", `{"spec":{"accountID":null}}`, "spec.accountID: … accountID is immutable once set"},
		{"the same id", "pinned", `{"spec":{"accountID":"2244994945"}}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := s.account(c.object)
			err := shared.admin.Patch(t.Context(), o, client.RawPatch("application/merge-patch+json", []byte(c.patch)), client.DryRunAll)
			expectRefusal(t, err, c.refusal)
		})
	}
	err := shared.admin.Patch(t.Context(), s.connection, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"platform":"YouTube"}}`)), client.DryRunAll)
	expectRefusal(t, err, "spec.platform: … platform is immutable")
}

func TestEverythingIsInTheCategory(t *testing.T) {
	t.Parallel()
	short := map[string]string{acc: "sacct", pol: "gpol", con: "pconn", dis: "dacct"}
	var list unstructured.UnstructuredList
	list.SetAPIVersion("apiextensions.k8s.io/v1")
	list.SetKind("CustomResourceDefinitionList")
	if err := shared.admin.List(t.Context(), &list); err != nil {
		t.Fatal(err)
	}
	for _, crd := range list.Items {
		kind, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "kind")
		names, _, _ := unstructured.NestedStringSlice(crd.Object, "spec", "names", "shortNames")
		categories, _, _ := unstructured.NestedStringSlice(crd.Object, "spec", "names", "categories")
		if len(names) != 1 || names[0] != short[kind] || len(categories) != 1 || categories[0] != "mithaq" {
			t.Errorf("%s: short names %v, categories %v", kind, names, categories)
		}
	}
	if len(list.Items) != len(short) {
		t.Errorf("%d kinds", len(list.Items))
	}
}
