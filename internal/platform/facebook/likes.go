package facebook

import (
	"context"
	"errors"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/graph"
)

// maxRounds bounds the pages of one list of likes.
const maxRounds = 50

var errBatch = errors.New("more accounts than one request can name")

// liking is one ask for the Pages that a Page likes.
type liking struct {
	at     int
	after  string
	rounds int
}

// likes reads whole lists, the next pages of all of them with one batch each. A
// list of more than Limit is cut and says so.
func (p *pages) likes(ctx context.Context, asks []platform.ActivityAsk) ([]platform.ActivityAnswer, error) {
	if len(asks) > graph.BatchSize {
		return nil, &platform.Error{Kind: platform.KindInvalid, Op: opLikes, Err: errBatch}
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
		places, err := p.Batch(ctx, opLikes, likeItems(open, asks))
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

func likeItems(open []liking, asks []platform.ActivityAsk) []graph.Item {
	items := make([]graph.Item, len(open))
	for j, l := range open {
		query := graph.Fields(likeFields, perPage, 0, 0)
		if l.after != "" {
			query.Set("after", l.after)
		}
		items[j] = graph.Item{Path: asks[l.at].Ref.ID + "/likes", Query: query, Token: asks[l.at].Token}
	}
	return items
}

// likedPage is one page of a list of likes.
type likedPage = graph.Page[struct {
	ID       string `json:"id"`
	Username string `json:"username"`
}]

// take reads a page of likes and reports whether there is another to read.
func (l *liking) take(a *platform.ActivityAnswer, limit int, place graph.Place) bool {
	var list likedPage
	e := graph.Decode(opLikes, place, &list)
	if e == nil && (list.Data == nil || l.stuck(&list)) {
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
	if len(a.Acts) > limit {
		a.Acts, a.More = a.Acts[:limit], true
		return false
	}
	l.rounds++
	l.after = list.After()
	return l.after != ""
}

// stuck reports whether the list goes on and says no new way how.
func (l *liking) stuck(list *likedPage) bool {
	after := list.After()
	return list.Paging.Next != "" && (after == "" || after == l.after || l.rounds+1 >= maxRounds)
}
