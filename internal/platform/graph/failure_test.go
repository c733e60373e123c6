package graph

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

// However the name of the member is written that the decoder takes for "error", it is
// looked at.
func TestNoErrorIsOverlooked(t *testing.T) {
	for _, body := range []string{
		`{"error":{"code":190}}`, `{"Error":{"code":190}}`, `{"id":"1","ERROR" : {"code":190}}`, `{"\u0065rror":{"code":190}}`, `{"err\u004fr":{"code":190}}`,
	} {
		if f := faultOf([]byte(body)); f == nil || f.Code != 190 {
			t.Errorf("%s: got %v", body, f)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`(\\u00[46][5f]|\\u00[57]2|[eEoOrRxſK"]){4,6}`).Draw(t, "name")
		body := []byte(`{"` + name + `":{"code":190}}`)
		var wire struct {
			Error json.RawMessage `json:"error"`
		}
		if json.Unmarshal(body, &wire) == nil && len(wire.Error) > 0 && !mayFail(body) {
			t.Fatalf("%s is an error", body)
		}
	})
}

func TestAPlainAnswerIsNoError(t *testing.T) {
	for _, body := range []string{`{}`, `[]`, ``, `{"id":"1","about":"an error"}`, `{"id":"1","about":"\u0623"}`} {
		if f := faultOf([]byte(body)); f != nil {
			t.Errorf("%s: got %v", body, f)
		}
		if mayFail([]byte(body)) {
			t.Errorf("%s is decoded for nothing", body)
		}
	}
}
