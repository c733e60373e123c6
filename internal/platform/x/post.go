package x

import (
	"cmp"
	"encoding/json"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// posts is the body of a timeline, of likes or of a lookup of posts.
type posts struct {
	Data   []post           `json:"data"`
	Errors []accountProblem `json:"errors"`
	Meta   *meta            `json:"meta"`
}

// meta is the part of an answer that a page can always be told by.
type meta struct {
	Count     int    `json:"result_count"`
	NextToken string `json:"next_token"`
}

// post is the schema Tweet, in both spellings.
type post struct {
	ID            string      `json:"id"`
	Text          string      `json:"text"`
	AuthorID      string      `json:"author_id"`
	CreatedAt     time.Time   `json:"created_at"`
	Language      string      `json:"lang"`
	ReplyTo       string      `json:"in_reply_to_user_id"`
	OldReferences []reference `json:"referenced_tweets"`
	NewReferences []reference `json:"referenced_posts"`
	OldEdits      []string    `json:"edit_history_tweet_ids"`
	NewEdits      []string    `json:"edit_history_post_ids"`
	Entities      entities    `json:"entities"`
	OldNote       *note       `json:"note_tweet"`
	NewNote       *note       `json:"note_post"`
	malformed     bool
}

type reference struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

type entities struct {
	URLs []link `json:"urls"`
}

// note is the whole text of a long post.
type note struct {
	Text     string   `json:"text"`
	Entities entities `json:"entities"`
}

// UnmarshalJSON marks a post whose types are wrong instead of failing.
func (p *post) UnmarshalJSON(b []byte) error {
	type plain post
	p.malformed = json.Unmarshal(b, (*plain)(p)) != nil
	p.malformed = p.malformed || !isID(p.ID) || p.AuthorID != "" && !isID(p.AuthorID)
	return nil
}

// fieldsOfPost are the tweet.fields that an Act is made of, in the spelling of
// OpenAPI 2.159.
const fieldsOfPost = "author_id,created_at,edit_history_tweet_ids,entities,in_reply_to_user_id,lang,note_tweet,referenced_tweets"

// act is the post as an act of its author, whose handle may be empty.
func (p *post) act(handle string) platform.Act {
	a := platform.Act{
		ID: p.ID, Action: p.action(), At: p.CreatedAt.UTC(), EditedAt: p.editedAt(),
		Text: p.Text, URL: address(handle, p.ID), Language: languageOf(p.Language),
	}
	urls := p.Entities.URLs
	if long := cmp.Or(p.OldNote, p.NewNote); long != nil && long.Text != "" {
		a.Text, urls = long.Text, append(urls, long.Entities.URLs...)
	}
	a.Text = platform.CapText(a.Text)
	a.Links = targets(urls)
	if a.Action == platform.Reply && isID(p.ReplyTo) {
		a.Target, a.TargetKnown = platform.AccountRef{ID: p.ReplyTo}, true
	}
	return a
}

// action is told by what the post refers to. A quote is a post of its own.
func (p *post) action() platform.Action {
	action := platform.Publish
	for _, r := range append(p.OldReferences, p.NewReferences...) {
		switch r.Type {
		case "retweeted", "reposted":
			return platform.Repost
		case "replied_to":
			action = platform.Reply
		}
	}
	return action
}

// editedAt is when this edition of an edited post was made: each has an id of its
// own, and created_at is that of the edition.
func (p *post) editedAt() time.Time {
	if len(p.OldEdits) > 1 || len(p.NewEdits) > 1 {
		return p.CreatedAt.UTC()
	}
	return time.Time{}
}

// targets are where the links lead, each once.
func targets(urls []link) []string {
	var out []string
	seen := make(map[string]bool)
	for _, l := range urls {
		target := cmp.Or(l.UnwoundURL, l.ExpandedURL, l.URL)
		if !seen[target] && platform.IsWebLink(target) {
			seen[target] = true
			out = append(out, target)
		}
	}
	return out
}

func address(handle, id string) string {
	if !isHandle(handle) {
		handle = "i/web"
	}
	return "https://x.com/" + handle + "/status/" + id
}

// languageOf drops what X uses for no language: und, zxx and its own q-codes.
func languageOf(tag string) string {
	if len(tag) < 2 || len(tag) > 12 || tag == "und" || tag == "zxx" || tag[0] == 'q' && len(tag) == 3 {
		return ""
	}
	return tag
}
