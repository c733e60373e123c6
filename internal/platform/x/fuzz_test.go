package x

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"mithaq.dev/mithaq/internal/platform"
)

func FuzzDecodeUsers(f *testing.F) {
	f.Add([]byte(testdata(f, "users.json")), "2244994945 1234567890 481186914", false, false)
	f.Add([]byte(testdata(f, "users.json")), "XDevelopers xdevelopers @nobody", true, false)
	f.Add([]byte(`{"data":[{`+minimal+`}],"errors":[`+missing+`]}`), "7 7  8", false, false)
	f.Add([]byte(`{"data":[{`+minimal+`,"description":7}]}`), "7", false, false)
	f.Add([]byte(suspended), "7", false, true)
	f.Add([]byte(`{"errors":[{"value":"","type":"/resource-not-found"}]}`), " ", true, true)
	f.Add([]byte(`{"DATA":[null,{"id":"7"}]}`), "7", false, false)
	f.Fuzz(func(t *testing.T, body []byte, names string, byHandle, notFound bool) {
		by, status := platform.ByID, http.StatusOK
		if byHandle {
			by = platform.ByHandle
		}
		if notFound {
			status = http.StatusNotFound
		}
		var refs []platform.AccountRef
		for _, name := range strings.Split(names, " ") {
			ref := id(name)
			if byHandle {
				ref = handle(name)
			}
			refs = append(refs, ref)
		}
		got, err := readBody(by, status, string(body), refs...)
		if err != nil {
			if got != nil || platform.KindOf(err) != platform.KindUnavailable {
				t.Fatalf("%d observations beside %v", len(got), err)
			}
			return
		}
		if len(got) != len(refs) {
			t.Fatalf("%d observations of %d", len(got), len(refs))
		}
		for i, o := range got {
			if err := coherent(by, refs[i], o, body); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// coherent checks one observation against the answer, read in another way.
func coherent(by platform.Lookup, ref platform.AccountRef, o platform.Observation, body []byte) error {
	if o.Ref != ref || (o.Profile != nil) != (o.Outcome == platform.Found) || (o.Err != nil) != (o.Outcome == platform.Unanswered) {
		return fmt.Errorf("%+v for %+v", o, ref)
	}
	switch o.Outcome {
	case platform.Found:
		if by == platform.ByID && o.Profile.ID != ref.ID ||
			by == platform.ByHandle && lower(o.Profile.Handle) != lower(ref.Handle) {
			return fmt.Errorf("%+v was found for %+v", *o.Profile, ref)
		}
	case platform.NotFound, platform.Suspended:
		if !blamed(body, ref.ID+ref.Handle) {
			return fmt.Errorf("%+v is %s, and no problem names it", ref, o.Outcome)
		}
	case platform.Unanswered:
	default:
		return fmt.Errorf("outcome %q", o.Outcome)
	}
	return nil
}

// blamed reports whether some object in body of the type resource-not-found names key.
func blamed(body []byte, key string) bool {
	var root any
	if json.Unmarshal(body, &root) != nil {
		return false
	}
	var walk func(any) bool
	walk = func(v any) bool {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				if walk(e) {
					return true
				}
			}
		case map[string]any:
			var named, typed bool
			for name, e := range v {
				s, _ := e.(string)
				switch strings.ToLower(name) { // as encoding/json does
				case "value", "resource_id":
					named = named || strings.EqualFold(s, key)
				case "type":
					typed = typed || strings.HasSuffix(s, "resource-not-found")
				}
				if walk(e) {
					return true
				}
			}
			return named && typed
		}
		return false
	}
	return walk(root)
}

func FuzzUsage(f *testing.F) {
	f.Add("300", "299", unix(testNow))
	f.Add("-1", "9223372036854775807", "-9223372036854775808")
	f.Add("", " 1", "0x10")
	f.Add("1e9", "+5", "4102444800")
	f.Fuzz(func(t *testing.T, limit, remaining, reset string) {
		h := http.Header{headerLimit: {limit}, headerRemaining: {remaining}, headerReset: {reset}}
		if u, ok := usageOf("users", h, testNow); ok {
			if u.Bucket != "users" || u.Remaining < 0 || u.Remaining > u.Limit || u.Limit > maxLimit ||
				u.ResetsAt.Before(testNow) || u.ResetsAt.After(testNow.Add(window)) {
				t.Errorf("%+v", u)
			}
		}
		if d := retryAfter(h, testNow); d < retryMin || d > window {
			t.Errorf("retry after %s", d)
		}
	})
}

func BenchmarkDecodeUsers(b *testing.B) {
	var example struct {
		Data []map[string]any `json:"data"`
	}
	if err := json.Unmarshal([]byte(testdata(b, "users.json")), &example); err != nil {
		b.Fatal(err)
	}
	var refs []platform.AccountRef
	var data []json.RawMessage
	for i := range batch {
		u := example.Data[0]
		u["id"] = fmt.Sprint(1_000_000 + i)
		u["description"] = strings.Repeat("حساب رسمي ", 16)
		raw, err := json.Marshal(u)
		if err != nil {
			b.Fatal(err)
		}
		data, refs = append(data, raw), append(refs, id(u["id"].(string)))
	}
	body, err := json.Marshal(map[string]any{"data": data})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		got, err := readBody(platform.ByID, http.StatusOK, string(body), refs...)
		if err != nil || len(got) != batch || got[batch-1].Outcome != platform.Found {
			b.Fatal(err)
		}
	}
}
