package youtube

import (
	"context"
	"encoding/json"

	api "google.golang.org/api/youtube/v3"

	"mithaq.dev/mithaq/internal/platform"
)

// list is the envelope of every list answer.
type list struct {
	Kind          string            `json:"kind"`
	NextPageToken string            `json:"nextPageToken"`
	Items         []json.RawMessage `json:"items"`
	PageInfo      *struct {
		TotalResults *int64 `json:"totalResults"`
	} `json:"pageInfo"`
}

// whole reports whether the answer counts as many items as it holds and has no
// further page, so that what is not in it is not there.
func (l *list) whole() bool {
	return l.PageInfo != nil && l.PageInfo.TotalResults != nil &&
		*l.PageInfo.TotalResults == int64(len(l.Items)) && l.NextPageToken == ""
}

// ask performs a call of the library and decodes its answer item by item. What the
// library makes of an answer with 200 does not count.
func (r *reader) ask(
	ctx context.Context, op, endpoint, kind string, call func(context.Context) error,
) (*list, error) {
	ctx, answer := listen(platform.WithEndpoint(ctx, endpoint))
	err := call(ctx)
	if answer.body == nil {
		if err == nil {
			return nil, unbelievable(op, errNoAnswer)
		}
		return nil, r.failed(ctx, op, err)
	}
	var l list
	if json.Unmarshal(answer.body, &l) != nil || l.Kind != kind {
		return nil, unbelievable(op, platform.ErrNotJSON)
	}
	return &l, nil
}

// channel is an item of channels.list.
type channel struct {
	api.Channel
	// told are the counts that the answer holds, which the library reads as zero
	// where it does not.
	told struct {
		Statistics struct {
			Subscribers *json.RawMessage `json:"subscriberCount"`
			Videos      *json.RawMessage `json:"videoCount"`
		} `json:"statistics"`
	}
	malformed bool
}

// decodeChannel keeps what can be read of an item: a malformed one costs its own
// account the answer and not the whole batch.
func decodeChannel(raw json.RawMessage) *channel {
	c := &channel{}
	c.malformed = json.Unmarshal(raw, &c.Channel) != nil || json.Unmarshal(raw, &c.told) != nil
	return c
}
