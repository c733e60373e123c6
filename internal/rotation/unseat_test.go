package rotation

import (
	"testing"
	"time"
)

// leaving is a vault whose rotation takes the former holder's access away.
func leaving(now time.Time) *Vault {
	v := New("uid")
	v.Current = &Slot{CredID: "new", Access: "access"}
	v.Journal.Trigger, v.Journal.RotationID = TriggerAccountableChanged, "r"
	v.Journal.From, v.Journal.To = Custodian{Accountable: "old@edu.example"}, Custodian{Accountable: "new@edu.example"}
	v.enter(Unseating, now)
	return v
}

var unseatNow = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// step performs one step of unseating, with the answer to whatever it asks.
func (v *Vault) unseatStep(t *testing.T, f *Facts, o *Outcome, now time.Time) (*Vault, Step) {
	t.Helper()
	s := Next(v, f, now)
	if s.Vault != nil {
		v = s.Vault
	}
	if s.Call != nil {
		v = Record(v, s.Call, o, f, now)
	}
	return v, s
}

func states(v *Vault) map[string]string {
	out := map[string]string{}
	for _, s := range v.Journal.HumanSteps {
		switch {
		case s.Proven:
			out[s.Name] = "Proven"
		case s.Attested:
			out[s.Name] = "Attested"
		default:
			out[s.Name] = "Open"
		}
	}
	return out
}

// Where the platform shows who has access, a word against its list counts nothing, and
// the list closes the step by itself.
func TestTheListHasTheLastWord(t *testing.T) {
	now := unseatNow
	f := &Facts{Traits: Traits{ListsPeople: true, HumanSteps: []string{"change-password"}}, Attested: map[string]time.Time{}}
	there := &Outcome{Kind: Done, Members: []Member{{ID: "1", Email: "Old@edu.example"}, {ID: "2", Email: "new@edu.example"}}}
	gone := &Outcome{Kind: Done, Members: there.Members[1:]}
	v, s := leaving(now).unseatStep(t, f, there, now)
	if s.Call == nil || s.Call.Kind != CallPeople {
		t.Fatalf("the list is not read first: %+v", s)
	}
	v, s = v.unseatStep(t, f, nil, now)
	if got := states(v); got[stepRemove] != "Open" || got["change-password"] != "Open" || len(got) != 2 {
		t.Fatalf("steps %v", got)
	}
	if !s.At.Equal(now.Add(relistAfter)) {
		t.Errorf("the list is read again at %s", s.At)
	}

	now = now.Add(time.Minute)
	f.Attested[stepRemove], f.Attested["change-password"] = now, now
	v, _ = v.unseatStep(t, f, nil, now)
	v, s = v.unseatStep(t, f, there, now)
	if s.Call == nil || s.Call.Kind != CallPeople || states(v)[stepRemove] != "Open" || states(v)["change-password"] != "Attested" {
		t.Fatalf("a word against the list: %+v, steps %v", s.Call, states(v))
	}
	if v, _ = v.unseatStep(t, f, nil, now); v.Journal.Phase != Unseating {
		t.Fatalf("phase %s while the list names the former holder", v.Journal.Phase)
	}

	now = now.Add(relistAfter)
	v, s = v.unseatStep(t, f, gone, now)
	if s.Call == nil || states(v)[stepRemove] != "Proven" {
		t.Fatalf("the list without the former holder: %+v, steps %v", s.Call, states(v))
	}
	if v, _ = v.unseatStep(t, f, nil, now); v.Journal.Phase != Proving {
		t.Errorf("phase %s", v.Journal.Phase)
	}
}

// A list that we may not see leaves the step to people, and their word.
func TestAListThatIsHiddenLeavesTheStepToPeople(t *testing.T) {
	now := unseatNow
	f := &Facts{Traits: Traits{ListsPeople: true}, Attested: map[string]time.Time{}}
	hidden := &Outcome{Kind: Misconfigured}
	v, _ := leaving(now).unseatStep(t, f, hidden, now)
	v, _ = v.unseatStep(t, f, nil, now)
	if states(v)[stepRemove] != "Open" {
		t.Fatalf("steps %v", states(v))
	}
	f.Attested[stepRemove] = now
	v, _ = v.unseatStep(t, f, nil, now)
	v, _ = v.unseatStep(t, f, hidden, now)
	v, _ = v.unseatStep(t, f, nil, now)
	if v.Journal.Phase != Proving || states(v)[stepRemove] != "Attested" {
		t.Errorf("phase %s, steps %v", v.Journal.Phase, states(v))
	}
}

// A removal that the list does not bear out is asked for once, then of people.
func TestARemovalThatTheListDoesNotShowIsNotRepeated(t *testing.T) {
	now := unseatNow
	f := &Facts{Traits: Traits{ListsPeople: true, RemovesPeople: true}}
	there := &Outcome{Kind: Done, Members: []Member{{ID: "1", Email: "old@edu.example", Removable: true}}}
	v, sent := leaving(now), 0
	for range 8 {
		s := Next(v, f, now)
		if s.Vault != nil {
			v = s.Vault
		}
		if s.Call == nil {
			continue
		}
		if s.Call.Kind == CallMutate {
			sent++
		}
		v = Record(v, s.Call, there, f, now)
	}
	if sent != 1 || states(v)[stepRemove] != "Open" || v.Journal.Phase != Unseating {
		t.Errorf("%d removals, steps %v, phase %s", sent, states(v), v.Journal.Phase)
	}
}

// Where nobody is listed, whoever leaves is removed by address; what that does is asked
// of people only if the platform does not know the address.
func TestWhoeverLeavesIsRemovedByAddress(t *testing.T) {
	for name, c := range map[string]struct {
		answer OutcomeKind
		want   map[string]string
	}{
		"removed":     {Done, map[string]string{"change-password": "Open"}},
		"not ours":    {Denied, map[string]string{"change-password": "Open", "end-sessions": "Open"}},
		"not allowed": {Misconfigured, map[string]string{"change-password": "Open", "end-sessions": "Open"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &Facts{Traits: Traits{RemovesPeople: true, HumanSteps: []string{"change-password", "end-sessions"}, UnseatDoes: []string{"end-sessions"}}}
			v, s := leaving(unseatNow).unseatStep(t, f, &Outcome{Kind: c.answer}, unseatNow)
			if s.Call == nil || s.Call.Op == nil || s.Call.Op.Subject != "old@edu.example" {
				t.Fatalf("call %+v", s.Call)
			}
			v, s = v.unseatStep(t, f, nil, unseatNow)
			if s.Call != nil {
				t.Errorf("it is sent again: %+v", s.Call)
			}
			if got := states(v); len(got) != len(c.want) || got["change-password"] != "Open" || got["end-sessions"] != c.want["end-sessions"] {
				t.Errorf("steps %v, want %v", got, c.want)
			}
		})
	}
}

// A pending grant that was overtaken is revoked, if that cannot end the one in use.
func TestAnOvertakenGrantIsRevoked(t *testing.T) {
	for name, c := range map[string]struct {
		client App
		sent   int
		state  GrantState
	}{
		"of the other app": {Alternate, 1, GrantUnknown},
		"of the same app":  {Primary, 0, GrantLive},
	} {
		t.Run(name, func(t *testing.T) {
			f := &Facts{
				AccountID: "42", Declared: Custodian{Accountable: "third@edu.example"}, Rules: Rules{OnAccountable: true},
				Fingerprint: Fingerprinter([]byte("key")),
			}
			v := New("uid")
			v.AccountID = "42"
			v.Current = &Slot{CredID: "old", Client: Primary, Access: "a"}
			v.Pending = &Slot{CredID: "pending", Client: c.client, Access: "b"}
			v.Ledger = []Entry{{CredID: "old", State: GrantLive}, {CredID: "pending", State: GrantLive}}
			v.Journal.Trigger, v.Journal.To = TriggerAccountableChanged, Custodian{Accountable: "second@edu.example"}
			v.Journal.RotationID = "overtaken"
			v.enter(Verifying, unseatNow)
			sent := 0
			for range 4 {
				s := Next(v, f, unseatNow)
				if s.Vault != nil {
					v = s.Vault
				}
				if s.Call != nil {
					sent++
					v = Record(v, s.Call, &Outcome{Kind: Done}, f, unseatNow)
				}
			}
			if sent != c.sent || v.Pending != nil || v.Ledger[1].State != c.state || v.Journal.To.Accountable != "third@edu.example" {
				t.Errorf("%d sent, pending %v, ledger %s, for %s", sent, v.Pending != nil, v.Ledger[1].State, v.Journal.To.Accountable)
			}
		})
	}
}
