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
	switch stream {
	case platform.StreamPosts:
		return p.posts(ctx, asks)
	case platform.StreamFollows:
		return p.likes(ctx, asks)
	case platform.StreamLikes: // reactions made are not exposed
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
func (p *post) act(page string) (platform.Act, error) {
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
	if p.Creator != nil && graph.IsID(p.Creator.ID) {
		act.By = p.Creator.ID
	}
	p.attach(&act)
	p.share(&act)
	return act, nil
}

// maxLinks bounds the links of a post.
const maxLinks = 50

// attach adds the links of the attachments.
func (p *post) attach(act *platform.Act) {
	for _, a := range p.Attachments.Data {
		if platform.IsWebLink(a.URL) && a.URL != act.URL && len(act.Links) < maxLinks {
			act.Links = append(act.Links, a.URL)
		}
	}
}

// share makes a repost of a post that shares another; the parent's id begins with
// its owner's.
func (p *post) share(act *platform.Act) {
	if p.Status != statusShared && p.Parent == "" {
		return
	}
	act.Action = platform.Repost
	if owner, _, two := strings.Cut(p.Parent, "_"); two && graph.IsID(owner) {
		act.Target, act.TargetKnown = platform.AccountRef{ID: owner}, true
	}
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
