package instagram

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/graph"
)

const (
	mediaFields = "id,caption,media_type,media_product_type,permalink,timestamp,username,owner"

	opMedia  = "ig_users.media"
	opReread = "ig_media"
)

var errStream = errors.New("no such stream")

// media is the node IGMedia.
type media struct {
	ID        string `json:"id"`
	Caption   string `json:"caption"`
	Permalink string `json:"permalink"`
	Timestamp string `json:"timestamp"`
	Owner     *struct {
		ID string `json:"id"`
	} `json:"owner"`
	malformed bool
}

// UnmarshalJSON marks a post whose types are wrong instead of failing, so that it
// does not cost the list.
func (m *media) UnmarshalJSON(b []byte) error {
	type plain media
	m.malformed = json.Unmarshal(b, (*plain)(m)) != nil
	return nil
}

// Activity reads the media and the stories of at most 50 accounts, one list with
// two calls for each account.
func (a *accounts) Activity(
	ctx context.Context, stream platform.Stream, asks []platform.ActivityAsk,
) ([]platform.ActivityAnswer, error) {
	if stream != platform.StreamPosts {
		return nil, &platform.Error{Kind: platform.KindInvalid, Op: opMedia, Err: errStream}
	}
	return a.Client.Activity(ctx, graph.Feed{Op: opMedia, Items: feedItems, Read: readFeed}, asks)
}

func feedItems(ask platform.ActivityAsk, until, since int64) []graph.Item {
	return []graph.Item{
		{Path: ask.Ref.ID + "/media", Query: graph.Fields(mediaFields, perPage, until, since), Token: ask.Token},
		{Path: ask.Ref.ID + "/stories", Query: graph.Fields(mediaFields, perPage, 0, 0), Token: ask.Token},
	}
}

// readFeed joins both lists. Where the media go on below this page, stories that
// are older than the page belong to the next one.
func readFeed(ask platform.ActivityAsk, places []graph.Place) ([]platform.Act, bool, *platform.Error) {
	acts, more, e := readList(ask, places[0])
	if e != nil {
		return nil, false, e
	}
	stories, _, e := readList(ask, places[1])
	if e != nil {
		return nil, false, e
	}
	return join(acts, stories, more), more, nil
}

// join adds the stories that are not among the media, down to the oldest of them
// where the media go on below.
func join(acts, stories []platform.Act, more bool) []platform.Act {
	var floor time.Time
	seen := make(map[string]bool, len(acts))
	for i, act := range acts {
		seen[act.ID] = true
		if i == 0 || act.At.Before(floor) {
			floor = act.At
		}
	}
	for _, story := range stories {
		if !seen[story.ID] && !(more && story.At.Before(floor)) {
			acts = append(acts, story)
		}
	}
	return acts
}

func readList(ask platform.ActivityAsk, place graph.Place) ([]platform.Act, bool, *platform.Error) {
	var list graph.Page[media]
	if e := graph.Decode(opMedia, place, &list); e != nil {
		return nil, false, e
	}
	if list.Data == nil {
		return nil, false, &platform.Error{Kind: platform.KindUnavailable, Op: opMedia, Err: platform.ErrNotJSON}
	}
	var acts []platform.Act
	for i := range list.Data {
		if act, err := list.Data[i].act(ask.Ref.ID); err == nil {
			acts = append(acts, act)
		}
	}
	return acts, list.Paging.Next != "", nil
}

// act is what an account published.
func (m *media) act(account string) (platform.Act, error) {
	at := graph.Time(m.Timestamp)
	if m.malformed || !graph.IsID(m.ID) || at.IsZero() {
		return platform.Act{}, graph.ErrMalformed
	}
	if m.Owner != nil && account != "" && m.Owner.ID != account {
		return platform.Act{}, graph.ErrForeign
	}
	act := platform.Act{ID: m.ID, Action: platform.Publish, At: at, Text: platform.CapText(m.Caption), Links: platform.LinksIn(m.Caption)}
	if platform.IsWebLink(m.Permalink) {
		act.URL = m.Permalink
	}
	return act, nil
}

// Reread looks posts up again.
func (a *accounts) Reread(ctx context.Context, refs []platform.PostRef) ([]platform.PostState, error) {
	return a.Client.Reread(ctx, graph.Rereads{Op: opReread, Fields: mediaFields, IsPost: graph.IsID, Read: reread}, refs)
}

func reread(ref platform.PostRef, body []byte) (platform.Act, error) {
	var one media
	_ = json.Unmarshal(body, &one) // marks itself
	if one.ID != ref.ID {
		return platform.Act{}, graph.ErrForeign
	}
	return one.act(ref.Account.ID)
}
