package x

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

func rateHeaders(limit, remaining, reset string) http.Header {
	h := http.Header{}
	for name, value := range map[string]string{
		"x-rate-limit-limit": limit, "x-rate-limit-remaining": remaining, "x-rate-limit-reset": reset,
	} {
		if value != "" {
			h.Set(name, value)
		}
	}
	return h
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func TestUsage(t *testing.T) {
	soon := testNow.Add(5 * time.Minute)
	usage := func(limit, remaining int, reset time.Time) platform.Usage {
		return platform.Usage{Bucket: "users", Limit: limit, Remaining: remaining, ResetsAt: reset}
	}
	tests := map[string]struct {
		h    http.Header
		want platform.Usage // zero: none
	}{
		"as published":          {rateHeaders("300", "299", unix(soon)), usage(300, 299, soon)},
		"used up":               {rateHeaders("300", "0", unix(soon)), usage(300, 0, soon)},
		"negative":              {rateHeaders("-1", "-1", "-1"), usage(0, 0, testNow)},
		"more than the limit":   {rateHeaders("300", "301", unix(soon)), usage(300, 300, soon)},
		"absurd":                {rateHeaders("9000000000", "8000000000", "9000000000000"), usage(maxLimit, maxLimit, testNow.Add(window))},
		"beyond the window":     {rateHeaders("300", "1", unix(testNow.Add(window+time.Minute))), usage(300, 1, testNow.Add(window))},
		"reset is past":         {rateHeaders("300", "1", unix(testNow.Add(-time.Hour))), usage(300, 1, testNow)},
		"none":                  {http.Header{}, platform.Usage{}},
		"no limit":              {rateHeaders("", "1", unix(soon)), platform.Usage{}},
		"no remaining":          {rateHeaders("300", "", unix(soon)), platform.Usage{}},
		"no reset":              {rateHeaders("300", "1", ""), platform.Usage{}},
		"not a number":          {rateHeaders("many", "1", unix(soon)), platform.Usage{}},
		"a fraction":            {rateHeaders("300", "1.5", unix(soon)), platform.Usage{}},
		"beyond 64 bits":        {rateHeaders("300", "99999999999999999999", unix(soon)), platform.Usage{}},
		"reset is not a number": {rateHeaders("300", "1", "soon"), platform.Usage{}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, ok := usageOf("users", tc.h, testNow)
			if got != tc.want || ok != (tc.want != platform.Usage{}) {
				t.Errorf("got %+v, %v; want %+v", got, ok, tc.want)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	const badGateway = "<html>blocked</html>"
	tests := map[string]struct {
		status int
		body   string
		want   platform.Kind
	}{
		"401":                   {401, testdata(t, "401.json"), platform.KindUnauthorized},
		"401 with a code":       {401, testdata(t, "401-code.json"), platform.KindUnauthorized},
		"401 without a body":    {401, "", platform.KindUnauthorized},
		"402":                   {402, testdata(t, "402.json"), platform.KindBudgetExhausted},
		"403 client-forbidden":  {403, testdata(t, "403-forbidden.json"), platform.KindUnauthorized},
		"403 unsupported":       {403, testdata(t, "403-auth.json"), platform.KindUnauthorized},
		"403 locked":            {403, testdata(t, "403-locked.json"), platform.KindUnauthorized},
		"403 resource":          {403, testdata(t, "403-resource.json"), platform.KindInvalid},
		"403 without a type":    {403, `{"title":"Forbidden","type":"about:blank","status":403}`, platform.KindInvalid},
		"403 of a firewall":     {403, badGateway, platform.KindUnavailable},
		"400":                   {400, testdata(t, "400.json"), platform.KindInvalid},
		"400 of a proxy":        {400, badGateway, platform.KindUnavailable},
		"429 code 88":           {429, testdata(t, "429-code.json"), platform.KindRateLimited},
		"429 problem":           {429, testdata(t, "429-problem.json"), platform.KindRateLimited},
		"429 without a body":    {429, "", platform.KindRateLimited},
		"429 usage-capped":      {429, testdata(t, "429-capped.json"), platform.KindBudgetExhausted},
		"429 capped in errors":  {429, `{"errors":[` + testdata(t, "429-capped.json") + `]}`, platform.KindBudgetExhausted},
		"404":                   {404, badGateway, platform.KindUnavailable},
		"410":                   {410, `{}`, platform.KindUnavailable},
		"500":                   {500, testdata(t, "400.json"), platform.KindUnavailable},
		"503 that says missing": {503, missing, platform.KindUnavailable},
		"201 with an answer":    {201, testdata(t, "users.json"), platform.KindUnavailable},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := readBody(platform.ByID, tc.status, tc.body, id("7"))
			if err == nil || platform.KindOf(err) != tc.want || got != nil {
				t.Errorf("got %+v, %v; want %s", got, err, tc.want)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	tests := map[string]struct {
		reset string
		want  time.Duration
	}{
		"in five minutes": {unix(testNow.Add(5 * time.Minute)), 5 * time.Minute},
		"absent":          {"", 60 * time.Second},
		"malformed":       {"soon", 60 * time.Second},
		"past":            {unix(testNow.Add(-time.Minute)), time.Second},
		"a bit too far":   {unix(testNow.Add(window + time.Minute)), window},
		"next century":    {"4102444800", window},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			answer := answerOf(http.StatusTooManyRequests, testdata(t, "429-code.json"))
			answer.Header = rateHeaders("", "", tc.reset)
			if got := refusal("op", answer, testNow).RetryAfter; got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}
