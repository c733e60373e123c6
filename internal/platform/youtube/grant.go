package youtube

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/oauth"
)

const (
	endpointToken     = "/token"
	endpointRevoke    = "/revoke"
	endpointTokeninfo = "/tokeninfo"
	endpointUserinfo  = "/v1/userinfo"
	opTokeninfo       = "oauth.tokeninfo"
	opUserinfo        = "oauth.userinfo"

	accessLifetime = time.Hour
	// maxLifetime is far above any lifetime of an access token, in seconds.
	maxLifetime = 400 * 24 * 3600
)

var (
	errOneChannel = errors.New("the answer is not about one channel")
	errNoPerson   = errors.New("the answer is about no person")
	errNoBearer   = errors.New("there is no token")
)

// stepSessions is the step that a Workspace administrator's grant does.
const stepSessions = "end-sessions"

// scopes are what a grant must hold, sorted: to read as the channel, and to know the
// person who consented.
func scopes() []string {
	return []string{"email", "https://www.googleapis.com/auth/youtube.readonly", "openid"}
}

// granted are the names that Google gives to short scopes in its answers.
var granted = map[string]string{"https://www.googleapis.com/auth/userinfo.email": "email"}

// custody is what YouTube really allows at a handover (rotation.md, section 4;
// youtube.md, section 1). Revoking any token ends the whole grant of that person to
// our project; a refresh token is not spent by its use.
func custody() platform.Custody {
	return platform.Custody{
		Principal: "person", Reach: platform.ReachGrant,
		Scopes: scopes(), AccessLifetime: accessLifetime,
		HumanSteps: []string{
			"remove-channel-permissions", "remove-brand-account-managers", stepSessions,
			"change-password", "change-two-factor", "change-recovery-address",
		},
	}
}

func oauthClient(cfg platform.Config, k keys) *oauth.Client {
	return &oauth.Client{
		HTTP: cfg.HTTP, Now: cfg.Now, ID: k.clientID, Secret: k.clientSecret, Style: oauth2.AuthStyleInParams,
		Authorize: cfg.Host(roleAuthorize) + "/o/oauth2/v2/auth",
		Token:     cfg.Host(roleToken) + endpointToken, TokenPath: endpointToken,
		Revoke: cfg.Host(roleToken) + endpointRevoke, RevokePath: endpointRevoke,
		Scopes: scopes(), TakesHint: true, Rename: granted, BareRevoke: true,
		// A refresh token comes at the first consent alone, unless one asks for it.
		Params: map[string]string{"access_type": "offline", "prompt": "consent"},
	}
}

// holder implements Identifier, Introspector and Revoker.
type holder struct {
	*reader
	oauth *oauth.Client
}

// Identify asks for the channel of a token, and for the person behind it. A token of
// an account without a channel, or whose channel is suspended, is refused.
func (h *holder) Identify(ctx context.Context, token platform.Token, _ platform.AccountRef) (platform.Identity, error) {
	if token == "" {
		return platform.Identity{}, &platform.Error{Kind: platform.KindUnauthorized, Op: opChannels, Err: errNoBearer}
	}
	call := h.service.Channels.List([]string{"id,snippet"}).Mine(true).MaxResults(page)
	as := h.credential(call.Header(), token)
	l, err := h.ask(ctx, opChannels, endpointChannels, kindChannels, func(ctx context.Context) error {
		_, err := call.Context(ctx).Do(as...)
		return err
	})
	if err != nil {
		return platform.Identity{}, err
	}
	if !l.whole() || len(l.Items) != 1 {
		return platform.Identity{}, unbelievable(opChannels, errOneChannel)
	}
	c := decodeChannel(l.Items[0])
	if c.malformed || !isChannel(c.ID) || c.Snippet == nil {
		return platform.Identity{}, unbelievable(opChannels, errMalformed)
	}
	person, err := h.person(ctx, token)
	if err != nil {
		return platform.Identity{}, err
	}
	return platform.Identity{
		AccountID: c.ID, Principal: person.Subject, Email: person.email(),
		Handle: platform.Visible(strings.TrimPrefix(c.Snippet.CustomURL, "@"), platform.MaxHandle),
	}, nil
}

// person is who consented.
type person struct {
	Subject  string `json:"sub"`
	Address  string `json:"email"`
	Verified *bool  `json:"email_verified"`
}

// email is the address, unless Google says that nobody proved it.
func (p person) email() string {
	if p.Verified != nil && !*p.Verified {
		return ""
	}
	return platform.Visible(p.Address, platform.MaxDisplayName)
}

func (h *holder) person(ctx context.Context, token platform.Token) (person, error) {
	var p person
	answer, err := h.get(ctx, opUserinfo, endpointUserinfo, h.cfg.Host(roleUserinfo)+endpointUserinfo, token)
	if err != nil {
		return p, err
	}
	switch answer.Status {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return p, &platform.Error{Kind: platform.KindUnauthorized, Op: opUserinfo, Status: answer.Status, Err: errUnauthorized}
	default:
		return p, plainRefusal(opUserinfo, answer)
	}
	if err := answer.DecodeJSON(opUserinfo, &p); err != nil {
		return p, err
	}
	if p.Subject == "" || len(p.Subject) > 255 {
		return p, unbelievable(opUserinfo, errNoPerson)
	}
	return p, nil
}

func (h *holder) get(ctx context.Context, op, endpoint, target string, bearer platform.Token) (*platform.Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return nil, invalid(op, errBadRequest)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+string(bearer))
	}
	return platform.Do(h.cfg.HTTP, op, endpoint, req)
}

// plainRefusal classes an answer of the OAuth services, which have no reasons.
func plainRefusal(op string, answer *platform.Answer) *platform.Error {
	e := &platform.Error{Kind: platform.KindUnavailable, Op: op, Status: answer.Status, Err: errNoAnswer}
	if answer.Status == http.StatusTooManyRequests {
		e.Kind, e.Err, e.RetryAfter = platform.KindRateLimited, errRateLimited, retryUnknown
	}
	return e
}

// Introspect asks tokeninfo. A 400 invalid_token does not say whether the token was
// revoked or ran out. A token of another client is refused, for it is not ours to
// judge. (Google takes the token in the query; no error or metric holds one.)
func (h *holder) Introspect(ctx context.Context, token platform.Token) (platform.Introspection, error) {
	target := h.cfg.Host(roleToken) + endpointTokeninfo + "?" + url.Values{"access_token": {string(token)}}.Encode()
	answer, err := h.get(ctx, opTokeninfo, endpointTokeninfo, target, "")
	if err != nil {
		return platform.Introspection{}, err
	}
	var body tokeninfo
	garbage := answer.DecodeJSON(opTokeninfo, &body)
	switch {
	case answer.Status == http.StatusBadRequest && garbage == nil && body.Error == "invalid_token":
		return platform.Introspection{State: platform.TokenUnclear}, nil
	case answer.Status != http.StatusOK:
		return platform.Introspection{}, plainRefusal(opTokeninfo, answer)
	case garbage != nil:
		return platform.Introspection{}, garbage
	}
	return h.alive(body)
}

// tokeninfo is what Google tells of a token.
type tokeninfo struct {
	Error    string      `json:"error"`
	Audience string      `json:"aud"`
	Scope    string      `json:"scope"`
	Lifetime json.Number `json:"expires_in"`
	Subject  string      `json:"sub"`
}

// alive reads what is told of a token that is known.
func (h *holder) alive(body tokeninfo) (platform.Introspection, error) {
	seconds, err := strconv.ParseInt(body.Lifetime.String(), 10, 64)
	if err != nil || body.Audience == "" {
		return platform.Introspection{}, unbelievable(opTokeninfo, platform.ErrNotJSON)
	}
	if h.oauth != nil && body.Audience != h.oauth.ID {
		return platform.Introspection{}, &platform.Error{
			Kind: platform.KindUnauthorized, Op: opTokeninfo, Status: http.StatusOK, Err: errOtherClient,
		}
	}
	if seconds <= 0 {
		return platform.Introspection{State: platform.TokenExpired}, nil
	}
	scopes := oauth.ScopesOf(body.Scope, granted)
	return platform.Introspection{
		State: platform.TokenAlive, Principal: body.Subject, Scopes: scopes,
		ExpiresAt: h.cfg.Now().Add(time.Duration(min(seconds, maxLifetime)) * time.Second),
	}, nil
}

var errOtherClient = errors.New("the token was issued to another client")

// Revoke ends the whole grant, whichever of its tokens is named: Google removes all
// that this person granted to our project.
func (h *holder) Revoke(ctx context.Context, g platform.Grant, part platform.RevokePart) error {
	token := g.Access
	if part == platform.RevokeGrant && g.Refresh != "" {
		token = g.Refresh
	}
	return h.oauth.End(ctx, token)
}
