package x_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/platformtest"
	"mithaq.dev/mithaq/internal/platform/x"
)

// play opens the adapter on a server that is handle.
func play(t *testing.T, app platform.Secret, handle http.HandlerFunc) platform.Observer {
	t.Helper()
	srv := httptest.NewServer(handle)
	t.Cleanup(srv.Close)
	cfg := configFor(srv.URL, app)
	t.Cleanup(cfg.HTTP.CloseIdleConnections)
	client, err := x.Adapter().Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return client.Observe
}

// desk is a platform whose token can change, and a record of what it was asked.
type desk struct {
	t       *testing.T
	fixture *fixture
	mu      sync.Mutex
	valid   string   // the token that lookups need
	given   []string // the tokens that the token endpoint gives, the last one for ever
	asked   []string // the path of each request
	keys    []string // the ids of each lookup
	fields  []string // the user.fields of each lookup
	refuse  func(fields []string) string
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, r.URL.Path)
	if r.URL.Path == "/oauth2/token" {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"token_type":"bearer","access_token":%q}`, d.given[0])
		d.given = d.given[min(1, len(d.given)-1):]
		return
	}
	if _, _, err := d.fixture.requests.Check(r); err != nil {
		d.t.Errorf("%s: %v", r.URL, err)
	}
	if r.Header.Get("Authorization") != "Bearer "+d.valid {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write(file(d.t, "401.json"))
		return
	}
	fields := strings.Split(r.URL.Query().Get("user.fields"), ",")
	d.keys = append(d.keys, r.URL.Query().Get("ids"))
	d.fields = append(d.fields, r.URL.Query().Get("user.fields"))
	if d.refuse != nil {
		if problem := d.refuse(fields); problem != "" {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprint(w, problem)
			return
		}
	}
	_, _ = w.Write(d.fixture.Answer(platform.ByID, []platformtest.Said{{
		Ref: platform.AccountRef{ID: "7", Handle: "seven"}, Outcome: platform.Found,
	}}))
}

func (d *desk) observe(o platform.Observer) ([]platform.Observation, error) {
	return o.Observe(d.t.Context(), platform.ByID, []platform.AccountRef{{ID: "7"}})
}

func TestTokens(t *testing.T) {
	const token, lookup = "/oauth2/token", "/2/users"
	tests := map[string]struct {
		app   platform.Secret
		valid string
		given []string
		calls int
		asked []string
		want  platform.Kind // of the last call; "" if it is answered
	}{
		"a given token": {tokenApp(), goodToken, nil, 2, []string{lookup, lookup}, ""},
		"a given token is refused": {
			tokenApp(), "another", nil, 1, []string{lookup}, platform.KindUnauthorized,
		},
		"obtained once": {pairApp(), "t1", []string{"t1"}, 3, []string{token, lookup, lookup, lookup}, ""},
		"obtained again when refused": {
			pairApp(), "t2", []string{"t1", "t2"}, 2, []string{token, lookup, token, lookup, lookup}, "",
		},
		"the new one is refused as well": {
			pairApp(), "t3", []string{"t1", "t2"}, 1, []string{token, lookup, token, lookup}, platform.KindUnauthorized,
		},
		"the same one is given again": {
			pairApp(), "t2", []string{"t1"}, 1, []string{token, lookup, token}, platform.KindUnauthorized,
		},
		"token and pair": {
			platform.Secret{x.KeyAppToken: []byte(goodToken), x.KeyAPIKey: []byte(goodKey), x.KeyAPISecret: []byte(goodSecret)},
			goodToken, nil, 1, []string{lookup}, "",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			d := &desk{t: t, fixture: newFixture(t), valid: tc.valid, given: tc.given}
			o := play(t, tc.app, d.ServeHTTP)
			var err error
			for range tc.calls {
				_, err = d.observe(o)
			}
			if !slices.Equal(d.asked, tc.asked) {
				t.Errorf("asked %v, want %v", d.asked, tc.asked)
			}
			if (err == nil) != (tc.want == "") || err != nil && platform.KindOf(err) != tc.want {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

// Many callers at once share one token request.
func TestTokenIsObtainedOnce(t *testing.T) {
	d := &desk{t: t, fixture: newFixture(t), valid: "t1", given: []string{"t1", "t2"}}
	o := play(t, pairApp(), d.ServeHTTP)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := d.observe(o); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(d.asked) - len(d.fields); n != 1 {
		t.Errorf("%d token requests, want 1", n)
	}
}

// A caller whose context ends does not wait for another's token request, nor for
// the rest of the answer to its own.
func TestTokenRequestIsCancelled(t *testing.T) {
	held := make(chan struct{}, 1)
	o := play(t, pairApp(), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":`))
		_ = http.NewResponseController(w).Flush()
		held <- struct{}{}
		<-r.Context().Done()
	})
	refs := []platform.AccountRef{{ID: "7"}}
	first, cancelFirst := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := o.Observe(first, platform.ByID, refs)
		done <- err
	}()
	<-held
	second, cancelSecond := context.WithCancel(t.Context())
	cancelSecond()
	if _, err := o.Observe(second, platform.ByID, refs); !errors.Is(err, context.Canceled) {
		t.Errorf("the one that waits: got %v", err)
	}
	cancelFirst()
	if err := <-done; !errors.Is(err, context.Canceled) || platform.KindOf(err) != platform.KindUnavailable {
		t.Errorf("the one that asks: got %v", err)
	}
}

func TestAccountIsAskedForOnce(t *testing.T) {
	d := &desk{t: t, fixture: newFixture(t), valid: goodToken}
	got, err := play(t, tokenApp(), d.ServeHTTP).Observe(t.Context(), platform.ByID, []platform.AccountRef{{ID: "7"}, {ID: "8"}, {ID: "7"}})
	if err != nil || len(got) != 3 || got[0].Outcome != platform.Found || got[2].Outcome != platform.Found {
		t.Errorf("got %+v, %v", got, err)
	}
	if want := []string{"7,8"}; !slices.Equal(d.keys, want) {
		t.Errorf("asked for %v, want %v", d.keys, want)
	}
}

func TestUnknownFieldIsDropped(t *testing.T) {
	const gone = "most_recent_tweet_id"
	invalid := func(parameters, message string) string {
		return fmt.Sprintf(`{"errors":[{"parameters":{%s},"message":%q}],"title":"Invalid Request",`+
			`"type":"https://api.twitter.com/2/problems/invalid-request"}`, parameters, message)
	}
	tests := map[string]struct {
		problem func(fields []string) string
		drops   []string
		want    platform.Kind // "" if it is answered
	}{
		"the value is named": {func([]string) string {
			return invalid(`"user.fields":["most_recent_tweet_id"]`, "unknown")
		}, []string{gone}, ""},
		"the list is repeated, the message names it": {func(f []string) string {
			return invalid(`"user.fields":["`+strings.Join(f, ",")+`"]`,
				"The `user.fields` query parameter value [most_recent_tweet_id] is not one of [created_at,description]")
		}, []string{gone}, ""},
		"the list is repeated": {func(f []string) string {
			return invalid(`"user.fields":["`+strings.Join(f, `","`)+`"]`, "unknown")
		}, []string{gone}, ""},
		"nothing of ours is named": {func([]string) string {
			return invalid(`"user.fields":["x"]`, "unknown")
		}, []string{gone}, ""},
		"two are named": {func([]string) string {
			return invalid(`"user.fields":["entities","most_recent_tweet_id"]`, "unknown")
		}, []string{"entities", gone}, ""},
		"another parameter": {func([]string) string { return invalid(`"ids":["7"]`, "[url] [description]") }, nil, platform.KindInvalid},
		"no errors":         {func([]string) string { return `{"title":"Invalid Request"}` }, nil, platform.KindInvalid},
		"no JSON":           {func([]string) string { return `<html>` }, nil, platform.KindUnavailable},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			d := &desk{t: t, fixture: newFixture(t), valid: goodToken}
			d.refuse = func(fields []string) string {
				if slices.Contains(fields, gone) {
					return tc.problem(fields)
				}
				return ""
			}
			o := play(t, tokenApp(), d.ServeHTTP)
			got, err := d.observe(o)
			if tc.want != "" {
				if err == nil || platform.KindOf(err) != tc.want || len(d.asked) != 1 {
					t.Errorf("got %v after %d requests, want %s after one", err, len(d.asked), tc.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if p := got[0].Profile; !p.Unread.Has(platform.FieldLastPost) ||
				p.Unread.Has(platform.FieldWebsite) != slices.Contains(tc.drops, "entities") || p.Unread.Has(platform.FieldBio) {
				t.Errorf("unread is %b", p.Unread)
			}
			if _, err := d.observe(o); err != nil || len(d.asked) != 3 {
				t.Errorf("%d requests (%v), want 3: the field was not remembered", len(d.asked), err)
			}
			want := slices.DeleteFunc(strings.Split(d.fields[0], ","), func(f string) bool { return slices.Contains(tc.drops, f) })
			if again := strings.Join(want, ","); d.fields[1] != again || d.fields[2] != again {
				t.Errorf("asked again for %v, want %s", d.fields[1:], again)
			}
		})
	}
}

// A platform that refuses every field in turn costs two requests, not more.
func TestRefusingForEver(t *testing.T) {
	d := &desk{t: t, fixture: newFixture(t), valid: goodToken}
	d.refuse = func(fields []string) string {
		return fmt.Sprintf(`{"errors":[{"parameters":{"user.fields":[%q]},"message":"no"}]}`, fields[0])
	}
	_, err := d.observe(play(t, tokenApp(), d.ServeHTTP))
	if err == nil || platform.KindOf(err) != platform.KindInvalid || len(d.asked) != 2 {
		t.Errorf("got %v after %d requests, want KindInvalid after two", err, len(d.asked))
	}
}
