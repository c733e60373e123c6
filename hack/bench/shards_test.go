package main

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func TestShardsAreJudgedByWhatWasPromised(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*sharded)
		target string
		why    string
	}{
		"a replica that holds too much": {func(s *sharded) { s.Ratio = 0.41 }, "shards: biggest", "2.5% above"},
		"a server that does not divide": {func(s *sharded) { s.Gate, s.Ratio = false, 0.39 }, "shards: biggest", "did not divide; without it the ratio is 0.390"},
		"an account with another state": {func(s *sharded) { s.Different, s.SameEndState = 2, false }, "shards: accounts or counts", "2 more"},
		"other counts":                  {func(s *sharded) { s.SameEndState = false }, "shards: accounts or counts", "1 more"},
		"too late":                      {func(s *sharded) { s.Killed.SecondsUntilObservedAgain = 165 }, "shards: seconds until", "10.0% above"},
	} {
		t.Run(name, func(t *testing.T) {
			r := measured(1000)
			c.change(r.Shards)
			r.judge()
			if one := targetOf(t, r, c.target); one.Met || !strings.Contains(one.margin(), c.why) {
				t.Errorf("met %t, %s", one.Met, one.margin())
			}
		})
	}
}

func statusOf(at time.Time, message string) v1alpha1.SocialAccountStatus {
	return v1alpha1.SocialAccountStatus{
		AccountID:  "17",
		Conditions: []metav1.Condition{{Type: "Ready", Status: metav1.ConditionTrue, Message: message, LastTransitionTime: metav1.NewTime(at)}},
	}
}

func TestAnEndStateIsTheSameAtAnotherTimeAlone(t *testing.T) {
	now := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	text := func(s v1alpha1.SocialAccountStatus) string {
		t.Helper()
		raw, err := timeless(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	one := text(statusOf(now, "in order"))
	if later := text(statusOf(now.Add(time.Hour), "in order")); later != one {
		t.Errorf("an hour later: %s, and before %s", later, one)
	}
	if other := text(statusOf(now, "not in order")); other == one {
		t.Error("another message is the same state")
	}
	if !strings.Contains(one, "17") {
		t.Errorf("an id is taken for a time: %s", one)
	}
}

func TestDifferencesAreCountedOnBothSides(t *testing.T) {
	a := endState{accounts: map[string]uint64{"same": 1, "changed": 2, "gone": 3}}
	b := endState{accounts: map[string]uint64{"same": 1, "changed": 4, "new": 5}}
	if got := a.different(b); got != 3 {
		t.Errorf("got %d", got)
	}
	if got := a.different(a); got != 0 {
		t.Errorf("from itself: %d", got)
	}
}
