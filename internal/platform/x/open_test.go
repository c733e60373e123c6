package x_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/x"
)

func configFor(endpoint string, app platform.Secret) platform.Config {
	return platform.Config{
		Endpoint: endpoint,
		App:      app,
		HTTP:     platform.NewHTTPClient(platform.TransportConfig{Endpoint: endpoint}),
		Usage:    func(platform.Usage) {},
		Now:      func() time.Time { return time.Unix(1_700_000_000, 0) },
	}
}

func TestOpenChecksTheSecret(t *testing.T) {
	const value = "not-to-be-told"
	app := func(pairs ...string) platform.Secret {
		s := platform.Secret{}
		for i := 0; i < len(pairs); i += 2 {
			s[pairs[i]] = []byte(pairs[i+1])
		}
		return s
	}
	tests := map[string]struct {
		app   platform.Secret
		names []string // in the error; none if it is to open
		never string   // must not be in the error
	}{
		"token":                   {app("appToken", value), nil, ""},
		"token with a newline":    {app("appToken", value+"\r\n"), nil, ""},
		"pair":                    {app("apiKey", value, "apiSecret", value+"\n"), nil, ""},
		"token beside half":       {app("appToken", value, "apiKey", value), nil, ""},
		"token beside a bad pair": {app("appToken", value, "apiKey", "a b"), nil, ""},
		"empty token and a pair":  {app("appToken", "\n", "apiKey", value, "apiSecret", value), nil, ""},
		"nothing":                 {nil, []string{"appToken", "apiKey", "apiSecret"}, ""},
		"other keys":              {app("token", value), []string{"appToken", "apiKey", "apiSecret"}, ""},
		"all empty":               {app("appToken", "", "apiKey", "", "apiSecret", "\n"), []string{"appToken", "apiKey", "apiSecret"}, ""},
		"no secret":               {app("apiKey", value), []string{"apiSecret"}, "apiKey"},
		"no key":                  {app("apiSecret", value), []string{"apiKey"}, "apiSecret"},
		"leading space":           {app("appToken", " "+value), []string{"appToken"}, ""},
		"trailing space":          {app("appToken", value+" "), []string{"appToken"}, ""},
		"inner newline":           {app("appToken", value+"\n"+value), []string{"appToken"}, ""},
		"inner control":           {app("apiKey", value, "apiSecret", value+"\x00"+value), []string{"apiSecret"}, "apiKey"},
		"not ASCII":               {app("apiKey", value+"é", "apiSecret", "\t"), []string{"apiKey", "apiSecret"}, ""},
		"bad token, good pair":    {app("appToken", "a b", "apiKey", value, "apiSecret", value), []string{"appToken"}, "apiKey"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			client, err := x.Adapter().Open(configFor("https://api.x.com", tc.app))
			if tc.names == nil {
				if err != nil || client.Observe == nil {
					t.Fatalf("got %+v, %v", client, err)
				}
				return
			}
			if err == nil || platform.KindOf(err) != platform.KindInvalid {
				t.Fatalf("got %v, want KindInvalid", err)
			}
			for _, name := range tc.names {
				if !strings.Contains(err.Error(), name) {
					t.Errorf("%q does not name %s", err, name)
				}
			}
			if strings.Contains(err.Error(), value) || tc.never != "" && strings.Contains(err.Error(), tc.never) {
				t.Errorf("%q tells too much", err)
			}
		})
	}
}

func TestOpenChecksTheConfig(t *testing.T) {
	for _, endpoint := range []string{
		"", "api.x.com", "ftp://api.x.com", "https://", "https://api.x.com/", "https://u:p@api.x.com", "https://api.x.com?a=b", "https://%zz",
	} {
		if _, err := x.Adapter().Open(configFor(endpoint, tokenApp())); err == nil || platform.KindOf(err) != platform.KindInvalid {
			t.Errorf("%q: got %v, want KindInvalid", endpoint, err)
		}
	}
	cfg := configFor("https://api.x.com", tokenApp())
	cfg.HTTP = nil
	if _, err := x.Adapter().Open(cfg); err == nil || platform.KindOf(err) != platform.KindInvalid {
		t.Errorf("no HTTP: got %v, want KindInvalid", err)
	}
}

// An app's pair must reach its endpoint alone, and no error may tell it, however
// the token endpoint answers.
func TestTokenEndpointFails(t *testing.T) {
	tests := map[string]struct {
		status  int
		header  string // content type
		body    string
		want    platform.Kind
		retries time.Duration
	}{
		"400":         {400, "application/json", `{"error":"invalid_client","error_description":"` + goodSecret + `"}`, platform.KindUnauthorized, 0},
		"401":         {401, "application/json", `{}`, platform.KindUnauthorized, 0},
		"403 code 99": {403, "application/json", `{"errors":[{"code":99,"message":"` + goodSecret + `"}]}`, platform.KindUnauthorized, 0},
		"429":         {429, "application/json", `{}`, platform.KindRateLimited, time.Minute},
		"503":         {503, "text/html", goodSecret, platform.KindUnavailable, 0},
		"302":         {302, "text/html", goodSecret, platform.KindUnavailable, 0},
		"HTML":        {200, "text/html", "<html>" + goodSecret + "</html>", platform.KindUnavailable, 0},
		"plain text":  {200, "text/plain", "%zz", platform.KindUnavailable, 0},
		"empty":       {200, "application/json", ``, platform.KindUnavailable, 0},
		"no token":    {200, "application/json", `{"token_type":"bearer"}`, platform.KindUnavailable, 0},
		"truncated":   {200, "application/json", `{"token_type":"bearer","access_tok`, platform.KindUnavailable, 0},
		"odd token":   {200, "application/json", `{"access_token":"a\nb"}`, platform.KindUnavailable, 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			o := play(t, pairApp(), func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/oauth2/token" {
					t.Errorf("asked for %s without a token", r.URL.Path)
				}
				w.Header().Set("Content-Type", tc.header)
				w.WriteHeader(tc.status)
				_, _ = fmt.Fprint(w, tc.body)
			})
			_, err := o.Observe(t.Context(), platform.ByID, []platform.AccountRef{{ID: "7"}})
			pe, ok := errors.AsType[*platform.Error](err)
			if !ok || pe.Kind != tc.want || pe.RetryAfter != tc.retries {
				t.Fatalf("got %+v, want %s after %s", err, tc.want, tc.retries)
			}
			for e := err; e != nil; e = errors.Unwrap(e) {
				if strings.Contains(e.Error(), goodSecret) || strings.Contains(e.Error(), goodKey) {
					t.Errorf("%q tells the answer", e)
				}
			}
		})
	}
}

// The oauth2 package loses the cause of an answer that breaks off.
func TestTokenAnswerBreaksOff(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cfg := configFor("https://api.x.com", pairApp())
	cfg.HTTP = &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		body := io.MultiReader(strings.NewReader(`{"access_token":`), readerFunc(func([]byte) (int, error) {
			cancel()
			return 0, errors.New(goodSecret)
		}))
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(body)}, nil
	})}
	client, err := x.Adapter().Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Observe.Observe(ctx, platform.ByID, []platform.AccountRef{{ID: "7"}})
	if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), goodSecret) {
		t.Errorf("got %v", err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
