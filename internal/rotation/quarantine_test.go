package rotation

import (
	"slices"
	"testing"
)

// A consent for another account leaves no token of it alive.
func TestAWrongConsentIsRevokedWholly(t *testing.T) {
	for name, c := range map[string]struct {
		pending *Slot
		current *Slot
		want    []OpName
	}{
		"nothing in use":                  {&Slot{CredID: "p", Access: "a", Refresh: "r"}, nil, []OpName{OpQuarantine, OpQuarantineAccess}},
		"no refresh token":                {&Slot{CredID: "p", Access: "a"}, nil, []OpName{OpQuarantine}},
		"another app's is in use":         {&Slot{CredID: "p", Access: "a", Refresh: "r", Client: Alternate}, &Slot{CredID: "c", Access: "b", Client: Primary}, []OpName{OpQuarantine, OpQuarantineAccess}},
		"it would end the one in use too": {&Slot{CredID: "p", Access: "a", Refresh: "r", Client: Primary}, &Slot{CredID: "c", Access: "b", Client: Primary}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := &Facts{Fingerprint: Fingerprinter(key), Nonce: "fresh", Declared: after}
			v := New("uid-1")
			v.Pending, v.Current = c.pending, c.current
			v.Journal.Phase, v.Journal.Failed, v.Journal.Trigger, v.Journal.To = Verifying, FailedWrongHolder, TriggerFirst, after
			// What an earlier revocation of another slot left behind does not count.
			v.Journal.RevokedGrant = true
			var sent []OpName
			for range 4 {
				s := verify(v, f, epoch)
				if v = s.Vault; s.Call == nil {
					break
				}
				sent = append(sent, s.Call.Op.Name)
				v = Record(v, s.Call, &Outcome{Kind: Done}, f, epoch)
			}
			if !slices.Equal(sent, c.want) {
				t.Errorf("sent %v, want %v", sent, c.want)
			}
			if v.Pending != nil || v.Journal.Phase != AwaitingConsent || v.Journal.RevokedGrant || v.Journal.RevokedAccess {
				t.Errorf("left %+v in %s", v.Pending, v.Journal.Phase)
			}
		})
	}
}
