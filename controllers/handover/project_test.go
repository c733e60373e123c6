package handover

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/rotation"
)

// vaultIn is a vault in a phase, with a credential in use.
func vaultIn(phase rotation.Phase, change ...func(*rotation.Vault)) *rotation.Vault {
	v := rotation.New("uid")
	v.AccountID = "42"
	v.Current = &rotation.Slot{CredID: "c", Access: "access-canary", Refresh: "refresh-canary", IssuedAt: noon}
	v.Journal.Phase, v.Journal.RotationID, v.Journal.Since = phase, "rotation-1", noon
	v.Journal.To.Accountable, v.Journal.Health = "new@edu.example", rotation.HealthVerified
	for _, c := range change {
		c(v)
	}
	return v
}

func bare(v *rotation.Vault)    { v.Current = nil }
func unknown(v *rotation.Vault) { v.Current, v.AccountID = nil, "" }

func failed(f rotation.Failure) func(*rotation.Vault) {
	return func(v *rotation.Vault) { v.Journal.Failed = f }
}

func health(h rotation.Health) func(*rotation.Vault) {
	return func(v *rotation.Vault) { v.Journal.Health = h }
}

func TestWhatCredentialsHealthySays(t *testing.T) {
	for name, c := range map[string]struct {
		vault  *rotation.Vault
		facts  facts
		status metav1.ConditionStatus
		reason string
		holds  string
	}{
		"accepted":          {vaultIn(rotation.Idle), facts{}, "True", "Verified", "accepted"},
		"ran out":           {vaultIn(rotation.Idle, health(rotation.HealthExpired)), facts{}, "False", "Expired", "ran out"},
		"refused":           {vaultIn(rotation.Idle, health(rotation.HealthRevoked)), facts{}, "False", "Revoked", "no longer"},
		"somebody else's":   {vaultIn(rotation.Idle, health(rotation.HealthWrong)), facts{}, "False", "WrongAccount", "another account"},
		"too few scopes":    {vaultIn(rotation.Idle, health(rotation.HealthScope)), facts{}, "False", "InsufficientScope", "scopes"},
		"no answer":         {vaultIn(rotation.Idle, health(rotation.HealthUnavailable)), facts{}, "Unknown", "PlatformUnavailable", "does not answer"},
		"not tried":         {vaultIn(rotation.Idle, health(rotation.HealthUnknown)), facts{}, "Unknown", "NotYetVerified", "not been tried"},
		"none":              {vaultIn(rotation.Idle, bare), facts{}, "False", "SecretMissing", "consentURL"},
		"malformed inbox":   {vaultIn(rotation.Idle, bare), facts{inbox: inboxState{malformed: "key x"}}, "False", "SecretMalformed", "key x"},
		"closed":            {vaultIn(rotation.Idle), facts{closed: "no connection"}, "Unknown", "NotYetVerified", "no connection"},
		"barred, none held": {vaultIn(rotation.Idle, bare), facts{barred: "bind it"}, "Unknown", "NotYetVerified", "bind it"},
		"barred, one held":  {vaultIn(rotation.Idle), facts{barred: "bind it"}, "True", "Verified", "accepted"},
		"ends soon, by a person": {
			vaultIn(rotation.Idle, func(v *rotation.Vault) { v.Current.Refresh, v.Current.ExpiresAt = "", noon.Add(time.Hour) }),
			facts{}, "True", "Verified", "it ends at 2026-11-25T13:00:00Z",
		},
		"ends soon, renews itself": {
			vaultIn(rotation.Idle, func(v *rotation.Vault) { v.Current.ExpiresAt = noon.Add(time.Hour) }), facts{}, "True", "Verified", "for this account",
		},
	} {
		t.Run(name, func(t *testing.T) {
			state, text := healthy(c.vault, &c.facts, noon)
			if state.Status() != c.status || state.Reason() != c.reason || !strings.Contains(text, c.holds) || strings.Contains(text, "canary") {
				t.Errorf("%s/%s %q, want %s/%s %q", state.Status(), state.Reason(), text, c.status, c.reason, c.holds)
			}
			if strings.Contains(name, "renews") && strings.Contains(text, "ends") {
				t.Errorf("%q", text)
			}
		})
	}
}

func TestWhatHandoverCompleteSays(t *testing.T) {
	steps := func(v *rotation.Vault) {
		v.Journal.HumanSteps = []rotation.HumanStep{{Name: "a"}, {Name: "b", Attested: true}, {Name: "c", Proven: true}}
	}
	for name, c := range map[string]struct {
		vault  *rotation.Vault
		facts  facts
		reason string
		holds  string
	}{
		"at rest":              {vaultIn(rotation.Idle), facts{}, "Settled", "no handover"},
		"nothing held yet":     {vaultIn(rotation.Idle, bare), facts{}, "RotationInProgress", "first credential is awaited"},
		"not found yet":        {vaultIn(rotation.Idle, unknown), facts{}, "RotationInProgress", "found on the platform"},
		"restored":             {vaultIn(rotation.Idle, failed(rotation.FailedRestored)), facts{}, "RotationFailed", "backup"},
		"consent":              {vaultIn(rotation.AwaitingConsent), facts{}, "AwaitingHuman", "new@edu.example"},
		"verifying":            {vaultIn(rotation.Verifying), facts{}, "RotationInProgress", "changing hands"},
		"people's steps":       {vaultIn(rotation.Unseating, steps), facts{}, "AwaitingHuman", "1 steps"},
		"unproven":             {vaultIn(rotation.Proving, func(v *rotation.Vault) { v.Journal.Unproven = true }), facts{}, "RevocationUnproven", "not proven"},
		"app refused":          {vaultIn(rotation.Revoking, failed(rotation.FailedAppRefused)), facts{}, "RotationFailed", "refuses the app"},
		"a gap is not allowed": {vaultIn(rotation.Revoking, failed(rotation.FailedGapNotAllowed)), facts{}, "AwaitingHuman", "allowGap"},
		"wrong holder":         {vaultIn(rotation.AwaitingConsent, failed(rotation.FailedWrongHolder)), facts{}, "AwaitingHuman", "consent again"},
		"a right is missing":   {vaultIn(rotation.Idle), facts{barred: "bind it"}, "RotationFailed", "bind it"},
	} {
		t.Run(name, func(t *testing.T) {
			state, text := complete(c.vault, &c.facts)
			if state.Reason() != c.reason || !strings.Contains(text, c.holds) {
				t.Errorf("%s %q, want %s %q", state.Reason(), text, c.reason, c.holds)
			}
			if (state.Status() == metav1.ConditionTrue) != (c.reason == "Settled") {
				t.Errorf("%s is %s", c.reason, state.Status())
			}
		})
	}
}

// The former holder's access is never said to be gone before a rotation is settled.
func TestWhatIsSaidOfTheFormerHolder(t *testing.T) {
	for name, c := range map[string]struct {
		vault *rotation.Vault
		want  v1alpha1.FormerAccess
	}{
		"consent":          {vaultIn(rotation.AwaitingConsent), v1alpha1.FormerAccessPresent},
		"overlap":          {vaultIn(rotation.Overlap), v1alpha1.FormerAccessPresent},
		"revoking":         {vaultIn(rotation.Revoking), v1alpha1.FormerAccessRemoving},
		"unseating":        {vaultIn(rotation.Unseating), v1alpha1.FormerAccessRemoving},
		"proving":          {vaultIn(rotation.Proving), v1alpha1.FormerAccessRemoving},
		"app refused":      {vaultIn(rotation.Revoking, failed(rotation.FailedAppRefused)), v1alpha1.FormerAccessPresent},
		"it still answers": {vaultIn(rotation.Revoking, func(v *rotation.Vault) { v.Journal.Unproven = true }), v1alpha1.FormerAccessUnproven},
	} {
		if got := former(c.vault); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// A running rotation is shown without anything that a platform would accept, and with
// the page only while somebody is waited for.
func TestWhatIsShownOfARotation(t *testing.T) {
	url := func(string, platform.Token) string { return "https://mithaq/consent/ticket" }
	v := vaultIn(rotation.AwaitingConsent, func(v *rotation.Vault) {
		v.Journal.Nonce, v.Journal.Verifier, v.Journal.Trigger = "nonce-canary", "verifier-canary", rotation.TriggerAccountableChanged
		v.Journal.NextAttempt = noon.Add(time.Minute)
		v.Journal.HumanSteps = []rotation.HumanStep{{Name: "b", Attested: true}, {Name: "c", Proven: true}, {Name: "a"}}
	})
	h := running(&v1alpha1.SocialAccount{}, v, noon, url)
	if h.ConsentURL == "" || h.NextAttempt == nil || h.To != "new@edu.example" || h.Trigger != v1alpha1.TriggerAccountableChanged {
		t.Errorf("%+v", h)
	}
	want := []v1alpha1.HumanStep{
		{Step: "a", State: v1alpha1.HumanStepOpen}, {Step: "b", State: v1alpha1.HumanStepAttested}, {Step: "c", State: v1alpha1.HumanStepProven},
	}
	for i, step := range h.HumanSteps {
		if step != want[i] {
			t.Errorf("step %d is %+v, want %+v", i, step, want[i])
		}
	}
	v.Journal.Phase = rotation.Issuing
	if h := running(&v1alpha1.SocialAccount{}, v, noon.Add(time.Hour), url); h.ConsentURL != "" || h.NextAttempt != nil {
		t.Errorf("later: %+v", h)
	}
}

func TestHowTheEndOfAccessIsKnown(t *testing.T) {
	for evidence, want := range map[rotation.Evidence]v1alpha1.Provenance{
		rotation.EvidenceIntrospection: v1alpha1.ProvenanceProven, rotation.EvidenceProbe: v1alpha1.ProvenanceProven,
		rotation.EvidenceRoleList: v1alpha1.ProvenanceProven, rotation.EvidenceLifetime: v1alpha1.ProvenanceProven,
		rotation.EvidenceAttested: v1alpha1.ProvenanceAttested, "": v1alpha1.ProvenanceDeclared,
	} {
		if got := provenance(evidence); got != want {
			t.Errorf("%q: %s, want %s", evidence, got, want)
		}
	}
}
