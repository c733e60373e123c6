package roster

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"

	"mithaq.dev/mithaq/internal/governance"
)

// event is one of a watch, in full: with what nobody here reads.
func event(kind, name string, version int, handle, more string) string {
	return fmt.Sprintf(`{"type":%q,"object":{"apiVersion":"mithaq.dev/v1alpha1","kind":"SocialAccount","metadata":{"name":%q,"namespace":"edu","uid":"6f1c9d1e-0000-4000-8000-%012x",
		"resourceVersion":"%d","creationTimestamp":"2026-11-23T05:00:00Z","labels":{"a":"b"},"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}"},"managedFields":[{"manager":"x"}]%s},
		"spec":{"platform":"X","handle":%q,"tier":"school","owner":{"unit":"riyadh","accountable":"head@edu.example"},"team":[{"person":"team@edu.example","roles":["Manager"]}]},
		"status":{"accountID":"42","conditions":[{"type":"Ready","status":"True"}]}}}`, kind, name, len(name), version, more, handle)
}

// The API server streams the list, ends it with a bookmark, and goes on.
func TestTheStreamFeedsTheRoster(t *testing.T) {
	next := make(chan string)
	asked := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path + "?" + r.URL.RawQuery
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
		for {
			select {
			case text := <-next:
				_, _ = w.Write([]byte(strings.ReplaceAll(text, "\n", " ") + "\n"))
				w.(http.Flusher).Flush()
			case <-r.Context().Done():
				return
			}
		}
	}))
	defer server.Close()
	r := New()
	s, err := NewStream(&rest.Config{Host: server.URL}, r)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Start(ctx) }()
	if got := <-asked; !strings.HasPrefix(got, "/apis/mithaq.dev/v1alpha1/socialaccounts?") || !strings.Contains(got, "watch=true") || !strings.Contains(got, "sendInitialEvents=true") {
		t.Errorf("asked for %s", got)
	}
	next <- event("ADDED", "a", 3, "moe", "")
	next <- event("ADDED", "bb", 4, "MOE", "")
	select {
	case <-s.Synced():
		t.Error("the fleet is known before the list has ended")
	default:
	}
	next <- `{"type":"BOOKMARK","object":{"apiVersion":"mithaq.dev/v1alpha1","kind":"SocialAccount","metadata":{"resourceVersion":"5","creationTimestamp":null,"annotations":{"k8s.io/initial-events-end":"true"}},"spec":{}}}`
	wctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	if !s.Wait(wctx) {
		t.Fatal("the fleet is not known after the list has ended")
	}
	expect := func(what string, want map[Tie]int) {
		t.Helper()
		err := wait.PollUntilContextTimeout(t.Context(), 5*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
			for tie, n := range want {
				if r.Count(tie) != n {
					return false, nil
				}
			}
			return true, nil
		})
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	person := Person(governance.PersonKey("team@edu.example"))
	expect("after the list", map[Tie]int{Handle("X", "moe"): 2, ID("X", "42"): 2, person: 2})
	next <- event("MODIFIED", "a", 6, "ministry", "")
	expect("after a change", map[Tie]int{Handle("X", "moe"): 1, Handle("X", "ministry"): 1})
	next <- event("DELETED", "bb", 7, "MOE", `,"deletionTimestamp":"2026-11-23T06:00:00Z"`)
	expect("after a deletion", map[Tie]int{Handle("X", "moe"): 0, person: 1})
	if r.Accounts() != 1 {
		t.Errorf("%d accounts", r.Accounts())
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
