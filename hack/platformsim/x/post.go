package x

import (
	"net/http"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

// Prices of reads in millionths of a dollar (docs.x.com, pricing).
const (
	pricePost   = 5_000
	priceFollow = 10_000
	priceLike   = 1_000
)

// post is X's post object, in either spelling.
type post struct {
	ID            string       `json:"id"`
	Text          string       `json:"text"`
	HistoryTweets []string     `json:"edit_history_tweet_ids,omitempty"`
	HistoryPosts  []string     `json:"edit_history_post_ids,omitempty"`
	AuthorID      string       `json:"author_id,omitempty"`
	CreatedAt     string       `json:"created_at,omitempty"`
	Conversation  string       `json:"conversation_id,omitempty"`
	InReplyTo     string       `json:"in_reply_to_user_id,omitempty"`
	Tweets        []reference  `json:"referenced_tweets,omitempty"`
	Posts         []reference  `json:"referenced_posts,omitempty"`
	Metrics       *postMetrics `json:"public_metrics,omitempty"`
	Entities      *urlEntities `json:"entities,omitempty"`
}

type reference struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

type postMetrics struct {
	Reposts     int `json:"retweet_count"`
	Replies     int `json:"reply_count"`
	Likes       int `json:"like_count"`
	Quotes      int `json:"quote_count"`
	Bookmarks   int `json:"bookmark_count"`
	Impressions int `json:"impression_count"`
}

// showPost renders a post as a request wants it. OpenAPI 2.167 moves the author
// and the references from the members to the expansions.
func (s *server) showPost(a *ask, p *world.Post) *post {
	wants := func(member, expansion string) bool {
		return a.posts[member] || s.names.newNames && a.fields[expansion]
	}
	out := &post{ID: p.ID, Text: p.Text}
	if s.names.newNames {
		out.HistoryPosts = []string{p.ID}
	} else {
		out.HistoryTweets = []string{p.ID}
	}
	if wants("author_id", "author_id") {
		out.AuthorID = p.Account
	}
	if a.posts["created_at"] {
		out.CreatedAt = p.Created.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	s.showThread(out, a, p, wants("in_reply_to_user_id", "in_reply_to_user_id"))
	s.showReferences(out, p, wants("referenced_tweets", "referenced_posts"))
	if a.posts["public_metrics"] {
		out.Metrics = s.postMetrics(p.ID)
	}
	if a.posts["entities"] && len(p.Links) > 0 {
		out.Entities = linksOf(p)
	}
	return out
}

func (s *server) showThread(out *post, a *ask, p *world.Post, author bool) {
	if a.posts["conversation_id"] {
		out.Conversation = s.conversation(p)
	}
	if !author || p.Action != world.Reply {
		return
	}
	if target, ok := s.world.Post(world.X, p.Target); ok {
		out.InReplyTo = target.Account
	}
}

func (s *server) showReferences(out *post, p *world.Post, wanted bool) {
	kind := map[world.Action]string{world.Reply: "replied_to", world.Repost: "retweeted", world.Publish: "quoted"}[p.Action]
	if !wanted || p.Target == "" || kind == "" {
		return
	}
	list := []reference{{kind, p.Target}}
	if s.names.newNames {
		out.Posts = list
	} else {
		out.Tweets = list
	}
}

// conversation is the id of the post that the replies began at.
func (s *server) conversation(p *world.Post) string {
	id, next := p.ID, *p
	// A bound, as a fleet may have posts that answer each other in a circle.
	for range 100 {
		if next.Action != world.Reply {
			return id
		}
		id = next.Target
		target, ok := s.world.Post(world.X, id)
		if !ok {
			return id
		}
		next = target
	}
	return id
}

func (s *server) postMetrics(id string) *postMetrics {
	m := &postMetrics{}
	for _, p := range s.world.PostsAbout(world.X, id, world.PostQuery{}) {
		switch p.Action {
		case world.Repost:
			m.Reposts++
		case world.Reply:
			m.Replies++
		case world.Like:
			m.Likes++
		case world.Publish:
			m.Quotes++
		case world.Follow:
		}
	}
	return m
}

func linksOf(p *world.Post) *urlEntities {
	out := &urlEntities{}
	for _, link := range p.Links {
		short := shorten(link)
		out.URLs = append(out.URLs, urlEntity{End: len(short), URL: short, ExpandedURL: link, DisplayURL: display(link)})
	}
	return out
}

// shown are the acts that are posts on X.
var shown = []world.Action{world.Publish, world.Reply, world.Repost}

// isPost says whether this can be read as a post now.
func isPost(p *world.Post) bool {
	return p.Deleted.IsZero() && !p.Hidden && (p.Action == world.Publish || p.Action == world.Reply || p.Action == world.Repost)
}

// posts looks up to 100 posts up.
func (s *server) posts(w http.ResponseWriter, r *http.Request, c caller) {
	l := &lookup{server: s, endpoint: EndpointPosts, param: "ids", pattern: idPattern}
	s.lookUpPosts(w, r, c, l)
}

func (s *server) post(w http.ResponseWriter, r *http.Request, c caller) {
	l := &lookup{server: s, endpoint: EndpointPost, param: "id", pattern: idPattern, single: true}
	s.lookUpPosts(w, r, c, l)
}
