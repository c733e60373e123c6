package world_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

type office struct {
	*world.World
	t     *testing.T
	clock *clocktesting.FakeClock
}

// newOffice has apps k and k2, account 1 and person p with a role on it.
func newOffice(t *testing.T, rules world.GrantRules) office {
	t.Helper()
	clk := clocktesting.NewFakeClock(start)
	w := world.New(clk)
	w.SetGrantRules(world.X, rules)
	err := w.Load(world.Fleet{
		Apps: []world.App{
			{Platform: world.X, APIKey: "k", APISecret: "s", RedirectURIs: []string{"https://op/cb"}},
			{Platform: world.X, APIKey: "k2", APISecret: "s2"},
		},
		Accounts: []world.Account{{Platform: world.X, ID: "1", Handle: "a", Owner: "org"}, {Platform: world.X, ID: "2", Handle: "b", Owner: "org"}},
		People:   []world.Person{{Platform: world.X, ID: "p", Organisation: "org"}},
		Roles:    []world.Role{{Platform: world.X, Account: world.AllAccounts, Person: "p", Tasks: []string{"MANAGE"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return office{w, t, clk}
}

const verifier = "correct horse battery staple correct horse battery"

func consent() world.Consent {
	sum := sha256.Sum256([]byte(verifier))
	return world.Consent{
		Platform: world.X, Client: "k", Person: "p", Account: "1", Scopes: []string{"read", "offline"},
		RedirectURI: "https://op/cb", Challenge: base64.RawURLEncoding.EncodeToString(sum[:]),
	}
}

func (o office) code() string {
	o.t.Helper()
	code, err := o.Authorize(consent())
	if err != nil {
		o.t.Fatal(err)
	}
	return code
}

func exchange(code string) world.Exchange {
	return world.Exchange{Platform: world.X, Client: "k", Code: code, RedirectURI: "https://op/cb", Verifier: verifier}
}

func (o office) grant() world.Issued {
	o.t.Helper()
	issued, err := o.Exchange(exchange(o.code()))
	if err != nil {
		o.t.Fatal(err)
	}
	return issued
}

func (o office) wantState(what, value string, want world.Cause) {
	o.t.Helper()
	token, ok := o.Token(world.X, value)
	if !ok || token.State(o.Now()) != want {
		o.t.Errorf("%s: known %v, state %q, want %q", what, ok, token.State(o.Now()), want)
	}
}

var rotating = world.GrantRules{
	Prefix: "T-", CodeLife: 30 * time.Second, AccessLife: time.Hour, RefreshLife: 24 * time.Hour,
	Refreshes: true, RefreshScope: "offline", SingleUse: true, ReplayEnds: world.ReachFamily, RevokeEnds: world.ReachToken,
}

func TestCodeYieldsAPairOnce(t *testing.T) {
	o := newOffice(t, rotating)
	code := o.code()
	got, err := o.Exchange(exchange(code))
	if err != nil || got.Person != "p" || got.Account != "1" || !got.Expires.Equal(start.Add(time.Hour)) {
		t.Fatalf("%+v, %v", got, err)
	}
	if !strings.HasPrefix(got.Access, "T-") || got.Refresh == "" || got.Access == got.Refresh {
		t.Errorf("tokens %q and %q", got.Access, got.Refresh)
	}
	o.wantState("access", got.Access, "")
	if _, err := o.Exchange(exchange(code)); !errors.Is(err, world.ErrRefused) {
		t.Errorf("second exchange: %v", err)
	}
	o.wantState("access after the replay", got.Access, world.CauseReplayed)
	o.wantState("refresh after the replay", got.Refresh, world.CauseReplayed)
}

func TestCodeIsBoundToWhatWasAsked(t *testing.T) {
	for name, change := range map[string]func(*world.Exchange){
		"client":       func(e *world.Exchange) { e.Client = "k2" },
		"redirect URI": func(e *world.Exchange) { e.RedirectURI += "/" },
		"verifier":     func(e *world.Exchange) { e.Verifier = "wrong" },
		"code":         func(e *world.Exchange) { e.Code += "x" },
	} {
		o := newOffice(t, rotating)
		e := exchange(o.code())
		change(&e)
		if _, err := o.Exchange(e); !errors.Is(err, world.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	o := newOffice(t, rotating)
	code := o.code()
	o.clock.Step(30 * time.Second)
	if _, err := o.Exchange(exchange(code)); !errors.Is(err, world.ErrRefused) {
		t.Errorf("late: %v", err)
	}
}

func TestConsentRefusals(t *testing.T) {
	o := newOffice(t, rotating)
	for name, c := range map[string]struct {
		change func(*world.Consent)
		want   error
	}{
		"app":      {func(c *world.Consent) { c.Client = "zzz" }, world.ErrNotFound},
		"redirect": {func(c *world.Consent) { c.RedirectURI = "https://evil/cb" }, world.ErrInvalid},
		"account":  {func(c *world.Consent) { c.Account = "77" }, world.ErrNotFound},
		"nobody":   {func(c *world.Consent) { c.Account, c.Person = "", "" }, world.ErrInvalid},
	} {
		ask := consent()
		c.change(&ask)
		if _, err := o.Authorize(ask); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestSingleUseRefreshEndsTheFamilyWhenReplayed(t *testing.T) {
	o := newOffice(t, rotating)
	first, other := o.grant(), o.grant()
	second, err := o.Refresh(world.X, "k", first.Refresh)
	if err != nil || second.Refresh == first.Refresh || second.Access == first.Access {
		t.Fatalf("%+v, %v", second, err)
	}
	o.wantState("old access", first.Access, "")
	o.wantState("old refresh", first.Refresh, world.CauseUsed)
	if _, err := o.Refresh(world.X, "k", first.Refresh); !errors.Is(err, world.ErrRefused) {
		t.Errorf("replay: %v", err)
	}
	o.wantState("second refresh", second.Refresh, world.CauseReplayed)
	o.wantState("second access", second.Access, world.CauseReplayed)
	o.wantState("other family", other.Access, "")
}

func TestGraceAnswersARepetitionWithTheSame(t *testing.T) {
	rules := rotating
	rules.Grace = time.Minute
	rules.RefreshEndsAccess = true
	o := newOffice(t, rules)
	first := o.grant()
	second, err := o.Refresh(world.X, "k", first.Refresh)
	if err != nil {
		t.Fatal(err)
	}
	o.wantState("old access", first.Access, world.CauseUsed)
	again, err := o.Refresh(world.X, "k", first.Refresh)
	if err != nil || again.Refresh != second.Refresh || again.Access != second.Access {
		t.Errorf("again %+v, %v", again, err)
	}
	o.clock.Step(time.Minute)
	if _, err := o.Refresh(world.X, "k", first.Refresh); !errors.Is(err, world.ErrRefused) {
		t.Errorf("after the grace: %v", err)
	}
}

func TestRefreshTokensThatStay(t *testing.T) {
	o := newOffice(t, world.GrantRules{Refreshes: true, AccessLife: time.Hour, MaxRefresh: 2})
	first := o.grant()
	for range 2 {
		next, err := o.Refresh(world.X, "k", first.Refresh)
		if err != nil || next.Refresh != "" || next.Access == first.Access {
			t.Errorf("%+v, %v", next, err)
		}
	}
	o.grant()
	o.wantState("two refresh tokens", first.Refresh, "")
	o.grant()
	o.wantState("a third one", first.Refresh, world.CauseRevoked)
	if _, err := o.Refresh(world.X, "k2", first.Refresh); !errors.Is(err, world.ErrRefused) {
		t.Errorf("another client: %v", err)
	}
}

func TestNoRefreshTokenWithoutItsScope(t *testing.T) {
	rules := rotating
	rules.RefreshScope = "forever"
	o := newOffice(t, rules)
	if got := o.grant(); got.Refresh != "" || got.Access == "" {
		t.Errorf("%+v", got)
	}
}

func TestRevocationReachesAsFarAsTheRulesSay(t *testing.T) {
	for reach, want := range map[world.Reach][3]world.Cause{
		world.ReachToken:  {world.CauseRevoked, "", ""},
		world.ReachFamily: {world.CauseRevoked, world.CauseRevoked, ""},
		world.ReachGrant:  {world.CauseRevoked, world.CauseRevoked, world.CauseRevoked},
	} {
		rules := rotating
		rules.RevokeEnds = reach
		o := newOffice(t, rules)
		first, second := o.grant(), o.grant()
		if !o.Revoke(world.X, first.Access) || o.Revoke(world.X, first.Access) || o.Revoke(world.X, "zzz") {
			t.Error("only the first revocation of a live token ends something")
		}
		o.wantState(string(reach)+": token", first.Access, want[0])
		o.wantState(string(reach)+": family", first.Refresh, want[1])
		o.wantState(string(reach)+": grant", second.Access, want[2])
	}
}

func TestDerivedTokensFollowTheirParent(t *testing.T) {
	o := newOffice(t, world.GrantRules{AccessLife: time.Hour})
	parent := o.grant().Access
	page, err := o.Derive(world.X, parent, "2", false)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := o.Derive(world.X, parent, "2", false); again != page {
		t.Errorf("%q, then %q", page, again)
	}
	if token, _ := o.Token(world.X, page); token.Account != "2" || token.Person != "p" {
		t.Errorf("%+v", token)
	}
	lasting, err := o.Derive(world.X, parent, "1", true)
	if err != nil {
		t.Fatal(err)
	}
	o.DropScope(world.X, "k", "p", "read")
	if token, _ := o.Token(world.X, page); len(token.Scopes) != 1 || token.Scopes[0] != "offline" {
		t.Errorf("after the scope went: %v", token.Scopes)
	}
	o.clock.Step(time.Hour)
	o.wantState("page token", page, world.CauseExpired)
	o.wantState("lasting page token", lasting, "")
	o.Revoke(world.X, parent)
	o.wantState("lasting page token after the revocation", lasting, world.CauseRevoked)
	if _, err := o.Derive(world.X, parent, "2", false); !errors.Is(err, world.ErrRefused) {
		t.Errorf("from an expired token: %v", err)
	}
}

func TestOutsideHands(t *testing.T) {
	rules := rotating
	rules.PasswordEnds = true
	o := newOffice(t, rules)
	first := o.grant()
	if n, err := o.ChangePassword(world.X, "p"); n != 2 || err != nil {
		t.Errorf("password ended %d, %v", n, err)
	}
	o.wantState("access", first.Access, world.CausePassword)
	second := o.grant()
	if n, err := o.EndGrants(world.X, world.TokenQuery{Client: "k2"}, world.CauseAppRemoved); n != 0 || err != nil {
		t.Errorf("other client: %d, %v", n, err)
	}
	if n, err := o.EndGrants(world.X, world.TokenQuery{Client: "k", Kind: world.RefreshToken}, world.CauseAppRemoved); n != 1 || err != nil {
		t.Errorf("refresh tokens: %d, %v", n, err)
	}
	o.wantState("access", second.Access, "")
	o.wantState("refresh", second.Refresh, world.CauseAppRemoved)
	if _, err := o.EndGrants(world.X, world.TokenQuery{}, "Boredom"); !errors.Is(err, world.ErrInvalid) {
		t.Errorf("unknown cause: %v", err)
	}
	o = newOffice(t, rotating)
	o.grant()
	if n, err := o.ChangePassword(world.X, "p"); n != 0 || err != nil {
		t.Errorf("where passwords end nothing: %d, %v", n, err)
	}
}

func TestMintedTokensAndTheirRefusals(t *testing.T) {
	o := newOffice(t, world.GrantRules{AccessLife: time.Hour})
	value, token, err := o.Mint(world.Mint{Platform: world.X, Client: "k", Person: "p", Value: "fixed"})
	if err != nil || value != "fixed" || !token.Expires.IsZero() || token.Kind != world.AccessToken {
		t.Fatalf("%q %+v, %v", value, token, err)
	}
	for name, c := range map[string]struct {
		mint world.Mint
		want error
	}{
		"app":      {world.Mint{Platform: world.X, Client: "zzz", Person: "p"}, world.ErrNotFound},
		"person":   {world.Mint{Platform: world.X, Client: "k"}, world.ErrInvalid},
		"kind":     {world.Mint{Platform: world.X, Client: "k", Person: "p", Kind: world.CodeToken}, world.ErrInvalid},
		"same one": {world.Mint{Platform: world.X, Client: "k", Person: "p", Value: "fixed"}, world.ErrConflict},
	} {
		if _, _, err := o.Mint(c.mint); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestRolesComeAndGo(t *testing.T) {
	o := newOffice(t, rotating)
	if got := o.RolesOf(world.X, "p"); len(got) != 2 || got[0].Account != "1" || got[1].Tasks[0] != "MANAGE" {
		t.Errorf("all of the organisation: %+v", got)
	}
	if err := o.RemoveRole(world.X, "1", "p"); err != nil {
		t.Fatal(err)
	}
	if err := o.RemoveRole(world.X, "1", "p"); !errors.Is(err, world.ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
	if _, ok := o.RoleOf(world.X, "1", "p"); ok || len(o.Roles(world.X, "1")) != 0 {
		t.Error("still there")
	}
	if err := o.PutRole(world.Role{Platform: world.X, Account: "1", Person: "q"}); !errors.Is(err, world.ErrNotFound) {
		t.Errorf("unknown person: %v", err)
	}
	if err := o.RemovePerson(world.X, "p"); err != nil {
		t.Fatal(err)
	}
	if got := o.Roles(world.X, "2"); len(got) != 0 || len(o.People(world.X, "org")) != 0 {
		t.Errorf("after the person went: %+v", got)
	}
}

func TestHistoryTellsWhichSecretWasSentWhen(t *testing.T) {
	o := newOffice(t, rotating)
	g := o.grant()
	if o.BeginCall(world.Call{Platform: world.X, Endpoint: "/read"}) != nil {
		t.Error("reads are kept without being asked for")
	}
	o.RecordReads(true)
	a := o.BeginCall(world.Call{Platform: world.X, Endpoint: "/read"})
	a.Sent(world.X, g.Access)
	b := o.BeginCall(world.Call{Platform: world.X, Endpoint: "/revoke", Mutating: true, Effect: "revoke"})
	o.Revoke(world.X, g.Access)
	b.Sent(world.X, g.Access)
	b.Sent(world.X, "unknown")
	b.Issued(g.Refresh)
	b.End(200)
	a.End(401)
	a.End(200)
	h := o.History()
	if len(h.Calls) != 2 || h.Calls[0].Status != 401 || h.Calls[0].EndedSeq < h.Calls[1].EndedSeq || h.Calls[1].BeganSeq > h.Calls[0].EndedSeq {
		t.Fatalf("%+v", h)
	}
	sent := append(h.Calls[0].Sent, h.Calls[1].Sent...)
	want := []world.SentToken{
		{Fingerprint: o.Fingerprint(g.Access), Kind: world.AccessToken, Accepted: true, Known: true},
		{Fingerprint: o.Fingerprint(g.Access), Kind: world.AccessToken, Known: true},
		{Fingerprint: o.Fingerprint("unknown")},
	}
	for i := range want {
		if sent[i] != want[i] {
			t.Errorf("sent[%d] = %+v, want %+v", i, sent[i], want[i])
		}
	}
	all, err := json.Marshal(struct{ H, T any }{h, o.Tokens(world.X, world.TokenQuery{})})
	if err != nil || strings.Contains(string(all), g.Access) || strings.Contains(string(all), g.Refresh) {
		t.Error("a secret is in the history or the list of tokens")
	}
	o.ResetHistory()
	if len(o.History().Calls) != 0 {
		t.Error("not forgotten")
	}
}
