package control_test

import (
	"net/http"
	"strings"
	"testing"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

func TestReadsAreCountedWhileAskedFor(t *testing.T) {
	w, s := newControl(t)
	if status, _ := call(t, s, "PUT /v1/reads", ""); status != http.StatusNoContent {
		t.Fatalf("PUT: %d", status)
	}
	w.Account(world.X, "1")
	for query, want := range map[string]string{"": `"since": 1`, "?since=2026-11-23T12:00:01Z": `"since": 0`} {
		if status, body := call(t, s, "GET /v1/reads"+query, ""); status != http.StatusOK || !strings.Contains(body, want) || !strings.Contains(body, `"accounts": 1`) {
			t.Errorf("%q: %d: %s", query, status, body)
		}
	}
	if status, _ := call(t, s, "GET /v1/reads?since=noon", ""); status != http.StatusBadRequest {
		t.Errorf("a time that is none: %d", status)
	}
	if status, _ := call(t, s, "DELETE /v1/reads", ""); status != http.StatusNoContent {
		t.Errorf("DELETE: %d", status)
	}
	if _, body := call(t, s, "GET /v1/reads", ""); !strings.Contains(body, `"accounts": 0`) {
		t.Errorf("after the end: %s", body)
	}
}
