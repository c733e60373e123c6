package graphtest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// Limits writes the gauge as headers: the percent as the app's, the minutes as those
// of a portfolio.
func Limits(h http.Header, u platform.Usage, now time.Time) {
	used := u.Limit - u.Remaining
	h.Set("X-App-Usage", fmt.Sprintf(`{"call_count":%d,"total_time":0,"total_cputime":0}`, used))
	h.Set("X-Business-Use-Case-Usage", fmt.Sprintf(
		`{"99887766":[{"type":"pages","call_count":%d,"total_cputime":0,"total_time":0,"estimated_time_to_regain_access":%d}]}`,
		used, int(u.ResetsAt.Sub(now).Minutes())))
}

// Window is what since, until and limit leave of acts, newest first, and whether
// there are more below. until is taken to be exclusive.
func Window(q url.Values, acts []platform.Act) (in []platform.Act, more bool, err error) {
	bounds := map[string]int64{"since": 0, "until": 1 << 40, "limit": 25}
	for name := range bounds {
		if q.Has(name) {
			if bounds[name], err = strconv.ParseInt(q.Get(name), 10, 64); err != nil {
				return nil, false, err
			}
		}
	}
	if bounds["limit"] < 1 || bounds["limit"] > 100 {
		return nil, false, fmt.Errorf("limit %d", bounds["limit"])
	}
	in = slices.DeleteFunc(slices.Clone(acts), func(a platform.Act) bool {
		return !a.At.IsZero() && (a.At.Unix() < bounds["since"] || a.At.Unix() >= bounds["until"])
	})
	if n := int(bounds["limit"]); len(in) > n {
		return in[:n], true, nil
	}
	return in, false, nil
}

// Page is a page of a list.
func Page(data []any, more bool) map[string]any {
	if data == nil {
		data = []any{}
	}
	page := map[string]any{"data": data}
	if more {
		page["paging"] = map[string]any{"next": "https://graph.facebook.com/next", "cursors": map[string]any{"after": "QVFI"}}
	}
	return page
}

// Time writes a time as the Graph API does.
func Time(t time.Time) string { return t.Format("2006-01-02T15:04:05-0700") }
