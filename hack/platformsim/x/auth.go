package x

import (
	"mime"
	"net/http"
	"net/url"
	"strings"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

// handler serves a request of an authenticated app within its rate limit.
type handler func(w http.ResponseWriter, r *http.Request, apiKey string)

// metered authenticates the app by bearer and applies the rate limit, whose
// headers are on every answer. Requests that turn out invalid count as well.
func (s *server) metered(endpoint string, next handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := s.world.Now()
		apiKey, ok := s.authenticate(r)
		if !ok {
			s.limiter.untouched(endpoint, now).announce(w.Header())
			s.errors.unauthorized(w)
			return
		}
		quota, ok := s.limiter.take(bucket{apiKey, endpoint}, now)
		quota.announce(w.Header())
		if !ok {
			s.errors.Status(w, http.StatusTooManyRequests)
			return
		}
		next(w, r, apiKey)
	})
}

func (s *server) authenticate(r *http.Request) (apiKey string, ok bool) {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return s.world.AppOf(world.X, strings.TrimSpace(token))
}

type tokenAnswer struct {
	TokenType   string `json:"token_type"`
	AccessToken string `json:"access_token"`
}

type tokenError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// maxForm bounds the body of a token request, in bytes.
const maxForm = 64 << 10

// token hands out the app's bearer, always the same one (docs.x.com, app-only
// authentication).
func (s *server) token(w http.ResponseWriter, r *http.Request) {
	key, secret, ok := basicCredentials(r)
	if !ok {
		badCredentials(w, http.StatusUnauthorized)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" || r.ParseForm() != nil {
		badGrant(w, "The body is not a form.")
		return
	}
	if r.PostForm.Get("grant_type") != "client_credentials" {
		badGrant(w, "Value passed for grant_type was invalid.")
		return
	}
	token, ok := s.world.TokenOf(world.X, key, secret)
	if !ok {
		badCredentials(w, http.StatusForbidden)
		return
	}
	writeJSON(w, http.StatusOK, typeJSON, tokenAnswer{"bearer", token})
}

// basicCredentials undoes the form encoding that RFC 6749, section 2.3.1 puts
// on both parts.
func basicCredentials(r *http.Request) (key, secret string, ok bool) {
	rawKey, rawSecret, ok := r.BasicAuth()
	if !ok {
		return "", "", false
	}
	key, errKey := url.QueryUnescape(rawKey)
	secret, errSecret := url.QueryUnescape(rawSecret)
	return key, secret, errKey == nil && errSecret == nil
}

// badCredentials is error 99; sources show it with both 401 and 403, here 401
// is for credentials that are absent and 403 for wrong ones.
func badCredentials(w http.ResponseWriter, status int) {
	writeJSON(w, status, typeJSON, legacyErrors{[]legacyError{
		{Code: 99, Message: "Unable to verify your credentials", Label: "authenticity_token_error"},
	}})
}

func badGrant(w http.ResponseWriter, why string) {
	writeJSON(w, http.StatusBadRequest, typeJSON, tokenError{"invalid_request", why})
}
