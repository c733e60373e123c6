package platform

import (
	"context"
	"net/http"
	"time"
)

// Name is a platform's name, spelled as in spec.platform of a SocialAccount.
type Name string

// The platforms of the manual: a closed list.
const (
	X         Name = "X"
	Instagram Name = "Instagram"
	Snapchat  Name = "Snapchat"
	YouTube   Name = "YouTube"
	Facebook  Name = "Facebook"
)

// AccountRef names an account to a platform: by its immutable ID where that is
// known, else by its handle (no leading @). A handle can change hands; an ID
// cannot. A lookup by ID holds the declared handle as well where Read.Hinted says so:
// a hint of where to look, and never what the account is.
type AccountRef struct {
	ID     string
	Handle string
}

// Lookup is the way an account is looked up.
type Lookup string

// The two ways to look an account up.
const (
	ByID     Lookup = "id"
	ByHandle Lookup = "handle"
)

// Outcome is what a platform said of one account.
type Outcome string

// The outcomes. Unanswered is not a verdict about the account: the platform
// left it out, or answered something that cannot be believed.
const (
	Found       Outcome = "Found"
	Suspended   Outcome = "Suspended"
	NotFound    Outcome = "NotFound"
	Deactivated Outcome = "Deactivated"
	Unanswered  Outcome = "Unanswered"
)

// Observation is a platform's answer about one account.
type Observation struct {
	Ref     AccountRef
	Outcome Outcome
	// Profile is set if and only if Outcome is Found.
	Profile *Profile
	// Err says why, if and only if Outcome is Unanswered.
	Err error
}

// Told says that the platform said something of the account.
func (o Observation) Told() bool {
	return o.Outcome != Unanswered && (o.Outcome != Found || o.Profile != nil)
}

// Observer reads public profiles.
type Observer interface {
	// Observe looks up at most Read.Batch accounts, all of them by the same
	// Lookup, and returns one Observation per ref, in the order of refs. An
	// error (always an *Error) means that none was answered.
	Observe(ctx context.Context, by Lookup, refs []AccountRef) ([]Observation, error)
}

// Listing is one page of the profiles that an app can list.
type Listing struct {
	// Observations are all Found; an account that is not in them was not named, which
	// says nothing about it.
	Observations []Observation
	// Cursor is where to go on while More is true.
	Cursor Cursor
	More   bool
}

// Lister reads profiles in the platform's own order, many with one request, where no
// request can name many (Snapchat's organisation pages).
type Lister interface {
	// List reads the page at cursor, the first where it is empty. Its error is always
	// an *Error.
	List(ctx context.Context, cursor Cursor) (Listing, error)
}

// Usage is what an answer's headers told of a bucket.
type Usage struct {
	Bucket    string
	Limit     int
	Remaining int
	ResetsAt  time.Time
}

// Config opens a Client.
type Config struct {
	// Endpoint is the base URL, without a trailing slash.
	Endpoint string
	// Hosts are the base URLs by role, as Adapter.HostsAt gives them.
	Hosts map[string]string
	// App holds the app's own credentials.
	App Secret
	// HTTP performs the requests. See NewHTTPClient.
	HTTP *http.Client
	// Grant keeps the app's own rotating grant, on platforms whose reads need
	// one (Snapchat); nil: the Secret App is all there is.
	Grant GrantStore
	// Usage receives what each answer's headers say; never nil.
	Usage func(Usage)
	// Now is the clock; never nil.
	Now func() time.Time
	// Notice, if set, is told what people should know of the platform itself, once
	// for each change: a fixed text, and a version where there is one.
	Notice func(text, version string)
}

// Client is one app's open connection to a platform. A nil capability is
// unsupported.
type Client struct {
	Observe Observer
	// List reads profiles page by page, where the app Secret allows it.
	List Lister
	// Activity reads what accounts did.
	Activity ActivityReader
	// Reread looks single posts up again.
	Reread Rereader
	// People lists who has access, and Unseat removes them.
	People People
	Unseat Unseater
	// Consent, Issue, Identify, Introspect and Revoke are the life of a grant.
	Consent    Consenter
	Issue      Issuer
	Identify   Identifier
	Introspect Introspector
	Revoke     Revoker
	// Custody, if set, holds in place of the adapter's for this app Secret: Facebook
	// without a system user, Instagram by its own login.
	Custody *Custody
}

// CustodyOf is what holds for the client.
func (a Adapter) CustodyOf(c *Client) Custody {
	if c != nil && c.Custody != nil {
		return *c.Custody
	}
	return a.Custody
}

// Adapter describes one platform. main.go builds the set of them.
type Adapter struct {
	Name Name
	// Endpoint is the platform's own base URL.
	Endpoint string
	// Hosts are the platform's other base URLs, by role: "token", "ads",
	// "authorize" (which only people's browsers call).
	Hosts map[string]string
	// MediaHosts are the hosts that serve the platform's profile images.
	MediaHosts []string
	// Budgets are all the budgets that requests are counted against.
	Budgets []Budget
	// Profiles says, for each supported Lookup, at which cost profiles are read.
	Profiles map[Lookup]Read
	// Listing says at which cost a page of Client.List is read, and the most accounts
	// on it (Batch); the zero value: not at all.
	Listing Read
	// Streams are the lists of activity that the platform exposes.
	Streams map[Stream]StreamRead
	// Rereads says at which cost single posts are looked up again; the zero value:
	// not at all.
	Rereads Read
	// Custody says what the platform really allows at a handover.
	Custody Custody
	// Grants says what each call of a grant's life costs, as many requests as it may
	// take; an item is the account. What is limited per token or person is not in it:
	// one account's handover comes nowhere near. One that is not there costs nothing.
	Grants map[GrantCall][]Charge
	// Gaps are what the platform does not expose, for people: a subject such as
	// "likes made" and why. They go into docs/platforms.md.
	Gaps []Gap
	// Readable are the profile fields that this platform exposes at all. What
	// is not in it is unknown, which is never the same as empty.
	Readable FieldSet
	// Open checks the app Secret and returns a Client; it performs no call. Its
	// error is an *Error of kind KindInvalid that names the keys that are missing or
	// malformed, never their values.
	Open func(Config) (*Client, error)
}

// HostsAt is Hosts, or the endpoint for every role where another endpoint than
// the platform's own stands in for the whole platform (a simulator, a proxy).
func (a Adapter) HostsAt(endpoint string) map[string]string {
	hosts := make(map[string]string, len(a.Hosts))
	for role, own := range a.Hosts {
		hosts[role] = own
		if endpoint != a.Endpoint {
			hosts[role] = endpoint
		}
	}
	return hosts
}

// Budget finds a budget by its bucket's name.
func (a Adapter) Budget(bucket string) (Budget, bool) {
	for _, b := range a.Budgets {
		if b.Bucket == bucket {
			return b, true
		}
	}
	return Budget{}, false
}
