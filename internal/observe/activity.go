package observe

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"mithaq.dev/mithaq/internal/platform"
)

// ActivityWant says what is wanted of what an account does.
type ActivityWant struct {
	// Every is the longest time between two reads of a stream; 0: nothing is wanted.
	Every time.Duration
	// Actions are what some rule is about. A stream that shows none of them is not
	// read.
	Actions []platform.Action
	// Own: the account declares credentials, so its own token may be held.
	Own bool
	// Public: only what the app's own credential shows is read (a person's own
	// account).
	Public bool
	// Posts are looked up again at the same interval: those that findings are about.
	Posts []PostWant
	// Restored is how far an earlier process read. It is used once.
	Restored []Reading
}

// PostWant names what a finding is about: a post, or an account followed.
type PostWant struct {
	ID     string
	Action platform.Action
}

// Reading is how far a stream was read.
type Reading struct {
	Stream platform.Stream
	Cursor platform.Cursor
	// Counter is what the profile told at that time of what moves with news.
	Counter string
	// Since: everything from then on was read.
	Since time.Time
	// At is when it was last read; the zero time: the first reading has not come to
	// its end.
	At time.Time
}

// Coverage says what of an action could be read.
type Coverage struct {
	// Since: everything from then on was read. At is when it was last read. Both are
	// zero before the first reading came to its end.
	Since, At time.Time
	// Missing says, as a clause for messages, why the action cannot be read; empty:
	// it can.
	Missing string
	// Unobservable: it never can be, on this platform.
	Unobservable bool
}

// Activity is what is known of what an account does. It is never changed once
// published.
type Activity struct {
	// Acts were not judged yet; Gone are posts, or accounts followed, that the
	// platform no longer shows.
	Acts []platform.Act
	Gone []string
	// Coverage has every action that is wanted.
	Coverage map[platform.Action]Coverage
	// Readings tell how far Acts and all before them were read, by stream.
	Readings []Reading
	// Sequence grows with all news. See Judged.
	Sequence uint64
}

// Tokens lends the accounts' own access tokens.
type Tokens interface {
	// Held says whether there is one. It is asked under a lock, so it answers from
	// memory; not known: that was not found out yet.
	Held(key types.NamespacedName) (held, known bool)
	// Token reads one at the moment of use. Its error is an *platform.Error.
	Token(ctx context.Context, key types.NamespacedName) (platform.Token, error)
}

// activity is the engine's memory of what one account does.
type activity struct {
	want ActivityWant
	// id is the account that it is about.
	id      string
	streams map[platform.Stream]*stream
	// posts are those that are looked up again.
	posts map[PostWant]*post
	// news were not judged yet; held counts their acts.
	news     []news
	held     int
	sequence uint64
}

// stream is one list of activity of an account.
type stream struct {
	Reading
	// lane is where it is read; nil: it is not. ticket is its place in the lane's
	// queue; nil: it has none.
	lane   *lane
	ticket *ticket
	// busy: a call about it is under way. again: there is more to read.
	busy, again bool
	// waits: it was not answered; the next lap asks again.
	waits bool
	// part bounds the next batch, after one that was refused; 0: it does not.
	part int
	// acts and pages count what the present reading told; capped: the first reading
	// told enough.
	acts, pages int
	capped      bool
	// refused says why the platform does not answer for this account.
	refused string
	// missed counts how often in a row a list that is read whole lacked what it held
	// before; listing is such a list while it is read.
	missed  map[string]int
	listing map[string]bool
}

// news is what one answer told.
type news struct {
	sequence uint64
	acts     []platform.Act
	gone     []string
}

// tell keeps news until they are judged.
func (a *activity) tell(acts []platform.Act, gone []string) {
	a.sequence++
	if len(acts)+len(gone) > 0 {
		a.news = append(a.news, news{a.sequence, acts, gone})
		a.held += len(acts)
	}
}

// Judged lets go of what was told up to a sequence.
func (e *Engine) Judged(key types.NamespacedName, sequence uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, ok := e.targets[nameOf(key)]
	if !ok || t.activity == nil {
		return
	}
	a := t.activity
	full := a.full()
	a.news = slices.DeleteFunc(a.news, func(n news) bool {
		if n.sequence <= sequence {
			a.held -= len(n.acts)
		}
		return n.sequence <= sequence
	})
	if full && !a.full() {
		e.pursue(t)
	}
}

// RereadActivity has everything of an account read anew, from the start of the
// window: it is to be judged under other rules, and no text was kept.
func (e *Engine) RereadActivity(key types.NamespacedName) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, ok := e.targets[nameOf(key)]
	if !ok || t.activity == nil {
		return
	}
	e.unfollow(t)
	a := t.activity
	clear(a.streams)
	a.want.Restored = nil
	for i := range a.news {
		a.news[i].acts = nil // they come again
	}
	a.held = 0
	a.sequence++
	e.settleIn(t)
}

// activityOf is what is known of what an account does; nil: nothing is wanted, or
// nobody knows yet how it could be read.
func (e *Engine) activityOf(t *target) *Activity {
	a := t.activity
	if a == nil || t.conn.Client == nil {
		return nil
	}
	out := &Activity{Sequence: a.sequence, Coverage: make(map[platform.Action]Coverage, len(a.want.Actions))}
	for _, n := range a.news {
		out.Acts = append(out.Acts, n.acts...)
		out.Gone = append(out.Gone, n.gone...)
	}
	for _, action := range a.want.Actions {
		out.Coverage[action] = e.coverage(t, action)
	}
	for _, name := range readable {
		if s := a.streams[name]; s != nil && !s.At.IsZero() {
			out.Readings = append(out.Readings, s.Reading)
		}
	}
	return out
}

// readable are the streams, in the order in which they are told.
var readable = []platform.Stream{platform.StreamPosts, platform.StreamLikes, platform.StreamFollows}

// nouns name actions and streams for people.
var (
	nouns = map[platform.Action]string{
		platform.Publish: "posts", platform.Reply: "replies", platform.Repost: "reposts", platform.Like: "likes", platform.Follow: "follows",
	}
	lists = map[platform.Stream]string{platform.StreamPosts: "posts", platform.StreamLikes: "likes", platform.StreamFollows: "follows"}
)

// coverage says what of an action could be read, by the stream that shows it best.
func (e *Engine) coverage(t *target, action platform.Action) Coverage {
	best := Coverage{Missing: "the platform does not show " + nouns[action], Unobservable: true}
	for _, name := range readable {
		read, ok := t.conn.Adapter.Streams[name]
		if !ok || !slices.Contains(read.Actions, action) {
			continue
		}
		if got := e.covered(t, name); best.Unobservable || got.Missing == "" && best.Missing != "" {
			best = got
		}
	}
	return best
}

func (e *Engine) covered(t *target, name platform.Stream) Coverage {
	var got Coverage
	s := t.activity.streams[name]
	if s != nil && !s.At.IsZero() {
		got.Since, got.At = s.Since, s.At
	}
	got.Missing = e.obstacle(t, name)
	if got.Missing == "" && s != nil {
		got.Missing = s.refused
	}
	return got
}

// obstacle says why a stream of the account is not even asked for; empty: it is.
func (e *Engine) obstacle(t *target, name platform.Stream) string {
	if name == streamRereads {
		return ""
	}
	if t.conn.Client.Activity == nil {
		return "the connection does not read " + lists[name]
	}
	if !t.conn.Adapter.Streams[name].OwnToken {
		if s, known := t.snapshot(); known && s.Profile.Protected {
			return "the account hides its " + lists[name]
		}
		return ""
	}
	if t.activity.want.Public {
		return "only what is public is read of a personal account"
	}
	if held, known := e.tokenHeld(t); known && !held {
		return "no token of the account is held"
	}
	return ""
}

// tokenHeld says whether the account's own token is held; not known: nobody looked yet.
func (e *Engine) tokenHeld(t *target) (held, known bool) {
	if e.cfg.Tokens == nil || !t.activity.want.Own {
		return false, true
	}
	return e.cfg.Tokens.Held(t.key())
}
