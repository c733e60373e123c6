package samples

import (
	"bytes"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/dev/apps"
	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/internal/governance"
)

// planted are the problems, each on one account.
var planted = map[string]string{
	"defaced-name":     "edu-najran/najran-x",
	"foreign-avatar":   "edu-attaches/attache-tokyo-x",
	"suspended":        "edu-makkah/khadijah-school-x",
	"missing":          "edu-hail/rawdah-club-x",
	"recycled-handle":  "edu-attaches/attache-canberra-x",
	"renamed":          "edu-jouf/jouf-x",
	"unverified":       "edu-qassim/bukayriyah-office-x",
	"lone-manager":     "edu-abroad/school-madrid-x",
	"unknown-tier":     "edu-ministry/back-to-school-x",
	"duplicate-claim":  "edu-ministry/naseem-club-x",
	"changed-bio":      "edu-madinah/madinah-facebook",
	"unpublished-page": "edu-abroad/school-jakarta-facebook",
	"changed-name":     "edu-riyadh/ibn-khaldun-school-instagram",
	"missing-channel":  "edu-eastern/eastern-youtube",
	"changed-picture":  "edu-makkah/awali-club-snapchat",
}

const (
	clean = "clean"
	// noEvidence: in order as far as the platform shows, and it does not show all.
	noEvidence = "no-evidence"
)

func TestEveryAccountComesOutAsItSays(t *testing.T) {
	s := load(t)
	l := read(t, s)
	for _, account := range s.accounts {
		got, result := l.outcome(t, s, account)
		if want := account.Annotations[expectAnnotation]; got != want {
			t.Errorf("%s:\n says   %s\n is     %s\n %+v", nameOf(account), want, got, result.Findings)
		}
		// What a policy merely prefers may be unknown.
		if account.Labels[caseLabel] == clean && slices.ContainsFunc(result.Findings, func(f v1alpha1.Finding) bool {
			return f.Verdict != v1alpha1.VerdictUnknown || f.Mode == v1alpha1.FindingEnforce
		}) {
			t.Errorf("%s is clean and has findings: %+v", nameOf(account), result.Findings)
		}
	}
}

func TestEveryProblemIsPlantedOnceAndShows(t *testing.T) {
	s := load(t)
	outcome := map[string]string{
		clean:      "Observed=True Governed=True Compliant=True",
		noEvidence: "Observed=True Governed=True Compliant=Unknown:EvidenceMissing",
	}
	found := map[string]string{}
	for _, account := range s.accounts {
		kind, says := account.Labels[caseLabel], account.Annotations[expectAnnotation]
		if want, common := outcome[kind]; common {
			if says != want {
				t.Errorf("%s is %s and says %q", nameOf(account), kind, says)
			}
			continue
		}
		if other, twice := found[kind]; twice {
			t.Errorf("%s: %s is planted on %s already", nameOf(account), kind, other)
		}
		found[kind] = nameOf(account)
		if says == outcome[clean] {
			t.Errorf("%s: %s does not show", nameOf(account), kind)
		}
	}
	if diff := cmp.Diff(planted, found); diff != "" {
		t.Error(diff)
	}
}

func TestObjectsAreUniqueAndHaveANamespace(t *testing.T) {
	s := load(t)
	seen := map[string]bool{}
	once := func(kind, name string) {
		if seen[kind+name] {
			t.Errorf("%s %s is there twice", kind, name)
		}
		seen[kind+name] = true
	}
	for _, n := range s.namespaces {
		once("Namespace ", n.Name)
	}
	for _, p := range s.policies {
		once("GovernancePolicy ", p.Name)
	}
	used := map[string]bool{}
	for _, account := range s.accounts {
		once("SocialAccount ", nameOf(account))
		used[account.Namespace] = true
	}
	for _, n := range s.namespaces {
		if !used[n.Name] {
			t.Errorf("namespace %s is empty", n.Name)
		}
		delete(used, n.Name)
	}
	if len(used) > 0 {
		t.Errorf("not declared: namespaces %v", slices.Sorted(maps.Keys(used)))
	}
}

// The older claim wins, and ages count in seconds: so the duplicate is in a file
// of its own, applied last and later, and not by the kustomization.
func TestTheDuplicateComesLater(t *testing.T) {
	s := load(t)
	if last := s.files[len(s.files)-1]; last != duplicateFile {
		t.Errorf("the last file is %s", last)
	}
	for _, account := range s.accounts {
		if duplicate := s.rival(account) != nil; duplicate != (s.fileOf[account] == duplicateFile) {
			t.Errorf("%s of %s: duplicate %v", nameOf(account), s.fileOf[account], duplicate)
		}
	}
	raw, err := os.ReadFile(filepath.Join(samplesDir, "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var kustomization struct {
		Resources []string `json:"resources"`
	}
	if err := yaml.Unmarshal(raw, &kustomization); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.files[:len(s.files)-1], kustomization.Resources); diff != "" {
		t.Error(diff)
	}
}

// A ministry has all kinds of unit and is on all platforms.
func TestTheMinistryIsWhole(t *testing.T) {
	s := load(t)
	platforms, tiers, declared := map[v1alpha1.PlatformName]int{}, map[v1alpha1.TierName]bool{}, 0
	for _, account := range s.accounts {
		platforms[account.Spec.Platform]++
		tiers[account.Spec.Tier] = true
		if account.Spec.Platform == v1alpha1.PlatformX && account.Spec.AccountID != "" {
			declared++
		}
	}
	for _, policy := range s.policies {
		for _, tier := range policy.Spec.Tiers {
			if !tiers[tier.Name] {
				t.Errorf("no account is of tier %s", tier.Name)
			}
		}
	}
	if n := len(s.accounts); n < 55 || n > 65 || len(platforms) != 5 {
		t.Errorf("%d accounts on %v", n, platforms)
	}
	if n := platforms[v1alpha1.PlatformX]; n < 38 || n > 42 || declared < n*2/5 || declared > n*3/5 {
		t.Errorf("%d accounts on X, %d with an id", n, declared)
	}
}

// This version evaluates some sections. A rule of another would be Unknown for
// every account.
func TestThePoliciesHoldOnlyWhatIsEvaluated(t *testing.T) {
	evaluated := map[string]bool{}
	for _, doc := range governance.Rules() {
		evaluated[doc.Section] = evaluated[doc.Section] || doc.Evidence != v1alpha1.EvidenceUnobservable
	}
	for _, policy := range load(t).policies {
		raw, err := yaml.Marshal(policy.Spec)
		if err != nil {
			t.Fatal(err)
		}
		var sections map[string]any
		if err := yaml.Unmarshal(raw, &sections); err != nil {
			t.Fatal(err)
		}
		for section := range sections {
			if !evaluated[section] && !slices.Contains([]string{"version", "mode", "selector", "tiers"}, section) {
				t.Errorf("policy %s has a section %s", policy.Name, section)
			}
		}
	}
}

func TestEveryPlatformHasAConnectionAndASecret(t *testing.T) {
	s := load(t)
	secrets := apps.Secrets(loadFleet(t))
	seen := map[v1alpha1.PlatformName]bool{}
	for _, c := range s.connections {
		spec := c.Spec
		if seen[spec.Platform] || spec.Default == nil || !*spec.Default {
			t.Errorf("%s is not the one default of %s", c.Name, spec.Platform)
		}
		seen[spec.Platform] = true
		if !strings.HasPrefix(spec.Endpoint, "http://127.0.0.1:") {
			t.Errorf("endpoint %s: the runner replaces loopback addresses alone", spec.Endpoint)
		}
		secret := secrets[string(spec.AppSecretRef.Name)]
		if len(secret) == 0 {
			t.Errorf("%s: no Secret %s is made", c.Name, spec.AppSecretRef.Name)
		}
		for key, value := range secret {
			if value == "" {
				t.Errorf("Secret %s: key %s is empty", spec.AppSecretRef.Name, key)
			}
		}
	}
	want := len(s.connections)
	for _, c := range s.connections {
		if second := c.Spec.AlternateAppSecretRef; second != nil {
			want++
			if len(secrets[string(second.Name)]) == 0 {
				t.Errorf("%s: no Secret %s is made", c.Name, second.Name)
			}
		}
	}
	for _, account := range s.accounts {
		if !seen[account.Spec.Platform] {
			t.Errorf("%s: no connection leads to %s", nameOf(account), account.Spec.Platform)
		}
	}
	if len(secrets) != want {
		t.Errorf("%d Secrets, want %d for %d connections", len(secrets), want, len(s.connections))
	}
}

// Who declares credentials can hold them, and has a successor for `make run` to play a
// handover to, whom the policy permits.
func TestAnAccountWithCredentialsCanChangeHands(t *testing.T) {
	s := load(t)
	bound := map[string]bool{}
	for _, b := range s.bindings {
		if b.RoleRef.Kind != "ClusterRole" || b.RoleRef.Name != "mithaq-custodian" || len(b.Subjects) != 1 {
			t.Errorf("binding %s/%s is of %s %s for %v", b.Namespace, b.Name, b.RoleRef.Kind, b.RoleRef.Name, b.Subjects)
		}
		bound[b.Namespace] = true
	}
	players := 0
	for _, account := range s.accounts {
		successor, plays := account.Annotations[successorAnnotation]
		if plays != (account.Spec.Credentials != nil) {
			t.Errorf("%s: credentials %v, successor %v", nameOf(account), account.Spec.Credentials != nil, plays)
		}
		if !plays {
			continue
		}
		players++
		if !bound[account.Namespace] || !bound["mithaq-system"] {
			t.Errorf("%s: no right to hold its credentials: %v", nameOf(account), bound)
		}
		if !strings.HasSuffix(successor, "@edu.example") || successor == string(account.Spec.Owner.Accountable) || account.Labels[caseLabel] != clean {
			t.Errorf("%s, a case %q, cannot be handed over to %s", nameOf(account), account.Labels[caseLabel], successor)
		}
	}
	if players != 1 {
		t.Errorf("%d accounts change hands, want one", players)
	}
}

// The fleet holds what the accounts declare, and one stranger more.
func TestTheFleetIsDeclared(t *testing.T) {
	s, fleet := load(t), loadFleet(t)
	strangers := 0
	for _, a := range fleet.Accounts {
		if !slices.ContainsFunc(s.accounts, func(account *v1alpha1.SocialAccount) bool { return shows(account, a) }) {
			t.Errorf("%s %s %s belongs to no account", a.Platform, a.ID, a.Handle)
		}
		if a.Platform == world.X && (utf8.RuneCountInString(a.DisplayName) > 50 || utf8.RuneCountInString(a.Bio) > 160) {
			t.Errorf("%s: X takes names of 50 characters and descriptions of 160", a.Handle)
		}
	}
	for _, account := range s.accounts {
		switch n := held(account, fleet); n {
		case 0:
			t.Errorf("%s: no live state", nameOf(account))
		case 1:
		default:
			strangers += n - 1
		}
	}
	if strangers != 1 {
		t.Errorf("%d strangers hold handles of accounts", strangers)
	}
}

// held is how many live accounts an account's id or handle leads to.
func held(account *v1alpha1.SocialAccount, fleet world.Fleet) int {
	n := 0
	for _, a := range fleet.Accounts {
		if shows(account, a) {
			n++
		}
	}
	return n
}

func shows(account *v1alpha1.SocialAccount, a world.Account) bool {
	return string(a.Platform) == string(account.Spec.Platform) &&
		(a.ID == account.Spec.AccountID || strings.EqualFold(a.Handle, account.Spec.Handle))
}

// The pictures that the fleet names exist.
func TestThePicturesExist(t *testing.T) {
	for _, a := range loadFleet(t).Accounts {
		raw, err := world.Image(a.Image)
		if err == nil {
			_, err = png.Decode(bytes.NewReader(raw))
		}
		if err != nil {
			t.Errorf("%s: %v", a.Handle, err)
		}
	}
}
