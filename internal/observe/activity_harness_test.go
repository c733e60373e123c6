package observe

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"mithaq.dev/mithaq/internal/platform"
)

const (
	bucketPosts   = "timelines"
	bucketFollows = "following"
	bucketLikes   = "likes"
	bucketRereads = "lookup"
)

// readRequest is one call about activity that reached the fake platform.
type readRequest struct {
	at     time.Time
	stream platform.Stream
	asks   []platform.ActivityAsk
	refs   []platform.PostRef
}

// fakeActivity is the fake platform's side of activity. Posts are numbered in the
// order in which they are made; a reading goes from the newest down to what is
// known, page by page, and its cursor holds all that.
type fakeActivity struct {
	*fakePlatform
	posts   map[string][]platform.Act // by account, oldest first
	follows map[string][]platform.Act
	page    int
	reads   []readRequest
	// fail answers in the platform's stead.
	fail func(stream platform.Stream, asks []platform.ActivityAsk) ([]platform.ActivityAnswer, error)
	// refuse answers for one account.
	refuse func(stream platform.Stream, id string) error
	// lost: an answer is given and does not arrive.
	lost func() bool
	// billed hears which posts answers held.
	billed func(ids []string)
	// failReread answers rereads in the platform's stead.
	failReread func() error
}

func (p *fakeActivity) Activity(_ context.Context, stream platform.Stream, asks []platform.ActivityAsk) ([]platform.ActivityAnswer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reads = append(p.reads, readRequest{at: p.now(), stream: stream, asks: slices.Clone(asks)})
	if p.fail != nil {
		if answers, err := p.fail(stream, asks); answers != nil || err != nil {
			return answers, err
		}
	}
	var answers []platform.ActivityAnswer
	for _, ask := range asks {
		answers = append(answers, p.answer(stream, ask))
		if p.billed != nil {
			p.billed(ids(answers[len(answers)-1].Acts))
		}
	}
	if p.lost != nil && p.lost() {
		return nil, &platform.Error{Kind: platform.KindUnavailable, Op: "activity"}
	}
	return answers, nil
}

func (p *fakeActivity) answer(stream platform.Stream, ask platform.ActivityAsk) platform.ActivityAnswer {
	answer := platform.ActivityAnswer{Ref: ask.Ref}
	if p.refuse != nil {
		if answer.Err = p.refuse(stream, ask.Ref.ID); answer.Err != nil {
			return answer
		}
	}
	if stream != platform.StreamPosts {
		return p.whole(p.follows[ask.Ref.ID], ask)
	}
	var known, top, below int
	if ask.Cursor != "" {
		if _, err := fmt.Sscanf(string(ask.Cursor), "%d/%d/%d", &known, &top, &below); err != nil {
			panic(err)
		}
	}
	all := p.posts[ask.Ref.ID]
	if top == 0 {
		top, below = len(all), len(all)
	}
	limit := min(ask.Limit, p.page)
	i := below
	for ; i > known && len(answer.Acts) < limit; i-- {
		act := all[i-1]
		if act.At.Before(ask.Since) {
			i = known
			break
		}
		if act.ID != "" { // not deleted
			answer.Acts = append(answer.Acts, act)
		}
	}
	answer.Items, answer.More = len(answer.Acts), i > known
	answer.Cursor = platform.Cursor(fmt.Sprintf("%d/%d/%d", known, top, i))
	if !answer.More {
		answer.Cursor = platform.Cursor(fmt.Sprintf("%d/0/0", top))
	}
	return answer
}

// whole is a list that is told whole each time.
func (p *fakeActivity) whole(all []platform.Act, ask platform.ActivityAsk) platform.ActivityAnswer {
	from := 0
	if ask.Cursor != "" {
		var err error
		if from, err = strconv.Atoi(string(ask.Cursor)); err != nil {
			panic(err)
		}
	}
	to := min(from+p.page, len(all))
	answer := platform.ActivityAnswer{Ref: ask.Ref, Acts: slices.Clone(all[min(from, to):to]), More: to < len(all)}
	if answer.More {
		answer.Cursor = platform.Cursor(strconv.Itoa(to))
	}
	return answer
}

func (p *fakeActivity) Reread(_ context.Context, refs []platform.PostRef) ([]platform.PostState, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reads = append(p.reads, readRequest{at: p.now(), stream: streamRereads, refs: slices.Clone(refs)})
	if p.failReread != nil {
		if err := p.failReread(); err != nil {
			return nil, err
		}
	}
	states := make([]platform.PostState, len(refs))
	for i, ref := range refs {
		states[i] = platform.PostState{Ref: ref, Outcome: platform.NotFound}
		if at := slices.IndexFunc(p.posts[ref.Account.ID], func(a platform.Act) bool { return a.ID == ref.ID }); at >= 0 {
			act := p.posts[ref.Account.ID][at]
			states[i].Outcome, states[i].Act = platform.Found, &act
		}
	}
	return states, nil
}

// publish makes posts, and moves the counters of the profile.
func (p *fakeActivity) publish(id string, n int, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range n {
		number := len(p.posts[id]) + 1
		p.posts[id] = append(p.posts[id], platform.Act{
			ID: fmt.Sprintf("%s-%d", id, number), Action: platform.Publish, At: at, Text: fmt.Sprint("text ", number),
		})
	}
	profile := &p.accounts[id].profile
	profile.Posts += int64(n)
	profile.LastPostID, profile.LastPostAt = fmt.Sprintf("%s-%d", id, len(p.posts[id])), at
}

// erase deletes a post.
func (p *fakeActivity) erase(id string, number int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.posts[id][number-1].ID = ""
	p.accounts[id].profile.Posts--
}

// edit changes the text of a post.
func (p *fakeActivity) edit(id string, number int, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.posts[id][number-1].Text = text
}

// read returns the calls so far, and forgets them.
func (p *fakeActivity) read() []readRequest {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.reads
	p.reads = nil
	return r
}

// reader is a rig whose platform shows activity.
type reader struct {
	*rig
	active *fakeActivity
	tokens fakeTokens
	every  time.Duration
}

type fakeTokens map[types.NamespacedName]platform.Token

func (f fakeTokens) Held(key types.NamespacedName) (held, known bool) {
	token, known := f[key]
	return token != "", known
}

func (f fakeTokens) Token(_ context.Context, key types.NamespacedName) (platform.Token, error) {
	if f[key] == "broken" {
		return "", &platform.Error{Kind: platform.KindUnavailable, Op: "vault"}
	}
	return f[key], nil
}

// active are limits with streams: posts in batches, follows one by one and likes
// with the account's own token.
func active(batch int) platform.Adapter {
	a := limits(100, 1_000_000)
	read := func(bucket string, batch int) platform.Read {
		a.Budgets = append(a.Budgets, platform.Budget{Bucket: bucket, Kind: platform.BudgetWindow, Limit: 1_000_000, Window: 15 * time.Minute})
		return platform.Read{Batch: batch, Charges: []platform.Charge{{Bucket: bucket, PerRequest: 1}}}
	}
	a.Streams = map[platform.Stream]platform.StreamRead{
		platform.StreamPosts: {
			Read: read(bucketPosts, batch), Actions: []platform.Action{platform.Publish, platform.Reply, platform.Repost},
			Counter: platform.FieldPosts, Ordered: true,
		},
		platform.StreamFollows: {Read: read(bucketFollows, 1), Actions: []platform.Action{platform.Follow}},
		platform.StreamLikes:   {Read: read(bucketLikes, 1), Actions: []platform.Action{platform.Like}, OwnToken: true, Ordered: true},
	}
	a.Rereads = read(bucketRereads, 100)
	return a
}

func newReader(t testing.TB, adapter platform.Adapter) *reader {
	r := &reader{rig: newRigWith(t, adapter), tokens: fakeTokens{}, every: testEvery}
	r.active = &fakeActivity{fakePlatform: r.platform, posts: map[string][]platform.Act{}, follows: map[string][]platform.Act{}, page: 100}
	r.begin()
	return r
}

// begin is a new process.
func (r *reader) begin() {
	r.restart()
	r.engine.cfg.Tokens = r.tokens
	c := r.connection("x")
	c.Client = &platform.Client{Observe: r.platform, Activity: r.active, Reread: r.active}
	r.engine.SetConnection(c)
}

// follows wants the posts of account i.
func (r *reader) follow(i int, change ...func(*ActivityWant)) {
	w := wanted(i)
	w.Activity = &ActivityWant{Every: r.every, Actions: []platform.Action{platform.Publish}}
	for _, c := range change {
		c(w.Activity)
	}
	r.engine.Want(w)
}

func actions(all ...platform.Action) func(*ActivityWant) {
	return func(w *ActivityWant) { w.Actions = all }
}

// crowd makes n accounts with a post each and wants them.
func (r *reader) crowd(n int) {
	for i := range n {
		r.platform.set(id(i), handle(i))
		r.active.publish(id(i), 1, epoch.Add(-time.Hour))
		r.follow(i)
	}
}

// judge takes what is told of account i, as the reconciler does.
func (r *reader) judge(i int) *Activity {
	r.t.Helper()
	got := r.view(i).Activity
	if got == nil {
		r.t.Fatalf("nothing is known of what account %d does", i)
	}
	r.engine.Judged(key(i), got.Sequence)
	return got
}

func ids(acts []platform.Act) []string {
	out := []string{}
	for _, a := range acts {
		out = append(out, a.ID)
	}
	return out
}

func of(stream platform.Stream, requests []readRequest) (out []readRequest) {
	for _, r := range requests {
		if r.stream == stream {
			out = append(out, r)
		}
	}
	return out
}

// askedFor counts how often each account was asked for.
func askedFor(requests []readRequest) map[string]int {
	n := map[string]int{}
	for _, r := range requests {
		for _, ask := range r.asks {
			n[ask.Ref.ID]++
		}
	}
	return n
}
