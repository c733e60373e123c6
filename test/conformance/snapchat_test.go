package conformance

import (
	"fmt"
	"slices"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	simsnapchat "mithaq.dev/mithaq/hack/platformsim/snapchat"
	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/platformtest"
	"mithaq.dev/mithaq/internal/platform/snapchat"
)

const ministry = "8fdeefec-f502-4ca8-9a84-6411e0a51053"

// veiled is Snapchat: an account that is suspended looks like one that is missing,
// and a search, or a failure whose reason is prose, never tells that there is none.
type veiled struct{ prose bool }

func (v veiled) Sees(by platform.Lookup, o platform.Outcome) platform.Outcome {
	switch {
	case o == platform.Found:
		return o
	case by == platform.ByHandle || v.prose:
		return platform.Unanswered
	}
	return platform.NotFound
}

func profileID(n int) string { return fmt.Sprintf("76da494b-76bc-4bbb-bb27-%012d", n) }

func snapchatApp() platform.Secret {
	return platform.Secret{
		platform.KeyClientID: []byte("the-client"), platform.KeyClientSecret: []byte("the-client-secret"),
		snapchat.KeyAccessToken: []byte("ready-access"), snapchat.KeyRefreshToken: []byte("first-refresh"),
	}
}

func snapchatStand(t *testing.T, options simsnapchat.Options, more platform.Secret, n int) (*stand, []platformtest.Said) {
	t.Helper()
	clk := clocktesting.NewFakeClock(simStart)
	w := world.New(clk)
	handler := simsnapchat.New(w, options)
	fleet := world.Fleet{
		Apps: []world.App{{Platform: world.Snapchat, APIKey: "the-client", APISecret: "the-client-secret", RedirectURIs: []string{callback}}},
		People: []world.Person{
			{Platform: world.Snapchat, ID: "boss", Name: "Boss", Email: "boss@edu.test", Organisation: ministry, OrganisationRole: "admin"},
			{Platform: world.Snapchat, ID: "guest", Name: "Guest", Email: "guest@edu.test", Organisation: ministry, OrganisationRole: "member", Pending: true},
		},
	}
	var known []platformtest.Said
	for i := range n {
		s := states[i%len(states)]
		a := world.Account{
			Platform: world.Snapchat, ID: profileID(i), Handle: fmt.Sprintf("edu.%d", i), DisplayName: "حساب", Bio: "الحساب الرسمي", State: s.state,
			Owner: ministry, Image: "emblem", Verified: i%8 == 0, Followers: 12345, Website: "https://edu.test",
		}
		fleet.Accounts = append(fleet.Accounts, a)
		known = append(known, platformtest.Said{Ref: platform.AccountRef{ID: a.ID, Handle: a.Handle}, Outcome: s.outcome})
	}
	if err := w.Load(fleet); err != nil {
		t.Fatal(err)
	}
	scopes := snapchat.Adapter().Custody.Scopes
	for value, kind := range map[string]world.TokenKind{"ready-access": world.AccessToken, "first-refresh": world.RefreshToken} {
		if _, _, err := w.Mint(world.Mint{Platform: world.Snapchat, Client: "the-client", Person: "boss", Scopes: scopes, Kind: kind, Value: value, Family: 7}); err != nil {
			t.Fatal(err)
		}
	}
	app := snapchatApp()
	for k, v := range more {
		app[k] = v
	}
	return at(t, w, clk, handler, snapchat.Adapter(), app), known
}

func TestSnapchatAdapterAgainstSimulator(t *testing.T) {
	fast := simsnapchat.Options{TokenRate: 10_000, AppRate: 10_000}
	other := fast
	other.NumericCounts, other.LowerCaseStatus, other.ListMissing, other.MaxLimit = true, true, true, 50
	prose := fast
	prose.Missing200 = true
	for name, tc := range map[string]struct {
		options simsnapchat.Options
		sight   veiled
	}{"as documented": {options: fast}, "otherwise": {options: other}, "missing with 200": {prose, veiled{prose: true}}} {
		t.Run(name, func(t *testing.T) {
			s, known := snapchatStand(t, tc.options, nil, 12)
			platformtest.Run(t, platformtest.Subject{
				Adapter: snapchat.Adapter(), App: snapchatApp(), Endpoint: s.url, Known: known, Sight: tc.sight, Now: s.clock.Now,
			})
		})
	}
}

// TestSnapchatPages: the pages of an organisation name whoever is there, at a page
// size that the platform takes, and answer lookups in a fraction of the requests.
func TestSnapchatPages(t *testing.T) {
	for name, most := range map[string]int{"100 at once": 1000, "a smaller page": 50} {
		t.Run(name, func(t *testing.T) {
			s, known := snapchatStand(t, simsnapchat.Options{MaxLimit: most}, platform.Secret{snapchat.KeyOrganizations: []byte(ministry)}, 300)
			seen := map[string]bool{}
			cursor, more := platform.Cursor(""), true
			for more {
				s.clock.Step(time.Second)
				page, err := s.client.List.List(t.Context(), cursor)
				if err != nil {
					t.Fatal(err)
				}
				for _, o := range page.Observations {
					seen[o.Ref.ID] = true
				}
				cursor, more = page.Cursor, page.More
			}
			for _, k := range known {
				if seen[k.Ref.ID] != (k.Outcome == platform.Found) {
					t.Errorf("%s is %s, listed: %v", k.Ref.ID, k.Outcome, seen[k.Ref.ID])
				}
			}
		})
	}
	s, known := snapchatStand(t, simsnapchat.Options{}, platform.Secret{snapchat.KeyOrganizations: []byte(ministry)}, 300)
	lookups := 0
	for _, k := range known {
		s.clock.Step(125 * time.Millisecond) // the rate of the app's budget: 8 a second
		if k.Outcome != platform.Found {
			continue
		}
		lookups++
		got, err := s.client.Observe.Observe(t.Context(), platform.ByID, []platform.AccountRef{k.Ref})
		if err != nil || got[0].Outcome != platform.Found {
			t.Fatalf("%s: %+v, %v", k.Ref.ID, got, err)
		}
	}
	sent := int64(0)
	for _, l := range s.world.Ledger().Requests {
		sent += int64(l.Count)
	}
	t.Logf("%d lookups in %d requests", lookups, sent)
	if sent >= int64(lookups) {
		t.Errorf("%d requests for %d lookups", sent, lookups)
	}
}

// TestSnapchatAppGrant: the app's grant goes on when its access token ends, and the
// refresh token in the Secret is spent once.
func TestSnapchatAppGrant(t *testing.T) {
	s, known := snapchatStand(t, simsnapchat.Options{}, platform.Secret{snapchat.KeyAccessToken: nil}, 4)
	for range 5 {
		got, err := s.client.Observe.Observe(t.Context(), platform.ByID, []platform.AccountRef{known[0].Ref})
		if err != nil || got[0].Outcome != platform.Found {
			t.Fatalf("%+v, %v", got, err)
		}
		s.clock.Step(time.Hour)
	}
}

func TestSnapchatGrantAndPeople(t *testing.T) {
	s, _ := snapchatStand(t, simsnapchat.Options{}, nil, 1)
	s.world.Choose(world.Snapchat, world.Choice{Person: "boss", Account: profileID(0)})
	g := s.grant(t, "", "")
	if !slices.Equal(g.Scopes, snapchat.Adapter().Custody.Scopes) || g.Refresh == "" {
		t.Errorf("scopes %v", g.Scopes)
	}
	who, err := s.client.Identify.Identify(t.Context(), g.Access, platform.AccountRef{})
	if err != nil || who.AccountID != profileID(0) || who.Principal != "boss" || who.Email != "boss@edu.test" {
		t.Errorf("got %+v, %v", who, err)
	}
	people, err := s.client.People.People(t.Context(), g.Access, platform.AccountRef{ID: profileID(0)})
	if err != nil || len(people) != 2 || people[0].ID != "boss" || len(people[0].Roles) == 0 || !people[1].Pending {
		t.Errorf("got %+v, %v", people, err)
	}
	s.clock.Step(time.Second)
	next, err := s.client.Issue.Refresh(t.Context(), g)
	if err != nil || next.Refresh == g.Refresh {
		t.Fatalf("the refresh: %v", err)
	}
	if _, err := s.client.Issue.Refresh(t.Context(), g); platform.KindOf(err) != platform.KindUnauthorized {
		t.Errorf("a refresh token that is spent: %v", err)
	}
	if got := s.introspect(t, next.Access); got.State != platform.TokenAlive || got.Principal != "boss" {
		t.Errorf("got %+v", got)
	}
	if err := s.client.Revoke.Revoke(t.Context(), next, platform.RevokeGrant); err != nil {
		t.Fatal(err)
	}
	if got := s.introspect(t, next.Access); got.State != platform.TokenUnclear {
		t.Errorf("after the revocation: %+v", got)
	}
}

func TestSnapchatSpotlights(t *testing.T) {
	s, _ := snapchatStand(t, simsnapchat.Options{}, nil, 1)
	for i := range 25 {
		put(t, s, world.Post{Platform: world.Snapchat, Account: profileID(0), ID: fmt.Sprintf("spot-%03d", i), Action: world.Publish, Text: "عنوان", Created: simStart.Add(time.Duration(i) * time.Minute)})
	}
	s.clock.SetTime(simStart.Add(time.Hour))
	ask := platform.ActivityAsk{Ref: platform.AccountRef{ID: profileID(0)}, Limit: 7}
	acts, cursor := s.drain(t, platform.StreamPosts, ask)
	if len(acts) != 25 || acts[0].ID != "spot-024" || acts[0].Text == "" {
		t.Fatalf("%d acts: %v", len(acts), idsOf(acts))
	}
	ask.Cursor = cursor
	if acts, _ := s.drain(t, platform.StreamPosts, ask); len(acts) != 0 {
		t.Errorf("told again: %v", idsOf(acts))
	}
}
