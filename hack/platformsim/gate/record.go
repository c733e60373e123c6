package gate

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

// Effect says what a request would change: "exchange", "revoke" and so on; empty
// is nothing. form is its body, if that is a form.
type Effect func(r *http.Request, form url.Values) string

// Reads is the effect of calls that change nothing.
func Reads(*http.Request, url.Values) string { return "" }

// Always is the effect of calls that all change the same.
func Always(effect string) Effect { return func(*http.Request, url.Values) string { return effect } }

// TokenEffect is that of an OAuth token endpoint (RFC 6749, section 4.1.3 and 6).
func TokenEffect(_ *http.Request, form url.Values) string {
	switch form.Get("grant_type") {
	case "authorization_code":
		return "exchange"
	case "refresh_token":
		return "refresh"
	}
	return "mint"
}

type recordKey struct{}

// Record is the history's record of the request under way; nil, which records
// nothing, if it keeps none.
func Record(ctx context.Context) *world.Recorder {
	r, _ := ctx.Value(recordKey{}).(*world.Recorder)
	return r
}

// WithRecord lets the request under way be known by its record, which a fault ends that
// cuts the connection.
func WithRecord(ctx context.Context, record *world.Recorder) context.Context {
	return context.WithValue(ctx, recordKey{}, record)
}

// Recorded is API with a record in the history, which begins before a fault can
// strike: a client sent what it sent, also where the platform never saw it.
func (g Gate) Recorded(endpoint string, effect Effect, next http.Handler) http.Handler {
	inner := g.API(endpoint, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form := peekForm(r)
		what := effect(r, form)
		record := g.World.BeginCall(world.Call{Platform: g.Platform, Endpoint: endpoint, Mutating: what != "", Effect: what})
		if record == nil {
			inner.ServeHTTP(w, r)
			return
		}
		for _, secret := range secrets(r, form) {
			record.Sent(g.Platform, secret)
		}
		seen := &witness{ResponseWriter: w}
		// A deferred call, as faults may abort the handler by panic.
		defer func() { record.End(seen.status) }()
		inner.ServeHTTP(seen, r.WithContext(WithRecord(r.Context(), record)))
	})
}

// secrets are the codes and tokens that a request shows.
func secrets(r *http.Request, form url.Values) []string {
	var out []string
	if token, ok := Bearer(r); ok {
		out = append(out, token)
	}
	for _, from := range []url.Values{r.URL.Query(), form} {
		for _, name := range []string{"code", "refresh_token", "access_token", "token"} {
			out = append(out, from[name]...)
		}
	}
	return out
}

// witness remembers the status of an answer.
type witness struct {
	http.ResponseWriter

	status int
}

func (w *witness) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *witness) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *witness) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// MaxForm bounds the body of a form, in bytes.
const MaxForm = 64 << 10

// peekForm reads a form and puts the body back for the handler.
func peekForm(r *http.Request) url.Values {
	if r.Method == http.MethodGet || r.Body == nil || !isForm(r) {
		return url.Values{}
	}
	data, err := io.ReadAll(io.LimitReader(r.Body, MaxForm+1))
	r.Body = readCloser{io.MultiReader(bytes.NewReader(data), r.Body), r.Body}
	form, errForm := url.ParseQuery(string(data))
	if err != nil || errForm != nil {
		return url.Values{}
	}
	return form
}

type readCloser struct {
	io.Reader
	io.Closer
}
