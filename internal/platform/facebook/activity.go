package facebook

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/graph"
)

const (
	postFields = "id,created_time,message,permalink_url,status_type,is_published,from,admin_creator,parent_id," +
		"attachments{media_type,url}"
	likeFields = "id,name,username"

	opPosts  = "pages.published_posts"
	opLikes  = "pages.likes"
	opReread = "posts"

	statusShared = "shared_story"
	// maxRounds bounds the pages of one list of likes.
	maxRounds = 50
)

var errStream = errors.New("no such stream")

// post is the node PagePost.
type post struct {
	ID        string `json:"id"`
	Created   string `json:"created_time"`
	Message   string `json:"message"`
	Permalink string `json:"permalink_url"`
	Status    string `json:"status_type"`
	Published *bool  `json:"is_published"`
	From      *struct {
		ID string `json:"id"`
	} `json:"from"`
	Creator *struct {
		ID string `json:"id"`
	} `json:"admin_creator"`
	Parent      string `json:"parent_id"`
	Attachments struct {
		Data []struct {
			URL string `json:"url"`
		} `json:"data"`
	} `json:"attachments"`
	malformed bool
}

// UnmarshalJSON marks a post whose types are wrong instead of failing, so that it
// does not cost the list.
func (p *post) UnmarshalJSON(b []byte) error {
	type plain post
	p.malformed = json.Unmarshal(b, (*plain)(p)) != nil
	return nil
}

// Activity reads one stream of at most 50 Pages.
func (p *pages) Activity(
	ctx context.Context, stream platform.Stream, asks []platform.ActivityAsk,
) ([]platform.ActivityAnswer, error) {
	switch stream { //nolint:exhaustive // the others need nothing
	case platform.StreamPosts:
		return p.Client.Activity(ctx, graph.Feed{Op: opPosts, Items: postItems, Read: readPosts}, asks)
	case platform.StreamFollows:
		return p.likes(ctx, asks)
	}
	return nil, &platform.Error{Kind: platform.KindInvalid, Op: "pages", Err: errStream}
}

func postItems(ask platform.ActivityAsk, until, since int64) []graph.Item {
	return []graph.Item{{
		Path: ask.Ref.ID + "/published_posts", Query: graph.Fields(postFields, perPage, until, since), Token: ask.Token,
	}}
}

// readPosts leaves out what is not the Page's own or not published.
func readPosts(ask platform.ActivityAsk, places []graph.Place) ([]platform.Act, bool, *platform.Error) {
	var list graph.Page[post]
	if e := graph.Decode(opPosts, places[0], &list); e != nil {
		return nil, false, e
	}
	if list.Data == nil {
		return nil, false, notList(opPosts)
	}
	var acts []platform.Act
	for i := range list.Data {
		if act, err := list.Data[i].act(ask.Ref.ID); err == nil && (list.Data[i].Published == nil || *list.Data[i].Published) {
			acts = append(acts, act)
		}
	}
	return acts, list.Paging.Next != "", nil
}

func notList(op string) *platform.Error {
	return &platform.Error{Kind: platform.KindUnavailable, Op: op, Err: platform.ErrNotJSON}
}

// act is what a Page did.
func (p *post) act(page string) (platform.Act, error) { //nolint:gocyclo // one decision, read from top to bottom; to be split
	at := graph.Time(p.Created)
	if p.malformed || !isPost(p.ID) || at.IsZero() {
		return platform.Act{}, graph.ErrMalformed
	}
	if p.From != nil && page != "" && p.From.ID != page {
		return platform.Act{}, graph.ErrForeign
	}
	act := platform.Act{ID: p.ID, Action: platform.Publish, At: at, Text: platform.CapText(p.Message), Links: platform.LinksIn(p.Message)}
	if platform.IsWebLink(p.Permalink) {
		act.URL = p.Permalink
	}
	for _, a := range p.Attachments.Data {
		if platform.IsWebLink(a.URL) && a.URL != act.URL && len(act.Links) < 50 {
			act.Links = append(act.Links, a.URL)
		}
	}
	if p.Creator != nil && graph.IsID(p.Creator.ID) {
		act.By = p.Creator.ID
	}
	if p.Status == statusShared || p.Parent != "" {
		act.Action = platform.Repost
		if owner, _, two := strings.Cut(p.Parent, "_"); two && graph.IsID(owner) {
			act.Target, act.TargetKnown = platform.AccountRef{ID: owner}, true
		}
	}
	return act, nil
}

// isPost: the ids of the Page and of the post with a low line between, or digits
// alone.
func isPost(s string) bool {
	first, second, two := strings.Cut(s, "_")
	return graph.IsID(first) && (!two || graph.IsID(second))
}

// Reread looks posts up again.
func (p *pages) Reread(ctx context.Context, refs []platform.PostRef) ([]platform.PostState, error) {
	return p.Client.Reread(ctx, graph.Rereads{Op: opReread, Fields: postFields, IsPost: isPost, Read: reread}, refs)
}

func reread(ref platform.PostRef, body []byte) (platform.Act, error) {
	var one post
	_ = json.Unmarshal(body, &one) // marks itself
	if one.ID != ref.ID {
		return platform.Act{}, graph.ErrForeign
	}
	return one.act(ref.Account.ID)
}

// liking is one ask for the Pages that a Page likes.
type liking struct {
	at     int
	after  string
	rounds int
}

// likes reads whole lists, the next pages of all of them with one batch each. A
// list of more than Limit is cut and says so.
func (p *pages) likes(ctx context.Context, asks []platform.ActivityAsk) ([]platform.ActivityAnswer, error) { //nolint:gocyclo // one decision, read from top to bottom; to be split
	if len(asks) > graph.BatchSize {
		return nil, &platform.Error{Kind: platform.KindInvalid, Op: opLikes, Err: errors.New("more accounts than one request can name")}
	}
	answers := make([]platform.ActivityAnswer, len(asks))
	var open []liking
	for i, ask := range asks {
		answers[i].Ref = ask.Ref
		if !graph.IsID(ask.Ref.ID) || ask.Limit < 1 {
			answers[i].Err = &platform.Error{Kind: platform.KindInvalid, Op: opLikes, Err: graph.ErrBadRef}
			continue
		}
		open = append(open, liking{at: i})
	}
	for len(open) > 0 {
		items := make([]graph.Item, len(open))
		for j, l := range open {
			items[j] = graph.Item{Path: asks[l.at].Ref.ID + "/likes", Query: graph.Fields(likeFields, perPage, 0, 0), Token: asks[l.at].Token}
			if l.after != "" {
				items[j].Query.Set("after", l.after)
			}
		}
		places, err := p.Batch(ctx, opLikes, items)
		if err != nil {
			return nil, err
		}
		var next []liking
		for j, l := range open {
			if l.take(&answers[l.at], asks[l.at].Limit, places[j]) {
				next = append(next, l)
			}
		}
		open = next
	}
	return answers, nil
}

// take reads a page of likes and reports whether there is another to read.
func (l *liking) take(a *platform.ActivityAnswer, limit int, place graph.Place) bool { //nolint:gocyclo // one decision, read from top to bottom; to be split
	var list graph.Page[struct {
		ID       string `json:"id"`
		Username string `json:"username"`
	}]
	e := graph.Decode(opLikes, place, &list)
	if e == nil && list.Data == nil {
		e = notList(opLikes)
	}
	if e != nil {
		*a = platform.ActivityAnswer{Ref: a.Ref, Err: e}
		return false
	}
	a.Items++
	for _, liked := range list.Data {
		if !graph.IsID(liked.ID) {
			continue
		}
		a.Acts = append(a.Acts, platform.Act{
			ID: liked.ID, Action: platform.Follow, TargetKnown: true,
			Target: platform.AccountRef{ID: liked.ID, Handle: platform.Visible(liked.Username, platform.MaxHandle)},
		})
	}
	after := list.After()
	if len(a.Acts) > limit {
		a.Acts, a.More = a.Acts[:limit], true
		return false
	}
	l.rounds++
	if list.Paging.Next != "" && (after == "" || after == l.after || l.rounds >= maxRounds) {
		*a = platform.ActivityAnswer{Ref: a.Ref, Err: notList(opLikes)}
		return false
	}
	l.after = after
	return after != ""
}
