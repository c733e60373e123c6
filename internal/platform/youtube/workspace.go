package youtube

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	admin "google.golang.org/api/admin/directory/v1"
	"google.golang.org/api/googleapi"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/oauth"
)

const (
	endpointUser  = "/admin/directory/v1/users/:user"
	opSignOut     = "users.signOut"
	opTokens      = "tokens.list"
	opDeleteToken = "tokens.delete"
	opASPs        = "asps.list"
	opDeleteASP   = "asps.delete"

	// early is how long before its end an administrator's access token is renewed.
	early = time.Minute
)

var (
	errNoUser   = errors.New("the member has no address in the domain")
	errStranger = errors.New("the domain knows no such user")
)

// workspace ends what a Google account of our domain still has open, as its
// administrator: sessions, grants to other apps, app passwords. It does not take a
// channel's permissions away (there is no endpoint), nor the password.
type workspace struct {
	*reader
	oauth     *oauth.Client
	directory *admin.Service
	mu        sync.Mutex
	grant     platform.Grant
}

func newWorkspace(r *reader, client *oauth.Client, directory *admin.Service, refresh platform.Token) *workspace {
	return &workspace{reader: r, oauth: client, directory: directory, grant: platform.Grant{Refresh: refresh}}
}

// Unseat signs the member out, and deletes the grants and app passwords of the
// account. Our own client's grant is left to Revoke. Every step is safe to repeat.
func (w *workspace) Unseat(ctx context.Context, _ platform.Token, _ platform.AccountRef, m platform.Member) error {
	user := m.Email
	if user == "" {
		user = m.ID
	}
	if user == "" || strings.ContainsAny(user, "/?#% ") {
		return invalid(opSignOut, errNoUser)
	}
	bearer, err := w.bearer(ctx)
	if err != nil {
		return err
	}
	as := func(h http.Header) { h.Set("Authorization", "Bearer "+string(bearer)) }
	signOut := w.directory.Users.SignOut(user)
	as(signOut.Header())
	call := endpointed(ctx, "/signOut")
	if err := signOut.Context(call).Do(); err != nil {
		if absent(err) { // not of the domain, or deleted: their sessions may be elsewhere
			return &platform.Error{Kind: platform.KindNotFound, Op: opSignOut, Status: http.StatusNotFound, Err: errStranger}
		}
		return w.changed(call, opSignOut, err)
	}
	if err := w.endTokens(ctx, user, as); err != nil {
		return err
	}
	return w.endPasswords(ctx, user, as)
}

func (w *workspace) endTokens(ctx context.Context, user string, as func(http.Header)) error {
	list := w.directory.Tokens.List(user)
	as(list.Header())
	call := endpointed(ctx, "/tokens")
	tokens, err := list.Context(call).Do()
	if !absent(err) {
		return w.failed(call, opTokens, err)
	}
	if tokens == nil {
		return nil
	}
	for _, t := range tokens.Items {
		if t == nil || t.ClientId == "" || t.ClientId == w.oauth.ID {
			continue
		}
		end := w.directory.Tokens.Delete(user, t.ClientId)
		as(end.Header())
		call := endpointed(ctx, "/tokens/:client")
		if err := end.Context(call).Do(); !absent(err) {
			return w.changed(call, opDeleteToken, err)
		}
	}
	return nil
}

func (w *workspace) endPasswords(ctx context.Context, user string, as func(http.Header)) error {
	list := w.directory.Asps.List(user)
	as(list.Header())
	call := endpointed(ctx, "/asps")
	passwords, err := list.Context(call).Do()
	if !absent(err) {
		return w.failed(call, opASPs, err)
	}
	if passwords == nil {
		return nil
	}
	for _, p := range passwords.Items {
		if p == nil {
			continue
		}
		end := w.directory.Asps.Delete(user, p.CodeId)
		as(end.Header())
		call := endpointed(ctx, "/asps/:code")
		if err := end.Context(call).Do(); !absent(err) {
			return w.changed(call, opDeleteASP, err)
		}
	}
	return nil
}

// bearer is the administrator's access token. Google's refresh tokens are not spent
// by their use, so a lost answer costs nothing.
func (w *workspace) bearer(ctx context.Context) (platform.Token, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.grant.Access != "" && w.cfg.Now().Before(w.grant.ExpiresAt.Add(-early)) {
		return w.grant.Access, nil
	}
	next, err := w.oauth.Refresh(ctx, w.grant)
	if err != nil {
		return "", err
	}
	w.grant = next
	return next.Access, nil
}

// changed is the error of a call that changes something: where it is not known to
// have been refused, it may have taken effect.
func (w *workspace) changed(ctx context.Context, op string, err error) error {
	e := w.failed(ctx, op, err)
	if e.Kind == platform.KindUnavailable {
		e.Kind = platform.KindAmbiguous
	}
	return e
}

// absent reports whether there is nothing (more) to do: success, or nobody there.
func absent(err error) bool {
	if err == nil {
		return true
	}
	refusal, ok := errors.AsType[*googleapi.Error](err)
	return ok && refusal.Code == http.StatusNotFound && (reasonOf(refusal) == "notFound" || reasonOf(refusal) == "resourceNotFound")
}

func endpointed(ctx context.Context, rest string) context.Context {
	call, _ := listen(platform.WithEndpoint(ctx, endpointUser+rest))
	return call
}
