package conformance

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"mithaq.dev/mithaq/hack/platformsim/world"
	simx "mithaq.dev/mithaq/hack/platformsim/x"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/x"
)

func xStand(t *testing.T, options simx.Options) *stand {
	t.Helper()
	clk := clocktesting.NewFakeClock(simStart)
	w := world.New(clk)
	handler := simx.New(w, options)
	fleet := world.Fleet{Apps: []world.App{{Platform: world.X, APIKey: "the-client", APISecret: "the-client-secret", AppToken: "the-bearer", RedirectURIs: []string{callback}}}}
	for i := range 30 {
		fleet.Accounts = append(fleet.Accounts, world.Account{Platform: world.X, ID: fmt.Sprint(1000 + i), Handle: fmt.Sprintf("edu_%d", i), DisplayName: "تعليم"})
	}
	if err := w.Load(fleet); err != nil {
		t.Fatal(err)
	}
	return at(t, w, clk, handler, x.Adapter(), platform.Secret{
		x.KeyAppToken: []byte("the-bearer"), platform.KeyClientID: []byte("the-client"), platform.KeyClientSecret: []byte("the-client-secret"),
	})
}

func TestXActivity(t *testing.T) {
	for _, spelling := range []simx.Spelling{"tweet", "mixed"} {
		t.Run(string(spelling), func(t *testing.T) {
			s := xStand(t, simx.Options{Spelling: spelling})
			for i := range 130 {
				p := world.Post{Platform: world.X, Account: "1000", ID: fmt.Sprint(5_000_000 + i), Action: world.Publish, Text: "إعلان", Created: simStart.Add(time.Duration(i) * time.Second), Links: []string{"https://edu.example/a"}}
				switch i % 10 {
				case 1:
					p.Action, p.Target = world.Reply, "4999999"
				case 2:
					p.Action, p.Target = world.Repost, "4999999"
				}
				if i == 0 {
					put(t, s, world.Post{Platform: world.X, Account: "1001", ID: "4999999", Action: world.Publish, Text: "other", Created: simStart})
				}
				put(t, s, p)
			}
			s.clock.Step(time.Hour)
			ref := platform.AccountRef{ID: "1000", Handle: "edu_0"}
			ask := platform.ActivityAsk{Ref: ref, Limit: 60}
			acts, cursor := s.drain(t, platform.StreamPosts, ask)
			if len(acts) != 130 || acts[0].ID != "5000129" {
				t.Fatalf("%d acts", len(acts))
			}
			for i, a := range slices.Backward(acts) {
				want := map[int]platform.Action{1: platform.Reply, 2: platform.Repost}[(129-i)%10]
				if want == "" {
					want = platform.Publish
				}
				if a.Action != want || want == platform.Reply && a.Target.ID != "1001" || want == platform.Publish && !slices.Equal(a.Links, []string{"https://edu.example/a"}) {
					t.Fatalf("act %s is %+v, want %s", a.ID, a, want)
				}
			}
			put(t, s, world.Post{Platform: world.X, Account: "1000", ID: "5000500", Action: world.Publish, Text: "new", Created: s.clock.Now()})
			ask.Cursor = cursor
			if acts, _ := s.drain(t, platform.StreamPosts, ask); !slices.Equal(idsOf(acts), []string{"5000500"}) {
				t.Errorf("after the cursor: %v", idsOf(acts))
			}
			got, err := s.client.Reread.Reread(t.Context(), []platform.PostRef{{Account: ref, ID: "5000500"}, {Account: ref, ID: "7"}, {Account: ref, ID: "4999999"}})
			if err != nil || got[0].Outcome != platform.Found || got[1].Outcome != platform.NotFound || got[2].Outcome != platform.Unanswered {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestXFollowsAndLikes(t *testing.T) {
	s := xStand(t, simx.Options{})
	for i := range 25 {
		put(t, s, world.Post{Platform: world.X, Account: "1000", ID: fmt.Sprint(6_000_000 + i), Action: world.Follow, Target: fmt.Sprint(1001 + i), Created: simStart})
		put(t, s, world.Post{Platform: world.X, Account: fmt.Sprint(1001 + i), ID: fmt.Sprint(7_000_000 + i), Action: world.Publish, Text: "liked", Created: simStart})
		put(t, s, world.Post{Platform: world.X, Account: "1000", ID: fmt.Sprint(8_000_000 + i), Action: world.Like, Target: fmt.Sprint(7_000_000 + i), Created: simStart.Add(time.Duration(i) * time.Second)})
	}
	s.clock.Step(time.Hour)
	ask := platform.ActivityAsk{Ref: platform.AccountRef{ID: "1000"}, Limit: 10}
	acts, cursor := s.drain(t, platform.StreamFollows, ask)
	slices.SortFunc(acts, func(a, b platform.Act) int { return int(a.At.Sub(b.At)) })
	if len(acts) != 25 || cursor != "" || acts[0].Target.Handle == "" {
		t.Errorf("%d follows, cursor %q", len(acts), cursor)
	}
	s.world.Choose(world.X, world.Choice{Account: "1000"})
	sum := sha256.Sum256([]byte(verifier))
	g := s.grant(t, base64.RawURLEncoding.EncodeToString(sum[:]), verifier)
	ask.Token = g.Access
	acts, cursor = s.drain(t, platform.StreamLikes, ask)
	if len(acts) != 25 || acts[0].Target.ID == "" {
		t.Fatalf("%d likes: %v", len(acts), idsOf(acts))
	}
	ask.Cursor = cursor
	if acts, _ := s.drain(t, platform.StreamLikes, ask); len(acts) != 0 {
		t.Errorf("told again: %v", idsOf(acts))
	}
}

const verifier = "a-verifier-of-at-least-forty-three-characters-1234"

func TestXGrant(t *testing.T) {
	s := xStand(t, simx.Options{})
	s.world.Choose(world.X, world.Choice{Account: "1003"})
	sum := sha256.Sum256([]byte(verifier))
	g := s.grant(t, base64.RawURLEncoding.EncodeToString(sum[:]), verifier)
	if !slices.Equal(g.Scopes, x.Adapter().Custody.Scopes) || !g.ExpiresAt.Equal(simStart.Add(2*time.Hour)) {
		t.Errorf("scopes %v, expires %s", g.Scopes, g.ExpiresAt)
	}
	who, err := s.client.Identify.Identify(t.Context(), g.Access, platform.AccountRef{})
	if err != nil || who.AccountID != "1003" || who.Principal != "1003" || who.Handle != "edu_3" {
		t.Errorf("got %+v, %v", who, err)
	}
	next, err := s.client.Issue.Refresh(t.Context(), g)
	if err != nil || next.Refresh == g.Refresh || next.Access == g.Access {
		t.Fatalf("the refresh: %v", err)
	}
	if _, err := s.client.Issue.Refresh(t.Context(), g); platform.KindOf(err) != platform.KindUnauthorized {
		t.Errorf("a refresh token that is spent: %v", err)
	}
	for _, part := range []platform.RevokePart{platform.RevokeGrant, platform.RevokeAccess} {
		for range 2 {
			if err := s.client.Revoke.Revoke(t.Context(), next, part); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := s.introspect(t, next.Access); got.State != platform.TokenUnclear {
		t.Errorf("after the revocation: %+v", got)
	}
	if _, err := s.client.Issue.Refresh(t.Context(), next); platform.KindOf(err) != platform.KindUnauthorized {
		t.Errorf("the refresh after the revocation: %v", err)
	}
}
