package platform

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// ErrNotJSON says that an answer is empty, is not JSON, or is not the JSON that was
// asked for.
var ErrNotJSON = errors.New("the answer is not the JSON that was asked for")

// Answer is a platform's answer, read to its end.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do performs req, counted under the endpoint's template, and reads the answer.
// An answer other than 200 is no error here, and neither is one whose body cannot
// be read: its status says enough. The error is that of CallError.
func Do(client *http.Client, op, endpoint string, req *http.Request) (*Answer, error) {
	ctx := req.Context()
	resp, err := client.Do(req.WithContext(WithEndpoint(ctx, endpoint)))
	if err != nil {
		return nil, CallError(ctx, op, err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer := &Answer{Status: resp.StatusCode, Header: resp.Header}
	body, err := io.ReadAll(resp.Body)
	if err == nil {
		answer.Body = body
		return answer, nil
	}
	if resp.StatusCode == http.StatusOK || ctx.Err() != nil {
		return nil, CallError(ctx, op, err)
	}
	return answer, nil
}

// DecodeJSON decodes the answer's body, all of it one JSON value. Anything else
// (HTML, nothing, half an answer, other types) is an *Error of KindUnavailable.
func (a *Answer) DecodeJSON(op string, into any) error {
	if err := json.Unmarshal(a.Body, into); err != nil {
		return &Error{Kind: KindUnavailable, Op: op, Status: a.Status, Err: ErrNotJSON}
	}
	return nil
}
