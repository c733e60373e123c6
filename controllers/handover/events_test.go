package handover

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/rotation"
	"mithaq.dev/mithaq/internal/status"
)

// after is the account once a status was saved.
func after(s shown) *v1alpha1.SocialAccount {
	return &v1alpha1.SocialAccount{Status: v1alpha1.SocialAccountStatus{
		Handover: s.handover, Credentials: s.credentials, Conditions: s.conditions.List(),
	}}
}

// Each transition is told of once, and a status that was saved is not told of again.
func TestWhatIsToldOfATransition(t *testing.T) {
	url := func(string, platform.Token) string { return "" }
	see := func(acc *v1alpha1.SocialAccount, v *rotation.Vault) (shown, []string) {
		s := project(acc, v, &facts{}, noon, url)
		var told []string
		for _, o := range s.events {
			told = append(told, string(o.reason))
			if strings.Contains(o.note, "canary") || o.note == "" {
				t.Errorf("%s: %q", o.reason, o.note)
			}
			if _, known := status.EventKind(o.reason); !known {
				t.Errorf("%s is not in the catalogue", o.reason)
			}
		}
		slices.Sort(told)
		return s, told
	}
	ends := func(v *rotation.Vault) { v.Current.Refresh, v.Current.ExpiresAt = "", noon.Add(24*time.Hour) }
	settled := func(v *rotation.Vault) { v.Journal.Rotations = 2 }
	rest := vaultIn(rotation.Idle, func(v *rotation.Vault) { v.Journal.Rotations = 1 })
	for name, c := range map[string]struct {
		from, to *rotation.Vault
		want     string
	}{
		"a rotation begins":        {rest, vaultIn(rotation.AwaitingConsent), "HandoverAwaitingHuman HandoverStarted"},
		"a step is done":           {vaultIn(rotation.AwaitingConsent), vaultIn(rotation.Overlap), "HandoverStepDone"},
		"people are waited for":    {vaultIn(rotation.Overlap), vaultIn(rotation.Unseating, func(v *rotation.Vault) { v.Journal.HumanSteps = []rotation.HumanStep{{Name: "a"}} }), "HandoverAwaitingHuman HandoverStepDone"},
		"it fails":                 {vaultIn(rotation.Revoking), vaultIn(rotation.Revoking, failed(rotation.FailedAppRefused)), "RotationFailed"},
		"it stays unproven":        {vaultIn(rotation.Proving), vaultIn(rotation.Proving, func(v *rotation.Vault) { v.Journal.Unproven = true }), "RevocationUnproven"},
		"it settles":               {vaultIn(rotation.Proving), vaultIn(rotation.Idle, settled), "HandoverCompleted"},
		"it is given up":           {vaultIn(rotation.AwaitingConsent, func(v *rotation.Vault) { v.Journal.Rotations = 1 }), rest, ""},
		"the credential dies":      {rest, vaultIn(rotation.Idle, settled, health(rotation.HealthRevoked)), "CredentialsRevoked"},
		"the credential ends soon": {rest, vaultIn(rotation.Idle, ends), "CredentialsExpiring"},
	} {
		t.Run(name, func(t *testing.T) {
			before, _ := see(&v1alpha1.SocialAccount{}, c.from)
			if before.credentials != nil {
				before.credentials.RotationsTotal = ptr.To(c.from.Journal.Rotations)
			}
			next, told := see(after(before), c.to)
			if got := strings.Join(told, " "); got != c.want {
				t.Errorf("told %q, want %q", got, c.want)
			}
			if _, again := see(after(next), c.to); len(again) > 0 {
				t.Errorf("told again: %v", again)
			}
		})
	}
}

// A last check that is newer is no news; anything else is.
func TestWhatIsWorthAWrite(t *testing.T) {
	at := func(minutes int) *metav1.Time {
		return ptr.To(metav1.NewTime(noon.Add(time.Duration(minutes) * time.Minute)))
	}
	base := func() *v1alpha1.SocialAccountStatus {
		return &v1alpha1.SocialAccountStatus{
			Credentials: &v1alpha1.CredentialStatus{SecretVersion: "c", LastVerifiedAt: at(0)},
			Conditions: []metav1.Condition{
				{Type: v1alpha1.ConditionCredentialsHealthy, Status: "True"}, {Type: v1alpha1.ConditionHandoverComplete, Status: "True"},
			},
		}
	}
	for name, c := range map[string]struct {
		change func(*v1alpha1.SocialAccountStatus)
		same   bool
	}{
		"nothing":      {func(*v1alpha1.SocialAccountStatus) {}, true},
		"a new check":  {func(s *v1alpha1.SocialAccountStatus) { s.Credentials.LastVerifiedAt = at(5) }, true},
		"a new token":  {func(s *v1alpha1.SocialAccountStatus) { s.Credentials.SecretVersion = "d" }, false},
		"a condition":  {func(s *v1alpha1.SocialAccountStatus) { s.Conditions[0].Status = "False" }, false},
		"a phase":      {func(s *v1alpha1.SocialAccountStatus) { s.Handover = &v1alpha1.Handover{Phase: "Overlap"} }, false},
		"no more held": {func(s *v1alpha1.SocialAccountStatus) { s.Credentials = nil }, false},
	} {
		next := base()
		c.change(next)
		if got := same(base(), next); got != c.same {
			t.Errorf("%s: same %v, want %v", name, got, c.same)
		}
	}
}
