package x

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"mithaq.dev/mithaq/internal/platform"
)

// lookup is one way to look users up.
type lookup struct {
	op, endpoint, bucket string
	// parameter carries the keys, and names them again in errors[].parameter.
	parameter string
	valid     func(key string) bool
	keyOf     func(platform.AccountRef) string
	nameOf    func(*user) string
}

// lookups are the two batch lookups of x.md, section 3.
var lookups = map[platform.Lookup]lookup{
	platform.ByID: {
		op: "users.lookup", endpoint: "/2/users", bucket: "users", parameter: "ids",
		valid:  isID,
		keyOf:  func(r platform.AccountRef) string { return r.ID },
		nameOf: func(u *user) string { return u.ID },
	},
	platform.ByHandle: {
		op: "users.by", endpoint: "/2/users/by", bucket: "users/by", parameter: "usernames",
		valid:  isHandle,
		keyOf:  func(r platform.AccountRef) string { return lower(r.Handle) },
		nameOf: func(u *user) string { return lower(u.Username) },
	},
}

var (
	errBatch   = errors.New("more accounts than one request can name")
	errLookup  = errors.New("no such lookup")
	errRequest = errors.New("the request cannot be built")
	errBadRef  = errors.New("the account's id or handle is empty or malformed")
)

// observer implements platform.Observer.
type observer struct {
	*sender
	fields fields
}

// Observe looks refs up with one request, two where X refuses a field name or a
// token that was obtained earlier. A ref that is empty or malformed is Unanswered
// with KindInvalid and is not sent: it must not cost the others their answer.
func (o *observer) Observe(
	ctx context.Context, by platform.Lookup, refs []platform.AccountRef,
) ([]platform.Observation, error) {
	l, ok := lookups[by]
	if !ok {
		return nil, invalid("users", errLookup)
	}
	if len(refs) > batch {
		return nil, invalid(l.op, errBatch)
	}
	q := newQuestion(l, refs)
	if len(q.keys) == 0 {
		return q.observations(), nil
	}
	asked := o.fields.ask()
	answer, err := o.send(ctx, q, asked)
	if err != nil {
		return nil, err
	}
	if answer.Status == http.StatusBadRequest && o.fields.drop(asked, answer) {
		asked = o.fields.ask()
		if answer, err = o.send(ctx, q, asked); err != nil {
			return nil, err
		}
	}
	return q.read(answer, asked, o.cfg.Now())
}

// send asks for the wanted fields of the question's accounts.
func (o *observer) send(ctx context.Context, q *question, asked []string) (*platform.Answer, error) {
	query := url.Values{q.parameter: {strings.Join(q.keys, ",")}}
	if len(asked) > 0 {
		query.Set(parameterFields, strings.Join(asked, ","))
	}
	return o.read(ctx, call{op: q.op, endpoint: q.endpoint, bucket: q.bucket, query: query})
}

// isID is the schema UserId.
func isID(s string) bool { return between(s, 1, 19, isDigit) }

// isHandle is the schema UserName.
func isHandle(s string) bool { return between(s, 1, 15, isWord) }

func between(s string, least, most int, ok func(byte) bool) bool {
	if len(s) < least || len(s) > most {
		return false
	}
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWord(c byte) bool {
	return isDigit(c) || c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// lower folds ASCII alone: strings.ToLower turns the Kelvin sign into a k, and
// with it another account's name into the one that was asked for.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + ('a' - 'A')
		}
	}
	return string(b)
}
