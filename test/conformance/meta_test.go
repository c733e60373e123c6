package conformance

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/utils/clock"

	"mithaq.dev/mithaq/hack/platformsim/meta"
	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/facebook"
	"mithaq.dev/mithaq/internal/platform/graph"
	"mithaq.dev/mithaq/internal/platform/instagram"
	"mithaq.dev/mithaq/internal/platform/platformtest"
)

const (
	metaReader = "900"
	metaPress  = "901"
	metaClerk  = "902"
	metaBack   = "https://op/cb"
)

// metaFirst are the ids of the first accounts: the node of an id is of one type.
var metaFirst = map[platform.Name]int{platform.Facebook: 20531316000, platform.Instagram: 17841405822304000}

// metaAccount is the id of an account that is there.
func metaAccount(p platform.Name) string { return fmt.Sprint(metaFirst[p] + 1) }

// metaWorld is a portfolio with a system user, a person who consents, a clerk, and
// 70 accounts on each platform of which every fifth is deleted.
type metaWorld struct {
	*world.World
	url   string
	known map[platform.Name][]platformtest.Said
}

func simulateMeta(t *testing.T, opts meta.Options) metaWorld {
	t.Helper()
	w := world.New(clock.RealClock{})
	handler := meta.New(w, opts)
	scopes := func(a platform.Adapter) []string { return a.Custody.Scopes }
	all := slices.Concat(scopes(facebook.Adapter()), scopes(instagram.Adapter()))
	f := world.Fleet{
		Apps: []world.App{
			{Platform: world.Facebook, APIKey: "1000", APISecret: "hush", RedirectURIs: []string{metaBack}, Name: "Mithaq"},
			{Platform: world.Instagram, APIKey: "2000", APISecret: "ighush", RedirectURIs: []string{metaBack}},
		},
		Tokens: []world.Mint{{Platform: world.Facebook, Client: "1000", Person: metaReader, Value: "EAAsys", Scopes: all}},
	}
	handles := map[world.Platform]func(int) string{
		world.Facebook:  func(i int) string { return fmt.Sprintf("Edu.%d", i) },
		world.Instagram: func(i int) string { return fmt.Sprintf("edu_%d", i) },
	}
	on := true
	m := metaWorld{World: w, known: map[platform.Name][]platformtest.Said{}}
	for _, p := range []world.Platform{world.Facebook, world.Instagram} {
		f.People = append(f.People,
			world.Person{Platform: p, ID: metaReader, Name: "Reader", Kind: world.System, Organisation: "700", OrganisationRole: "ADMIN"},
			world.Person{Platform: p, ID: metaPress, Name: "Press", Email: "press@example.gov", Organisation: "700", OrganisationRole: "ADMIN", TwoFactor: &on},
			world.Person{Platform: p, ID: metaClerk, Name: "Clerk", Organisation: "700", OrganisationRole: "EMPLOYEE"},
		)
		for _, person := range []string{metaReader, metaPress, metaClerk} {
			f.Roles = append(f.Roles, world.Role{Platform: p, Account: world.AllAccounts, Person: person, Tasks: []string{"MANAGE"}})
		}
		for i := range 70 {
			a := world.Account{
				Platform: p, ID: fmt.Sprint(metaFirst[platform.Name(p)] + i), Handle: handles[p](i), DisplayName: "إدارة التعليم", Bio: "الحساب الرسمي",
				Website: "https://edu.example", Image: "emblem", Followers: int64(i), Owner: "700", State: "Active",
			}
			outcome := platform.Found
			if i%5 == 4 {
				a.State, outcome = "Deleted", platform.NotFound
			}
			f.Accounts = append(f.Accounts, a)
			m.known[platform.Name(p)] = append(m.known[platform.Name(p)], platformtest.Said{
				Ref: platform.AccountRef{ID: a.ID, Handle: a.Handle}, Outcome: outcome,
			})
		}
	}
	if err := w.Load(f); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	m.url = server.URL
	return m
}

func metaApp() platform.Secret {
	return platform.Secret{
		platform.KeyClientID: []byte("1000"), platform.KeyClientSecret: []byte("hush"), graph.KeySystemUserToken: []byte("EAAsys"),
		graph.KeySystemUserID: []byte(metaReader), graph.KeyBusinessID: []byte("700"), graph.KeyIGUserID: []byte(metaAccount(platform.Instagram)),
	}
}

// metaSight: by id, missing and hidden are one.
type metaSight struct{}

func (metaSight) Sees(by platform.Lookup, o platform.Outcome) platform.Outcome {
	switch {
	case o == platform.Found:
		return o
	case by == platform.ByHandle:
		return platform.NotFound
	}
	return platform.Unanswered
}

func TestMetaAdaptersAgainstSimulator(t *testing.T) {
	for name, opts := range map[string]meta.Options{
		"as documented":      {},
		"proof required":     {RequireProof: true},
		"errors with 200":    {ErrorsWith200: true},
		"no website":         {NoIGWebsite: true},
		"discovery is scant": {DiscoveryHides: true},
	} {
		for _, adapter := range []platform.Adapter{facebook.Adapter(), instagram.Adapter()} {
			t.Run(name+"/"+string(adapter.Name), func(t *testing.T) {
				opts.Engaged, opts.DailyUsers = 1000, 1_000_000
				m := simulateMeta(t, opts)
				platformtest.Run(t, platformtest.Subject{
					Adapter: adapter, App: metaApp(), Endpoint: m.url, Known: m.known[adapter.Name], Sight: metaSight{}, Now: time.Now,
				})
			})
		}
	}
}

func (m metaWorld) open(t *testing.T, a platform.Adapter, app platform.Secret) *platform.Client {
	t.Helper()
	client := platform.NewHTTPClient(platform.TransportConfig{Endpoint: m.url})
	t.Cleanup(client.CloseIdleConnections)
	c, err := a.Open(platform.Config{
		Endpoint: m.url, Hosts: a.HostsAt(m.url), App: app, HTTP: client, Now: time.Now, Usage: func(platform.Usage) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// consent follows the address as a person would, and returns the code.
func (m metaWorld) consent(t *testing.T, c *platform.Client, p world.Platform, choice world.Choice) platform.Token {
	t.Helper()
	m.Choose(p, choice)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.Consent.ConsentURL(platform.ConsentRequest{RedirectURI: metaBack, State: "s"}), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := browser.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	back, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || back.Query().Get("code") == "" || back.Query().Get("state") != "s" {
		t.Fatalf("HTTP %d, back to %q: %v", resp.StatusCode, back, err)
	}
	return platform.Token(back.Query().Get("code"))
}

// state is what introspection says.
func state(ctx context.Context, t *testing.T, c *platform.Client, token platform.Token) platform.Liveness {
	t.Helper()
	got, err := c.Introspect.Introspect(ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	return got.State
}

// A person consents, the code works once, the Page's token names its Page, and a
// revocation takes the person's token and the Page's with it.
func TestFacebookGrantOfAPerson(t *testing.T) {
	m := simulateMeta(t, meta.Options{RequireProof: true})
	c := m.open(t, facebook.Adapter(), metaApp())
	code := m.consent(t, c, world.Facebook, world.Choice{Person: metaPress})
	req := platform.ExchangeRequest{Code: code, RedirectURI: metaBack, Ref: platform.AccountRef{ID: metaAccount(platform.Facebook)}}
	g, err := c.Issue.Exchange(t.Context(), req)
	if err != nil || g.Refresh == "" || !g.ExpiresAt.IsZero() {
		t.Fatalf("exchange: refresh %v, expires %v, %v", g.Refresh != "", g.ExpiresAt, err)
	}
	if _, err := c.Issue.Exchange(t.Context(), req); platform.KindOf(err) != platform.KindUnauthorized {
		t.Errorf("the code again: %v", err)
	}
	id, err := c.Identify.Identify(t.Context(), g.Access, req.Ref)
	if err != nil || id.AccountID != metaAccount(platform.Facebook) || id.Principal != metaPress {
		t.Errorf("identity %+v, %v", id, err)
	}
	if next, err := c.Issue.Refresh(t.Context(), g); err != nil || next.Refresh == "" || state(t.Context(), t, c, next.Refresh) != platform.TokenAlive {
		t.Errorf("refresh: %v", err)
	}
	if err := c.Revoke.Revoke(t.Context(), g, platform.RevokeGrant); err != nil {
		t.Fatal(err)
	}
	if err := c.Revoke.Revoke(t.Context(), g, platform.RevokeGrant); err != nil {
		t.Errorf("once more: %v", err)
	}
	for what, token := range map[string]platform.Token{"person's": g.Refresh, "Page's": g.Access} {
		if got := state(t.Context(), t, c, token); got != platform.TokenDead {
			t.Errorf("the %s token is %s", what, got)
		}
	}
}

// A minted token is the system user's, and its revocation ends it alone.
func TestMetaMintedToken(t *testing.T) {
	for _, a := range []platform.Adapter{facebook.Adapter(), instagram.Adapter()} {
		t.Run(string(a.Name), func(t *testing.T) {
			m := simulateMeta(t, meta.Options{})
			c := m.open(t, a, metaApp())
			ref := platform.AccountRef{ID: metaAccount(a.Name)}
			g, err := c.Issue.Mint(t.Context(), ref)
			if err != nil {
				t.Fatal(err)
			}
			id, err := c.Identify.Identify(t.Context(), g.Access, ref)
			if err != nil || id.AccountID != metaAccount(a.Name) || id.Principal != metaReader {
				t.Errorf("identity %+v, %v", id, err)
			}
			if err := c.Revoke.Revoke(t.Context(), g, platform.RevokeGrant); err != nil {
				t.Fatal(err)
			}
			if got := state(t.Context(), t, c, g.Access); got != platform.TokenDead {
				t.Errorf("the token is %s", got)
			}
			if got := state(t.Context(), t, c, "EAAsys"); got != platform.TokenAlive {
				t.Errorf("the sweep's token is %s", got)
			}
		})
	}
}

// Who has access is listed, and removed.
func TestMetaPeople(t *testing.T) {
	for _, a := range []platform.Adapter{facebook.Adapter(), instagram.Adapter()} {
		t.Run(string(a.Name), func(t *testing.T) {
			m := simulateMeta(t, meta.Options{})
			c := m.open(t, a, metaApp())
			ref := platform.AccountRef{ID: metaAccount(a.Name)}
			token := platform.Token("EAAsys")
			if a.Name == platform.Facebook {
				code := m.consent(t, c, world.Facebook, world.Choice{Person: metaPress})
				g, err := c.Issue.Exchange(t.Context(), platform.ExchangeRequest{Code: code, RedirectURI: metaBack, Ref: ref})
				if err != nil {
					t.Fatal(err)
				}
				token = g.Access
			}
			members, err := c.People.People(t.Context(), token, ref)
			if err != nil {
				t.Fatal(err)
			}
			find := func(id string) (platform.Member, bool) {
				i := slices.IndexFunc(members, func(m platform.Member) bool { return m.ID == id })
				if i < 0 {
					return platform.Member{}, false
				}
				return members[i], true
			}
			press, _ := find(metaPress)
			reader, _ := find(metaReader)
			clerk, there := find(metaClerk)
			if press.TwoFactor == nil || !*press.TwoFactor || press.Email != "press@example.gov" || reader.Kind != platform.MemberSystem || !there || clerk.TwoFactor != nil {
				t.Errorf("members %+v", members)
			}
			if err := c.Unseat.Unseat(t.Context(), token, ref, clerk); err != nil {
				t.Fatal(err)
			}
			if err := c.Unseat.Unseat(t.Context(), token, ref, clerk); err != nil {
				t.Errorf("who is not there: %v", err)
			}
			if members, err = c.People.People(t.Context(), token, ref); err != nil {
				t.Fatal(err)
			}
			if _, there := find(metaClerk); there {
				t.Error("the clerk is still there")
			}
		})
	}
}

// Instagram Login: a token of 60 days, for one account, that no API revokes.
func TestInstagramLogin(t *testing.T) {
	for name, opts := range map[string]meta.Options{"as documented": {}, "in data": {IGTokenInData: true}, "other type": {IGException: true}} {
		t.Run(name, func(t *testing.T) {
			m := simulateMeta(t, opts)
			app := metaApp()
			app[instagram.KeyLogin], app[platform.KeyClientID], app[platform.KeyClientSecret] = []byte("instagram"), []byte("2000"), []byte("ighush")
			c := m.open(t, instagram.Adapter(), app)
			code := m.consent(t, c, world.Instagram, world.Choice{Account: metaAccount(platform.Instagram)})
			req := platform.ExchangeRequest{Code: code, RedirectURI: metaBack}
			g, err := c.Issue.Exchange(t.Context(), req)
			if err != nil || time.Until(g.ExpiresAt) < 59*24*time.Hour {
				t.Fatalf("until %s: %v", g.ExpiresAt, err)
			}
			if _, err := c.Issue.Exchange(t.Context(), req); platform.KindOf(err) != platform.KindUnauthorized {
				t.Errorf("the code again: %v", err)
			}
			id, err := c.Identify.Identify(t.Context(), g.Access, platform.AccountRef{ID: metaAccount(platform.Instagram)})
			if err != nil || id.AccountID != metaAccount(platform.Instagram) {
				t.Errorf("identity %+v, %v", id, err)
			}
			if got := state(t.Context(), t, c, g.Access); got != platform.TokenAlive {
				t.Errorf("the token is %s", got)
			}
			m.Revoke(world.Instagram, string(g.Access))
			if got := state(t.Context(), t, c, g.Access); got != platform.TokenDead {
				t.Errorf("revoked, it is %s", got)
			}
			if c.Revoke != nil || c.Custody == nil || c.Custody.Reach != platform.ReachNone {
				t.Error("a way to revoke is pretended")
			}
		})
	}
}

// What accounts did is read since a cursor, and a post that is gone is told.
func TestMetaActivity(t *testing.T) {
	for _, a := range []platform.Adapter{facebook.Adapter(), instagram.Adapter()} {
		t.Run(string(a.Name), func(t *testing.T) {
			m := simulateMeta(t, meta.Options{Engaged: 1000})
			p := world.Platform(a.Name)
			post := func(n int) string {
				id := fmt.Sprint(178950000000 + n)
				if a.Name == platform.Facebook {
					id = metaAccount(a.Name) + "_" + id
				}
				if err := m.PutPost(world.Post{
					Platform: p, Account: metaAccount(a.Name), ID: id, Text: fmt.Sprint("post ", n), Action: world.Publish, Created: m.Now().Add(time.Duration(n-300) * time.Minute),
				}); err != nil {
					t.Fatal(err)
				}
				return id
			}
			var want []string
			for n := range 230 {
				want = append(want, post(n))
			}
			slices.Reverse(want)
			c := m.open(t, a, metaApp())
			got, cursor := drain(t, c, a.Name, "", 40)
			if strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("%d acts, want %d: %v", len(got), len(want), got)
			}
			newest := post(250)
			if got, _ = drain(t, c, a.Name, cursor, 40); len(got) != 1 || got[0] != newest {
				t.Errorf("since the cursor: %v, want %s", got, newest)
			}
			if _, err := c.Observe.Observe(t.Context(), platform.ByID, []platform.AccountRef{{ID: metaAccount(a.Name)}}); err != nil {
				t.Fatal(err)
			}
			if err := m.DeletePost(p, want[0]); err != nil {
				t.Fatal(err)
			}
			account := platform.AccountRef{ID: metaAccount(a.Name)}
			states, err := c.Reread.Reread(t.Context(), []platform.PostRef{{Account: account, ID: newest}, {Account: account, ID: want[0]}})
			if err != nil || states[0].Outcome != platform.Found || states[1].Outcome != platform.NotFound {
				t.Errorf("read again: %+v, %v", states, err)
			}
		})
	}
}

// drain reads all that there is since a cursor.
func drain(t *testing.T, c *platform.Client, p platform.Name, cursor platform.Cursor, limit int) (ids []string, last platform.Cursor) {
	t.Helper()
	for range 100 {
		answers, err := c.Activity.Activity(t.Context(), platform.StreamPosts, []platform.ActivityAsk{{
			Ref: platform.AccountRef{ID: metaAccount(p)}, Cursor: cursor, Limit: limit,
		}})
		if err != nil || answers[0].Err != nil {
			t.Fatalf("%v, %+v", err, answers)
		}
		for _, act := range answers[0].Acts {
			ids = append(ids, act.ID)
		}
		cursor = answers[0].Cursor
		if !answers[0].More {
			return ids, cursor
		}
	}
	t.Fatal("no end")
	return nil, ""
}

// An official's own account is in no portfolio of ours: only its handle leads to it, and
// that its id leads nowhere says nothing.
func TestInstagramAccountsOfOthers(t *testing.T) {
	m := simulateMeta(t, meta.Options{Engaged: 1000, DailyUsers: 1_000_000})
	const id, handle = "17841405822309999", "an_official"
	if err := m.Put(world.Account{Platform: world.Instagram, ID: id, Handle: handle, DisplayName: "An official", Image: "default", Owner: "800"}); err != nil {
		t.Fatal(err)
	}
	c := m.open(t, instagram.Adapter(), metaApp()).Observe
	for _, step := range []struct {
		name string
		by   platform.Lookup
		ref  platform.AccountRef
		want platform.Outcome
	}{
		{"by id alone", platform.ByID, platform.AccountRef{ID: id}, platform.Unanswered},
		{"by id with its handle", platform.ByID, platform.AccountRef{ID: id, Handle: handle}, platform.Found},
		{"by handle", platform.ByHandle, platform.AccountRef{Handle: handle}, platform.Found},
		{"by id alone, once it was seen", platform.ByID, platform.AccountRef{ID: id}, platform.Unanswered},
		{"by id with the handle of another", platform.ByID, platform.AccountRef{ID: id, Handle: "edu_2"}, platform.Unanswered},
		{"by id with a handle of nobody", platform.ByID, platform.AccountRef{ID: id, Handle: "nobody_has_this"}, platform.Unanswered},
	} {
		got, err := c.Observe(t.Context(), step.by, []platform.AccountRef{step.ref})
		if err != nil || len(got) != 1 || got[0].Outcome != step.want || got[0].Ref != step.ref {
			t.Errorf("%s: %+v, %v; want %s", step.name, got, err, step.want)
		}
	}
}

// A Page's posts are read with its own token, which is made once of the system user's,
// and anew after it was refused.
func TestAPageIsReadWithItsOwnToken(t *testing.T) {
	m := simulateMeta(t, meta.Options{Engaged: 1000})
	page := metaAccount(platform.Facebook)
	if err := m.PutPost(world.Post{
		Platform: world.Facebook, Account: page, ID: page + "_1", Text: "صباح الخير", Action: world.Publish, Created: m.Now().Add(-time.Hour),
	}); err != nil {
		t.Fatal(err)
	}
	c := m.open(t, facebook.Adapter(), metaApp())
	read := func() platform.ActivityAnswer {
		t.Helper()
		answers, err := c.Activity.Activity(t.Context(), platform.StreamPosts, []platform.ActivityAsk{
			{Ref: platform.AccountRef{ID: page}, Limit: 10}, {Ref: platform.AccountRef{ID: "4242"}, Limit: 10},
		})
		if err != nil {
			t.Fatal(err)
		}
		if answers[1].Err == nil || len(answers[1].Acts) > 0 {
			t.Errorf("of a Page that is not there: %+v", answers[1])
		}
		return answers[0]
	}
	own := func() int {
		return len(m.Tokens(world.Facebook, world.TokenQuery{Account: page, Alive: true}))
	}
	for range 2 {
		if a := read(); a.Err != nil || len(a.Acts) != 1 {
			t.Errorf("read: %+v", a)
		}
		if got := own(); got != 1 {
			t.Errorf("%d Page tokens", got)
		}
	}
	if ended, err := m.EndGrants(world.Facebook, world.TokenQuery{Account: page}, world.CausePassword); err != nil || ended != 1 {
		t.Fatalf("%d tokens ended: %v", ended, err)
	}
	if a := read(); platform.KindOf(a.Err) != platform.KindUnauthorized {
		t.Errorf("with a dead token: %+v", a)
	}
	if a := read(); a.Err != nil || len(a.Acts) != 1 || own() != 1 {
		t.Errorf("with a new one: %+v", a)
	}
}
