package meta_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"mithaq.dev/mithaq/hack/platformsim/meta"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

func fleet(n int, build func(id string) world.Account) []world.Account {
	out := make([]world.Account, n)
	for i := range out {
		out[i] = build(fmt.Sprint(20_000_000_000 + i))
	}
	return out
}

// sweepBodies are the forms of the batches that read a fleet once.
func sweepBodies(t testing.TB, accounts []world.Account, fields string) (bodies []string) {
	t.Helper()
	for from := 0; from < len(accounts); from += 50 {
		var items []map[string]string
		for _, a := range accounts[from:min(from+50, len(accounts))] {
			items = append(items, map[string]string{"method": "GET", "relative_url": a.ID + "?fields=" + url.QueryEscape(fields)})
		}
		data, err := json.Marshal(items)
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, url.Values{"batch": {string(data)}, "access_token": {"sys"}, "include_headers": {"false"}}.Encode())
	}
	return bodies
}

func TestSweepOfTheWholeFleetIsTheMinimumOfPosts(t *testing.T) {
	for fields, build := range map[string]func(string) world.Account{pageFields: page, igFields: insta} {
		accounts := fleet(26_520, build)
		s := newSim(t, meta.Options{}, accounts...)
		read := map[string]bool{}
		bodies := sweepBodies(t, accounts, fields)
		for n, body := range bodies {
			r := s.call(http.MethodPost, "/v26.0/", "", body)
			list, _ := r.body.([]any)
			for i, one := range list {
				text, _ := dig(one, "body").(string)
				want := `{"id":"` + accounts[50*n+i].ID + `",`
				if dig(one, "code") == 200.0 && strings.HasPrefix(text, want) {
					read[text[:len(want)]] = true
				}
			}
		}
		p := accounts[0].Platform
		bucket := map[world.Platform]string{world.Facebook: meta.BucketPages, world.Instagram: meta.BucketInstagram}[p]
		l := s.world.Ledger()
		if len(bodies) != 531 || len(read) != 26_520 || l.Asked(p, meta.EndpointBatch) != 531 || l.BudgetUnits(p, bucket) != 26_520 || l.BudgetExceeded(p) != 0 {
			t.Errorf("%s: %d posts read %d accounts: %+v", p, len(bodies), len(read), l)
		}
	}
}

func BenchmarkSweep(b *testing.B) {
	for name, build := range map[string]func(string) world.Account{"pages": page, "instagram": insta} {
		fields := map[string]string{"pages": pageFields, "instagram": igFields}[name]
		b.Run(name, func(b *testing.B) {
			accounts := fleet(26_520, build)
			s := newSim(b, meta.Options{Engaged: 1 << 30}, accounts...)
			handler := meta.New(s.world, meta.Options{Engaged: 1 << 30})
			bodies := sweepBodies(b, accounts, fields)
			b.ResetTimer()
			for b.Loop() {
				for _, body := range bodies {
					req := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/v26.0/", strings.NewReader(body))
					req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
					w := httptest.NewRecorder()
					handler.ServeHTTP(w, req)
					if n, err := io.Copy(io.Discard, w.Body); w.Code != http.StatusOK || err != nil || n < 1000 {
						b.Fatal(w.Code, n, err)
					}
				}
			}
		})
	}
}
