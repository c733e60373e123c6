package governance

import (
	"time"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// Act is one thing that an account did, as the platform shows it. It is judged
// when it arrives and then forgotten: see Record.
type Act struct {
	// ID is the platform's id of the post, or of the account followed.
	ID     string
	Action v1alpha1.ActivityAction
	// At is when it was done; the zero time where the platform does not tell.
	At time.Time
	// EditedAt is when its text last changed; the zero time: not edited, or not told.
	EditedAt time.Time
	// Text is what was published, reposted or liked, as the platform gave it.
	Text string
	// URL is the public address; empty where there is none.
	URL string
	// Links are the targets of the links in it, shorteners resolved where the
	// platform does so.
	Links []string
	// Language is the platform's own guess, as BCP 47; empty: none.
	Language string
	Target   Target
	// By is the platform's id of the person who pressed the button, where it tells.
	By string
}

// Target is the account replied to, reposted from, liked or followed.
type Target struct {
	ID, Handle string
	// Known says that the platform tells the target of such an act.
	Known bool
}

// Coverage says of one action what could be read and since when.
type Coverage struct {
	// Since: everything from then on was read. Zero: nothing was read yet.
	Since time.Time
	// At is when it was last read.
	At time.Time
	// Missing says, as a clause for messages, why the action cannot be read: "the
	// platform does not show likes", "no token with scope like.read". Empty: it can.
	Missing string
	// Unobservable: Missing holds for every account of this platform, always.
	Unobservable bool
}

// JudgeInput is what has become known of an account's activity.
type JudgeInput struct {
	Account *v1alpha1.SocialAccount
	// Policies select the account and are in force, as in Input.
	Policies []*Policy
	// Live is what the platform shows of the account, for expressions that ask; nil:
	// not readable.
	Live *Live
	// Acts are new, or were edited. An act that was judged before is judged anew.
	Acts []Act
	// Gone are ids that the platform no longer shows.
	Gone []string
	// Coverage holds every action; one that is absent was never read.
	Coverage map[v1alpha1.ActivityAction]Coverage
	// Governed says whether an account is declared here. Nil: not known.
	Governed func(platform v1alpha1.PlatformName, id, handle string) bool
	Now      time.Time
}
