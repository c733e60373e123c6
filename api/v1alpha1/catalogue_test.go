package v1alpha1_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
)

const (
	yes     = metav1.ConditionTrue
	no      = metav1.ConditionFalse
	unknown = metav1.ConditionUnknown
)

// constants are the string constants of the package whose name begins with
// prefix, by name, as its own source declares them.
func constants(t *testing.T, prefix string) map[string]string {
	t.Helper()
	sources := func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }
	packages, err := parser.ParseDir(token.NewFileSet(), ".", sources, 0) //nolint:staticcheck // one folder, no build tags
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	ast.Inspect(packages["v1alpha1"], func(n ast.Node) bool {
		decl, ok := n.(*ast.GenDecl)
		if !ok || decl.Tok != token.CONST {
			return true
		}
		for _, spec := range decl.Specs {
			value := spec.(*ast.ValueSpec)
			for i, name := range value.Names {
				if !strings.HasPrefix(name.Name, prefix) || i >= len(value.Values) {
					continue
				}
				if text, ok := value.Values[i].(*ast.BasicLit); ok && text.Kind == token.STRING {
					unquoted, err := strconv.Unquote(text.Value)
					if err != nil {
						t.Fatal(err)
					}
					found[name.Name] = unquoted
				}
			}
		}
		return true
	})
	if len(found) == 0 {
		t.Fatalf("the source declares no constant %s…", prefix)
	}
	return found
}

func TestEveryConstantIsInTheCatalogueAndTheOtherWayRound(t *testing.T) {
	types, reasons := map[string]bool{}, map[string]bool{}
	for _, s := range v1alpha1.States() {
		types[s.Type()], reasons[s.Reason()] = true, true
	}
	events, actions := map[string]bool{}, map[string]bool{}
	for _, e := range v1alpha1.Events() {
		events[string(e.Reason)], actions[string(e.Action)] = true, true
	}
	kinds := constants(t, "EventAction")
	all := constants(t, "Event")
	for name := range kinds {
		delete(all, name)
	}
	for _, family := range []struct {
		prefix    string
		declared  map[string]string
		catalogue map[string]bool
	}{
		{"Condition", constants(t, "Condition"), types},
		{"Reason", constants(t, "Reason"), reasons},
		{"EventAction", kinds, actions},
		{"Event", all, events},
	} {
		declared := map[string]bool{}
		for name, value := range family.declared {
			declared[value] = true
			if name != family.prefix+value {
				t.Errorf("constant %s has the value %q", name, value)
			}
			if !family.catalogue[value] {
				t.Errorf("constant %s is not used by the catalogue", name)
			}
		}
		for value := range family.catalogue {
			if !declared[value] {
				t.Errorf("the catalogue uses %q, which is no constant %s…", value, family.prefix)
			}
		}
	}
}

func TestStatesAreUniqueAndExplained(t *testing.T) {
	type key struct {
		kind, typ string
		status    metav1.ConditionStatus
		reason    string
	}
	seen := map[key]bool{}
	statusOf := map[key]metav1.ConditionStatus{}
	for _, s := range v1alpha1.States() {
		k := key{s.Kind(), s.Type(), s.Status(), s.Reason()}
		if seen[k] {
			t.Errorf("%v is declared twice", k)
		}
		seen[k] = true
		bare := key{s.Kind(), s.Type(), "", s.Reason()}
		if was, ok := statusOf[bare]; ok && was != s.Status() {
			t.Errorf("%s %s: reason %s stands for %s and for %s", s.Kind(), s.Type(), s.Reason(), was, s.Status())
		}
		statusOf[bare] = s.Status()
		if len(s.Meaning()) < 10 || !strings.HasSuffix(s.Meaning(), ".") {
			t.Errorf("%v: the meaning %q is no sentence", k, s.Meaning())
		}
		found, ok := v1alpha1.FindState(s.Kind(), metav1.Condition{Type: s.Type(), Status: s.Status(), Reason: s.Reason()})
		if !ok || found != s {
			t.Errorf("FindState does not find %v", k)
		}
		if s.IsZero() {
			t.Errorf("%v counts as unset", k)
		}
	}
	if _, ok := v1alpha1.FindState(v1alpha1.KindSocialAccount, metav1.Condition{Type: "Observed", Status: yes, Reason: "NotFound"}); ok {
		t.Error("FindState finds a combination that nobody declared")
	}
}

// contract is what ../shared/api.md promises of a SocialAccount's conditions.
var contract = map[string]map[metav1.ConditionStatus]string{
	"Observed": {
		yes:     "Fresh",
		no:      "NotFound Suspended Deactivated HandleReassigned DuplicateClaim",
		unknown: "AwaitingObservation PlatformUnavailable Throttled BudgetExhausted Unauthorized Stale NotObservable Paused",
	},
	"Governed": {yes: "PolicyMatched", no: "NoPolicyMatched TierNotPermitted", unknown: "PolicyInvalid"},
	"Compliant": {
		yes: "AllRulesPass", no: "RulesViolated", unknown: "EvidenceMissing AwaitingObservation",
	},
	"CredentialsHealthy": {
		yes:     "Verified NotRequired",
		no:      "SecretMissing SecretMalformed Expired Revoked WrongAccount InsufficientScope",
		unknown: "NotYetVerified PlatformUnavailable",
	},
	"HandoverComplete": {
		yes: "Settled",
		no:  "RotationInProgress AwaitingHuman RotationFailed RevocationUnproven",
	},
}

func TestTheCatalogueHoldsTheContract(t *testing.T) {
	type triple struct {
		typ    string
		status metav1.ConditionStatus
		reason string
	}
	declared := map[triple]bool{}
	for _, s := range v1alpha1.States() {
		if s.Kind() == v1alpha1.KindSocialAccount {
			declared[triple{s.Type(), s.Status(), s.Reason()}] = true
		}
	}
	want := map[triple]bool{{"Ready", yes, "Reconciled"}: true}
	for typ, statuses := range contract {
		for status, reasons := range statuses {
			for reason := range strings.FieldsSeq(reasons) {
				want[triple{typ, status, reason}] = true
				if typ != "Compliant" && status != yes {
					want[triple{"Ready", status, reason}] = true
				}
			}
		}
	}
	for k := range want {
		if !declared[k] {
			t.Errorf("the contract's %v is not in the catalogue", k)
		}
	}
	for k := range declared {
		if !want[k] && k.typ != "Reconciling" && k.typ != "Stalled" {
			t.Errorf("%v of the catalogue is not in the contract", k)
		}
	}
	for _, k := range []struct {
		kind string
		triple
	}{
		{v1alpha1.KindGovernancePolicy, triple{"Accepted", yes, "Accepted"}},
		{v1alpha1.KindGovernancePolicy, triple{"Accepted", no, "InvalidExpression"}},
		{v1alpha1.KindPlatformConnection, triple{"Available", no, "Unavailable"}},
		{v1alpha1.KindPlatformConnection, triple{"Available", no, "Throttled"}},
		{v1alpha1.KindPlatformConnection, triple{"Available", no, "BudgetExhausted"}},
		{v1alpha1.KindPlatformConnection, triple{"Available", no, "AppUnauthorized"}},
		{v1alpha1.KindPlatformConnection, triple{"FreshnessFeasible", no, "BudgetTooSmall"}},
		{v1alpha1.KindDiscoveredAccount, triple{"Governed", yes, "Adopted"}},
	} {
		if _, ok := v1alpha1.FindState(k.kind, metav1.Condition{Type: k.typ, Status: k.status, Reason: k.reason}); !ok {
			t.Errorf("the contract's %v is not in the catalogue", k)
		}
	}
}

func TestReconcilingAndStalledAreOnlyEverTrue(t *testing.T) {
	for _, s := range v1alpha1.States() {
		if (s.Type() == v1alpha1.ConditionReconciling || s.Type() == v1alpha1.ConditionStalled) && s.Status() != yes {
			t.Errorf("%s %s can be %s", s.Kind(), s.Type(), s.Status())
		}
	}
}

func TestReadyRepeatsWhateverKeepsAnAccountFromBeingReady(t *testing.T) {
	decisive := []string{"Observed", "Governed", "CredentialsHealthy", "HandoverComplete"}
	for _, s := range v1alpha1.States() {
		ready := v1alpha1.ReadyFrom(s)
		if s.Kind() != v1alpha1.KindSocialAccount || !slices.Contains(decisive, s.Type()) || s.Status() == yes {
			if ready != v1alpha1.ReadyReconciled {
				t.Errorf("%s %s=%s makes Ready %s/%s", s.Kind(), s.Type(), s.Status(), ready.Status(), ready.Reason())
			}
			continue
		}
		if ready.Type() != v1alpha1.ConditionReady || ready.Status() != s.Status() || ready.Reason() != s.Reason() {
			t.Errorf("%s=%s/%s makes Ready %s/%s", s.Type(), s.Status(), s.Reason(), ready.Status(), ready.Reason())
		}
		if !slices.Contains(v1alpha1.States(), ready) {
			t.Errorf("Ready %s/%s is not in the catalogue", ready.Status(), ready.Reason())
		}
	}
}

// shared lists the reasons that more than one type bears, because they mean the
// same of each. Ready and Stalled repeat others by design.
var shared = map[string][]string{
	"AwaitingObservation": {"Compliant", "Observed", "Reconciling"},
	"BudgetExhausted":     {"Available", "Observed"},
	"PlatformUnavailable": {"CredentialsHealthy", "Observed"},
	"Throttled":           {"Available", "Observed"},
}

func TestAReasonMeansOneThing(t *testing.T) {
	types := map[string][]string{}
	for _, s := range v1alpha1.States() {
		repeats := s.Type() == v1alpha1.ConditionReady || s.Type() == v1alpha1.ConditionStalled
		if !repeats && !slices.Contains(types[s.Reason()], s.Type()) {
			types[s.Reason()] = append(types[s.Reason()], s.Type())
		}
	}
	for reason, of := range types {
		slices.Sort(of)
		if len(of) > 1 && !slices.Equal(of, shared[reason]) {
			t.Errorf("reason %s is borne by %v; allowed: %v", reason, of, shared[reason])
		}
	}
	for reason, of := range shared {
		if !slices.Equal(types[reason], of) {
			t.Errorf("reason %s may be shared by %v but is borne by %v", reason, of, types[reason])
		}
	}
}

// promised are the event reasons that ../shared/api.md demands at least.
const promised = `ProfileDrifted ProfileSettled AccountSuspended AccountMissing AccountRestored
	HandleReassigned HandleChanged DuplicateClaim ViolationFound ViolationCleared ExceptionExpired
	AcknowledgementDue AttestationExpired HandoverStarted HandoverStepDone HandoverAwaitingHuman
	HandoverCompleted RotationFailed RevocationUnproven CredentialsExpiring CredentialsRevoked
	PolicyAccepted PolicyRejected UngovernedAccountFound AccountAdopted PlatformUnavailable
	PlatformRecovered BudgetExhausted MassChange`

func TestTheEventCatalogueIsWholeAndKnown(t *testing.T) {
	kinds := []string{v1alpha1.KindSocialAccount, v1alpha1.KindGovernancePolicy, v1alpha1.KindPlatformConnection, v1alpha1.KindDiscoveredAccount}
	actions := []v1alpha1.EventAction{v1alpha1.EventActionObserve, v1alpha1.EventActionEvaluate, v1alpha1.EventActionRotate}
	seen := map[string]bool{}
	for _, e := range v1alpha1.Events() {
		switch {
		case seen[string(e.Reason)]:
			t.Errorf("event %s is declared twice", e.Reason)
		case !slices.Contains(actions, e.Action):
			t.Errorf("event %s has the action %q", e.Reason, e.Action)
		case !slices.Contains(kinds, e.Regarding):
			t.Errorf("event %s is about the kind %q", e.Reason, e.Regarding)
		case !strings.HasSuffix(e.Meaning, "."):
			t.Errorf("event %s: the meaning %q is no sentence", e.Reason, e.Meaning)
		}
		seen[string(e.Reason)] = true
	}
	for reason := range strings.FieldsSeq(promised) {
		if !seen[reason] {
			t.Errorf("the contract's event %s is missing", reason)
		}
	}
}
