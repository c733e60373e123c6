package youtube

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"google.golang.org/api/googleapi"
	api "google.golang.org/api/youtube/v3"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/scroll"
)

const (
	endpointItems         = "/youtube/v3/playlistItems"
	endpointSubscriptions = "/youtube/v3/subscriptions"
	endpointVideos        = "/youtube/v3/videos"

	opItems         = "playlistItems.list"
	opSubscriptions = "subscriptions.list"
	opVideos        = "videos.list"

	kindItems         = "youtube#playlistItemListResponse"
	kindSubscriptions = "youtube#subscriptionListResponse"
	kindVideos        = "youtube#videoListResponse"

	watch = "https://www.youtube.com/watch?v="
	// maxToken is the bound of platform.Cursor.
	maxToken = 256
)

var (
	errStream  = errors.New("no such stream")
	errLimit   = errors.New("the limit is less than one")
	errNoToken = errors.New("the stream needs the channel's own token")
	errForeign = errors.New("the answer holds what is not the channel's")
	errPage    = errors.New("the page token cannot be kept")
)

type answerer func(context.Context, platform.ActivityAsk) (platform.ActivityAnswer, error)

// Activity reads one stream of one channel, with one request.
func (r *reader) Activity(
	ctx context.Context, stream platform.Stream, asks []platform.ActivityAsk,
) ([]platform.ActivityAnswer, error) {
	read, ok := map[platform.Stream]answerer{
		platform.StreamPosts: r.uploads, platform.StreamFollows: r.subscriptions, platform.StreamLikes: r.likes,
	}[stream]
	if !ok {
		return nil, invalid("activity", errStream)
	}
	if len(asks) > 1 {
		return nil, invalid("activity", errBatch)
	}
	answers := make([]platform.ActivityAnswer, len(asks))
	for i, ask := range asks {
		answer, err := answerTo(ctx, ask, read)
		if err != nil {
			answer = platform.ActivityAnswer{Err: err}
		}
		answer.Ref = ask.Ref
		answers[i] = answer
	}
	return answers, nil
}

func answerTo(ctx context.Context, ask platform.ActivityAsk, read answerer) (platform.ActivityAnswer, error) {
	switch {
	case !isChannel(ask.Ref.ID):
		return platform.ActivityAnswer{}, invalid("activity", errBadRef)
	case ask.Limit < 1:
		return platform.ActivityAnswer{}, invalid("activity", errLimit)
	}
	return read(ctx, ask)
}

// credential reads as the channel where there is a token of its own, else as the app.
func (r *reader) credential(h http.Header, own platform.Token) []googleapi.CallOption {
	if own == "" {
		return []googleapi.CallOption{r.asApp()}
	}
	h.Set("Authorization", "Bearer "+string(own))
	return nil
}

// uploads reads the playlist of uploads, whose id is the channel's with UU in place
// of UC where no profile told it.
func (r *reader) uploads(ctx context.Context, ask platform.ActivityAsk) (platform.ActivityAnswer, error) {
	playlist := ask.UploadsHint
	if !isVideo(playlist) {
		playlist = "UU" + strings.TrimPrefix(ask.Ref.ID, "UC")
	}
	place, err := scroll.Parse(ask.Cursor)
	if err != nil {
		return platform.ActivityAnswer{}, invalid(opItems, err)
	}
	call := r.service.PlaylistItems.List([]string{"contentDetails,snippet"}).PlaylistId(playlist).MaxResults(page)
	if place.Page() != "" {
		call = call.PageToken(place.Page())
	}
	as := r.credential(call.Header(), ask.Token)
	l, err := r.ask(ctx, opItems, endpointItems, kindItems, func(ctx context.Context) error {
		_, err := call.Context(ctx).Do(as...)
		return err
	})
	if err != nil {
		return restarted(place, err)
	}
	acts := make([]platform.Act, 0, len(l.Items))
	for _, raw := range l.Items {
		act, err := upload(raw, ask.Ref.ID)
		if err != nil {
			return platform.ActivityAnswer{}, unbelievable(opItems, err)
		}
		acts = append(acts, act)
	}
	return scrolled(opItems, place, l, acts, ask)
}

// restarted begins again at the top where the platform refuses the page's token;
// what was told is skipped there.
func restarted(place scroll.Place, err error) (platform.ActivityAnswer, error) {
	e, ok := errors.AsType[*platform.Error](err)
	if !ok || place.Page() == "" || !errors.Is(e.Err, errPageRefused) {
		return platform.ActivityAnswer{}, err
	}
	cursor, err := place.Restart().Cursor()
	if err != nil {
		return platform.ActivityAnswer{}, invalid(opItems, err)
	}
	return platform.ActivityAnswer{Cursor: cursor, More: true}, nil
}

// scrolled is the answer of a page of a feed.
func scrolled(
	op string, place scroll.Place, l *list, acts []platform.Act, ask platform.ActivityAsk,
) (platform.ActivityAnswer, error) {
	told := place.Turn(acts, l.NextPageToken, ask.Since, ask.Limit)
	cursor, err := told.Next.Cursor()
	if err != nil {
		return platform.ActivityAnswer{}, unbelievable(op, err)
	}
	return platform.ActivityAnswer{Acts: told.Acts, Cursor: cursor, More: told.More, Items: len(l.Items)}, nil
}

// upload is an item of the uploads as the act of publishing it.
func upload(raw json.RawMessage, channel string) (platform.Act, error) {
	var item api.PlaylistItem
	if json.Unmarshal(raw, &item) != nil || item.Snippet == nil || item.ContentDetails == nil || !isVideo(item.ContentDetails.VideoId) {
		return platform.Act{}, errMalformed
	}
	if item.Snippet.ChannelId != channel {
		return platform.Act{}, errForeign
	}
	at, err := timeOf(item.ContentDetails.VideoPublishedAt, item.Snippet.PublishedAt)
	if err != nil {
		return platform.Act{}, errMalformed
	}
	return act(item.ContentDetails.VideoId, at, item.Snippet.Title, item.Snippet.Description), nil
}

// act is the publication of a video.
func act(id string, at time.Time, title, description string) platform.Act {
	text := strings.TrimRight(title+"\n"+description, "\n")
	return platform.Act{
		ID: id, Action: platform.Publish, At: at, Text: platform.CapText(text),
		URL: watch + id, Links: platform.LinksIn(text),
	}
}

// timeOf is the first of the times that is told.
func timeOf(texts ...string) (time.Time, error) {
	for _, text := range texts {
		if text != "" {
			t, err := time.Parse(time.RFC3339, text)
			return t.UTC(), err
		}
	}
	return time.Time{}, errMalformed
}

// subscriptions reads one page of the channels subscribed to. The cursor is the next
// page's token and empty at the end: the list is whole once More is false.
func (r *reader) subscriptions(ctx context.Context, ask platform.ActivityAsk) (platform.ActivityAnswer, error) {
	call := r.service.Subscriptions.List([]string{"snippet"}).ChannelId(ask.Ref.ID).MaxResults(int64(min(ask.Limit, page)))
	if ask.Cursor != "" {
		call = call.PageToken(string(ask.Cursor))
	}
	as := r.credential(call.Header(), ask.Token)
	l, err := r.ask(ctx, opSubscriptions, endpointSubscriptions, kindSubscriptions, func(ctx context.Context) error {
		_, err := call.Context(ctx).Do(as...)
		return err
	})
	if err != nil {
		return platform.ActivityAnswer{}, err
	}
	out := platform.ActivityAnswer{
		Acts: make([]platform.Act, 0, len(l.Items)), Items: len(l.Items),
		Cursor: platform.Cursor(l.NextPageToken), More: l.NextPageToken != "",
	}
	if len(out.Cursor) > maxToken || out.More && out.Cursor == ask.Cursor {
		return platform.ActivityAnswer{}, unbelievable(opSubscriptions, errPage)
	}
	for _, raw := range l.Items {
		follow, err := subscription(raw, ask.Ref.ID)
		if err != nil {
			return platform.ActivityAnswer{}, unbelievable(opSubscriptions, err)
		}
		out.Acts = append(out.Acts, follow)
	}
	return out, nil
}

// subscription is an item as the act of following. Its title is the other channel's
// name, and its channelId the follower's.
func subscription(raw json.RawMessage, channel string) (platform.Act, error) {
	var item api.Subscription
	if json.Unmarshal(raw, &item) != nil || item.Snippet == nil || item.Snippet.ResourceId == nil ||
		!isChannel(item.Snippet.ResourceId.ChannelId) {
		return platform.Act{}, errMalformed
	}
	if item.Snippet.ChannelId != "" && item.Snippet.ChannelId != channel {
		return platform.Act{}, errForeign
	}
	target := item.Snippet.ResourceId.ChannelId
	at, err := timeOf(item.Snippet.PublishedAt)
	if err != nil {
		at = time.Time{} // not told
	}
	return platform.Act{
		ID: target, Action: platform.Follow, At: at, URL: "https://www.youtube.com/channel/" + target,
		Target: platform.AccountRef{ID: target}, TargetKnown: true,
	}, nil
}
