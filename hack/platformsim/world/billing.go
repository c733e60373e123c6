package world

import (
	"fmt"
	"math/big"
	"regexp"
	"time"
)

// Charge is one answer that has to be paid for.
type Charge struct {
	Platform Platform
	APIKey   string
	// Resource is the kind of thing read, such as "user".
	Resource string
	IDs      []string
	// PriceMicroUSD is the price of one resource in millionths of a dollar.
	PriceMicroUSD int64
}

// Bill books a charge and returns its cost in micro-dollars. A resource is paid
// for once per app and UTC day (docs.x.com, pricing). It fails with ErrNoCredits, booking
// nothing, if the app's balance is used up or smaller than the cost.
func (w *World) Bill(c Charge) (int64, error) {
	app := appKey{c.Platform, c.APIKey}
	l := &w.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	day := w.Now().UTC().Format(time.DateOnly)
	paid := l.paidOn(app, day)
	fresh := map[string]struct{}{}
	for _, id := range c.IDs {
		key := c.Resource + "/" + id
		if _, done := paid.seen[key]; !done {
			fresh[key] = struct{}{}
		}
	}
	cost := int64(len(fresh)) * c.PriceMicroUSD
	if left, limited := l.credits[app]; limited {
		// Whether a platform out of credits still serves what is free that day
		// is not documented; refusing is the harder case for a client.
		if left <= 0 || left < cost {
			return 0, fmt.Errorf("billing app %s/%s: %w", c.Platform, c.APIKey, ErrNoCredits)
		}
		l.credits[app] = left - cost
	}
	for key := range fresh {
		paid.seen[key] = struct{}{}
	}
	b := l.bill(app, day, c.Resource)
	b.Billed += len(fresh)
	b.Deduplicated += len(c.IDs) - len(fresh)
	b.MicroUSD += cost
	return cost, nil
}

func (l *ledger) paidOn(app appKey, day string) *paidDay {
	paid, ok := l.paid[app]
	if !ok || paid.day != day {
		paid = &paidDay{day: day, seen: map[string]struct{}{}}
		l.paid[app] = paid
	}
	return paid
}

func (l *ledger) bill(app appKey, day, resource string) *Bill {
	key := billKey{app, day, resource}
	b, ok := l.bills[key]
	if !ok {
		b = &Bill{Platform: app.platform, APIKey: app.key, Day: day, Resource: resource}
		l.bills[key] = b
	}
	return b
}

// SetCredits replaces an app's balance, in dollars with at most six decimals;
// empty is unlimited. It fails with ErrInvalid or ErrNotFound.
func (w *World) SetCredits(p Platform, apiKey, usd string) error {
	credits, err := parseUSD(usd)
	if err != nil {
		return fmt.Errorf("setting the credits of app %s/%s: %w", p, apiKey, err)
	}
	w.apps.mu.RLock()
	defer w.apps.mu.RUnlock()
	id := appKey{p, apiKey}
	if _, ok := w.apps.apps[id]; !ok {
		return fmt.Errorf("setting the credits of app %s/%s: %w", p, apiKey, ErrNotFound)
	}
	w.ledger.setCredits(id, credits)
	return nil
}

func (l *ledger) setCredits(app appKey, microUSD *int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if microUSD == nil {
		delete(l.credits, app)
		return
	}
	l.credits[app] = *microUSD
}

var usdPattern = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,6})?$`)

// parseUSD returns micro-dollars, or nil for the empty string.
func parseUSD(s string) (*int64, error) {
	if s == "" {
		return nil, nil
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok || !usdPattern.MatchString(s) {
		return nil, fmt.Errorf("%w: creditsUSD %q does not match %s", ErrInvalid, s, usdPattern)
	}
	micro := r.Mul(r, big.NewRat(1_000_000, 1)).Num().Int64()
	return &micro, nil
}

func formatUSD(micro int64) string {
	return fmt.Sprintf("%d.%06d", micro/1_000_000, micro%1_000_000)
}
