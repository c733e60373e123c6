package platform

import (
	"context"
	"time"
)

// Action is something an account does, spelled as in the policies.
type Action string

// The actions: a closed list.
const (
	Publish Action = "Publish"
	Reply   Action = "Reply"
	Repost  Action = "Repost"
	Like    Action = "Like"
	Follow  Action = "Follow"
)

// Stream is one list of activity of an account: what is read with one request and
// has one cursor.
type Stream string

// The streams: a closed list.
const (
	StreamPosts   Stream = "posts"   // posts, replies and reposts
	StreamLikes   Stream = "likes"   // likes made
	StreamFollows Stream = "follows" // accounts followed
)

// StreamRead says what a stream yields and what reading it costs.
type StreamRead struct {
	Read
	// Actions are the actions that the stream shows on this platform, and no others.
	Actions []Action
	// OwnToken: it can be read with the account's own token alone.
	OwnToken bool
	// Counter is the profile field whose change says that there is something new
	// (FieldLastPost or FieldPosts); 0: nothing tells.
	Counter Field
	// Ordered: acts come newest first and a cursor bounds what is read again.
	// Otherwise the answers up to the one whose More is false are the whole list
	// (follows), and its cursor is empty again: each ask is one request.
	Ordered bool
	// MaxAge is how long an act stays readable (stories: 24h); 0: no bound known.
	MaxAge time.Duration
}

// Act is one thing that an account did, as the platform shows it. Text is as the
// platform gave it, capped at MaxText code points; whoever stores or shows a part
// of it makes it safe first (see Visible).
type Act struct {
	// ID is the platform's id of the post, or of the account followed.
	ID     string
	Action Action
	// At is when it was done; the zero time where the platform does not tell.
	At time.Time
	// EditedAt is when its text last changed; the zero time: not edited, or not told.
	EditedAt time.Time
	Text     string
	// URL is the public address; empty where there is none.
	URL string
	// Links are the targets of the links in it, shorteners resolved where the
	// platform does so.
	Links []string
	// Language is the platform's own guess, as BCP 47; empty: none.
	Language string
	// Target is the account replied to, reposted from, liked or followed; zero where
	// there is none or the platform does not tell.
	Target AccountRef
	// TargetKnown says that the platform tells the target of such an act.
	TargetKnown bool
	// By is the platform's id of the person who pressed the button, where it tells.
	By string
}

// MaxText is the cap of an act's text, in code points.
const MaxText = 8000

// Cursor says how far a stream was read: an adapter's own text of at most 256
// bytes without line ends, empty at first. It stays valid over restarts and holds
// no credential.
type Cursor string

// ActivityAsk asks for what one account did since a cursor.
type ActivityAsk struct {
	Ref    AccountRef
	Cursor Cursor
	// Since bounds the first reading, all its pages up to the answer without More: what
	// is older is not wanted. It may grow between two pages, when enough was told.
	Since time.Time
	// Limit is the most acts wanted, at least 1; more stay for the next ask.
	Limit int
	// Token is the account's own access token; empty: the app's credential.
	Token Token
	// UploadsHint is what an earlier profile told of where posts are listed, where
	// the platform needs it (YouTube's uploads playlist); may be empty.
	UploadsHint string
}

// ActivityAnswer is what one account did.
type ActivityAnswer struct {
	Ref AccountRef
	// Acts are newest first, without those that an earlier cursor covered.
	Acts []Act
	// Cursor is where to go on. It moves past Acts, never past what was not told.
	Cursor Cursor
	// More: there is more up to now than Limit allowed.
	More bool
	// Items is the number of items that were paid for.
	Items int
	// Err (an *Error) says why this account was not answered; then the rest is zero.
	Err error
}

// ActivityReader reads what accounts did.
type ActivityReader interface {
	// Activity reads one stream of at most StreamRead.Batch accounts and returns one
	// answer per ask, in order. An error (always an *Error) means that none was
	// answered.
	Activity(ctx context.Context, stream Stream, asks []ActivityAsk) ([]ActivityAnswer, error)
}

// PostRef names a post to a platform.
type PostRef struct {
	Account AccountRef
	ID      string
}

// PostState is what a platform says of one post.
type PostState struct {
	Ref PostRef
	// Outcome is Found, NotFound or Unanswered.
	Outcome Outcome
	// Act is set if and only if Outcome is Found.
	Act *Act
	// Err says why, if and only if Outcome is Unanswered.
	Err error
}

// Rereader looks single posts up again: are they still there, are they the same?
type Rereader interface {
	// Reread looks up at most Adapter.Rereads.Batch posts and returns one state per
	// ref, in order. An error (always an *Error) means that none was answered.
	Reread(ctx context.Context, refs []PostRef) ([]PostState, error)
}
