package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"mithaq.dev/mithaq/internal/platform"
)

// BatchSize is the number of items that one post can hold (batch-requests).
const BatchSize = 50

// sampling is how many batches go by between two whose items carry headers, which
// are as long as a small answer.
const sampling = 10

var (
	errBatch  = errors.New("more items than one request can hold")
	errPlaces = errors.New("the answer does not have one place for each item")
	errEmpty  = errors.New("the platform left the item's place empty twice")
)

// Item is one read of a batch.
type Item struct {
	// Path is relative to the version: an id, or an id and an edge.
	Path  string
	Query url.Values
	// Token is the item's own; empty: that of the batch.
	Token platform.Token
}

// Place is what came back for an item: a JSON object without an error, or Err.
type Place struct {
	Body []byte
	Err  *platform.Error
	// shared: Err is about the app or the token of the batch, not about the item.
	shared bool
}

type wirePlace struct {
	Code    int          `json:"code"`
	Body    string       `json:"body"`
	Headers []wireHeader `json:"headers"`
}

type wireHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Batch reads at most BatchSize items with one request, and those whose place came
// back empty (the platform ran out of time) with one more. There is one Place for
// each item, in order. An error means that nothing was answered, or that everything
// was refused for one reason that has nothing to do with the items.
func (c *Client) Batch(ctx context.Context, op string, items []Item) ([]Place, error) {
	if len(items) > BatchSize {
		return nil, &platform.Error{Kind: platform.KindInvalid, Op: op, Err: errBatch}
	}
	if len(items) == 0 {
		return nil, nil
	}
	wire, err := c.post(ctx, op, items)
	if err != nil {
		return nil, err
	}
	var empty []int
	var again []Item
	for i, w := range wire {
		if w == nil {
			empty, again = append(empty, i), append(again, items[i])
		}
	}
	var lost *platform.Error
	if len(again) > 0 {
		second, err := c.post(ctx, op, again)
		if err != nil {
			lost = platform.CallError(ctx, op, err)
		}
		for j, w := range second {
			wire[empty[j]] = w
		}
	}
	places := make([]Place, len(items))
	for i, w := range wire {
		places[i] = c.place(op, w, lost)
	}
	return places, refusedAlike(places)
}

// post sends one batch and returns a place for each item, nil where it is empty.
func (c *Client) post(ctx context.Context, op string, items []Item) ([]*wirePlace, error) {
	body, own, err := c.batchBody(items)
	if err != nil {
		return nil, &platform.Error{Kind: platform.KindInvalid, Op: op, Err: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.cfg.Endpoint+"/"+Version+"/", strings.NewReader(body))
	if err != nil {
		return nil, &platform.Error{Kind: platform.KindInvalid, Op: op, Err: errRequest}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := c.do(op, "/batch", req, own)
	if err != nil {
		return nil, err
	}
	if !isArray(answer) {
		if e := Refusal(op, answer, c.cfg.Now()); e != nil {
			return nil, e
		}
	}
	var wire []*wirePlace
	if err := answer.DecodeJSON(op, &wire); err != nil {
		return nil, err
	}
	if len(wire) != len(items) {
		return nil, &platform.Error{Kind: platform.KindUnavailable, Op: op, Status: answer.Status, Err: errPlaces}
	}
	c.sampled(wire, own)
	return wire, nil
}

// isArray reports whether a 200 holds an array, as the answer to a batch does.
func isArray(answer *platform.Answer) bool {
	return answer.Status == http.StatusOK && bytes.HasPrefix(bytes.TrimLeft(answer.Body, " \t\r\n"), []byte("["))
}

// batchBody is the form of a batch, and the ids that its items are about.
func (c *Client) batchBody(items []Item) (string, map[string]bool, error) {
	type wireItem struct {
		Method string `json:"method"`
		URL    string `json:"relative_url"`
	}
	list, own := make([]wireItem, len(items)), make(map[string]bool, len(items))
	for i, item := range items {
		query := url.Values{}
		for name, values := range item.Query {
			query[name] = values
		}
		if item.Token != "" {
			query.Set("access_token", string(item.Token))
			query = c.prove(query, item.Token)
		}
		list[i] = wireItem{http.MethodGet, item.Path + "?" + query.Encode()}
		id, _, _ := strings.Cut(item.Path, "/")
		own[id] = true
	}
	encoded, err := json.Marshal(list)
	if err != nil {
		return "", nil, errRequest
	}
	token := c.Keys.Reads()
	form := c.prove(url.Values{"access_token": {string(token)}, "batch": {string(encoded)}}, token)
	form.Set("include_headers", strconv.FormatBool(c.sample()))
	return form.Encode(), own, nil
}

// sample reports whether the headers of this batch's items are wanted.
func (c *Client) sample() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.batches++
	return c.batches%sampling == 0
}

// sampled tells the worst gauge of the items, if their headers came back.
func (c *Client) sampled(wire []*wirePlace, own map[string]bool) {
	var worst gauge
	for _, w := range wire {
		if w != nil && len(w.Headers) > 0 {
			h := w.header()
			c.notice(h)
			worst.merge(gaugeOf(h, own))
		}
	}
	if worst.told {
		c.cfg.Usage(worst.usage(c.cfg.Now()))
	}
}

func (w *wirePlace) header() http.Header {
	h := make(http.Header, len(w.Headers))
	for _, one := range w.Headers {
		h.Add(one.Name, one.Value)
	}
	return h
}

func (c *Client) place(op string, w *wirePlace, lost *platform.Error) Place {
	switch {
	case w == nil && lost != nil:
		return Place{Err: lost}
	case w == nil:
		return Place{Err: &platform.Error{Kind: platform.KindUnavailable, Op: op, Status: http.StatusOK, Err: errEmpty}}
	}
	answer := &platform.Answer{Status: w.Code, Header: w.header(), Body: []byte(w.Body)}
	if e, shared := refusal(op, answer, c.cfg.Now()); e != nil {
		return Place{Err: e, shared: shared}
	}
	return Place{Body: answer.Body}
}

// refusedAlike is the error that every place has, if it is about the app or the
// token: then it is an answer about no account.
func refusedAlike(places []Place) error {
	var worst *platform.Error
	for _, p := range places {
		if p.Err == nil || !p.shared || worst != nil && p.Err.Kind != worst.Kind {
			return nil
		}
		if worst == nil || p.Err.RetryAfter > worst.RetryAfter {
			worst = p.Err
		}
	}
	return worst
}
