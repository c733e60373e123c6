package control_test

import (
	"encoding/json"
	"strings"
	"testing"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

var refusals = []struct {
	what, body string
	status     int
	message    string
}{
	{"GET /v1/accounts/X/nobody", "", 404, "not found"},
	{"GET /v1/accounts/MySpace/1", "", 400, "MySpace"},
	{"PATCH /v1/accounts/X/nobody", "{}", 404, "not found"},
	{"PATCH /v1/accounts/X/1", `{"colour":"red"}`, 400, "colour"},
	{"PATCH /v1/accounts/X/1", `{"Handle":"x"}`, 400, "Handle"},
	{"PATCH /v1/accounts/X/1", `{"colour":null}`, 400, "colour"},
	{"PATCH /v1/accounts/X/1", `{"id":"3"}`, 400, "cannot change"},
	{"PATCH /v1/accounts/X/1", `{"id":null}`, 400, "cannot change"},
	{"PATCH /v1/accounts/X/1", `{"handle":"OTHER"}`, 409, "belongs to 2"},
	{"PATCH /v1/accounts/X/1", `{"state":"Gone"}`, 400, "Gone"},
	{"PATCH /v1/accounts/X/1", `{"followers":"many"}`, 400, "followers"},
	{"PATCH /v1/accounts/X/1", `{`, 400, "invalid body"},
	{"PATCH /v1/accounts/X/1", ``, 400, "invalid body"},
	{"PATCH /v1/accounts/X/1", `{} {}`, 400, "more than one value"},
	{"PATCH /v1/accounts/X/1", `{"bio":"` + strings.Repeat("a", 1<<20) + `"}`, 400, "bytes"},
	{"PUT /v1/accounts/X/7", `{"id":"8","handle":"x"}`, 400, "path"},
	{"PUT /v1/accounts/X/7", `{"handle":"edu"}`, 409, "belongs to 1"},
	{"PUT /v1/accounts/X/seven", `{"handle":"x"}`, 400, "seven"},
	{"DELETE /v1/accounts/X/nobody", "", 404, "not found"},
	{"POST /v1/accounts/X/1/recycle", `{}`, 400, "id"},
	{"POST /v1/accounts/X/1/recycle", `{"newID":"2"}`, 409, "exists"},
	{"POST /v1/accounts/X/1/recycle", `{"newId":"2","x":1}`, 400, "unknown field"},
	{"PUT /v1/faults/X", `{"kind":"explode"}`, 400, "refuse"},
	{"PUT /v1/faults/X", `{"kind":"html","endpoint":"/2/user"}`, 400, "/2/users/by"},
	{"PUT /v1/faults/X", `[{"kind":"html"},{}]`, 400, "kind"},
	{"PUT /v1/faults/X", `{"kind":"html","color":1}`, 400, "color"},
	{"PUT /v1/faults/Z", `{"kind":"html"}`, 400, "platform"},
	{"POST /v1/clock", `{"advanceSeconds":-1}`, 400, "advancing"},
	{"POST /v1/clock", `{"advanceSeconds":1e12}`, 400, "advanceSeconds"},
	{"POST /v1/apps/X/zzz/revoke-token", "", 404, "not found"},
	{"POST /v1/apps/X/k/revoke-token", "{", 400, "invalid body"},
	{"POST /v1/apps/X/k/revoke-token", `{"newToken":"b"}`, 400, "old one"},
	{"PUT /v1/apps/X/k/credits", `{}`, 400, "usd is required"},
	{"PUT /v1/apps/X/k/credits", `{"usd":"-1"}`, 400, "creditsUSD"},
	{"PUT /v1/apps/X/zzz/credits", `{"usd":"1"}`, 404, "not found"},
}

func TestRefusals(t *testing.T) {
	w, s := newControl(t)
	before, _ := w.Account(world.X, "1")
	for _, c := range refusals {
		status, answer := call(t, s, c.what, c.body)
		var failure struct{ Error string }
		if err := json.Unmarshal([]byte(answer), &failure); err != nil || status != c.status || !strings.Contains(failure.Error, c.message) {
			t.Errorf("%s %.60s: %d %q, want %d and %q", c.what, c.body, status, answer, c.status, c.message)
		}
	}
	if status, _ := call(t, s, "GET /nowhere", ""); status != 404 {
		t.Errorf("unknown path: %d", status)
	}
	if status, _ := call(t, s, "POST /healthz", ""); status != 405 {
		t.Errorf("unknown method: %d", status)
	}
	if after, _ := w.Account(world.X, "1"); after != before {
		t.Errorf("a refusal changed %+v", after)
	}
}
