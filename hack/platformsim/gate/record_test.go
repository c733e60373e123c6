package gate_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// recorded serves a token endpoint that echoes its form.
func recorded(t *testing.T) (*world.World, string) {
	t.Helper()
	w := world.New(clocktesting.NewFakeClock(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)))
	g := gate.Gate{World: w, Platform: world.X, Render: plain{}}
	s := httptest.NewServer(g.Recorded("/token", gate.TokenEffect, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		form, ok := gate.Form(rw, r)
		if !ok {
			rw.WriteHeader(http.StatusBadRequest)
			return
		}
		gate.Record(r.Context()).Note(func(c *world.Call) { c.Accepted = true })
		_, _ = io.WriteString(rw, form.Encode())
	})))
	t.Cleanup(s.Close)
	return w, s.URL
}

func TestARecordBeginsBeforeTheFault(t *testing.T) {
	w, at := recorded(t)
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"secret"}}
	for _, kind := range []world.FaultKind{world.FaultRefuse, world.FaultStatus, world.FaultLostAnswer} {
		if err := w.SetFaults(world.X, world.Fault{Kind: kind}); err != nil {
			t.Fatal(err)
		}
		if resp, err := http.PostForm(at, form); err == nil {
			_ = resp.Body.Close()
		}
	}
	if err := w.SetFaults(world.X); err != nil {
		t.Fatal(err)
	}
	resp, err := http.PostForm(at, form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != form.Encode() {
		t.Errorf("the handler saw %q (%v)", body, err)
	}
	want := []struct {
		status   int
		accepted bool
	}{{0, false}, {503, false}, {0, true}, {200, true}}
	calls := w.History().Calls
	if len(calls) != len(want) {
		t.Fatalf("%d calls", len(calls))
	}
	for i, c := range calls {
		if c.Status != want[i].status || c.Accepted != want[i].accepted || c.Effect != "refresh" || c.EndedSeq == 0 || c.Sent[0].Fingerprint != w.Fingerprint("secret") {
			t.Errorf("call %d: %+v", i, c)
		}
	}
}

func TestFormsThatAreNone(t *testing.T) {
	w, at := recorded(t)
	for name, body := range map[string]string{"json": `{"grant_type":"refresh_token"}`, "huge": "a=" + strings.Repeat("x", gate.MaxForm)} {
		kind := "application/json"
		if name == "huge" {
			kind = "application/x-www-form-urlencoded"
		}
		resp, err := http.Post(at, kind, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
	if calls := w.History().Calls; len(calls) != 2 || calls[0].Effect != "mint" {
		t.Errorf("history %+v", calls)
	}
}
