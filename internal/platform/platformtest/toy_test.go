package platformtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/platformtest"
)

// toy is an adapter of a platform that does not exist: two accounts per request,
// GET /things?id=1,2 or ?name=a,b, with a key, answered with [{"id","name","is"}].
// A fault makes it wrong in one way.
type toy struct {
	cfg   platform.Config
	fault string
}

const toyBatch = 2

func toyAdapter(fault string) platform.Adapter {
	limits := platform.Read{Batch: toyBatch, Charges: []platform.Charge{{Bucket: "things", PerRequest: 1}}}
	return platform.Adapter{
		Name: "Toy", Endpoint: "https://toy.example",
		Budgets:  []platform.Budget{{Bucket: "things", Kind: platform.BudgetWindow, Limit: 100, Window: time.Hour}},
		Profiles: map[platform.Lookup]platform.Read{platform.ByID: limits, platform.ByHandle: limits},
		Open: func(cfg platform.Config) (*platform.Client, error) {
			if len(cfg.App["key"]) == 0 && fault != "opens without a key" {
				return nil, &platform.Error{Kind: platform.KindInvalid, Op: "open", Err: errors.New("key is missing")}
			}
			return &platform.Client{Observe: &toy{cfg, fault}}, nil
		},
	}
}

type thing struct{ ID, Name, Is string }

func (a *toy) Observe(ctx context.Context, by platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
	if by != platform.ByID && by != platform.ByHandle || len(refs) > toyBatch && a.fault != "no batch limit" {
		return nil, a.fail(platform.KindInvalid, errors.New("refused"))
	}
	var keys []string
	for _, ref := range refs {
		if key := toyKey(by, ref); validToy(key) || a.fault == "sends anything" {
			keys = append(keys, key)
		}
	}
	var things []thing
	if len(keys) > 0 || a.fault == "asks for nothing" {
		var err error
		if things, err = a.ask(ctx, by, keys); err != nil {
			return nil, err
		}
	}
	out := make([]platform.Observation, len(refs))
	for i, ref := range refs {
		out[i] = a.judge(by, ref, things)
	}
	if a.fault == "loses the last" && len(out) > 1 {
		out = out[:len(out)-1]
	}
	return out, nil
}

func toyKey(by platform.Lookup, ref platform.AccountRef) string {
	if by == platform.ByID {
		return ref.ID
	}
	return ref.Handle
}

func validToy(key string) bool {
	return key != "" && !strings.ContainsFunc(key, func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzT0123456789", r) })
}

func (a *toy) judge(by platform.Lookup, ref platform.AccountRef, things []thing) platform.Observation {
	o := platform.Observation{Ref: ref, Outcome: platform.Unanswered}
	if !validToy(toyKey(by, ref)) && a.fault != "sends anything" {
		o.Err = a.fail(platform.KindInvalid, errors.New("malformed"))
		return o
	}
	said := map[string]thing{}
	for _, th := range things {
		key := toyKey(by, platform.AccountRef{ID: th.ID, Handle: th.Name})
		if strings.EqualFold(key, toyKey(by, ref)) || a.fault == "believes foreigners" {
			said[th.Is] = th
		}
	}
	if len(said) == 0 && a.fault == "silence is absence" {
		return platform.Observation{Ref: ref, Outcome: platform.NotFound}
	}
	if len(said) != 1 && !(len(said) > 1 && a.fault == "believes contradictions") {
		o.Err = a.fail(platform.KindUnavailable, errors.New("not answered once"))
		return o
	}
	for is, th := range said {
		o.Outcome = platform.Outcome(is)
		if is == string(platform.Found) {
			o.Profile = &platform.Profile{ID: th.ID, Handle: th.Name}
			if a.fault == "answers with the question" && by == platform.ByID {
				o.Profile.Handle = ref.Handle
			}
		}
	}
	return o
}

func (a *toy) ask(ctx context.Context, by platform.Lookup, keys []string) ([]thing, error) {
	if a.fault == "ignores its context" {
		ctx = context.WithoutCancel(ctx)
	}
	parameter := map[platform.Lookup]string{platform.ByID: "id", platform.ByHandle: "name"}[by]
	req, err := http.NewRequestWithContext(ctx, http.MethodGet,
		a.cfg.Endpoint+"/things?"+url.Values{parameter: {strings.Join(keys, ",")}}.Encode(), http.NoBody)
	if err != nil {
		return nil, a.fail(platform.KindInvalid, errors.New("no request"))
	}
	req.Header.Set("Authorization", string(a.cfg.App["key"]))
	if a.fault == "brings its own client" {
		a.cfg.HTTP = &http.Client{Timeout: time.Second}
	}
	answer, err := platform.Do(a.cfg.HTTP, "things", "/things", req)
	if err != nil {
		if a.fault == "tells the URL" {
			_, err = a.cfg.HTTP.Do(req)
		}
		return nil, err
	}
	if a.fault != "keeps the limits to itself" {
		a.tell(answer.Header)
	}
	var things []thing
	switch {
	case answer.Status == http.StatusTooManyRequests && a.fault != "429 is an outage":
		reset, err := strconv.ParseInt(answer.Header.Get("Reset"), 10, 64)
		wait := time.Minute
		if err == nil {
			wait = time.Unix(reset, 0).Sub(a.cfg.Now())
		}
		return nil, &platform.Error{Kind: platform.KindRateLimited, Op: "things", RetryAfter: wait}
	case answer.Status != http.StatusOK && a.fault != "reads any status":
		return nil, a.fail(platform.KindUnavailable, errors.New("no answer"))
	case a.fault == "tells the answer":
		if json.Unmarshal(answer.Body, &things) != nil {
			return nil, a.fail(platform.KindUnavailable, fmt.Errorf("not JSON: %.200s", answer.Body))
		}
	case a.fault == "reads half":
		_ = json.NewDecoder(strings.NewReader(string(answer.Body))).Decode(&things)
	}
	return things, answer.DecodeJSON("things", &things)
}

func (a *toy) tell(h http.Header) {
	limit, err1 := strconv.Atoi(h.Get("Limit"))
	left, err2 := strconv.Atoi(h.Get("Left"))
	reset, err3 := strconv.ParseInt(h.Get("Reset"), 10, 64)
	if errors.Join(err1, err2, err3) == nil {
		a.cfg.Usage(platform.Usage{Bucket: "things", Limit: limit, Remaining: left, ResetsAt: time.Unix(reset, 0)})
	}
}

func (a *toy) fail(kind platform.Kind, err error) error {
	if a.fault == "tells its key" {
		err = fmt.Errorf("%w with %s", err, a.cfg.App["key"])
	}
	if a.fault == "errors of its own" {
		return err
	}
	return &platform.Error{Kind: kind, Op: "things", Err: err}
}

// toyFixture is the toy's platform.
type toyFixture struct{}

func (toyFixture) Account(i int) platform.AccountRef {
	return platform.AccountRef{ID: strconv.Itoa(i + 1), Handle: "T" + strconv.FormatInt(int64(i), 36)}
}

func (toyFixture) Parse(r *http.Request) (platform.Lookup, []string, error) {
	if r.URL.Path != "/things" || r.Header.Get("Authorization") != toyKeyValue {
		return "", nil, errors.New("no such thing")
	}
	if ids := r.URL.Query().Get("id"); ids != "" {
		return platform.ByID, strings.Split(ids, ","), nil
	}
	return platform.ByHandle, strings.Split(r.URL.Query().Get("name"), ","), nil
}

func (toyFixture) Aux(http.ResponseWriter, *http.Request) bool { return false }

func (toyFixture) Answer(_ platform.Lookup, said []platformtest.Said) []byte {
	things := []thing{}
	for _, s := range said {
		things = append(things, thing{s.Ref.ID, s.Ref.Handle, string(s.Outcome)})
	}
	b, err := json.Marshal(things)
	if err != nil {
		panic(err)
	}
	return b
}

func (toyFixture) Limits(h http.Header, u platform.Usage) {
	h.Set("Limit", strconv.Itoa(u.Limit))
	h.Set("Left", strconv.Itoa(u.Remaining))
	h.Set("Reset", strconv.FormatInt(u.ResetsAt.Unix(), 10))
}
