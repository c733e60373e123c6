package conformance

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"mithaq.dev/mithaq/hack/platformsim/world"
	simyoutube "mithaq.dev/mithaq/hack/platformsim/youtube"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/platformtest"
	"mithaq.dev/mithaq/internal/platform/youtube"
)

const callback = "https://op.test/cb"

// blurred is a platform on which an account that is suspended looks like one that is
// missing.
type blurred struct{}

func (blurred) Sees(_ platform.Lookup, o platform.Outcome) platform.Outcome {
	if o == platform.Suspended {
		return platform.NotFound
	}
	return o
}

// stand is a simulator and an adapter's client on it.
type stand struct {
	world  *world.World
	clock  *clocktesting.FakeClock
	url    string
	client *platform.Client
}

var simStart = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

// at opens an adapter on a simulator of w.
func at(t *testing.T, w *world.World, clk *clocktesting.FakeClock, handler http.Handler, a platform.Adapter, app platform.Secret) *stand {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	client := platform.NewHTTPClient(platform.TransportConfig{Endpoint: srv.URL})
	t.Cleanup(client.CloseIdleConnections)
	opened, err := a.Open(platform.Config{
		Endpoint: srv.URL, Hosts: a.HostsAt(srv.URL), App: app, HTTP: client, Now: clk.Now, Usage: func(platform.Usage) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &stand{world: w, clock: clk, url: srv.URL, client: opened}
}

// consent goes to the consent page as a browser does, and returns the code.
func (s *stand) consent(t *testing.T, challenge string) platform.Token {
	t.Helper()
	address := s.client.Consent.ConsentURL(platform.ConsentRequest{RedirectURI: callback, State: "st", Challenge: challenge})
	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := browser.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	back, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || back.Query().Get("code") == "" || back.Query().Get("state") != "st" {
		t.Fatalf("the consent page answered %d, %v", resp.StatusCode, back)
	}
	return platform.Token(back.Query().Get("code"))
}

// grant is a consent turned into a grant.
func (s *stand) grant(t *testing.T, challenge string, verifier platform.Token) platform.Grant {
	t.Helper()
	g, err := s.client.Issue.Exchange(t.Context(), platform.ExchangeRequest{Code: s.consent(t, challenge), Verifier: verifier, RedirectURI: callback})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (s *stand) introspect(t *testing.T, token platform.Token) platform.Introspection {
	t.Helper()
	got, err := s.client.Introspect.Introspect(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// drain reads a stream to its end.
func (s *stand) drain(t *testing.T, stream platform.Stream, ask platform.ActivityAsk) (acts []platform.Act, cursor platform.Cursor) {
	t.Helper()
	for range 100 {
		got, err := s.client.Activity.Activity(t.Context(), stream, []platform.ActivityAsk{ask})
		if err != nil || got[0].Err != nil {
			t.Fatalf("%v, %v", err, got)
		}
		acts, ask.Cursor = append(acts, got[0].Acts...), got[0].Cursor
		if !got[0].More {
			return acts, ask.Cursor
		}
	}
	t.Fatal("the stream does not end")
	return nil, ""
}

func idsOf(acts []platform.Act) []string {
	out := make([]string, len(acts))
	for i, a := range acts {
		out[i] = a.ID
	}
	return out
}

var states = []struct {
	state   world.State
	outcome platform.Outcome
}{
	{world.Active, platform.Found}, {world.Suspended, platform.Suspended},
	{world.Deleted, platform.NotFound}, {world.Deactivated, platform.NotFound},
}

func channelID(n int) string { return fmt.Sprintf("UC%022d", n) }

func youtubeApp() platform.Secret {
	return platform.Secret{youtube.KeyAPIKey: []byte("k"), platform.KeyClientID: []byte("p"), platform.KeyClientSecret: []byte("the-client-secret")}
}

func youtubeStand(t *testing.T, options simyoutube.Options, more platform.Secret) (*stand, []platformtest.Said) {
	t.Helper()
	clk := clocktesting.NewFakeClock(simStart)
	w := world.New(clk)
	handler := simyoutube.New(w, options)
	fleet := world.Fleet{
		Apps: []world.App{{Platform: world.YouTube, APIKey: "p", APISecret: "the-client-secret", AppToken: "k", RedirectURIs: []string{callback}}},
		People: []world.Person{
			{Platform: world.YouTube, ID: "1001", Name: "Aisha", Email: "aisha@edu.test", Organisation: "edu.test"},
			{Platform: world.YouTube, ID: "1002", Name: "Badr", Email: "badr@edu.test", Organisation: "edu.test", OrganisationRole: "admin"},
		},
		Roles: []world.Role{{Platform: world.YouTube, Account: channelID(0), Person: "1001", Tasks: []string{"owner"}}},
	}
	var known []platformtest.Said
	for i := range 80 {
		s := states[i%len(states)]
		a := world.Account{
			Platform: world.YouTube, ID: channelID(i), Handle: fmt.Sprintf("Edu_%d", i), DisplayName: "قناة", Bio: "القناة الرسمية", State: s.state,
			Image: "emblem", Followers: 2_360_000, Posts: 3, CreatedAt: simStart.AddDate(-1, 0, 0),
		}
		fleet.Accounts = append(fleet.Accounts, a)
		known = append(known, platformtest.Said{Ref: platform.AccountRef{ID: a.ID, Handle: a.Handle}, Outcome: s.outcome})
	}
	if err := w.Load(fleet); err != nil {
		t.Fatal(err)
	}
	app := youtubeApp()
	for k, v := range more {
		app[k] = v
	}
	return at(t, w, clk, handler, youtube.Adapter(), app), known
}

func TestYouTubeAdapterAgainstSimulator(t *testing.T) {
	for name, options := range map[string]simyoutube.Options{
		"as documented": {}, "otherwise": {LowerCaseHandles: true, HideSubscribers: true, TruncateIDs: true, Throttle429: true},
	} {
		t.Run(name, func(t *testing.T) {
			s, known := youtubeStand(t, options, nil)
			platformtest.Run(t, platformtest.Subject{
				Adapter: youtube.Adapter(), App: youtubeApp(), Endpoint: s.url, Known: known, Sight: blurred{}, Now: s.clock.Now,
			})
		})
	}
}

func TestYouTubeActivity(t *testing.T) {
	s, _ := youtubeStand(t, simyoutube.Options{}, nil)
	for i := range 120 {
		put(t, s, world.Post{Platform: world.YouTube, Account: channelID(0), ID: fmt.Sprintf("video%06d", i), Action: world.Publish, Text: "عنوان\nhttps://edu.test", Created: simStart.Add(time.Duration(i) * time.Minute)})
	}
	s.clock.SetTime(simStart.Add(3 * time.Hour))
	ask := platform.ActivityAsk{Ref: platform.AccountRef{ID: channelID(0)}, Limit: 40}
	acts, cursor := s.drain(t, platform.StreamPosts, ask)
	if len(acts) != 120 || acts[0].ID != "video000119" || !slices.Equal(acts[0].Links, []string{"https://edu.test"}) {
		t.Fatalf("%d acts, the first is %+v", len(acts), acts[:min(1, len(acts))])
	}
	put(t, s, world.Post{Platform: world.YouTube, Account: channelID(0), ID: "videonewest", Action: world.Publish, Text: "x", Created: s.clock.Now()})
	ask.Cursor = cursor
	if acts, _ := s.drain(t, platform.StreamPosts, ask); !slices.Equal(idsOf(acts), []string{"videonewest"}) {
		t.Errorf("after the cursor: %v", idsOf(acts))
	}
	refs := []platform.PostRef{{Account: ask.Ref, ID: "videonewest"}, {Account: ask.Ref, ID: "nevermade00"}}
	got, err := s.client.Reread.Reread(t.Context(), refs)
	if err != nil || got[0].Outcome != platform.Found || got[1].Outcome != platform.NotFound {
		t.Errorf("got %+v, %v", got, err)
	}
}

func put(t *testing.T, s *stand, p world.Post) {
	t.Helper()
	if err := s.world.PutPost(p); err != nil {
		t.Fatal(err)
	}
}

func TestYouTubeGrant(t *testing.T) {
	s, _ := youtubeStand(t, simyoutube.Options{}, nil)
	s.world.Choose(world.YouTube, world.Choice{Person: "1001", Account: channelID(0)})
	g := s.grant(t, "", "")
	if !slices.Equal(g.Scopes, youtube.Adapter().Custody.Scopes) || g.Refresh == "" || !g.ExpiresAt.Equal(simStart.Add(time.Hour)) {
		t.Errorf("scopes %v, expires %s", g.Scopes, g.ExpiresAt)
	}
	who, err := s.client.Identify.Identify(t.Context(), g.Access, platform.AccountRef{})
	if err != nil || who.AccountID != channelID(0) || who.Principal != "1001" || who.Email != "aisha@edu.test" {
		t.Errorf("got %+v, %v", who, err)
	}
	if got := s.introspect(t, g.Access); got.State != platform.TokenAlive || !slices.Equal(got.Scopes, g.Scopes) || !got.ExpiresAt.Equal(g.ExpiresAt) {
		t.Errorf("got %+v", got)
	}
	next, err := s.client.Issue.Refresh(t.Context(), g)
	if err != nil || next.Access == g.Access || next.Refresh != g.Refresh {
		t.Errorf("the refresh: %v", err)
	}
	for range 2 { // a token that is dead already is a success
		if err := s.client.Revoke.Revoke(t.Context(), next, platform.RevokeGrant); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.introspect(t, g.Access); got.State != platform.TokenUnclear {
		t.Errorf("after the revocation: %+v", got)
	}
	if _, err := s.client.Issue.Refresh(t.Context(), g); platform.KindOf(err) != platform.KindUnauthorized {
		t.Errorf("the refresh after the revocation: %v", err)
	}
}

// TestYouTubeWorkspace: an administrator's grant ends what an account has open.
func TestYouTubeWorkspace(t *testing.T) {
	s, _ := youtubeStand(t, simyoutube.Options{}, platform.Secret{youtube.KeyWorkspaceToken: []byte("admin-refresh")})
	_, _, err := s.world.Mint(world.Mint{
		Platform: world.YouTube, Client: "p", Person: "1002", Kind: world.RefreshToken, Value: "admin-refresh",
		Scopes: []string{"https://www.googleapis.com/auth/admin.directory.user.security"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.world.UpdateSecurity(world.YouTube, "1001", func(sec *world.Security) {
		sec.Sessions = 2
		sec.AppPasswords = []world.AppPassword{{ID: 1, Name: "mail"}}
	}); err != nil {
		t.Fatal(err)
	}
	member := platform.Member{ID: "1001", Email: "aisha@edu.test", Kind: platform.MemberPerson, Removable: true}
	if err := s.client.Unseat.Unseat(t.Context(), "", platform.AccountRef{ID: channelID(0)}, member); err != nil {
		t.Fatal(err)
	}
	if sec := s.world.SecurityOf(world.YouTube, "1001"); sec.Sessions != 0 || len(sec.AppPasswords) != 0 {
		t.Errorf("still open: %+v", sec)
	}
	member.Email = "nobody@edu.test"
	if err := s.client.Unseat.Unseat(t.Context(), "", platform.AccountRef{ID: channelID(0)}, member); platform.KindOf(err) != platform.KindNotFound {
		t.Errorf("somebody whom the domain does not know: %v", err)
	}
}
