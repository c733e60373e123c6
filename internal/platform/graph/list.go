package graph

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"mithaq.dev/mithaq/internal/platform"
)

// maxPages bounds a list: 50 pages of 100 are more people than any account has.
const (
	maxPages  = 50
	pageLimit = "100"
)

var errEndless = errors.New("the list does not end")

// Edge is a list of a node.
type Edge struct {
	// Op is for errors, Template for metrics.
	Op, Template, Path, Fields string
	Token                      platform.Token
	Query                      url.Values
}

// Page is one page of a list. A list ends where Next is absent, not where a page is
// short.
type Page[T any] struct {
	Data   []T `json:"data"`
	Paging struct {
		Next    string `json:"next"`
		Cursors struct {
			After string `json:"after"`
		} `json:"cursors"`
	} `json:"paging"`
}

// After is the cursor of the next page, or "".
func (p *Page[T]) After() string {
	if p.Paging.Next == "" {
		return ""
	}
	return p.Paging.Cursors.After
}

// List reads a list to its end. Half a list is an error: who is not on it would
// count as gone.
func List[T any](ctx context.Context, c *Client, e Edge) ([]T, error) {
	var all []T
	query := url.Values{"fields": {e.Fields}, "limit": {pageLimit}}
	for name, values := range e.Query {
		query[name] = values
	}
	for range maxPages {
		var page Page[T]
		if err := c.Get(ctx, Ask{e.Op, e.Template, e.Path, query, e.Token}, &page); err != nil {
			return nil, err
		}
		if page.Data == nil {
			return nil, &platform.Error{Kind: platform.KindUnavailable, Op: e.Op, Status: http.StatusOK, Err: platform.ErrNotJSON}
		}
		all = append(all, page.Data...)
		if page.Paging.Next == "" {
			return all, nil
		}
		if page.After() == "" || page.After() == query.Get("after") {
			break
		}
		query.Set("after", page.After())
	}
	return nil, &platform.Error{Kind: platform.KindUnavailable, Op: e.Op, Status: http.StatusOK, Err: errEndless}
}
