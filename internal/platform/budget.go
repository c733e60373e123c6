package platform

import "time"

// BudgetKind is the way in which a platform limits.
type BudgetKind string

// The kinds of budget: a closed list.
const (
	// BudgetWindow: a counter of requests that the platform resets at the end of
	// each window and tells in headers (X).
	BudgetWindow BudgetKind = "Window"
	// BudgetDay: units a day that no header tells, reset at midnight in Zone
	// (YouTube). It must survive a restart.
	BudgetDay BudgetKind = "Day"
	// BudgetGauge: percent used of a secret amount, told in headers (Meta). Usage
	// has Limit 100; it is not used above 80 percent of it.
	BudgetGauge BudgetKind = "Gauge"
	// BudgetBucket: an average of Limit requests per Window without any feedback
	// but a refusal (Snapchat).
	BudgetBucket BudgetKind = "Bucket"
	// BudgetMoney: reads cost money, in millionths of a US dollar a day that begins
	// at midnight in Zone (X). The most that may be spent is the connection's own
	// affair, so Limit is 0. It must survive a restart.
	BudgetMoney BudgetKind = "Money"
)

// Budget is what a platform publishes about one bucket of requests.
type Budget struct {
	// Bucket names it, as in Usage and Charge.
	Bucket string
	Kind   BudgetKind
	// Limit is the number of units in a Window; see the kinds.
	Limit int
	// Window is the length of a window, or the time in which a Bucket is refilled
	// whole; 0 for Day and Money.
	Window time.Duration
	// Zone is the IANA time zone in which days begin, for Day and Money.
	Zone string
	// Burst is the number of units that may go at once, of a Bucket.
	Burst int
	// Handed is the percentage of it that GrantCalls may take where that is another than
	// usual: more than a sweep can ever use is left over, or nothing else is charged to it.
	Handed int
}

// Charge is what one request costs of a bucket: PerRequest, and PerItem for every
// account that it names, or post that the answer holds.
type Charge struct {
	Bucket     string
	PerRequest int
	PerItem    int
	// Once: an item is charged once a day of the bucket's Zone, however often it is
	// read (X's deduplication per resource and UTC day).
	Once bool
}

// Read is one way of reading.
type Read struct {
	// Batch is the number of accounts that one request can name, at least 1.
	Batch int
	// Silent: it finds accounts, and never says that there is none.
	Silent bool
	// Hinted: a lookup by id takes the declared handle along, as some accounts can be
	// read by it alone (Instagram's of others).
	Hinted bool
	// Charges are what a request costs; at least one.
	Charges []Charge
	// Credential says, for people, what the read needs: "app bearer".
	Credential string
	// Endpoint is the template of the request, for people: "GET /2/users".
	Endpoint string
}

// Gap is something that a platform does not expose.
type Gap struct{ Subject, Why string }
