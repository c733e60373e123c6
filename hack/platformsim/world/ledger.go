package world

import (
	"cmp"
	"slices"
	"sync"
)

// Ledger is what was asked of the platforms and what it cost, in a fixed order.
type Ledger struct {
	Requests []RequestCount `json:"requests"`
	Bills    []Bill         `json:"bills"`
	Credits  []Credit       `json:"credits"`
	// Budgets are what the simulators count of their limits.
	Budgets []BudgetCount `json:"budgets"`
}

// RequestCount counts the answers with one status. Status 0 is a connection
// that was reset without an answer.
type RequestCount struct {
	Platform Platform `json:"platform"`
	Endpoint string   `json:"endpoint"`
	Status   int      `json:"status"`
	Count    int      `json:"count"`
}

// Bill is what one app's reads of one kind of resource cost on one UTC day.
// Deduplicated ones were read again that day and are free.
type Bill struct {
	Platform     Platform `json:"platform"`
	APIKey       string   `json:"apiKey"`
	Day          string   `json:"day"`
	Resource     string   `json:"resource"`
	Billed       int      `json:"billed"`
	Deduplicated int      `json:"deduplicated"`
	MicroUSD     int64    `json:"microUSD"`
	USD          string   `json:"usd"`
}

// Credit is what is left of an app's prepaid balance.
type Credit struct {
	Platform Platform `json:"platform"`
	APIKey   string   `json:"apiKey"`
	MicroUSD int64    `json:"microUSD"`
	USD      string   `json:"usd"`
}

type requestKey struct {
	platform Platform
	endpoint string
	status   int
}

type billKey struct {
	app      appKey
	day      string
	resource string
}

// paidDay is what an app has paid for on its newest UTC day; earlier days no
// longer matter, so memory stays bounded by one day's reads.
type paidDay struct {
	day  string
	seen map[string]struct{}
}

type ledger struct {
	mu       sync.Mutex
	requests map[requestKey]int
	bills    map[billKey]*Bill
	paid     map[appKey]*paidDay
	credits  map[appKey]int64
	budgets  map[budgetKey]*BudgetCount
}

func (l *ledger) clear() {
	l.requests = map[requestKey]int{}
	l.bills = map[billKey]*Bill{}
	l.paid = map[appKey]*paidDay{}
	l.budgets = map[budgetKey]*BudgetCount{}
}

// CountRequest records one answer; status 0 is a reset connection.
func (w *World) CountRequest(p Platform, endpoint string, status int) {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	w.ledger.requests[requestKey{p, endpoint, status}]++
}

// Ledger returns a copy of the ledger.
func (w *World) Ledger() Ledger {
	l := &w.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	out := Ledger{Requests: []RequestCount{}, Bills: []Bill{}, Credits: []Credit{}, Budgets: []BudgetCount{}}
	for k, n := range l.requests {
		out.Requests = append(out.Requests, RequestCount{k.platform, k.endpoint, k.status, n})
	}
	for _, b := range l.bills {
		line := *b
		line.USD = formatUSD(b.MicroUSD)
		out.Bills = append(out.Bills, line)
	}
	for k, left := range l.credits {
		out.Credits = append(out.Credits, Credit{k.platform, k.key, left, formatUSD(left)})
	}
	for _, b := range l.budgets {
		out.Budgets = append(out.Budgets, *b)
	}
	out.sort()
	return out
}

// sort puts the lists into a fixed order, for comparison and for reading.
func (l Ledger) sort() {
	slices.SortFunc(l.Requests, func(a, b RequestCount) int {
		return cmp.Or(cmp.Compare(a.Platform, b.Platform), cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.Status, b.Status))
	})
	slices.SortFunc(l.Bills, func(a, b Bill) int {
		return cmp.Or(cmp.Compare(a.Platform, b.Platform), cmp.Compare(a.APIKey, b.APIKey), cmp.Compare(a.Day, b.Day), cmp.Compare(a.Resource, b.Resource))
	})
	slices.SortFunc(l.Credits, func(a, b Credit) int {
		return cmp.Or(cmp.Compare(a.Platform, b.Platform), cmp.Compare(a.APIKey, b.APIKey))
	})
	slices.SortFunc(l.Budgets, func(a, b BudgetCount) int {
		return cmp.Or(cmp.Compare(a.Platform, b.Platform), cmp.Compare(a.Bucket, b.Bucket), cmp.Compare(a.Day, b.Day))
	})
}

// ResetLedger forgets the requests, the bills, the budgets and which resources were paid for
// today. Credits that were spent stay spent.
func (w *World) ResetLedger() {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	w.ledger.clear()
}

// Asked sums the answers counted for an endpoint of a platform, whatever their
// status; an empty endpoint sums all of the platform.
func (l Ledger) Asked(p Platform, endpoint string) int {
	sum := 0
	for _, r := range l.Requests {
		if r.Platform == p && (endpoint == "" || r.Endpoint == endpoint) {
			sum += r.Count
		}
	}
	return sum
}

// Cost sums the bills of a platform in micro-dollars.
func (l Ledger) Cost(p Platform) int64 {
	sum := int64(0)
	for _, b := range l.Bills {
		if b.Platform == p {
			sum += b.MicroUSD
		}
	}
	return sum
}
