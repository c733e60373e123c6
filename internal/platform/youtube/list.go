package youtube

import (
	"context"
	"encoding/json"

	api "google.golang.org/api/youtube/v3"

	"mithaq.dev/mithaq/internal/platform"
)

// envelope is what every list answer has.
type envelope struct {
	Kind          string `json:"kind"`
	NextPageToken string `json:"nextPageToken"`
	PageInfo      *struct {
		TotalResults *int64 `json:"totalResults"`
	} `json:"pageInfo"`
}

// list is a list answer whose items are still to be read.
type list struct {
	envelope
	Items []json.RawMessage `json:"items"`
}

// counts reports whether the answer counts as many items as it holds and has no
// further page, so that what is not in it is not there.
func (e *envelope) counts(items int) bool {
	return e.PageInfo != nil && e.PageInfo.TotalResults != nil &&
		*e.PageInfo.TotalResults == int64(items) && e.NextPageToken == ""
}

func (l *list) whole() bool { return l.counts(len(l.Items)) }

// answer performs a call of the library and returns the body of an answer with 200.
// What the library makes of that does not count.
func (r *reader) answer(ctx context.Context, op, endpoint string, call func(context.Context) error) ([]byte, error) {
	ctx, answer := listen(platform.WithEndpoint(ctx, endpoint))
	answer.alone = true
	err := call(ctx)
	if answer.body == nil {
		if err == nil {
			return nil, unbelievable(op, errNoAnswer)
		}
		return nil, r.failed(ctx, op, err)
	}
	return answer.body, nil
}

// ask performs a call of the library, for an answer that is read item by item.
func (r *reader) ask(
	ctx context.Context, op, endpoint, kind string, call func(context.Context) error,
) (*list, error) {
	body, err := r.answer(ctx, op, endpoint, call)
	if err != nil {
		return nil, err
	}
	var l list
	if json.Unmarshal(body, &l) != nil || l.Kind != kind {
		return nil, unbelievable(op, platform.ErrNotJSON)
	}
	return &l, nil
}

// channels is an answer of channels.list.
type channels struct {
	envelope
	Items []channel `json:"items"`
}

// channel is an item of channels.list, as far as it is read. The library's type reads
// a count as zero that was left out.
type channel struct {
	ID       string                       `json:"id"`
	Snippet  *snippet                     `json:"snippet"`
	Branding *api.ChannelBrandingSettings `json:"brandingSettings"`
	Counts   *struct {
		Hidden      bool    `json:"hiddenSubscriberCount"`
		Subscribers *uint64 `json:"subscriberCount,string"`
		Videos      *uint64 `json:"videoCount,string"`
	} `json:"statistics"`
	malformed bool
}

type snippet struct {
	Title       string                `json:"title"`
	Description string                `json:"description"`
	CustomURL   string                `json:"customUrl"`
	Thumbnails  *api.ThumbnailDetails `json:"thumbnails"`
}

// decodeChannels reads an answer in one pass, if nothing in it is malformed: else each
// item is read by itself.
func decodeChannels(body []byte) (*channels, error) {
	all := &channels{}
	if json.Unmarshal(body, all) != nil {
		var l list
		if json.Unmarshal(body, &l) != nil {
			return nil, unbelievable(opChannels, platform.ErrNotJSON)
		}
		all = &channels{envelope: l.envelope}
		for _, raw := range l.Items {
			all.Items = append(all.Items, *decodeChannel(raw))
		}
	}
	if all.Kind != kindChannels {
		return nil, unbelievable(opChannels, platform.ErrNotJSON)
	}
	return all, nil
}

// decodeChannel keeps what can be read of an item: a malformed one costs its own
// account the answer and not the whole batch.
func decodeChannel(raw json.RawMessage) *channel {
	c := &channel{}
	c.malformed = json.Unmarshal(raw, c) != nil
	return c
}
