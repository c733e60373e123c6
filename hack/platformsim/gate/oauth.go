package gate

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

// Bearer is the token of the Authorization header.
func Bearer(r *http.Request) (token string, ok bool) {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(token), true
}

func isForm(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == "application/x-www-form-urlencoded"
}

// Form reads a request's form of at most MaxForm bytes; ok is false for anything else.
func Form(w http.ResponseWriter, r *http.Request) (form url.Values, ok bool) {
	r.Body = http.MaxBytesReader(w, r.Body, MaxForm)
	if !isForm(r) || r.ParseForm() != nil {
		return nil, false
	}
	return r.PostForm, true
}

// Client is the app that a token request comes from: by HTTP Basic (RFC 6749,
// section 2.3.1, whose form encoding it undoes) or by the form.
func Client(r *http.Request, form url.Values) (id, secret string, basic bool) {
	rawID, rawSecret, ok := r.BasicAuth()
	if !ok {
		return form.Get("client_id"), form.Get("client_secret"), false
	}
	id, errID := url.QueryUnescape(rawID)
	secret, errSecret := url.QueryUnescape(rawSecret)
	if errID != nil || errSecret != nil {
		return "", "", true
	}
	return id, secret, true
}

// Online says whether a consent yields no refresh token: on Google, unless the
// client asks for access_type=offline and has the dialog shown (prompt=consent);
// without the latter only a first consent would yield one (identity/protocols/
// oauth2/web-server).
func Online(p world.Platform, q url.Values) bool {
	return p == world.YouTube && (q.Get("access_type") != "offline" || !slices.Contains(strings.Fields(q.Get("prompt")), "consent"))
}

// Dialog is a platform's consent page. Whoever was chosen by World.Choose agrees
// at once, to what they were chosen to agree to.
type Dialog struct {
	World    *world.World
	Platform world.Platform
	// PKCE: S256 is demanded.
	PKCE bool
	// State is demanded and at most so many bytes long; 0 demands none.
	State int
}

// ServeHTTP implements http.Handler. A mistake that makes the redirect itself
// untrustworthy is shown; others are told to the client (RFC 6749, section 4.1.2.1).
func (d Dialog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	app, known := d.World.App(d.Platform, q.Get("client_id"))
	back, err := url.Parse(q.Get("redirect_uri"))
	switch {
	case !known:
		page(w, http.StatusBadRequest, "unknown client_id")
		return
	case err != nil || back.Host == "" || len(app.RedirectURIs) > 0 && !slices.Contains(app.RedirectURIs, q.Get("redirect_uri")):
		page(w, http.StatusBadRequest, "redirect_uri is not one of the app's")
		return
	}
	choice, chosen := d.World.Chosen(d.Platform)
	if !chosen {
		page(w, http.StatusForbidden, "nobody was chosen to consent: PUT /v1/consent/"+string(d.Platform)+" at the control endpoint")
		return
	}
	answer := back.Query()
	if q.Has("state") {
		answer.Set("state", q.Get("state"))
	}
	if code, fault := d.consent(q, choice); fault != "" {
		answer.Set("error", fault)
	} else {
		answer.Set("code", code)
	}
	back.RawQuery = answer.Encode()
	// Not http.Redirect, which would write the code into a page as well.
	w.Header().Set("Location", back.String())
	w.WriteHeader(http.StatusFound)
}

func (d Dialog) consent(q url.Values, choice world.Choice) (code, fault string) {
	switch {
	case q.Get("response_type") != "code":
		return "", "unsupported_response_type"
	case q.Get("scope") == "":
		return "", "invalid_scope"
	case !d.proper(q):
		return "", "invalid_request"
	case choice.Deny:
		return "", "access_denied"
	}
	code, err := d.World.Authorize(world.Consent{
		Platform: d.Platform, Client: q.Get("client_id"), Person: choice.Person, Account: choice.Account,
		Scopes: choice.Granted(strings.Fields(q.Get("scope"))), RedirectURI: q.Get("redirect_uri"),
		Challenge: q.Get("code_challenge"), Online: Online(d.Platform, q),
	})
	if err != nil {
		return "", "server_error"
	}
	return code, ""
}

func (d Dialog) proper(q url.Values) bool {
	challenged := q.Get("code_challenge") != ""
	switch {
	case d.PKCE && !challenged,
		challenged && q.Get("code_challenge_method") != "S256",
		d.State > 0 && (q.Get("state") == "" || len(q.Get("state")) > d.State):
		return false
	}
	return true
}

func page(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "platformsim: "+why+"\n")
}
