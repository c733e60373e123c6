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

// Where the platform does not tell the person, the former one is known by the
// credential from before the rotation, and not by one that the rotation itself issued
// and that died before its end.
func TestWhoConsentsAgainIsNotTakenForTheFormerHolder(t *testing.T) {
	for name, c := range map[string]struct {
		current, retiring *Slot
		consents          string
		right             bool
	}{
		"the former one, at first":             {current: &Slot{Principal: "former"}, consents: "former"},
		"another, at first":                    {current: &Slot{Principal: "former"}, consents: "new", right: true},
		"the new one, whose first one died":    {current: &Slot{Principal: "new"}, retiring: &Slot{Principal: "former"}, consents: "new", right: true},
		"the former one, after the first died": {current: &Slot{Principal: "new"}, retiring: &Slot{Principal: "former"}, consents: "former"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &Facts{Fingerprint: Fingerprinter(key), Nonce: "fresh", Declared: after}
			f.Traits.PersonPrincipal = true
			v := New("uid-1")
			v.AccountID, v.Current, v.Retiring, v.Pending = "1", c.current, c.retiring, &Slot{CredID: "p", Access: "a"}
			v.Journal.Phase, v.Journal.Trigger, v.Journal.To = Verifying, TriggerAccountableChanged, after
			identified(v, &Outcome{Kind: Done, Identity: Identity{AccountID: "1", Principal: c.consents}}, f, epoch)
			if got := v.Journal.Failed == ""; got != c.right || v.Pending.VerifiedAt.IsZero() == c.right {
				t.Errorf("taken: %t, want %t", got, c.right)
			}
		})
	}
}

// A grant that could not be identified before its access token ran out is not taken for
// dead: its refresh token may live.
func TestAnExpiredAccessTokenProvesNothingOfItsGrant(t *testing.T) {
	for name, c := range map[string]struct {
		pending Slot
		want    GrantState
	}{
		"refused before its end":       {Slot{CredID: "p", Access: "a", Refresh: "r", ExpiresAt: epoch.Add(1)}, GrantDead},
		"refused after its end":        {Slot{CredID: "p", Access: "a", Refresh: "r", ExpiresAt: epoch}, GrantLive},
		"it has no refresh token":      {Slot{CredID: "p", Access: "a", ExpiresAt: epoch}, GrantDead},
		"it tells no end of its token": {Slot{CredID: "p", Access: "a", Refresh: "r"}, GrantDead},
	} {
		t.Run(name, func(t *testing.T) {
			f := &Facts{Fingerprint: Fingerprinter(key), Nonce: "fresh", Declared: after}
			v := New("uid-1")
			v.Pending = &c.pending
			v.learn(v.Pending, f, epoch)
			v.Journal.Phase = Verifying
			identified(v, &Outcome{Kind: Denied}, f, epoch)
			if got := v.Ledger[0].State; got != c.want || v.Pending != nil {
				t.Errorf("the ledger says %s, want %s; pending %v", got, c.want, v.Pending)
			}
		})
	}
}

// Where the platform says with the token that people granted too few scopes, nobody is
// asked whose it is: it might not be told for as long as the token lives.
func TestTooFewScopesAreSeenAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		scopes []string
		mode   Mode
		asked  bool
	}{
		"too few":                     {[]string{"read"}, ByConsent, false},
		"enough":                      {[]string{"read", "write", "more"}, ByConsent, true},
		"not told":                    {nil, ByConsent, true},
		"what somebody imports tells": {[]string{"read"}, ByImport, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := &Facts{Fingerprint: Fingerprinter(key), Nonce: "fresh", Declared: after}
			f.Traits.Scopes = []string{"read", "write"}
			v := New("uid-1")
			v.Pending = &Slot{CredID: "p", Access: "a", Scopes: c.scopes}
			v.Journal.Phase, v.Journal.Mode, v.Journal.To = Verifying, c.mode, after
			s := verify(v, f, epoch)
			if asked := s.Call != nil && s.Call.Kind == CallIdentify; asked != c.asked || !asked && s.Vault.Journal.Failed != FailedWrongHolder {
				t.Errorf("asked: %t, want %t", asked, c.asked)
			}
		})
	}
}
