package meta

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/meta/field"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

var errCursor = errors.New("invalid cursor")

// A cursor names a post and its time, so that it holds if that post goes.
func cursor(p world.Post) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(p.Created.Unix(), 10) + "/" + p.ID))
}

// find is where the post of a cursor stands, or stood.
func find(posts []world.Post, text string) (int, error) {
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return 0, errCursor
	}
	seconds, id, ok := strings.Cut(string(data), "/")
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if !ok || err != nil {
		return 0, errCursor
	}
	last := -1
	for i, p := range posts {
		if p.ID == id {
			return i, nil
		}
		if p.Created.Unix() >= unix {
			last = i
		}
	}
	return last, nil
}

func (p postPage) cursors(o *field.Object, next string) {
	if p.before == "" {
		return
	}
	o.Object("paging", func(o *field.Object) {
		o.Object("cursors", func(o *field.Object) {
			o.Text("before", p.before)
			o.Text("after", p.after)
		})
		o.Text("next", next)
	})
}

// nextURL repeats the call with the next cursor, without the token.
func (v *view) nextURL(cursor string) string {
	if cursor == "" {
		return ""
	}
	q := url.Values{}
	for name, values := range v.call.params {
		if name != "access_token" && name != "appsecret_proof" && name != "before" {
			q[name] = values
		}
	}
	q.Set("after", cursor)
	return v.req.base + "/" + v.req.version + "/" + strings.Join(v.call.path, "/") + "?" + q.Encode()
}

func parseLimit(text string) (int, *problem) {
	if text == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxLimit {
		return 0, badParameter("Param limit must be a number from 1 to %d", maxLimit)
	}
	return n, nil
}

// parseTime reads Unix seconds, or the format of Graph's own times.
func parseTime(name, text string) (time.Time, *problem) {
	if text == "" {
		return time.Time{}, nil
	}
	if unix, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(unix, 0), nil
	}
	t, err := time.Parse(timeFormat, text)
	if err != nil {
		return time.Time{}, badParameter("Param %s must be a valid datetime", name)
	}
	return t, nil
}

// timeFormat writes +0000, not Z.
const timeFormat = "2006-01-02T15:04:05-0700"

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeFormat)
}
