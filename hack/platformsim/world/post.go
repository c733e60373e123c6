package world

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Action is what an account did.
type Action string

// The actions: a closed list.
const (
	Publish Action = "Publish"
	Reply   Action = "Reply"
	Repost  Action = "Repost"
	Like    Action = "Like"
	Follow  Action = "Follow"
)

var actions = []Action{Publish, Reply, Repost, Like, Follow}

// Post is one act of an account: something published, or a reply, repost, like
// or follow. Its id is unique on its platform, whatever the action. An act of a
// stranger needs the stranger's account.
type Post struct {
	Platform Platform `json:"platform"`
	// Account is the id of the account whose act it is.
	Account string `json:"account"`
	ID      string `json:"id"`
	Action  Action `json:"action"`
	// Kind narrows Publish where a platform has several lists: "story", "reel",
	// "video", "live". Each simulator says which it knows; empty is the plain kind.
	Kind  string   `json:"kind,omitempty"`
	Text  string   `json:"text,omitempty"`
	Links []string `json:"links,omitempty"`
	// Image is a name known to Image.
	Image string `json:"image,omitempty"`
	// Target is the id of the post replied to, reposted or liked, of the account
	// followed, or of the account on whose wall it was published.
	Target string `json:"target,omitempty"`
	// By is the id of the person who did it in the account's name, App the API key
	// of the app they used; both may be empty.
	By  string `json:"by,omitempty"`
	App string `json:"app,omitempty"`
	// Created defaults to the world's time.
	Created time.Time `json:"created,omitzero"`
	Edited  time.Time `json:"edited,omitzero"`
	// Deleted is when it was taken back; a post with it is shown by no platform.
	Deleted time.Time `json:"deleted,omitzero"`
	Hidden  bool      `json:"hidden,omitempty"`
}

// PostQuery chooses among an account's posts; the zero value is all that are
// not deleted. Since is exclusive, Until inclusive, both of Created.
type PostQuery struct {
	Actions      []Action
	Kinds        []string
	Since, Until time.Time
	// Deleted includes those taken back.
	Deleted bool
}

func (q PostQuery) takes(p *Post) bool {
	switch {
	case len(q.Actions) > 0 && !slices.Contains(q.Actions, p.Action),
		len(q.Kinds) > 0 && !slices.Contains(q.Kinds, p.Kind),
		!q.Deleted && !p.Deleted.IsZero(),
		!q.Since.IsZero() && !p.Created.After(q.Since),
		!q.Until.IsZero() && p.Created.After(q.Until):
		return false
	}
	return true
}

type postKey struct {
	platform Platform
	id       string
}

// postStore is guarded by World.mu, as a post moves its account's counts.
type postStore struct {
	byID map[postKey]*Post
	// byAccount is newest first.
	byAccount map[postKey][]*Post
	byTarget  map[postKey][]*Post
}

func newPostStore() postStore {
	return postStore{byID: map[postKey]*Post{}, byAccount: map[postKey][]*Post{}, byTarget: map[postKey][]*Post{}}
}

// PutPost creates or replaces a post. A new one moves the account's counts and
// its last post as the platform would. It fails with ErrInvalid, with
// ErrNotFound if the account is unknown, or with ErrConflict if the id belongs
// to another account's post.
func (w *World) PutPost(p Post) error { return w.putPost(p, true) }

func (w *World) putPost(p Post, count bool) error {
	if p.Created.IsZero() {
		p.Created = w.Now().UTC().Truncate(time.Second)
	}
	if err := p.validate(); err != nil {
		return fmt.Errorf("putting post %s/%s: %w: %w", p.Platform, p.ID, ErrInvalid, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	a, ok := w.shelf(p.Platform).byID[p.Account]
	if !ok {
		return fmt.Errorf("putting post %s/%s: account %q: %w", p.Platform, p.ID, p.Account, ErrNotFound)
	}
	old := w.posts.byID[postKey{p.Platform, p.ID}]
	if old != nil && old.Account != p.Account {
		return fmt.Errorf("putting post %s/%s: %w: it is one of %s", p.Platform, p.ID, ErrConflict, old.Account)
	}
	p.Links = slices.Clone(p.Links)
	w.posts.drop(old)
	w.posts.insert(&p)
	if count {
		w.recount(a, old, &p)
	}
	return nil
}

func (p *Post) validate() error {
	r, ok := rules[p.Platform]
	switch {
	case !ok:
		return fmt.Errorf("unknown platform %q", p.Platform)
	case !r.post.MatchString(p.ID):
		return fmt.Errorf("id %q does not match %s", p.ID, r.post)
	case !slices.Contains(actions, p.Action):
		return fmt.Errorf("action %q is not one of %v", p.Action, actions)
	case p.Target == "" && p.Action != Publish:
		return fmt.Errorf("action %s needs a target", p.Action)
	}
	if _, _, err := parseImage(p.Image); p.Image != "" && err != nil {
		return err
	}
	return nil
}

// DeletePost marks a post as taken back now; one that is already stays so. It
// fails with ErrNotFound.
func (w *World) DeletePost(p Platform, id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	old, ok := w.posts.byID[postKey{p, id}]
	if !ok {
		return fmt.Errorf("deleting post %s/%s: %w", p, id, ErrNotFound)
	}
	if !old.Deleted.IsZero() {
		return nil
	}
	next := *old
	next.Deleted = w.Now().UTC().Truncate(time.Second)
	w.posts.drop(old)
	w.posts.insert(&next)
	if a, ok := w.shelf(p).byID[next.Account]; ok {
		w.recount(a, old, &next)
	}
	return nil
}

// Post returns a post, deleted or not.
func (w *World) Post(p Platform, id string) (Post, bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	post, ok := w.posts.byID[postKey{p, id}]
	if !ok {
		return Post{}, false
	}
	return post.copy(), true
}

// Posts returns the posts of an account that q takes, newest first; those of the
// same second by descending id.
func (w *World) Posts(p Platform, account string, q PostQuery) []Post {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return pick(w.posts.byAccount[postKey{p, account}], q)
}

// PostsAbout returns the posts whose target is this id, whoever's, newest first.
func (w *World) PostsAbout(p Platform, target string, q PostQuery) []Post {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return pick(w.posts.byTarget[postKey{p, target}], q)
}

func pick(from []*Post, q PostQuery) []Post {
	var out []Post
	for _, p := range from {
		if q.takes(p) {
			out = append(out, p.copy())
		}
	}
	return out
}

func (p *Post) copy() Post {
	c := *p
	c.Links = slices.Clone(p.Links)
	return c
}

func newestFirst(a, b *Post) int {
	return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(len(b.ID), len(a.ID)), cmp.Compare(b.ID, a.ID))
}

func (s *postStore) insert(p *Post) {
	s.byID[postKey{p.Platform, p.ID}] = p
	for index, id := range s.indexes(p) {
		if id == "" {
			continue
		}
		key := postKey{p.Platform, id}
		at, _ := slices.BinarySearchFunc(index[key], p, newestFirst)
		index[key] = slices.Insert(index[key], at, p)
	}
}

func (s *postStore) drop(p *Post) {
	if p == nil {
		return
	}
	delete(s.byID, postKey{p.Platform, p.ID})
	for index, id := range s.indexes(p) {
		key := postKey{p.Platform, id}
		index[key] = slices.DeleteFunc(index[key], func(o *Post) bool { return o == p })
	}
}

// indexes yields each index with the id under which the post stands in it.
func (s *postStore) indexes(p *Post) func(yield func(map[postKey][]*Post, string) bool) {
	return func(yield func(map[postKey][]*Post, string) bool) {
		_ = yield(s.byAccount, p.Account) && yield(s.byTarget, p.Target)
	}
}

// recount moves the counts of an account by what a post changed; old is nil for
// a new one.
func (w *World) recount(a *Account, old, next *Post) {
	step := next.weight() - old.weight()
	switch {
	case next.Action == Like:
		a.Likes = max(a.Likes+step, 0)
	case next.Action == Follow:
		a.Following = max(a.Following+step, 0)
	case next.isCounted():
		a.Posts = max(a.Posts+step, 0)
		a.LastPostID = w.newestCounted(a)
	}
}

// weight is 1 for a post that stands, 0 for one that does not.
func (p *Post) weight() int64 {
	if p == nil || !p.Deleted.IsZero() {
		return 0
	}
	return 1
}

// isCounted says whether the platform's count of posts includes it: X counts
// replies and reposts as well, the others only what was published, and stories
// nowhere.
func (p *Post) isCounted() bool {
	switch p.Action {
	case Publish:
		return p.Kind != "story" && p.Kind != "live"
	case Reply, Repost:
		return p.Platform == X
	default:
		return false
	}
}

func (w *World) newestCounted(a *Account) string {
	for _, p := range w.posts.byAccount[postKey{a.Platform, a.ID}] {
		if p.isCounted() && p.weight() > 0 {
			return p.ID
		}
	}
	return ""
}
