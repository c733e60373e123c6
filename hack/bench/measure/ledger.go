package measure

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/meta"
	"mithaq.dev/mithaq/hack/platformsim/snapchat"
	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/x"
	"mithaq.dev/mithaq/hack/platformsim/youtube"
)

// Simulator speaks to the simulator's control endpoint.
type Simulator struct {
	// Base is its address.
	Base string
}

// Ledger is what was asked of the platforms.
func (s Simulator) Ledger(ctx context.Context) (world.Ledger, error) {
	var l world.Ledger
	err := s.call(ctx, http.MethodGet, "/v1/ledger", nil, &l)
	return l, err
}

// Shown lists what changed and was shown since WatchShown.
func (s Simulator) Shown(ctx context.Context) ([]world.Showing, error) {
	var all []world.Showing
	err := s.call(ctx, http.MethodGet, "/v1/shown", nil, &all)
	return all, err
}

// WatchShown begins, or ends, to take note of what is shown.
func (s Simulator) WatchShown(ctx context.Context, on bool) error {
	return s.watches(ctx, "/v1/shown", on)
}

// Reads tells how accounts were read since WatchReads, and how many since a moment.
func (s Simulator) Reads(ctx context.Context, since time.Time) (world.Reads, error) {
	var r world.Reads
	err := s.call(ctx, http.MethodGet, "/v1/reads?since="+url.QueryEscape(since.Format(time.RFC3339Nano)), nil, &r)
	return r, err
}

// WatchReads begins, or ends, to take note of when accounts are read.
func (s Simulator) WatchReads(ctx context.Context, on bool) error {
	return s.watches(ctx, "/v1/reads", on)
}

// Rename changes the display name of an account.
func (s Simulator) Rename(ctx context.Context, platform, id, name string) error {
	return s.call(ctx, http.MethodPatch, "/v1/accounts/"+platform+"/"+id, map[string]string{"displayName": name}, nil)
}

// Remove takes away what is at a path of the simulator's own endpoint.
func (s Simulator) Remove(ctx context.Context, path string) error {
	return s.call(ctx, http.MethodDelete, path, nil, nil)
}

// watches begins, or ends, to take note of something.
func (s Simulator) watches(ctx context.Context, path string, on bool) error {
	method := http.MethodDelete
	if on {
		method = http.MethodPut
	}
	return s.call(ctx, method, path, nil, nil)
}

func (s Simulator) call(ctx context.Context, method, path string, body, into any) error {
	var reader io.Reader = http.NoBody
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encoding for the simulator: %w", err)
		}
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.Base+path, reader)
	if err != nil {
		return fmt.Errorf("asking the simulator: %w", err)
	}
	answer, err := Fetch(req)
	if err != nil {
		return fmt.Errorf("asking the simulator: %w", err)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("reading the simulator's answer: %w", err)
	}
	return nil
}

// Fetch does a request whose answer must be a success.
func Fetch(req *http.Request) (body []byte, err error) {
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err = io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s %s: %s", req.Method, req.URL.Path, answer.Status)
	}
	return body, nil
}

// The endpoints by which pictures are fetched and tokens are made.
var (
	pictures = []string{x.EndpointImages, x.EndpointBanners, youtube.EndpointImages, snapchat.EndpointImages, meta.EndpointImages}
	tokens   = []string{x.EndpointToken, youtube.EndpointToken, snapchat.EndpointToken, meta.EndpointToken, meta.EndpointDebug}
)

// Asked is what was asked of one platform.
type Asked struct {
	// API are the requests of its API; Images those of pictures, which no budget counts;
	// Tokens those by which tokens are made.
	API, Images, Tokens int
	// Refused are those of API that were not answered with success.
	Refused int
}

// AskedOf sorts the requests of a platform.
func AskedOf(l world.Ledger, p world.Platform) Asked {
	var a Asked
	for _, r := range l.Requests {
		if r.Platform != p {
			continue
		}
		switch {
		case slices.Contains(pictures, r.Endpoint):
			a.Images += r.Count
		case slices.Contains(tokens, r.Endpoint):
			a.Tokens += r.Count
		default:
			a.API += r.Count
			if r.Status/100 != 2 {
				a.Refused += r.Count
			}
		}
	}
	return a
}

// Minus is what was asked since an earlier count.
func (a Asked) Minus(b Asked) Asked {
	return Asked{a.API - b.API, a.Images - b.Images, a.Tokens - b.Tokens, a.Refused - b.Refused}
}
