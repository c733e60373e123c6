package youtube

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	api "google.golang.org/api/youtube/v3"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/scroll"
)

// likes reads one page of the videos liked, as the channel; when is not told.
func (r *reader) likes(ctx context.Context, ask platform.ActivityAsk) (platform.ActivityAnswer, error) {
	if ask.Token == "" {
		return platform.ActivityAnswer{}, &platform.Error{Kind: platform.KindUnauthorized, Op: opVideos, Err: errNoToken}
	}
	place, err := scroll.Parse(ask.Cursor)
	if err != nil {
		return platform.ActivityAnswer{}, invalid(opVideos, err)
	}
	call := r.service.Videos.List([]string{"snippet"}).MyRating("like").MaxResults(page)
	if place.Page() != "" {
		call = call.PageToken(place.Page())
	}
	as := r.credential(call.Header(), ask.Token)
	l, err := r.ask(ctx, opVideos, endpointVideos, kindVideos, func(ctx context.Context) error {
		_, err := call.Context(ctx).Do(as...)
		return err
	})
	if err != nil {
		return restarted(place, err)
	}
	acts := make([]platform.Act, 0, len(l.Items))
	for _, raw := range l.Items {
		v, ok := decodeVideo(raw)
		if !ok {
			return platform.ActivityAnswer{}, unbelievable(opVideos, errMalformed)
		}
		a := act(v.Id, time.Time{}, v.Snippet.Title, v.Snippet.Description)
		a.Action, a.Language = platform.Like, v.Snippet.DefaultLanguage
		a.Target, a.TargetKnown = platform.AccountRef{ID: v.Snippet.ChannelId}, true
		acts = append(acts, a)
	}
	return scrolled(opVideos, place, l, acts, ask)
}

func decodeVideo(raw json.RawMessage) (*api.Video, bool) {
	var v api.Video
	ok := json.Unmarshal(raw, &v) == nil && isVideo(v.Id) && v.Snippet != nil && isChannel(v.Snippet.ChannelId)
	return &v, ok
}

// videoVerdict is what an answer says of one video.
type videoVerdict struct {
	video *api.Video
	doubt error
}

// Reread looks videos up again. A video that is absent is gone where the answer
// accounts for itself, as for channels; one of another channel is not believed.
func (r *reader) Reread(ctx context.Context, refs []platform.PostRef) ([]platform.PostState, error) {
	if len(refs) > batch {
		return nil, invalid(opVideos, errBatch)
	}
	said := make(map[string]*videoVerdict, len(refs))
	var ids []string
	for _, ref := range refs {
		if isVideo(ref.ID) && said[ref.ID] == nil {
			said[ref.ID] = &videoVerdict{}
			ids = append(ids, ref.ID)
		}
	}
	if len(ids) > 0 {
		call := r.service.Videos.List([]string{"snippet,status"}).Id(strings.Join(ids, ",")).MaxResults(page)
		l, err := r.ask(ctx, opVideos, endpointVideos, kindVideos, func(ctx context.Context) error {
			_, err := call.Context(ctx).Do(r.asApp())
			return err
		})
		if err != nil {
			return nil, err
		}
		hearVideos(l, said)
	}
	states := make([]platform.PostState, len(refs))
	for i, ref := range refs {
		states[i] = stateOf(ref, said[ref.ID])
	}
	return states, nil
}

func hearVideos(l *list, said map[string]*videoVerdict) {
	whole := l.whole()
	for _, raw := range l.Items {
		v, ok := decodeVideo(raw)
		known := said[v.Id]
		switch {
		case known == nil:
			whole = false
		case !ok:
			known.doubt = errMalformed
		case known.video != nil && known.video.Snippet.ChannelId != v.Snippet.ChannelId:
			known.doubt = errContradiction
		default:
			known.video = v
		}
	}
	for _, known := range said {
		if known.video == nil && known.doubt == nil && !whole {
			known.doubt = errWithheld
		}
	}
}

func stateOf(ref platform.PostRef, v *videoVerdict) platform.PostState {
	state := platform.PostState{Ref: ref, Outcome: platform.Unanswered}
	switch {
	case v == nil:
		state.Err = invalid(opVideos, errBadRef)
	case v.doubt != nil:
		state.Err = unbelievable(opVideos, v.doubt)
	case v.video == nil || gone(v.video):
		state.Outcome = platform.NotFound
	case ref.Account.ID != "" && v.video.Snippet.ChannelId != ref.Account.ID:
		state.Err = unbelievable(opVideos, errForeign)
	default:
		at, err := timeOf(v.video.Snippet.PublishedAt)
		if err != nil {
			state.Err = unbelievable(opVideos, errMalformed)
			break
		}
		a := act(v.video.Id, at, v.video.Snippet.Title, v.video.Snippet.Description)
		a.Language = v.video.Snippet.DefaultLanguage
		state.Outcome, state.Act = platform.Found, &a
	}
	return state
}

// gone reports whether a video is listed as one that nobody can see any more.
func gone(v *api.Video) bool {
	return v.Status != nil && (v.Status.UploadStatus == "deleted" || v.Status.UploadStatus == "rejected")
}
