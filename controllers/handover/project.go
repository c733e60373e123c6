package handover

import (
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/rotation"
	"mithaq.dev/mithaq/internal/status"
)

// shown is what the status says of a vault: a projection, never a memory.
type shown struct {
	credentials *v1alpha1.CredentialStatus
	handover    *v1alpha1.Handover
	custody     []v1alpha1.Custody
	conditions  *status.Conditions
	events      []occurrence
}

// project shows a vault. It is pure.
func project(acc *v1alpha1.SocialAccount, v *rotation.Vault, f *facts, now time.Time, url func(string, platform.Token) string) shown {
	s := shown{conditions: status.Begin(acc.Status.Conditions, acc.Generation, now)}
	s.conditions.Put(healthy(v, f, now))
	s.conditions.Put(complete(v, f))
	s.credentials = credentials(v)
	s.custody = tenures(v)
	if v.Journal.Phase != rotation.Idle {
		s.handover = running(acc, v, now, url)
	}
	s.events = occurrences(acc, &s, v, f, now)
	return s
}

// as is what the status says already, conditions apart.
func as(acc *v1alpha1.SocialAccount, now time.Time) shown {
	return shown{
		conditions: status.Begin(acc.Status.Conditions, acc.Generation, now), credentials: acc.Status.Credentials,
		handover: acc.Status.Handover, custody: acc.Status.Custody,
	}
}

// broken shows that the vault cannot be opened. What the status said of it stays.
func broken(acc *v1alpha1.SocialAccount, err error, now time.Time) shown {
	s := as(acc, now)
	s.conditions.Put(v1alpha1.CredentialsSecretMalformed, "the vault in the operator's namespace: "+err.Error())
	s.conditions.Put(v1alpha1.HandoverFailed, "nothing is rotated while the vault cannot be opened")
	return s
}

// withheld shows that a right is missing. What the status said of the credential stays.
func withheld(acc *v1alpha1.SocialAccount, text string, now time.Time) shown {
	s := as(acc, now)
	if acc.Status.Credentials == nil {
		s.conditions.Put(v1alpha1.CredentialsNotYetVerified, text)
	} else {
		s.conditions.Keep(v1alpha1.ConditionCredentialsHealthy)
	}
	s.conditions.Put(v1alpha1.HandoverFailed, text)
	return s
}

// healthy decides CredentialsHealthy.
func healthy(v *rotation.Vault, f *facts, now time.Time) (v1alpha1.State, string) {
	switch {
	case f.closed != "":
		return v1alpha1.CredentialsNotYetVerified, f.closed
	case v.Current == nil && f.barred != "":
		return v1alpha1.CredentialsNotYetVerified, f.barred
	case v.Current == nil && f.inbox.malformed != "":
		return v1alpha1.CredentialsSecretMalformed, "the Secret of spec.credentials: " + f.inbox.malformed
	case v.Current == nil:
		return v1alpha1.CredentialsSecretMissing, "no credential is held yet: put one into the Secret of spec.credentials, or consent at status.handover.consentURL"
	}
	state, text := weighed(v.Journal.Health, f)
	if ends, soon := v.Expiring(&f.Facts, now); soon && !v.Journal.Health.Bad() {
		text += "; it ends at " + ends.UTC().Format(time.RFC3339) + " and only a person can renew it: consent at status.handover.consentURL"
	}
	return state, text
}

// weighed says what the last try of the credential in use showed.
func weighed(h rotation.Health, f *facts) (v1alpha1.State, string) {
	switch h {
	case rotation.HealthVerified:
		return v1alpha1.CredentialsVerified, "the platform accepted the credential for this account"
	case rotation.HealthExpired:
		return v1alpha1.CredentialsExpired, "the credential ran out"
	case rotation.HealthRevoked:
		return v1alpha1.CredentialsRevoked, "the platform no longer accepts the credential"
	case rotation.HealthWrong:
		return v1alpha1.CredentialsWrongAccount, "the credential acts for another account"
	case rotation.HealthScope:
		return v1alpha1.CredentialsInsufficientScope, fmt.Sprintf("the credential lacks one of the scopes %v", f.Traits.Scopes)
	case rotation.HealthUnavailable:
		return v1alpha1.CredentialsPlatformUnavailable, "the platform does not answer"
	case rotation.HealthUnknown:
	}
	return v1alpha1.CredentialsNotYetVerified, "the credential has not been tried yet"
}

// complete decides HandoverComplete: False from the trigger on until the rotation
// is settled with evidence.
func complete(v *rotation.Vault, f *facts) (v1alpha1.State, string) {
	j := &v.Journal
	if f.barred != "" {
		return v1alpha1.HandoverFailed, f.barred
	}
	if j.Phase == rotation.Idle {
		return atRest(v, f)
	}
	if text, failed := failures[j.Failed]; failed {
		if j.Failed == rotation.FailedGapNotAllowed || j.Failed == rotation.FailedWrongHolder {
			return v1alpha1.HandoverAwaitingHuman, text
		}
		return v1alpha1.HandoverFailed, text
	}
	switch {
	case j.Unproven:
		return v1alpha1.HandoverRevocationUnproven, "the former credential was revoked, and it is not proven that it is dead"
	case j.Phase == rotation.AwaitingConsent:
		return v1alpha1.HandoverAwaitingHuman, "awaiting the consent of " + j.To.Accountable
	case j.Phase == rotation.Unseating && openSteps(v) > 0:
		return v1alpha1.HandoverAwaitingHuman, fmt.Sprintf("%d steps that only people can do are open: status.handover.humanSteps", openSteps(v))
	}
	return v1alpha1.HandoverInProgress, "credentials are changing hands"
}

// atRest decides HandoverComplete while no rotation runs.
func atRest(v *rotation.Vault, f *facts) (v1alpha1.State, string) {
	switch {
	case v.Journal.Failed == rotation.FailedRestored:
		return v1alpha1.HandoverFailed, failures[rotation.FailedRestored]
	case v.Current == nil && v.AccountID == "" && f.AccountID == "":
		return v1alpha1.HandoverInProgress, "the first credential waits until the account was found on the platform, or spec.accountID names it"
	case v.Current == nil:
		return v1alpha1.HandoverInProgress, "the first credential is awaited"
	}
	return v1alpha1.HandoverSettled, "no handover is pending"
}

// failures say what helps.
var failures = map[rotation.Failure]string{
	rotation.FailedAppRefused:    "the platform refuses the app's credentials, or the app may not do this",
	rotation.FailedCurrentDenied: "neither the new credential nor the former one is accepted: a new consent is needed",
	rotation.FailedGapNotAllowed: "revoking the former grant would end the new one too: give the connection an alternateAppSecretRef, or set spec.credentials.allowGap",
	rotation.FailedWrongHolder:   "consent was given for another account, by another person, or for fewer scopes: consent again",
	rotation.FailedRestored:      "the vault was restored from a backup; its credential is tried before it is used",
}

func openSteps(v *rotation.Vault) int {
	n := 0
	for _, s := range v.Journal.HumanSteps {
		if !s.Closed() {
			n++
		}
	}
	return n
}

func credentials(v *rotation.Vault) *v1alpha1.CredentialStatus {
	c := v.Current
	if c == nil {
		return nil
	}
	return &v1alpha1.CredentialStatus{
		SecretVersion: c.CredID, IssuedAt: at(c.IssuedAt), ExpiresAt: at(c.ExpiresAt),
		LastVerifiedAt: at(c.VerifiedAt), RotationsTotal: ptr.To(v.Journal.Rotations),
	}
}

func at(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return ptr.To(status.Time(t))
}

func tenures(v *rotation.Vault) []v1alpha1.Custody {
	out := make([]v1alpha1.Custody, 0, len(v.Journal.Custody))
	for _, t := range v.Journal.Custody {
		out = append(out, v1alpha1.Custody{
			Unit: t.Unit, Accountable: v1alpha1.PersonName(t.Accountable), From: status.Time(t.From), Until: at(t.Until),
			Provenance: provenance(t.Evidence),
		})
	}
	return out
}

// provenance says how the end of the former holder's access is known.
func provenance(e rotation.Evidence) v1alpha1.Provenance {
	switch {
	case e.Proven():
		return v1alpha1.ProvenanceProven
	case e == rotation.EvidenceAttested:
		return v1alpha1.ProvenanceAttested
	}
	return v1alpha1.ProvenanceDeclared
}

// running shows the rotation that runs.
func running(acc *v1alpha1.SocialAccount, v *rotation.Vault, now time.Time, url func(string, platform.Token) string) *v1alpha1.Handover {
	j := &v.Journal
	h := &v1alpha1.Handover{
		ID: j.RotationID, Trigger: v1alpha1.HandoverTrigger(j.Trigger), From: v1alpha1.PersonName(j.From.Accountable),
		To: v1alpha1.PersonName(j.To.Accountable), Phase: v1alpha1.HandoverPhase(j.Phase), Since: status.Time(j.Since),
		FormerAccess: former(v), LastError: failures[j.Failed],
	}
	if j.NextAttempt.After(now) {
		h.NextAttempt = at(j.NextAttempt)
	}
	if j.Phase == rotation.AwaitingConsent && j.Nonce != "" {
		h.ConsentURL = url(string(acc.UID), j.Nonce)
	}
	for _, s := range j.HumanSteps {
		state := v1alpha1.HumanStepOpen
		switch {
		case s.Proven:
			state = v1alpha1.HumanStepProven
		case s.Attested:
			state = v1alpha1.HumanStepAttested
		}
		h.HumanSteps = append(h.HumanSteps, v1alpha1.HumanStep{Step: v1alpha1.RuleName(s.Name), State: state})
	}
	slices.SortFunc(h.HumanSteps, func(a, b v1alpha1.HumanStep) int { return cmpText(string(a.Step), string(b.Step)) })
	return h
}

func cmpText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// former says what is known of the former holder's access.
func former(v *rotation.Vault) v1alpha1.FormerAccess {
	j := &v.Journal
	switch {
	case j.Unproven:
		return v1alpha1.FormerAccessUnproven
	case j.Failed == rotation.FailedAppRefused:
		return v1alpha1.FormerAccessPresent
	case j.Phase == rotation.Revoking || j.Phase == rotation.Unseating || j.Phase == rotation.Proving:
		return v1alpha1.FormerAccessRemoving
	}
	return v1alpha1.FormerAccessPresent
}
