package facebook

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/graph"
)

// answer is what the platform says to one item of a batch.
type answer struct {
	Code int    `json:"code"`
	Body string `json:"body"`
}

func failing(code int) answer {
	return answer{400, fmt.Sprintf(`{"error":{"message":"no","type":"OAuthException","code":%d}}`, code)}
}

// A Page whose token cannot be had now is not taken for one that shows nothing: it is
// not answered. A Page without a token is asked for with the token of the sweep.
func TestPagesWithoutATokenOfTheirOwn(t *testing.T) {
	var reads []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var items []struct {
			URL string `json:"relative_url"`
		}
		if err := json.Unmarshal([]byte(r.FormValue("batch")), &items); err != nil {
			t.Error(err)
		}
		var answers []answer
		for _, item := range items {
			page, query, _ := strings.Cut(item.URL, "?")
			switch {
			case strings.Contains(query, "fields=id%2Caccess_token"):
				answers = append(answers, map[string]answer{
					"1": {200, `{"id":"1","access_token":"EAAone"}`}, "2": failing(80001), "3": {200, `{"id":"3"}`}, "4": {200, `{"id":"5","access_token":"EAAfive"}`},
				}[page])
			default:
				token := "the sweep's"
				if strings.Contains(query, "access_token=EAAone") {
					token = "its own"
				}
				reads = append(reads, page+" with "+token)
				answers = append(answers, answer{200, `{"data":[]}`})
			}
		}
		if err := json.NewEncoder(w).Encode(answers); err != nil {
			t.Error(err)
		}
	}))
	defer srv.Close()
	client, err := Adapter().Open(platform.Config{
		Endpoint: srv.URL, HTTP: srv.Client(), Now: time.Now, Usage: func(platform.Usage) {},
		App: platform.Secret{graph.KeySystemUserToken: []byte("EAAsys")},
	})
	if err != nil {
		t.Fatal(err)
	}
	var asks []platform.ActivityAsk
	for _, id := range []string{"1", "2", "3", "4"} {
		asks = append(asks, platform.ActivityAsk{Ref: platform.AccountRef{ID: id}, Limit: 10})
	}
	answers, err := client.Activity.Activity(t.Context(), platform.StreamPosts, asks)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range answers {
		if kind := platform.KindOf(a.Err); a.Ref.ID != asks[i].Ref.ID || (a.Err != nil) != (i == 1) || i == 1 && kind != platform.KindRateLimited {
			t.Errorf("answer %d: %+v", i, a)
		}
	}
	want := "1/published_posts with its own, 3/published_posts with the sweep's, 4/published_posts with the sweep's"
	if got := strings.Join(reads, ", "); got != want {
		t.Errorf("read %s\nwant %s", got, want)
	}
}
