package e2e

import (
	"context"
	"syscall"
	"testing"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// A refresh token that is good for one use outlives a kill: what it was spent for is in
// the operator's own Secret and goes on from there, while the app Secret still holds the
// spent one.
func TestASpentGrantOutlivesAKill(t *testing.T) {
	s := newSceneOn(t, world.Snapchat)
	acc := s.healthy(t, "fine")[0]
	s.observed(t, "True/Fresh")
	if first, ok := s.world.Token(world.Snapchat, token); !ok || first.Cause != world.CauseUsed {
		t.Fatalf("the token of the app Secret is %+v, %t", first, ok)
	}
	shared.operator.restart(t, syscall.SIGKILL)
	s.seenAs(t, acc, "after the kill")

	// The access token ends, so that the refresh token of the stored pair is needed.
	ended, err := s.world.EndGrants(world.Snapchat, world.TokenQuery{Kind: world.AccessToken, Alive: true}, world.CauseExpired)
	if err != nil || ended != 1 {
		t.Fatalf("%d access tokens worked: %v", ended, err)
	}
	s.seenAs(t, acc, "after its access token ended")
	uses := 0
	for _, held := range s.world.Tokens(world.Snapchat, world.TokenQuery{Kind: world.RefreshToken}) {
		uses += held.Uses
		if held.Uses > 1 {
			t.Errorf("a refresh token was used %d times", held.Uses)
		}
	}
	if uses != 2 {
		t.Errorf("refresh tokens were used %d times, want once at the start and once for the end", uses)
	}
}

// seenAs changes an account's display name on the platform and waits until it shows.
func (s *scene) seenAs(t *testing.T, acc *v1alpha1.SocialAccount, name string) {
	t.Helper()
	s.change(t, acc.Name, func(a *world.Account) { a.DisplayName = name })
	until(t, func(context.Context) (string, error) {
		if p := read(t, acc).Status.Profile; p == nil || p.DisplayName != name {
			return "the profile is " + show(p), nil
		}
		return "", nil
	})
}
